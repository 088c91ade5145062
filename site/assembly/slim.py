"""Compiles and slims the standard library, the wheels and our own Python; runs inside Pyodide.

The magic number of the compiled files then fits. Works on ``/work/in`` and writes ``/work/out``.
Optimisation level 0: numpy needs its docstrings.
"""

import importlib.util
import marshal
import re
import zipfile
from pathlib import Path

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
# What a page with numpy, Pillow and PyScript never imports.
UNUSED_LIBRARY = re.compile(
    r"""^(
    test|tests|idlelib|lib2to3|ensurepip|turtledemo|tkinter|pydoc_data|venv|distutils|unittest
    |sqlite3|curses|dbm|xmlrpc|wsgiref|_pyrepl|multiprocessing|pathlib/_local_tests|msilib
    |turtle\.py|pydoc\.py|doctest\.py|antigravity\.py|this\.py|pdb\.py|bdb\.py|cProfile\.py
    |profile\.py|pstats\.py|trace\.py|tracemalloc\.py|timeit\.py|tabnanny\.py|webbrowser\.py
    |mailbox\.py|imaplib\.py|poplib\.py|smtplib\.py|ftplib\.py|nntplib\.py|telnetlib\.py
    |socketserver\.py|cgi\.py|cgitb\.py|optparse\.py|getopt\.py|pickletools\.py|plistlib\.py
    |netrc\.py|shelve\.py|sched\.py|rlcompleter\.py|cmd\.py|pty\.py|tty\.py
    |asyncore\.py|asynchat\.py|smtpd\.py|aifc\.py|sunau\.py|wave\.py|chunk\.py|colorsys\.py
    |imghdr\.py|sndhdr\.py|zipapp\.py|compileall\.py|symtable\.py|pyclbr\.py|modulefinder\.py
    |filecmp\.py|fileinput\.py|mimetypes\.py|statistics\.py|crypt\.py|nturl2path\.py
    |encodings/(cp(?!437)|mac_|iso|koi|hp_|kz|ptcp|tis|big5|euc|gb|hz|johab|shift|rot|quopri|uu)
    )"""
    r"|(^|/)__pycache__/",
    re.VERBOSE,
)
UNUSED_OF_WHEELS = re.compile(
    r"""(
    (^|/)tests?/|\.pyi$|\.h$|\.a$|\.lib$|\.c$|\.pxd$|\.pyx$|py\.typed$|(^|/)__pycache__/
    |^numpy/(f2py|random|fft|testing|distutils|ma|polynomial|_pyinstaller|doc)/|/conftest\.
    |^numpy/_core/_(multiarray|umath|operand_flag|rational|struct_ufunc|simd)_?tests?\.
    |^numpy/_core/_simd\.|^numpy/_core/(include|lib)/
    |^PIL/_(imagingft|imagingcms|imagingmath|imagingmorph|imagingtk|avif)\.
    |^PIL/(ImageTk|ImageQt|_tkinter_finder|ImageShow|ImageGrab|features|__main__)\.py
    |\.dist-info/(licenses|LICENSE|sboms)/|^numpy-.*\.dist-info/entry_points
    )""",
    re.VERBOSE,
)


def compiled(source: bytes, name: str) -> bytes:
    """A .pyc that is valid by itself: PEP 552, hash-based, not checked."""
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    flags = (0b01).to_bytes(4, "little")
    header = importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(source)
    return header + marshal.dumps(code)


def slim(archive: Path, out: Path, unused: re.Pattern) -> None:
    """Copy an archive without what is unused, with .pyc in place of .py."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(out, "w") as new:
        for info in sorted(old.infolist(), key=lambda each: each.filename):
            name = info.filename
            if info.is_dir() or unused.search(name):
                continue
            data = old.read(name)
            if name.endswith(".py"):
                name, data = name + "c", compiled(data, name)
            entry = zipfile.ZipInfo(name, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            new.writestr(entry, data, compresslevel=9)


NOTHING = re.compile(r"(?!)")
UNUSED = {"python_stdlib.zip": UNUSED_LIBRARY, "app.zip": NOTHING}
OUT = Path("/work/out")
OUT.mkdir(exist_ok=True)
for each in sorted(Path("/work/in").iterdir()):
    slim(each, OUT / each.name, UNUSED.get(each.name, UNUSED_OF_WHEELS))

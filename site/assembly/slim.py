"""Compiles and slims the standard library, the wheels and our own Python.

Runs inside Pyodide, so that the magic number of the compiled files matches; reads ``/work/in`` and
writes ``/work/out``. Docstrings and assertions are dropped, except where numpy needs them. Our own
Python keeps its line numbers, but not the types of its functions, which nothing reads on the page.
Archives are stored, not deflated: the host compresses what it sends, brotli makes a stored archive
a third smaller than deflated pieces, and nothing has to be inflated at the start.
"""

import ast
import importlib.util
import marshal
import re
import types
import zipfile
from pathlib import Path

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
# What a page with numpy, Pillow and PyScript imports, and what its own Python may need as well.
# asyncio, shutil and zipfile work without ssl, bz2, lzma and zstd, and start faster without them.
LIBRARY = re.compile(
    r"""^(
    (__future__|_ast_unparse|_collections_abc|_colorize|_compat_pickle|_opcode_metadata
    |_py_warnings|_pylong|_sitebuiltins|_strptime|_weakrefset|abc|annotationlib|ast|base64
    |bisect|calendar|codecs|codeop|contextlib|contextvars|copy|copyreg|csv|dataclasses|datetime
    |dis|enum|fnmatch|fractions|functools|genericpath|glob|gzip|hashlib|heapq|hmac|inspect|io
    |ipaddress|keyword|linecache|locale|ntpath|numbers|opcode|operator|os|pickle|platform
    |posixpath|queue|random|reprlib|secrets|selectors|shutil|signal|site|socket|stat|struct
    |subprocess|sysconfig|tarfile|tempfile|textwrap|threading|token|tokenize|traceback|types|typing
    |uuid|warnings|weakref|zipimport)\.py
    |(_pyodide|collections|html|json|pathlib|re|string|sysconfig)/
    |compression/(__init__|_common|gzip|zlib)
    |asyncio/(?!windows|proactor|tools|__main__)
    |concurrent/(__init__|futures/(__init__|_base|thread))
    |ctypes/(__init__|_endian|_layout)
    |email/__init__
    |encodings/(__init__|aliases|ascii|charmap|cp437|latin_1|raw_u|unicode_|utf_(8|16))
    |importlib/(?!resources|readers|simple)
    |logging/__init__
    |pyodide/(?!console|http|_nodesock)
    |urllib/(__init__|error|parse)
    |zipfile/(?!__main__)
    |site-packages/
    )""",
    re.VERBOSE,
)
WHEELS = re.compile(
    r"""^(?!
    .*(/tests?/|\.pyi$|\.h$|\.a$|\.lib$|\.c$|\.pxd$|\.pyx$|py\.typed$|/conftest\.)
    |numpy/(f2py|random|fft|linalg|testing|distutils|ma|polynomial|_pyinstaller|doc)/
    |numpy/_core/_(multiarray|umath|operand_flag|rational|struct_ufunc|simd)_?tests?\.
    |numpy/_core/_simd\.|numpy/_core/(include|lib)/|numpy/typing/mypy_plugin|numpy/_configtool
    |PIL/_(imagingft|imagingcms|imagingmath|imagingmorph|imagingtk|avif)\.
    |PIL/(?!Bmp|Gif|Jpeg|Mpo|Png|Ppm|Tiff|WebP)[A-Za-z0-9]+(ImagePlugin|ImageFile|StubImagePlugin)\.
    |PIL/(BdfFontFile|ContainerIO|FontFile|ImageCms|ImageDraw2|ImageGrab|ImageMath|ImageMorph
        |ImageQt|ImageShow|ImageTk|ImageWin|PSDraw|PcfFontFile|PdfParser|_tkinter_finder
        |features|__main__)\.
    |.*\.dist-info/(licenses|LICENSE|sboms|RECORD|entry_points|top_level|zip-safe)
    )""",
    re.VERBOSE,
)
# numpy attaches these texts to its C functions at every start; the page never shows them.
ONLY_DOCUMENTATION = ("numpy/_core/_add_newdocs.py", "numpy/_core/_add_newdocs_scalars.py")
# numpy.linalg, a megabyte of LAPACK, is left out; these two modules need it only for np.roots and
# for powers of np.matrix.
WITHOUT = {
    "numpy/lib/_polynomial_impl.py": b"from numpy.linalg import eigvals, inv, lstsq\n",
    "numpy/matrixlib/defmatrix.py": b"from numpy.linalg import matrix_power\n",
}
# Docstrings are needed where `add_docstring` is called with them, and in Pyodide's own core.
WITH_DOCSTRINGS = re.compile(r"numpy/_core/(multiarray|overrides)\.py|_pyodide/|pyodide/")


def compiled(source: bytes, name: str) -> bytes:
    """A .pyc that needs no source: PEP 552, hash-based, unchecked."""
    ours = name.startswith("pyapp/")
    line = WITHOUT.get(name, b"")
    if line not in source:
        raise ValueError(f"{name} has changed: it no longer has the line {line!r}")
    text = b"" if name in ONLY_DOCUMENTATION else source.replace(line, b"")
    level = 0 if WITH_DOCSTRINGS.match(name) else 2
    tree = ast.parse(text, name)
    if ours:
        without_types(tree)
    code = compile(tree, name, "exec", dont_inherit=True, optimize=level)
    flags = (0b01).to_bytes(4, "little")
    header = importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(source)
    return header + marshal.dumps(code if ours else without_lines(code))


def without_types(tree: ast.AST) -> None:
    """Take the types of parameters and results out; those of dataclasses' fields stay."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None


def without_lines(code: types.CodeType) -> types.CodeType:
    """Code without line numbers, which are a fifth of it; there is no source to show anyway.

    An entry of the table covers up to eight code units; kind 15 means "no location" (CPython's
    InternalDocs/code_objects.md).
    """
    full, rest = divmod(len(code.co_code) // 2, 8)
    table = bytes([0xFF] * full + ([0xF8 | (rest - 1)] if rest else []))
    inner = tuple(
        without_lines(each) if isinstance(each, types.CodeType) else each for each in code.co_consts
    )
    return code.replace(co_linetable=table, co_consts=inner)


def slim(archive: Path, out: Path, used: re.Pattern[str]) -> None:
    """Copy the used files of an archive, with .pyc in place of .py."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(out, "w") as new:
        for info in sorted(old.infolist(), key=lambda each: each.filename):
            name = info.filename
            if info.is_dir() or "__pycache__/" in name or not used.match(name):
                continue
            data = old.read(name)
            if name.endswith(".py"):
                name, data = name + "c", compiled(data, name)
            entry = zipfile.ZipInfo(name, FIXED_TIME)
            entry.external_attr = 0o644 << 16
            new.writestr(entry, data)


USED = {"python_stdlib.zip": LIBRARY, "app.zip": re.compile("")}
OUT = Path("/work/out")
OUT.mkdir(exist_ok=True)
for each in sorted(Path("/work/in").iterdir()):
    slim(each, OUT / each.name, USED.get(each.name, WHEELS))

"""The page's Python: Pyodide with numpy and Pillow, compiled ahead of time and slimmed."""

import json
import re
import shutil
from pathlib import Path

from assembly import cache, fetch
from assembly.errors import SetupError

HERE = Path(__file__).resolve().parent
SCRIPT, DRIVER = HERE / "slim.py", HERE / "in_pyodide.mjs"
LIBRARY, LOCK = "python_stdlib.zip", "pyodide-lock.json"
AS_IS = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
# These chunks of PyScript belong to plugins that the page switches off, to archives that only
# MicroPython unpacks, to a list of packages that `index_urls` replaces, or to an entry for others.
PYSCRIPT_UNUSED = ("codemirror", "deprecations", "donkey", "py-editor", "py-game", "py-terminal",
                   "xterm", "service-worker", "storage", "zip-", "pyodide_graph-", "index-", "mpy-",
                   "py-D", "toml-B")  # fmt: skip
ORT = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm",
       "ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.mjs",
       "ort-wasm-simd-threaded.asyncify.wasm")  # fmt: skip
LEAFLET = "leaflet.esm.js"
LEAFLET_EXPORTS = re.compile(r"^export \{(.*)\};$", re.MULTILINE)
SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


def stock_pyodide() -> Path:
    """A folder with unmodified Pyodide and the two wheels, which Node.js can run."""
    npm = fetch.npm_packages() / "pyodide"
    wheels = [fetch.pyodide_wheel(name) for name in fetch.RUNTIME["wheels"]]

    def make(folder: Path) -> None:
        for name in (*AS_IS, LIBRARY):
            shutil.copy(npm / name, folder)
        for wheel in wheels:
            shutil.copy(wheel, folder)
        # Wheels of an earlier release of the same interface are as good as those that it names.
        lock = json.loads((npm / LOCK).read_text())
        for name, facts in fetch.RUNTIME["wheels"].items():
            version = facts["file"].split("-")[1]
            lock["packages"][name] |= {
                "version": version, "file_name": facts["file"], "sha256": facts["sha256"]
            }  # fmt: skip
        (folder / LOCK).write_text(json.dumps(lock))

    key = cache.key_of(npm / "package.json", *(wheel.name for wheel in wheels))
    return cache.kept(f"pyodide-stock-{key}", make)


def run_in_pyodide(script: Path, work: Path, *packages: str, pyodide: Path | None = None) -> None:
    """Run a Python file inside Pyodide under Node.js.

    Parameters
    ----------
    script : Path
    work : Path
        The folder that it sees as ``/work``.
    *packages : str
        Packages of Pyodide to load first.
    pyodide : Path, optional
        The folder of Pyodide; by default the unmodified one.

    Raises
    ------
    SetupError
        If it fails.
    """
    node = fetch.node_tools()
    folder = pyodide or stock_pyodide()
    command = [*node.node, str(DRIVER), str(folder), str(script), str(work), *packages]
    fetch.run(command, f"{script.name} failed inside Pyodide", environment=node.environment())


def slim_pyodide() -> Path:
    """The folder ``runtime/pyodide`` of the page."""
    stock = stock_pyodide()
    names = [LIBRARY, *(facts["file"] for facts in fetch.RUNTIME["wheels"].values())]

    def make(folder: Path) -> None:
        fetch.say("Compiling and slimming the standard library, numpy and Pillow")
        compile_into(folder, {name: (stock / name).read_bytes() for name in names})
        for name in AS_IS:
            shutil.copy(stock / name, folder)
        (folder / LOCK).write_text(_lock(stock, folder))

    return cache.kept(f"pyodide-{cache.key_of(stock.name, SCRIPT, DRIVER)}", make)


def compile_into(folder: Path, archives: dict[str, bytes]) -> None:
    """Write archives, name to contents, into ``folder`` with their Python compiled."""
    work = folder / "work"
    (work / "in").mkdir(parents=True)
    for name, data in archives.items():
        (work / "in" / name).write_bytes(data)
    run_in_pyodide(SCRIPT, work)
    for name in archives:
        shutil.move(work / "out" / name, folder / name)
    shutil.rmtree(work)


def compiled_app(archives: dict[str, bytes]) -> dict[str, bytes]:
    """The archives of our own Python, compiled; made once and kept by content."""

    def make(folder: Path) -> None:
        fetch.say("Compiling the page's Python")
        compile_into(folder, archives)

    made = cache.kept(f"app-{cache.key_of(*archives.values(), SCRIPT, DRIVER)}", make)
    return {name: (made / name).read_bytes() for name in archives}


def _lock(stock: Path, slim: Path) -> str:
    """Pyodide's lock file, reduced to the two packages, with the hashes of the slim wheels."""
    lock = json.loads((stock / LOCK).read_text())
    lock["packages"] = {name: lock["packages"][name] for name in fetch.RUNTIME["wheels"]}
    for facts in lock["packages"].values():
        facts["sha256"] = cache.digest(slim / facts["file_name"])
    return json.dumps(lock, indent=1)


def _leaflet(dist: Path) -> Path:
    """Leaflet as a module, made of its minified script: its own module is not minified."""

    def make(folder: Path) -> None:
        exports = LEAFLET_EXPORTS.search((dist / "leaflet-src.esm.js").read_text(encoding="utf-8"))
        script = SOURCE_MAP.sub("", (dist / "leaflet.js").read_text(encoding="utf-8"))
        if exports is None:
            raise SetupError("Leaflet's module has changed: its last line names no exports.")
        names = [each.split(" as ")[-1].strip() for each in exports[1].split(",")]
        # Not under their own names, as there is a Map in JavaScript, too.
        locals_ = ", ".join(f"{name}: leaflet{name}" for name in names)
        public = ", ".join(f"leaflet{name} as {name}" for name in names)
        (folder / LEAFLET).write_text(
            f"const exports = {{}}, module = {{exports}};\n{script}\n"
            f"const {{{locals_}}} = exports;\nexport {{{public}}};\n",
            encoding="utf-8",
        )

    key = cache.key_of(dist / "leaflet.js", dist / "leaflet-src.esm.js", Path(__file__))
    return cache.kept(f"leaflet-{key}", make) / LEAFLET


def files() -> dict[str, Path]:
    """Everything under ``runtime/``: path in the site to file."""
    npm, pyodide = fetch.npm_packages(), slim_pyodide()
    found = {f"runtime/pyodide/{file.name}": file for file in sorted(pyodide.iterdir())}
    for file in sorted((npm / "@pyscript/core/dist").iterdir()):
        if file.suffix in (".js", ".css") and not file.name.startswith(PYSCRIPT_UNUSED):
            found[f"runtime/pyscript/{file.name}"] = file
    for name in ORT:
        found[f"runtime/ort/{name}"] = npm / "onnxruntime-web/dist" / name
    found["runtime/geotiff/geotiff.js"] = npm / "geotiff/dist-browser/geotiff.js"
    for file in sorted((npm / "hyparquet/src").glob("*.js")):
        # That for Node.js reads files of the disk.
        if file.name != "node.js":
            found[f"runtime/hyparquet/{file.name}"] = file
    found["runtime/idb/index.js"] = npm / "idb/build/index.js"
    found[f"runtime/leaflet/{LEAFLET}"] = _leaflet(npm / "leaflet/dist")
    found["runtime/leaflet/leaflet.css"] = npm / "leaflet/dist/leaflet.css"
    for file in sorted((npm / "leaflet/dist/images").iterdir()):
        found[f"runtime/leaflet/images/{file.name}"] = file
    return found

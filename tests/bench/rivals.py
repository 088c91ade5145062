"""What the page's start is compared with: bare Pyodide, and PyScript as it comes."""

import json
import shutil
import sys
from pathlib import Path

from tests.browser.conftest import ROOT

sys.path.insert(0, str(ROOT / "site"))

from assembly import cache, fetch, runtime

BARE = """<!doctype html><title>bare Pyodide</title><script type="module">
import {{ loadPyodide }} from "./{folder}/pyodide.mjs";
const pyodide = await loadPyodide();
await pyodide.loadPackage(["numpy", "pillow"], {{ messageCallback() {{}} }});
await pyodide.runPythonAsync("import numpy, PIL.Image, PIL.JpegImagePlugin");
performance.mark("bare");
document.documentElement.toggleAttribute("data-ready", true);
</script>"""
ORDINARY = """<!doctype html><title>PyScript as it comes</title>
<link rel="stylesheet" href="pyscript/core.css">
<script type="module" src="pyscript/core.js"></script>
<script type="py" config='{"interpreter": "./stock/pyodide.mjs",
"packages": ["numpy", "pillow"], "packages_cache": "passthrough"}'>
import numpy, PIL.Image, PIL.JpegImagePlugin
from pyscript import document, window
window.performance.mark("bare")
document.documentElement.toggleAttribute("data-ready", True)
</script>"""


def lay_rivals(folder: Path) -> None:
    """Write a site with three pages: ``stock.html``, ``slim.html`` and ``pyscript.html``.

    They show bare Pyodide with stock files and with ours, and PyScript in its default
    configuration.
    """
    shutil.copytree(runtime.stock_pyodide(), folder / "stock")
    shutil.copytree(runtime.slim_pyodide(), folder / "slim")
    shutil.copytree(fetch.npm_packages() / "@pyscript/core/dist", folder / "pyscript")
    (folder / "stock.html").write_text(BARE.format(folder="stock"))
    (folder / "slim.html").write_text(BARE.format(folder="slim"))
    (folder / "pyscript.html").write_text(ORDINARY)
    files = [file for file in folder.rglob("*") if file.is_file()]
    listing = {}
    for file in files:
        path = file.relative_to(folder).as_posix()
        if not path.endswith((".map", ".whl")):
            listing[path] = {"size": file.stat().st_size, "sha256": cache.digest(file)}
    (folder / "files.json").write_text(json.dumps(listing))

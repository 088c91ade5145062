"""Measures the default model in other runtimes in Chromium: LiteRT.js and TensorFlow.js.

They take turns with onnxruntime-web, each in a frame of its own, on one thread, one chip at a time.
Their files of the model are made from the shipped one in a virtual environment of its own, which
is kept in the cache folder; none of it is part of Lookdown.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from pyapp.core.ground.geo import Footprint
from pyapp.core.imagery.source import sources_from_json
from pyapp.core.model.backend import Golden
from pyapp.core.model.card import Card
from tests.bench.bare_browser import BareBrowser
from tests.bench.document import table
from tests.browser.native import DEFAULT, MODELS
from training.figures import measure as measured
from training.figures.golden import GOLDEN_FILE, native_chip
from training.site_tools import cache, fetch, imagery

HERE = Path(__file__).resolve().parent
CONVERTER = HERE / "tensorflow_model.py"
TENSORFLOW = ("tensorflow-cpu==2.21.0", "tf-keras==2.21.0")
# Without what they ask for: the converter for TensorFlow.js would bring JAX and decision forests.
ALONE = ("tensorflowjs==4.22.0", "onnx==1.19.1")
PAGE = """<!doctype html><title>A network in a runtime</title>
<script type="importmap">
{"imports": {"@litertjs/wasm-utils": "./litert/wasm-utils/dist/index.js"}}
</script>
<script src="tensorflow/tfjs-core/dist/tf-core.min.js"></script>
<script src="tensorflow/tfjs-converter/dist/tf-converter.min.js"></script>
<script src="tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js"></script>
<script type="module" src="runtimes.js"></script>
"""
ORT_WASM = "ort/ort-wasm-simd-threaded.wasm"
# Title, package, its file of WebAssembly, and its file of the model, by the name of its frame.
RUNTIMES = {
    "onnxruntime": ("onnxruntime-web, as shipped", "onnxruntime-web", ORT_WASM, "model.onnx"),
    "litert": ("LiteRT.js (XNNPACK, relaxed SIMD)", "@litertjs/core",
               "litert/core/wasm/litert_wasm_internal.wasm", "model.tflite"),
    "compat": ("LiteRT.js (XNNPACK, without relaxed SIMD)", "@litertjs/core",
               "litert/core/wasm/litert_wasm_compat_internal.wasm", "model.tflite"),
    "tensorflow": ("TensorFlow.js (wasm, SIMD)", "@tensorflow/tfjs-core",
                   "tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm", "tfjs"),
}  # fmt: skip
HEAD = ("runtime, 1 thread, batch 1", "ms per chip, median (least)", "onnxruntime-web / it",
        "wasm + model, brotli, MB", "golden places")  # fmt: skip
# Chromium compiles WebAssembly anew for speed while it runs.
WARM_UP, CHIPS = 60, 10


def measure(rounds: int) -> str:
    """Measure all runtimes in turns; a table in Markdown.

    Parameters
    ----------
    rounds : int
        Turns of each.

    Raises
    ------
    SetupError
        If a runtime can't be fetched, or the model not be converted.
    """
    folder = MODELS / DEFAULT
    card = Card.from_json(DEFAULT, (folder / "card.json").read_text())
    golden = Golden.from_json((folder / GOLDEN_FILE).read_text())
    with (
        tempfile.TemporaryDirectory() as place,
        # Chromium may still write into its profile while it ends.
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        measured.served(Path(place)) as address,
        BareBrowser(Path(profile)) as browser,
    ):
        versions = _lay(Path(place), folder / "model.onnx")
        frames = "".join(f'<iframe name="{name}" src="runtime.html?{name}&{card.chip_px}"></iframe>'
                         for name in RUNTIMES)  # fmt: skip
        (Path(place) / "index.html").write_text(f"<!doctype html><title>Runtimes</title>{frames}")
        browser.goto(address)
        said = {name: _answers(browser, name, card, golden) for name in RUNTIMES}
        taken = _times(browser, rounds)
        rows = [
            _row(name, taken, versions, _size(Path(place), name), golden, said[name])
            for name in RUNTIMES
        ]
        used = f"headless Chromium {browser.ask('Browser.getVersion')['product'].split('/')[1]}"
    return table(rows, f"python -m tests.bench runtimes --rounds {rounds}", used, HEAD)


def _lay(place: Path, model: Path) -> dict[str, str]:
    """Write a site with the runtimes and the model for each; the versions by package."""
    ours, others = fetch.npm_packages(), fetch.npm_packages(HERE / "npm")
    (place / "ort").mkdir()
    for name in measured.RUNTIME:
        shutil.copy(ours / "onnxruntime-web/dist" / name, place / "ort")
    shutil.copytree(others / "@litertjs", place / "litert")
    shutil.copytree(others / "@tensorflow", place / "tensorflow")
    shutil.copy(model, place / "model.onnx")
    shutil.copytree(_converted(model), place, dirs_exist_ok=True)
    shutil.copy(HERE / "runtimes.js", place)
    (place / "runtime.html").write_text(PAGE)
    packages = {name: (ours if name == "onnxruntime-web" else others) / name / "package.json"
                for _, name, _, _ in RUNTIMES.values()}  # fmt: skip
    return {name: json.loads(file.read_text())["version"] for name, file in packages.items()}


def _converted(model: Path) -> Path:
    """A folder with the model as ``model.tflite`` and ``tfjs/model.json``."""

    def make(folder: Path) -> None:
        python = _tensorflow()
        fetch.say("Converting the model for LiteRT.js and TensorFlow.js")
        command = [str(python), str(CONVERTER), str(model), str(folder)]
        fetch.run(command, "TensorFlow could not convert the model")
        shutil.rmtree(folder / "saved")

    key = cache.key_of(model, CONVERTER, *TENSORFLOW, *ALONE)
    return cache.kept(f"tensorflow-model-{key}", make)


def _tensorflow() -> Path:
    """The Python of a virtual environment with TensorFlow and the converters."""
    bin_folder = "Scripts" if sys.platform == "win32" else "bin"

    def make(folder: Path) -> None:
        fetch.say("Fetching TensorFlow from PyPI, to convert the model (about 300 MB)")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        python = ["--python", str(folder / bin_folder / "python"), "install"]
        fetch.pip(*python, *TENSORFLOW)
        fetch.pip(*python, "--no-deps", *ALONE)

    key = cache.key_of(sys.version, *TENSORFLOW, *ALONE)
    return cache.kept(f"tensorflow-{key}", make) / bin_folder / "python"


def _answers(browser: BareBrowser, name: str, card: Card, golden: Golden) -> np.ndarray:
    """A runtime's probabilities on the golden places, shape (N, C)."""
    source = sources_from_json(imagery.sources())[0]
    tiles = imagery.sample_tiles()
    chips = [native_chip(tiles, Footprint(each, card.footprint_m), card, source)
             for each in golden.places]  # fmt: skip
    browser.wait(f"frames.{name}?.answers")
    listed = json.dumps([chip.ravel().tolist() for chip in chips])
    return np.array(browser.evaluate(f"frames.{name}.answers({listed})"), np.float32)


def _times(browser: BareBrowser, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds per chip, the median and the least of each turn."""
    for name in RUNTIMES:
        browser.evaluate(f"frames.{name}.time({WARM_UP})")
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in RUNTIMES}
    for _ in range(rounds):
        for name, times in taken.items():
            times.append(browser.evaluate(f"frames.{name}.time({CHIPS})"))
    return taken


def _size(place: Path, name: str) -> tuple[float, float]:
    """Megabytes of a runtime's WebAssembly and of its model, compressed as the site is."""
    *_, wasm, model = RUNTIMES[name]
    files = [each for each in (place / model).rglob("*") if each.is_file()] or [place / model]
    return (measured.compressed_size(place / wasm) / 1e6,
            sum(map(measured.compressed_size, files)) / 1e6)  # fmt: skip


def _row(
    name: str,
    taken: dict[str, list[tuple[float, float]]],
    versions: dict[str, str],
    size: tuple[float, float],
    golden: Golden,
    said: np.ndarray,
) -> tuple[str, ...]:
    title, package, *_ = RUNTIMES[name]
    medians, least = zip(*taken[name], strict=True)
    ratios = [ours / its for (ours, _), its in zip(taken["onnxruntime"], medians, strict=True)]
    agree = "agree" if golden.agrees(said) else "differ"
    within = float(np.abs(said - golden.probability).max())
    return (
        f"{title}, {versions[package]}",
        f"{statistics.median(medians):.1f} ({min(least):.1f})",
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        f"{size[0]:.2f} + {size[1]:.2f}",
        f"{agree}, within {within:.1e}",
    )

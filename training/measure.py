"""What a model's file weighs, and how long it takes, natively and in the browser."""

import contextlib
import json
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import brotli
import numpy as np
import onnxruntime

from pyapp.core.model.prediction import INPUT, OUTPUTS, PROBABILITY
from training import site_tools
from training.errors import TrainingError

HERE = Path(__file__).resolve().parent
PAGE = HERE / "measure.html"
BATCH = 32
ROUNDS = 60
WARM_UP = 3
PROFILED = 12
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
BROTLI_QUALITY = 9
# A line of onnxruntime's profile: microseconds, the node, what it is.
OPERATOR = re.compile(
    r'"dur" :(\d+),"ts" :\d+,"ph" : "X","name" :"([^"]*)_kernel_time","args" : (\{.*\})\}'
)
PAGE_LIMIT_MS = 600_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Times:
    """Milliseconds for one chip."""

    least_ms: float
    median_ms: float


def session(file: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """Native onnxruntime on a model's file; 0 threads: as many as there are cores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def outputs(file: Path, chips: np.ndarray) -> dict[str, np.ndarray]:
    """Everything that a model's file says of chips, uint8 [N, S, S, 3], by the names of outputs."""
    running = session(file)
    batches = [chips[start : start + BATCH] for start in range(0, len(chips), BATCH)]
    said = [running.run(list(OUTPUTS), {INPUT: each}) for each in batches]
    return {name: np.concatenate([each[i] for each in said]) for i, name in enumerate(OUTPUTS)}


def probabilities(file: Path, chips: np.ndarray) -> np.ndarray:
    """Probabilities, float32 [N, C], that a model's file gives chips, uint8 [N, S, S, 3]."""
    return outputs(file, chips)[PROBABILITY]


def compressed_size(file: Path) -> int:
    """Bytes over the wire: brotli as the site's build makes it."""
    return len(brotli.compress(file.read_bytes(), quality=BROTLI_QUALITY, lgwin=24))


def chip_px_of(file: Path) -> int:
    """Side of the chips that a model's file takes."""
    return session(file, threads=1).get_inputs()[0].shape[1]


def native_times(files: dict[str, Path]) -> dict[str, Times]:
    """Native onnxruntime with one thread, the files taking turns."""
    running = {name: session(file, threads=1) for name, file in files.items()}
    sides = {name: each.get_inputs()[0].shape[1] for name, each in running.items()}
    random = np.random.default_rng(0)
    chips = {
        name: random.integers(0, 256, (1, side, side, 3), np.uint8) for name, side in sides.items()
    }
    taken = {name: [] for name in files}
    for number in range(ROUNDS + WARM_UP):
        for name, each in running.items():
            start = time.perf_counter()
            each.run(None, {INPUT: chips[name]})
            if number >= WARM_UP:
                taken[name].append(1000 * (time.perf_counter() - start))
    return {name: Times(min(each), float(np.median(each))) for name, each in taken.items()}


def browser_times(files: dict[str, Path]) -> dict[str, Times]:
    """onnxruntime-web with one thread in Chromium, the files taking turns.

    Raises
    ------
    TrainingError
        Where there is no browser, or the page in it fails.
    """
    found = _in_browser(files, {"rounds": ROUNDS, "warmUp": WARM_UP})
    return {name: Times(min(each), float(np.median(each))) for name, each in found.items()}


def browser_probabilities(file: Path, chips: np.ndarray) -> np.ndarray:
    """As `probabilities`, but by onnxruntime-web in Chromium."""
    said = _in_browser({"model": file}, {"chips": list(chips.shape)}, chips)["model"]
    return np.array(said, np.float32).reshape(len(chips), -1)


def browser_operators(file: Path) -> dict[str, float]:
    """Where the time goes in onnxruntime-web, one thread: ms a chip by kind of operator.

    Each operator's least time of several runs, added up.
    """
    lines = []
    _in_browser({"model": file}, {"profile": True, "rounds": PROFILED}, None, lines.append)
    least = {}
    for ms, name, facts in OPERATOR.findall("\n".join(lines)):
        kind = _kind_of(json.loads(facts))
        least[kind, name] = min(int(ms) / 1000, least.get((kind, name), float("inf")))
    kinds = {}
    for (kind, _), ms in least.items():
        kinds[kind] = kinds.get(kind, 0.0) + ms
    return {kind: round(kinds[kind], 2) for kind in sorted(kinds, key=kinds.get, reverse=True)}


def _kind_of(facts: dict) -> str:
    """A convolution by its kind, anything else together."""
    if "Conv" not in facts["op_name"]:
        return "everything else"
    shapes = [next(iter(each.values())) for each in facts["input_type_shape"]]
    _, inputs, rows, columns = shapes[1]
    size = f"{rows}x{columns} convolution"
    return f"depthwise {size}" if inputs == 1 else size


def _in_browser(
    files: dict[str, Path],
    job: dict,
    chips: np.ndarray | None = None,
    hear: Callable[[str], None] | None = None,
) -> dict:
    """Let ``measure.html`` do a job with some models; ``hear`` gets what its console says."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copy(PAGE, place / "index.html")
        (place / "ort").mkdir()
        for name in RUNTIME:
            shutil.copy(
                site_tools.fetch.npm_packages() / "onnxruntime-web/dist" / name, place / "ort"
            )
        for number, file in enumerate(files.values()):
            shutil.copy(file, place / f"{number}.onnx")
        if chips is not None:
            (place / "chips.bin").write_bytes(np.ascontiguousarray(chips).tobytes())
        sides = [chip_px_of(file) for file in files.values()]
        job = job | {"models": [{"name": n, "side": s} for n, s in zip(files, sides, strict=True)]}
        # A thread of its own: the caller's may have a Playwright at work already.
        with served(place) as address, ThreadPoolExecutor(1) as thread:
            return json.loads(thread.submit(_open, address, job, hear).result())


def _open(address: str, job: dict, hear: Callable[[str], None] | None) -> str:
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as playwright:
            path = find_browser()
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page()
            page.set_default_timeout(PAGE_LIMIT_MS)
            if hear:
                page.on("console", lambda message: hear(message.text))
            page.goto(address)
            said = page.evaluate("job => work(job)", job)
            browser.close()
    except Error as error:
        raise TrainingError(f"Nothing was measured in a browser: {error}") from error
    return said


def find_browser() -> str | None:
    """Path of a Chromium: what the tests found, else the system's; ``None``: Playwright's own."""
    noted = os.environ.get("LOOKDOWN_CHROMIUM")
    if noted:
        return None if noted == "playwright" else noted
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextlib.contextmanager
def served(folder: Path, compressed=None) -> Iterator[str]:
    """Serve a folder as ``python serve.py`` does; its address."""
    with site_tools.server.SiteServer(folder, 0, compressed) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.address
        finally:
            server.shutdown()

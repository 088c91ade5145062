"""How large a model's file is, what it says, and how long it takes, natively and in Chromium."""

import contextlib
import json
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import brotli
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from pyapp.core.model.prediction import INPUT, OUTPUTS, PROBABILITY
from training import site_tools
from training.errors import TrainingError

HERE = Path(__file__).resolve().parent
PAGE = HERE / "measure.html"
RUN_BATCH = 32
ROUNDS = 60
WARM_UP = 3
PROFILED = 12
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
BROTLI_QUALITY = 9
# A line of onnxruntime's profile: microseconds, the node, its facts.
OPERATOR = re.compile(
    r'"dur" :(\d+),"ts" :\d+,"ph" : "X","name" :"([^"]*)_kernel_time","args" : (\{.*\})\}'
)
PAGE_LIMIT_MS = 600_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Times:
    """Time for one chip, the least and the median of many runs."""

    least_ms: float
    median_ms: float


def session(file: Path | bytes, threads: int = 0) -> onnxruntime.InferenceSession:
    """Native onnxruntime with a model's file or its bytes; 0 threads means one per core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def outputs(file: Path, chips: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """All outputs of a model's file for chips, shape (N, S, S, 3), by their names."""
    running = session(file)
    batches = [chips[start : start + RUN_BATCH] for start in range(0, len(chips), RUN_BATCH)]
    said = [running.run(list(OUTPUTS), {INPUT: each}) for each in batches]
    return {name: np.concatenate([each[i] for each in said]) for i, name in enumerate(OUTPUTS)}


def probabilities(file: Path, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities by a model's file, shape (N, C), of chips, shape (N, S, S, 3)."""
    return outputs(file, chips)[PROBABILITY]


def compressed_size(file: Path) -> int:
    """Size of the download in bytes, compressed with brotli as the site's build does."""
    return len(brotli.compress(file.read_bytes(), quality=BROTLI_QUALITY, lgwin=24))


def chip_px_of(file: Path) -> int:
    """Side of the chips that a model's file takes."""
    return int(session(file, threads=1).get_inputs()[0].shape[1])


def native_times(files: Mapping[str, Path]) -> dict[str, Times]:
    """Times of some files in native onnxruntime on one thread; the files take turns."""
    running = {name: session(file, threads=1) for name, file in files.items()}
    sides = {name: each.get_inputs()[0].shape[1] for name, each in running.items()}
    random = np.random.default_rng(0)
    chips = {
        name: random.integers(0, 256, (1, side, side, 3), np.uint8) for name, side in sides.items()
    }
    taken: dict[str, list[float]] = {name: [] for name in files}
    for number in range(ROUNDS + WARM_UP):
        for name, each in running.items():
            start = time.perf_counter()
            each.run(None, {INPUT: chips[name]})
            if number >= WARM_UP:
                taken[name].append(1000 * (time.perf_counter() - start))
    return _times(taken)


def browser_times(files: Mapping[str, Path]) -> dict[str, Times]:
    """As `native_times`, in onnxruntime-web in Chromium.

    Raises
    ------
    TrainingError
        If there is no browser, or the page fails in it.
    """
    return _times(_in_browser(files, {"rounds": ROUNDS, "warmUp": WARM_UP}))


def _times(taken: Mapping[str, list[float]]) -> dict[str, Times]:
    return {name: Times(min(each), float(np.median(each))) for name, each in taken.items()}


def browser_probabilities(file: Path, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
    """As `probabilities`, in onnxruntime-web in Chromium; raises what `browser_times` raises."""
    said = _in_browser({"model": file}, {"chips": list(chips.shape)}, chips)["model"]
    return np.array(said, np.float32).reshape(len(chips), -1)


def browser_operators(file: Path) -> dict[str, float]:
    """Time per chip by kind of operator, in milliseconds, in onnxruntime-web on one thread.

    Adds up the least time of each operator over several runs; raises what `browser_times` raises.
    """
    lines: list[str] = []
    _in_browser({"model": file}, {"profile": True, "rounds": PROFILED}, None, lines.append)
    least: dict[tuple[str, str], float] = {}
    for ms, name, facts in OPERATOR.findall("\n".join(lines)):
        kind = _kind_of(json.loads(facts))
        least[kind, name] = min(int(ms) / 1000, least.get((kind, name), float("inf")))
    kinds: dict[str, float] = {}
    for (kind, _), time_ms in least.items():
        kinds[kind] = kinds.get(kind, 0.0) + time_ms
    slowest_first = sorted(kinds.items(), key=lambda item: item[1], reverse=True)
    return {kind: round(time_ms, 2) for kind, time_ms in slowest_first}


class _Node(TypedDict):
    """What onnxruntime's profile says of a node: its operator, and a shape for each input."""

    op_name: str
    input_type_shape: list[dict[str, list[int]]]


def _kind_of(facts: _Node) -> str:
    """A convolution by its kind; everything else together."""
    if "Conv" not in facts["op_name"]:
        return "everything else"
    shapes = [next(iter(each.values())) for each in facts["input_type_shape"]]
    _, inputs, rows, columns = shapes[1]
    size = f"{rows}x{columns} convolution"
    return f"depthwise {size}" if inputs == 1 else size


def _in_browser(
    files: Mapping[str, Path],
    job: Mapping[str, object],
    chips: NDArray[np.uint8] | None = None,
    hear: Callable[[str], None] | None = None,
) -> dict[str, list[float]]:
    """Let ``measure.html`` do a job with some models.

    Parameters
    ----------
    files : mapping of str to Path
        The models by their names.
    job : mapping
        What ``window.work`` in the page should do.
    chips : ndarray of uint8, shape (N, S, S, 3), optional
        To be classified.
    hear : function, optional
        Gets each line of the page's console.

    Returns
    -------
    dict of str to list of float
        By the names of the models: times in milliseconds, or probabilities.
    """
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
        models = [{"name": n, "side": s} for n, s in zip(files, sides, strict=True)]
        # In a thread of its own, as the caller's may be running Playwright already.
        with served(place) as address, ThreadPoolExecutor(1) as thread:
            work = thread.submit(_open, address, {**job, "models": models}, hear)
            found: dict[str, list[float]] = json.loads(work.result())
            return found


def _open(address: str, job: Mapping[str, object], hear: Callable[[str], None] | None) -> str:
    """Open the page, do the job, and return its result as JSON."""
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
            said: str = page.evaluate("job => work(job)", job)
            browser.close()
    except Error as error:
        raise TrainingError(f"Nothing was measured in a browser: {error}") from error
    return said


def find_browser() -> str | None:
    """Path of a Chromium: the one that ``LOOKDOWN_CHROMIUM`` names, or the system's.

    ``None`` means Playwright's own.
    """
    noted = os.environ.get("LOOKDOWN_CHROMIUM")
    if noted:
        return None if noted == "playwright" else noted
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextlib.contextmanager
def served(folder: Path, compressed: Mapping[str, dict[str, Path]] | None = None) -> Iterator[str]:
    """Serve a folder as ``python serve.py`` does, and give its address.

    Parameters
    ----------
    folder : Path
    compressed : mapping, optional
        Path in the folder to its variants, ``{"br": file, "gzip": file}``.
    """
    with site_tools.server.SiteServer(folder, 0, compressed) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.address
        finally:
            server.shutdown()

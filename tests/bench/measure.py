"""Measures starts, bytes and answers in a real browser, on the page as it is served."""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from pyapp.core.ground.geo import TILE_PX, Footprint, LngLat, box_of, tiles_under
from pyapp.core.model.card import Card
from tests.bench import line
from tests.bench.document import Row, table
from tests.bench.rivals import lay_rivals
from tests.browser.conftest import ROOT, launch, launch_profile
from training.figures import measure as model_files
from training.figures.measure import served, session
from training.networks import network, onnx_file

sys.path.insert(0, str(ROOT / "site"))

from assembly.build import build, compressed

HERE = Path(__file__).resolve().parent
# The browser stores compiled code after the second visit.
WARM_UP = 3
READY = "html[data-ready]"
_TASKS = """
window.longTasks = [];
new PerformanceObserver(list => longTasks.push(...list.getEntries().map(each => each.duration)))
  .observe({type: "longtask", buffered: true});
"""


def measure(rounds: int, clicks: int) -> str:
    """Measure everything but surveys.

    Parameters
    ----------
    rounds : int
        Starts of each kind.
    clicks : int
        Answers of each kind.

    Returns
    -------
    str
        A Markdown table.
    """
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        dist, rivals = Path(work) / "dist", Path(work) / "rivals"
        build(dist)
        lay_rivals(rivals)
        # The weight of rivals is not reported, so theirs need not be compressed with patience.
        with served(dist, compressed(dist)) as page, served(rivals, compressed(rivals, 4)) as other:
            rows = _starts(playwright, page, other, Path(work), rounds)
            rows += line.measure(playwright, dist, Path(work), rounds)
            rows += _bytes(dist)
            rows += _answers(playwright, page, dist, clicks)
        rows += _networks(dist, Path(work))
        with launch(playwright) as browser:
            used = f"headless Chromium {browser.version}"
    return table(rows, "python -m tests.bench", used)


def start(context, address: str, mark: str) -> dict[str, float]:
    """Open a page in a new tab: moments in ms from navigation, CPU of its main thread in ms."""
    tab = context.new_page()
    client = context.new_cdp_session(tab)
    client.send("Performance.enable")
    tab.add_init_script(_TASKS)
    tab.goto(address)
    tab.wait_for_selector(READY, state="attached", timeout=120_000)
    marks = {
        each["name"]: each["startTime"]
        for each in tab.evaluate(
            "performance.getEntriesByType('mark').map(({name, startTime}) => ({name, startTime}))"
        )
    }
    metrics = {m["name"]: m["value"] for m in client.send("Performance.getMetrics")["metrics"]}
    painted = tab.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
    )
    longest = tab.evaluate("Math.max(0, ...longTasks)")
    tab.close()
    return {
        "longest": longest,
        "paint": painted,
        "python": marks.get("lookdown:python", 0.0),
        "interactive": marks[mark],
        "ready": marks.get("lookdown:model", marks[mark]),
        "cpu": 1000 * metrics["TaskDuration"],
    }


def _starts(playwright, page: str, other: str, work: Path, rounds: int) -> list[Row]:
    """Cold and warm starts of the page and of its rivals, taking turns."""
    kinds = {
        "page": (page, "lookdown:interactive"),
        "bare": (other + "stock.html", "bare"),
        "slim": (other + "slim.html", "bare"),
        "pyscript": (other + "pyscript.html", "bare"),
    }
    cold = {kind: [] for kind in kinds}
    warm = {kind: [] for kind in kinds}
    for number in range(rounds):
        for kind, (address, mark) in kinds.items():
            context = launch_profile(playwright, work / f"cold-{number}-{kind}")
            cold[kind].append(start(context, address, mark))
            context.close()
    context = launch_profile(playwright, work / "warm")
    for number in range(WARM_UP + rounds):
        for kind, (address, mark) in kinds.items():
            found = start(context, address, mark)
            if number >= WARM_UP:
                warm[kind].append(found)
    context.close()
    rows = []
    for name, starts in (("cold", cold), ("warm", warm)):
        parts = [f"{part} {_median(starts['page'], part) / 1000:.2f} s"
                 for part in ("paint", "python", "interactive", "ready")]  # fmt: skip
        rows.append((f"start, {name}: first paint, Python, interactive, first answer possible",
                     ", ".join(parts), ""))  # fmt: skip
        for kind, label in (
            ("bare", "bare Pyodide with numpy and Pillow, stock files"),
            ("slim", "bare Pyodide with our slim files"),
            ("pyscript", "PyScript, default configuration, same packages"),
        ):
            ours, theirs = (_median(starts[each], "interactive") for each in ("page", kind))
            rows.append((f"start, {name}, interactive: page / {label}",
                         f"{ours / 1000:.2f} / {theirs / 1000:.2f} s",
                         f"{ours / theirs:.2f}"))  # fmt: skip
        ours, theirs = (_median(starts[each], "cpu") for each in ("page", "pyscript"))
        rows.append((f"start, {name}, main-thread CPU to ready: page / PyScript, default",
                     f"{ours / 1000:.2f} / {theirs / 1000:.2f} s",
                     f"{ours / theirs:.2f}"))  # fmt: skip
        ours, theirs = (_median(starts[each], "longest") for each in ("page", "pyscript"))
        rows.append((f"start, {name}, longest main-thread task: page / PyScript, default",
                     f"{ours:.0f} / {theirs:.0f} ms", f"{ours / theirs:.2f}"))  # fmt: skip
    return rows


def _median(starts: list[dict], part: str) -> float:
    return statistics.median(start[part] for start in starts)


def _bytes(dist: Path) -> list[Row]:
    """Bytes of the application with the default model, and of its parts."""
    listing = json.loads((dist / "files.json").read_text())
    variants = compressed(dist)
    weights = {"br": 0, "gzip": 0, "plain": 0}
    groups = {"runtime/pyodide": 0, "runtime/pyscript": 0, "runtime/ort": 0, "runtime/leaflet": 0,
              "models": 0, "imagery": 0, "our own files": 0}  # fmt: skip
    extra = 0
    # The listing and the service worker are fetched as well.
    facts = {path: each["size"] for path, each in listing.items() if each["part"] != "extra"}
    facts |= {path: (dist / path).stat().st_size for path in ("files.json", "sw.js")}
    for path, plain in facts.items():
        sizes = {name: file.stat().st_size for name, file in variants.get(path, {}).items()}
        weights["plain"] += plain
        weights["br"] += sizes.get("br", plain)
        weights["gzip"] += sizes.get("gzip", plain)
        group = next((each for each in groups if path.startswith(each)), "our own files")
        groups[group] += sizes.get("br", plain)
    for path, each in listing.items():
        if each["part"] == "extra":
            smaller = variants.get(path, {}).get("br")
            extra += smaller.stat().st_size if smaller else each["size"]
    parts = ", ".join(f"{name} {size / 1e6:.2f}" for name, size in groups.items())
    return [
        ("whole application with the default model: brotli / gzip / plain",
         " / ".join(f"{weights[name] / 1e6:.1f}" for name in ("br", "gzip", "plain")) + " MB",
         f"{weights['br'] / weights['plain']:.2f}"),
        ("its parts, brotli, MB", parts, ""),
        ("only when used: runtime for the graphics card, pictures for installing it, brotli",
         f"{extra / 1e6:.1f} MB", ""),
    ]  # fmt: skip


def default_card(dist: Path) -> Card:
    """The card of a built site's default model."""
    name = json.loads((dist / "models/index.json").read_text())["default"]
    return Card.from_json(name, (dist / f"models/{name}/card.json").read_text())


def wait_chosen(tab) -> None:
    """Wait until the page has measured the backends and chosen one."""
    tab.wait_for_selector("#backends label:has-text('ms per square')", state="attached")
    tab.wait_for_selector("#measure:enabled", state="attached")


def threads_of(backend: str) -> int:
    """How many threads a backend has, as the page names it: ``Processor, 3 threads``."""
    number = backend.split(", ")[1].split()[0]
    return 1 if number == "one" else int(number)


def _answers(playwright, page: str, dist: Path, clicks: int) -> list[Row]:
    """Click to label on warm tiles, taking turns with plain JavaScript; and native onnxruntime."""
    card = default_card(dist)
    with tempfile.TemporaryDirectory() as profile:
        context = launch_profile(playwright, Path(profile))
        tab = context.new_page()
        tab.goto(page)
        tab.wait_for_selector(READY, state="attached")
        wait_chosen(tab)
        threads = threads_of(tab.text_content("#backend"))
        job = _plain_job(tab, card) | {"threads": threads}
        tab.evaluate((HERE / "plain.js").read_text(), job)
        for _ in range(5):
            tab.evaluate(CLICK)
            tab.evaluate("plainLoop()")
        ours, plain = [], []
        for _ in range(clicks):
            ours.append(tab.evaluate(CLICK))
            plain.append(tab.evaluate("plainLoop()"))
        context.close()
    native = _native(dist / f"models/{card.name}/model.onnx", card, clicks)
    mine = {part: _median(ours, part) for part in ours[0]}
    theirs = {part: _median(plain, part) for part in plain[0]}
    python = mine["total"] - mine["infer"] - mine["read"]
    rows = [
        ("click to label, warm tiles: page / plain JavaScript, same model and threads",
         f"{mine['total']:.1f} / {theirs['total']:.1f} ms",
         f"{mine['total'] / theirs['total']:.2f}"),
        ("its parts: read, prepare, infer, show",
         ", ".join(f"{mine[part]:.1f}" for part in ("read", "prepare", "infer", "show")) + " ms",
         ""),
        ("Python's own part: all but waiting for tiles and for the runtime",
         f"{python:.1f} ms", f"{python / mine['total']:.2f} of the whole"),
        (f"inference: onnxruntime-web, {threads} thread(s) / native onnxruntime, 1 thread",
         f"{theirs['infer']:.1f} / {native:.1f} ms", f"{theirs['infer'] / native:.1f}"),
    ]  # fmt: skip
    return rows


CLICK = """() => new Promise(resolve => {
  const from = performance.now(), spans = {};
  const watch = new PerformanceObserver(list => {
    for (const {name, startTime, duration} of list.getEntries()) {
      spans[name.replace("lookdown:", "")] = duration;
      if (name === "lookdown:show") {
        watch.disconnect();
        resolve({total: startTime + duration - from, ...spans});
      }
    }
  });
  watch.observe({type: "measure"});
  document.getElementById("classify").click();
})"""


def _plain_job(tab, card: Card) -> dict:
    """What the plain loop needs to cut the same chip as the page."""
    zoom, lat, lng = (float(part) for part in tab.evaluate("location.hash.slice(5)").split("/"))
    zoom = 18
    box = box_of(Footprint(LngLat(lng, lat), card.footprint_m), zoom)
    tiles = [
        {"url": f"imagery/sample/{t.z}/{t.x}/{t.y}.webp", "left": t.x * TILE_PX,
         "top": t.y * TILE_PX}
        for t in tiles_under(box, zoom)
    ]  # fmt: skip
    return {
        "tiles": tiles,
        "box": {"left": box.left, "top": box.top, "width": box.right - box.left},
        "side": card.chip_px,
        "labels": card.labels,
        "model": f"models/{card.name}/model.onnx",
    }


def _native(file: Path, card: Card, runs: int) -> float:
    """Median ms of one chip in native onnxruntime, one thread."""
    running = session(file, threads=1)
    chip = np.zeros((1, card.chip_px, card.chip_px, 3), np.uint8)
    times = []
    for _ in range(runs + 5):
        start = time.perf_counter()
        running.run(None, {"image": chip})
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[5:])


def _networks(dist: Path, work: Path) -> list[Row]:
    """The shipped model against unchanged EfficientNet-Lite0, on one thread of the browser."""
    name = json.loads((dist / "models/index.json").read_text())["default"]
    whole = onnx_file.to_onnx(
        network.pretrained(network.DEFAULT_BACKBONE, 21), 1.0, 224, work / "whole.onnx"
    )
    times = model_files.browser_times(
        {"shipped": dist / f"models/{name}/model.onnx", "whole": whole}
    )
    ours, theirs = times["shipped"].least_ms, times["whole"].least_ms
    return [
        ("inference, onnxruntime-web, 1 thread: shipped model / EfficientNet-Lite0 fp32 at 224 px",
         f"{ours:.1f} / {theirs:.1f} ms", f"{ours / theirs:.2f}")
    ]  # fmt: skip

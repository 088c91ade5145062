"""Measures a survey of thousands of squares: speed, smoothness, memory, and what follows it."""

import base64
import json
import statistics
import tempfile
import time
from pathlib import Path

from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import LngLat, moved
from pyapp.core.ground.grid import plan
from pyapp.core.model.card import Card
from pyapp.core.survey.geojson import to_geojson
from pyapp.core.survey.survey import ImageryFacts, ModelFacts, Survey
from tests.bench.bare_browser import BareBrowser
from tests.bench.document import Row, table
from tests.bench.endurance import resident_mb
from tests.bench.measure import default_card, threads_of
from tests.browser.tile_server import TileServer
from tests.jpeg_tiles import jpeg_tiles
from training.figures.measure import served

HERE = Path(__file__).resolve().parent
ZOOM = 19
LAT, LNG = 27.6333, 85.5217
LIMIT_S = 3600
TASK = "ThreadControllerImpl::RunTask"
TRACED_S = 20
# The bare loop takes a turn after each part, since the speed of a machine changes with time.
PARTS = 4
LONG_TASKS = """
window.longTasks = [];
new PerformanceObserver(list => longTasks.push(...list.getEntries().map(each => each.duration)))
  .observe({type: "longtask"});
"""
# The widest gap between two of 120 frames, in ms.
FRAMES = """
window.widest = new Promise(resolve => {
  let last = performance.now(), widest = 0, frames = 0;
  const step = now => {
    widest = Math.max(widest, now - last);
    last = now;
    if (++frames > 120) resolve(widest); else requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
});
0
"""
BATCH = """
performance.getEntriesByType("mark").findLast(({name}) => name.includes("batch")).name.split(" ")[1]
"""
SAID = "document.getElementById('survey-said').textContent"
DROP = """
(() => {
  const bytes = Uint8Array.from(atob("%s"), each => each.charCodeAt());
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "area.geojson"));
  dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, cancelable: true}));
})()
"""
KEY = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '%s', bubbles: true}))"


class RepeatedTiles(TileServer):
    """The finest tiles of a folder, repeated over the whole world at any zoom.

    Parameters
    ----------
    folder : Path
        What `jpeg_tiles` gives.
    """

    def __init__(self, folder: Path):
        super().__init__(folder)
        finest = max(folder.iterdir(), key=lambda each: int(each.name))
        self._tiles = [file.read_bytes() for file in sorted(finest.rglob("*.jpg"))]
        if not self._tiles:
            raise FileNotFoundError(f"{finest} has no JPEG: take jpeg_tiles().")

    def _answer(self, path: str) -> tuple[int, bytes]:
        _, _, x, y = path.split("/")
        return 200, self._tiles[(31 * int(x) + int(y.split(".")[0])) % len(self._tiles)]


def measure(dist: Path, squares: int) -> str:
    """Survey and measure.

    Parameters
    ----------
    dist : Path
        The built site.
    squares : int
        How many, about.

    Returns
    -------
    str
        A Markdown table.
    """
    with (
        # Chromium may still write into its profile while it ends: no reason to lose a measurement.
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as other,
        served(dist) as address,
        RepeatedTiles(jpeg_tiles()) as tiles,
        BareBrowser(Path(profile)) as browser,
        BareBrowser(Path(other)) as bare,
    ):
        # Any file of the site will do as an empty page.
        bare.goto(f"{address}models/index.json")
        rows = _survey(browser, bare, Path(profile), address, tiles, dist, squares)
        used = f"headless Chromium {browser.ask('Browser.getVersion')['product'].split('/')[1]}"
    return table(rows, "python -m tests.bench survey", used)


def _survey(
    browser, bare, profile: Path, address: str, tiles, dist: Path, squares: int
) -> list[Row]:
    card = default_card(dist)
    browser.goto(f"{address}?imagery={tiles.template}&maxzoom={ZOOM}#map=15/{LAT}/{LNG}")
    browser.wait("document.querySelector('#agree[open]')")
    browser.evaluate("document.querySelector('#agree button[value=yes]').click()")
    # The page measures the backends and chooses one.
    browser.wait("document.getElementById('backends').textContent.includes('ms per square')")
    browser.wait("!document.getElementById('measure').disabled")
    threads = threads_of(browser.evaluate("document.getElementById('backend').textContent"))
    area = empty_survey(card, tiles.template, squares).encode()
    browser.evaluate(DROP % base64.b64encode(area).decode())
    browser.wait("document.getElementById('survey-pause').textContent === 'Resume'")
    time.sleep(3)
    before = resident_mb(profile)
    browser.evaluate(LONG_TASKS + "0")
    panned, loop, took_s = [], [], 0.0
    for part in range(PARTS):
        started = time.monotonic()
        browser.evaluate("document.getElementById('survey-pause').click()")
        if part == 0:
            time.sleep(min(40, squares / 100))
            trace = browser.trace("toplevel", lambda: panned.append(_pan(browser)))
        if part < PARTS - 1:
            until = squares * (part + 1) // PARTS
            browser.wait(f"+{SAID}.split(' ')[0].replace(',', '') > {until}", LIMIT_S)
            browser.evaluate("document.getElementById('survey-pause').click()")
        ended = "squares, done" if part == PARTS - 1 else "paused"
        browser.wait(f"{SAID}.match('{ended}|squares, done')", LIMIT_S)
        took_s += time.monotonic() - started
        batch = int(browser.evaluate(BATCH))
        loop.append(_loop(bare, card, threads, batch))
    after = resident_mb(profile)
    longest = browser.evaluate("longTasks")
    repaint, alike = _repaint(browser), _alike(browser)
    tasks = _tasks(trace)
    quick = sum(each <= 50 for each in tasks) / len(tasks)
    count = int(browser.evaluate(SAID).split()[0].replace(",", ""))
    rate = count / took_s
    return [
        (f"survey of {count:,} squares, squares a second: page / bare JavaScript loop after each "
         f"quarter, batch {batch}, {threads} thread(s)",
         f"{rate:.1f} / {', '.join(f'{each:.1f}' for each in loop)}",
         f"{rate / statistics.mean(loop):.2f}"),
        (f"main-thread tasks of {TRACED_S} s of it, panning meanwhile: 50 ms or less; "
         "99 of 100 take at most; the longest",
         f"{quick:.2%}; {_percentile(tasks, 99):.1f} ms; {max(tasks):.0f} ms", ""),
        ("tasks over 50 ms in the whole survey; the longest",
         f"{len(longest)}; {max(longest, default=0):.0f} ms", ""),
        ("widest gap between frames while panning in it", f"{panned[0]:.0f} ms", ""),
        ("memory of the page's process: before / after", f"{before:.0f} / {after:.0f} MB",
         f"+{after - before:.0f} MB"),
        ("repaint after moving the threshold, median / longest of 20", repaint, ""),
        ("more like this: search of the survey, median / longest of 10", alike, ""),
    ]  # fmt: skip


def empty_survey(card: Card, template: str, squares: int) -> str:
    """A survey of a square area with nothing classified, which the page can continue."""
    side_m = card.footprint_m * squares**0.5
    one = LngLat(LNG, LAT)
    area = rectangle(one, moved(one, side_m, -side_m))
    grid = plan(area, card.footprint_m, 1.0)
    imagery = ImageryFacts("own", "127.0.0.1", template, 0, ZOOM, "127.0.0.1")
    return to_geojson(
        Survey("bench", "bench", "2026-01-01T00:00:00", area, grid, ModelFacts.of(card), imagery)
    )


def _pan(browser) -> float:
    """Drag the map while frames are counted, then wait for the end of the trace."""
    end = time.monotonic() + TRACED_S
    browser.mouse("mousePressed", 640, 700)
    browser.evaluate(FRAMES)
    for step in range(60):
        browser.mouse("mouseMoved", 640 + 4 * step, 700 - 3 * step)
    browser.mouse("mouseReleased", 880, 520)
    widest = browser.evaluate("widest")
    time.sleep(max(0, end - time.monotonic()))
    return widest


def _tasks(events: list[dict]) -> list[float]:
    """Durations in ms of the tasks of the page's main thread."""
    mains = {(each["pid"], each["tid"]) for each in events
             if each.get("name") == "thread_name"
             and each["args"]["name"] == "CrRendererMain"}  # fmt: skip
    by_thread: dict = {}
    for each in events:
        place = each["pid"], each["tid"]
        if place in mains and each.get("ph") == "X" and each["name"] == TASK:
            by_thread.setdefault(place, []).append(each["dur"] / 1000)
    # The page at work is the busiest of all.
    return max(by_thread.values(), key=sum)


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share / 100)]


def _repaint(browser) -> str:
    browser.evaluate("performance.clearMeasures()")
    for number in range(20):
        browser.evaluate(
            "{ const from = document.getElementById('sure-from');"
            f" from.value = {0.2 + 0.03 * number}; from.dispatchEvent(new Event('input')); }} 0"
        )
    return _spans(browser, "lookdown:repaint")


def _alike(browser) -> str:
    browser.evaluate(KEY % "Enter")
    browser.wait("!document.getElementById('result').hidden")
    time.sleep(1)
    browser.evaluate("performance.clearMeasures()")
    for _ in range(10):
        browser.evaluate(KEY % "m")
        browser.wait("!document.getElementById('strip').hidden")
        browser.evaluate(KEY % "m")
        browser.wait("document.getElementById('strip').hidden")
    return _spans(browser, "lookdown:alike")


def _spans(browser, name: str) -> str:
    times = browser.evaluate(f"performance.getEntriesByName('{name}').map(each => each.duration)")
    return f"{statistics.median(times):.1f} / {max(times):.1f} ms"


def _loop(bare, card: Card, threads: int, batch: int) -> float:
    """Squares a second of the bare loop, mean of three as the page's are a mean."""
    job = {"model": f"/models/{card.name}/model.onnx", "side": card.chip_px, "batch": batch,
           "threads": threads, "squares": 120}  # fmt: skip
    script = f"({(HERE / 'batches.js').read_text()})({json.dumps(job)})"
    return statistics.harmonic_mean(bare.evaluate(script) for _ in range(3))

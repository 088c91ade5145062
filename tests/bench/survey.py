"""A survey of thousands of squares: speed, smoothness, memory, and what is done with it after."""

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from pyapp.core.area import rectangle
from pyapp.core.geo import LngLat, moved
from pyapp.core.geojson import to_geojson
from pyapp.core.grid import plan
from pyapp.core.model import Card
from pyapp.core.survey import Imagery, Model, Survey
from tests.browser.conftest import ROOT, launch
from tests.browser.lookdown_page import LookdownPage
from tests.browser.tile_server import TileServer
from training.measure import served

HERE = Path(__file__).resolve().parent
TILES = ROOT.parent / "shared" / "data" / "tiles" / "town"
ZOOM = 19
LAT, LNG = 27.6333, 85.5217
LIMIT_MS = 3_600_000
TASK = "ThreadControllerImpl::RunTask"
TRACED_S = 20
LONG_TASKS = """
window.longTasks = [];
new PerformanceObserver(list => longTasks.push(...list.getEntries().map(each => each.duration)))
  .observe({type: "longtask"});
"""
# The widest gap between two frames while the map is panned, in ms.
PANNED = """() => new Promise(resolve => {
  let last = performance.now(), widest = 0, frames = 0;
  const step = now => {
    widest = Math.max(widest, now - last);
    last = now;
    if (++frames > 120) resolve(widest); else requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""


class RepeatedTiles(TileServer):
    """Tiles of the town at its finest zoom, laid again and again over the whole world."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        files = (each for each in sorted((folder / str(ZOOM)).rglob("*.jpg")))
        # Tiles that are nearly empty weigh little, and would not be classified.
        self._tiles = [file.read_bytes() for file in files if file.stat().st_size > 10_000]

    def _answer(self, path: str) -> tuple[int, bytes]:
        _, _, x, y = path.split("/")
        return 200, self._tiles[(31 * int(x) + int(y.split(".")[0])) % len(self._tiles)]


def measure(dist: Path, squares: int) -> str:
    """Survey so many squares and give a Markdown table.

    Parameters
    ----------
    dist : Path
        The built site.
    squares : int
    """
    with served(dist) as address, RepeatedTiles(TILES) as tiles, sync_playwright() as playwright:
        browser = launch(playwright)
        rows = _survey(browser, address, tiles, dist, squares)
        browser.close()
    head = [("what", "measured", "ratio"), ("---", "---", "---")]
    lines = [f"| {' | '.join(row)} |" for row in [*head, *rows]]
    machine = f"{os.cpu_count()} cores, headless Chromium, {time.strftime('%Y-%m-%d')}"
    return "\n".join(lines) + f"\n\nOne run of `python -m tests.bench survey` ({machine}).\n"


def _survey(browser, address: str, tiles: TileServer, dist: Path, squares: int) -> list[tuple]:
    name = json.loads((dist / "models/index.json").read_text())["default"]
    card = Card.from_json(name, (dist / f"models/{name}/card.json").read_text())
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    page = LookdownPage(tab, address)
    page.open(f"?imagery={tiles.template}&maxzoom={ZOOM}#map=15/{LAT}/{LNG}")
    tab.click("#agree button[value=yes]")
    tab.wait_for_selector("#ways label:has-text('ms a square')", state="attached")
    tab.wait_for_selector("#measure:enabled", state="attached")
    threads = 1 if "one" in tab.text_content("#way") else os.cpu_count()
    page.drop("area.geojson", _empty_survey(card, tiles.template, squares).encode())
    page.tab.wait_for_selector("#survey-pause:has-text('Go on')")
    before = _renderer_mb()
    tab.evaluate(LONG_TASKS)
    started = time.monotonic()
    tab.click("#survey-pause")
    tab.wait_for_timeout(1000 * min(40, squares / 100))
    browser.start_tracing(page=tab, categories=["toplevel"])
    panned = _pan(tab)
    tab.wait_for_timeout(1000 * min(TRACED_S, squares / 100))
    trace = json.loads(browser.stop_tracing())
    tab.set_default_timeout(LIMIT_MS)
    page.wait_survey()
    took_s = time.monotonic() - started
    tab.set_default_timeout(60_000)
    tab.wait_for_timeout(2000)
    after = _renderer_mb()
    longest = tab.evaluate("longTasks")
    batch = int(tab.evaluate(
        "performance.getEntriesByType('mark').findLast(each => each.name.includes('batch'))"
        ".name.split(' ')[1]"
    ))  # fmt: skip
    named = sum(cells for cells, _ in page.legend().values())
    repaint = _repaint(tab)
    alike = _alike(page)
    loop = _loop(browser, address, card, batch, threads)
    tasks = _tasks(trace)
    quick = sum(each <= 50 for each in tasks) / len(tasks)
    count = int(page.survey_said().split()[0].replace(",", ""))
    rate = count / took_s
    assert page.crashes == []
    return [
        (f"survey of {count:,} squares ({named:,} named), squares a second: page / bare "
         f"JavaScript loop, batch {batch}, {threads} thread(s)",
         f"{rate:.1f} / {loop:.1f}", f"{rate / loop:.2f}"),
        (f"main-thread tasks of {TRACED_S} s of it, panning meanwhile: 50 ms or less / all; "
         "99 of 100 take at most; the longest",
         f"{quick:.2%}; {_percentile(tasks, 99):.1f} ms; {max(tasks):.0f} ms", ""),
        ("tasks over 50 ms in the whole survey; the longest",
         f"{len(longest)}; {max(longest, default=0):.0f} ms", ""),
        ("widest gap between frames while panning in it", f"{panned:.0f} ms", ""),
        ("memory of the page's process: before / after", f"{before:.0f} / {after:.0f} MB",
         f"+{after - before:.0f} MB"),
        ("repaint after moving the threshold, median / longest of 20", repaint, ""),
        ("more like this: search of the survey, median / longest of 10", alike, ""),
    ]  # fmt: skip


def _empty_survey(card: Card, template: str, squares: int) -> str:
    """A survey of a square area with nothing named, which the page can go on with."""
    side_m = card.footprint_m * squares**0.5
    one = LngLat(LNG, LAT)
    area = rectangle(one, moved(one, side_m, -side_m))
    grid = plan(area, card.footprint_m, 1.0)
    imagery = Imagery("own", "127.0.0.1", template, 0, ZOOM, "127.0.0.1")
    return to_geojson(
        Survey("bench", "bench", "2026-01-01T00:00:00", area, grid, Model.of(card), imagery)
    )


def _pan(tab) -> float:
    tab.mouse.move(640, 700)
    tab.mouse.down()
    tab.evaluate(f"() => {{ window.panned = ({PANNED})(); }}")
    for step in range(60):
        tab.mouse.move(640 + 4 * step, 700 - 3 * step)
    tab.mouse.up()
    return tab.evaluate("panned")


def _tasks(trace: dict) -> list[float]:
    """Durations in ms of the tasks of the page's main thread."""
    events = trace["traceEvents"]
    mains = {(each["pid"], each["tid"]) for each in events
             if each.get("name") == "thread_name"
             and each["args"]["name"] == "CrRendererMain"}  # fmt: skip
    by_thread: dict = {}
    for each in events:
        place = each["pid"], each["tid"]
        if place in mains and each.get("ph") == "X" and each["name"] == TASK:
            by_thread.setdefault(place, []).append(each["dur"] / 1000)
    # The page that works has more to do than any other.
    return max(by_thread.values(), key=sum)


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share / 100)]


def _repaint(tab) -> str:
    tab.evaluate("performance.clearMeasures()")
    for number in range(20):
        tab.fill("#sure-from", f"{0.2 + 0.03 * number:.2f}")
    return _spans(tab, "lookdown:repaint")


def _alike(page: LookdownPage) -> str:
    tab = page.tab
    tab.evaluate("performance.clearMeasures()")
    tab.keyboard.press("Enter")
    page.wait_answer()
    for _ in range(10):
        tab.keyboard.press("m")
        tab.wait_for_selector("#strip:not([hidden])")
        tab.keyboard.press("m")
        tab.wait_for_selector("#strip", state="hidden")
    return _spans(tab, "lookdown:alike")


def _spans(tab, name: str) -> str:
    times = tab.evaluate("n => performance.getEntriesByName(n).map(each => each.duration)", name)
    return f"{statistics.median(times):.1f} / {max(times):.1f} ms"


def _loop(browser, address: str, card: Card, batch: int, threads: int) -> float:
    """Squares a second of the bare loop, the best of three."""
    tab = browser.new_page()
    job = {"model": f"models/{card.name}/model.onnx", "side": card.chip_px, "batch": batch,
           "threads": threads, "squares": 20 * batch if batch > 4 else 120}  # fmt: skip
    tab.goto(address)
    tab.wait_for_selector("html[data-ready]", state="attached")
    rates = [tab.evaluate((HERE / "batches.js").read_text(), job) for _ in range(3)]
    tab.close()
    return max(rates)


def _renderer_mb() -> float:
    """Resident memory of the largest renderer that runs."""
    listing = subprocess.check_output(["ps", "-eo", "rss,args"], text=True).splitlines()
    return max(int(line.split()[0]) / 1024 for line in listing if "--type=renderer" in line)

"""Classifies thousands of squares in one visit and observes the memory of the page."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pyapp.core.ground.geo import TILE_PX, Pixel, place_at
from pyapp.core.imagery.source import sources_from_json
from tests.__main__ import ROOT
from tests.bench.bare_browser import BareBrowser
from tests.bench.document import Row, table
from training.figures.measure import served

sys.path.insert(0, str(ROOT / "site"))

from assembly.build import compressed

SETTLED = 1000
STEP = 500
# So many classifications are one call, which a busy machine too does within the limit.
CALL = 100
LIMIT_S = 600
HEAD = ("what", "measured", "growth")
FAILURES = """
window.failures = [];
addEventListener("error", ({message}) => failures.push(message));
addEventListener("unhandledrejection", ({reason}) => failures.push(String(reason)));
0
"""
# Each answer is for another square: the map moves, and the square follows it.
CLASSIFY = """([places, count]) => new Promise(resolve => {
  const button = document.getElementById("classify");
  const next = () => {
    if (!count--) { watch.disconnect(); performance.clearMeasures(); resolve(); return; }
    location.hash = "#map=19/" + places[count % places.length];
    setTimeout(() => button.click(), 20);
  };
  const watch = new PerformanceObserver(list => {
    if (list.getEntriesByName("lookdown:show").length) next();
  });
  watch.observe({type: "measure"});
  next();
})"""


def covered_places(dist: Path) -> list[str]:
    """``lat/lng`` of the centre of every built-in tile with all eight neighbours."""
    source = sources_from_json((dist / "imagery/sources.json").read_text())[0]
    zoom, around = source.max_zoom, (-1, 0, 1)
    tiles = source.coverage[zoom]
    inner = [
        (x, y)
        for x, y in sorted(tiles)
        if all((x + right, y + down) in tiles for right in around for down in around)
    ]
    middles = [place_at(Pixel((x + 0.5) * TILE_PX, (y + 0.5) * TILE_PX), zoom) for x, y in inner]
    return [f"{place.lat:.6f}/{place.lng:.6f}" for place in middles]


def measure(dist: Path, work: Path, count: int) -> str:
    """Classify and measure.

    Nothing listens to the network: Playwright does, so the page's process would keep the bodies of
    responses.

    Parameters
    ----------
    dist : Path
        The built site.
    work : Path
        An empty folder.
    count : int
        Squares, more than `SETTLED`.

    Returns
    -------
    str
        A Markdown table with the memory after the first thousand and at the end.
    """
    profile = work / "endurance"
    with served(dist, compressed(dist)) as address, BareBrowser(profile) as browser:
        browser.goto(address)
        browser.wait("document.querySelector('html[data-whole]')")
        browser.wait("!document.getElementById('measure').disabled")
        browser.evaluate(FAILURES)
        browser.evaluate("document.getElementById('follow').checked || follow.click(), 0")
        places = json.dumps(covered_places(dist))
        sizes = {}
        for done in range(CALL, count + 1, CALL):
            browser.evaluate(f"({CLASSIFY})([{places}, {CALL}])", LIMIT_S)
            if done % STEP == 0 or done == count:
                sizes[done] = _size(browser, profile)
                print(f"{done}: {sizes[done][0]:.0f} MB, {sizes[done][1]:.1f} MB", flush=True)
        failures = browser.evaluate("failures")
        assert failures == [], failures
        used = f"headless Chromium {browser.ask('Browser.getVersion')['product'].split('/')[1]}"
    return table(_rows(sizes), "python -m tests.bench endurance", used, HEAD)


def _size(browser: BareBrowser, profile: Path) -> tuple[float, float]:
    """Resident memory of the page's process and its heap of JavaScript, in MB, nothing unused."""
    browser.page("HeapProfiler.collectGarbage")
    heap = browser.page("Runtime.getHeapUsage")["usedSize"] / 1e6
    return resident_mb(profile), heap


def _rows(sizes: Mapping[int, tuple[float, float]]) -> list[Row]:
    """What the memory was after so many classifications, and how it grew.

    Parameters
    ----------
    sizes : mapping of int to (float, float)
        Classifications to resident memory and heap, in MB.
    """
    last = max(sizes)
    settled = SETTLED if SETTLED in sizes else min(sizes)
    names = ("memory of the page's process", "its heap of JavaScript")
    return [
        (f"{last:,} classifications in one visit, {name}: after {settled:,} / at the end",
         f"{before:.0f} / {after:.0f} MB", f"{after - before:+.1f} MB")
        for name, before, after in zip(names, sizes[settled], sizes[last], strict=True)
    ]  # fmt: skip


def resident_mb(profile: Path) -> float:
    """Resident memory of the largest renderer of the browser that uses a profile."""
    listing = subprocess.check_output(["ps", "-eo", "rss,args"], text=True).splitlines()
    ours = [line.split(None, 1) for line in listing if str(profile) in line and "renderer" in line]
    return max((int(size) / 1024 for size, _ in ours), default=0.0)

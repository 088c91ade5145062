"""Classifies thousands of squares in one visit and observes the memory of the page."""

import subprocess
from pathlib import Path

from playwright.sync_api import sync_playwright

from pyapp.core.ground.geo import TILE_PX, Pixel, place_at
from pyapp.core.imagery.source import sources_from_json
from tests.browser.conftest import launch_profile
from tests.browser.lookdown_page import LookdownPage
from training.figures.measure import served

SETTLED = 1000
STEP = 500
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

    Parameters
    ----------
    dist : Path
        The built site.
    work : Path
        An empty folder.
    count : int
        Squares.

    Returns
    -------
    str
        A sentence with the memory after the first thousand and at the end.
    """
    with served(dist) as address, sync_playwright() as playwright:
        profile = work / "endurance"
        context = launch_profile(playwright, profile)
        page = LookdownPage(context.new_page(), address)
        page.open()
        places = covered_places(dist)
        page.tab.set_default_timeout(600_000)
        page.tab.check("#follow")
        client = context.new_cdp_session(page.tab)
        sizes = {}
        for done in range(STEP, count + 1, STEP):
            page.tab.evaluate(CLASSIFY, [places, STEP])
            client.send("HeapProfiler.collectGarbage")
            heap = client.send("Runtime.getHeapUsage")["usedSize"]
            sizes[done] = (resident_mb(profile), heap / 1e6)
            print(
                f"{done}: renderer {sizes[done][0]:.0f} MB, heap {sizes[done][1]:.1f} MB",
                flush=True,
            )
        assert page.crashes == []
        context.close()
    settled, last = sizes[min(SETTLED, max(sizes))], sizes[max(sizes)]
    return (
        f"{count} classifications in one visit: memory of the page's process {settled[0]:.0f} MB "
        f"after {SETTLED}, {last[0]:.0f} MB at the end; JavaScript heap {settled[1]:.1f} and "
        f"{last[1]:.1f} MB."
    )


def resident_mb(profile: Path) -> float:
    """Resident memory of the largest renderer of the browser that uses a profile."""
    listing = subprocess.check_output(["ps", "-eo", "rss,args"], text=True).splitlines()
    ours = [line.split(None, 1) for line in listing if str(profile) in line and "renderer" in line]
    return max((int(size) / 1024 for size, _ in ours), default=0.0)

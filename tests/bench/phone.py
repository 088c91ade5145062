"""Measures the page on a phone: 360 px wide, touch, and a processor 4 and 6 times as slow.

Chromium's throttling slows the main thread of the page, that is Python, Leaflet, layout and events.
It does not slow workers, so the model runs as fast as on this machine, nor what other processes do:
network, decoding of pictures on the map, the drawing of what was laid out. A loop is timed on both
threads to show it.
"""

import statistics
import time
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import sync_playwright

from tests.bench.document import Row, table
from tests.bench.measure import CLICK, WARM_UP, default_card, wait_chosen
from tests.bench.survey import LAT, LNG, ZOOM, RepeatedTiles, empty_survey
from tests.browser.conftest import launch_profile
from tests.browser.lookdown_page import LookdownPage
from tests.jpeg_tiles import jpeg_tiles
from training.figures.measure import served

RATES = (4, 6)
SQUARES = 400
LOOPS = 5
SCREEN = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True,
          "device_scale_factor": 2}  # fmt: skip
PATIENCE_MS = 180_000
# What the page may still do once it can answer: build panels, keep itself, compare backends.
SETTLE_S = 5
SURVEYED = "document.getElementById('survey-said').textContent.includes('squares, done')"
TASKS = """
window.longTasks = [];
new PerformanceObserver(list => longTasks.push(
  ...list.getEntries().map(({startTime, duration}) => [startTime, duration])
)).observe({type: "longtask", buffered: true});
"""
# The gaps between frames in ms, until `stopFrames()` gives them.
FRAMES = """
(() => {
  const gaps = [];
  let last = performance.now(), goes = true;
  const step = now => { gaps.push(now - last); last = now; if (goes) requestAnimationFrame(step); };
  requestAnimationFrame(step);
  window.stopFrames = () => { goes = false; return gaps.slice(1); };
})();
0
"""
LOOP = """
const loop = () => {
  const from = performance.now();
  let sum = 0;
  for (let n = 0; n < 5e7; n++) sum += n % 7;
  return performance.now() - from + 0 * sum;
};
"""
IN_WORKER = """() => new Promise(resolve => {
  const source = LOOP + "postMessage(loop())";
  const worker = new Worker(URL.createObjectURL(new Blob([source])));
  worker.onmessage = ({data}) => { worker.terminate(); resolve(data); };
})""".replace("LOOP", repr(LOOP))


class Start(NamedTuple):
    """One start: moments in ms from navigation, and the longest tasks in ms."""

    interactive: float
    ready: float
    longest_before: float
    longest_after: float


def measure(dist: Path, work: Path, rounds: int, clicks: int) -> str:
    """Measure starts, answers, a survey and scrolling; a table in Markdown.

    Parameters
    ----------
    dist : Path
        The built site.
    work : Path
        An empty folder.
    rounds, clicks : int
        Starts of each kind, and answers.
    """
    with (
        served(dist) as address,
        RepeatedTiles(jpeg_tiles()) as tiles,
        sync_playwright() as playwright,
    ):
        columns = []
        for rate in RATES:
            phone = Phone(playwright, address, work / str(rate), rate)
            found = phone.starts(rounds)
            survey = empty_survey(default_card(dist), tiles.template, SQUARES).encode()
            columns.append(found | phone.visit(tiles.template, survey, clicks))
        version = phone.version
    rows: list[Row] = [(name, *(each[name] for each in columns)) for name in columns[0]]
    head = ("what", *(f"{rate} times as slow" for rate in RATES))
    return table(rows, "python -m tests.bench phone", f"headless Chromium {version}", head)


class Phone:
    """A browser like that of a phone, on one profile, with a slow main thread.

    Parameters
    ----------
    playwright
        A running Playwright.
    address : str
        Of the page.
    work : Path
        A folder for profiles.
    rate : int
        How many times as slow.
    """

    def __init__(self, playwright, address: str, work: Path, rate: int):
        self._playwright = playwright
        self._address = address
        self._work = work
        self._rate = rate
        self.version = ""

    def starts(self, rounds: int) -> dict[str, str]:
        """Cold and warm starts: what is measured, and the result."""
        cold = []
        for number in range(rounds):
            context = self._open(f"cold-{number}")
            cold.append(self._start(context))
            context.close()
        context = self._open("warm")
        warm = [self._start(context) for _ in range(WARM_UP + rounds)][WARM_UP:]
        context.close()
        found = {}
        for name, starts in (("cold", cold), ("warm", warm)):
            middle = Start(*map(statistics.median, zip(*starts, strict=True)))
            found |= {
                f"start, {name}: interactive, first answer possible":
                    f"{middle.interactive / 1000:.2f}, {middle.ready / 1000:.2f} s",
                f"start, {name}, longest main-thread task until then: median":
                    f"{middle.longest_before:.0f} ms",
                f"start, {name}, longest main-thread task after that: median, longest of {rounds}":
                    f"{middle.longest_after:.0f}, {max(s.longest_after for s in starts):.0f} ms",
            }  # fmt: skip
        return found

    def visit(self, template: str, survey: bytes, clicks: int) -> dict[str, str]:
        """One visit: answers, scrolling, a survey; what is measured, and the result."""
        context = self._open("visit")
        page = self._page(context)
        tab = page.tab
        page.open(f"?imagery={template}&maxzoom={ZOOM}#map=18/{LAT}/{LNG}")
        tab.tap("#agree button[value=yes]")
        page.wait_whole()
        wait_chosen(tab)
        time.sleep(SETTLE_S)
        found = self._threads(tab)
        for _ in range(5):
            tab.evaluate(CLICK)
        self._forget(tab)
        answers = [tab.evaluate(CLICK) for _ in range(clicks)]
        totals = [each["total"] for each in answers]
        found["click to label, warm tiles: median, longest"] = (
            f"{statistics.median(totals):.0f}, {max(totals):.0f} ms"
        )
        found["of it, waiting for the model"] = (
            f"{statistics.median(each['infer'] for each in answers):.0f} ms"
        )
        found["longest main-thread task of these clicks"] = self._longest(tab)
        found["scrolling the panel, gaps between frames: median, longest"] = self._scroll(tab)
        found["longest main-thread task of scrolling"] = self._longest(tab)
        found |= self._survey(page, survey)
        assert page.crashes == [], page.crashes
        context.close()
        return found

    def _survey(self, page: LookdownPage, survey: bytes) -> dict[str, str]:
        """A survey while the panel is scrolled, and one while nothing is touched."""
        tab = page.tab
        page.drop("area.geojson", survey)
        tab.wait_for_function("document.getElementById('survey-pause').textContent === 'Resume'")
        time.sleep(1)
        opened = self._longest(tab)
        tab.evaluate("document.getElementById('survey-pause').click()")
        started = time.monotonic()
        gaps = self._scroll(tab)
        tab.wait_for_function(SURVEYED)
        took_s = time.monotonic() - started
        count = int(page.survey_said().split()[0].replace(",", ""))
        return {
            "longest main-thread task of opening a survey": opened,
            f"survey of {count} squares, squares a second": f"{count / took_s:.1f}",
            "scrolling the panel in it, gaps between frames: median, longest": gaps,
            "longest main-thread task of the survey": self._longest(tab),
        }

    def _open(self, profile: str):
        context = launch_profile(self._playwright, self._work / profile, **SCREEN)
        self.version = context.browser.version if context.browser else self.version
        return context

    def _page(self, context) -> LookdownPage:
        page = LookdownPage(context.new_page(), self._address)
        page.tab.set_default_timeout(PATIENCE_MS)
        page.tab.add_init_script(TASKS)
        self._client = context.new_cdp_session(page.tab)
        self._client.send("Emulation.setCPUThrottlingRate", {"rate": self._rate})
        return page

    def _start(self, context) -> Start:
        page = self._page(context)
        page.open()
        page.wait_whole()
        page.wait_kept()
        time.sleep(SETTLE_S)
        interactive, ready = (
            page.tab.evaluate(f"performance.getEntriesByName('lookdown:{name}')[0].startTime")
            for name in ("interactive", "model")
        )
        tasks = page.tab.evaluate("longTasks")
        page.tab.close()
        before = [ms for start, ms in tasks if start < ready]
        after = [ms for start, ms in tasks if start >= ready]
        return Start(interactive, ready, max(before, default=0), max(after, default=0))

    def _threads(self, tab) -> dict[str, str]:
        """How much slower both threads are than without throttling."""
        scripts = f"() => {{ {LOOP} return loop(); }}", IN_WORKER
        # The least of several, since anything else on the machine only adds to it.
        took = {rate: [float("inf")] * len(scripts) for rate in (1, self._rate)}
        for rate in (1, self._rate) * LOOPS:
            self._client.send("Emulation.setCPUThrottlingRate", {"rate": rate})
            took[rate] = [
                min(ms, tab.evaluate(each)) for ms, each in zip(took[rate], scripts, strict=True)
            ]
        pairs = zip(took[self._rate], took[1], strict=True)
        main, worker = (slow / quick for slow, quick in pairs)
        return {"a loop of JavaScript, times as long: main thread, worker":
                f"{main:.1f}, {worker:.1f}"}  # fmt: skip

    def _scroll(self, tab) -> str:
        """Scroll the panel by touch, up and down; the gaps between frames meanwhile."""
        box = tab.locator("#panel").bounding_box()
        middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        tab.evaluate(FRAMES)
        for distance in (-300, 300, -300, 300):
            self._client.send(
                "Input.synthesizeScrollGesture",
                middle | {"yDistance": distance, "speed": 600, "gestureSourceType": "touch"},
            )
        gaps = tab.evaluate("stopFrames()")
        return f"{statistics.median(gaps):.0f}, {max(gaps):.0f} ms"

    def _longest(self, tab) -> str:
        """The longest task since it was asked last."""
        longest = tab.evaluate("Math.max(0, ...longTasks.map(each => each[1]))")
        self._forget(tab)
        return f"{longest:.0f} ms" if longest else "under 50 ms"

    def _forget(self, tab) -> None:
        tab.evaluate("longTasks.length = 0")

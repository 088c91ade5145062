"""What a person does on the page, and what they see there."""

import base64
import io
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from pyapp.core.ground.geo import Footprint, LngLat

PATIENCE_MS = 60_000


class Shown(NamedTuple):
    """The answer as the page shows it."""

    label: str
    text: str
    best: list[tuple[str, float]]
    footprint: Footprint | None
    chip: np.ndarray
    facts: dict[str, str]


class LookdownPage:
    """The page in one tab."""

    def __init__(self, tab, site: str):
        self.tab = tab
        self.site = site
        self.asked: list[str] = []
        self.crashes: list[str] = []
        # A page that is kept from starting may fail as often and as late as it likes.
        self.may_crash = False
        tab.set_default_timeout(PATIENCE_MS)
        tab.on("pageerror", lambda error: self.crashes.append(str(error)))
        tab.on("request", lambda request: self.asked.append(request.url))

    def open(self, address: str = "", ready: bool = True) -> None:
        """Load the page and, as a rule, wait until it can classify."""
        self.tab.goto(self.site + address)
        if ready:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until the page can classify."""
        self.tab.wait_for_selector("html[data-ready]", state="attached")

    def elsewhere(self, browser) -> "LookdownPage":
        """The page on another device, which has kept it and is without a network."""
        device = browser.new_context(viewport={"width": 1280, "height": 800})
        there = LookdownPage(device.new_page(), self.site)
        there.open()
        there.wait_kept()
        device.set_offline(True)
        there.tab.reload()
        there.wait_ready()
        return there

    def wait_whole(self) -> None:
        """Wait until the page has built all its panels."""
        self.tab.wait_for_selector("html[data-whole]", state="attached")

    def wait_map(self) -> None:
        """Wait until the map can be used."""
        self.tab.wait_for_selector("#start", state="detached")

    def wait_kept(self) -> None:
        """Wait until the application is kept on the device."""
        self.tab.wait_for_selector("#kept[data-kept=complete]", state="attached")

    def wait_tiles(self, origin: str = "") -> None:
        """Wait until no tile of the map is on its way, and all are from one server."""
        self.tab.wait_for_function(
            "origin => (all => all.length && all.every("
            "tile => tile.complete && tile.src.startsWith(origin)))"
            "([...document.querySelectorAll('.leaflet-tile')])",
            arg=origin,
        )

    def classify(self) -> Shown:
        """Press Classify, wait for the answer, and read it."""
        before = self._span_count()
        self.tab.click("#classify")
        self.wait_answer(before)
        return self.shown()

    def _span_count(self) -> int:
        return self.tab.evaluate("performance.getEntriesByName('lookdown:show').length")

    def wait_answer(self, before: int = 0) -> None:
        """Wait until there's one more answer than ``before``."""
        self.tab.wait_for_function(
            "n => performance.getEntriesByName('lookdown:show').length > n", arg=before
        )

    def shown(self) -> Shown:
        """Read the answer that stands on the page."""
        text = self.tab.inner_text("#said")
        best = [
            (row.query_selector("span").inner_text(),
             float(row.query_selector("data").get_attribute("value")))
            for row in self.tab.query_selector_all("#best li:not([hidden])")
        ]  # fmt: skip
        names = self.tab.locator("#facts dt").all_inner_texts()
        values = self.tab.locator("#facts dd").all_inner_texts()
        place = self.tab.get_attribute("#facts data", "value")
        footprint = None
        if place:
            lat, lng, side_m = map(float, place.split(","))
            footprint = Footprint(LngLat(lng, lat), side_m)
        return Shown(
            label=self.tab.text_content("#said .label"),
            text=text,
            best=best,
            footprint=footprint,
            chip=self.chip(),
            facts=dict(zip(names, values, strict=True)),
        )

    def chip(self) -> np.ndarray:
        """The pixels of the thumbnail, uint8 [S, S, 3]."""
        url = self.tab.evaluate("document.getElementById('chip').toDataURL('image/png')")
        picture = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
        return np.asarray(picture.convert("RGB"))

    def drop(self, name: str, data: bytes) -> None:
        """Drop a file on the page."""
        self.drop_all({name: data})

    def drop_all(self, files: dict[str, bytes]) -> None:
        """Drop several files on the page at once."""
        self.tab.evaluate(
            """async (files) => {
              const transfer = new DataTransfer();
              for (const [name, encoded] of files) {
                const bytes = Uint8Array.from(atob(encoded), each => each.charCodeAt());
                transfer.items.add(new File([bytes], name));
              }
              dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, cancelable: true}));
            }""",
            [[name, base64.b64encode(data).decode()] for name, data in files.items()],
        )

    def square_box(self) -> dict:
        """Where the square is on the screen: x, y, width, height in CSS pixels."""
        return self.tab.locator("#square").bounding_box()

    def map_middle(self) -> tuple[float, float]:
        """The middle of the map on the screen, in CSS pixels."""
        box = self.tab.locator("#map").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag_square(self, right: float, down: float) -> None:
        """Take the square by its middle and pull it."""
        box = self.square_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.tab.mouse.move(x, y)
        self.tab.mouse.down()
        for step in (0.3, 0.7, 1.0):
            self.tab.mouse.move(x + right * step, y + down * step)
        self.tab.mouse.up()

    def notice(self) -> str:
        """The message that stands on the page; empty where there is none."""
        return self.tab.inner_text("#notice p") if self.tab.is_visible("#notice") else ""

    def wait_notice(self, part: str = "") -> str:
        """Wait for a message, one that contains ``part``, and read it."""
        self.tab.locator("#notice:not([hidden]) p", has_text=part).wait_for()
        return self.notice()

    # Surveys

    def survey_view(self, step: str = "1", start: bool = True) -> None:
        """Survey what the map shows, and wait until that is done."""
        self.open_survey_panel()
        self.tab.select_option("#step", step)
        self.tab.click("#area-view")
        if start:
            self.start_survey()
            self.wait_survey()

    def open_survey_panel(self) -> None:
        """Open the panel, once the page has built it."""
        self.wait_whole()
        if not self.tab.evaluate("document.getElementById('survey').open"):
            self.tab.click("#survey summary")

    def start_survey(self) -> None:
        """Press Survey, as soon as that can be done."""
        self.tab.wait_for_selector("#survey-start:enabled")
        self.tab.click("#survey-start")

    def wait_survey(self) -> None:
        """Wait until every square was looked at."""
        self.tab.wait_for_function(
            "document.getElementById('survey-said').textContent.includes('squares, done')"
        )

    def survey_said(self) -> str:
        """What the page says of the progress."""
        return self.tab.text_content("#survey-said")

    def legend(self, rows: str = "tr") -> dict[str, tuple[int, float]]:
        """Squares and hectares of each class, and of each group with what is inside it."""
        found = {}
        for row in self.tab.locator(f"#legend tbody {rows}").all():
            name = row.locator("label > span:last-child").evaluate("e => e.firstChild.textContent")
            _, cells, hectares = row.locator("td").all_text_contents()[:3]
            found[name] = int(cells.replace(",", "")), float(hectares.replace(",", ""))
        return found

    def legend_total(self) -> tuple[int, float]:
        """Squares and hectares of all that has an answer, or none that is sure."""
        rows = self.legend("tr.depth-0").values()
        return sum(cells for cells, _ in rows), sum(hectares for _, hectares in rows)

    def save_survey(self, kind: str) -> bytes:
        """Press a button that saves the survey; the file."""
        with self.tab.expect_download() as download:
            self.tab.click(f"#save-{kind}")
        return Path(download.value.path()).read_bytes()

    def features(self) -> list[dict]:
        """The survey on the map, as it is saved."""
        return json.loads(self.save_survey("geojson"))["features"]

    def click_on_survey(self, right: float, down: float) -> None:
        """Click the survey on the map, at shares of its width and height."""
        x, y = self.tab.evaluate(
            """async ([right, down]) => {
              const picture = document.querySelector(".survey-picture").getBoundingClientRect();
              return [picture.left + right * picture.width, picture.top + down * picture.height];
            }""",
            [right, down],
        )
        self.tab.mouse.click(x, y)

    # Teaching

    def open_teach_room(self) -> None:
        """Open the room, once the page has built it."""
        self.wait_whole()
        if not self.tab.evaluate("document.getElementById('teach').open"):
            self.tab.click("#teach summary >> nth=0")

    def name_classes(self, *names: str) -> None:
        """Name classes."""
        for name in names:
            before = self.tab.locator("#class-list li").count()
            self.tab.fill("#class-name", name)
            self.tab.press("#class-name", "Enter")
            self.tab.wait_for_function(
                "n => document.querySelectorAll('#class-list li').length > n", arg=before
            )
        self.tab.evaluate("document.activeElement.blur()")

    def counts(self) -> dict[str, int]:
        """Examples of each class."""
        names = self.tab.locator("#class-list .give > span:last-child").all_inner_texts()
        counts = self.tab.locator("#class-list .count").all_inner_texts()
        return dict(zip(names, map(int, counts), strict=True))

    def wait_examples(self, count: int) -> None:
        """Wait until there are so many examples in all."""
        self.tab.wait_for_function(
            "n => [...document.querySelectorAll('#class-list .count')]"
            ".reduce((sum, each) => sum + Number(each.textContent), 0) === n",
            arg=count,
        )

    def give(self, key: int, right: float, down: float) -> None:
        """Click the map, so far from its middle, to give the square there the class of a key."""
        before = sum(self.counts().values())
        self.tab.check("#teach-click")
        self.tab.keyboard.press(str(key))
        x, y = self.map_middle()
        self.tab.mouse.click(x + right, y + down)
        self.wait_examples(before + 1)

    def wait_learned(self) -> None:
        """Wait until nothing is learned any more."""
        self.tab.wait_for_function("document.getElementById('teach-doing').textContent === ''")

    def save_by(self, button: str) -> bytes:
        """Press a button that saves a file; the file."""
        with self.tab.expect_download() as download:
            self.tab.click(button)
        return Path(download.value.path()).read_bytes()

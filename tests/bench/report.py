"""How long a report of a large survey takes in the browser, and how large it is.

A survey of 10,000 squares, answered at random and judged on 100 of them, is dropped on the page,
over imagery that repeats the built-in tiles at every zoom. Its report is saved several times, then
opened from the disk.
"""

import statistics
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from pyapp.core.accuracy.check import CLASSES, OTHER, begin, map_answers
from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import LngLat, moved
from pyapp.core.ground.grid import plan
from pyapp.core.model.card import Card
from pyapp.core.state import CellState
from pyapp.core.survey.batch import Batch
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from pyapp.core.survey.geojson import to_geojson
from pyapp.core.survey.survey import Survey
from tests.bench.measure import default_card
from tests.bench.survey import RepeatedTiles
from tests.browser.conftest import chromium_path
from tests.browser.lookdown_page import LookdownPage
from tests.jpeg_tiles import jpeg_tiles
from training.figures.measure import served

ZOOM = 19
HERE = LngLat(85.5217, 27.6333)
JUDGED = 100


def measure(dist: Path, squares: int, rounds: int) -> str:
    """Save reports and measure; a table in Markdown.

    Parameters
    ----------
    dist : Path
        The built site.
    squares, rounds : int
    """
    card = default_card(dist)
    with (
        served(dist) as address,
        RepeatedTiles(jpeg_tiles()) as tiles,
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        page = LookdownPage(browser.new_context().new_page(), address)
        survey = _survey(card, tiles.template, squares)
        page.open(f"?imagery={tiles.template}&maxzoom={ZOOM}#map=14/{HERE.lat}/{HERE.lng}")
        page.tab.click("#agree button[value=yes]")
        page.wait_whole()
        page.drop("survey.geojson", to_geojson(survey).encode())
        page.tab.wait_for_selector("#report-html", state="visible")
        times = []
        for _ in range(rounds):
            text = page.save_by("#report-html")
            times = page.tab.evaluate(
                "performance.getEntriesByName('lookdown:report').map(each => each.duration)"
            )
        file = Path(folder, "report.html")
        file.write_bytes(text)
        asked: list[str] = []
        reading = browser.new_context(offline=True).new_page()
        reading.on("request", lambda request: asked.append(request.url))
        reading.goto(file.as_uri())
        outside = [each for each in asked if not each.startswith(("file:", "data:"))]
        pictures = reading.locator(".squares img").count()
        browser.close()
    return "\n".join([
        "| what | measured |", "| --- | --- |",
        f"| report of {len(survey.grid):,} squares, {JUDGED} judged: time, first and median of "
        f"{rounds} | {times[0] / 1000:.2f} s, {statistics.median(times) / 1000:.2f} s |",
        f"| its size, with {pictures} squares shown | {len(text) / 1e6:.2f} MB |",
        f"| requests when it is opened | {len(outside)} |",
    ])  # fmt: skip


def _survey(card: Card, template: str, squares: int) -> Survey:
    """A survey with random answers, judged as it says or as something else."""
    side_m = card.footprint_m * squares**0.5
    corner = moved(HERE, -side_m / 2, side_m / 2)
    area = rectangle(corner, moved(corner, side_m, -side_m))
    survey = Survey(
        "bench", "Ten thousand squares", "2026-11-28T12:00:00", area,
        plan(area, card.footprint_m, 1.0), ModelFacts.of(card),
        ImageryFacts("own", "127.0.0.1", template, 0, ZOOM, "127.0.0.1"),
    )  # fmt: skip
    chance = np.random.default_rng(16)
    count, classes = len(survey.grid), len(card.labels)
    logits = chance.normal(0, 1, (count, classes))
    logits[np.arange(count), chance.integers(0, classes, count)] += chance.normal(8, 3, count)
    odds = np.exp(logits)
    survey.add(
        Batch(
            numbers=np.arange(count, dtype=np.int32),
            state=np.full(count, CellState.CLASSIFIED, np.uint8),
            zoom=np.full(count, ZOOM, np.uint8),
            probability=(odds / odds.sum(1, keepdims=True)).astype(np.float16),
            embedding=np.empty((count, 0), np.float16),
            familiarity=np.zeros(count, np.float32),
            digest=chance.integers(0, 256, (count, 32)).astype(np.uint8),
        )
    )
    check = begin(survey, CLASSES, JUDGED, seed=1)
    answers = map_answers(survey, CLASSES)
    for place, cell in enumerate(check.sample):
        own = int(answers[cell])
        check.judge(cell, OTHER if own < 0 or place % 10 == 0 else own)
    survey.check = check.to_json(survey)
    return survey

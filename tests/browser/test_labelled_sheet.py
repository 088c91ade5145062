"""The test sheet of UC Merced scenes laid as tiles: the page against native onnxruntime.

The sheet isn't in the repository; where it does not lie beside the checkout, this is skipped.
"""

import hashlib
import json
import shutil

import numpy as np
import onnxruntime
import pytest

from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import TILE_PX, Footprint, LngLat, Pixel, Tile, place_at, resolution_m
from pyapp.core.ground.grid import plan
from pyapp.core.model.card import Card
from pyapp.core.survey.geojson import to_geojson
from pyapp.core.survey.survey import ImageryFacts, ModelFacts, Survey
from tests.browser.conftest import ROOT
from tests.browser.native import (
    DEFAULT,
    MODELS,
    Zooms,
    class_of,
    listed,
    native_answer,
    native_chip,
    title,
)
from tests.browser.tile_server import TileServer

SHEET = ROOT.parent / "shared" / "data" / "tiles" / "labelled"
pytestmark = pytest.mark.skipif(not SHEET.is_dir(), reason="the labelled sheet is not there")
ZOOM = 19


@pytest.fixture(scope="module")
def one_of_each_class():
    """The middle tile of each block of nine scenes of a class."""
    tiles = json.loads((SHEET / "labels.json").read_text())
    return tiles[4::9]


@pytest.fixture
def sheet_server():
    with TileServer(SHEET) as server:
        yield server


def test_a_square_on_each_class_is_named_as_natively(
    open_page, dist, sheet_server, one_of_each_class
):
    folder = dist / "models" / DEFAULT
    card = Card.from_json(DEFAULT, (folder / "card.json").read_text())
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    page = open_page(f"?imagery={sheet_server.template}&maxzoom={ZOOM}#map={ZOOM}/-0.003/0.007")
    page.tab.click("#agree button[value=yes]")
    page.tab.check("#follow")
    right = 0
    for facts in one_of_each_class:
        tile = Tile(facts["x"], facts["y"], facts["z"])
        middle = Pixel((tile.x + 0.5) * TILE_PX, (tile.y + 0.5) * TILE_PX)
        lng, lat = place_at(middle, ZOOM)
        wanted = f"#map={ZOOM}/{lat:.7f}/{lng:.7f}"
        page.tab.evaluate("place => { location.hash = place }", wanted)
        # The page answers with the place as it writes it itself.
        page.tab.wait_for_function("place => location.hash !== place", arg=wanted)
        shown = page.classify()
        chip = native_chip(SHEET, shown.footprint, card, Zooms(15, ZOOM))
        answer = native_answer(card, session, chip)
        assert shown.footprint.centre == pytest.approx((lng, lat), abs=2e-6)
        assert np.array_equal(shown.chip, chip)
        assert shown.label == title(answer)
        nearest = listed(answer)[0].probability
        assert shown.best[0][1] == pytest.approx(nearest, abs=0.001)
        right += answer.best.label == label_of(facts["label"])
    assert len(one_of_each_class) == 21
    assert right >= 18


@pytest.fixture
def framed_sheet(tmp_path):
    """The sheet with a frame of its own tiles: a square is wider than a tile by 1.6 m."""
    shutil.copytree(SHEET, tmp_path, dirs_exist_ok=True)
    tiles = json.loads((SHEET / "labels.json").read_text())
    (left, right), (top, bottom) = (
        (min(facts[name] for facts in tiles), max(facts[name] for facts in tiles)) for name in "xy"
    )
    for x in range(left - 1, right + 2):
        for y in range(top - 1, bottom + 2):
            inside = min(max(x, left), right), min(max(y, top), bottom)
            (tmp_path / f"{ZOOM}/{x}").mkdir(exist_ok=True)
            if inside != (x, y):
                source = SHEET / f"{ZOOM}/{inside[0]}/{inside[1]}.jpg"
                shutil.copy(source, tmp_path / f"{ZOOM}/{x}/{y}.jpg")
    with TileServer(tmp_path) as server:
        yield server


def test_a_survey_of_the_whole_sheet_is_natively_the_same(open_page, dist, framed_sheet):
    """The grid is laid so that a square lies on each tile."""
    folder = dist / "models" / DEFAULT
    card = Card.from_json(DEFAULT, (folder / "card.json").read_text())
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    tiles = json.loads((SHEET / "labels.json").read_text())
    columns, rows = ({facts[name] for facts in tiles} for name in "xy")
    corners = [
        place_at(Pixel(x * TILE_PX, y * TILE_PX), ZOOM)
        for x, y in ((min(columns), min(rows)), (max(columns) + 1, max(rows) + 1))
    ]
    area = rectangle(*corners)
    middle = (corners[0].lat + corners[1].lat) / 2
    step = TILE_PX * resolution_m(ZOOM, middle) / card.footprint_m
    imagery = ImageryFacts("own", "sheet", framed_sheet.template, 0, ZOOM, "test sheet")
    grid = plan(area, card.footprint_m, step)
    survey = Survey("sheet", "sheet", "2026-01-01", area, grid, ModelFacts.of(card), imagery)
    page = open_page(f"?imagery={framed_sheet.template}&maxzoom={ZOOM}#map=17/-0.003/0.007")
    page.tab.click("#agree button[value=yes]")
    page.open_survey_panel()
    page.drop("sheet.geojson", to_geojson(survey).encode())
    page.tab.wait_for_selector("#survey-pause:has-text('Resume')")
    page.tab.click("#survey-pause")
    page.wait_survey()
    same = 0
    for feature in page.features():
        facts = feature["properties"]
        footprint = Footprint(LngLat(*facts["footprint"]["centre"]), card.footprint_m)
        chip = native_chip(framed_sheet.folder, footprint, card, Zooms(15, ZOOM))
        answer = native_answer(card, session, chip)
        assert hashlib.sha256(chip.tobytes()).hexdigest() == facts["chip_sha256"]
        same += facts["class"] == class_of(card, answer)
    assert (same, len(tiles)) == (189, 189)


def label_of(name: str) -> str:
    """The label of a class folder of UC Merced, by the card of the model of it alone."""
    facts = json.loads((MODELS / "ucmerced" / "card.json").read_text())
    number = next(int(each) for each, named in facts["class_names"].items() if named == name)
    return facts["labels"][number]

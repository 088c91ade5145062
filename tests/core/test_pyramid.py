"""Pyramids of large surveys: what each pixel shows, and what they say about themselves."""

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import LngLat, Pixel, Tile, place_at
from pyapp.core.ground.grid import Lattice, blocks, lattice, plan
from pyapp.core.imagery.pmtiles import tile_id
from pyapp.core.model.tree import NOT_SURE as NO_NODE
from pyapp.core.pyramid.errors import DamagedPyramidError
from pyapp.core.pyramid.facts import PyramidFacts, part_of
from pyapp.core.pyramid.row import Row
from pyapp.core.pyramid.tiles import (
    FIRST_NODE,
    LEAST_PX,
    NOT_SURE,
    NOTHING,
    encoded,
    finest_zoom,
    palette,
    pictures,
    shown_in,
    tiles_over,
)
from pyapp.core.state import CellState
from pyapp.core.survey.paint import UNSURE
from tests.core.surveys import TREE, survey_over

AREA = rectangle(LngLat(85.51, 27.64), LngLat(85.53, 27.62))
CODES = 30


def facts_of(survey, at=None):
    return PyramidFacts(
        name="Town", made="2026-11-28T10:00:00", lattice=at or lattice(AREA, 80.0, 1.0),
        side_m=80.0, step=1.0, block=4, model=survey.model, imagery=survey.imagery,
        answers={UNSURE: (5, 3.2), 1: (7, 4.48)}, without={CellState.MISSING: 2},
    )  # fmt: skip


@pytest.fixture
def survey():
    return survey_over(**TREE)


@pytest.fixture
def facts(survey):
    return facts_of(survey)


def brute(codes, at, tile, scale):
    """The same pixel by pixel: the most frequent of the cells with their middle in it."""
    shown = np.zeros((256, 256), np.uint16)
    row, column = np.indices(codes.shape)
    x = ((at.left + (column + 0.5) * at.pitch) / scale - tile.x * 256).ravel()
    y = ((at.top + (row + 0.5) * at.pitch) / scale - tile.y * 256).ravel()
    for each in np.flatnonzero((x >= 0) & (x < 256) & (y >= 0) & (y < 256)):
        pixel = int(y[each]), int(x[each])
        inside = (np.floor(x) == pixel[1]) & (np.floor(y) == pixel[0])
        votes = np.bincount(codes.ravel()[inside], minlength=CODES)
        votes[NOTHING] = 0
        shown[pixel] = votes.argmax()
    return shown


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000), rows=st.integers(1, 60), columns=st.integers(1, 60),
    zoom=st.integers(0, 9), left=st.floats(100, 101), pitch=st.floats(0.01, 0.03),
)  # fmt: skip
def test_from_afar_a_pixel_shows_the_most_frequent_answer(seed, rows, columns, zoom, left, pitch):
    at = Lattice(left, 90.0, pitch, columns, rows)
    codes = np.random.default_rng(seed).integers(0, CODES, (rows, columns)).astype(np.uint16)
    scale = 2.0**-zoom
    if scale < pitch:
        return
    for tile in tiles_over(at, zoom):
        found = shown_in(codes, at, tile, CODES)
        np.testing.assert_array_equal(found, brute(codes, at, tile, scale))


def test_in_the_finest_zoom_each_pixel_shows_the_cell_it_lies_in():
    at = lattice(AREA, 80.0, 1.0)
    codes = np.arange(at.rows * at.columns).reshape(at.rows, at.columns).astype(np.uint16) + 1
    zoom = finest_zoom(at)
    assert LEAST_PX <= at.pitch * 2.0**zoom < 2 * LEAST_PX
    seen = set()
    for tile in tiles_over(at, zoom):
        shown = shown_in(codes, at, tile, codes.size + 1)
        y, x = np.nonzero(shown)
        column = ((tile.x * 256 + x + 0.5) * 2.0**-zoom - at.left) / at.pitch
        row = ((tile.y * 256 + y + 0.5) * 2.0**-zoom - at.top) / at.pitch
        np.testing.assert_array_equal(
            shown[y, x], row.astype(int) * at.columns + column.astype(int) + 1
        )
        seen |= set(shown[y, x].tolist())
    assert seen == set(codes.ravel().tolist()), "each cell is somewhere"


def test_an_area_over_the_date_line_is_drawn_on_both_sides():
    at = Lattice(255.9, 100.0, 0.02, 10, 3)
    codes = np.full((3, 10), FIRST_NODE, np.uint16)
    tiles = [tile for tile, _ in pictures(codes, at, np.full((CODES, 4), 255, np.uint8))]
    assert tiles == sorted(tiles, key=tile_id)
    assert {tile.x for tile in tiles if tile.z == 3} == {0, 7}
    right = shown_in(codes, at, Tile(7, 3, 3), CODES)
    left = shown_in(codes, at, Tile(0, 3, 3), CODES)
    assert (right[:, -1] == FIRST_NODE).any() and (left[:, 0] == FIRST_NODE).any()
    assert not (right[:, 0]).any() and not left[:, -1].any()


def test_a_tile_has_the_colours_of_the_legend(survey):
    colours = palette(survey.model.tree)
    shown = np.zeros((256, 256), np.uint16)
    shown[0, :4] = (int(CellState.FAILED), NOT_SURE, FIRST_NODE, FIRST_NODE + 2)
    picture = Image.open(io.BytesIO(encoded(shown, colours))).convert("RGBA")
    np.testing.assert_array_equal(np.asarray(picture), colours[shown])
    assert np.asarray(picture)[1, 1, 3] == 0, "what was not looked at is clear"
    # More colours than a palette holds.
    many = np.stack([np.arange(300) % 256, np.arange(300) // 256, *[np.full(300, 255)] * 2], 1)
    shown = (np.arange(256 * 256) % 300).reshape(256, 256).astype(np.uint16)
    picture = Image.open(io.BytesIO(encoded(shown, many.astype(np.uint8)))).convert("RGBA")
    np.testing.assert_array_equal(np.asarray(picture), many[shown])


def test_a_place_is_found_in_the_file_that_holds_it(facts):
    at = facts.lattice
    for row, column, grid in blocks(AREA, 80.0, 1.0, facts.block):
        for number in range(len(grid)):
            cell = facts.cell_at(grid.centre(number))
            assert cell.part == part_of(row, column)
            inside = divmod(int(grid.cells[number]), grid.columns)
            assert cell.number == (row + inside[0]) * at.columns + column + inside[1]
            assert cell.footprint.centre == pytest.approx(grid.centre(number), abs=1e-9)
            assert cell.bounds == pytest.approx(grid.bounds_of(number), abs=1e-9)
    assert facts.cell_at(LngLat(85.50, 27.63)) is None
    assert facts.cell_at(LngLat(85.52, 27.65)) is None
    # Numbers are those of all cells together.
    whole = plan(AREA, 80.0, 1.0)
    assert facts.cell_at(whole.centre(7)).number == int(whole.cells[7])


def test_over_the_date_line_both_sides_are_found(survey):
    facts = facts_of(survey, Lattice(255.9, 100.0, 0.02, 10, 3))
    for x, column in ((255.91, 0), (256.09, 9), (0.09, 9)):
        assert facts.cell_at(place_at(Pixel(x, 100.03), 0)).number == 10 + column


def test_it_reads_what_it_wrote_and_refuses_the_rest(facts):
    stored = json.loads(json.dumps(facts.to_stored()))
    assert PyramidFacts.from_stored(stored, "map.pmtiles") == facts
    assert facts.cells == 14
    wrong = [
        {"format": "lookdown pyramid 2"}, {"side_m": -1}, {"block": 0}, {"model": {}},
        {"lattice": {**stored["lattice"], "pitch": 0}}, {"lattice": []},
        {"answers": [{**stored["answers"][1], "class": "another"}]}, {"answers": 3},
        {"answers": [{**stored["answers"][1], "id": 4000}]}, {"without": {"lost": 3}},
        {"without": []}, {"name": None},
    ]  # fmt: skip
    for each in [*({**stored, **change} for change in wrong), [], "text", None]:
        with pytest.raises(DamagedPyramidError, match=r"map\.pmtiles is the map of a survey"):
            PyramidFacts.from_stored(each, "map.pmtiles")


def test_a_row_is_taken_if_it_fits_the_model(survey):
    facts = survey.model
    shares = np.linspace(0.5, 0, len(facts.labels)).tolist()
    stored = {"state": "classified", "class": facts.tree.nodes[0].name, "class_id": 0,
              "score": 0.999, "zoom": 18, "chip_sha256": "ab", "probability": shares}  # fmt: skip
    row = Row.from_stored(stored, facts)
    assert (row.state, row.node_id, row.zoom) == (CellState.CLASSIFIED, 0, 18)
    assert row.best[0] == (facts.labels[0], 0.5) and len(row.best) == min(5, len(facts.labels))
    unsure = Row.from_stored({**stored, "class": None, "class_id": None, "score": None}, facts)
    assert unsure.node_id == NO_NODE and unsure.best
    missing = dict.fromkeys(stored) | {"state": "no imagery"}
    assert Row.from_stored(missing, facts).state == CellState.MISSING
    for change in ({"class_id": 1}, {"class_id": 999}, {"probability": shares[1:]},
                   {"zoom": 99}, {"state": "lost"}, {"score": 2}):  # fmt: skip
        with pytest.raises((ValueError, KeyError, TypeError)):
            Row.from_stored({**stored, **change}, facts)

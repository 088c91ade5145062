"""A survey's report: what it says, what it never says, and that it needs nothing else."""

import base64
import dataclasses
import hashlib
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from pyapp.core.accuracy.check import CANT_TELL, GROUPS, OTHER, begin, map_answers
from pyapp.core.accuracy.findings import find
from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import LngLat, Tile
from pyapp.core.model.tree import NOT_SURE
from pyapp.core.report.contents import COUNTED_ONLY, SHOWN, gather, to_json
from pyapp.core.report.html import to_html
from pyapp.core.report.picture import (
    MAP_PX,
    base_of,
    lay_base,
    map_of,
    scale_of,
    thumbnail,
)
from pyapp.core.state import CellState
from pyapp.core.survey.batch import Batch
from tests.core.surveys import TREE, batch_of, classified_survey, survey_over
from tests.work.fakes import source

MADE, VERSION = "2026-11-28T13:00:00", "0.4.0"


def checked(survey, unclear=0):
    """A check of a survey, judged as the map has it; some squares could not be told."""
    check = begin(survey, GROUPS, 60, seed=3)
    answers = map_answers(survey, GROUPS)
    for place, cell in enumerate(check.sample):
        own = int(answers[cell])
        said = CANT_TELL if place < unclear else OTHER if own == NOT_SURE else own
        check.judge(cell, said)
    return check, find(check, survey)


def written(survey, check=None, found=None, mind=""):
    """The report of a survey, with pictures."""
    contents = gather(survey, check, found, MADE, VERSION)
    chip = np.random.default_rng(1).integers(0, 256, (192, 192, 3)).astype(np.uint8)
    chips = {each.cell: thumbnail(chip) for each in contents.squares}
    return to_html(contents, map_of(survey, None), chips, mind)


def test_an_unchecked_survey_is_never_said_to_have_areas():
    survey = classified_survey(**TREE)
    text = written(survey)
    assert COUNTED_ONLY in text and "Hectares, counted" in text
    assert "interval" not in text.split("<body>")[1]
    assert json.loads(to_json(gather(survey, None, None, MADE, VERSION)))["figures"] is None
    # A sample of which nobody judged a square says no more.
    check = begin(survey, GROUPS, 60, seed=3)
    assert COUNTED_ONLY in written(survey, check, find(check, survey))


def test_a_checked_survey_has_areas_with_intervals_and_a_matrix():
    survey = classified_survey(**TREE)
    check, found = checked(survey, unclear=2)
    text = written(survey, check, found)
    assert COUNTED_ONLY not in text
    assert "Areas, estimated" in text and "Squares judged" in text
    assert "95 % interval" in text and "Olofsson" in text and f"seed {check.seed}" in text
    assert "couldn't tell" in text and "it counts as not right" in text
    facts = json.loads(to_json(gather(survey, check, found, MADE, VERSION)))
    area = facts["figures"]["areas_ha"]["built-up"]
    assert f"{area['value']:,.1f}<small>{area['low']:,.1f} to {area['high']:,.1f}</small>" in text
    assert facts["check"]["seed"] == check.seed


def test_it_asks_for_nothing_and_runs_nothing():
    text = written(classified_survey(**TREE))
    assert "<script" not in text and " style=" not in text
    assert not re.findall(r"<[a-z]+[^>]*? on[a-z]+=", text)
    for address in re.findall(r'(?:href|src)="([^"]{0,30})', text):
        assert address.startswith("data:image/")
    style = re.search(r"<style>(.*?)</style>", text, re.S)[1]
    digest = hashlib.sha256(style.encode()).digest()
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in text
    assert "url(" not in style and "@import" not in style


def test_names_can_not_become_markup():
    survey = classified_survey(**TREE)
    survey.name = "<script>alert(1)</script>"
    survey.imagery = dataclasses.replace(survey.imagery, credit='"><img src=x>', date="2012")
    text = written(survey)
    assert "<script>" not in text and "<img src=x>" not in text
    assert "&lt;script&gt;" in text and "2012" in text


def test_squares_are_drawn_at_random_and_doubts_are_said():
    survey = classified_survey(**TREE)
    contents = gather(survey, None, None, MADE, VERSION)
    assert len(contents.squares) == SHOWN == len({each.cell for each in contents.squares})
    assert contents.squares == gather(survey, None, None, MADE, VERSION).squares
    assert any(each.doubt.startswith("best class ") for each in contents.squares)
    cell = contents.squares[0].cell
    survey.correct(cell, 0)
    again = gather(survey, None, None, MADE, VERSION)
    assert again.squares[0].doubt == "corrected by a person"
    assert "A person corrected 1 of them" in written(survey)
    check, found = checked(survey)
    judged = gather(survey, check, found, MADE, VERSION).squares
    assert [each.cell for each in judged] == check.sample[:SHOWN]
    assert all(each.judged for each in judged)


def test_an_unfinished_survey_is_said_to_be_one():
    survey = survey_over(**TREE)
    survey.add(batch_of(survey, range(40)))
    text = written(survey)
    assert f"{len(survey.grid) - 40:,} squares wait" in text
    assert json.loads(to_json(gather(survey, None, None, MADE, VERSION)))["squares"]


def test_the_evidence_is_one_hash_over_all_chips():
    survey = classified_survey(**TREE)
    before = gather(survey, None, None, MADE, VERSION).evidence_sha256
    expected = hashlib.sha256()
    for cell in range(len(survey.grid)):
        expected.update(cell.to_bytes(4, "little") + survey.digest[cell].tobytes())
    assert before == expected.hexdigest()
    survey.digest[5, 0] ^= 1
    assert gather(survey, None, None, MADE, VERSION).evidence_sha256 != before


def test_the_map_is_the_survey_over_its_imagery():
    survey = survey_over(**TREE)
    survey.add(batch_of(survey, range(len(survey.grid) - 1)))
    survey.add(Batch.without_imagery([len(survey.grid) - 1], CellState.LEFT_OUT))
    plain = map_of(survey, None)
    assert plain.media == "image/png" and max(plain.width, plain.height) == MAP_PX
    under = np.full((300, 300, 3), (10, 200, 30), np.uint8)
    laid = map_of(survey, under)
    assert laid.media == "image/jpeg" and (laid.width, laid.height) == (plain.width, plain.height)
    last = np.asarray(Image.open(io.BytesIO(laid.data)))[-3, -3]
    assert last == pytest.approx((10, 200, 30), abs=12)


def test_the_imagery_for_the_map_is_coarse_enough():
    survey = classified_survey()
    base = base_of(survey.grid, source(max_zoom=19))
    assert 14 <= base.zoom <= 19
    assert max(base.box.right - base.box.left, base.box.bottom - base.box.top) <= MAP_PX
    tiles = {tile: np.full((256, 256, 3), tile.x % 251, np.uint8) for tile in base.tiles}
    laid = lay_base(base, tiles)
    size = base.box.bottom - base.box.top, base.box.right - base.box.left
    assert laid.shape[:2] == pytest.approx(size, abs=1.1)
    assert laid[0, 0, 0] == base.tiles[0].x % 251 and laid[-1, -1, 0] == base.tiles[-1].x % 251
    # A missing tile is grey, one of 512 pixels is made smaller.
    assert lay_base(base, {})[0, 0].tolist() == [214, 214, 210]
    large = base.shrunk(np.full((512, 512, 3), 7, np.uint8))
    large = lay_base(base, {base.tiles[0]: large})
    assert large[0, 0].tolist() == [7, 7, 7]
    assert isinstance(base.tiles[0], Tile)
    # Even the coarsest zoom would be too much.
    wide = survey_over(area=rectangle(LngLat(80.0, 29.0), LngLat(81.5, 27.5)), step=16.0)
    assert base_of(wide.grid, source(max_zoom=19)) is None


def test_the_map_of_imagery_of_one_fine_zoom_is_as_large_as_of_any():
    survey = survey_over(area=rectangle(LngLat(85.509, 27.637), LngLat(85.527, 27.626)))
    known = {18: frozenset({(193343, 110117)})}
    one_zoom = dataclasses.replace(source(max_zoom=18), min_zoom=18, coverage=known)
    base = base_of(survey.grid, one_zoom)
    assert base.zoom == 18 and base.shrink == 4 and len(base.tiles) > 64
    part = base.shrunk(np.full((256, 256, 3), 7, np.uint8))
    assert part.shape == (64, 64, 3)
    laid = lay_base(base, dict.fromkeys(base.tiles, part))
    assert (laid == 7).all() and 250 < max(laid.shape) <= MAP_PX
    size = (base.box.bottom - base.box.top) / 4, (base.box.right - base.box.left) / 4
    assert laid.shape[:2] == pytest.approx(size, abs=1.1)


@pytest.mark.parametrize("step", [1.0, 4.0])
def test_the_scale_is_round_and_right(step):
    grid = survey_over(step=step).grid
    scale = scale_of(grid)
    assert scale.said in ("200 m", "500 m", "100 m", "1 km")
    assert 0.09 < scale.share <= 0.25
    width_m = grid.columns * step * grid.side_m
    assert scale.metres / scale.share == pytest.approx(width_m, rel=0.01)


def test_squares_that_the_model_learned_from_are_in_no_estimate_and_said():
    survey = classified_survey(**TREE)
    survey.learned = (3, 4, 5)
    check, found = checked(survey)
    assert "3 squares (1.8 ha) are in no estimate: the model learned" in written(
        survey, check, found
    )
    told = json.loads(to_json(gather(survey, check, found, MADE, VERSION)))
    assert told["figures"]["learned_squares_left_out"] == 3 and told["survey"]["learned"] == [
        3,
        4,
        5,
    ]
    survey.learned = None
    object.__setattr__(survey.model, "network", "cd" * 32)
    assert "learned from is not known here" in written(survey, *checked(survey))

"""The list of models, and which of them the imagery suits."""

import json
from pathlib import Path

import pytest

from pyapp.core.errors import ModelListError
from pyapp.core.model.card import Card
from pyapp.core.model.listing import (
    TOO_COARSE,
    ListedModel,
    better_suited,
    models_from_json,
    models_to_json,
)
from tests.work.fakes import source

MODELS = Path(__file__).resolve().parents[2] / "models"
CARD = {
    "name": "wide", "title": "Wide", "labels": ["airport", "port"], "tile_size": 160,
    "footprint_m": 400.0, "size_bytes": 2_600_000, "licence": "MIT",
}  # fmt: skip
FINE = ListedModel("fine", "Fine", footprint_m=78.0, resolution_m=0.4)
WIDE = ListedModel("wide", "Wide", footprint_m=400.0, resolution_m=2.5)
COARSE = ListedModel("coarse", "Coarse", footprint_m=1600.0, resolution_m=10.0)


def test_the_default_comes_first():
    models = [{"name": "small", "title": "Small"}, {"name": "large", "title": "Large"}]
    text = json.dumps({"default": "large", "models": models})
    assert models_from_json(text) == [ListedModel("large", "Large"), ListedModel("small", "Small")]


def test_a_card_is_listed_with_what_a_choice_needs():
    listed = ListedModel.of_card(CARD)
    assert listed.resolution_m == pytest.approx(2.5)
    assert listed.classes == 2
    assert listed.description == "Tells 2 kinds of ground apart, from airport to port."
    assert listed.use == ""
    own = ListedModel.of_card(CARD | {"description": "For coarse imagery.", "use": "research"})
    assert (own.description, own.use) == ("For coarse imagery.", "research")
    text = models_to_json("wide", [listed, own])
    assert models_from_json(text) == [listed, own]
    assert json.loads(text)["models"][0]["resolution"] == 250


def test_what_is_shipped_is_listed_as_its_cards_say():
    listed = models_from_json((MODELS / "index.json").read_text())
    assert sorted(each.name for each in listed) == sorted(
        each.parent.name for each in MODELS.glob("*/card.json")
    )
    for each in listed:
        text = (MODELS / each.name / "card.json").read_text()
        assert each.to_json() == ListedModel.of_card(json.loads(text)).to_json()
        assert each.resolution_m == pytest.approx(Card.from_json(each.name, text).resolution_m)


ONE = {"name": "a", "title": "A"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"default": "a", "models": [{}]}',
     *(json.dumps({"default": "a", "models": [ONE | wrong]}) for wrong in (
         {"title": 3}, {"licence": None}, {"use": ["research"]}, {"footprint_m": "78"},
         {"footprint_m": 0}, {"resolution": -1}, {"resolution": float("nan")}, {"classes": True},
         {"size_bytes": float("inf")},
     ))],
)  # fmt: skip
def test_a_list_that_cannot_be_read_is_refused(text):
    with pytest.raises(ModelListError, match="Reload the page"):
        models_from_json(text)


@pytest.mark.parametrize(
    ("max_zoom", "lat", "offered"),
    [
        (19, 27.6, None),  # 0.26 m per pixel
        (18, 27.6, None),  # 0.53, the built-in imagery
        (17, 60.0, None),  # 0.60
        (17, 40.0, WIDE),  # 0.91
        (16, 40.0, WIDE),  # 1.83, USGS
        (15, 0.0, WIDE),  # 4.78
        (14, 0.0, COARSE),  # 9.55
        (11, 0.0, None),  # 76: nothing suits
    ],
)
def test_another_model_is_offered_if_the_imagery_is_too_coarse(max_zoom, lat, offered):
    found = better_suited([FINE, COARSE, WIDE], FINE.resolution_m, source(max_zoom), lat)
    assert found == offered


def test_fine_imagery_is_no_reason_to_leave_a_wide_model():
    for max_zoom in (16, 18, 22):
        assert better_suited([FINE, WIDE], WIDE.resolution_m, source(max_zoom), 40.0) is None


def test_a_model_of_which_nothing_is_known_is_never_offered():
    unknown = ListedModel("unknown", "Unknown")
    assert better_suited([unknown], FINE.resolution_m, source(14), 0.0) is None


def test_the_recipes_imitate_imagery_as_coarse_as_a_model_may_get():
    """What `TOO_COARSE` rests on."""
    tomllib = pytest.importorskip("tomllib")
    for file in (MODELS.parent / "training/recipes").glob("*.toml"):
        recipe = tomllib.loads(file.read_text())
        chip_m = recipe["ground"]["footprint_m"] / recipe["ground"]["chip_px"]
        assert recipe["augment"]["coarsest_m"] > 0.98 * TOO_COARSE * chip_m, file.name

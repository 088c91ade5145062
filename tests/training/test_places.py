"""The built-in places: the model that the page begins with is right there, at whatever level."""

import json
import shutil

import numpy as np
import pytest

from pyapp.core.ground.geo import Footprint
from pyapp.core.imagery.source import sources_from_json
from pyapp.core.model.backend import Golden
from pyapp.core.model.card import Card
from pyapp.core.model.prediction import predictions
from tests.browser.native import DEFAULT, MODELS
from training.figures import measure
from training.figures.golden import native_chip
from training.site_tools import imagery
from training.steps.publish import write_goldens

# What a person who looked at them accepts, as a class or as anything that it is inside.
SHOWN = {
    "houses": "medium residential area",
    "a river": "river",
    "fields": "farmland",
    "a homestead": "sparse residential area",
    "the old town": "dense residential area",
}
SOURCE = sources_from_json(imagery.sources())[0]


def test_every_place_was_looked_at():
    assert {each.name for each in SOURCE.places} == set(SHOWN)


@pytest.mark.parametrize("place", SOURCE.places, ids=lambda each: each.name)
def test_the_first_answers_are_right(place):
    card = Card.from_json(DEFAULT, (MODELS / DEFAULT / "card.json").read_text())
    footprint = Footprint(place.centre, card.footprint_m)
    chip = native_chip(imagery.sample_tiles(), footprint, card, SOURCE)
    said = measure.outputs(MODELS / DEFAULT / "model.onnx", chip[np.newaxis])
    answer = predictions(card, said)[0]
    assert answer.answer is not None
    shown = next(each.id for each in card.tree.nodes if each.name == SHOWN[place.name])
    assert answer.answer.name in card.tree.path(shown)


@pytest.mark.parametrize("model", sorted(each.parent.name for each in MODELS.glob("*/card.json")))
def test_golden_places_are_of_todays_imagery(model, tmp_path):
    """If this fails, the built-in imagery has changed: python -m training golden."""
    shutil.copytree(MODELS / model, tmp_path / model)
    write_goldens(tmp_path)
    shipped, now = (
        Golden.from_json((folder / model / "golden.json").read_text())
        for folder in (MODELS, tmp_path)
    )
    assert now.places == shipped.places
    assert now.probability == pytest.approx(shipped.probability, abs=1e-4)


def test_the_page_opens_on_the_first_place():
    _, lat, lng = json.loads(imagery.sources())[0]["home"]
    assert SOURCE.places[0].centre == (lng, lat)

"""Every message for a person says what happened, and what to do next."""

import inspect

import pytest

from pyapp.core import errors
from pyapp.core.errors import LookdownError
from pyapp.core.ground.geo import Tile
from pyapp.core.model.backend import WEBGPU, Backend

# What the errors are made with, by the name of the parameter.
FACTS = {
    "tile": Tile(3, 4, 5),
    "limit_s": 15.0,
    "epsg": 28992,
    "origin": "https://tiles.example",
    "status": 403,
    "what": "The model small",
    "name": "small",
    "title": "The wide one",
    "used": "The small one",
    "reason": "it is broken",
    "backend": Backend(WEBGPU),
    "side_m": 78.03,
    "count": 30_000,
    "most": 20_000,
    "fitting": 2.0,
    "allowed": ["Town", "Valley"],
    "what_to_do": "measure",
    "error": ValueError("no number"),
    "before": "terrace",
    "after": "tin roofs",
}


def made():
    """Each error that has a message of its own, not one that is given to it."""
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        own = "__init__" in vars(kind) and kind is not errors.ModelError
        if issubclass(kind, LookdownError) and own:
            names = list(inspect.signature(kind).parameters)
            yield kind(*(FACTS[name] for name in names)), names


@pytest.mark.parametrize(("error", "names"), list(made()), ids=lambda each: type(each).__name__)
def test_a_message_is_sentences_with_the_facts(error, names):
    text = str(error)
    assert (text[0].isupper() or text.startswith(FACTS["origin"])) and text.endswith(".")
    assert text.count(". ") >= 1, "one sentence for what happened, one for what to do"
    assert "  " not in text and "{" not in text and "None" not in text
    for name in names:
        fact = FACTS[name]
        said = {
            "tile": "5/3/4", "limit_s": "15", "side_m": "78", "count": "30,000",
            "most": "20,000", "fitting": "2", "allowed": "Town or Valley",
        }.get(name, str(fact))  # fmt: skip
        assert said in text


def test_a_step_that_fits_is_offered_if_there_is_one():
    assert "step of 2 squares" in str(errors.LargeAreaError(30_000, 20_000, 2.0))
    assert str(errors.LargeAreaError(9**9, 20_000, None)).endswith("Mark a smaller area.")

"""What the page says about large surveys."""

from pyapp.core.model.tree import NOT_SURE
from pyapp.core.pyramid.row import Row
from pyapp.core.state import CellState
from pyapp.ui.survey import large_wording as wording
from tests.core.surveys import TREE, TREE_IDS, survey_over
from tests.core.test_pyramid import facts_of

SURVEY = survey_over(**TREE)
MODEL = SURVEY.model


def test_it_says_how_large_it_is_and_what_it_was_made_with():
    facts = facts_of(SURVEY)
    assert wording.counted(facts) == "14 squares of 80 m, 2 without imagery."
    said = wording.made_with(facts)
    assert said == "Banepa, OpenAerialMap, CC BY 4.0. UC Merced. Drawn 2026-11-28."


def test_it_says_what_is_known_of_a_square():
    best = [("field", 0.97), ("river", 0.021), ("town", 0.001)]
    sure = Row(CellState.CLASSIFIED, TREE_IDS["field"], 0.97, best, 18, "ab" * 32)
    assert wording.answer(sure, MODEL) == "field 97%, in open land."
    assert wording.evidence(sure) == "field 97%, river 2%. Zoom 18, chip abababababab…"
    top = Row(CellState.CLASSIFIED, TREE_IDS["open land"], 0.98, best, 18, "ab" * 32)
    assert wording.answer(top, MODEL) == "open land 98%."
    unsure = Row(CellState.CLASSIFIED, NOT_SURE, 0.0, best, 18, "ab" * 32)
    assert wording.answer(unsure, MODEL) == "Not sure; field comes nearest, 97%."
    missing = Row(CellState.MISSING, NOT_SURE, 0.0, [], None, "")
    assert wording.answer(missing, MODEL) == "There is no imagery of this square."
    assert wording.evidence(missing) == ""
    assert wording.answer(None, MODEL) == "This square lies outside the surveyed area."

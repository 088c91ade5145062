"""What the page says about the check of a survey."""

import doctest

from pyapp.core.accuracy.check import CANT_TELL, CLASSES, GROUPS, OTHER, begin, map_answers
from pyapp.core.accuracy.examples import Division, JudgedSquare
from pyapp.core.accuracy.findings import find
from pyapp.core.model.tree import NOT_SURE
from pyapp.ui.survey import check_wording
from pyapp.ui.survey.check_wording import (
    KEYS,
    UNKNOWN_EXAMPLES,
    accuracies,
    before_the_draw,
    how_far,
    not_shown,
    notes,
    teach_notes,
)
from tests.core.surveys import TREE, classified_survey


def judged(say=None, corrected=()):
    """A survey of which 60 squares were judged; what is found."""
    survey = classified_survey(**TREE)
    check = begin(survey, GROUPS, 60, seed=3)
    answers = map_answers(survey, GROUPS)
    for cell in check.sample:
        own = int(answers[cell])
        said = None if say is None else say(cell)
        check.judge(cell, said if said is not None else OTHER if own == NOT_SURE else own)
    for place in corrected:
        survey.correct(check.sample[place], 0)
    return check, find(check, survey)


def test_examples_hold():
    found = doctest.testmod(check_wording)
    assert found.attempted and not found.failed


def test_keys_are_one_each():
    assert len(set(KEYS)) == len(KEYS) == 34
    assert not set(KEYS) & {"x", "0"}


def test_the_figures_say_what_they_rest_on():
    check, found = judged()
    assert how_far(check) == f"{len(check.sample)} of {len(check.sample)} squares judged."
    assert "Olofsson" in notes(found, check)[-1] and "Wilson" in notes(found, check)[-1]
    assert not any("couldn't tell" in each or "correct" in each for each in notes(found, check))
    assert "groups first" in before_the_draw(False) and "groups" not in before_the_draw(True)
    text = accuracies(found.estimate.users[0], found.estimate.producers[0])
    assert text.startswith("user's accuracy 100.0% (") and "producer's 100.0% (" in text


def test_cant_tell_is_said():
    check, found = judged()
    few = set(check.sample[:6])
    check, found = judged(lambda cell: CANT_TELL if cell in few else None)
    assert "6 can't tell" in how_far(check)
    assert "You couldn't tell of 6 squares" in notes(found, check)[0]
    assert "all right" in notes(found, check)[0]


def test_all_cant_tell_is_said():
    check, found = judged(lambda _cell: CANT_TELL)
    assert len(notes(found, check)) == 1
    assert "no figures" in notes(found, check)[0]


def test_corrections_are_said():
    check, found = judged(corrected=(1, 2))
    said = " ".join(notes(found, check))
    assert "the map with your 2 corrections" in said
    assert "2 squares of the sample were corrected after it was drawn" in said


def learned():
    """A check of a survey by a model that learned from some of its squares."""
    survey = classified_survey(**TREE)
    survey.learned = (3, 4)
    check = begin(survey, GROUPS, 60, seed=3)
    for cell in check.sample:
        check.judge(cell, OTHER)
    return survey, check


def test_squares_that_were_learned_from_are_said():
    survey, check = learned()
    assert notes(find(check, survey), check)[0].startswith("Left out: 2 squares (1.")
    assert "figures are of the rest of the map" in notes(find(check, survey), check)[0]
    assert "2 squares that the model learned from can't check it" in before_the_draw(False, 2)
    assert "not known here" in before_the_draw(True, 0, True)
    survey.learned = None
    object.__setattr__(survey.model, "network", "cd" * 32)
    check = begin(survey, GROUPS, 60, seed=3)
    assert notes(find(check, survey), check) == [UNKNOWN_EXAMPLES]


def test_what_is_said_before_squares_are_taught():
    survey, check = classified_survey(**TREE), judged()[0]
    model = survey.model.title
    plain = Division((JudgedSquare(0, "water", True),) * 9, 0, 0, (), 0)
    (said,) = teach_notes(plain, check, survey, model, "Mine")
    assert said.startswith("You judged by groups, so groups become the classes.")
    others = (JudgedSquare(1, "something else", True),) * 2
    full = Division(others, 1, 2, ("a", "b", "c", "d"), 1)
    text = "\n".join(teach_notes(full, check, survey, "World", "Mine"))
    for part in (
        "1 square of which you couldn't tell", "2 squares with ground of examples that Mine has",
        "any aside: a, b, c and 1 more.", "1 overlap squares to learn from",
        "hardly anything can be said", "“Something else” becomes a class",
        f"The survey is by {model}; what learns is World",
    ):  # fmt: skip
        assert part in text
    check.by = CLASSES
    assert teach_notes(plain, check, survey, model, "Mine") == []
    assert not_shown(1).startswith("1 square of the check")

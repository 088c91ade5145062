"""What the page says about what changed."""

import doctest

from pyapp.core.change.change import Outcome
from pyapp.core.change.check import Said, begin, find
from pyapp.core.change.registration import Shift
from pyapp.ui.survey import change_wording
from pyapp.ui.survey.change_wording import (
    answers_for,
    judged,
    lie,
    node_name,
    pair,
    reasons,
    summary,
)
from pyapp.work.change import Apart
from tests.core.test_change import compared


def test_examples_hold():
    found = doctest.testmod(change_wording)
    assert found.attempted and not found.failed


def test_all_squares_are_accounted_for():
    change = compared()
    changed = len(change.changed())
    said = summary(change)
    assert said.startswith(f"{changed} squares changed (")
    assert "are the same" in said and "it can't be told" in said
    assert sum(int(each.split(":")[0]) for each in reasons(change)) == (
        len(change.before.grid) - changed - change.count(0)[0]
    )
    assert node_name(change, -1) == "not sure"


def test_an_unknown_date_is_said():
    change = compared()
    assert "date unknown" in pair(change) and "Swap" in pair(change)


def test_a_check_says_what_it_rests_on():
    change = compared()
    assert "counts of squares called changed" in judged(None, None)
    check = begin(change, 60, seed=5)
    for cell in check.sample:
        called = change.outcome[cell] == Outcome.CHANGED
        check.judgements[cell] = Said.AS_SAID if called else Said.NOT_CHANGED
    check.judgements[check.sample[0]] = Said.CANT_TELL
    said = judged(check, find(change, check))
    assert said.startswith(f"{len(check.sample)} of {len(check.sample)} squares judged, 1 can't")
    assert "ha (" in said and said.endswith("has changed as said.")
    keys = [key for key, _, _ in answers_for(True)]
    assert keys == ["1", "2", "3", "0"]


def test_how_the_pictures_lie():
    assert "can't be told" in lie(None, False)
    unclear = Apart(1.0, 1.0, Shift(2.5, -2.5, False), 16)
    assert "too little in common" in lie(unclear, False)
    near = Apart(0.1, 0.1, Shift(0.2, -0.2, True), 16)
    assert lie(near, False) == "The two pictures lie on each other within 2 pixels."
    far = Apart(3.0, -4.0, Shift(7.4, 9.8, True), 16)
    assert lie(far, False).startswith("The later picture lies 5.0 m (12.3 pixels) off. What")
    assert lie(far, True) == "The later picture lies 5.0 m (12.3 pixels) off, which is corrected."

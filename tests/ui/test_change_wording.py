"""What the page says about what changed."""

import doctest

from pyapp.core.change.registration import Shift
from pyapp.ui.survey import change_wording
from pyapp.ui.survey.change_wording import lie, node_name, pair, reasons, summary
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


def test_how_the_pictures_lie():
    assert "can't be told" in lie(None, False)
    unclear = Apart(1.0, 1.0, Shift(2.5, -2.5, False), 16)
    assert "too little in common" in lie(unclear, False)
    near = Apart(0.1, 0.1, Shift(0.2, -0.2, True), 16)
    assert lie(near, False) == "The two pictures lie on each other within 2 pixels."
    far = Apart(3.0, -4.0, Shift(7.4, 9.8, True), 16)
    assert lie(far, False).startswith("The later picture lies 5.0 m (12.3 pixels) off. What")
    assert lie(far, True) == "The later picture lies 5.0 m (12.3 pixels) off, which is corrected."

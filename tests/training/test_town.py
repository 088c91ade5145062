"""The built-in town, labelled by eye: what the page vouches for there is right."""

import numpy as np

from tests.bench import town
from tests.browser.native import DEFAULT, MODELS


def test_labels_are_classes_of_the_model():
    card = town.card_of(MODELS / DEFAULT)
    squares = town.squares_of(card)
    assert len(squares) == town.EXAMPLES + town.JUDGED + 5
    assert len({each.taught for each in squares}) == 5
    assert set().union(*(each.shows for each in squares)) <= set(card.labels)


def test_what_is_answered_is_right():
    folder = MODELS / DEFAULT
    card = town.card_of(folder)
    squares = town.squares_of(card)
    found = town.untaught(card, squares, town.outputs(folder, card, squares))
    _, answered, right = np.array(found).T
    assert answered.mean() > 0.5
    assert right[answered].mean() >= 0.95

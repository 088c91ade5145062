"""The tree of classes: what a card may say of it, and the finest answer that reaches its level."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.errors import CardError
from pyapp.core.model.card import Card
from pyapp.core.model.nodes import MOST_NODES, Level
from pyapp.core.model.tree import NOT_SURE, Levels, Tree
from tests.core.surveys import NESTED, TREE_LABELS
from tests.core.surveys import TREE_IDS as IDS

TREE = Tree.from_json(TREE_LABELS, NESTED)
LEVELS = Levels(0.8, 0.7, 0.75)
FACTS = {
    "title": "Nine classes", "labels": TREE_LABELS, "tile_size": 192, "footprint_m": 78.0,
    "sha256": "00", "tree": NESTED, "levels": {"top": 0.8, "group": 0.7, "class": 0.75},
}  # fmt: skip


def answer(**shares):
    """The name of the answer for a chip of which each class has a probability."""
    row = np.zeros((1, len(TREE_LABELS)), np.float32)
    for name, share in shares.items():
        row[0, IDS[name]] = share
    (node_id,) = TREE.answers(row, LEVELS)
    return None if node_id == NOT_SURE else TREE.nodes[node_id].name


# Structure


def test_classes_keep_their_numbers_and_groups_follow():
    assert [each.name for each in TREE.nodes] == [
        *TREE_LABELS, "built-up", "houses", "other buildings", "open land", "water",
    ]  # fmt: skip
    assert [each.id for each in TREE.nodes] == list(range(14))
    assert [each.name for each in TREE.groups] == [each.name for each in TREE.nodes[9:]]
    levels = {each.name: each.level for each in TREE.groups}
    assert levels == {
        "built-up": Level.TOP, "houses": Level.GROUP, "other buildings": Level.GROUP,
        "open land": Level.TOP, "water": Level.TOP,
    }  # fmt: skip
    assert all(each.level == Level.CLASS for each in TREE.nodes[:9])


def test_a_node_knows_its_place():
    assert TREE.path(IDS["medium"]) == ("built-up", "houses", "medium")
    assert TREE.path(IDS["built-up"]) == ("built-up",)
    assert (TREE.depth(IDS["medium"]), TREE.depth(IDS["river"]), TREE.depth(IDS["water"])) == (
        2, 1, 0,
    )  # fmt: skip
    assert TREE.top_of(IDS["medium"]) == TREE.top_of(IDS["built-up"]) == IDS["built-up"]
    assert TREE.children(IDS["built-up"]) == (IDS["houses"], IDS["other buildings"])
    assert TREE.children(IDS["water"]) == (IDS["harbour"], IDS["river"])
    assert TREE.children(IDS["river"]) == ()
    assert TREE.nodes[IDS["houses"]].classes == (1, 5, 7)
    assert TREE.is_inside(IDS["dense"], IDS["built-up"])
    assert TREE.is_inside(IDS["dense"], IDS["dense"])
    assert not TREE.is_inside(IDS["built-up"], IDS["dense"])


def test_the_order_is_that_of_a_list_of_contents():
    assert [TREE.nodes[each].name for each in TREE.order] == [
        "built-up", "houses", "dense", "medium", "sparse", "other buildings", "barn", "square",
        "open land", "field", "forest", "water", "harbour", "river",
    ]  # fmt: skip


def test_the_probability_of_a_group_is_the_sum_of_what_is_inside():
    probability = np.random.default_rng(0).dirichlet(np.ones(9), 5).astype(np.float32)
    summed = TREE.probabilities(probability)
    assert np.array_equal(summed[:, :9], probability)
    assert np.array_equal(TREE.membership[:, :9], np.eye(9))
    for each in TREE.groups:
        inside = probability[:, list(each.classes)].sum(1)
        assert summed[:, each.id] == pytest.approx(inside, abs=1e-6)
    assert summed[:, [IDS["built-up"], IDS["open land"], IDS["water"]]].sum(1) == pytest.approx(
        np.ones(5), abs=1e-6
    )


# Answers


def test_the_answer_is_as_fine_as_its_levels_allow():
    assert answer(dense=0.76, medium=0.1) == "dense"
    assert answer(dense=0.74, medium=0.1) == "houses"
    assert answer(dense=0.5, medium=0.19, barn=0.15) == "built-up"
    assert answer(dense=0.5, medium=0.19, barn=0.1) is None
    assert answer(river=0.5, harbour=0.35) == "water"
    # A class hangs directly under the top here, and counts as fine as any other.
    assert answer(river=0.75) == "river"


def test_a_class_may_be_the_answer_even_if_the_group_around_it_is_not():
    assert answer(river=0.76) == "river"
    assert answer(river=0.74) is None


def test_under_low_thresholds_the_more_probable_node_of_a_rank_is_the_answer():
    row = np.array([[0, 0.3, 0, 0.0, 0, 0, 0.4, 0, 0.3]], np.float32)
    assert TREE.answers(row, Levels(0.0, 0.0, 0.0)) == IDS["river"]
    assert TREE.answers(row, Levels(0.0, 0.0, 1.0)) == IDS["houses"]
    assert TREE.answers(row, Levels(0.0, 1.0, 1.0)) == IDS["built-up"]
    assert TREE.answers(row, Levels(1.0, 1.0, 1.0)) == NOT_SURE


def test_a_threshold_is_compared_as_it_is_written():
    """0.7 in single precision is a little less than 0.7."""
    row = np.zeros((1, 9), np.float32)
    row[0, 0] = 0.7
    assert TREE.answers(row, Levels(1, 1, 0.7)) == NOT_SURE


def test_nothing_is_asked_of_no_chips():
    assert TREE.answers(np.empty((0, 9), np.float32), LEVELS).shape == (0,)


@st.composite
def trees(draw):
    """A tree of any shape over up to twelve classes."""
    labels = tuple(f"c{each}" for each in range(draw(st.integers(2, 12))))
    names = iter(f"g{each}" for each in range(1000))

    def group(members, depth):
        if depth == 4 or draw(st.booleans()):
            return list(members)
        return parts(members, depth)

    def parts(members, depth):
        cuts = draw(st.sets(st.integers(1, len(members) - 1), max_size=3)) if members[1:] else []
        edges = [0, *sorted(cuts), len(members)]
        return {next(names): group(members[start:end], depth + 1) for start, end in pairwise(edges)}

    return Tree.from_json(labels, parts(draw(st.permutations(labels)), 0))


SHARE = st.floats(0, 1)
THRESHOLDS = st.builds(Levels, SHARE, SHARE, SHARE)


def probabilities(tree, seed, sharpness):
    classes = len(tree.nodes) - len(tree.groups)
    chance = np.random.default_rng(seed)
    return chance.dirichlet(np.full(classes, sharpness), 20).astype(np.float32)


CASES = (trees(), st.integers(0, 2**32), st.sampled_from([0.05, 0.3, 1.0]))


def fineness(tree, node_id):
    """What an answer can be compared by."""
    if node_id == NOT_SURE:
        return (-1, 0)
    level = tree.nodes[node_id].level
    return (level, 0 if level == Level.CLASS else tree.depth(node_id))


@given(*CASES, THRESHOLDS)
def test_answers_are_those_of_the_rule_in_words(tree, seed, sharpness, levels):
    probability = probabilities(tree, seed, sharpness)
    summed = tree.probabilities(probability)
    for row, found in zip(summed, tree.answers(probability, levels), strict=True):
        reached = [each.id for each in tree.nodes if float(row[each.id]) >= levels[each.level]]
        wanted = max(
            reached, key=lambda each: (fineness(tree, each), row[each], -each), default=NOT_SURE
        )
        assert found == wanted


@given(*CASES, st.lists(SHARE, min_size=3, max_size=3).map(sorted))
def test_all_groups_around_an_answer_vouch_for_it_too(tree, seed, sharpness, thresholds):
    levels = Levels(*thresholds)
    probability = probabilities(tree, seed, sharpness)
    summed = tree.probabilities(probability)
    for row, found in zip(summed, tree.answers(probability, levels), strict=True):
        if found != NOT_SURE:
            for each in tree.nodes:
                if tree.is_inside(found, each.id):
                    assert row[each.id] >= levels[each.level] - 1e-6


@given(*CASES, THRESHOLDS, THRESHOLDS)
def test_higher_thresholds_never_make_an_answer_finer(tree, seed, sharpness, one, other):
    probability = probabilities(tree, seed, sharpness)
    before = tree.answers(probability, Levels(*map(min, one, other)))
    after = tree.answers(probability, Levels(*map(max, one, other)))
    for low, high in zip(before.tolist(), after.tolist(), strict=True):
        assert fineness(tree, high) <= fineness(tree, low)


@given(THRESHOLDS, SHARE, SHARE)
def test_the_slider_moves_all_thresholds_one_way(levels, one, other):
    low, high = levels.at(min(one, other)), levels.at(max(one, other))
    assert all(a <= b for a, b in zip(low, high, strict=True))
    assert (low.cls, high.cls) == (min(one, other), max(one, other))
    assert levels.at(levels.cls) == levels
    assert low.top <= levels.top and low.group <= levels.group


@given(st.integers(2, 30), st.integers(0, 2**32), SHARE)
def test_a_flat_tree_answers_by_the_best_class_and_one_threshold(classes, seed, threshold):
    tree = Tree.flat(tuple(str(each) for each in range(classes)))
    chance = np.random.default_rng(seed)
    probability = chance.dirichlet(np.full(classes, 0.3), 50).astype(np.float32)
    wanted = np.where(probability.max(1) >= threshold, probability.argmax(1), NOT_SURE)
    assert np.array_equal(tree.answers(probability, Levels(*[threshold] * 3)), wanted)
    assert tree.is_flat and tree.to_json() is None
    assert tree.order == tuple(range(classes))
    assert np.array_equal(tree.membership, np.eye(classes))


@given(trees())
def test_a_tree_comes_back_from_json(tree):
    labels = tuple(each.name for each in tree.nodes if each.level == Level.CLASS)
    again = Tree.from_json(labels, json.loads(json.dumps(tree.to_json())))
    assert again == tree
    assert sorted(tree.order) == [each.id for each in tree.nodes]
    for each in tree.groups:
        children = [tree.nodes[child] for child in tree.children(each.id)]
        assert all(child.parent == each.id for child in children)
        assert sorted(sum((child.classes for child in children), ())) == list(each.classes)


# Cards


def test_a_card_carries_its_tree():
    card = Card.from_json("nine", json.dumps(FACTS))
    assert card.tree == TREE
    assert card.levels == LEVELS
    assert card.threshold == 0.75


@pytest.mark.parametrize("tree", [{}, {"tree": None}])
def test_a_card_from_before_trees_has_a_flat_one(tree):
    facts = {key: FACTS[key] for key in FACTS if key not in ("tree", "levels")}
    card = Card.from_json("nine", json.dumps(facts | tree | {"threshold": 0.6}))
    assert card.tree == Tree.flat(TREE_LABELS)
    assert card.levels == Levels(0.6, 0.6, 0.6)


WATER, LAND = ["river", "harbour"], ["field", "forest"]
BUILT = ["barn", "dense", "medium", "sparse", "square"]


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"water": WATER, "land": LAND}, "lacks the class 'barn'"),
        ({"water": [*WATER, "river"], "land": LAND + BUILT}, "has the class 'river' twice"),
        ({"water": WATER, "land": [*LAND, *BUILT, "river"]}, "has the class 'river' twice"),
        ({"water": [*WATER, "moon"], "land": LAND + BUILT}, "'moon', which is none of its classes"),
        ({"water": [*WATER, 3], "land": LAND + BUILT}, "3, which is none of its classes"),
        ({"water": [*WATER, ["a"]], "land": LAND + BUILT}, "which is none of its classes"),
        ({"water": WATER, "land": LAND + BUILT, "ice": []}, "group 'ice' of its tree is empty"),
        ({"water": WATER, "land": LAND + BUILT, "ice": {}}, "group 'ice' of its tree is empty"),
        ({"water": WATER, "land": {"a": LAND, "b": BUILT, "c": {}}}, "group 'c' of .* is empty"),
        ({"water": {"wet": WATER}, "land": {"wet": LAND + BUILT}}, "the name 'wet' twice"),
        ({"water": {"water": WATER}, "land": LAND + BUILT}, "the name 'water' twice"),
        ({"river": WATER, "land": LAND + BUILT}, "the name 'river' twice"),
        ({"": WATER, "land": LAND + BUILT}, "a group without a usable name"),
        ({"\ud800": WATER, "land": LAND + BUILT}, "a group without a usable name"),
        ({"water": "river", "land": LAND + BUILT}, "'water' of its tree holds neither"),
        ({"water": 3, "land": LAND + BUILT}, "'water' of its tree holds neither"),
        ({"a": {"b": {"c": {"d": {"e": WATER}}}}, "land": LAND + BUILT}, "more than 4 groups"),
        ({}, "lacks the class 'barn'"),
        ([*WATER, *LAND, *BUILT], "not a mapping of groups"),
        ("water", "not a mapping of groups"),
        (False, "not a mapping of groups"),
    ],
)
def test_a_broken_tree_is_refused_with_a_sentence(tree, words):
    with pytest.raises(CardError, match=f"card of the model nine.*{words}"):
        Card.from_json("nine", json.dumps(FACTS | {"tree": tree}))


def test_a_group_that_is_written_twice_loses_its_first_classes():
    """JSON keeps the last of two members of the same name."""
    land = json.dumps(LAND + BUILT)
    tree = f'{{"water": ["river"], "land": {land}, "water": ["harbour"]}}'
    text = json.dumps(FACTS | {"tree": "HERE"}).replace('"HERE"', tree)
    with pytest.raises(CardError, match="lacks the class 'river'"):
        Card.from_json("nine", text)


def test_four_groups_inside_one_another_are_fine():
    tree = {"a": {"b": {"c": {"d": list(TREE_LABELS)}}}}
    card = Card.from_json("nine", json.dumps(FACTS | {"tree": tree}))
    assert card.tree.path(0) == ("a", "b", "c", "d", "barn")


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        (None, "no levels for its tree"),
        ([0.8, 0.7, 0.75], "no levels for its tree"),
        ({"top": 0.8, "group": 0.7}, "its levels lack class"),
        ({"group": 0.8, "class": 0.7}, "its levels lack top"),
        ({"top": 0.8, "group": 1.2, "class": 0.75}, "the level group is 1.2, not a number from 0"),
        ({"top": -0.1, "group": 0.7, "class": 0.75}, "the level top is -0.1"),
        ({"top": 0.8, "group": 0.7, "class": float("nan")}, "the level class is nan"),
        ({"top": "0.8", "group": 0.7, "class": 0.75}, "the level top is '0.8'"),
        ({"top": True, "group": 0.7, "class": 0.75}, "the level top is True"),
    ],
)
def test_wrong_levels_are_refused_with_a_sentence(levels, words):
    with pytest.raises(CardError, match=f"card of the model nine.*{words}"):
        Card.from_json("nine", json.dumps(FACTS | {"levels": levels}))


def test_a_tree_needs_classes_of_different_names():
    facts = FACTS | {"labels": [*TREE_LABELS[:-1], "barn"]}
    with pytest.raises(CardError, match="two classes of the same name"):
        Card.from_json("nine", json.dumps(facts))


def test_a_tree_has_room_in_a_byte():
    labels = [f"c{each}" for each in range(MOST_NODES - 1)]
    facts = FACTS | {"labels": labels, "tree": {"all": labels}}
    assert len(Card.from_json("nine", json.dumps(facts)).tree.nodes) == MOST_NODES
    tree = {"one": labels[:9], "two": labels[9:]}
    with pytest.raises(CardError, match="more than 255 classes and groups"):
        Card.from_json("nine", json.dumps(facts | {"tree": tree}))

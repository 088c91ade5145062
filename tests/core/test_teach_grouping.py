"""The tree of taught classes, and the thresholds of its levels."""

import json

import numpy as np
import pytest

from pyapp.core.model.tree import Levels, Tree
from pyapp.core.teach.example import Example
from pyapp.core.teach.fit import Head
from pyapp.core.teach.grouping import OWN, groups_to_choose, levels_of, taught_tree
from pyapp.core.teach.project import Project
from pyapp.core.teach.taught import Taught, metadata
from tests.work.fakes import card

LABELS = ("dense houses", "villas", "hall", "meadow", "forest", "river")
NESTED = {
    "built-up": {"houses": ["dense houses", "villas"], "industry": ["hall"]},
    "open land": ["meadow", "forest"],
    "water": ["river"],
}
BASE = Tree.from_json(LABELS, NESTED)


def test_groups_that_hold_classes_can_be_chosen():
    assert groups_to_choose(BASE) == ["houses", "industry", "open land", "water"]
    assert groups_to_choose(Tree.flat(LABELS)) == []


def test_known_classes_keep_their_place_and_new_ones_are_put_in():
    tree = taught_tree(
        ["Forest", "terrace", "tin roofs", "villas", "temple"],
        {"terrace": "open land", "tin roofs": "houses", "temple": "a group of another model"},
        BASE,
    )
    assert tree.to_json() == {
        "built-up": {"houses": ["tin roofs", "villas"]},
        "open land": ["Forest", "terrace"],
        OWN: ["temple"],
    }


@pytest.mark.parametrize(
    "labels, groups, base",
    [
        (["terrace", "temple"], {}, BASE),
        (["terrace", "forest"], {"terrace": "open land"}, BASE),
        (["forest", "terrace"], {}, Tree.flat(LABELS)),
    ],
    ids=["only new", "all in one group", "a model without a tree"],
)
def test_one_group_of_everything_is_none(labels, groups, base):
    assert taught_tree(labels, groups, base).is_flat


def test_groups_within_the_only_one_are_at_the_top():
    assert taught_tree(["villas", "hall"], {}, BASE).to_json() == {
        "houses": ["villas"], "industry": ["hall"],
    }  # fmt: skip


def test_a_class_may_be_called_what_a_group_is():
    tree = taught_tree(["water", "forest"], {"water": "water"}, BASE)
    assert tree.to_json() == {"open land": ["forest"], "water (group)": ["water"]}


def test_what_can_be_said_of_a_group_is_said_where_classes_are_confused():
    rng = np.random.default_rng(1)
    tree = taught_tree(["forest", "terrace", "river"], {"terrace": "open land"}, BASE)
    classes = np.repeat([0, 1, 2], 60)
    probability = np.full((180, 3), 0.02)
    # The first two are taken for each other, with confidence; never for the third.
    said = np.where(classes < 2, rng.integers(0, 2, 180), 2)
    probability[np.arange(180), said] = 0.7
    probability[np.arange(180), np.where(said < 2, 1 - said, 0)] = 0.28
    levels = levels_of(tree, probability, classes, 0.99)
    assert levels.cls == 0.99 and levels.top <= 0.7
    answers = tree.answers(probability.astype(np.float32), levels)
    assert {tree.nodes[each].name for each in answers[:120]} == {"open land"}


def test_a_taught_card_and_its_file_have_the_tree():
    base = card(labels=LABELS, tree=NESTED, levels={"top": 0.7, "group": 0.8, "class": 0.9})
    examples = [
        Example(f"{number:064x}", label, 8, None, "")
        for number, label in enumerate(("river", "terrace"))
    ]
    project = Project("1", "Here", "2026", ("river", "terrace"), tuple(examples))
    head = Head(np.zeros((2, 4), np.float32), np.zeros(2, np.float32))
    taught = Taught.of(project, base, head, None)
    nested = {"water": ["river"], OWN: ["terrace"]}
    assert taught.card.tree.to_json() == nested and taught.card.levels == Levels(0.5, 0.5, 0.5)
    facts = metadata(project, taught, None)
    assert facts["tree"] == nested and facts["levels"] == {"top": 0.5, "group": 0.5, "class": 0.5}
    elsewhere = Taught.of(project.in_group("terrace", "open land"), base, head, None)
    assert elsewhere.card.sha256 != taught.card.sha256


def test_the_chosen_groups_are_stored_with_the_project():
    project = Project("1", "Here", "2026-11-25T00:00:00").with_class("terrace").with_class("roof")
    chosen = project.in_group("terrace", "open land")
    assert Project.from_json(chosen.to_json()) == chosen
    assert "groups" not in json.loads(project.to_json())
    assert chosen.in_group("terrace", None) == project
    assert chosen.with_class_named("terrace", "paddy").groups == {"paddy": "open land"}
    assert chosen.without_class("terrace").groups == {}
    for damaged in ({"forest": "open land"}, {"terrace": 1}, ["terrace"]):
        facts = json.loads(project.to_json()) | {"groups": damaged}
        with pytest.raises((ValueError, TypeError, AttributeError)):
            Project.from_json(json.dumps(facts))

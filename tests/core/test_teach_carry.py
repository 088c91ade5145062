"""Corrections that are carried over to the classes of another model."""

from pyapp.core.model.tree import Tree
from pyapp.core.teach.carry import carried

GREEN = Tree.from_json(
    ("meadow", "forest", "dense houses", "roof"),
    {"green": ["meadow", "forest"], "built": {"houses": ["dense houses"], "other": ["roof"]}},
)
TAUGHT = Tree.from_json(
    ("terrace", "Forest", "hut"), {"green": ["terrace", "Forest"], "Built": ["hut"]}
)


def test_the_same_class_or_the_smallest_group_around_it_or_nothing():
    ids = {each.name: each.id for each in GREEN.nodes}
    after = {each.name: each.id for each in TAUGHT.nodes}
    given = {1: ids["forest"], 2: ids["meadow"], 3: ids["dense houses"], 4: ids["built"]}
    assert carried(given, GREEN, TAUGHT) == {
        1: after["Forest"], 2: after["green"], 3: after["Built"], 4: after["Built"],
    }  # fmt: skip
    assert carried(given, GREEN, Tree.flat(("hut", "FOREST"))) == {1: 1}


def test_a_class_goes_before_a_group_of_the_same_name_in_other_letters():
    after = Tree.from_json(("forest", "meadow"), {"Forest": ["forest", "meadow"]})
    assert carried({0: 0}, Tree.flat(("forest", "roof")), after) == {0: 0}

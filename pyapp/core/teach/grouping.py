"""The tree of taught classes: those that the model knows keep their place, new ones are put in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.model.nodes import Level
from pyapp.core.model.tree import Levels, Tree
from pyapp.core.teach.judge import surest

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The group of new classes for which the person chose none.
OWN = "my own classes"


def groups_to_choose(base: Tree) -> list[str]:
    """The groups that a new class can be put into: those that hold classes."""
    return [
        each.name
        for each in base.groups
        if base.nodes[base.children(each.id)[0]].level == Level.CLASS
    ]


def taught_tree(labels: Sequence[str], groups: Mapping[str, str], base: Tree) -> Tree:
    """The tree of taught classes.

    Parameters
    ----------
    labels : sequence of str
    groups : mapping of str to str
        The group of the model's tree that a person chose for a new class.
    base : Tree
        The model's.

    Returns
    -------
    Tree
        A flat one if the model's is, or if all classes would be in one group.
    """
    known = {each.name.casefold(): each.name for each in base.nodes if each.level == Level.CLASS}
    inside: dict[str, list[str]] = {}
    for label in labels:
        name = known.get(label.casefold())
        if name is not None:
            group = base.path([each.name for each in base.nodes].index(name))[-2:-1]
        else:
            chosen = groups.get(label)
            group = (chosen,) if chosen in groups_to_choose(base) else ()
        inside.setdefault(group[0] if group else OWN, []).append(label)
    nested = _pruned(base.to_json() or {}, inside)
    if OWN in inside:
        nested[OWN] = inside[OWN]
    while len(nested) == 1:
        (only,) = nested.values()
        if not isinstance(only, dict):
            return Tree.flat(tuple(labels))
        nested = only
    try:
        return Tree.from_json(tuple(labels), _without_clashes(nested, set(labels)))
    except ValueError:
        # A tree of more nodes than a survey can store.
        return Tree.flat(tuple(labels))


def _pruned(nested: Mapping[str, Any], inside: Mapping[str, list[str]]) -> dict[str, Any]:
    """A tree with other classes in its groups, without groups that are empty then."""
    found: dict[str, Any] = {}
    for name, content in nested.items():
        left = _pruned(content, inside) if isinstance(content, Mapping) else inside.get(name)
        if left:
            found[name] = left
    return found


def _without_clashes(nested: Mapping[str, Any], labels: set[str]) -> dict[str, Any]:
    """A tree in which no group is called what a class is."""
    return {
        f"{name} (group)" if name in labels else name: _without_clashes(content, labels)
        if isinstance(content, dict)
        else content
        for name, content in nested.items()
    }


def levels_of(
    tree: Tree, probability: NDArray[np.float64], classes: NDArray[np.int64], threshold: float
) -> Levels:
    """Thresholds of a tree, each fitted as that of the classes is.

    Parameters
    ----------
    tree : Tree
    probability : ndarray of float64, shape (n, C)
        Of examples, by layers that did not learn from them.
    classes : ndarray of int64, shape (n,)
    threshold : float
        Of the classes.
    """
    found = {Level.TOP: threshold, Level.GROUP: threshold}
    leaders = tree.leaders(probability.astype(np.float32))
    for rank in range(leaders.nodes.shape[1] - 1):
        nodes = leaders.nodes[:, rank]
        right = tree.membership[classes, nodes] > 0
        level = tree.nodes[int(nodes[0])].level
        least = surest(leaders.probability[:, rank], right)
        # Ranks of one level share a threshold, which the strictest of them sets.
        found[level] = least if rank < 2 else max(found[level], least)
    return Levels(found[Level.TOP], found[Level.GROUP], threshold)

"""The tree of a model's classes, and the finest answer in it that a threshold vouches for.

A network that can't tell dense from medium residential areas may still know that it sees houses.
So an answer is a node of a tree: a class, or a group of classes whose probability is the sum of
theirs. Each level of the tree has a threshold, fitted so that answers at that level keep a promised
accuracy; the answer is the finest node that reaches its own. This guarantees accuracy and maximises
specificity: Deng et al., Hedging Your Bets, CVPR 2012.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A GeoTIFF holds a node in a byte, in which 255 means that there is none.
MOST_NODES = 255
# Groups inside one another.
MOST_NESTED = 4
# Stands for a node if none reaches its threshold.
NOT_SURE = -1


class Level(IntEnum):
    """How fine a node is; the numbers count from coarse to fine."""

    TOP = 0
    GROUP = 1
    CLASS = 2

    @property
    def label(self) -> str:
        """Name of the level in cards and exported files.

        >>> Level.TOP.label
        'top'
        """
        return self.name.lower()


class Levels(NamedTuple):
    """The probability from which a node of each level may be the answer.

    Attributes
    ----------
    top : float
        Of the groups at the top of the tree.
    group : float
        Of all other groups.
    cls : float
        Of the classes.
    """

    top: float
    group: float
    cls: float

    @classmethod
    def from_json(cls, facts: object) -> Levels:
        """Read the ``levels`` of a card, a mapping of each level's name to its threshold.

        Raises
        ------
        ValueError
            If a level is missing, or its threshold is not a number from 0 to 1. The message can
            follow a colon.
        """
        if not isinstance(facts, Mapping):
            raise ValueError("it gives no levels for its tree")
        for level in Level:
            if level.label not in facts:
                raise ValueError(f"its levels lack {level.label}")
            value = facts[level.label]
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 <= value <= 1:
                raise ValueError(
                    f"the threshold of the level {level.label} is {reprlib.repr(value)}, "
                    "not a number from 0 to 1"
                )
        return cls(*(float(facts[level.label]) for level in Level))

    def to_json(self) -> dict[str, float]:
        """What `from_json` reads."""
        return {level.label: self[level] for level in Level}

    def at(self, threshold: float) -> Levels:
        """The thresholds when a person sets that of the classes.

        Those of the groups stay as they are, but while the person asks for less than the model
        vouches for, none is higher than what they ask for. So no threshold falls as this one
        rises, and raising it never makes an answer finer.

        >>> Levels(0.7, 0.8, 0.9).at(0.95)
        Levels(top=0.7, group=0.8, cls=0.95)
        >>> Levels(0.7, 0.8, 0.9).at(0.75)
        Levels(top=0.7, group=0.75, cls=0.75)
        """
        if threshold >= self.cls:
            return self._replace(cls=threshold)
        return Levels(min(self.top, threshold), min(self.group, threshold), threshold)


class Node(NamedTuple):
    """A class, or a group of classes.

    Attributes
    ----------
    id : int
        Of a class, its place among the model's outputs; the groups follow.
    name : str
        Label of the class, or name of the group.
    parent : int or None
        The group that it is in.
    level : Level
    classes : tuple of int
        The classes inside, in the order of the outputs; of a class, itself.
    """

    id: int
    name: str
    parent: int | None
    level: Level
    classes: tuple[int, ...]


class Leaders(NamedTuple):
    """The most probable node of each rank, for N chips; see `Tree.leaders`.

    Attributes
    ----------
    nodes : ndarray of int64, shape (N, R)
    probability : ndarray of float64, shape (N, R)
        In double precision, so that thresholds are compared as they are written.
    """

    nodes: NDArray[np.int64]
    probability: NDArray[np.float64]


@dataclass(frozen=True)
class Tree:
    """Classes and the groups that they are in.

    Nodes have a rank, from coarse to fine: groups by how many groups they are in, then the
    classes, wherever they hang. Nodes of one rank share a threshold.

    Attributes
    ----------
    nodes : tuple of Node
        By id: first the C classes, then the groups, each before what is inside it; K in all.
    """

    nodes: tuple[Node, ...]

    @classmethod
    def flat(cls, labels: tuple[str, ...]) -> Tree:
        """A tree of classes without any group."""
        return cls(
            tuple(
                Node(each, label, None, Level.CLASS, (each,)) for each, label in enumerate(labels)
            )
        )

    @classmethod
    def from_json(cls, labels: tuple[str, ...], nested: object) -> Tree:
        """Read the ``tree`` of a card.

        Parameters
        ----------
        labels : tuple of str
            Of the classes, in the order of the model's outputs.
        nested : object
            Mappings of the names of groups to what is inside: such a mapping, or a list of labels.

        Raises
        ------
        ValueError
            If it is something else; if a label is missing, unknown or there twice; if a group is
            empty, or its name is used twice; if groups are nested too deeply, or there are too
            many nodes. The message can follow a colon.
        """
        return cls(_Reader(labels).read(nested))

    def to_json(self) -> dict[str, Any] | None:
        """What `from_json` reads; ``None`` for a flat tree."""
        if self.is_flat:
            return None
        return {each.name: self._inside(each) for each in self.groups if each.parent is None}

    def _inside(self, group: Node) -> dict[str, Any] | list[str]:
        children = [self.nodes[each] for each in self.children(group.id)]
        if children[0].level == Level.CLASS:
            return [each.name for each in children]
        return {each.name: self._inside(each) for each in children}

    @property
    def is_flat(self) -> bool:
        """Whether there are no groups."""
        return not self.groups

    @cached_property
    def groups(self) -> tuple[Node, ...]:
        """All groups, by id."""
        return tuple(each for each in self.nodes if each.level != Level.CLASS)

    def _upwards(self, node_id: int) -> Iterator[Node]:
        """A node, then the groups that it is in, from the bottom up."""
        above: int | None = node_id
        while above is not None:
            node = self.nodes[above]
            yield node
            above = node.parent

    def path(self, node_id: int) -> tuple[str, ...]:
        """Names from the top of the tree down to a node."""
        return tuple(each.name for each in self._upwards(node_id))[::-1]

    def depth(self, node_id: int) -> int:
        """Number of groups that a node is in."""
        return sum(1 for _ in self._upwards(node_id)) - 1

    def top_of(self, node_id: int) -> int:
        """The node at the top of the tree that a node is in, or is."""
        return [each.id for each in self._upwards(node_id)][-1]

    def children(self, node_id: int) -> tuple[int, ...]:
        """The nodes directly inside a node, by id; none for a class."""
        return self._children.get(node_id, ())

    @cached_property
    def _children(self) -> dict[int | None, tuple[int, ...]]:
        """Of each group; of ``None``, what is at the top."""
        found: dict[int | None, list[int]] = {}
        for each in self.nodes:
            found.setdefault(each.parent, []).append(each.id)
        return {parent: tuple(children) for parent, children in found.items()}

    def is_inside(self, node_id: int, outer: int) -> bool:
        """Whether a node is another one, or is in it."""
        return any(each.id == outer for each in self._upwards(node_id))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """All nodes as a list of contents has them: each group, then what is inside it."""

        def under(node_id: int | None) -> Iterator[int]:
            for each in self._children.get(node_id, ()):
                yield each
                yield from under(each)

        return tuple(under(None))

    @cached_property
    def membership(self) -> NDArray[np.float32]:
        """Whether each class is in each node, 0 or 1, shape (C, K)."""
        inside = np.zeros((len(self.nodes) - len(self.groups), len(self.nodes)), np.float32)
        for each in self.nodes:
            inside[list(each.classes), each.id] = 1
        return inside

    @cached_property
    def _ranks(self) -> list[tuple[Level, NDArray[np.int64]]]:
        """Level and nodes of each rank."""
        by_depth: dict[int, list[Node]] = {}
        for each in self.groups:
            by_depth.setdefault(self.depth(each.id), []).append(each)
        classes = [each for each in self.nodes if each.level == Level.CLASS]
        return [
            (rank[0].level, np.array([each.id for each in rank]))
            for rank in [*(by_depth[depth] for depth in sorted(by_depth)), classes]
        ]

    def probabilities(self, probability: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of all nodes.

        Parameters
        ----------
        probability : ndarray of float32, shape (N, C)
            Of the classes.

        Returns
        -------
        ndarray of float32, shape (N, K)
            Those of the classes as they are given; of a group, the sum of those inside it.
        """
        if self.is_flat:
            return probability
        classes = probability.shape[1]
        return np.concatenate([probability, probability @ self.membership[:, classes:]], 1)

    def leaders(self, probability: NDArray[np.float32]) -> Leaders:
        """The most probable node of each rank; of equal ones, the first.

        Whatever the thresholds, the answer is one of these; see `choose`.

        Parameters
        ----------
        probability : ndarray of float32, shape (N, C)
        """
        summed = self.probabilities(probability)
        cells = np.arange(len(summed))
        leaders = [nodes[summed[:, nodes].argmax(1)] for _, nodes in self._ranks]
        return Leaders(
            np.stack(leaders, 1),
            np.stack([summed[cells, each] for each in leaders], 1).astype(np.float64),
        )

    def choose(self, leaders: Leaders, levels: Levels) -> NDArray[np.int64]:
        """The leader of the finest rank that reaches its level's threshold.

        Returns
        -------
        ndarray of int64, shape (N,)
            Ids of nodes, and `NOT_SURE`.
        """
        answers = np.full(len(leaders.nodes), NOT_SURE, np.int64)
        for rank, (level, _) in enumerate(self._ranks):
            reached = leaders.probability[:, rank] >= levels[level]
            answers[reached] = leaders.nodes[reached, rank]
        return answers

    def answers(self, probability: NDArray[np.float32], levels: Levels) -> NDArray[np.int64]:
        """The finest node that reaches its level's threshold, for N chips.

        Of several such nodes of the same rank, which can only be if their threshold is at most
        one half, it is the most probable.

        Parameters
        ----------
        probability : ndarray of float32, shape (N, C)
        levels : Levels

        Returns
        -------
        ndarray of int64, shape (N,)
            Ids of nodes, and `NOT_SURE`.
        """
        return self.choose(self.leaders(probability), levels)


class _Reader:
    """Reads the ``tree`` of a card; see `Tree.from_json`."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._ids = {label: class_id for class_id, label in enumerate(labels)}
        if len(self._ids) < len(labels):
            raise ValueError("it has two classes of the same name")
        self._parents: dict[int, int] = {}
        self._groups: list[Node] = []

    def read(self, nested: object) -> tuple[Node, ...]:
        """All nodes."""
        if not isinstance(nested, Mapping):
            raise ValueError("its tree is not a mapping of groups to what is inside them")
        for name, inside in nested.items():
            self._group(name, inside, None, 1)
        missing = [each for each in self._labels if self._ids[each] not in self._parents]
        if missing:
            raise ValueError(f"its tree lacks the class {missing[0]!r}")
        classes = [
            Node(class_id, label, self._parents[class_id], Level.CLASS, (class_id,))
            for class_id, label in enumerate(self._labels)
        ]
        return (*classes, *self._groups)

    def _group(self, name: object, inside: object, parent: int | None, depth: int) -> set[int]:
        """Read a group; the classes inside."""
        if not isinstance(name, str) or not name or not _can_be_written(name):
            raise ValueError("its tree has a group without a usable name")
        if name in self._ids or any(each.name == name for each in self._groups):
            raise ValueError(f"its tree uses the name {name!r} twice")
        if depth > MOST_NESTED:
            raise ValueError(f"its tree has more than {MOST_NESTED} groups inside one another")
        place = len(self._groups)
        group_id = len(self._labels) + place
        if group_id >= MOST_NODES:
            raise ValueError(f"its tree has more than {MOST_NODES} classes and groups")
        level = Level.TOP if parent is None else Level.GROUP
        group = Node(group_id, name, parent, level, ())
        self._groups.append(group)
        classes: set[int] = set()
        if isinstance(inside, Mapping):
            for each, further in inside.items():
                classes |= self._group(each, further, group_id, depth + 1)
        elif isinstance(inside, (list, tuple)):
            classes = {self._class(each, group_id) for each in inside}
        else:
            raise ValueError(f"the group {name!r} of its tree holds neither labels nor groups")
        if not classes:
            raise ValueError(f"the group {name!r} of its tree is empty")
        self._groups[place] = group._replace(classes=tuple(sorted(classes)))
        return classes

    def _class(self, label: object, group_id: int) -> int:
        if not isinstance(label, str) or label not in self._ids:
            raise ValueError(f"its tree names {reprlib.repr(label)}, which is none of its classes")
        class_id = self._ids[label]
        if class_id in self._parents:
            raise ValueError(f"its tree has the class {label!r} twice")
        self._parents[class_id] = group_id
        return class_id


def _can_be_written(name: str) -> bool:
    """Whether it has no half of a surrogate pair."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True

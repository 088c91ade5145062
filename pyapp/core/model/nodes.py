"""The nodes of a tree of classes, read from a model's card."""

import reprlib
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

# A GeoTIFF holds a node in a byte, in which 255 means that there is none.
MOST_NODES = 255
# Groups inside one another.
MOST_NESTED = 4


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


def read_nodes(labels: tuple[str, ...], nested: object) -> tuple[Node, ...]:
    """All nodes of the ``tree`` of a card; parameters as of `Tree.from_json`.

    Returns
    -------
    tuple of Node
        First the classes, then the groups, each before what is inside it.

    Raises
    ------
    ValueError
        If it is something else; if a label is missing, unknown or there twice; if a group is
        empty, or its name is used twice; if groups are nested too deeply, or there are too many
        nodes. The message can follow a colon.
    """
    return _Reader(labels).read(nested)


class _Reader:
    """Reads the ``tree`` of a card; see `read_nodes`."""

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

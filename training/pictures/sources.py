"""Sources of pictures: what their labels mean in the tree of a model, and whose they are."""

import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from pyapp.core.model.tree import Level, Tree
from training.errors import TrainingError
from training.pictures import data
from training.tables import from_table

UNKNOWN_GROUND = (math.nan, math.nan)
# With less of its side, a picture has too few pixels for a chip.
LEAST_CROP = 0.35


@dataclass(frozen=True)
class Meaning:
    """What the labels of a source mean in one tree.

    Attributes
    ----------
    allows : dict of str to tuple of str
        Classes and groups that are right for a label; of a group, everything inside is right.
    coarse : dict of str to tuple of str
        Groups that are right for a label although nothing inside is: no class names what it shows.
    left_out : dict of str to str
        Labels that nothing is learned from or judged by, each with the reason.
    ground_m : tuple of float
        Side of the ground that pictures show, least and most, in metres; not numbers if unknown.
    not_judged : dict of str to str
        Labels that are learned from but not judged by, each with the reason.
    also_right : dict of str to tuple of str
        What is a right answer for a label too, though nothing is learned from that.
    """

    allows: dict[str, tuple[str, ...]]
    coarse: dict[str, tuple[str, ...]]
    left_out: dict[str, str]
    ground_m: tuple[float, float] = field(default=UNKNOWN_GROUND)
    not_judged: dict[str, str] = field(default_factory=dict)
    also_right: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def unjudged(self) -> dict[str, str]:
        """Labels that nothing is judged by, each with the reason."""
        return self.left_out | self.not_judged

    def share_for(self, footprint_m: float) -> float:
        """Share of a picture's side to use, so that it never shows less than a chip should.

        The middle of the pictures if even the closest of them show more ground than a chip;
        everything if how much they show is unknown.
        """
        least_m = self.ground_m[0]
        return 1.0 if math.isnan(least_m) else min(1.0, footprint_m / least_m)

    def crop_for(self, footprint_m: float) -> tuple[float, float]:
        """Least and most of a picture's side that a chip shows while training."""
        least_m, most_m = self.ground_m
        if math.isnan(least_m):
            return 1.0, 1.0
        most = max(LEAST_CROP, min(1.0, footprint_m / least_m))
        return min(most, max(LEAST_CROP, footprint_m / most_m)), most


@dataclass(frozen=True)
class Description:
    """What ``sources/<name>.toml`` says.

    Attributes
    ----------
    title, credit, citation, licence : str
    research_only : bool
        Whether the licence, or what is known of the pictures' origin, allows research only.
    trees : dict of str to Meaning
        By the name of a tree.
    """

    title: str
    credit: str
    citation: str
    licence: str
    research_only: bool
    trees: dict[str, Meaning]


@dataclass(frozen=True)
class Source:
    """A folder of class folders, and what its labels mean.

    Attributes
    ----------
    name : str
    whole, folder : Path
        Everything of it; the part with one folder of pictures per label, without test pictures.
    description : Description
    meaning : Meaning
        Of its labels in the tree.
    labels : tuple of str
        Names of the folders, sorted.
    allowed, right : ndarray of bool, shape (L, K)
        Which nodes of the tree a label allows to be learned, and which are right answers.
    tree : Tree
    """

    name: str
    whole: Path
    folder: Path
    description: Description
    meaning: Meaning
    labels: tuple[str, ...]
    allowed: NDArray[np.bool_]
    right: NDArray[np.bool_]
    tree: Tree

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes of the tree, in the order of a model's outputs."""
        return tuple(each.name for each in self.tree.nodes if each.level == Level.CLASS)

    def is_judged(self, label: str) -> bool:
        """Whether answers for a label count."""
        return label not in self.meaning.unjudged

    def classes_for(self, label: str) -> tuple[int, ...]:
        """The classes that a label allows; none if it is right as a group only, or left out."""
        allowed = self.allowed[self.labels.index(label)]
        return tuple(
            each.id for each in self.tree.nodes if each.level == Level.CLASS and allowed[each.id]
        )


def read_tree(name: str, labels: tuple[str, ...] | None, folder: Path) -> Tree:
    """The tree in ``<folder>/<name>.toml``, for a model with some labels.

    Without labels, the classes are those of the tree, sorted by name.

    Raises
    ------
    TrainingError
        If the file can't be read, or is not a tree of these labels.
    """
    file = folder / f"{name}.toml"
    try:
        nested = _toml(file)
        return Tree.from_json(tuple(sorted(_leaves(nested))) if labels is None else labels, nested)
    except ValueError as error:
        raise TrainingError(f"The tree {file} cannot be used: {error}.") from error


def classes_of(name: str, folder: Path) -> tuple[str, ...]:
    """The classes of the tree in ``<folder>/<name>.toml``, sorted; none if there is no such tree.

    Raises
    ------
    TrainingError
        As `read_tree` does.
    """
    if not (folder / f"{name}.toml").exists():
        return ()
    tree = read_tree(name, None, folder)
    return tuple(each.name for each in tree.nodes if each.level == Level.CLASS)


def describe(name: str, folder: Path) -> Description:
    """What ``<folder>/<name>.toml`` says of a source.

    Raises
    ------
    TrainingError
        If it can't be read, or has unknown keys or wrong types.
    """
    file = folder / f"{name}.toml"
    try:
        return from_table(Description, _toml(file), "the file")
    except ValueError as error:
        raise TrainingError(f"The source {file} cannot be used: {error}.") from error


def _leaves(nested: object) -> Iterator[str]:
    """The classes of a nested mapping."""
    if isinstance(nested, dict):
        for each in nested.values():
            yield from _leaves(each)
    elif isinstance(nested, list):
        yield from (str(each) for each in nested)


def read(name: str, folder: Path, tree: Tree, descriptions: Path, tree_name: str) -> Source:
    """A source whose description agrees with its folder and with the tree.

    Parameters
    ----------
    name : str
    folder : Path
        Of class folders, or with parts ``train`` and ``test``, of which the test stays closed.
    tree : Tree
    descriptions : Path
        Folder of descriptions.
    tree_name : str
        What descriptions call the tree.

    Raises
    ------
    TrainingError
        If there is no description, or it has unknown keys or wrong types; if it names something
        that is not in the tree, misses a label that has a folder, has one without a folder or
        twice, or allows nothing for one.
    """
    file = descriptions / f"{name}.toml"
    if not file.exists():
        raise TrainingError(
            f"{folder} has no description. Write {file}, or move the folder elsewhere."
        )
    own = folder / data.TRAIN_FOLDER if data.has_own_test(folder) else folder
    labels = tuple(each.name for each in data.class_folders(own))
    try:
        description = describe(name, descriptions)
        meaning = _meaning(description, tree_name)
        _check_ground(meaning.ground_m)
        _check_labels(meaning, labels)
        allowed = np.stack([_allowed(meaning, each, tree) for each in labels])
        also = np.stack([_inside(meaning.also_right.get(each, ()), each, tree) for each in labels])
    except ValueError as error:
        raise TrainingError(f"The source {file} cannot be used: {error}.") from error
    return Source(name, folder, own, description, meaning, labels, allowed, allowed | also, tree)


def _meaning(description: Description, tree_name: str) -> Meaning:
    if tree_name not in description.trees:
        raise ValueError(f"it says nothing about the tree {tree_name}")
    return description.trees[tree_name]


def read_all(
    names: Iterable[str], folder: Path, tree: Tree, descriptions: Path, tree_name: str
) -> list[Source]:
    """The sources of some names in a folder of sources.

    Raises
    ------
    TrainingError
        As `read` does; also if a folder beside them holds pictures by class but has no description.
    """
    if not folder.is_dir():
        raise TrainingError(
            f"There is no folder {folder}. Name one with --data: it should hold one folder per "
            "source, each with one folder of pictures per label."
        )
    for each in sorted(folder.iterdir()):
        if _has_class_folders(each) and not (descriptions / f"{each.name}.toml").exists():
            read(each.name, each, tree, descriptions, tree_name)
    return [read(each, folder / each, tree, descriptions, tree_name) for each in names]


def _has_class_folders(folder: Path) -> bool:
    """Whether a folder looks like a source."""
    if not folder.is_dir() or folder.name.startswith("."):
        return False
    own = folder / data.TRAIN_FOLDER if data.has_own_test(folder) else folder
    return any(data.picture_files(each) for each in own.iterdir() if each.is_dir())


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"it can't be read ({error})") from error


def _check_ground(ground_m: tuple[float, float]) -> None:
    least_m, most_m = ground_m
    if not (math.isnan(least_m) and math.isnan(most_m)) and not 0 < least_m <= most_m < math.inf:
        raise ValueError(f"ground_m = [{least_m:g}, {most_m:g}] is not a range of metres")


def _check_labels(meaning: Meaning, labels: tuple[str, ...]) -> None:
    named = {*meaning.allows, *meaning.coarse}
    for each in labels:
        if each not in named and each not in meaning.left_out:
            raise ValueError(f"it says nothing about the label {each}, which has a folder")
    for each in sorted(named | set(meaning.left_out)):
        if each not in labels:
            raise ValueError(f"it names the label {each}, which has no folder")
        if each in named and each in meaning.left_out:
            raise ValueError(f"it leaves out the label {each}, and says what it allows")
    for each in sorted({*meaning.not_judged, *meaning.also_right} - named):
        raise ValueError(f"it says how the label {each} is judged, but not what it allows")


def _allowed(meaning: Meaning, label: str, tree: Tree) -> NDArray[np.bool_]:
    """The nodes that a label allows, shape (K,), and the groups above."""
    if label in meaning.left_out:
        return np.zeros(len(tree.nodes), bool)
    allows, coarse = (each.get(label, ()) for each in (meaning.allows, meaning.coarse))
    if not allows and not coarse:
        raise ValueError(f"it allows nothing for the label {label}")
    return _inside(allows, label, tree) | _above(coarse, label, tree)


def _inside(names: Iterable[str], label: str, tree: Tree) -> NDArray[np.bool_]:
    """Some nodes, what is inside them, and the groups above, shape (K,)."""
    found = _above(names, label, tree, groups_only=False)
    ids = {each.name: each.id for each in tree.nodes}
    for name in names:
        found |= [tree.is_inside(node.id, ids[name]) for node in tree.nodes]
    return found


def _above(
    names: Iterable[str], label: str, tree: Tree, groups_only: bool = True
) -> NDArray[np.bool_]:
    """Some groups, and the groups above them, shape (K,)."""
    found = np.zeros(len(tree.nodes), bool)
    ids = {each.name: each.id for each in tree.nodes}
    for name in names:
        if name not in ids:
            raise ValueError(f"{name!r}, allowed for the label {label}, is not in the tree")
        if groups_only and not tree.children(ids[name]):
            raise ValueError(f"{name!r}, coarse for the label {label}, is not a group")
        found |= [tree.is_inside(ids[name], node.id) for node in tree.nodes]
    return found

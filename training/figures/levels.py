"""Thresholds for the levels of a tree, fitted on what a model says of sources that are new to it.

A threshold fitted on the source that a network learned from promises nothing about another source.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyapp.core.model.tree import NOT_SURE, Level, Levels, Tree
from training.figures.calibrate import wilson

# Thresholds to choose from. Probabilities crowd near 1, so the steps become finer there. One half
# is the least: a node less probable than all others together isn't sure.
CANDIDATES = np.concatenate(
    [np.arange(50, 99) / 100, np.arange(990, 1000) / 1000, np.arange(9991, 10000) / 10000]
)
# The threshold of a level that can't keep the promise, and a bar that nothing reaches.
HIGHEST, NEVER = 1.0, float("inf")
# Stands for all levels together.
ANY = "any"


@dataclass(frozen=True)
class Judged:
    """Chips of one or more sources, and which answers would be right.

    Attributes
    ----------
    probability : ndarray of float32, shape (N, C)
        Of the classes, as the model gives them.
    right : ndarray of bool, shape (N, K)
        Whether each node of the tree would be a right answer.
    weight : ndarray of float64, shape (N,)
        How much each chip counts.
    """

    probability: NDArray[np.float32]
    right: NDArray[np.bool_]
    weight: NDArray[np.float64]


class LevelFigures(NamedTuple):
    """How the answers given at one level, or at any, turned out.

    Attributes
    ----------
    answers : int
        Number of answers.
    share : float
        Their share of all chips, by weight.
    right : float
        Share of them that is right, by weight; not a number if there are none.
    lower : float
        Lower end of the 95 % interval of ``right``.
    """

    answers: int
    share: float
    right: float
    lower: float


def pooled(parts: Iterable[Judged]) -> Judged:
    """Several sources as one in which each counts the same."""
    parts = list(parts)
    return Judged(
        np.concatenate([each.probability for each in parts]),
        np.concatenate([each.right for each in parts]),
        np.concatenate([each.weight / each.weight.sum() for each in parts]),
    )


def equal_weights(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights, shape (N,), with which every label that occurs counts the same; their sum is 1."""
    _, place, count = np.unique(labels, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = 1 / (count[place] * len(count))
    return weights


def share_right(right: NDArray[np.bool_], weight: NDArray[np.float64]) -> tuple[float, float]:
    """The share of answers that is right, and the lower end of its 95 % interval.

    Weighted answers say less than as many that count the same, so the Wilson interval is taken at
    the effective number of answers (Kish, Survey Sampling, 1965). Clopper and Pearson's needs whole
    numbers, and is wider than it has to be.
    """
    if not len(right):
        return float("nan"), 0.0
    share = float(weight[right].sum() / weight.sum())
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    return share, wilson(share * effective, effective)[0]


def fit(tree: Tree, chips: Judged, wanted: float) -> Levels:
    """The lowest thresholds with which answers keep a promise, from the top to the classes.

    The lowest threshold of the top answers as many chips as can be; those of the finer levels then
    make as many answers finer as can be. The easy answers are the first to become finer, which
    leaves the hard ones behind, so a finer level must not spoil the promise of a coarser one.

    Parameters
    ----------
    tree : Tree
    chips : Judged
    wanted : float
        Share of right answers. When a level is fitted, the lower end of the 95 % interval must
        reach it for the answers given there, and the share itself for what coarser levels keep.

    Returns
    -------
    Levels
        `HIGHEST` for a level at which no candidate keeps the promise.
    """
    leaders = tree.leaders(chips.probability)
    chosen = [NEVER] * len(Level)
    for level in Level:
        for candidate in CANDIDATES:
            chosen[level] = float(candidate)
            found = _figures(tree, chips, tree.choose(leaders, Levels(*chosen)))
            coarser = [found[each.label] for each in Level if each < level]
            if found[level.label].lower >= wanted and all(
                each.right >= wanted for each in coarser if each.answers
            ):
                break
        else:
            chosen[level] = NEVER
    return Levels(*(min(each, HIGHEST) for each in chosen))


def judge(tree: Tree, chips: Judged, levels: Levels) -> dict[str, LevelFigures]:
    """How the answers turn out under some thresholds: at `ANY` level, and at each by its name."""
    return _figures(tree, chips, tree.answers(chips.probability, levels))


def _figures(tree: Tree, chips: Judged, answers: NDArray[np.int64]) -> dict[str, LevelFigures]:
    given = {ANY: answers != NOT_SURE}
    level_of = np.array([each.level for each in tree.nodes])
    for level in Level:
        given[level.label] = given[ANY] & (level_of[answers] == level)
    found = {}
    for name, mask in given.items():
        weight = chips.weight[mask]
        right, lower = share_right(chips.right[mask, answers[mask]], weight)
        share = float(weight.sum() / chips.weight.sum())
        found[name] = LevelFigures(int(mask.sum()), share, right, lower)
    return found

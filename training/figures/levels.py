"""Thresholds for the levels of a tree, fitted on what a model says of sources that are new to it.

A threshold fitted on the source that a network learned from promises nothing about another source.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyapp.core.model.tree import NOT_SURE, Level, Levels, Tree
from training.figures.calibrate import wilson, wilson_interval

# Thresholds to choose from. Probabilities crowd near 1, so the steps become finer there. One half
# is the least: a node less probable than all others together isn't sure.
CANDIDATES = np.concatenate(
    [np.arange(50, 99) / 100, np.arange(990, 1000) / 1000, np.arange(9991, 10000) / 10000]
)
# The threshold of a level that can't keep the promise, and a bar that nothing reaches.
HIGHEST, NEVER = 1.0, float("inf")
# Differences of running sums are not quite 0 where nothing is left.
SOME = 1e-12
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
    """The thresholds with which answers say most while they keep a promise.

    What a right answer says is counted in bits, as in Deng et al. (see `pyapp.core.model.tree`):
    the logarithm of how many times fewer classes are left than before; a wrong one says nothing.
    That weighs how many chips are answered against how finely.

    Parameters
    ----------
    tree : Tree
    chips : Judged
    wanted : float
        Share of right answers. All answers together must reach it by the lower end of their 95 %
        interval. Those of each level must reach it themselves, and the lower end of their interval
        must not allow more than twice the wrong answers.

    Returns
    -------
    Levels
        `HIGHEST` for a level at which no candidate keeps the promise.
    """
    search = _Search(tree, chips, wanted)
    best, chosen = 0.0, Levels(NEVER, NEVER, NEVER)
    for top in (*CANDIDATES, NEVER):
        for group in (*CANDIDATES, NEVER):
            bits = search.bits_by_class(float(top), float(group))
            place = int(bits.argmax())
            if bits[place] > best:
                best = float(bits[place])
                chosen = Levels(float(top), float(group), search.classes[place])
    return Levels(*(min(each, HIGHEST) for each in chosen))


class _Search:
    """What answers say under every threshold of the classes at once.

    A chip is answered by a class up to some threshold, and by a group, or not at all, from there
    on. So all sums are running sums over the thresholds.
    """

    def __init__(self, tree: Tree, chips: Judged, wanted: float):
        self._tree, self._chips, self._wanted = tree, chips, wanted
        self._leaders = tree.leaders(chips.probability)
        inside = np.array([len(each.classes) for each in tree.nodes])
        self._bits = np.log2(chips.probability.shape[1] / inside)
        self._level_of = np.array([each.level for each in tree.nodes])
        self.classes = [*CANDIDATES.tolist(), NEVER]
        # How many of the thresholds, from the lowest on, let a class answer.
        self._reached = np.searchsorted(
            self.classes, self._leaders.probability[:, -1], side="right"
        )
        by_class = self._sums(self._leaders.nodes[:, -1])[Level.CLASS]
        self._by_class = by_class.sum(1, keepdims=True) - by_class.cumsum(1)

    def _sums(self, answers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weight, right, squares and bits, by level and by what is reached, shape (3, 4, T + 1)."""
        given = answers != NOT_SURE
        answers, reached = answers[given], self._reached[given]
        weight = self._chips.weight[given]
        right = np.where(self._chips.right[given, answers], weight, 0.0)
        size = len(self.classes) + 1
        place = self._level_of[answers] * size + reached
        return np.stack(
            [
                np.bincount(place, each, len(Level) * size).reshape(len(Level), size)
                for each in (weight, right, weight**2, right * self._bits[answers])
            ],
            1,
        ).astype(np.float64)

    def bits_by_class(self, top: float, group: float) -> NDArray[np.float64]:
        """Bits for each threshold of the classes, shape (T,); 0 where the promise is not kept."""
        answers = self._tree.choose(self._leaders, Levels(top, group, NEVER))
        sums = self._sums(answers).cumsum(2)
        sums[Level.CLASS] = self._by_class
        weight, right, squares, bits = sums[..., :-1].transpose(1, 0, 2)
        share, lower = _share_and_lower(weight, right, squares)
        kept = (share >= self._wanted) & (lower >= 2 * self._wanted - 1) | (weight < SOME)
        together = _share_and_lower(weight.sum(0), right.sum(0), squares.sum(0))[1]
        return np.where(kept.all(0) & (together >= self._wanted), bits.sum(0), 0.0)


def _share_and_lower(
    weight: NDArray[np.float64], right: NDArray[np.float64], squares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`share_right` of many sets of answers, from their sums; 0 for sets without any."""
    some = weight >= SOME
    share = np.divide(right, weight, out=np.zeros_like(weight), where=some).clip(0, 1)
    effective = np.divide(weight**2, squares, out=np.ones_like(weight), where=some)
    return share, np.where(some, wilson_interval(share, effective)[0], 0.0)


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

"""What changed between two surveys of the same squares, and what can't be told."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.change.errors import (
    NoLabelSetsError,
    NothingInCommonError,
    OtherGridError,
    OtherModelError,
    SameImageryError,
    UnfinishedError,
)
from pyapp.core.model.card import Card
from pyapp.core.model.prediction import Prediction
from pyapp.core.model.tree import NOT_SURE, Tree
from pyapp.core.survey.survey import Survey

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Footprints of five that have to confirm an answer.
LEAST_ANSWERS = 3
NOTHING_GIVEN: Mapping[int, int] = MappingProxyType({})


class Outcome(IntEnum):
    """What is said of a square."""

    SAME = 0
    CHANGED = 1
    # Label sets have nothing in common; five footprints of each date are still to be looked at.
    TO_LOOK_AT = 2
    # For these reasons nothing can be said.
    NO_IMAGERY = 3
    NOT_SURE = 4
    TOO_CLOSE = 5
    UNSTEADY = 6


class Verdict(NamedTuple):
    """What five footprints of each date say of a square.

    Attributes
    ----------
    outcome : Outcome
    before, after : int
        Nodes; `NOT_SURE` unless it has changed.
    """

    outcome: Outcome
    before: int = NOT_SURE
    after: int = NOT_SURE


class Transition(NamedTuple):
    """Squares that were one thing and are another.

    Attributes
    ----------
    before, after : int
        Nodes of the model's tree.
    squares : int
    hectares : float
    """

    before: int
    after: int
    squares: int
    hectares: float


@dataclass
class Change:
    """Two surveys of the same N squares, and what is said of each square.

    Attributes
    ----------
    before, after : Survey
        The earlier and the later one.
    outcome : ndarray of uint8, shape (N,)
        See `Outcome`.
    nodes : ndarray of int64, shape (N, 2)
        What a square was and is; `NOT_SURE` if that can't be said.
    """

    before: Survey
    after: Survey
    outcome: NDArray[np.uint8]
    nodes: NDArray[np.int64]

    @property
    def left(self) -> list[int]:
        """Squares that are still to be looked at."""
        return [int(each) for each in np.flatnonzero(self.outcome == Outcome.TO_LOOK_AT)]

    def take(self, number: int, verdict: Verdict) -> None:
        """Note what is said of a square."""
        self.outcome[number] = verdict.outcome
        self.nodes[number] = verdict.before, verdict.after

    def count(self, *outcomes: Outcome) -> tuple[int, float]:
        """Squares of which one of these is said, and their hectares."""
        wanted = np.zeros(len(Outcome), bool)
        wanted[list(outcomes)] = True
        among = wanted[self.outcome]
        return int(among.sum()), float(self.before.grid.hectares[among].sum())

    def changed(self, before: int | None = None, after: int | None = None) -> list[int]:
        """Numbers of the squares that have changed, from and to certain nodes if wanted."""
        among = self.outcome == Outcome.CHANGED
        if before is not None:
            among = among & (self.nodes[:, 0] == before)
        if after is not None:
            among = among & (self.nodes[:, 1] == after)
        return [int(each) for each in np.flatnonzero(among)]

    def transitions(self) -> list[Transition]:
        """What has changed into what, the largest first."""
        hectares, cells = self.before.grid.hectares, self.changed()
        pairs = [(int(one), int(other)) for one, other in self.nodes[cells]]
        total: dict[tuple[int, int], float] = {}
        for cell, pair in zip(cells, pairs, strict=True):
            total[pair] = total.get(pair, 0.0) + float(hectares[cell])
        counts = Counter(pairs)
        found = [Transition(*pair, counts[pair], total[pair]) for pair in counts]
        return sorted(found, key=lambda each: (-each.hectares, each.before, each.after))


def check_pair(before: Survey, after: Survey, card: Card) -> None:
    """Check that two surveys can be compared.

    Parameters
    ----------
    before, after : Survey
    card : Card
        Of the model in use.

    Raises
    ------
    OtherGridError, OtherModelError, NoLabelSetsError, SameImageryError, UnfinishedError
    """
    one, other = before.grid, after.grid
    same_cells = one.cells.shape == other.cells.shape and (one.cells == other.cells).all()
    same_ground = (one.left, one.top, one.pitch) == (other.left, other.top, other.pitch)
    if not (same_cells and same_ground and one.side_m == other.side_m):
        raise OtherGridError(before.name, after.name)
    if before.model.sha256 != after.model.sha256 or before.model.sha256 != card.sha256:
        raise OtherModelError(before.model.title)
    if not card.sets:
        raise NoLabelSetsError(card.title)
    if before.imagery.url == after.imagery.url:
        raise SameImageryError(before.imagery.name)
    for each in (before, after):
        if len(each.waiting):
            raise UnfinishedError(each.name)


def begin(before: Survey, after: Survey, card: Card) -> Change:
    """Say of each square what the two surveys say; most have not changed.

    A square is to be looked at if no class is in the label sets of both dates and both have an
    answer that the model vouches for. A corrected square is what the person said.

    Raises
    ------
    ChangeError
        As `check_pair`; and if no square has an answer on both dates.
    """
    check_pair(before, after, card)
    if not (before.classified & after.classified).any():
        raise NothingInCommonError
    sets = [_label_sets(each, card) for each in (before, after)]
    answers = [each.answers() for each in (before, after)]
    outcome = np.full(len(before.grid), Outcome.TOO_CLOSE, np.uint8)
    outcome[~(sets[0] & sets[1]).any(1)] = Outcome.TO_LOOK_AT
    outcome[_agree(before.model.tree, *answers)] = Outcome.SAME
    outcome[(answers[0] == NOT_SURE) | (answers[1] == NOT_SURE)] = Outcome.NOT_SURE
    outcome[~(before.classified & after.classified)] = Outcome.NO_IMAGERY
    nodes = np.full((len(before.grid), 2), NOT_SURE, np.int64)
    same = outcome == Outcome.SAME
    nodes[same] = np.stack(answers, 1)[same]
    return Change(before, after, outcome, nodes)


def _label_sets(survey: Survey, card: Card) -> NDArray[np.bool_]:
    """Whether each class is in the label set of each square, shape (N, C)."""
    inside = survey.probability >= card.sets[max(card.sets)]
    inside[np.arange(len(inside)), survey.probability.argmax(1)] = True
    for cell, node_id in survey.corrections.items():
        inside[cell] = survey.model.tree.membership[:, node_id] > 0
    return np.asarray(inside)


def _agree(tree: Tree, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether two answers are the same, or one is inside the other, shape (N,)."""
    count = len(tree.nodes)
    # One more, which `NOT_SURE` indexes from the end.
    table = np.zeros((count + 1, count + 1), bool)
    table[:count, :count] = [
        [tree.is_inside(each, outer) or tree.is_inside(outer, each) for each in range(count)]
        for outer in range(count)
    ]
    return np.asarray(table[one, other])


def judge(
    tree: Tree,
    before: Sequence[Prediction],
    after: Sequence[Prediction],
    given: Mapping[int, int] = NOTHING_GIVEN,
) -> Verdict:
    """Say whether a square has changed, by five footprints of each date.

    It has if both answers are steady, neither is in the other, and of no footprint for which there
    is an answer on both dates a class is in both label sets. An answer is steady if that of the
    square itself is confirmed by `LEAST_ANSWERS` of the footprints, and contradicted by none: all
    answers are in one line of the tree. A footprint without an answer neither confirms nor
    contradicts: the largest ones show as much of the neighbours as of the square.

    Parameters
    ----------
    tree : Tree
    before, after : sequence of Prediction
        At `work.classifier.SIZES`; the middle one is the square itself.
    given : mapping of int to int
        What a person corrected a date (0 or 1) to, which needs no footprint.
    """
    nodes = [
        given[date] if date in given else _steady(tree, found)
        for date, found in enumerate((before, after))
    ]
    if NOT_SURE in nodes:
        return Verdict(Outcome.UNSTEADY)
    one, other = nodes
    footprints = max(len(before), len(after))
    sets = [
        [set(tree.nodes[given[date]].classes)] * footprints
        if date in given
        else [_likely(each) for each in found]
        for date, found in enumerate((before, after))
    ]
    overlap = any(first & second for first, second in zip(*sets, strict=True))
    if overlap or tree.is_inside(one, other) or tree.is_inside(other, one):
        return Verdict(Outcome.UNSTEADY)
    return Verdict(Outcome.CHANGED, one, other)


def _steady(tree: Tree, found: Sequence[Prediction]) -> int:
    """The answer of the square itself, if the other footprints agree with it; else `NOT_SURE`."""
    own = found[len(found) // 2].answer
    answers = [each.answer.id for each in found if each.answer is not None]
    line = sorted(set(answers), key=tree.depth)
    agree = all(tree.is_inside(fine, coarse) for coarse, fine in itertools.pairwise(line))
    return own.id if own is not None and agree and len(answers) >= LEAST_ANSWERS else NOT_SURE


def _likely(prediction: Prediction) -> set[int]:
    """The label set of a footprint; empty without an answer."""
    return set() if prediction.answer is None else {each.class_id for each in prediction.likely}

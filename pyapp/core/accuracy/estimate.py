"""Accuracy and area with 95 % intervals, from a stratified random sample that a person judged.

The estimators are those of Olofsson et al., Good practices for estimating area and assessing
accuracy of land change, Remote Sensing of Environment 148, 2014, and, as answers may have changed
since the strata were made, of Stehman, Estimating area and map accuracy for stratified random
sampling when the strata are different from the map classes, Int. J. Remote Sensing 35, 2014. With
strata that are the map's classes both are the same. Standard errors are theirs. Intervals are not
value ± 1.96 standard errors, which cover too seldom when classes are rare; see `intervals`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.accuracy.intervals import (
    BLOCK,
    DRAWS,
    SEED,
    Z,
    draw_right,
    draw_shares,
    middle_of,
    prior_of,
    wilson,
)
from pyapp.core.teach.steps import Steps, finished

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Share of a stratum's squares up to which that it is finite may be ignored (Cochran 1977, 2.6).
SMALL_SHARE = 0.05
WILSON, POSTERIOR = "Wilson", "Dirichlet posterior"
TINY = 1e-12


class Figure(NamedTuple):
    """A number and how sure it is.

    Attributes
    ----------
    value : float
    standard_error : float
        Of the stratified estimator.
    low, high : float
        The 95 % interval.
    method : str
        How that was made: `WILSON` or `POSTERIOR`.
    """

    value: float
    standard_error: float
    low: float
    high: float
    method: str

    @property
    def half_width(self) -> float:
        """What stands behind the ± if the normal distribution is taken for granted."""
        return Z * self.standard_error

    def times(self, factor: float) -> Figure:
        """The same in another unit."""
        value, error, low, high = (factor * each for each in self[:4])
        return Figure(value, error, low, high, self.method)


@dataclass(frozen=True)
class Tally:
    """What was judged, counted: H strata, I classes of the map, K classes of the ground.

    Attributes
    ----------
    squares : ndarray of int64, shape (H,)
        In each stratum.
    hectares : ndarray of float64, shape (H,)
        Of each stratum.
    counts : ndarray of int64, shape (H, I, K)
        Squares of the sample that were judged.
    unclear : ndarray of int64, shape (H,)
        Squares of which the person couldn't tell.
    right : ndarray of bool, shape (I, K)
        Whether that answer of the map is right of that ground.
    """

    squares: NDArray[np.int64]
    hectares: NDArray[np.float64]
    counts: NDArray[np.int64]
    unclear: NDArray[np.int64]
    right: NDArray[np.bool_]

    @property
    def judged(self) -> NDArray[np.int64]:
        """Squares of each stratum of which the person could tell, shape (H,)."""
        return np.asarray(self.counts.sum((1, 2)))


@dataclass(frozen=True)
class Estimate:
    """What the sample says of all squares.

    Attributes
    ----------
    overall : Figure
        Share of the area that the map has right.
    users : tuple of (Figure or None), length I
        User's accuracy: share of the area of an answer that is right. ``None`` if no square with
        that answer was judged.
    producers : tuple of (Figure or None), length K
        Producer's accuracy: share of the area of a class that the map has right. ``None`` if none
        was found.
    areas : tuple of Figure, length K
        Area of each class, in hectares.
    if_wrong, if_right : float
        Overall accuracy if the map had all squares wrong, or right, of which the person couldn't
        tell.
    unclear : float
        Share of the area of which the person can't tell.
    left_out_ha : float
        Area of strata without any square that was judged, which is in none of the figures.
    more : tuple of (tuple of int, or None), length K
        How many more squares of each stratum halve the interval of a class's area; ``None`` if it
        has no interval, or no such square.
    """

    overall: Figure
    users: tuple[Figure | None, ...]
    producers: tuple[Figure | None, ...]
    areas: tuple[Figure, ...]
    if_wrong: float
    if_right: float
    unclear: float
    left_out_ha: float
    more: tuple[tuple[int, ...] | None, ...]


def estimate(tally: Tally) -> Estimate | None:
    """Accuracy and areas; ``None`` as long as nothing is judged."""
    return finished(estimating(tally))


def estimating(tally: Tally) -> Steps[Estimate | None]:
    """What `estimate` does, in steps of some milliseconds."""
    there = tally.judged > 0
    if not there.any():
        return None
    work = _Work(tally, there)
    yield from work.draw()
    area_ha = float(tally.hectares[there].sum())
    users, producers, areas = [], [], []
    for i in range(tally.counts.shape[1]):
        users.append(work.users(i))
        yield
    for k in range(work.classes):
        producers.append(work.producers(k))
        areas.append(work.share(k).times(area_ha))
        yield
    unclear, sampled = tally.unclear[there], (tally.judged + tally.unclear)[there]
    clear = work.judged / sampled
    right = work.right_squares / work.judged
    return Estimate(
        overall=work.overall(),
        users=tuple(users),
        producers=tuple(producers),
        areas=tuple(areas),
        if_wrong=float(work.weights @ (right * clear)),
        if_right=float(work.weights @ (right * clear + unclear / sampled)),
        unclear=float(work.weights @ (unclear / sampled)),
        left_out_ha=float(tally.hectares[~there].sum()),
        more=tuple(_spread_out(work.more(k), there) for k in range(work.classes)),
    )


def _spread_out(
    counts: NDArray[np.int64] | None, there: NDArray[np.bool_]
) -> tuple[int, ...] | None:
    """Counts of the strata that are there as those of all."""
    if counts is None:
        return None
    every = np.zeros(len(there), np.int64)
    every[there] = counts
    return tuple(every.tolist())


class _Work:
    """The strata with squares that were judged, and what was drawn of them."""

    def __init__(self, tally: Tally, there: NDArray[np.bool_]):
        self._counts = tally.counts[there].astype(np.float64)
        self._right = tally.right
        self.squares = tally.squares[there].astype(np.float64)
        self.judged = tally.judged[there].astype(np.float64)
        self.weights = tally.hectares[there] / tally.hectares[there].sum()
        self.classes = tally.counts.shape[2]
        self.right_squares = (self._counts * tally.right).sum((1, 2))
        taken = np.minimum(self.judged / self.squares, 1)
        self._left = np.where(taken > SMALL_SHARE, 1 - taken, 1.0)
        # Mean of each indicator in each stratum.
        self._mean = self._counts / self.judged[:, np.newaxis, np.newaxis]
        self._shares = np.einsum("h,hik->k", self.weights, self._mean)

    def draw(self) -> Steps[None]:
        """Draw the shares of all that was found: of each stratum, answer and class."""
        chance, classes = random.Random(SEED), self.classes
        self._drawn_right_all = np.zeros(DRAWS)
        self._drawn_class = np.zeros((DRAWS, classes))
        self._drawn_right = np.zeros((DRAWS, classes))
        self._drawn_answer = np.zeros((DRAWS, len(self._right)))
        self._drawn_answer_right = np.zeros(self._drawn_answer.shape)
        for start in range(0, DRAWS, BLOCK):
            block = slice(start, start + BLOCK)
            self._drawn_right_all[block] = draw_right(
                chance, self.right_squares, self.judged, self.weights, self._left
            )
            for h, weight in enumerate(self.weights):
                answers = np.flatnonzero(self._counts[h].sum(1))
                prior = np.outer(self._mean[h, answers].sum(1), prior_of(self._shares))
                drawn = weight * draw_shares(
                    chance, self._counts[h, answers], prior, float(self._left[h])
                )
                right = drawn * self._right[answers]
                self._drawn_class[block] += drawn.sum(1)
                self._drawn_right[block] += right.sum(1)
                self._drawn_answer[block, answers] += drawn.sum(2)
                self._drawn_answer_right[block, answers] += right.sum(2)
                yield

    def _error(self, mean: NDArray[np.float64], squared: NDArray[np.float64]) -> float:
        """Standard error of a weighted mean: equations 5 and 10, with the correction (1 - n/N).

        Parameters
        ----------
        mean, squared : ndarray of float64, shape (H,)
            Mean of the values in each stratum, and of their squares.
        """
        variance = (squared - mean**2) / np.maximum(self.judged - 1, 1)
        return float(np.sqrt(max((self.weights**2 * self._left) @ variance, 0.0)))

    def _ratio_error(
        self, part: NDArray[np.float64], whole: NDArray[np.float64], ratio: float
    ) -> float:
        """Standard error of a ratio of two areas, one inside the other.

        Equations 6 and 7, as Stehman (2014, equation 28) has them for any strata.
        """
        # Of y - ratio * x, where y is 1 in the part and x in all of it.
        mean = part - ratio * whole
        squared = part * (1 - ratio) ** 2 + (whole - part) * ratio**2
        return self._error(mean, squared) / float(self.weights @ whole)

    def share(self, k: int) -> Figure:
        """Share of the area of a class: equations 9 and 10."""
        mean = self._mean[:, :, k].sum(1)
        low, high = middle_of(self._drawn_class[:, k])
        value = float(self._shares[k])
        low = low if value > TINY else 0.0
        high = high if value < 1 - TINY else 1.0
        return Figure(value, self._error(mean, mean), min(low, value), max(high, value), POSTERIOR)

    def overall(self) -> Figure:
        """Overall accuracy: equations 1 and 5."""
        mean = self.right_squares / self.judged
        low, high = middle_of(self._drawn_right_all)
        return self._framed(
            float(self.weights @ mean), self._error(mean, mean), low, high, POSTERIOR
        )

    def users(self, i: int) -> Figure | None:
        """User's accuracy: equations 2 and 6."""
        whole = self._mean[:, i].sum(1)
        part = (self._mean[:, i] * self._right[i]).sum(1)
        if not whole.any():
            return None
        value = float(self.weights @ part) / float(self.weights @ whole)
        error = self._ratio_error(part, whole, value)
        if (whole > 0).sum() == 1 and whole.max() > 1 - TINY:
            # The answer is a stratum, so this is a share of equally probable squares.
            h = int(whole.argmax())
            if self._left[h] < TINY:
                return Figure(value, error, value, value, WILSON)
            interval = wilson(value, float(self.judged[h] / self._left[h]))
            return Figure(value, error, *interval, WILSON)
        drawn = self._drawn_answer_right[:, i] / np.maximum(self._drawn_answer[:, i], TINY)
        return self._framed(value, error, *middle_of(drawn), POSTERIOR)

    def producers(self, k: int) -> Figure | None:
        """Producer's accuracy: equations 3 and 7."""
        whole = self._mean[:, :, k].sum(1)
        part = (self._mean[:, :, k] * self._right[:, k]).sum(1)
        if not whole.any():
            return None
        value = float(self.weights @ part) / float(self.weights @ whole)
        error = self._ratio_error(part, whole, value)
        drawn = self._drawn_right[:, k] / np.maximum(self._drawn_class[:, k], TINY)
        return self._framed(value, error, *middle_of(drawn), POSTERIOR)

    def _framed(self, value: float, error: float, low: float, high: float, method: str) -> Figure:
        """A share; if all that was judged is right, or wrong, all the rest may be."""
        low = 0.0 if value < TINY else min(low, value)
        high = 1.0 if value > 1 - TINY and self._left.max() > TINY else max(high, value)
        return Figure(value, error, low, high, method)

    def more(self, k: int) -> NDArray[np.int64] | None:
        """How many more squares of each stratum halve the interval of a class's area.

        They are taken where they help most (Neyman's allocation for this class). Spreads are those
        of the posterior's means, so that a stratum without any find counts as well.
        """
        found = self._counts[:, :, k].sum(1)
        share = (found + prior_of(self._shares)[k]) / (self.judged + 1)
        spread = self.weights * np.sqrt(share * (1 - share))
        least = float(np.square(spread) @ (1 / self.judged - 1 / self.squares))
        if self._shares[k] < TINY or least < TINY:
            return None

        def counts(scale: float) -> NDArray[np.float64]:
            return np.asarray(np.clip(scale * spread, self.judged, self.squares))

        low, high = 0.0, float((self.squares / np.maximum(spread, TINY)).max())
        for _ in range(80):
            middle = (low + high) / 2
            variance = np.square(spread) @ (1 / counts(middle) - 1 / self.squares)
            low, high = (low, middle) if variance < least / 4 else (middle, high)
        return np.asarray(np.ceil(counts(high) - self.judged - 1e-6), np.int64)

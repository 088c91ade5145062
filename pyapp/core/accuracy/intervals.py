"""95 % intervals that hold where the normal one fails: few squares, rare classes, zero counts."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Z = 1.96
DRAWS = 4000
# Drawn at a time, after which the page may do something else.
BLOCK = 1000
# Squares that the prior of a stratum counts for. With more, rare classes are pulled up; with
# fewer, intervals are too narrow where nothing wrong was seen (python -m tests.bench coverage).
PRIOR = 0.8
SEED = 148


class Interval(NamedTuple):
    """From where to where, with 95 % confidence."""

    low: float
    high: float


def wilson(share: float, count: float) -> Interval:
    """Wilson's interval of a share (JASA 22, 1927).

    Parameters
    ----------
    share : float
    count : float
        Number of squares; the effective one if the sample is a good part of all.

    Examples
    --------
    >>> [round(each, 3) for each in wilson(1.0, 20)]
    [0.839, 1.0]
    """
    middle = (share + Z * Z / (2 * count)) / (1 + Z * Z / count)
    half = Z * np.sqrt(share * (1 - share) / count + Z * Z / (4 * count**2)) / (1 + Z * Z / count)
    return Interval(max(float(middle - half), 0.0), min(float(middle + half), 1.0))


def prior_of(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The prior of the classes in each stratum: half as in all strata together, half even.

    Parameters
    ----------
    shares : ndarray of float64, shape (K,)
        Estimated share of each class in all strata together.
    """
    return np.asarray(PRIOR * (shares + 1 / len(shares)) / 2)


def gammas(chance: random.Random, shapes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Random numbers of gamma distributions, by Marsaglia and Tsang (ACM TOMS 26, 2000).

    The page has no ``numpy.random``; these are the same on every machine.

    Parameters
    ----------
    chance : random.Random
    shapes : ndarray of float64
        All positive.

    Returns
    -------
    ndarray of float64, shape (BLOCK, *shapes.shape)
    """
    shape = np.tile(shapes.ravel(), BLOCK)
    small = shape < 1
    d = shape + small - 1 / 3
    c = 1 / np.sqrt(9 * d)
    drawn, todo = np.empty(len(shape)), np.arange(len(shape))
    while len(todo):
        first, second, third = (_uniform(chance, len(todo)) for _ in range(3))
        normal = np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)
        v = (1 + c[todo] * normal) ** 3
        there = np.maximum(v, 1e-300)
        limit = normal**2 / 2 + d[todo] * (1 - v + np.log(there))
        taken = (v > 0) & (np.log(third) < limit)
        drawn[todo[taken]] = (d[todo] * v)[taken]
        todo = todo[~taken]
    drawn[small] *= _uniform(chance, int(small.sum())) ** (1 / shape[small])
    return drawn.reshape(BLOCK, *shapes.shape)


def _uniform(chance: random.Random, count: int) -> NDArray[np.float64]:
    """Random numbers between 0 and 1, both excluded."""
    whole = np.frombuffer(chance.randbytes(8 * count), "<u8") >> np.uint64(11)
    return np.asarray((whole + 0.5) / 2**53)


def draw_shares(
    chance: random.Random, counts: NDArray[np.float64], prior: NDArray[np.float64], left: float
) -> NDArray[np.float64]:
    """Shares that a stratum may have, drawn from the Dirichlet posterior of its counts.

    Parameters
    ----------
    chance : random.Random
    counts : ndarray of float64, shape (R, K)
        Squares of each answer and class.
    prior : ndarray of float64, shape (R, K)
    left : float
        Share of the stratum's squares that were not judged; draws are that much closer to what was
        found, as the finite population correction has it (Cochran 1977, 2.6).

    Returns
    -------
    ndarray of float64, shape (BLOCK, R, K)
    """
    found = counts / counts.sum()
    drawn = gammas(chance, counts + prior)
    drawn /= drawn.sum((1, 2), keepdims=True)
    return np.asarray(np.maximum(found + np.sqrt(left) * (drawn - found), 0))


def draw_right(
    chance: random.Random,
    right: NDArray[np.float64],
    judged: NDArray[np.float64],
    weights: NDArray[np.float64],
    left: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Overall accuracies that there may be, from the Beta posterior of each stratum.

    Parameters
    ----------
    chance : random.Random
    right, judged, weights, left : ndarray of float64, shape (H,)
        Squares that are right and that were judged; share of the area; see `draw_shares`.

    Returns
    -------
    ndarray of float64, shape (BLOCK,)
    """
    found = right / judged
    guess = PRIOR * (float(weights @ found) + 0.5) / 2
    good = gammas(chance, right + guess)
    drawn = good / (good + gammas(chance, judged - right + PRIOR - guess))
    return np.asarray((found + np.sqrt(left) * (drawn - found)) @ weights)


def middle_of(drawn: NDArray[np.float64]) -> Interval:
    """The middle 95 % of what was drawn, shape (D,)."""
    # The page's numpy has no quantile.
    in_order, outside = np.sort(drawn), round(0.025 * len(drawn))
    return Interval(float(in_order[outside]), float(in_order[-1 - outside]))

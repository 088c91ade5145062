"""A stratified random sample of squares: how many of each stratum, and which."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The fewest squares of a stratum, if it has so many: with fewer, hardly anything can be said of it.
LEAST = 10


def allocate(
    sizes: Sequence[int], total: int, spread: Sequence[float] | None = None, least: int = LEAST
) -> list[int]:
    """Number of squares to judge in each stratum.

    Proportional to the sizes with a minimum, as Olofsson et al. (RSE 148, 2014, section 5.1.2)
    recommend; with ``spread``, Neyman's allocation (Cochran, Sampling Techniques, 1977, 5.26),
    which has the least variance of overall accuracy, with the same minimum.

    Parameters
    ----------
    sizes : sequence of int
        Squares in each stratum.
    total : int
        Squares to judge in all. There may be more if the minimum asks for it, and fewer if there
        are not so many.
    spread : sequence of float, optional
        Expected standard deviation of "right or wrong" in each stratum.
    least : int
        Of each stratum. One that has no more is taken completely.

    Returns
    -------
    list of int

    Examples
    --------
    >>> allocate([8000, 1500, 500], 100)
    [76, 14, 10]
    >>> allocate([40, 4], 100)
    [40, 4]
    """
    most = np.asarray(sizes, np.int64)
    weights = most * (np.ones(len(most)) if spread is None else np.maximum(spread, 1e-6))
    fewest = np.minimum(most, least).astype(float)
    # Multiply the weights by what makes the sum right; what is out of bounds is at its bound.
    low, high = 0.0, float(most.sum()) / max(float(weights[weights > 0].min(initial=1.0)), 1e-12)
    for _ in range(100):
        middle = (low + high) / 2
        if np.clip(middle * weights, fewest, most).sum() < total:
            low = middle
        else:
            high = middle
    exact = np.clip(high * weights, fewest, most)
    counts = np.floor(exact + 1e-9).astype(np.int64)
    short = min(max(total, int(fewest.sum())), int(most.sum())) - int(counts.sum())
    for each in np.argsort(counts - exact, kind="stable").tolist():
        if short > 0 and counts[each] < most[each]:
            counts[each] += 1
            short -= 1
    return [int(each) for each in counts]


def shuffled(cells: NDArray[np.int64], seed: int) -> list[int]:
    """Cells in a random order, which is the same for the same seed on every machine.

    It is the order of the SHA-256 of ``seed:cell``; so more of a stratum can be drawn later, and
    anyone can draw the sample again.
    """
    return sorted(
        (int(each) for each in cells),
        key=lambda each: hashlib.sha256(f"{seed}:{each}".encode()).digest(),
    )


def draw(
    stratum_of: NDArray[np.integer[Any]],
    counts: Sequence[int],
    seed: int,
    drawn: Sequence[int] = (),
) -> list[int]:
    """Draw squares at random within strata.

    Parameters
    ----------
    stratum_of : ndarray of integers, shape (N,)
        Number of each cell's stratum; any number that ``counts`` does not reach means none.
    counts : sequence of int
        How many more to take of each stratum. If it has fewer, all are taken.
    seed : int
    drawn : sequence of int
        Cells that are in the sample already.

    Returns
    -------
    list of int
        Cells in the order of judging: mixed such that each stratum gets its share at any time.
    """
    before, places = set(drawn), []
    for stratum, count in enumerate(counts):
        left = [each for each in shuffled(np.flatnonzero(stratum_of == stratum), seed)
                if each not in before]  # fmt: skip
        taken = left[:count]
        for place, cell in enumerate(taken):
            shift = hashlib.sha256(f"{seed}:order:{cell}".encode()).digest()[0] / 256
            places.append(((place + shift) / len(taken), cell))
    return [cell for _, cell in sorted(places)]

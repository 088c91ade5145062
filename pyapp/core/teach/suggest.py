"""Which squares to label next: uncertain ones, spread out over what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The most uncertain ones, for each that is wanted, among which the spread ones are chosen.
CANDIDATES = 12


def next_to_label(
    probability: NDArray[np.float32],
    embedding: NDArray[np.float32],
    labelled: NDArray[np.float32],
    count: int,
) -> NDArray[np.int64]:
    """Squares whose label would help most.

    Of the squares with the smallest margin between their two best classes, those are taken that
    are farthest from what is labelled or taken already: k-centre, greedily (Gonzalez 1985;
    Sener and Savarese, ICLR 2018).

    Parameters
    ----------
    probability : ndarray of float32, shape (N, C)
    embedding : ndarray of float32, shape (N, D)
    labelled : ndarray of float32, shape (n, D)
    count : int
        How many at most.

    Returns
    -------
    ndarray of int64
        Their numbers, the first to be labelled first.
    """
    two = np.partition(probability, -2, axis=1)[:, -2:]
    uncertain = np.argsort(two[:, 1] - two[:, 0], kind="stable")[: CANDIDATES * count]
    some = embedding[uncertain]
    away = _nearest(some, labelled)
    chosen: list[int] = []
    for _ in range(min(count, len(some))):
        farthest = int(away.argmax())
        chosen.append(farthest)
        away = np.minimum(away, _nearest(some, some[farthest : farthest + 1]))
        away[chosen] = -1
    return uncertain[chosen]


def _nearest(points: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared distance from each point to the nearest of the others."""
    if not len(others):
        return np.full(len(points), np.inf, np.float32)
    lengths = (points**2).sum(1)[:, np.newaxis] + (others**2).sum(1)
    return np.asarray((lengths - 2 * points @ others.T).min(1))

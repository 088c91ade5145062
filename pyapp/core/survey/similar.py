"""Finds the cells that look like a given one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# After this many searches of this many cells, a browser has compiled the search as well as it can.
REHEARSALS, REHEARSED = 5, 500


def similarity(embedding: NDArray[np.float32], wanted: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine of the angle between embeddings.

    Parameters
    ----------
    embedding : ndarray of float32, shape (N, D)
        Of length 1; 0 for cells without one.
    wanted : ndarray of float32, shape (D,)
        Of any length.

    Returns
    -------
    ndarray of float32, shape (N,)

    Examples
    --------
    >>> embedding = np.array([[1.0, 0.0], [0.6, 0.8]], np.float32)
    >>> print(similarity(embedding, np.array([5.0, 0.0], np.float32)))
    [1.  0.6]
    """
    length = float(np.sqrt(wanted @ wanted))
    direction = wanted.astype(np.float32) / max(length, 1e-12)
    return np.asarray(embedding @ direction)


def rehearse(embedding: NDArray[np.float32], wanted: NDArray[np.float32]) -> bool:
    """Search some of the cells, so that the first full search is as fast as later ones.

    A browser optimises code only after it has run for a while: searching 10,000 cells takes 40 ms
    before and 12 ms after.

    Parameters
    ----------
    embedding, wanted : ndarray of float32, shapes (N, D) and (D,)
        See `similarity`.

    Returns
    -------
    bool
        False if there are too few cells to rehearse with; searching those is fast anyway.
    """
    if len(embedding) < REHEARSED:
        return False
    for _ in range(REHEARSALS):
        ranked(similarity(embedding[:REHEARSED], wanted), 1)
    return True


def ranked(likeness: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Numbers of the most similar cells, the most similar first.

    Parameters
    ----------
    likeness : ndarray of float32, shape (N,)
        See `similarity`.
    count : int
        How many to return, or N if there are fewer.

    Examples
    --------
    >>> ranked(np.array([0.2, 0.9, 0.5], np.float32), 2).tolist()
    [1, 2]
    """
    count = min(count, len(likeness))
    if count == 0:
        return np.empty(0, np.int64)
    best = np.argpartition(-likeness, count - 1)[:count]
    return best[np.argsort(-likeness[best], kind="stable")]

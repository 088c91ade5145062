"""Refits the network's last layer to a person's corrections, without running the network.

The last layer is linear: logits = W e + b for an embedding e. The corrections change W by the dW
that makes the corrected classes probable, but is otherwise small: the maximum a posteriori of a
multinomial logistic regression with a normal prior around the trained layer. By the representer
theorem (Kimeldorf and Wahba 1971), dW is a linear combination of the corrected embeddings. So only
its few coefficients are fitted, and applying them is one product with the stored embeddings.

A correction may allow several classes (a group of them). Its likelihood is then their summed
probability: a partial label (Jin and Ghahramani, Learning with Multiple Labels, NIPS 2002).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Variance of the prior, relative to the variance of the embeddings. Measured on UC Merced's test
# scenes, by correcting one scene of a class to another class: with 40, 30 percent of the scenes of
# its class follow and 0.04 percent of all others; with 10, 7 percent follow; with 80, 37 percent.
PRIOR = 40.0
ROUNDS = 200
ENOUGH = 1e-3
LEAST = 1e-12


def refit(
    embedding: NDArray[np.float32],
    probability: NDArray[np.float32],
    classified: NDArray[np.bool_],
    corrections: Mapping[int, Collection[int]],
) -> NDArray[np.float32]:
    """Probabilities of all cells after some are corrected.

    Parameters
    ----------
    embedding : ndarray of float32, shape (N, D)
        Of length 1; 0 for cells without one.
    probability : ndarray of float32, shape (N, C)
        What the network said; the logarithms serve as logits.
    classified : ndarray of bool, shape (N,)
        Cells that have an embedding.
    corrections : mapping of int to collection of int
        The classes that each corrected cell may have: one, or those of a group.

    Returns
    -------
    ndarray of float32, shape (N, C)
        Of a corrected cell, only the allowed classes have a probability.
    """
    cells, allowed = _allowed(classified, corrections, probability.shape[1])
    if not len(cells):
        return probability
    # Only differences from the mean distinguish the cells of this survey.
    mean = embedding[classified].mean(0)
    chosen = embedding[cells] - mean
    alike = embedding @ chosen.T - mean @ chosen.T
    spread = 1 - float(mean @ mean)  # mean squared length after centring
    alike *= PRIOR / max(spread, LEAST)
    logits = np.log(np.maximum(probability, LEAST))
    weights = _fit(alike[cells], logits[cells], allowed)
    logits += alike @ weights
    after = softmax(logits)
    after[~classified] = 0
    after[cells] = _only(allowed, logits[cells])
    return after.astype(np.float32)


def certain(
    probability: NDArray[np.float32],
    classified: NDArray[np.bool_],
    corrections: Mapping[int, Collection[int]],
) -> NDArray[np.float32]:
    """Probabilities with which only the corrected cells follow their corrections.

    For a survey without embeddings. Parameters and result are those of `refit`.
    """
    cells, allowed = _allowed(classified, corrections, probability.shape[1])
    after: NDArray[np.float32] = probability.copy()
    after[cells] = _only(allowed, np.log(np.maximum(probability[cells], LEAST)))
    return after


def _allowed(
    classified: NDArray[np.bool_], corrections: Mapping[int, Collection[int]], classes: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The n corrected cells that are classified, and which classes each may have, shape (n, C)."""
    cells = [cell for cell in corrections if classified[cell]]
    allowed = np.zeros((len(cells), classes), np.bool_)
    for row, cell in enumerate(cells):
        allowed[row, list(corrections[cell])] = True
    return np.array(cells, np.int64), allowed


def _only(allowed: NDArray[np.bool_], logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of the allowed classes alone; each row allows at least one."""
    return softmax(np.where(allowed, logits, np.float32(-np.inf)))


def _fit(
    alike: NDArray[np.float32], logits: NDArray[np.float32], allowed: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Coefficients of n corrected cells, by gradient descent in the space that they span.

    In that space the gradient of the negative log posterior is ``softmax - wanted + weights``;
    ``wanted`` are the probabilities within the allowed classes, which of a single one is 1. A step
    of 1 / (1 + largest eigenvalue / 2) can't overshoot: allowing several classes only takes
    curvature away, and no eigenvalue of ``alike`` exceeds its largest absolute row sum. With
    several allowed classes the posterior may have more than one maximum; this finds the one that
    is reached from the trained layer.

    Parameters
    ----------
    alike : ndarray of float32, shape (n, n)
        Scaled inner products of the centred embeddings.
    logits : ndarray of float32, shape (n, C)
    allowed : ndarray of bool, shape (n, C)

    Returns
    -------
    ndarray of float32, shape (n, C)
    """
    weights = np.zeros_like(logits)
    step = 1 / (1 + float(np.abs(alike).sum(1).max()) / 2)
    for _ in range(ROUNDS):
        now = logits + alike @ weights
        slope = softmax(now) - _only(allowed, now) + weights
        weights -= step * slope
        if float(np.abs(slope).max()) < ENOUGH:
            break
    return weights


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities along the last axis.

    >>> softmax(np.log([1.0, 3.0])).round(6).tolist()
    [0.25, 0.75]
    """
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))

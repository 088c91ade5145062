"""Fits a last layer to examples: multinomial logistic regression with L2, around a prior.

What is sought is the maximum a posteriori of the weights, with a normal prior around given ones.
By the representer theorem (Kimeldorf and Wahba 1971) its difference from the prior is a linear
combination of the examples, so one coefficient for each example and class is fitted, and all that
is needed of the embeddings are their inner products. The method is L-BFGS (Liu and Nocedal 1989)
in the space that the examples span: inner products between steps are those of the weights.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.teach.gram import BIAS, Kernel, times
from pyapp.core.teach.steps import Steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Weight of the prior: the inverse of its variance, relative to that of the embeddings.
PENALTY = 1 / 40
# The fit ends when the gradient of the weights is this short. With 50 examples of each of 20
# classes of AID, probabilities are then within 0.001 of those that twice as many rounds give.
ENOUGH = 1e-2
ROUNDS = 500
MEMORY = 12
# Sufficient decrease along a direction (Nocedal and Wright, Numerical Optimization, 3.4).
DECREASE = 1e-4
HALVINGS = 40


class Head(NamedTuple):
    """A last layer: ``logits = weights @ embedding + bias``.

    Attributes
    ----------
    weights : ndarray of float32, shape (C, D)
    bias : ndarray of float32, shape (C,)
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits of the classes, shape (N, C), for embeddings of shape (N, D)."""
        return np.asarray(embedding @ self.weights.T + self.bias)


class _Step(NamedTuple):
    """A step that was taken, how the gradient changed, and both times the inner products."""

    taken: NDArray[np.float64]
    seen_taken: NDArray[np.float64]
    change: NDArray[np.float64]
    seen_change: NDArray[np.float64]
    curvature: float


def fit(
    products: NDArray[np.float64],
    prior: NDArray[np.float64],
    classes: NDArray[np.int64],
    start: NDArray[np.float64] | None = None,
    penalty: float = PENALTY,
    enough: float = ENOUGH,
) -> Steps[NDArray[np.float64]]:
    """Coefficients of n examples.

    Parameters
    ----------
    products : ndarray of float64, shape (n, n)
        See `Kernel`.
    prior : ndarray of float64, shape (n, C)
        Logits of the examples by the prior's weights.
    classes : ndarray of int64, shape (n,)
        The class of each example.
    start : ndarray of float64, shape (n, C), optional
        Where to begin; it changes how long the fit takes, not where it ends. Its rows come to 0.
    penalty, enough : float

    Returns
    -------
    ndarray of float64, shape (n, C)
        The logits of examples are ``prior + products @ coefficients``. Their rows come to 0.
    """
    wanted = np.zeros(prior.shape)
    wanted[np.arange(len(classes)), classes] = 1
    here = np.zeros(prior.shape) if start is None else start.copy()
    seen = np.zeros(prior.shape)
    if start is not None:
        seen = _seen(products, here)
        yield
    steps: deque[_Step] = deque(maxlen=MEMORY)
    slope = softmax(prior + seen) - wanted + penalty * here
    seen_slope = _seen(products, slope)
    yield
    for _ in range(ROUNDS):
        if float((slope * seen_slope).sum()) <= enough**2:
            break
        way, seen_way = _direction(slope, seen_slope, steps)
        length = _search(prior + seen, seen_way, here, way, wanted, penalty, slope)
        if length == 0.0:
            break
        here = here + length * way
        seen = seen + length * seen_way
        before, seen_before = slope, seen_slope
        slope = softmax(prior + seen) - wanted + penalty * here
        seen_slope = _seen(products, slope)
        change, seen_change = slope - before, seen_slope - seen_before
        curvature = float((length * way * seen_change).sum())
        if curvature > 0:
            steps.append(_Step(length * way, length * seen_way, change, seen_change, curvature))
        yield
    return here


def _direction(
    slope: NDArray[np.float64], seen_slope: NDArray[np.float64], steps: deque[_Step]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two-loop recursion (Nocedal and Wright, 7.4), also times the inner products."""
    way, seen_way = -slope, -seen_slope
    parts = []
    for step in reversed(steps):
        part = float((step.taken * seen_way).sum()) / step.curvature
        parts.append(part)
        way = way - part * step.change
        seen_way = seen_way - part * step.seen_change
    if steps:
        last = steps[-1]
        scale = last.curvature / float((last.change * last.seen_change).sum())
        way, seen_way = scale * way, scale * seen_way
    for step, part in zip(steps, reversed(parts), strict=True):
        other = part - float((step.change * seen_way).sum()) / step.curvature
        way = way + other * step.taken
        seen_way = seen_way + other * step.seen_taken
    return way, seen_way


def _search(
    logits: NDArray[np.float64],
    seen_way: NDArray[np.float64],
    here: NDArray[np.float64],
    way: NDArray[np.float64],
    wanted: NDArray[np.float64],
    penalty: float,
    slope: NDArray[np.float64],
) -> float:
    """How far to go: halved until the objective falls enough. Needs no further product."""
    falls = float((slope * seen_way).sum())
    # The penalty along the way is a parabola.
    linear = penalty * float((here * seen_way).sum())
    square = penalty * float((way * seen_way).sum()) / 2
    first = _loss(logits, wanted)
    length = 1.0
    for _ in range(HALVINGS):
        penalised = linear * length + square * length**2
        change = _loss(logits + length * seen_way, wanted) - first + penalised
        if change <= DECREASE * length * falls:
            return length
        length /= 2
    return 0.0


def _loss(logits: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    top = logits.max(1, keepdims=True)
    sums = np.log(np.exp(logits - top).sum(1)) + top[:, 0]
    return float((sums - (logits * wanted).sum(1)).sum())


def _seen(products: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The product with coefficients, whose rows come to 0; so the last column needs no product."""
    columns = times(products, values[:, :-1])
    return np.concatenate([columns, -columns.sum(1, keepdims=True)], 1)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities along the last axis, in double precision."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def head_of(
    kernel: Kernel,
    embedding: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    prior: Head,
    temperature: float,
) -> Head:
    """The layer that coefficients stand for, on embeddings as the network gives them.

    Parameters
    ----------
    kernel : Kernel
        Of the examples.
    embedding : ndarray of float64, shape (n, D)
    coefficients : ndarray of float64, shape (n, C)
    prior : Head
    temperature : float
        Divides the logits.
    """
    sums = coefficients.sum(0)
    change = (coefficients.T @ embedding - np.outer(sums, kernel.mean)) / kernel.spread
    weights = prior.weights + change
    bias = prior.bias + BIAS * sums - change @ kernel.mean
    return Head((weights / temperature).astype(np.float32), (bias / temperature).astype(np.float32))

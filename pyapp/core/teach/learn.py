"""From examples to a last layer: the fit, and what cross-validation says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pyapp.core.teach.fit import Head, fit, head_of
from pyapp.core.teach.gram import Gram, times
from pyapp.core.teach.judge import Lesson, Verdict, judge
from pyapp.core.teach.steps import Steps

if TYPE_CHECKING:
    from numpy.typing import NDArray


def prior_head(
    labels: Sequence[str],
    known: Sequence[str],
    trained: Head | None,
    embedding: NDArray[np.float64],
) -> Head:
    """What is believed of the classes before anything is learned.

    Of a class that the model knows, its trained weights. Of a new one, that it is as probable as
    all that the model knows of these classes together, wherever it is.

    Parameters
    ----------
    labels : sequence of str
        The C classes to be learned.
    known : sequence of str
        Those of the model.
    trained : Head or None
        The model's last layer; ``None`` if it can't be read.
    embedding : ndarray of float64, shape (n, D)
    """
    weights = np.zeros((len(labels), embedding.shape[1]), np.float32)
    bias = np.zeros(len(labels), np.float32)
    rows = {each.casefold(): number for number, each in enumerate(known)}
    there = [number for number, each in enumerate(labels) if each.casefold() in rows]
    if trained is None or not there:
        return Head(weights, bias)
    for number in there:
        row = rows[labels[number].casefold()]
        weights[number], bias[number] = trained.weights[row], trained.bias[row]
    logits = embedding @ weights[there].T + bias[there]
    together = np.log(np.exp(logits - logits.max()).sum(1)) + logits.max()
    new = np.ones(len(labels), np.bool_)
    new[there] = False
    bias[new] = float(together.mean())
    return Head(weights, bias)


def learn(
    gram: Gram, prior: Head, classes: NDArray[np.int64], places: NDArray[np.int64]
) -> Steps[tuple[Head, Verdict | None, Lesson]]:
    """Fit a last layer, and cross-validate it if there are examples enough.

    Parameters
    ----------
    gram : Gram
        Of the n examples.
    prior : Head
    classes, places : ndarray of int64, shape (n,)

    Returns
    -------
    (head, verdict, lesson) : Head, Verdict or None, Lesson
        The head gives calibrated logits.
    """
    kernel = gram.kernel()
    yield
    logits = times(gram.embedding, prior.weights.T.astype(np.float64)) + prior.bias
    yield
    lesson = Lesson(kernel.products, logits, classes, places)
    fitted = yield from fit(kernel.products, logits, classes)
    verdict = yield from judge(lesson, fitted)
    temperature = 1.0 if verdict is None else verdict.temperature
    return head_of(kernel, gram.embedding, fitted, prior, temperature), verdict, lesson

"""Counts and figures of answers, class by class."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray


class ClassFigures(TypedDict):
    """Figures of one class on the test pictures."""

    label: str
    images: int
    precision: float
    recall: float
    f1: float


def confusion_counts(
    probability: NDArray[np.floating], classes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Counts of answers, shape (C, C): rows are the right classes, columns the answers.

    Parameters
    ----------
    probability : ndarray of float, shape (N, C)
    classes : ndarray of int64, shape (N,)
    """
    matrix = np.zeros((probability.shape[1],) * 2, np.int64)
    np.add.at(matrix, (classes, probability.argmax(1)), 1)
    return matrix


def per_class(
    probability: NDArray[np.floating], classes: NDArray[np.int64], labels: Sequence[str]
) -> list[ClassFigures]:
    """Precision, recall and F1 of each class; not a number if there is nothing to divide by.

    Parameters
    ----------
    probability : ndarray of float, shape (N, C)
    classes : ndarray of int64, shape (N,)
    labels : sequence of str
        C readable names.
    """
    matrix = confusion_counts(probability, classes)
    rows = []
    for number, label in enumerate(labels):
        hit, said, there = matrix[number, number], matrix[:, number].sum(), matrix[number].sum()
        rows.append(
            ClassFigures(
                label=label,
                images=int(there),
                precision=float(hit / said) if said else float("nan"),
                recall=float(hit / there) if there else float("nan"),
                f1=float(2 * hit / (said + there)) if said + there else float("nan"),
            )
        )
    return rows

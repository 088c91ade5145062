"""What more examples would bring: the learning curve, continued."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.teach.folds import folds_of
from pyapp.core.teach.judge import Lesson, Verdict
from pyapp.core.teach.steps import Steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRACTIONS = (0.3, 0.5, 0.75)
DRAWS = 2
# Error times examples to the power of minus this: nothing gained, and what chance alone allows.
SLOWEST, FASTEST = 0.0, 1.0
# Of more labels: at least and at most so many are suggested; less gain is not worth a sentence.
FEW, MANY = 5, 20
WORTH = 0.005


class Point(NamedTuple):
    """Accuracy with so many examples to learn from."""

    examples: float
    accuracy: float


class Gain(NamedTuple):
    """What some more examples of a class would add to the accuracy, by the curve."""

    class_id: int
    more: int
    gain: float


class Curve(NamedTuple):
    """A learning curve.

    Attributes
    ----------
    points : tuple of Point
        With fewer examples first.
    power : float
        The error falls with the number of examples to the power of minus this.
    """

    points: tuple[Point, ...]
    power: float

    def gains(self, verdict: Verdict) -> list[Gain]:
        """What more examples would bring, class by class, the most first.

        The error of a class is taken to fall with its own examples as all errors do with all.
        """
        counts = verdict.confusion.sum(1)
        found = []
        for class_id in np.flatnonzero(counts).tolist():
            count = int(counts[class_id])
            more = min(max(count, FEW), MANY)
            left = ((count + more) / count) ** -self.power
            wrong = float(1 - verdict.recall[class_id])
            gain = wrong * (1 - left) * count / float(counts.sum())
            if gain >= WORTH:
                found.append(Gain(class_id, more, gain))
        return sorted(found, key=lambda each: -each.gain)


def learning_curve(lesson: Lesson, verdict: Verdict) -> Steps[Curve | None]:
    """Accuracy by cross-validation with a share of the examples only, and the law they follow.

    Parameters
    ----------
    lesson : Lesson
    verdict : Verdict
        With all examples.

    Returns
    -------
    Curve or None
        ``None`` if there are too few examples to tell.
    """
    if not lesson.can_be_judged:
        return None
    classes = lesson.classes
    fold = yield from folds_of(lesson.places, classes)
    folds = int(fold.max()) + 1
    points = []
    for fraction in FRACTIONS:
        correct, used = [], []
        for draw in range(DRAWS):
            for each in range(folds):
                held, rest = np.flatnonzero(fold == each), np.flatnonzero(fold != each)
                some = part_of(rest, classes, fraction, seed=draw * folds + each)
                logits = yield from lesson.held_out(some, held)
                correct.append(logits.argmax(1) == classes[held])
                used.append(len(some))
        points.append(Point(float(np.mean(used)), float(np.concatenate(correct).mean())))
    points.append(Point(len(classes) * (folds - 1) / folds, verdict.accuracy.share))
    return Curve(tuple(points), _power(points, len(classes)))


def part_of(
    rows: NDArray[np.int64], classes: NDArray[np.int64], fraction: float, seed: int
) -> NDArray[np.int64]:
    """A share of some examples, of each class alike and at least one; the same for a seed."""
    # numpy.random is not on the page, so the order is that of MINSTD (Park and Miller 1988).
    # In a browser, numpy's own whole numbers have 32 bits.
    order = rows[np.argsort((rows.astype(np.int64) + 1) * 48271 * (seed + 1) % 2147483647)]
    chosen = []
    for each in sorted(set(classes[rows].tolist())):
        inside = order[classes[order] == each]
        chosen.append(inside[: max(1, math.ceil(fraction * len(inside)))])
    return np.sort(np.concatenate(chosen))


def _power(points: list[Point], count: int) -> float:
    """The slope of the errors in logarithms, by least squares."""
    # Half an error more, so that none is no infinitely good sign.
    errors = [(count * (1 - each.accuracy) + 0.5) / (count + 1) for each in points]
    across = np.log([each.examples for each in points])
    along = np.log(errors)
    away = across - across.mean()
    square = float(away @ away)
    slope = float(away @ along) / square if square > 0 else 0.0
    return min(max(-slope, SLOWEST), FASTEST)

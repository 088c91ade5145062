"""How good a taught layer is, found by cross-validation over places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.teach.fit import fit, softmax
from pyapp.core.teach.folds import folds_of
from pyapp.core.teach.gram import times
from pyapp.core.teach.steps import Steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

# With fewer examples nothing is said of how good the layer is.
FEWEST = 10
# Standard normal quantile of a two-sided interval of 95 %.
NORMAL_95 = 1.959964
# Share of the answers given that shall be right; see `threshold_of`.
WANTED_RIGHT = 0.9
LOWEST_THRESHOLD, HIGHEST_THRESHOLD = 0.5, 0.99
# Temperatures to choose from; how far, in logarithms, they are from 1 as a rule.
TEMPERATURES = np.exp(np.linspace(math.log(0.25), math.log(4.0), 65))
USUAL_DISTANCE = 0.5
LEAST = 1e-12


class Interval(NamedTuple):
    """A share, and between what it lies with a confidence of 95 %."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Lesson:
    """What the fits of one project have in common.

    Attributes
    ----------
    products : ndarray of float64, shape (n, n)
        See `pyapp.core.teach.gram.Kernel`.
    prior : ndarray of float64, shape (n, C)
        Logits of the examples before anything is learned.
    classes : ndarray of int64, shape (n,)
    places : ndarray of int64, shape (n,)
        See `pyapp.core.teach.folds.places_of`.
    """

    products: NDArray[np.float64]
    prior: NDArray[np.float64]
    classes: NDArray[np.int64]
    places: NDArray[np.int64]

    @property
    def can_be_judged(self) -> bool:
        """Whether there are enough examples, classes and places to say how good a layer is."""
        several = all(len(set(each.tolist())) > 1 for each in (self.classes, self.places))
        return several and len(self.classes) >= FEWEST

    def held_out(
        self,
        rest: NDArray[np.int64],
        held: NDArray[np.int64],
        start: NDArray[np.float64] | None = None,
    ) -> Steps[NDArray[np.float64]]:
        """Logits of some examples by a layer that is fitted to others, shape (len(held), C)."""
        begun = None if start is None else start[rest]
        inside = self.products[np.ix_(rest, rest)]
        yield
        fitted = yield from fit(inside, self.prior[rest], self.classes[rest], begun)
        yield
        return np.asarray(self.prior[held] + times(self.products[np.ix_(held, rest)], fitted))


@dataclass(frozen=True)
class Verdict:
    """What cross-validation says of n examples of C classes.

    Attributes
    ----------
    accuracy : Interval
    places : int
        Number of places that examples are at.
    probability : ndarray of float64, shape (n, C)
        Calibrated, of each example by a layer that did not learn from its place.
    predicted : ndarray of int64, shape (n,)
        The best class of each example, by a layer that did not learn from its place.
    of_right : ndarray of float64, shape (n,)
        Calibrated probability that such a layer gives the right class.
    confusion : ndarray of int64, shape (C, C)
        Examples by their class (rows) and what was said (columns).
    temperature : float
        Divides the logits, so that probabilities are as often right as they say.
    threshold : float
        Probability from which a class is the answer.
    """

    accuracy: Interval
    places: int
    probability: NDArray[np.float64]
    predicted: NDArray[np.int64]
    of_right: NDArray[np.float64]
    confusion: NDArray[np.int64]
    temperature: float
    threshold: float

    @property
    def recall(self) -> NDArray[np.float64]:
        """Share of each class's examples that are recognised, shape (C,); NaN without any."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.confusion.diagonal() / self.confusion.sum(1))

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of each class's answers that are right, shape (C,); NaN without any."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.confusion.diagonal() / self.confusion.sum(0))

    def doubtful(self, classes: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Examples that were taken for another class, the least probable first."""
        wrong = np.flatnonzero(self.predicted != classes)
        return wrong[np.argsort(self.of_right[wrong], kind="stable")][:count]


def judge(lesson: Lesson, start: NDArray[np.float64]) -> Steps[Verdict | None]:
    """Cross-validate.

    Parameters
    ----------
    lesson : Lesson
    start : ndarray of float64, shape (n, C)
        Coefficients that fit all examples.

    Returns
    -------
    Verdict or None
        ``None`` if there are too few examples or places to tell.
    """
    if not lesson.can_be_judged:
        return None
    classes, places = lesson.classes, lesson.places
    fold = yield from folds_of(places, classes)
    kinds = lesson.prior.shape[1]
    logits = np.empty((len(classes), kinds))
    for each in range(int(fold.max()) + 1):
        held, rest = np.flatnonzero(fold == each), np.flatnonzero(fold != each)
        logits[held] = yield from lesson.held_out(rest, held, start)
    temperature = yield from temperature_of(logits, classes)
    probability = softmax(logits / temperature)
    predicted = probability.argmax(1)
    confusion = np.zeros((kinds, kinds), np.int64)
    np.add.at(confusion, (classes, predicted), 1)
    return Verdict(
        accuracy=accuracy_of(predicted == classes, places, int(fold.max()) + 1),
        places=int(places.max()) + 1,
        probability=probability,
        predicted=predicted,
        of_right=probability[np.arange(len(classes)), classes],
        confusion=confusion,
        temperature=temperature,
        threshold=threshold_of(probability, classes),
    )


def accuracy_of(correct: NDArray[np.bool_], places: NDArray[np.int64], folds: int) -> Interval:
    """The share of correct answers, with Wilson's interval of 95 % for its effective number.

    The layers of the folds learned from much the same examples, so what they get right varies
    together; that makes the variance larger as Nadeau and Bengio found (Machine Learning 52, 2003).

    Parameters
    ----------
    correct : ndarray of bool, shape (n,)
    places : ndarray of int64, shape (n,)
    folds : int
    """
    count = effective_number(correct, places)
    return wilson(float(correct.mean()), count / (1 + folds / (folds - 1)))


def effective_number(correct: NDArray[np.bool_], places: NDArray[np.int64]) -> float:
    """How many independent answers tell as much as these.

    Examples of one place are alike, so n of them tell less than n places would: their effective
    number is found from the variance between places (Korn and Graubard, Survey Methodology 24,
    1998). It is at most n, and at least what complete likeness within places would leave (Kish).

    Parameters
    ----------
    correct : ndarray of bool, shape (n,)
    places : ndarray of int64, shape (n,)
    """
    count, share = len(correct), float(correct.mean())
    sizes = np.bincount(places)
    least = count**2 / float((sizes**2).sum())
    over = np.bincount(places, correct - share)
    variance = float((over**2).sum()) / count**2
    effective = share * (1 - share) / variance if variance > 0 else least
    return min(max(effective, least), count)


def wilson(share: float, count: float) -> Interval:
    """Wilson's score interval of 95 % (JASA 22, 1927).

    >>> [round(each, 3) for each in wilson(0.9, 50)]
    [0.9, 0.786, 0.957]
    """
    square = NORMAL_95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = NORMAL_95 * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    half /= 1 + square / count
    return Interval(share, max(middle - half, 0.0), min(middle + half, 1.0))


def temperature_of(logits: NDArray[np.float64], classes: NDArray[np.int64]) -> Steps[float]:
    """The most likely temperature (Guo et al., ICML 2017), if it is near 1 as a rule.

    Parameters
    ----------
    logits : ndarray of float64, shape (n, C)
        By layers that did not learn from the examples.
    classes : ndarray of int64, shape (n,)
    """
    rows = np.arange(len(classes))
    losses = []
    for each in TEMPERATURES:
        of_right = np.maximum(softmax(logits / each)[rows, classes], LEAST)
        losses.append(-np.log(of_right).sum() + (math.log(each) / USUAL_DISTANCE) ** 2 / 2)
        yield
    return float(TEMPERATURES[int(np.argmin(losses))])


def threshold_of(probability: NDArray[np.float64], classes: NDArray[np.int64]) -> float:
    """The lowest probability from which `WANTED_RIGHT` of the answers are right.

    As for the models themselves (`training.figures.calibrate`): at least one half, rounded down to
    hundredths. Here the answers' calibrated probabilities must reach that on average too, as few
    examples may all be right by chance.

    Parameters
    ----------
    probability : ndarray of float64, shape (n, C)
    classes : ndarray of int64, shape (n,)
    """
    best = probability.max(1)
    return max(surest(best, probability.argmax(1) == classes), surest(best, best))


def surest(best: NDArray[np.float64], right: NDArray[np.bool_] | NDArray[np.float64]) -> float:
    """The lowest of some answers' probabilities from which enough of them are right.

    Parameters
    ----------
    best : ndarray of float64, shape (n,)
        Probability of each answer.
    right : ndarray of bool or float64, shape (n,)
        Whether it is right, or how probably.
    """
    order = np.argsort(-best, kind="stable")
    share = np.cumsum(right[order], dtype=np.float64) / np.arange(1, len(order) + 1)
    last = np.append(np.diff(best[order]) != 0, True)
    enough = np.flatnonzero((share >= WANTED_RIGHT) & last)
    lowest = float(best[order[enough[-1]]]) if len(enough) else 1.0
    return min(max(math.floor(lowest * 100) / 100, LOWEST_THRESHOLD), HIGHEST_THRESHOLD)

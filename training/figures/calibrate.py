"""Calibrated probabilities, and what follows from them: "not sure", label sets, familiarity."""

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor

BINS = 15
# Least probability that counts in a logarithm, so that one wrong answer isn't infinitely bad.
LEAST = 1e-12

Floats = NDArray[np.floating]


def fit_temperature(logits: Tensor, classes: NDArray[np.int64]) -> float:
    """The temperature of least cross-entropy: Guo et al., On Calibration (ICML 2017).

    Parameters
    ----------
    logits : Tensor of float32, shape (N, C)
    classes : ndarray of int64, shape (N,)
        The right classes.
    """
    wanted = torch.from_numpy(classes)
    candidates = np.exp(np.linspace(np.log(0.2), np.log(5.0), 400))
    losses = [nnf.cross_entropy(logits / each, wanted).item() for each in candidates]
    return float(candidates[int(np.argmin(losses))])


def cross_entropy(probability: Floats, classes: NDArray[np.int64]) -> float:
    """Mean of minus the logarithm of the right class's probability (log loss), in nats.

    Parameters
    ----------
    probability : ndarray of float, shape (N, C)
    classes : ndarray of int64, shape (N,)
    """
    of_right = np.take_along_axis(probability, classes[:, None], 1)
    return float(-np.log(np.maximum(of_right, LEAST)).mean())


def fit_threshold(probability: Floats, classes: NDArray[np.int64], right: float) -> float:
    """The lowest probability at which a share of ``right`` of the answers is right.

    It is never below one half: a class less probable than all others together isn't sure.

    Parameters
    ----------
    probability : ndarray of float, shape (N, C)
    classes : ndarray of int64, shape (N,)
    right : float
        Share wanted of the answers whose probability is the threshold or more.
    """
    best = probability.max(1)
    correct = probability.argmax(1) == classes
    order = np.argsort(-best, kind="stable")
    share = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    # Answers of equal probability pass together, so only the last of them counts.
    last = np.append(np.diff(best[order]) != 0, True)
    enough = np.flatnonzero((share >= right) & last)
    lowest = float(best[order[enough[-1]]]) if len(enough) else 1.0
    # Rounded down to hundredths, so that it doesn't depend on one picture's last digits.
    return max(0.5, math.floor(lowest * 100) / 100)


def fit_sets(probability: Floats, classes: NDArray[np.int64], coverage: float) -> float:
    """The least probability of a class that belongs to a chip's label set.

    Split conformal prediction: Sadinle, Lei and Wasserman, Least Ambiguous Set-Valued Classifiers
    (JASA 2019). For chips like these, a share of at least ``coverage`` of the sets hold the right
    class.

    Parameters
    ----------
    probability : ndarray of float, shape (N, C)
        Of chips that the network was not trained on.
    classes : ndarray of int64, shape (N,)
    coverage : float

    Returns
    -------
    float
        0 if there are too few chips for the promise: then every class belongs to the set.
    """
    of_right = np.sort(probability[np.arange(len(classes)), classes])
    # The k-th smallest, corrected for a finite number of chips. Rounded first, because
    # (1 - 0.9) * 10 is a little less than 1.
    rank = math.floor(round((1 - coverage) * (len(classes) + 1), 9))
    return float(of_right[rank - 1]) if rank else 0.0


def covered(probability: Floats, classes: NDArray[np.int64], level: float) -> tuple[float, float]:
    """How often label sets hold the right class, and how large they are.

    A set always holds the best class, so it is never empty.

    Parameters
    ----------
    probability : ndarray of float, shape (N, C)
    classes : ndarray of int64, shape (N,)
    level : float
        What `fit_sets` gave.

    Returns
    -------
    (share, size) : float, float
        Share of chips whose right class is in their set; mean number of classes in a set.
    """
    sets = probability >= level
    sets[np.arange(len(sets)), probability.argmax(1)] = True
    return float(sets[np.arange(len(classes)), classes].mean()), float(sets.sum(1).mean())


def fit_familiarity(scores: Floats, share: float) -> float:
    """The level that a ``share`` of known chips reaches, from their scores, shape (N,)."""
    return float(np.quantile(scores, 1 - share))


def separation(known: Floats, unknown: Floats) -> float:
    """Area under the ROC curve: the chance that a known chip scores higher than an unknown one.

    Equal scores count half, as in the Mann-Whitney U statistic.

    Parameters
    ----------
    known, unknown : ndarray of float, shapes (N,) and (M,)
        Scores, higher for what looks known.
    """
    _, place, count = np.unique(
        np.concatenate([unknown, known]), return_inverse=True, return_counts=True
    )
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    above = ranks[len(unknown) :].sum() - len(known) * (len(known) + 1) / 2
    return float(above / (len(known) * len(unknown)))


class Bin(NamedTuple):
    """Chips of similar probability.

    Attributes
    ----------
    sure : float
        Mean probability of their best classes.
    right : float
        Share whose best class is the right one.
    share : float
        Share of all chips.
    """

    sure: float
    right: float
    share: float


def reliability(probability: Floats, classes: NDArray[np.int64]) -> list[Bin]:
    """The bins of a reliability diagram: `BINS` of equal width, without the empty ones.

    A bin includes its upper edge and not its lower one, as in Guo et al. (2017).

    Parameters
    ----------
    probability : ndarray of float, shape (N, C)
    classes : ndarray of int64, shape (N,)
    """
    return bins(probability.max(1), probability.argmax(1) == classes)


def bins(best: Floats, correct: NDArray[np.bool_]) -> list[Bin]:
    """As `reliability`, of answers of any kind.

    Parameters
    ----------
    best : ndarray of float, shape (N,)
        Probability of each answer.
    correct : ndarray of bool, shape (N,)
    """
    place = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], best)
    return [
        Bin(
            float(best[place == each].mean()),
            float(correct[place == each].mean()),
            float((place == each).mean()),
        )
        for each in np.unique(place)
    ]


def calibration_error(probability: Floats, classes: NDArray[np.int64]) -> float:
    """Expected calibration error over `reliability`: Guo et al. (2017), equation 3."""
    return sum(abs(b.right - b.sure) * b.share for b in reliability(probability, classes))


def wilson(right: float, count: float) -> tuple[float, float]:
    """95 % confidence interval of the share ``right / count``: Wilson (1927).

    Unlike the normal approximation, it also holds near 0 and 1. Weighted answers may give numbers
    that are not whole.
    """
    lower, upper = wilson_interval(np.array([right / count]), np.array([count], np.float64))
    return float(lower[0]), float(upper[0])


def wilson_interval(
    share: NDArray[np.float64], count: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`wilson` for many shares, each with the count that it is of."""
    z = 1.959964
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    spread /= 1 + z * z / count
    return np.maximum(0.0, middle - spread), np.minimum(1.0, middle + spread)

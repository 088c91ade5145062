"""Probabilities that mean what they say, and what follows from them: "not sure", label sets,
"unlike anything I was trained on".
"""

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

BINS = 15


def fit_temperature(logits: Tensor, classes: np.ndarray) -> float:
    """The temperature of least cross-entropy: Guo et al., On Calibration (ICML 2017)."""
    wanted = torch.from_numpy(classes)
    candidates = np.exp(np.linspace(np.log(0.2), np.log(5.0), 400))
    losses = [nnf.cross_entropy(logits / each, wanted).item() for each in candidates]
    return float(candidates[int(np.argmin(losses))])


def fit_threshold(probability: np.ndarray, classes: np.ndarray, right: float) -> float:
    """The lowest probability at or over which ``right`` of the answers are right.

    Never under one half: a class that is less probable than all others together isn't sure.

    Parameters
    ----------
    probability : float [N, C]
    classes : int64 [N]
    right : float
    """
    best = probability.max(1)
    correct = probability.argmax(1) == classes
    order = np.argsort(-best, kind="stable")
    share = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share >= right)
    lowest = float(best[order[enough[-1]]]) if len(enough) else 1.0
    # Down to hundredths, so that the threshold does not hang on a single image's last digits.
    return max(0.5, math.floor(lowest * 100) / 100)


def fit_sets(probability: np.ndarray, classes: np.ndarray, coverage: float) -> float:
    """The probability from which on a class belongs to the label set of a chip.

    Split conformal prediction: Sadinle, Lei and Wasserman, Least Ambiguous Set-Valued Classifiers
    (JASA 2019). Of chips like those given here, at least ``coverage`` have their class in the set.

    Parameters
    ----------
    probability : float [N, C]
        Of chips that the network was not trained on.
    classes : int64 [N]
    coverage : float
    """
    of_right = np.sort(probability[np.arange(len(classes)), classes])
    # The k-th smallest, with the correction for a finite number of chips; too few chips: all.
    rank = math.floor((1 - coverage) * (len(classes) + 1))
    return float(of_right[rank - 1]) if rank else 0.0


def covered(probability: np.ndarray, classes: np.ndarray, level: float) -> tuple[float, float]:
    """Share of chips whose class is in their label set, and the mean size of the sets.

    A set is never empty: it holds the best class always.
    """
    sets = probability >= level
    sets[np.arange(len(sets)), probability.argmax(1)] = True
    return float(sets[np.arange(len(classes)), classes].mean()), float(sets.sum(1).mean())


def fit_familiarity(scores: np.ndarray, kept: float) -> float:
    """The familiarity over which ``kept`` of known chips are: float [N] to float."""
    return float(np.quantile(scores, 1 - kept))


def separation(known: np.ndarray, unknown: np.ndarray) -> float:
    """Area under the ROC curve: the chance that a known chip scores over an unknown one."""
    order = np.argsort(np.concatenate([unknown, known]), kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    above = ranks[len(unknown) :].sum() - len(known) * (len(known) + 1) / 2
    return float(above / (len(known) * len(unknown)))


class Bin(NamedTuple):
    """Chips of similar probability: how sure the network is, and how often it is right."""

    sure: float
    right: float
    share: float


def reliability(probability: np.ndarray, classes: np.ndarray) -> list[Bin]:
    """Bins of equal width that hold any chip, for a reliability diagram."""
    best = probability.max(1)
    correct = probability.argmax(1) == classes
    place = np.minimum((best * BINS).astype(int), BINS - 1)
    return [
        Bin(
            float(best[place == each].mean()),
            float(correct[place == each].mean()),
            float((place == each).mean()),
        )
        for each in np.unique(place)
    ]


def calibration_error(probability: np.ndarray, classes: np.ndarray) -> float:
    """Expected calibration error in 15 bins of equal width: Guo et al. (2017), equation 3."""
    return sum(abs(b.right - b.sure) * b.share for b in reliability(probability, classes))


def wilson(right: int, count: int) -> tuple[float, float]:
    """95 % interval of a share: Wilson (1927), which holds near 0 and 1 too."""
    z = 1.959964
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    spread /= 1 + z * z / count
    return float(middle - spread), float(min(1.0, middle + spread))

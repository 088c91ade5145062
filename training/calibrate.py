"""Probabilities that mean what they say, and the one under which the page says "not sure"."""

import math

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


def calibration_error(probability: np.ndarray, classes: np.ndarray) -> float:
    """Expected calibration error in 15 bins of equal width: Guo et al. (2017), equation 3."""
    best = probability.max(1)
    correct = probability.argmax(1) == classes
    place = np.minimum((best * BINS).astype(int), BINS - 1)
    gaps = [
        abs(correct[place == each].mean() - best[place == each].mean()) * (place == each).mean()
        for each in np.unique(place)
    ]
    return float(sum(gaps))


def wilson(right: int, count: int) -> tuple[float, float]:
    """95 % interval of a share: Wilson (1927), which holds near 0 and 1 too."""
    z = 1.959964
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    spread /= 1 + z * z / count
    return float(middle - spread), float(min(1.0, middle + spread))

"""Two things measured in turns: their ratio, and how sure it is."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

# An interval holds the median ratio with at least this probability, if there are turns enough.
SURE = 0.9


class Ratio(NamedTuple):
    """The median of the ratios new / old of all turns, and an interval for it.

    Attributes
    ----------
    middle, low, high : float
    sure : float
        Probability that the interval holds the median of infinitely many turns, whatever the noise
        is like, as long as turns don't depend on each other.
    """

    middle: float
    low: float
    high: float
    sure: float

    def told(self, less_is_better: bool) -> str:
        """Ratio, interval, and what may be said of it."""
        if self.sure < SURE:
            verdict = "too few turns to tell"
        elif self.low <= 1 <= self.high:
            verdict = "no difference seen"
        else:
            verdict = "better" if (self.middle < 1) == less_is_better else "**worse**"
        return f"{self.middle:.3f} ({self.low:.3f} to {self.high:.3f}), {verdict}"


def ratio(new: Sequence[float], old: Sequence[float]) -> Ratio:
    """Compare turn by turn, so that a machine that gets slower meanwhile does no harm.

    The interval is that of the sign test: from the k-th smallest ratio to the k-th largest, with
    the largest k for which at least `SURE` is left (Conover, Practical Nonparametric Statistics,
    3.2); with few turns, from the smallest to the largest.

    Parameters
    ----------
    new, old : sequence of float
        One of each for every turn, greater than 0.
    """
    ratios = sorted(mine / theirs for mine, theirs in zip(new, old, strict=True))
    count, k = len(ratios), 1
    while 2 * (k + 1) <= count and _holds(count, k + 1) >= SURE:
        k += 1
    return Ratio(statistics.median(ratios), ratios[k - 1], ratios[-k], _holds(count, k))


def _holds(count: int, k: int) -> float:
    """Probability that a median lies between the k-th smallest and k-th largest of so many."""
    return 1 - 2 * sum(math.comb(count, each) for each in range(k)) / 2**count

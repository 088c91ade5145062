"""How good a taught layer is on squares that were kept aside: judged, and never learned from.

They are a random part of the judged squares of a survey's stratified sample, drawn class by class.
So this is a sample in two phases (Cochran, Sampling Techniques, 1977, 12.2): all judged squares say
how much of the area each class has, those kept aside how often the layer is right on it. The
variance is that of a weighted mean with the final weights, by linearisation (Särndal, Swensson and
Wretman, Model Assisted Survey Sampling, 1992, 5.7), as if the classes' shares were known no better
than from the squares kept aside; so the interval is rather too wide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.teach.example import Example
from pyapp.core.teach.folds import GAP, within_reach
from pyapp.core.teach.judge import Interval, wilson
from pyapp.core.teach.project import Project

if TYPE_CHECKING:
    from numpy.typing import NDArray


class AsideVerdict(NamedTuple):
    """What the squares that were kept aside from one check say.

    Attributes
    ----------
    survey : str
        Its name.
    accuracy : Interval or None
        Share of the area on which the layer's best class is right; ``None`` if no square can say.
    squares : int
        Squares that this rests on.
    overlapping : int
        Squares kept aside that overlap an example which was learned from: they say nothing.
    missing : tuple of str
        Classes that were judged, but of which no square is left to say something.
    missing_share : float
        Share of the area that they have.
    """

    survey: str
    accuracy: Interval | None
    squares: int
    overlapping: int
    missing: tuple[str, ...]
    missing_share: float


def judge_aside(project: Project, said: Mapping[str, str]) -> tuple[AsideVerdict, ...]:
    """Judge a layer, for each check that examples are from.

    Parameters
    ----------
    project : Project
    said : mapping of str to str
        The layer's best class of each example that is kept aside, by its sha256.

    Returns
    -------
    tuple of AsideVerdict
        None of a check without a square that is kept aside.
    """
    checks: dict[str, list[Example]] = defaultdict(list)
    for each in project.examples:
        if each.judged is not None:
            checks[each.judged.check].append(each)
    spoilt = _overlapping(project)
    found = (_verdict(judged, said, spoilt) for judged in checks.values())
    return tuple(each for each in found if each is not None)


def _overlapping(project: Project) -> set[str]:
    """Which squares kept aside overlap an example that was learned from."""
    aside = [each for each in project.aside if each.place is not None]
    places = [each.place for each in project.fitted if each.place is not None]
    if not aside or not places:
        return set()
    near = within_reach([each.place for each in aside if each.place], places, 1 - GAP)
    return {aside[row].sha256 for row in np.flatnonzero(near.any(1)).tolist()}


def _verdict(
    judged: Sequence[Example], said: Mapping[str, str], spoilt: set[str]
) -> AsideVerdict | None:
    area: dict[str, float] = defaultdict(float)
    for each in judged:
        area[each.label] += _hectares(each)
    aside = [each for each in judged if each.judged is not None and each.aside]
    if not aside or sum(area.values()) <= 0:
        return None
    used = [each for each in aside if each.sha256 not in spoilt and each.sha256 in said]
    of_class: dict[str, float] = defaultdict(float)
    for each in used:
        of_class[each.label] += _hectares(each)
    # Those of a class stand for all of its area.
    weights = np.array(
        [_hectares(each) * area[each.label] / max(of_class[each.label], 1e-12) for each in used]
    )
    right = np.array([said[each.sha256] == each.label for each in used])
    missing = tuple(each for each in area if each not in of_class)
    first = aside[0].judged
    return AsideVerdict(
        survey="" if first is None else first.survey,
        accuracy=weighted_share(right, weights) if weights.sum() > 0 else None,
        squares=len(used),
        overlapping=sum(each.sha256 in spoilt for each in aside),
        missing=missing,
        missing_share=sum(area[each] for each in missing) / sum(area.values()),
    )


def _hectares(example: Example) -> float:
    return 0.0 if example.judged is None else example.judged.hectares


def weighted_share(right: NDArray[np.bool_], weights: NDArray[np.float64]) -> Interval:
    """A weighted share, with Wilson's interval for its effective number.

    That is the number of equally weighted squares with the same variance, at most as many as there
    are; if all are right or all wrong, it is Kish's (Survey Sampling, 1965, 11.7).

    Parameters
    ----------
    right : ndarray of bool, shape (n,)
    weights : ndarray of float64, shape (n,)
        Not all 0.

    Examples
    --------
    >>> right = np.arange(50) < 45
    >>> [round(each, 3) for each in weighted_share(right, np.ones(50))]
    [0.9, 0.785, 0.957]
    """
    count, total = len(right), float(weights.sum())
    share = float((weights * right).sum()) / total
    kish = total**2 / float((weights**2).sum())
    variance = float((weights**2 * (right - share) ** 2).sum()) / total**2
    variance *= count / max(count - 1, 1)
    effective = share * (1 - share) / variance if variance > 0 else kish
    return wilson(share, min(max(effective, 1.0), count))

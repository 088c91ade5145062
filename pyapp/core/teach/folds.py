"""Examples divided by place, so that what is measured on was not learned from next door."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pyapp.core.ground.geo import EARTH_RADIUS_M, Footprint
from pyapp.core.teach.steps import Steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_FOLDS = 5
# Squares closer than this share of their side count as touching.
GAP = 0.05
# Places that are given a fold in one step.
AT_ONCE = 100


def places_of(footprints: Sequence[Footprint | None]) -> NDArray[np.int64]:
    """The place that each example is at: squares that touch, directly or over others, share one.

    Parameters
    ----------
    footprints : sequence of Footprint or None
        ``None`` for a picture without a position, which is a place of its own.

    Returns
    -------
    ndarray of int64, shape (n,)
        Numbers of places, from 0.
    """
    count = len(footprints)
    place = np.arange(count)
    known = np.array([number for number, each in enumerate(footprints) if each], np.int64)
    squares = [each for each in footprints if each]
    if squares:
        touching = _touching(squares)
        for row, number in enumerate(known):
            joined = np.zeros(count, np.bool_)
            joined[place[known[touching[row]]]] = joined[place[number]] = True
            place[joined[place]] = np.flatnonzero(joined)[0]
    # numpy.unique needs numpy.ma, which is not on the page.
    used = np.flatnonzero(np.bincount(place, minlength=count))
    return np.searchsorted(used, place).astype(np.int64)


def _touching(squares: Sequence[Footprint]) -> NDArray[np.bool_]:
    """Whether squares touch or overlap, shape (n, n); each touches itself."""
    lng = np.array([each.centre.lng for each in squares])
    lat = np.array([each.centre.lat for each in squares])
    side_m = np.array([each.side_m for each in squares])
    metres = math.radians(1) * EARTH_RADIUS_M
    reach = (side_m[:, np.newaxis] + side_m) / 2 * (1 + GAP)
    north_m = np.abs(lat[:, np.newaxis] - lat) * metres
    east = np.abs((lng[:, np.newaxis] - lng + 180) % 360 - 180)
    east_m = east * metres * np.cos(np.radians(lat))
    return np.asarray((north_m <= reach) & (np.minimum(east_m, east_m.T) <= reach))


def folds_of(
    places: NDArray[np.int64], classes: NDArray[np.int64], count: int = MOST_FOLDS
) -> Steps[NDArray[np.int64]]:
    """A fold for each example; a place is in one fold, and classes are spread over the folds.

    Parameters
    ----------
    places, classes : ndarray of int64, shape (n,)
    count : int
        Folds, unless there are fewer places.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    kinds, sizes = int(classes.max()) + 1, np.bincount(places)
    inside = np.zeros((len(sizes), kinds))
    np.add.at(inside, (places, classes), 1)
    loads = np.zeros((min(count, len(sizes)), kinds))
    fold = np.zeros(len(sizes), np.int64)
    for number, place in enumerate(np.argsort(-sizes, kind="stable")):
        # Where there is least of the same classes; of equal ones, where there is least at all.
        same, all_there = loads @ inside[place], loads.sum(1)
        chosen = np.lexsort((all_there, same))[0]
        fold[place] = chosen
        loads[chosen] += inside[place]
        if number % AT_ONCE == 0:
            yield
    return fold[places]

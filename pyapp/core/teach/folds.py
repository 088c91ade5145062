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
        touching = within_reach(squares, squares, 1 + GAP)
        for row, number in enumerate(known):
            joined = np.zeros(count, np.bool_)
            joined[place[known[touching[row]]]] = joined[place[number]] = True
            place[joined[place]] = np.flatnonzero(joined)[0]
    # numpy.unique needs numpy.ma, which is not on the page.
    used = np.flatnonzero(np.bincount(place, minlength=count))
    return np.searchsorted(used, place).astype(np.int64)


def within_reach(
    squares: Sequence[Footprint], others: Sequence[Footprint], share: float
) -> NDArray[np.bool_]:
    """Whether squares are near others, shape (n, m).

    Parameters
    ----------
    squares, others : sequence of Footprint
    share : float
        Of the distance, in both directions, at which two squares just touch.
    """
    lng, lat, side_m = _arrays(squares)
    other_lng, other_lat, other_side_m = _arrays(others)
    metres = math.radians(1) * EARTH_RADIUS_M
    reach = (side_m[:, np.newaxis] + other_side_m) / 2 * share
    north_m = np.abs(lat[:, np.newaxis] - other_lat) * metres
    east = np.abs((lng[:, np.newaxis] - other_lng + 180) % 360 - 180) * metres
    shorter = np.minimum(np.cos(np.radians(lat))[:, np.newaxis], np.cos(np.radians(other_lat)))
    return np.asarray((north_m <= reach) & (east * shorter <= reach))


def _arrays(squares: Sequence[Footprint]) -> NDArray[np.float64]:
    """Longitudes, latitudes and sides, shape (3, n)."""
    found = [(*each.centre, each.side_m) for each in squares]
    return np.asarray(np.array(found, np.float64).reshape(-1, 3).T)


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

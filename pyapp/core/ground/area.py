"""An area of ground that a person marks, and what keeps it from being surveyed."""

import math
from typing import NamedTuple

import numpy as np

from pyapp.core.errors import CrossedAreaError, FlatAreaError, PastMapError
from pyapp.core.ground.geo import MAX_LATITUDE, Bounds, LngLat, Pixel, pixel_at

# World pixels at this zoom are the plane in which areas and grids are laid: a float keeps them to
# less than a micrometre.
PLANE = 0


class Area(NamedTuple):
    """A polygon: its corners in turn, not closed.

    Longitudes go on past 180 degrees where it lies over the date line, so that neighbouring corners
    are neighbouring numbers.
    """

    corners: tuple[LngLat, ...]

    @property
    def bounds(self) -> Bounds:
        """The rectangle around it."""
        lngs, lats = zip(*self.corners, strict=True)
        return Bounds(min(lngs), min(lats), max(lngs), max(lats))


def rectangle(one: LngLat, other: LngLat) -> Area:
    """The rectangle between two opposite corners."""
    west, east = sorted((one.lng, other.lng))
    south, north = sorted((one.lat, other.lat))
    return Area(
        (LngLat(west, north), LngLat(east, north), LngLat(east, south), LngLat(west, south))
    )


def check(area: Area) -> None:
    """See that an area can be surveyed.

    Raises
    ------
    FlatAreaError
        With fewer than three corners, or with nothing between them.
    PastMapError
        When it reaches past the latitudes where web maps end.
    CrossedAreaError
        When its outline crosses itself.
    """
    points = [pixel_at(corner, PLANE) for corner in area.corners]
    if len(set(points)) < 3:
        raise FlatAreaError
    if any(abs(corner.lat) > MAX_LATITUDE for corner in area.corners):
        raise PastMapError
    if any(_cross(*pair) for pair in _apart(points)):
        raise CrossedAreaError
    if _surface(points) == 0:
        raise FlatAreaError


def contains(area: Area, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which points of the plane lie inside.

    Parameters
    ----------
    area : Area
    x, y : float [...]
        World pixels at zoom `PLANE`.

    Returns
    -------
    bool [...]
        By the even-odd rule.
    """
    inside = np.zeros(np.broadcast(x, y).shape, bool)
    points = [pixel_at(corner, PLANE) for corner in area.corners]
    for one, other in _sides(points):
        if one.y != other.y:
            between = (one.y > y) != (other.y > y)
            crossing = (other.x - one.x) * (y - one.y) / (other.y - one.y) + one.x
            inside ^= between & (x < crossing)
    return inside


def _sides(points: list[Pixel]):
    return list(zip(points, points[1:] + points[:1], strict=True))


def _surface(points: list[Pixel]) -> float:
    """Twice the surface of a polygon (Gauss's area formula), without its sign."""
    return abs(math.fsum(a.x * b.y - b.x * a.y for a, b in _sides(points)))


def _apart(points: list[Pixel]):
    """Pairs of sides that share no corner."""
    sides = _sides(points)
    for first in range(len(sides)):
        for second in range(first + 2, len(sides)):
            if (second + 1) % len(sides) != first:
                yield *sides[first], *sides[second]


def _cross(a: Pixel, b: Pixel, c: Pixel, d: Pixel) -> bool:
    """Whether the side from ``a`` to ``b`` and that from ``c`` to ``d`` cross."""

    def turn(p, q, r):
        return (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x)

    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0

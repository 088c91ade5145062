"""An area of ground that a person marks, and what prevents it from being surveyed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.errors import CrossedAreaError, FlatAreaError, PastMapError
from pyapp.core.ground.geo import MAX_LATITUDE, Bounds, LngLat, Pixel, pixel_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

# World pixels at this zoom are the plane in which areas and grids are laid out: a float resolves
# them to less than a micrometre.
PLANE = 0


class Area(NamedTuple):
    """A polygon: its corners in order, without repeating the first.

    Longitudes continue past 180 degrees if the area crosses the date line, so that neighbouring
    corners have neighbouring longitudes.
    """

    corners: tuple[LngLat, ...]

    @property
    def bounds(self) -> Bounds:
        """The smallest rectangle around it."""
        lngs, lats = zip(*self.corners, strict=True)
        return Bounds(min(lngs), min(lats), max(lngs), max(lats))


def rectangle(one: LngLat, other: LngLat) -> Area:
    """The rectangle between two opposite corners.

    >>> rectangle(LngLat(8.0, 47.0), LngLat(9.0, 46.0)).bounds
    Bounds(west=8.0, south=46.0, east=9.0, north=47.0)
    """
    west, east = sorted((one.lng, other.lng))
    south, north = sorted((one.lat, other.lat))
    return Area(
        (LngLat(west, north), LngLat(east, north), LngLat(east, south), LngLat(west, south))
    )


def check(area: Area) -> None:
    """Check that an area can be surveyed.

    Raises
    ------
    FlatAreaError
        If it has fewer than three different corners, or encloses nothing.
    PastMapError
        If it extends beyond the latitudes where web maps end.
    CrossedAreaError
        If its outline crosses itself.

    Examples
    --------
    >>> check(Area((LngLat(8.0, 47.0), LngLat(8.1, 47.0))))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    pyapp.core.errors.FlatAreaError: The outline encloses no area. ...
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


def contains(area: Area, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points of the plane lie inside an area, by the even-odd rule.

    Parameters
    ----------
    area : Area
    x, y : ndarray of float64, shapes that broadcast
        World pixels at zoom `PLANE`.

    Returns
    -------
    ndarray of bool, the common shape of ``x`` and ``y``

    Examples
    --------
    >>> area = rectangle(LngLat(-90.0, 60.0), LngLat(90.0, -60.0))
    >>> contains(area, np.array([128.0, 20.0]), np.array([128.0, 128.0])).tolist()
    [True, False]
    """
    inside = np.zeros(np.broadcast(x, y).shape, np.bool_)
    points = [pixel_at(corner, PLANE) for corner in area.corners]
    for one, other in _sides(points):
        if one.y != other.y:
            between = (one.y > y) != (other.y > y)
            crossing = (other.x - one.x) * (y - one.y) / (other.y - one.y) + one.x
            inside ^= between & (x < crossing)
    return inside


def _sides(points: list[Pixel]) -> list[tuple[Pixel, Pixel]]:
    return list(zip(points, points[1:] + points[:1], strict=True))


def _surface(points: list[Pixel]) -> float:
    """Twice the surface of a polygon (Gauss's area formula), without its sign."""
    return abs(math.fsum(a.x * b.y - b.x * a.y for a, b in _sides(points)))


def _apart(points: list[Pixel]) -> Iterator[tuple[Pixel, Pixel, Pixel, Pixel]]:
    """Pairs of sides that share no corner."""
    sides = _sides(points)
    for first in range(len(sides)):
        for second in range(first + 2, len(sides)):
            if (second + 1) % len(sides) != first:
                yield *sides[first], *sides[second]


def _cross(a: Pixel, b: Pixel, c: Pixel, d: Pixel) -> bool:
    """Whether the side from ``a`` to ``b`` crosses the side from ``c`` to ``d``."""

    def turn(p: Pixel, q: Pixel, r: Pixel) -> float:
        return (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x)

    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0

"""An area of ground that a person marks, and what prevents it from being surveyed."""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

from pyapp.core.errors import CrossedAreaError, FlatAreaError, PastMapError
from pyapp.core.ground.geo import MAX_LATITUDE, Bounds, LngLat
from pyapp.core.ground.sides import Sides

# World pixels at this zoom are the plane in which areas and grids are laid out: a float resolves
# them to less than a micrometre.
PLANE = 0


Ring = tuple[LngLat, ...]
# Its outline, then its holes.
Polygon = tuple[Ring, ...]


class Area(NamedTuple):
    """A polygon, or several; each ring has its corners in order, without repeating the first.

    Longitudes continue past 180 degrees if the area crosses the date line, so that neighbouring
    corners have neighbouring longitudes.

    Attributes
    ----------
    corners : tuple of LngLat
        The outline of the polygon.
    holes : tuple of tuple of LngLat
        What is cut out of it.
    others : tuple
        Further polygons: of each its outline, then its holes. They may overlap.
    """

    corners: Ring
    holes: tuple[Ring, ...] = ()
    others: tuple[Polygon, ...] = ()

    @property
    def polygons(self) -> tuple[Polygon, ...]:
        """All polygons: of each its outline, then its holes."""
        return ((self.corners, *self.holes), *self.others)

    @property
    def bounds(self) -> Bounds:
        """The smallest rectangle around it."""
        lngs, lats = zip(*chain.from_iterable(each[0] for each in self.polygons), strict=True)
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


def check(area: Area) -> Sides:
    """Check that an area can be surveyed.

    Returns
    -------
    Sides
        Of its outlines and holes.

    Raises
    ------
    FlatAreaError
        If it has fewer than three different corners, or encloses nothing.
    PastMapError
        If it extends beyond the latitudes where web maps end.
    CrossedAreaError
        If an outline crosses itself or a hole.

    Examples
    --------
    >>> check(Area((LngLat(8.0, 47.0), LngLat(8.1, 47.0))))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    pyapp.core.errors.FlatAreaError: The outline encloses no area. ...
    """
    if not any(len(set(outline)) > 2 for outline, *_ in area.polygons):
        raise FlatAreaError
    if max(abs(area.bounds.south), abs(area.bounds.north)) > MAX_LATITUDE:
        raise PastMapError
    sides = Sides(area.polygons)
    if sides.crossed:
        raise CrossedAreaError
    if sides.flat:
        raise FlatAreaError
    return sides

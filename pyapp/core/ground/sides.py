"""The sides of an area's outlines as numbers: which points they enclose, and whether they cross.

An outline counts once for what it encloses and a hole takes that away again, whichever way their
corners go round (the winding number). So polygons that overlap are one area, as in a union.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pyapp.core.ground.geo import MAX_LATITUDE, TILE_PX, LngLat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Indices = NDArray[np.integer]

Rings = Sequence[Sequence[LngLat]]

# Pairs of sides looked at together, and in all: who asks for more has sides on top of each other.
PAIRS, MOST_PAIRS = 2_000_000, 100_000_000
# Makes one number of column and row; if two cells got the same one, more pairs would be looked at.
ACROSS = 1 << 31


class Sides:
    """All sides of some polygons.

    Parameters
    ----------
    polygons : sequence
        Of each its rings: the outline, then the holes. Of each ring its corners, in degrees.
    """

    def __init__(self, polygons: Sequence[Rings]):
        rings, roles, owners = [], [], []
        for number, polygon in enumerate(polygons):
            for place, ring in enumerate(polygon):
                if len(ring):
                    rings.append(_in_the_plane(ring))
                    roles.append(1 if place == 0 else -1)
                    owners.append(number)
        # Counts and places are as wide as an address, which has 32 bits on the page.
        lengths = np.array([len(ring) for ring in rings], np.intp)
        ends = [np.concatenate([ring[1:], ring[:1]]) for ring in rings]
        empty = np.zeros((0, 2))
        self._from = np.concatenate(rings) if rings else empty
        self._to = np.concatenate(ends) if rings else empty
        self._owner = np.repeat(np.array(owners, np.int64), lengths)
        self._surfaces = np.array(
            [_surface(*each) for each in zip(rings, ends, strict=True)], np.float64
        )
        turns = np.sign(self._surfaces) * np.array(roles, np.float64)
        self._weight = np.repeat(turns, lengths) * np.sign(self._to[:, 1] - self._from[:, 1])

    @property
    def flat(self) -> bool:
        """Whether they enclose nothing."""
        return not self._surfaces.any()

    def cover(self, x: Numbers, y: Numbers) -> NDArray[np.bool_]:
        """Which points of a lattice they enclose.

        Parameters
        ----------
        x : ndarray of float64, shape (columns,)
            Ascending, in world pixels at zoom `PLANE`, as ``y``.
        y : ndarray of float64, shape (rows,)

        Returns
        -------
        ndarray of bool, shape (rows, columns)
        """
        low, high = self._heights
        near = (high > y[0]) & (low <= y[-1])
        first = np.searchsorted(y, low[near])
        spans = np.searchsorted(y, high[near]) - first
        side, row = _spread(first, spans)
        side = np.flatnonzero(near)[side]
        (x1, y1), (x2, y2) = self._from[side].T, self._to[side].T
        crossing = (x2 - x1) * (y[row] - y1) / (y2 - y1) + x1
        place = row * (len(x) + 1) + np.searchsorted(x, crossing)
        size = len(y) * (len(x) + 1)
        changes = np.bincount(place.astype(np.intp), self._weight[side], size).reshape(len(y), -1)
        # What a point is inside of are the sides to its right.
        right = np.cumsum(changes[:, ::-1], 1)[:, ::-1]
        return np.asarray(right[:, 1:] > 0)

    @property
    def crossed(self) -> bool:
        """Whether two sides of a polygon cross, other than by touching."""
        seen = 0
        for one, other in self._near():
            seen += len(one)
            if seen > MOST_PAIRS or self._cross(one, other).any():
                return True
        return False

    @cached_property
    def _heights(self) -> tuple[Numbers, Numbers]:
        y1, y2 = self._from[:, 1], self._to[:, 1]
        return np.minimum(y1, y2), np.maximum(y1, y2)

    def _near(self) -> Iterator[tuple[Indices, Indices]]:
        """Pairs of sides that may cross: those that share a cell of a net.

        A side is in the net whose cells are just larger than itself, and looked for in it are all
        that are not larger; so each lies in four cells at most, however long some of them are.
        """
        low = np.minimum(self._from, self._to)
        high = np.maximum(self._from, self._to)
        sizes = (high - low).max(1, initial=0.0)
        if not sizes.any():
            return
        # Half of them are smaller. (numpy's median needs parts that are not on the page.)
        middle = np.partition(sizes, len(sizes) // 2)[len(sizes) // 2]
        base = max(float(middle), float(sizes.max()) / 2**20)
        levels = np.ceil(np.log2(np.maximum(sizes, base) / base) + 1e-9).astype(np.int64)
        corner = low.min(0)
        for level in range(int(levels.max()) + 1):
            cell = base * 2.0**level
            first, last = (((each - corner) / cell).astype(np.int64) for each in (low, high))
            large, large_keys = _keys(np.flatnonzero(levels == level), first, last)
            if not len(large):
                continue
            small, small_keys = _keys(np.flatnonzero(levels <= level), first, last)
            order = np.argsort(large_keys)
            large, large_keys = large[order], large_keys[order]
            begin = np.searchsorted(large_keys, small_keys)
            counts = np.searchsorted(large_keys, small_keys, "right") - begin
            ends = np.cumsum(counts, dtype=np.int64)
            for step in range(int(ends[-1]) // PAIRS + 1):
                now = (ends > step * PAIRS) & (ends <= (step + 1) * PAIRS)
                entry, place = _spread(begin[now], counts[now])
                yield small[now][entry], large[place]

    def _cross(self, one: Indices, other: Indices) -> NDArray[np.bool_]:
        same = self._owner[one] == self._owner[other]
        one, other = one[same], other[same]
        a, b, c, d = self._from[one], self._to[one], self._from[other], self._to[other]
        across = _turn(a, b, c) * _turn(a, b, d) < 0
        return np.asarray(across & (_turn(c, d, a) * _turn(c, d, b) < 0))


def _in_the_plane(ring: Sequence[LngLat]) -> Numbers:
    """World pixels at zoom `PLANE`, shape (N, 2)."""
    lng, lat = np.array(ring, np.float64).T
    phi = np.radians(np.clip(lat, -MAX_LATITUDE, MAX_LATITUDE))
    return np.stack([(lng + 180) / 360, (1 - np.arcsinh(np.tan(phi)) / math.pi) / 2], 1) * TILE_PX


def _surface(points: Numbers, ends: Numbers) -> float:
    """Twice the surface of a polygon with its sign (Gauss's area formula)."""
    x1, y1 = (points - points[0]).T
    x2, y2 = (ends - points[0]).T
    return float((x1 * y2 - x2 * y1).sum())


def _turn(p: Numbers, q: Numbers, r: Numbers) -> Numbers:
    """On which side of the line from ``p`` to ``q`` lies ``r``, shape (N,)."""
    found = (q[:, 0] - p[:, 0]) * (r[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (r[:, 0] - p[:, 0])
    return np.asarray(found)


def _spread(first: Indices, counts: Indices) -> tuple[Indices, Indices]:
    """For each number a run of indices: whose it is, and the index."""
    whose = np.repeat(np.arange(len(counts)), counts)
    begun = np.repeat(np.cumsum(counts) - counts, counts)
    return whose, np.arange(len(whose)) - begun + first[whose]


def _keys(sides: Indices, first: Indices, last: Indices) -> tuple[Indices, Indices]:
    """The cells that sides lie in, one to four for each: sides, and a number for each cell."""
    (x1, y1), (x2, y2) = first[sides].T, last[sides].T
    wide, high = x2 > x1, y2 > y1
    found = [(sides, x1 * ACROSS + y1)]
    for used, x, y in ((wide, x2, y1), (high, x1, y2), (wide & high, x2, y2)):
        found.append((sides[used], (x * ACROSS + y)[used]))
    return np.concatenate([each for each, _ in found]), np.concatenate([key for _, key in found])

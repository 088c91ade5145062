"""The outlines of plots: well-known text (OGC 06-103r4), and a point within each."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

NOWHERE = (math.nan, math.nan)
_KINDS = {"POINT": ("Point", 0), "POLYGON": ("Polygon", 2), "MULTIPOLYGON": ("MultiPolygon", 3)}
_WKT = re.compile(r"\s*(?:SRID=(\d+);)?\s*(POINT|POLYGON|MULTIPOLYGON)\s*(?:ZM?|M)?\s*(\(.*\))\s*",
                  re.I | re.S)  # fmt: skip
_DEGREES = ("", "4326")


def geometry_from_wkt(text: str) -> dict[str, Any] | None:
    """The GeoJSON of a point or polygon in well-known text; ``None`` if it is something else.

    >>> geometry_from_wkt("POLYGON ((8 47, 9 47, 9 46, 8 47))")["coordinates"]
    [[[8.0, 47.0], [9.0, 47.0], [9.0, 46.0], [8.0, 47.0]]]
    >>> geometry_from_wkt("POINT EMPTY")
    """
    found = _WKT.fullmatch(text)
    if found is None or (found[1] or "") not in _DEGREES:
        return None
    kind, depth = _KINDS[found[2].upper()]
    listed = re.sub(r"[^\s(),]+(?:\s+[^\s(),]+)*", _pair, found[3]).replace("(", "[")
    try:
        coordinates = json.loads(listed.replace(")", "]"))
        geometry = {"type": kind, "coordinates": coordinates[0] if depth == 0 else coordinates}
    except (ValueError, RecursionError, IndexError):
        return None
    return geometry if math.isfinite(middle_of(geometry)[0]) else None


def _pair(found: re.Match[str]) -> str:
    """The first two numbers of a point, as JSON; a word that is none spoils it."""
    numbers = found[0].split()[:2]
    try:
        return json.dumps([float(each) for each in numbers])
    except ValueError:
        return "no number"


def middle_of(geometry: dict[str, Any] | None) -> tuple[float, float]:
    """Longitude and latitude of a point, or of a point well inside a polygon.

    That is its centre of mass, or, if that lies outside, the middle of the widest part of the line
    through it from west to east. Of several polygons, it is the largest one's.

    Parameters
    ----------
    geometry : dict or None
        GeoJSON.

    Returns
    -------
    tuple of float
        `NOWHERE` if it has neither.

    Examples
    --------
    >>> middle_of({"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 2], [0, 2], [0, 0]]]})
    (2.0, 1.0)
    """
    try:
        if geometry is None:
            return NOWHERE
        kind, coordinates = geometry["type"], geometry["coordinates"]
        if kind == "Point":
            lng, lat = map(float, coordinates[:2])
            return (lng, lat) if math.isfinite(lng) and math.isfinite(lat) else NOWHERE
        if kind not in ("Polygon", "MultiPolygon"):
            return NOWHERE
        polygons = [coordinates] if kind == "Polygon" else coordinates
        rings = [[_ring(ring) for ring in polygon] for polygon in polygons if polygon]
        return _inside(max(rings, key=lambda each: abs(_surface(each[0]))))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return NOWHERE


def _ring(points: list[list[float]]) -> np.ndarray:
    ring = np.array([each[:2] for each in points], np.float64)
    if ring.ndim != 2 or len(ring) < 3 or not np.isfinite(ring).all():
        raise ValueError("no ring")
    return ring


def _surface(ring: np.ndarray) -> float:
    """Twice the surface of a ring (Gauss's area formula)."""
    x, y = (ring - ring[0]).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def _inside(rings: list[np.ndarray]) -> tuple[float, float]:
    """A point inside a polygon, which is its outline and holes."""
    start, double = rings[0][0], _surface(rings[0])
    x, y = (rings[0] - start).T
    if double == 0:
        lng, lat = rings[0].mean(0)
        return float(lng), float(lat)
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    lng = float(start[0] + ((x + np.roll(x, -1)) * cross).sum() / (3 * double))
    lat = float(start[1] + ((y + np.roll(y, -1)) * cross).sum() / (3 * double))
    crossings = np.sort(np.concatenate([_crossings(ring, lat) for ring in rings]))
    if np.searchsorted(crossings, lng) % 2 or len(crossings) < 2:
        return lng, lat
    west, east = crossings[0::2], crossings[1::2]
    widest = int((east - west[: len(east)]).argmax())
    return float((west[widest] + east[widest]) / 2), lat


def _crossings(ring: np.ndarray, lat: float) -> np.ndarray:
    """Longitudes at which a ring crosses a parallel."""
    x, y = ring.T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    crosses = (y > lat) != (next_y > lat)
    share = (lat - y[crosses]) / (next_y - y)[crosses]
    return np.asarray(x[crosses] + share * (next_x - x)[crosses])

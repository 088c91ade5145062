"""The polygons of an area in a file: GeoJSON (RFC 7946)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyapp.core.errors import AreaFileError, UnknownCoordinatesError
from pyapp.core.ground.area import Area, Polygon, Ring
from pyapp.core.ground.date_line import joined, unbroken
from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.projection import Geographic, Projection, projection_of
from pyapp.core.ground.wkt import epsg_of

# More are slow to draw on a map, and to store with each survey.
MOST_CORNERS = 20_000
MOST_DEPTH = 20
_GEOMETRIES = ("Polygon", "MultiPolygon", "Point", "MultiPoint", "LineString", "MultiLineString")
_KINDS = (*_GEOMETRIES, "GeometryCollection", "Feature", "FeatureCollection")


def holds_geojson(text: str) -> bool:
    """Whether a text is GeoJSON that was not saved by this page.

    >>> holds_geojson('{"type": "Polygon", "coordinates": []}'), holds_geojson('{"a": 1}')
    (True, False)
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("type") in _KINDS and "lookdown" not in found


def area_from_geojson(text: str) -> Area:
    """The polygons in a GeoJSON text; see `area_from`.

    Examples
    --------
    >>> found = '{"type": "Polygon", "coordinates": [[[8, 47], [9, 47], [9, 46]]]}'
    >>> area_from_geojson(found).bounds
    Bounds(west=8.0, south=46.0, east=9.0, north=47.0)
    """
    try:
        return area_from(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise AreaFileError("it is damaged") from error


def area_from(found: dict[str, Any], most: int = MOST_CORNERS) -> Area:
    """All polygons of a GeoJSON object as one area.

    Parameters
    ----------
    found : dict
        A geometry, a feature, or a collection of either. A member ``crs`` of GeoJSON 2008 counts.
    most : int
        How many corners there is room for.

    Raises
    ------
    AreaFileError
        If it holds no polygon, too many corners, or coordinates that are not degrees.
    UnknownCoordinatesError
        If it names a coordinate system that is not known.
    """
    try:
        projection = _projection(found)
        listed = list(_polygons(found, 0))
        if not listed:
            raise AreaFileError("it holds no polygon")
        count = sum(len(ring) for polygon in listed for ring in polygon)
        if count > most:
            raise AreaFileError(f"it has {count:,} corners, and there is room for {most:,}")
        rings = [[_corners(ring, projection) for ring in each if ring] for each in listed]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise AreaFileError("it is damaged") from error
    polygons = joined([unbroken(each) for each in rings if each])
    if not polygons:
        raise AreaFileError("its polygon has no outline")
    (corners, *holes), *others = (_polygon(each) for each in polygons)
    return Area(corners, tuple(holes), tuple(others))


def _projection(found: dict[str, Any]) -> Projection:
    """What its member ``crs`` says, which RFC 7946 no longer has; degrees without one."""
    crs = found.get("crs")
    if crs is None:
        return Geographic()
    name = str(crs["properties"].get("name", "a link"))
    if name.upper().endswith(("CRS84", "CRS:84")):
        return Geographic()
    code = epsg_of(name)
    projection = None if code is None else projection_of(code)
    if projection is None:
        raise UnknownCoordinatesError(name)
    return projection


def _polygon(rings: list[np.ndarray]) -> Polygon:
    return tuple(_ring(each) for each in rings)


def _ring(points: np.ndarray) -> Ring:
    if len(points) > 1 and (points[0] == points[-1]).all():
        points = points[:-1]
    return tuple(map(LngLat._make, points.tolist()))


def _polygons(found: dict[str, Any], depth: int) -> Iterator[list[Any]]:
    """The rings of each polygon, however deep it lies."""
    if depth > MOST_DEPTH:
        raise AreaFileError("its collections are nested too deep")
    kind = found["type"]
    if kind == "FeatureCollection":
        for each in found["features"]:
            yield from _polygons(each, depth + 1)
    elif kind == "Feature":
        if found["geometry"] is not None:
            yield from _polygons(found["geometry"], depth + 1)
    elif kind == "GeometryCollection":
        for each in found["geometries"]:
            yield from _polygons(each, depth + 1)
    elif kind == "Polygon":
        yield found["coordinates"]
    elif kind == "MultiPolygon":
        yield from found["coordinates"]


def _corners(ring: list[Any], projection: Projection) -> np.ndarray:
    """Corners of a ring in degrees, float64 [n, 2]."""
    points = np.array([each[:2] for each in ring], np.float64)
    if not np.isfinite(points).all():
        raise AreaFileError("its coordinates are no numbers")
    lng, lat = points.T
    if not isinstance(projection, Geographic):
        with np.errstate(all="ignore"):
            points = np.stack(projection.inverse(lng, lat), 1)
        if not np.isfinite(points).all():
            raise AreaFileError("its coordinates are not those of the system that it names")
        return points
    if (np.abs(lat) > 90).any():
        swapped = (np.abs(lng) <= 90).all() and (np.abs(lat) <= 180).all()
        raise AreaFileError(
            "its latitudes and longitudes are swapped" if swapped
            else "its coordinates are not degrees of longitude and latitude"
        )  # fmt: skip
    return points

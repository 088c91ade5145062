"""The outline of an area in a file: GeoJSON (RFC 7946)."""

import json
import math
from collections.abc import Iterator
from typing import Any

from pyapp.core.errors import AreaFileError
from pyapp.core.ground.area import Area
from pyapp.core.ground.geo import LngLat

# More take seconds to be checked for crossings.
MOST_CORNERS = 400
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
    """The one polygon in a GeoJSON text.

    Parameters
    ----------
    text : str
        A geometry, a feature, or a collection of either.

    Raises
    ------
    AreaFileError
        If it holds none or several, one with holes, or coordinates that are not degrees.

    Examples
    --------
    >>> area_from_geojson('{"type": "Polygon", "coordinates": [[[8, 47], [9, 47], [9, 46]]]}')
    Area(corners=(LngLat(lng=8.0, lat=47.0), LngLat(lng=9.0, lat=47.0), LngLat(lng=9.0, lat=46.0)))
    """
    try:
        return area_from(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise AreaFileError("it is damaged") from error


def area_from(found: dict[str, Any]) -> Area:
    """The one polygon of a GeoJSON object; raises as `area_from_geojson` does."""
    try:
        polygons = list(_polygons(found, 0))
        if not polygons:
            raise AreaFileError("it holds no polygon")
        if len(polygons) > 1:
            raise AreaFileError(f"it holds {len(polygons):,} polygons, and one can be surveyed")
        (rings,) = polygons
        if len(rings) != 1:
            raise AreaFileError("its polygon has holes, or no outline")
        return Area(tuple(_corners(rings[0])))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise AreaFileError("it is damaged") from error


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


def _corners(ring: list[Any]) -> list[LngLat]:
    corners = [LngLat(float(each[0]), float(each[1])) for each in ring]
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
    if len(corners) > MOST_CORNERS:
        raise AreaFileError(
            f"its outline has {len(corners):,} corners, and there is room for {MOST_CORNERS}"
        )
    if not all(map(math.isfinite, (value for each in corners for value in each))):
        raise AreaFileError("its coordinates are no numbers")
    if any(abs(each.lat) > 90 for each in corners):
        swapped = all(abs(each.lng) <= 90 and abs(each.lat) <= 180 for each in corners)
        raise AreaFileError(
            "its latitudes and longitudes are swapped" if swapped
            else "its coordinates are not degrees of longitude and latitude"
        )  # fmt: skip
    return corners

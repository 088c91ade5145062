"""Points and outlines of a Shapefile, as GeoJSON (ESRI Shapefile Technical Description, 1998)."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyapp.core.errors import AreaFileError, UnknownCoordinatesError
from pyapp.core.ground.projection import (
    Geographic,
    LambertConic,
    Projection,
    TransverseMercator,
    WebMercator,
)

HEADER_BYTES = 100
FILE_CODE = 9994
MOST_SHAPES = 100_000
# Kinds of shapes: flat, with heights, with measures.
POINT, POLYGON = (1, 11, 21), (5, 15, 25)
NULL = 0
# The ellipsoids of WGS 84 and of datums that agree with it to about a metre.
RADIUS_M, FLATTENINGS = 6378137.0, (298.25, 298.26)
DEGREE = math.radians(1)
LAMBERT = ("lambertconformalconic", "lambertconformalconicsp")
WEB_MERCATOR = ("mercatorauxiliarysphere", "popularvisualisationpseudomercator")
_NUMBER = r"\s*,\s*(-?[\d.]+(?:[eE][+-]?\d+)?)"


def from_shapefile(shp: bytes, prj: str | None) -> tuple[dict[str, Any], bool]:
    """The shapes of a Shapefile in degrees.

    Parameters
    ----------
    shp : bytes
        The file with the shapes.
    prj : str or None
        What the file beside it says of their coordinates, as well-known text.

    Returns
    -------
    found : dict
        A GeoJSON FeatureCollection without properties.
    assumed : bool
        Whether the coordinates were taken as degrees because nothing says what they are.

    Raises
    ------
    AreaFileError
        If it is damaged, holds lines only, or its coordinates are unknown.
    """
    try:
        geometries = list(_shapes(shp))
    except (struct.error, ValueError, IndexError) as error:
        raise AreaFileError("the Shapefile is damaged or cut short") from error
    projection = projection_from_wkt(prj) if prj is not None and prj.strip() else None
    assumed = projection is None
    features = []
    for kind, rings in geometries:
        if projection is None:
            if not all(_are_degrees(ring) for ring in rings):
                raise AreaFileError(
                    "the Shapefile has no .prj file, so nobody knows what its coordinates mean"
                )
            places = rings
        else:
            places = [np.stack(projection.inverse(*ring.T), 1) for ring in rings]
        listed = [ring.tolist() for ring in places]
        geometry = {"type": kind, "coordinates": listed[0][0] if kind == "Point" else listed}
        if kind == "MultiPolygon":
            geometry["coordinates"] = _polygons(rings, listed)
        features.append({"type": "Feature", "properties": {}, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}, assumed


def _are_degrees(ring: np.ndarray) -> bool:
    return bool((np.abs(ring) <= [180.0, 90.0]).all())


def _shapes(shp: bytes) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Kind and coordinates, each float64 [n, 2], of the points and polygons of a file."""
    if struct.unpack_from(">i", shp)[0] != FILE_CODE:
        raise ValueError("it is no Shapefile")
    (kind,) = struct.unpack_from("<i", shp, 32)
    if kind not in (NULL, *POINT, *POLYGON):
        raise AreaFileError("the Shapefile holds neither polygons nor points")
    end = min(len(shp), 2 * struct.unpack_from(">i", shp, 24)[0])
    if end < 2 * struct.unpack_from(">i", shp, 24)[0]:
        raise ValueError("it is cut short")
    at, count = HEADER_BYTES, 0
    while at < end:
        (words,) = struct.unpack_from(">i", shp, at + 4)
        content = shp[at + 8 : at + 8 + 2 * words]
        if words < 2 or len(content) < 2 * words:
            raise ValueError("a shape is cut short")
        at += 8 + 2 * words
        count += 1
        if count > MOST_SHAPES:
            raise AreaFileError(f"the Shapefile has more than {MOST_SHAPES:,} shapes")
        (kind,) = struct.unpack_from("<i", content)
        if kind in POINT:
            yield "Point", [np.array([struct.unpack_from("<2d", content, 4)])]
        elif kind in POLYGON:
            yield "MultiPolygon", _rings(content)
        elif kind != NULL:
            raise ValueError(f"there is no shape {kind}")


def _rings(content: bytes) -> list[np.ndarray]:
    parts, points = struct.unpack_from("<2i", content, 36)
    if parts < 1 or points < 1:
        raise ValueError("a polygon without points")
    starts = struct.unpack_from(f"<{parts}i", content, 44)
    values = np.frombuffer(content, "<f8", 2 * points, 44 + 4 * parts).reshape(points, 2)
    if not np.isfinite(values).all():
        raise ValueError("coordinates that are no numbers")
    ends = (*starts[1:], points)
    if starts[0] != 0 or any(one >= other for one, other in zip(starts, ends, strict=True)):
        raise ValueError("rings out of order")
    return [values[one:other] for one, other in zip(starts, ends, strict=True)]


def _polygons(rings: list[np.ndarray], listed: list[list[list[float]]]) -> list[Any]:
    """Rings by polygon: outlines run clockwise, and the holes of one follow it."""
    polygons: list[Any] = []
    for ring, places in zip(rings, listed, strict=True):
        x, y = (ring - ring[0]).T
        if not polygons or (x[:-1] * y[1:] - x[1:] * y[:-1]).sum() < 0:
            polygons.append([places])
        else:
            polygons[-1].append(places)
    return polygons


def projection_from_wkt(wkt: str) -> Projection:
    """The projection that well-known text (OGC 01-009, as ESRI writes it) describes.

    Raises
    ------
    UnknownCoordinatesError
        If it is none of those known, or another datum's.

    Examples
    --------
    >>> projection_from_wkt('GEOGCS["WGS 84",SPHEROID["WGS 84",6378137,298.257223563]]')
    Geographic()
    """
    name = re.search(r'\[\s*"([^"]*)"', wkt)
    unknown = UnknownCoordinatesError(name[1] if name else "no name")
    ellipsoid = re.search(rf'(?:SPHEROID|ELLIPSOID)\[\s*"[^"]*"{_NUMBER}{_NUMBER}', wkt, re.I)
    method = re.search(r'(?:PROJECTION|METHOD)\[\s*"([^"]*)"', wkt, re.I)
    meridian = re.search(rf'PRIMEM\[\s*"[^"]*"{_NUMBER}', wkt, re.I)
    if ellipsoid is None or (meridian is not None and float(meridian[1]) != 0):
        raise unknown
    units = [float(each) for each in re.findall(rf'UNIT\[\s*"[^"]*"{_NUMBER}', wkt, re.I)]
    if method is None:
        in_degrees = all(math.isclose(each, DEGREE, rel_tol=1e-6) for each in units)
        if not _agrees(ellipsoid) or not in_degrees:
            raise unknown
        return Geographic()
    kind = re.sub(r"[^a-z]", "", method[1].lower())
    facts = {
        re.sub(r"[^a-z0-9]", "", each[0].lower()): float(each[1])
        for each in re.findall(rf'PARAMETER\[\s*"([^"]*)"{_NUMBER}', wkt, re.I)
    }
    if kind in WEB_MERCATOR:
        return WebMercator()
    if not _agrees(ellipsoid) or 1.0 not in units:
        raise unknown
    try:
        found = _projection(kind, facts)
    except KeyError:
        raise unknown from None
    if found is None:
        raise unknown
    return found


def _agrees(ellipsoid: re.Match[str]) -> bool:
    low, high = FLATTENINGS
    return float(ellipsoid[1]) == RADIUS_M and low <= float(ellipsoid[2]) <= high


def _projection(kind: str, facts: dict[str, float]) -> Projection | None:
    """A projection by its method and parameters, in metres and degrees."""
    meridian = facts.get("centralmeridian", facts.get("longitudeoforigin"))
    origin = facts.get("latitudeoforigin", 0.0)
    if meridian is None:
        return None
    if kind in ("transversemercator", "gausskruger") and origin == 0:
        return TransverseMercator(
            meridian, facts["scalefactor"], facts["falseeasting"], facts["falsenorthing"]
        )
    if kind in LAMBERT and "standardparallel2" in facts:
        parallels = facts["standardparallel1"], facts["standardparallel2"]
        return LambertConic(
            meridian, origin, parallels, facts["falseeasting"], facts["falsenorthing"]
        )
    return None

"""Points and outlines in KML (OGC 12-007r2) and GPX 1.1 files, as GeoJSON.

Read by expat, which is a part of the page's Python. A document type (DTD) is refused, so that no
entity is ever expanded, and nothing that a file links to is fetched.
"""

from __future__ import annotations

import math
import pyexpat
from collections.abc import Iterable
from typing import Any

import numpy as np

from pyapp.core.errors import AreaFileError
from pyapp.core.ground.geo import EARTH_RADIUS_M

MOST_DEPTH = 100
MOST_TEXT = 16 << 20
# A track walked around an area has a point per second; corners nearer than this to the line
# between their neighbours are left out if there are more than can be surveyed.
TOLERANCES_M = (1.0, 2.0, 4.0, 8.0)
FEW_CORNERS = 400
FOLLOWED = ("NetworkLink",)


def from_markup(data: bytes) -> dict[str, Any]:
    """The placemarks of a KML file, or the waypoints and tracks of a GPX file.

    A track or route of three points or more is an outline.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    dict
        A GeoJSON FeatureCollection.

    Raises
    ------
    AreaFileError
        If it is neither, damaged, declares a document type, or only links to other files.

    Examples
    --------
    >>> gpx = b'<gpx><wpt lat="47" lon="8"><name>Oak</name></wpt></gpx>'
    >>> from_markup(gpx)["features"][0]["geometry"]
    {'type': 'Point', 'coordinates': [8.0, 47.0]}
    """
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)
    except pyexpat.ExpatError as error:
        raise AreaFileError(f"it is damaged in line {error.lineno}") from error
    except (ValueError, KeyError, LookupError) as error:
        raise AreaFileError("it is damaged") from error
    if reader.root not in ("kml", "gpx"):
        raise AreaFileError("it is neither KML nor GPX")
    if not reader.features and reader.links:
        raise AreaFileError("it only links to other files, which are not fetched")
    return {"type": "FeatureCollection", "features": reader.features}


class _Reader:
    """Takes features out of the elements as they come."""

    def __init__(self) -> None:
        self.features: list[dict[str, Any]] = []
        self.links = 0
        self.root = ""
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._properties: dict[str, Any] = {}
        self._named = ""
        self._geometries: list[dict[str, Any]] = []
        self._rings: list[list[list[float]]] = []
        self._points: list[list[float]] = []
        self.parser = pyexpat.ParserCreate(namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._hear

    def _refuse(self, *_: object) -> None:
        raise AreaFileError("it declares a document type (DTD), which is not read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        self.root = self.root or local
        self._path.append(local)
        if len(self._path) > MOST_DEPTH:
            raise AreaFileError("its elements are nested too deep")
        self._text, self._length = [], 0
        if local in FOLLOWED:
            self.links += 1
        if local in ("Placemark", "wpt", "trk", "rte"):
            self._properties, self._geometries, self._points = {}, [], []
        elif local == "Polygon":
            self._rings = []
        elif local in ("Data", "SimpleData"):
            self._named = attributes.get("name", "")
        if local in ("wpt", "trkpt", "rtept"):
            self._points.append([float(attributes["lon"]), float(attributes["lat"])])

    def _hear(self, text: str) -> None:
        self._length += len(text)
        if self._length > MOST_TEXT:
            raise AreaFileError("one of its texts is too long")
        self._text.append(text)

    def _end(self, name: str) -> None:
        local = self._path.pop()
        text = "".join(self._text).strip()
        self._text, self._length = [], 0
        above = self._path[-1] if self._path else ""
        if self.root == "kml":
            self._end_kml(local, above, text)
        elif self.root == "gpx":
            self._end_gpx(local, above, text)

    def _end_kml(self, local: str, above: str, text: str) -> None:
        if local == "name" and above == "Placemark":
            self._properties["name"] = text
        elif self._named and (local == "SimpleData" or (local == "value" and above == "Data")):
            self._properties[self._named] = text
        elif local == "coordinates":
            self._take(above, _coordinates(text))
        elif local == "Polygon":
            self._geometries.append({"type": "Polygon", "coordinates": self._rings})
        elif local == "Placemark" and self._geometries:
            self._add(self._geometries)

    def _take(self, above: str, points: list[list[float]]) -> None:
        """Coordinates of an element: the first ring of a polygon is its outline."""
        if above == "LinearRing" and "Polygon" in self._path:
            outer = "innerBoundaryIs" not in self._path
            self._rings.insert(0 if outer else len(self._rings), points)
        elif above == "Point" and points:
            self._geometries.append({"type": "Point", "coordinates": points[0]})
        elif above in ("LineString", "LinearRing"):
            self._geometries.append({"type": "LineString", "coordinates": points})

    def _end_gpx(self, local: str, above: str, text: str) -> None:
        if local in ("name", "desc") and above in ("wpt", "trk", "rte"):
            self._properties[local] = text
        elif local == "wpt":
            self._add([{"type": "Point", "coordinates": self._points[0]}])
        elif local in ("trk", "rte") and len(self._points) > 2:
            self._add([{"type": "Polygon", "coordinates": [thinned(self._points)]}])

    def _add(self, geometries: list[dict[str, Any]]) -> None:
        geometry = geometries[0]
        if len(geometries) > 1:
            geometry = {"type": "GeometryCollection", "geometries": geometries}
        self.features.append(
            {"type": "Feature", "properties": self._properties, "geometry": geometry}
        )


def _coordinates(text: str) -> list[list[float]]:
    """The tuples of KML: longitude, latitude and perhaps height, between white space."""
    return [[float(each) for each in found.split(",")[:2]] for found in text.split()]


def thinned(points: Iterable[list[float]]) -> list[list[float]]:
    """An outline without corners that hardly matter, if it has more than can be surveyed.

    By the method of Ramer, Douglas and Peucker, with the smallest of `TOLERANCES_M` that leaves few
    enough.

    Parameters
    ----------
    points : iterable of [lng, lat]
        In degrees.

    Examples
    --------
    >>> thinned([[8.0, 47.0], [8.1, 47.0], [8.1, 47.1]])
    [[8.0, 47.0], [8.1, 47.0], [8.1, 47.1]]
    """
    corners = list(points)
    degrees = np.array(corners)
    if len(corners) <= FEW_CORNERS or not np.isfinite(degrees).all():
        return corners
    east_m = np.radians(degrees[:, 0]) * EARTH_RADIUS_M * math.cos(math.radians(degrees[0, 1]))
    plane = np.stack([east_m, np.radians(degrees[:, 1]) * EARTH_RADIUS_M], 1)
    kept = [0]
    for tolerance_m in TOLERANCES_M:
        kept = _corners_of(plane, tolerance_m)
        if len(kept) <= FEW_CORNERS:
            break
    return [corners[each] for each in kept]


def _corners_of(plane: np.ndarray, tolerance_m: float) -> list[int]:
    """Numbers of the points that are farther than a tolerance from the line without them."""
    # A closed line is cut at the point that is farthest from its start.
    middle = int(np.square(plane - plane[0]).sum(1).argmax())
    kept = {0, middle, len(plane) - 1}
    spans = [(0, middle), (middle, len(plane) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        along = plane[last] - plane[first]
        away = plane[first + 1 : last] - plane[first]
        length = math.hypot(*along)
        if length == 0:
            distance = np.hypot(away[:, 0], away[:, 1])
        else:
            distance = np.abs(along[0] * away[:, 1] - along[1] * away[:, 0]) / length
        farthest = int(distance.argmax())
        if distance[farthest] > tolerance_m:
            split = first + 1 + farthest
            kept.add(split)
            spans += [(first, split), (split, last)]
    return sorted(kept)

"""Areas in files: those that the page reads, and all others that GDAL does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from pyapp.core.errors import AreaFileError, UnknownCoordinatesError
from pyapp.core.ground.area import Area
from pyapp.core.ground.area_file import area_from
from pyapp.core.ground.vector import Features, features_of_shapefile, read_features
from pyapp.native.disk import read_whole
from pyapp.native.errors import LayerError, NoGeoError, NoSuchFileError

MOST_CORNERS = 2_000_000
HALF_WORLD = 180.0
SHAPEFILE = ".shp"
# What begins like a file of the page's formats, and is none.
MARKUP_OF_GDAL = (".gml",)


def read_area(path: Path, layer: str | None = None) -> Area:
    """All polygons of a file as one area.

    Parameters
    ----------
    path : Path
        GeoJSON, KML, GPX, a Shapefile, zipped or not; with GDAL any file of its vector formats.
    layer : str, optional
        Of a file that has several.

    Raises
    ------
    NoSuchFileError, AreaFileError, NoGeoError, LayerError
    """
    if layer is not None or not _is_own(path):
        return _by_gdal(path, layer, f"A file like {path.name}")
    try:
        features = _own(path)
        area = area_from(features.found, MOST_CORNERS)
    except UnknownCoordinatesError as error:
        return _by_gdal(path, None, f"An area in this coordinate system ({error.name})")
    if features.note:
        print(features.note, file=sys.stderr)
    return area


def _is_own(path: Path) -> bool:
    """Whether a file is of a format that needs no GDAL."""
    if path.suffix.lower() == SHAPEFILE:
        return True
    try:
        with path.open("rb") as file:
            begin = file.read(64)
    except IsADirectoryError:
        return False
    except OSError as error:
        raise NoSuchFileError(path, error.strerror or str(error)) from error
    text = begin.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    known = not text or text[:1] in b"{<" or begin[:2] == b"PK"
    return known and path.suffix.lower() not in MARKUP_OF_GDAL


def _own(path: Path) -> Features:
    data = read_whole(path)
    if not data.strip():
        raise AreaFileError("it is empty")
    if path.suffix.lower() != SHAPEFILE:
        return read_features(data)
    prj = path.with_suffix(".prj")
    wkt = read_whole(prj).decode(errors="replace") if prj.exists() else None
    return features_of_shapefile(data, wkt)


def _by_gdal(path: Path, layer: str | None, what: str) -> Area:
    try:
        import pyogrio
        import shapely
        from pyogrio.errors import DataSourceError
        from pyogrio.raw import read
        from shapely.errors import ShapelyError
    except ImportError as error:
        raise NoGeoError(what) from error
    try:
        listed = [name for name, kind in pyogrio.list_layers(path).tolist() if kind is not None]
        if (layer is None and len(listed) != 1) or (layer is not None and layer not in listed):
            raise LayerError(path, listed)
        meta, _, found, _ = read(path, layer=layer or listed[0], columns=[], force_2d=True)
        shapes = shapely.get_parts(shapely.from_wkb(found[found != None]))  # noqa: E711
    except (DataSourceError, ShapelyError) as error:
        raise AreaFileError("GDAL can't read it, or it is damaged") from error
    shapes = _in_degrees(shapes, meta["crs"])
    listed = [shapely.geometry.mapping(each) for each in shapes]
    return area_from({"type": "GeometryCollection", "geometries": listed}, MOST_CORNERS)


def _in_degrees(shapes: Any, crs: str | None) -> Any:
    """Shapes in WGS 84, by PROJ."""
    import shapely
    from rasterio.errors import CRSError
    from rasterio.warp import transform

    if crs is None:
        if np.abs(shapely.get_coordinates(shapes)).max(initial=0) <= HALF_WORLD:
            return shapes
        raise AreaFileError("it does not say what its coordinates mean")

    def to_degrees(points: np.ndarray) -> np.ndarray:
        return np.stack(transform(crs, "EPSG:4326", *points.T), 1)

    try:
        return shapely.transform(shapes, to_degrees)
    except CRSError as error:
        raise UnknownCoordinatesError(crs) from error

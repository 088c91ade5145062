"""A georeferenced picture: its pyramid, its bands, and where on the earth it lies."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pyapp.core.errors import NoGeoreferenceError, UnknownProjectionError, UnreadableRasterError
from pyapp.core.ground.geo import EARTH_RADIUS_M, Bounds, LngLat, resolution_m
from pyapp.core.ground.projection import Projection, projection_of
from pyapp.core.imagery.date import day_of
from pyapp.core.imagery.source import FINEST_ZOOM

if TYPE_CHECKING:
    from numpy.typing import NDArray

# TIFF 6.0: kinds of samples, and how colours are stored.
KINDS = {1: "u", 2: "i", 3: "f"}
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
PLANAR = 2
MOST_BANDS = 64
# GeoTIFF 1.1 (OGC 19-008r4): a code for what the registry doesn't have.
USER_DEFINED = 32767
PIXEL_IS_POINT = 2


class Affine(NamedTuple):
    """From columns and rows of a picture to coordinates: x = a column + b row + c, y = d column + e
    row + f; a pixel's north-west corner has whole numbers."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    @property
    def determinant(self) -> float:
        """How much of the plane a pixel covers, negative if rows go down."""
        return self.a * self.e - self.b * self.d

    def inverse(self) -> Affine:
        """From coordinates to columns and rows."""
        a, b, c, d, e, f = self
        of = self.determinant
        return Affine(e / of, -b / of, (b * f - c * e) / of, -d / of, a / of, (c * d - a * f) / of)


class Level(NamedTuple):
    """One picture of the pyramid.

    Attributes
    ----------
    number : int
        Its place in the file.
    width, height : int
    block_width, block_height : int
        Of the tiles or strips that it is stored in.
    """

    number: int
    width: int
    height: int
    block_width: int
    block_height: int


@dataclass(frozen=True)
class RasterFacts:
    """What a file says about its picture.

    Attributes
    ----------
    name : str
    levels : tuple of Level
        The finest first.
    bands : int
        Samples of each pixel, an alpha band included.
    alpha : int or None
        The band that says how opaque a pixel is.
    dtype : str
        Of a sample, as numpy names it, with the byte order of the file.
    photometric : int
        How colours are stored, as TIFF numbers it.
    planar : bool
        Whether each band is stored on its own.
    nodata : float or None
        A sample of this value says that there is no picture.
    palette : ndarray of uint8, shape (n, 3), or None
    affine : Affine
        To coordinates of the projection, for the finest level.
    epsg : int
    date : str
        When it was made, as the file says: ``YYYY-MM-DD``, or empty.
    """

    name: str
    levels: tuple[Level, ...]
    bands: int
    alpha: int | None
    dtype: str
    photometric: int
    planar: bool
    nodata: float | None
    palette: NDArray[np.uint8] | None
    affine: Affine
    epsg: int
    date: str = ""

    @property
    def projection(self) -> Projection:
        """Where it lies.

        Raises
        ------
        UnknownProjectionError
        """
        found = projection_of(self.epsg)
        if found is None:
            raise UnknownProjectionError(self.name, self.epsg)
        return found

    @property
    def has_eight_bits(self) -> bool:
        """Whether its samples are what a screen shows."""
        return np.dtype(self.dtype) == np.uint8

    @property
    def colours(self) -> tuple[int, ...]:
        """The bands that can be shown as colours."""
        return tuple(band for band in range(self.bands) if band != self.alpha)

    def bounds(self) -> Bounds:
        """The rectangle of ground, in degrees, that it lies within."""
        finest = self.levels[0]
        share = np.linspace(0.0, 1.0, 9)
        edge = np.zeros_like(share)
        columns = np.concatenate([share, share, edge, edge + 1]) * finest.width
        rows = np.concatenate([edge, edge + 1, share, share]) * finest.height
        a, b, c, d, e, f = self.affine
        lng, lat = self.projection.inverse(a * columns + b * rows + c, d * columns + e * rows + f)
        return Bounds(float(lng.min()), float(lat.min()), float(lng.max()), float(lat.max()))

    def ground_m(self) -> float:
        """Ground sample distance in the middle of the finest level, in metres per pixel."""
        finest = self.levels[0]
        a, b, c, d, e, f = self.affine
        columns = finest.width / 2 + np.array([0.0, 1.0, 0.0])
        rows = finest.height / 2 + np.array([0.0, 0.0, 1.0])
        lng, lat = self.projection.inverse(a * columns + b * rows + c, d * columns + e * rows + f)
        metre = math.radians(1) * EARTH_RADIUS_M
        east = (lng[1:] - lng[0]) * metre * math.cos(math.radians(float(lat[0])))
        north = (lat[1:] - lat[0]) * metre
        return math.sqrt(abs(float(east[0] * north[1] - east[1] * north[0])))

    def centre(self) -> LngLat:
        """The middle of its bounds."""
        bounds = self.bounds()
        return LngLat((bounds.west + bounds.east) / 2, (bounds.south + bounds.north) / 2)

    def zooms(self, most_px: int) -> tuple[int, int]:
        """The coarsest and finest zoom of tiles made of it.

        Tiles of the finest are up to four times as fine as the file, so that a chip cut from them
        is hardly blurred by being resampled twice. Tiles of the coarsest are made of at most
        ``most_px`` pixels across: a file without overviews would have to be read completely.
        """
        lat, ground_m = self.centre().lat, self.ground_m()
        finest = next(
            (zoom for zoom in range(1, FINEST_ZOOM) if resolution_m(zoom - 1, lat) <= ground_m),
            FINEST_ZOOM,
        )
        top = self.levels[-1]
        if max(top.width, top.height) <= most_px:
            return 0, finest
        coarse_m = ground_m * self.levels[0].width / top.width * most_px / 256
        within = [zoom for zoom in range(finest) if resolution_m(zoom, lat) <= coarse_m]
        return min(within, default=finest), finest


def raster_from_json(text: str) -> RasterFacts:
    """The facts that the reader of a file found in it, checked.

    Parameters
    ----------
    text : str
        JSON: ``name``; ``images``, each with ``width``, ``height``, ``block_width``,
        ``block_height``, ``kind`` (TIFF's NewSubfileType) and ``bands``; and of the first image
        ``bits``, ``formats``, ``extra``, ``photometric``, ``planar``, ``nodata``, ``palette``,
        ``little``, ``keys`` (of GeoTIFF), ``scale``, ``tie``, ``matrix`` and ``made`` (TIFF's
        DateTime).

    Raises
    ------
    NoGeoreferenceError
        If it says not where it lies.
    UnknownProjectionError
        If it lies in a projection that is not known.
    UnreadableRasterError
        If its pixels are of a kind that can't be shown.
    """
    found = json.loads(text)
    name = str(found["name"])
    bits, formats = set(found["bits"]), set(found["formats"])
    if len(bits) > 1 or len(formats) > 1 or not formats <= KINDS.keys():
        raise UnreadableRasterError(name, "its bands are of several types, or of complex numbers")
    (size,), (kind,) = bits, formats
    if size not in (8, 16, 32, 64):
        raise UnreadableRasterError(name, f"its samples have {size} bits")
    bands, photometric = int(found["bands"]), int(found["photometric"])
    if not 1 <= bands <= MOST_BANDS or photometric not in (0, 1, 2, 3, 6):
        raise UnreadableRasterError(name, f"it has {bands} bands in colours of kind {photometric}")
    keys = found["keys"]
    affine = _affine(found, keys)
    if affine is None or affine.determinant == 0:
        raise NoGeoreferenceError(name)
    facts = RasterFacts(
        name=name,
        levels=_levels(found["images"], bands),
        bands=bands,
        alpha=_alpha(found["extra"], bands),
        dtype=("<" if found["little"] else ">") + f"{KINDS[kind]}{size // 8}",
        photometric=photometric,
        planar=found["planar"] == PLANAR,
        nodata=_number(found["nodata"]),
        palette=_palette(found["palette"]) if photometric == PALETTE else None,
        affine=affine,
        epsg=_epsg(keys),
        date=day_of(found.get("made")),
    )
    if not facts.epsg:
        raise NoGeoreferenceError(name)
    _ = facts.projection
    return facts


def size_in_json(text: str) -> tuple[int, int]:
    """Width and height of the picture in a description, wherever it lies."""
    first = json.loads(text)["images"][0]
    return int(first["width"]), int(first["height"])


def _levels(images: list[Mapping[str, Any]], bands: int) -> tuple[Level, ...]:
    """The picture and its overviews, without masks and what else a file may hold."""
    first = images[0]
    found = [
        Level(index, *(int(each[name]) for name in
                       ("width", "height", "block_width", "block_height")))
        for index, each in enumerate(images)
        if index == 0 or (each["kind"] & 5 == 1 and each["bands"] == bands
                          and each["width"] < first["width"])
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda each: -each.width))


def _affine(found: Mapping[str, Any], keys: Mapping[str, Any]) -> Affine | None:
    """Of a matrix, or of a tie point and a scale; ``None`` without either."""
    matrix, scale, tie = (_numbers(found[name]) for name in ("matrix", "scale", "tie"))
    if matrix and len(matrix) >= 8:
        a, b, c, d, e, f = (float(matrix[place]) for place in (0, 1, 3, 4, 5, 7))
    elif scale and tie and len(tie) >= 6:
        a, e, b, d = float(scale[0]), -float(scale[1]), 0.0, 0.0
        c, f = tie[3] - a * tie[0], tie[4] - e * tie[1]
    else:
        return None
    if keys.get("GTRasterTypeGeoKey") == PIXEL_IS_POINT:
        c, f = c - (a + b) / 2, f - (d + e) / 2
    affine = Affine(a, b, c, d, e, f)
    return affine if all(map(math.isfinite, affine)) else None


def _numbers(values: list[float | None] | None) -> list[float]:
    """A list of numbers; empty if there is none, or if one of them is no number."""
    return [] if values is None or None in values else [float(each or 0) for each in values]


def _epsg(keys: Mapping[str, Any]) -> int:
    """The code of its coordinates; 0 if it has none."""
    for name in ("ProjectedCSTypeGeoKey", "GeographicTypeGeoKey"):
        code = keys.get(name)
        if code is not None:
            return int(code)
    return 0


def _alpha(extra: list[int] | None, bands: int) -> int | None:
    """The band that TIFF's ExtraSamples call alpha, associated or not."""
    extra = extra or []
    for place, meaning in enumerate(extra):
        if meaning in (1, 2):
            return bands - len(extra) + place
    return None


def _number(text: object) -> float | None:
    """GDAL's nodata, which is written as text."""
    try:
        return None if text is None else float(str(text).strip("\0 "))
    except ValueError:
        return None


def _palette(values: list[int] | None) -> NDArray[np.uint8] | None:
    """TIFF's ColorMap: all reds, then greens, then blues, of 16 bits."""
    if not values or len(values) % 3:
        return None
    return np.ascontiguousarray((np.asarray(values).reshape(3, -1).T // 257).astype(np.uint8))

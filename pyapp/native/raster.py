"""Orthophotos in files: read by GDAL in the blocks they are stored in, warped as the page does."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from pyapp.core.errors import NoGeoreferenceError, UnreadableRasterError
from pyapp.core.ground.wkt import epsg_of
from pyapp.core.imagery.picture import taken
from pyapp.core.imagery.raster import (
    BLACK_IS_ZERO,
    PALETTE,
    RGB,
    USER_DEFINED,
    WHITE_IS_ZERO,
    Affine,
)
from pyapp.core.imagery.worldfile import PICTURES, is_companion, placing_of, plain_epsg, stem
from pyapp.native.disk import read_whole
from pyapp.native.errors import NoGeoError, NoPlaceError, NoSuchFileError
from pyapp.work.orthophoto import MOST_BLOCK_PX, Orthophoto, open_orthophoto
from pyapp.work.placed import PictureReader, PlacedReader, pixels_of, placed
from pyapp.work.ports import Decode, RasterReader, UnreachableError

# What tells one file from another; as the page has it, so that a survey of either goes on here.
END_BYTES = 1 << 16
# Blocks of files that are no GeoTIFF, or are stored in one piece.
BLOCK_PX = 512
GEOTIFF = "GTiff"
# TIFF 6.0: kinds of samples, unassociated alpha, and an overview's kind.
KINDS = {"u": 1, "i": 2, "f": 3}
ALPHA, REDUCED = 2, 1
NOWHERE: dict[str, Any] = {"keys": {}, "scale": None, "tie": None, "matrix": None}


async def open_raster(path: Path, decode: Decode) -> Orthophoto:
    """A georeferenced picture as imagery.

    Parameters
    ----------
    path : Path
        A GeoTIFF or another format of GDAL, or a picture with its world file.
    decode : Decode
        For pictures that Pillow doesn't know.

    Raises
    ------
    NoSuchFileError, NoGeoError, NoPlaceError, RasterError, NotAPictureError
    """
    try:
        reader, companions = await _reader_of(path, decode)
        return await open_orthophoto(reader, _digest(path, companions))
    except NoGeoreferenceError as error:
        raise NoPlaceError(path) from error


async def _reader_of(path: Path, decode: Decode) -> tuple[RasterReader, dict[str, bytes]]:
    """A reader of a file, and what lies beside it if that had to say where the file lies."""
    data, reader = b"", None
    if path.suffix.lower() not in PICTURES:
        reader = GdalReader(path)
        if reader.epsg and reader.affine is not None:
            return reader, {}
        width, height = reader.width, reader.height
    else:
        data = read_whole(path)
        pixels = await pixels_of(data, decode)
        height, width = pixels.shape[:2]
    companions = _companions(path)
    affine, epsg = placing_of(companions)
    if affine is None and reader is not None:
        affine = reader.affine
    epsg = epsg or (None if affine is None else plain_epsg(affine, width, height))
    if affine is None or epsg is None:
        raise NoGeoreferenceError(path.name)
    if reader is not None:
        return PlacedReader(reader, affine, epsg), companions
    return PictureReader(path.name, pixels, affine, epsg, taken(data)), companions


class GdalReader:
    """Fulfils `RasterReader`.

    Parameters
    ----------
    path : Path

    Raises
    ------
    NoGeoError
        If GDAL is not installed.
    UnreadableRasterError
        If GDAL can't read the file.
    """

    def __init__(self, path: Path):
        try:
            import rasterio
            from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
        except ImportError as error:
            raise NoGeoError(path.name) from error
        self._path, self._damaged = path, RasterioIOError
        try:
            with warnings.catch_warnings():
                # That is told in a sentence.
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                file = rasterio.open(path)
            # The page sees no overviews that lie beside a GeoTIFF, and answers shall be the same.
            beside = file.driver == GEOTIFF and any(each.endswith(".ovr") for each in file.files)
            count = 0 if beside else len(file.overviews(1))
            self._levels = [file] + [
                rasterio.open(path, overview_level=number) for number in range(count)
            ]
        except RasterioIOError as error:
            raise UnreadableRasterError(
                path.name, "it is damaged, cut short, or of no format that GDAL reads"
            ) from error
        # A file may be read by one thread at a time.
        self._lock = threading.Lock()
        self.width, self.height = int(file.width), int(file.height)
        self.affine = None if file.transform.is_identity else Affine(*file.transform[:6])
        self.epsg = _epsg_of(file.crs)

    async def describe(self) -> str:
        """What the file says about itself, as GeoTIFF has it."""
        file = self._levels[0]
        kinds = [np.dtype(each) for each in file.dtypes]
        images = [
            {"width": each.width, "height": each.height, "bands": each.count,
             "kind": min(number, REDUCED)} | _block_of(each)
            for number, each in enumerate(self._levels)
        ]  # fmt: skip
        facts = {
            "name": self._path.name, "images": images, "bands": file.count,
            "bits": [8 * each.itemsize for each in kinds],
            "formats": [KINDS.get(each.kind, 0) for each in kinds],
            "extra": _extra(file), "photometric": _photometric(file), "planar": 1,
            "nodata": None if file.nodata is None else repr(file.nodata),
            "palette": _palette(file), "little": sys.byteorder == "little",
            "made": file.tags().get("TIFFTAG_DATETIME"),
        }  # fmt: skip
        if self.affine is None or not self.epsg:
            return json.dumps(facts | NOWHERE)
        return json.dumps(facts | placed(self.affine, self.epsg))

    async def block(self, index: int, column: int, row: int, band: int) -> bytes:
        """The samples of a block, all bands of each pixel together, filled up at the edges."""
        return await asyncio.to_thread(self._read, index, column, row)

    def _read(self, index: int, column: int, row: int) -> bytes:
        file = self._levels[index]
        block = _block_of(file)
        width, height = block["block_width"], block["block_height"]
        top, left = row * height, column * width
        bottom, right = min(top + height, file.height), min(left + width, file.width)
        full = np.zeros((height, width, file.count), file.dtypes[0])
        try:
            with self._lock:
                found = file.read(window=((top, bottom), (left, right)))
        except self._damaged as error:
            raise UnreachableError(str(error)) from error
        full[: bottom - top, : right - left] = np.moveaxis(found, 0, 2)
        return full.tobytes()


def _block_of(file: Any) -> dict[str, int]:
    """Size of the blocks to read: those of a GeoTIFF, unless it is stored in one piece."""
    height, width = file.block_shapes[0]
    if file.driver != GEOTIFF or width * height > MOST_BLOCK_PX:
        height = width = BLOCK_PX
    return {"block_width": int(width), "block_height": int(height)}


def _epsg_of(crs: Any) -> int:
    """The code of a coordinate system; 0 if there is none."""
    if not crs:
        return 0
    return int(crs.to_epsg() or epsg_of(crs.to_wkt()) or USER_DEFINED)


def _photometric(file: Any) -> int:
    """How colours are stored, once GDAL has decoded them."""
    from rasterio.enums import ColorInterp

    if _palette(file) is not None:
        return PALETTE
    if file.tags(ns="IMAGE_STRUCTURE").get("MINISWHITE") == "YES":
        return WHITE_IS_ZERO
    return RGB if ColorInterp.red in file.colorinterp else BLACK_IS_ZERO


def _extra(file: Any) -> list[int]:
    """TIFF's ExtraSamples, for all bands: which says how opaque a pixel is."""
    from rasterio.enums import ColorInterp

    return [ALPHA if each == ColorInterp.alpha else 0 for each in file.colorinterp]


def _palette(file: Any) -> list[int] | None:
    """TIFF's ColorMap: all reds, then greens, then blues, of 16 bits."""
    try:
        colours = file.colormap(1)
    except ValueError:
        return None
    listed = np.array([colours[each][:3] for each in sorted(colours)])
    return [int(each) for each in (listed.T * 257).ravel()]


def _companions(path: Path) -> dict[str, bytes]:
    """What lies beside a picture to say where it is, as the page takes it."""
    try:
        beside = sorted(path.parent.iterdir())
    except OSError as error:
        raise NoSuchFileError(path, error.strerror or str(error)) from error
    return {
        each.name: read_whole(each)
        for each in beside
        if is_companion(each.name) and stem(each.name) == stem(path.name)
    }


def _digest(path: Path, companions: dict[str, bytes]) -> str:
    """What differs for another file: its beginning, its end, its size, and what lies beside it."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            begin = file.read(END_BYTES)
            file.seek(max(size - END_BYTES, 0))
            digest = hashlib.sha256(begin + file.read() + str(size).encode())
    except OSError as error:
        raise NoSuchFileError(path, error.strerror or str(error)) from error
    # A GeoTIFF needs nothing beside it, so the page is mostly given none.
    for data in companions.values():
        digest.update(data)
    return digest.hexdigest()[:16]

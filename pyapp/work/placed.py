"""Pictures without a place of their own, placed by what lies beside them."""

import asyncio
import json
from typing import Any

import numpy as np

from pyapp.core.errors import NotAPictureError
from pyapp.core.imagery.mosaic import UndecodableError
from pyapp.core.imagery.picture import pixels, pyramid
from pyapp.core.imagery.raster import RGB, Affine
from pyapp.core.imagery.worldfile import DEGREES
from pyapp.work.ports import Decode, RasterReader, UnreachableError

BLOCK_PX = 512
# TIFF 6.0: the fourth band says how opaque a pixel is.
UNASSOCIATED_ALPHA = 2


class PictureReader:
    """A picture in memory as a georeferenced file; fulfils `RasterReader`.

    Parameters
    ----------
    name : str
    rgb : ndarray of uint8, shape (rows, columns, 3 or 4)
        With an alpha band, if parts of it are clear.
    affine : Affine
        From its pixels to coordinates.
    epsg : int
        Of those.
    date : str
        When it was taken, if that is known.
    """

    def __init__(self, name: str, rgb: np.ndarray, affine: Affine, epsg: int, date: str = ""):
        self._name = name
        self._levels = list(pyramid(rgb))
        self._place = placed(affine, epsg)
        self._date = date

    async def describe(self) -> str:
        """What `core.imagery.raster.raster_from_json` takes."""
        bands = self._levels[0].shape[2]
        return json.dumps(
            {
                "name": self._name,
                "images": [
                    {"width": level.shape[1], "height": level.shape[0], "block_width": BLOCK_PX,
                     "block_height": BLOCK_PX, "kind": min(number, 1), "bands": bands}
                    for number, level in enumerate(self._levels)
                ],
                "bits": [8] * bands, "formats": [1] * bands, "bands": bands,
                "extra": [UNASSOCIATED_ALPHA] if bands == 4 else None,
                "photometric": RGB, "planar": 1, "nodata": None, "palette": None, "little": True,
                "made": self._date,
            }
            | self._place
        )  # fmt: skip

    async def block(self, index: int, column: int, row: int, band: int) -> bytes:
        """The samples of a block, filled up at the right and lower edge."""
        level = self._levels[index]
        top, left = row * BLOCK_PX, column * BLOCK_PX
        part = level[top : top + BLOCK_PX, left : left + BLOCK_PX]
        if not part.size:
            raise UnreachableError("beside the picture")
        full = np.zeros((BLOCK_PX, BLOCK_PX, level.shape[2]), np.uint8)
        full[: part.shape[0], : part.shape[1]] = part
        await asyncio.sleep(0)
        return full.tobytes()


class PlacedReader:
    """A TIFF that says not where it lies, with a world file; fulfils `RasterReader`.

    Parameters
    ----------
    reader : RasterReader
        Of the TIFF.
    affine : Affine
    epsg : int
    """

    def __init__(self, reader: RasterReader, affine: Affine, epsg: int):
        self._reader = reader
        self._place = placed(affine, epsg)

    async def describe(self) -> str:
        """What the TIFF says, and where it lies."""
        return json.dumps(json.loads(await self._reader.describe()) | self._place)

    async def block(self, index: int, column: int, row: int, band: int) -> bytes:
        """The samples of a block."""
        return await self._reader.block(index, column, row, band)


def placed(affine: Affine, epsg: int) -> dict[str, Any]:
    """A place as GeoTIFF says it."""
    a, b, c, d, e, f = affine
    name = "GeographicTypeGeoKey" if epsg == DEGREES else "ProjectedCSTypeGeoKey"
    return {
        "keys": {name: epsg}, "scale": None, "tie": None,
        "matrix": [a, b, 0, c, d, e, 0, f, 0, 0, 0, 0, 0, 0, 0, 1],
    }  # fmt: skip


async def pixels_of(data: bytes, decode: Decode) -> np.ndarray:
    """A picture, uint8 [rows, columns, 3], or 4 if parts of it are clear.

    Raises
    ------
    NotAPictureError
        If it can't be decoded, or is too large.
    """
    try:
        try:
            return pixels(data)
        except UndecodableError:
            return await decode(data)
    except (UndecodableError, MemoryError) as error:
        raise NotAPictureError from error

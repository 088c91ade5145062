"""Tiles, decoded by Pillow and assembled into one picture.

The page, training and evaluation all decode pictures here, so that the network is measured on
exactly what it sees on the page.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image

from pyapp.core.ground.geo import TILE_PX, Box, Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.JpegImagePlugin import JpegImageFile

MAX_PICTURE_PX = 64_000_000
# Horizontal and vertical sampling of Y, Cb and Cr.
CHROMA_FULL = [(1, 1), (1, 1), (1, 1)]
CHROMA_HALF = [(2, 2), (1, 1), (1, 1)]


class UndecodableError(ValueError):
    """Pillow does not know the format, or the picture is incomplete or too large."""


class TooManyPixelsError(UndecodableError):
    """It is too large, whoever decodes it."""


@dataclass(frozen=True)
class Mosaic:
    """Neighbouring tiles, or a part of them, as one picture.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (rows, columns, 3)
        RGB.
    left, top : int
        World pixel of its north-west corner at ``zoom``.
    zoom : int
    """

    pixels: NDArray[np.uint8]
    left: int
    top: int
    zoom: int


def decode(data: bytes) -> NDArray[np.uint8]:
    """Decode a picture (JPEG, PNG, WebP, TIFF, GIF).

    Parameters
    ----------
    data : bytes
        Contents of the file.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)
        RGB. Transparent pictures are laid on white, palettes and grey are converted to RGB, and
        16-bit grey is scaled to 8 bits.

    Raises
    ------
    UndecodableError
        If Pillow can't read it to its end.
    TooManyPixelsError
        If it has more than `MAX_PICTURE_PX` pixels; none of them is decoded.
    MemoryError
        If there is not enough memory for its pixels.
    """
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > MAX_PICTURE_PX:
                raise TooManyPixelsError(f"{picture.width} x {picture.height} pixels are too many")
            return np.asarray(_from_jpeg(picture, data) or _as_rgb(picture))
    except UndecodableError:
        raise
    except Image.DecompressionBombError as error:
        raise TooManyPixelsError(str(error)) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise UndecodableError(str(error)) from error


def _from_jpeg(picture: Image.Image, data: bytes) -> Image.Image | None:
    """RGB of an ordinary JPEG, the same everywhere; ``None`` for other formats or samplings.

    Native Pillow decodes with libjpeg-turbo, Pillow in Pyodide with libjpeg 9. They agree to the
    bit, except when they upsample chroma. So luma is decoded alone, chroma at half scale, where
    neither library has anything to upsample, and Pillow itself does the rest.
    """
    if picture.format != "JPEG" or picture.mode != "RGB":
        return None
    if picture.info.get("adobe_transform", 1) != 1:
        return None
    sampling = [layer[1:3] for layer in cast("JpegImageFile", picture).layer]
    if sampling == CHROMA_FULL:
        picture.draft("YCbCr", None)
        return picture.convert("RGB")
    if sampling != CHROMA_HALF:
        return None
    with Image.open(io.BytesIO(data)) as other:
        half = (-(-other.width // 2), -(-other.height // 2))
        other.draft("YCbCr", (max(other.width // 2, 1), max(other.height // 2, 1)))
        if other.size != half:
            return None
        _, *chroma = other.split()
    picture.draft("L", None)
    rows, columns = picture.height, picture.width
    spread = (doubled(np.asarray(each))[:rows, :columns] for each in chroma)
    bands = (picture.convert("L"), *(Image.fromarray(each) for each in spread))
    return Image.merge("YCbCr", bands).convert("RGB")


def doubled(band: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Twice as many columns and rows, to the bit as Pillow interpolates them, in less time.

    Parameters
    ----------
    band : ndarray of uint8, shape (rows, columns)

    Returns
    -------
    ndarray of uint8, shape (2 * rows, 2 * columns)
    """
    for _ in range(2):
        # Columns first, as Pillow does, which rounds in between.
        band = band.T
        wide = band.astype(np.uint16)
        near = 3 * wide + 2
        double = np.empty((2 * len(band), band.shape[1]), np.uint8)
        # Each lies a quarter of the way to the next old pixel; at the edges there is no next one.
        double[0], double[-1] = band[0], band[-1]
        double[2::2] = (near[1:] + wide[:-1]) >> 2
        double[1:-1:2] = (near[:-1] + wide[1:]) >> 2
        band = double
    return band


def _as_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB":
        return picture
    if picture.mode.startswith("I;16"):
        grey = np.asarray(picture).astype(np.uint16) >> 8
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, clear).convert("RGB")
    return picture.convert("RGB")


def extent(tiles: Iterable[Tile]) -> Box:
    """The rectangle of some tiles, in world pixels at their zoom.

    Examples
    --------
    >>> extent([Tile(3, 7, 19), Tile(4, 7, 19)])
    Box(left=768, top=1792, right=1280, bottom=2048)
    """
    columns, rows, _ = zip(*tiles, strict=True)
    first, last = (min(columns), min(rows)), (max(columns) + 1, max(rows) + 1)
    return Box(*(TILE_PX * each for each in (*first, *last)))


def lay(tiles: Mapping[Tile, NDArray[np.uint8]], box: Box | None = None) -> Mosaic:
    """Assemble decoded tiles into one picture.

    Parameters
    ----------
    tiles : mapping of Tile to ndarray of uint8, shape (n, n, 3)
        A complete rectangle of tiles of the same zoom. Tiles of another size than 256 px (retina
        tiles) are resampled to 256.
    box : Box, optional
        The part that is wanted, in world pixels; what lies beyond the tiles is left out. By default
        all of them.

    Raises
    ------
    ValueError
        If there are no tiles, or tiles of several zooms.
    """
    (zoom,) = {tile.z for tile in tiles}
    whole = extent(tiles)
    wanted = whole if box is None else box
    left, top = (math.floor(max(pair)) for pair in zip(wanted[:2], whole[:2], strict=True))
    right, bottom = (math.ceil(min(pair)) for pair in zip(wanted[2:], whole[2:], strict=True))
    pixels = np.zeros((bottom - top, right - left, 3), np.uint8)
    for tile, image in tiles.items():
        # Of the tile's corner in the picture: negative if the picture begins inside the tile.
        row, column = tile.y * TILE_PX - top, tile.x * TILE_PX - left
        part = _at_tile_size(image)[max(-row, 0) :, max(-column, 0) :]
        place = pixels[max(row, 0) :, max(column, 0) :]
        rows, columns = min(len(part), len(place)), min(part.shape[1], place.shape[1])
        place[:rows, :columns] = part[:rows, :columns]
    return Mosaic(pixels, left, top, zoom)


def _at_tile_size(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.shape[:2] == (TILE_PX, TILE_PX):
        return image
    return np.asarray(Image.fromarray(image).resize((TILE_PX, TILE_PX), Image.Resampling.BILINEAR))

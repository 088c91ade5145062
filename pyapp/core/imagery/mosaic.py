"""Tiles, decoded by Pillow and assembled into one picture.

The page, training and evaluation all decode pictures here, so that the network is measured on
exactly what it sees on the page.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image

from pyapp.core.ground.geo import TILE_PX, Tile

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
    """Neighbouring tiles as one picture.

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
    double = (2 * half[0], 2 * half[1])
    visible = (0, 0, *picture.size)
    spread = [each.resize(double, Image.Resampling.BILINEAR).crop(visible) for each in chroma]
    return Image.merge("YCbCr", (picture.convert("L"), *spread)).convert("RGB")


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


def lay(tiles: Mapping[Tile, NDArray[np.uint8]]) -> Mosaic:
    """Assemble decoded tiles into one picture.

    Parameters
    ----------
    tiles : mapping of Tile to ndarray of uint8, shape (n, n, 3)
        A complete rectangle of tiles of the same zoom. Tiles of another size than 256 px (retina
        tiles) are resampled to 256.

    Raises
    ------
    ValueError
        If there are no tiles, or tiles of several zooms.
    """
    left = min(tile.x for tile in tiles)
    top = min(tile.y for tile in tiles)
    columns = max(tile.x for tile in tiles) - left + 1
    rows = max(tile.y for tile in tiles) - top + 1
    (zoom,) = {tile.z for tile in tiles}
    pixels = np.zeros((rows * TILE_PX, columns * TILE_PX, 3), np.uint8)
    for tile, image in tiles.items():
        row, column = (tile.y - top) * TILE_PX, (tile.x - left) * TILE_PX
        pixels[row : row + TILE_PX, column : column + TILE_PX] = _at_tile_size(image)
    return Mosaic(pixels, left * TILE_PX, top * TILE_PX, zoom)


def _at_tile_size(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.shape[:2] == (TILE_PX, TILE_PX):
        return image
    return np.asarray(Image.fromarray(image).resize((TILE_PX, TILE_PX), Image.Resampling.BILINEAR))

"""Chips: the square pictures that the model sees."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pyapp.core.ground.geo import Box, Tile
from pyapp.core.imagery.mosaic import extent, lay

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A triangle filter whose width follows the scale: an average weighted by distance if the imagery is
# finer than the chip, linear interpolation if it is coarser, with no jump between the two.
# Pillow computes it in integers, so every machine gives the same bytes.
RESAMPLING = Image.Resampling.BILINEAR


def resample(pixels: NDArray[np.uint8], size_px: int, box: Box | None = None) -> NDArray[np.uint8]:
    """Resample part of a picture to the size of a chip.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns, 3)
    size_px : int
        Side of the chip.
    box : Box, optional
        The part, in pixels of the picture, including fractions; by default the entire picture.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px, 3)
        Contiguous.
    """
    picture = Image.fromarray(pixels)
    return np.asarray(picture.resize((size_px, size_px), RESAMPLING, box=box))


def cut(tiles: Mapping[Tile, NDArray[np.uint8]], box: Box, size_px: int) -> NDArray[np.uint8]:
    """Cut a chip out of tiles.

    Parameters
    ----------
    tiles : mapping of Tile to ndarray of uint8, shape (n, n, 3)
        A complete rectangle of tiles of the same zoom.
    box : Box
        The part, in world pixels at the tiles' zoom; it lies inside the tiles.
    size_px : int
        Side of the chip.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px, 3)
        Contiguous.
    """
    # Only what the filter reads is laid; the rest of the canvas stays as it is.
    reach = math.ceil(max(box.right - box.left, box.bottom - box.top, size_px) / size_px) + 1
    around = Box(box.left - reach, box.top - reach, box.right + reach, box.bottom + reach)
    part, whole = lay(tiles, around), extent(tiles)
    size = (int(whole.right - whole.left), int(whole.bottom - whole.top))
    canvas = Image.new("RGB", size, None)
    corner = (part.left - int(whole.left), part.top - int(whole.top))
    canvas.paste(Image.fromarray(part.pixels), corner)
    # Pillow rounds a box to single precision, so it has to be that of the whole canvas.
    inside = Box(
        box.left - whole.left,
        box.top - whole.top,
        box.right - whole.left,
        box.bottom - whole.top,
    )
    return np.asarray(canvas.resize((size_px, size_px), RESAMPLING, box=inside))


def middle(pixels: NDArray[np.uint8]) -> Box:
    """The largest square in the middle of a picture, in its pixels.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns, 3)

    Examples
    --------
    >>> middle(np.zeros((100, 300, 3), np.uint8))
    Box(left=100.0, top=0.0, right=200.0, bottom=100.0)
    """
    rows, columns = pixels.shape[:2]
    side = min(rows, columns)
    left, top = (columns - side) / 2, (rows - side) / 2
    return Box(left, top, left + side, top + side)

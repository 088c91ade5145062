"""Chips: the square pictures that the model sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pyapp.core.ground.geo import Box
from pyapp.core.imagery.mosaic import Mosaic

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


def cut(mosaic: Mosaic, box: Box, size_px: int) -> NDArray[np.uint8]:
    """Cut a chip out of a mosaic.

    Parameters
    ----------
    mosaic : Mosaic
    box : Box
        The part, in world pixels at the mosaic's zoom; it lies inside the mosaic.
    size_px : int
        Side of the chip.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px, 3)
        Contiguous.
    """
    inside = Box(
        box.left - mosaic.left,
        box.top - mosaic.top,
        box.right - mosaic.left,
        box.bottom - mosaic.top,
    )
    return resample(mosaic.pixels, size_px, inside)


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

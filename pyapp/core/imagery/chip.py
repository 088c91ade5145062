"""The square picture that the model sees."""

import numpy as np
from PIL import Image

from pyapp.core.ground.geo import Box
from pyapp.core.imagery.mosaic import Mosaic

# A triangle whose width follows the scale: an average weighted by nearness where the imagery is
# finer than the chip, linear interpolation where it is coarser, and no step between the two.
# Pillow computes it in integers, so every machine gives the same bytes.
RESAMPLING = Image.Resampling.BILINEAR


def resample(pixels: np.ndarray, size_px: int, box: Box | None = None) -> np.ndarray:
    """Bring a part of a picture to the model's size.

    Parameters
    ----------
    pixels : uint8 [rows, columns, 3]
    size_px : int
        Side of the chip.
    box : Box, optional
        The part, in pixels of the picture, fractions allowed; all of it by default.

    Returns
    -------
    uint8 [size_px, size_px, 3], contiguous
    """
    picture = Image.fromarray(pixels)
    return np.asarray(picture.resize((size_px, size_px), RESAMPLING, box=box))


def cut(mosaic: Mosaic, box: Box, size_px: int) -> np.ndarray:
    """Cut the chip under a box of world pixels out of a mosaic.

    Parameters
    ----------
    mosaic : Mosaic
    box : Box
        In world pixels at the mosaic's zoom, inside the mosaic.
    size_px : int
        Side of the chip.

    Returns
    -------
    uint8 [size_px, size_px, 3], contiguous
    """
    inside = Box(
        box.left - mosaic.left,
        box.top - mosaic.top,
        box.right - mosaic.left,
        box.bottom - mosaic.top,
    )
    return resample(mosaic.pixels, size_px, inside)


def middle(pixels: np.ndarray) -> Box:
    """The largest square in the middle of a picture, uint8 [rows, columns, 3], in its pixels."""
    rows, columns = pixels.shape[:2]
    side = min(rows, columns)
    left, top = (columns - side) / 2, (rows - side) / 2
    return Box(left, top, left + side, top + side)

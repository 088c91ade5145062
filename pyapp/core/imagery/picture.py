"""Pictures of one's own, with what is clear in them: PNG, JPEG, WebP."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pyapp.core.imagery.date import day_of
from pyapp.core.imagery.mosaic import MAX_PICTURE_PX, UndecodableError, decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Levels are made until one is no larger than this.
SMALLEST_PX = 512
# EXIF 2.32: the block of the camera, and in it when the picture was taken.
CAMERA, TAKEN = 0x8769, 36867
# What Pillow raises for a file that is damaged or no picture.
BROKEN = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def pixels(data: bytes) -> NDArray[np.uint8]:
    """Decode a picture.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3 or 4)
        With an alpha band, if parts of it may be clear.

    Raises
    ------
    UndecodableError
        If Pillow can't read it, or it has too many pixels.
    MemoryError
    """
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.has_transparency_data:
                if picture.width * picture.height > MAX_PICTURE_PX:
                    raise UndecodableError("too many pixels")
                return np.asarray(picture.convert("RGBA"))
    except BROKEN as error:
        raise UndecodableError(str(error)) from error
    return decode(data)


def taken(data: bytes) -> str:
    """The day that a picture was taken, as a camera writes it; empty if it does not say."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return day_of(picture.getexif().get_ifd(CAMERA).get(TAKEN))
    except BROKEN:
        return ""


def pyramid(picture: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """A picture, and half, a quarter, an eighth of it, each an average.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns, 3 or 4)
    """
    while True:
        yield picture
        rows, columns = picture.shape[:2]
        if max(rows, columns) <= SMALLEST_PX:
            return
        half = (-(-columns // 2), -(-rows // 2))
        picture = np.asarray(Image.fromarray(picture).resize(half, Image.Resampling.BOX))

"""Pictures of one's own: what their headers say, and their pixels, upright.

Small pictures are decoded as tiles are (`core.imagery.mosaic.decode`). Of a large JPEG the decoder
gives a half, a quarter or an eighth of the size at once, which is all that a chip needs of a large
part of it; of a small part a finer decoding is made when it is asked for.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from pyapp.core.ground.geo import MAX_LATITUDE, Box, LngLat
from pyapp.core.imagery import mosaic
from pyapp.core.imagery.chip import resample
from pyapp.core.imagery.mosaic import MAX_PICTURE_PX, UndecodableError
from pyapp.core.imagery.photo_errors import LargePhotoError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pyapp.core.imagery.part import Part

# Of a JPEG that can be decoded at a part of its size, row by row.
MOST_JPEG_PX = 128_000_000
# What is decoded at first of a large JPEG, and what may be decoded for a small part of one.
FIRST_PX, FINEST_PX = 4_000_000, 24_000_000
SCALES = (1, 2, 4, 8)
# Tags of EXIF 2.32: in the first directory, and in the one for positions.
ORIENTATION, TAKEN, GPS = 0x0112, 0x0132, 0x8825
LATITUDE, LONGITUDE = (1, 2), (3, 4)


@dataclass(frozen=True)
class PhotoFacts:
    """What the header of a picture says.

    Attributes
    ----------
    width, height : int
        In pixels, as it is shown: upright.
    orientation : int
        As EXIF has it: 1 if the pixels are stored upright.
    place : LngLat or None
        Where it was taken, if it says so.
    taken : str
        When it was taken, as EXIF has it; empty if it doesn't say.
    scales : tuple of int
        What its size may be divided by while it is decoded.
    """

    width: int
    height: int
    orientation: int = 1
    place: LngLat | None = None
    taken: str = ""
    scales: tuple[int, ...] = (1,)

    @property
    def first_scale(self) -> int:
        """The finest scale at which it is decoded at first."""
        return self._finest_within(FIRST_PX)

    def scale_for(self, side: float, chip_px: int) -> int:
        """The coarsest scale that leaves a part of it, ``side`` pixels wide, enough for a chip."""
        enough = [each for each in self.scales if side / each >= chip_px]
        return max(self._finest_within(FINEST_PX), max(enough, default=1))

    def _finest_within(self, most_px: int) -> int:
        pixels = self.width * self.height
        return next((each for each in self.scales if pixels <= most_px * each**2), self.scales[-1])


@dataclass(frozen=True)
class Photo:
    """A picture of one's own, decoded.

    Attributes
    ----------
    data : bytes
        Its file.
    facts : PhotoFacts
    pixels : ndarray of uint8, shape (rows, columns, 3)
        RGB, upright, at 1 / `scale` of its size.
    scale : int
    """

    data: bytes
    facts: PhotoFacts
    pixels: NDArray[np.uint8]
    scale: int

    def chip(self, part: Part, size_px: int) -> NDArray[np.uint8]:
        """A square of it as a chip, uint8 [size_px, size_px, 3]."""
        rows, columns = self.pixels.shape[:2]
        across, down = columns / self.facts.width, rows / self.facts.height
        left, top, right, bottom = part.box
        box = Box(max(left * across, 0), max(top * down, 0),
                  min(right * across, columns), min(bottom * down, rows))  # fmt: skip
        return resample(self.pixels, size_px, box)

    def finer(self, part: Part, size_px: int) -> Photo:
        """The same picture, decoded finer if a chip of a part needs that."""
        scale = self.facts.scale_for(part.side, size_px)
        if scale >= self.scale:
            return self
        return replace(self, pixels=decode_photo(self.data, self.facts, scale), scale=scale)

    def preview(self, most_px: int) -> NDArray[np.uint8]:
        """A copy to look at, at most so many pixels across or down, uint8 [rows, columns, 3]."""
        shown = Image.fromarray(self.pixels)
        shown.thumbnail((most_px, most_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
        return np.asarray(shown)


def open_photo(data: bytes) -> Photo:
    """Read a picture, at once if it is small, coarser if it is a large JPEG.

    Raises
    ------
    LargePhotoError
        Before anything is decoded.
    UndecodableError
        If Pillow can't read it.
    MemoryError
    """
    facts = photo_facts(data)
    scale = facts.first_scale
    return Photo(data, facts, decode_photo(data, facts, scale), scale)


def photo_facts(data: bytes) -> PhotoFacts:
    """What the header of a picture says; nothing is decoded.

    Raises
    ------
    LargePhotoError
        If it has more pixels than there is room for.
    UndecodableError
        If Pillow doesn't know the format.
    """
    try:
        with warnings.catch_warnings():
            # The limits are our own.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        found = re.search(r"\d+", str(error))
        pixels = int(found[0]) if found else MOST_JPEG_PX
        raise LargePhotoError(pixels / 1e6, MOST_JPEG_PX / 1e6) from error
    except (OSError, SyntaxError, ValueError, OverflowError, EOFError) as error:
        raise UndecodableError(str(error)) from error
    with picture, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_rows = picture.format in ("JPEG", "MPO") and not picture.info.get("progressive")
        check_size(picture.width, picture.height, MOST_JPEG_PX if by_rows else MAX_PICTURE_PX)
        orientation, place, taken = _exif(picture)
        width, height = picture.size[::-1] if orientation > 4 else picture.size
        scales = SCALES if picture.format in ("JPEG", "MPO") else SCALES[:1]
        return PhotoFacts(width, height, orientation, place, taken, scales)


def check_size(width: int, height: int, most_px: int = MAX_PICTURE_PX) -> None:
    """Check that there is room for so many pixels.

    Raises
    ------
    LargePhotoError
    """
    if width * height > most_px:
        raise LargePhotoError(width * height / 1e6, most_px / 1e6)


def decode_photo(data: bytes, facts: PhotoFacts, scale: int) -> NDArray[np.uint8]:
    """The pixels of a picture, upright, uint8 [rows, columns, 3].

    Parameters
    ----------
    data : bytes
    facts : PhotoFacts
        Of the same picture.
    scale : int
        What its size is divided by; one of its scales.

    Raises
    ------
    UndecodableError, MemoryError
    """
    if scale == 1:
        return upright(mosaic.decode(data), facts.orientation)
    stored = (facts.height, facts.width) if facts.orientation > 4 else (facts.width, facts.height)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data))
        with picture:
            picture.draft(None, (stored[0] // scale, stored[1] // scale))
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise UndecodableError(str(error)) from error
    return upright(pixels, facts.orientation)


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Pixels turned and mirrored as EXIF says.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns, 3)
        As they are stored.
    orientation : int
        1 to 8 (EXIF 2.32, tag 0x0112).
    """
    if orientation > 4:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _exif(picture: Image.Image) -> tuple[int, LngLat | None, str]:
    """Orientation, place and time, as far as they make sense: cameras write what they like."""
    try:
        exif = picture.getexif()
        orientation, taken = exif.get(ORIENTATION), exif.get(TAKEN)
        place = _place(exif.get_ifd(GPS))
    except Exception:
        # Pillow raises what comes to hand on broken EXIF, and a picture does without.
        return 1, None, ""
    turned = orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
    return turned, place, taken.strip("\0 ") if isinstance(taken, str) else ""


def _place(gps: dict[int, Any]) -> LngLat | None:
    try:
        lat = _degrees(gps, LATITUDE, "S")
        lng = _degrees(gps, LONGITUDE, "W")
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    # Cameras without a fix write zeros.
    if (lat, lng) == (0.0, 0.0) or abs(lat) > MAX_LATITUDE or abs(lng) > 180.0:
        return None
    return LngLat(lng, lat)


def _degrees(gps: dict[int, Any], tags: tuple[int, int], negative: str) -> float:
    side, angle = (gps[each] for each in tags)
    degrees, minutes, seconds = (float(each) for each in angle)
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value):
        raise ValueError("no number")
    return -value if str(side).strip("\0 ").upper() == negative else value


def other_format(data: bytes) -> str:
    """What a picture is that Pillow doesn't read here: HEIC, AVIF; empty if it is neither.

    Raises
    ------
    LargePhotoError
        If its header says that it has more pixels than there is room for.
    """
    if data[4:8] != b"ftyp":
        return ""
    brand = data[8:12]
    place = data.find(b"ispe", 0, 1 << 16)
    while place >= 0:
        # ISO/IEC 23008-12, ImageSpatialExtentsProperty: version and flags, width, height.
        width, height = (int.from_bytes(data[place + at : place + at + 4], "big") for at in (8, 12))
        check_size(width, height)
        place = data.find(b"ispe", place + 4, 1 << 16)
    return "AVIF" if brand in (b"avif", b"avis") else "HEIC"

"""How the samples of a georeferenced picture become colours on a screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pyapp.core.imagery.raster import PALETTE, WHITE_IS_ZERO, YCBCR, RasterFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERCENTILES = (2.0, 98.0)


@dataclass(frozen=True)
class Look:
    """Which bands are red, green and blue, and which of their values are black and white.

    Attributes
    ----------
    bands : tuple of int
        Three bands, counted from 0; three times the same for grey.
    ranges : tuple of (float, float), or None
        For each of the three, what becomes 0 and 255; ``None`` shows bytes as they are.
    """

    bands: tuple[int, int, int]
    ranges: tuple[tuple[float, float], ...] | None = None

    @property
    def key(self) -> str:
        """A short text that differs for another look."""
        bands = "-".join(map(str, self.bands))
        if self.ranges is None:
            return bands
        return bands + "_" + "_".join(f"{low:g}-{high:g}" for low, high in self.ranges)


def usual_bands(facts: RasterFacts) -> tuple[int, int, int]:
    """The first three bands; of fewer, the first as grey."""
    colours = facts.colours
    return (colours[0], colours[1], colours[2]) if len(colours) > 2 else (colours[0],) * 3


def stretched(
    facts: RasterFacts, bands: tuple[int, int, int], samples: Iterable[NDArray[np.generic]]
) -> Look:
    """A look that shows most values of a picture.

    Parameters
    ----------
    facts : RasterFacts
    bands : tuple of int
    samples : iterable of ndarray, shape (rows, columns, bands)
        Parts of the picture, all of whose bands are there.
    """
    parts = list(samples)
    ranges = []
    for band in bands:
        values = [part[..., band][_is_there(facts, part)] for part in parts]
        joined = np.concatenate(values).astype(np.float64) if values else np.zeros(0)
        # numpy's percentile needs parts of it that the page leaves out.
        ordered = np.sort(joined) if len(joined) else np.array([0.0, 1.0])
        low, high = (ordered[round(each / 100 * (len(ordered) - 1))] for each in PERCENTILES)
        ranges.append((float(low), float(high if high > low else low + 1)))
    return Look(bands, tuple(ranges))


def samples_of(
    facts: RasterFacts, data: list[bytes], rows: int, columns: int
) -> NDArray[np.generic]:
    """A block as it is stored, as samples.

    Parameters
    ----------
    facts : RasterFacts
    data : list of bytes
        One, or one for each band if bands are stored on their own.
    rows, columns : int

    Returns
    -------
    ndarray of the file's dtype, shape (rows, columns, bands)
    """
    count = 1 if facts.planar else facts.bands
    parts = [
        np.frombuffer(each, facts.dtype, rows * columns * count).reshape(rows, columns, count)
        for each in data
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def paint(facts: RasterFacts, look: Look, samples: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Colours of samples.

    Parameters
    ----------
    facts : RasterFacts
    look : Look
    samples : ndarray, shape (rows, columns, bands)

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 4)
        RGBA; what has no data is clear.
    """
    rgba = np.empty((*samples.shape[:2], 4), np.uint8)
    if facts.palette is not None:
        last = len(facts.palette) - 1
        rgba[..., :3] = facts.palette[np.minimum(samples[..., 0].astype(np.intp), last)]
    elif facts.photometric == YCBCR and facts.has_eight_bits and facts.bands == 3:
        ycc = Image.frombuffer("YCbCr", samples.shape[1::-1], np.ascontiguousarray(samples))
        rgba[..., :3] = np.asarray(ycc.convert("RGB"))
    else:
        for place, band in enumerate(look.bands):
            rgba[..., place] = _bytes(samples[..., band], look, place)
        if facts.photometric == WHITE_IS_ZERO:
            rgba[..., :3] = 255 - rgba[..., :3]
    there = _is_there(facts, samples)
    rgba[..., 3] = np.where(there, _opacity(facts, samples), 0)
    return rgba


def _bytes(values: NDArray[np.generic], look: Look, place: int) -> NDArray[np.uint8]:
    if look.ranges is None:
        return values.astype(np.uint8)
    low, high = look.ranges[place]
    # Not a number, and infinity, are clear anyway.
    finite = np.nan_to_num(values.astype(np.float32), nan=low, posinf=high, neginf=low)
    return np.asarray(np.clip((finite - low) * (255 / (high - low)) + 0.5, 0, 255), np.uint8)


def _opacity(facts: RasterFacts, samples: NDArray[np.generic]) -> NDArray[np.uint8] | int:
    if facts.alpha is None:
        return 255
    alpha = samples[..., facts.alpha]
    if facts.has_eight_bits:
        return np.asarray(alpha, np.uint8)
    return np.where(alpha.astype(np.float64) > 0, 255, 0).astype(np.uint8)


def _is_there(facts: RasterFacts, samples: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which pixels have data in any band, as GDAL takes it."""
    shown = samples[..., list(facts.colours)]
    there = np.ones(samples.shape[:2], bool)
    if facts.nodata is not None and facts.photometric != PALETTE:
        there = ~(shown == facts.nodata).all(axis=2)
    if shown.dtype.kind == "f":
        there &= np.isfinite(shown).all(axis=2)
    return there

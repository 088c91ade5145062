"""Detects tiles that show no ground, or show it less finely than they claim.

Photographs of the ground have contrast at every scale (Field, J. Opt. Soc. Am. A 4 (1987) 2379).
Stretching leaves the finest scales empty, or repeats pixels. The limits were measured on UC Merced
and on aerial tiles, original and stretched; ``tests/core/test_quality.py`` repeats the measurement.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from pyapp.core.state import CellState

if TYPE_CHECKING:
    from numpy.typing import NDArray

# If at least this share of a tile's pixels has the same colour, it is drawn, not photographed.
FLAT = 0.6
# If curvature of brightness, divided by that at four times the scale, is below this, a picture was
# stretched by interpolation: for single pixels, and for averages of 2 x 2.
SHARP, SHARP_OF_TWO = 0.2, 0.33
# Of the positions modulo 2, 4 or 8 the one with the largest steps between pixels, and the second:
# if the second's steps, divided by the largest, are below this, pixels were repeated.
EVEN = 0.3
REPEATS = (2, 4, 8)
# If curvature, out of 255, is below this, there is too little contrast to judge.
CONTRAST = 0.7

# Only this many strips of this many rows, a multiple of 8, are examined. In a survey, tiles are
# most of the work of the page's thread, and examining all rows takes four times as long for the
# same answer.
STRIPS, STRIP_ROWS = 3, 24


def flaw(pixels: NDArray[np.uint8]) -> CellState | None:
    """What is wrong with a tile, if anything.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (n, n, 3)
        At least 32 pixels wide.

    Returns
    -------
    CellState or None
        ``BLANK`` for a placeholder or a plain colour, ``BLURRED`` for stretched imagery, ``None``
        if the tile shows ground.

    Examples
    --------
    >>> flaw(np.full((256, 256, 3), 204, np.uint8))
    <CellState.BLANK: 4>
    """
    if flatness(pixels[::2, ::2]) >= FLAT:
        return CellState.BLANK
    return CellState.BLURRED if _is_stretched(pixels[..., 1]) else None


def flatness(pixels: NDArray[np.uint8]) -> float:
    """Share of the pixels that have the most frequent colour, estimated.

    The most frequent value of green is found first; if its share is below `FLAT`, so is that of
    every colour, and it is returned. Otherwise only the pixels with that green are compared.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns, 3)
    """
    green = pixels[..., 1]
    counts = np.bincount(green.ravel(), minlength=256)
    most = int(counts.argmax())
    if counts[most] < FLAT * green.size:
        return float(counts[most]) / green.size
    same = pixels[green == most]
    return float((same == same[len(same) // 2]).all(1).sum()) / green.size


def strips(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Evenly spread strips of rows.

    Parameters
    ----------
    grey : ndarray of uint8, shape (rows, columns)

    Returns
    -------
    ndarray of float32, shape (STRIPS, STRIP_ROWS, columns)
    """
    last = len(grey) - STRIP_ROWS
    found = np.empty((STRIPS, STRIP_ROWS, grey.shape[1]), np.float32)
    for number in range(STRIPS):
        top = last * number // (STRIPS - 1) // 8 * 8
        found[number] = grey[top : top + STRIP_ROWS]
    return found


def _is_stretched(green: NDArray[np.uint8]) -> bool:
    grey = strips(green)
    one = curvature(grey)
    if one == 0:
        return False
    two, four, eight = (curvature(each) for each in _smaller(grey))
    if two < CONTRAST:
        return False
    return one < SHARP * four or two < SHARP_OF_TWO * eight or evenness(green) < EVEN


def curvature(grey: NDArray[np.float32]) -> float:
    """Mean size of the second difference along rows and columns.

    Parameters
    ----------
    grey : ndarray of float32, shape (k, rows, columns)
    """
    right = grey[..., 1:] - grey[..., :-1]
    down = grey[:, 1:] - grey[:, :-1]
    return (
        _mean_size(right[..., 1:] - right[..., :-1]) + _mean_size(down[:, 1:] - down[:, :-1])
    ) / 2


def _mean_size(values: NDArray[np.float32]) -> float:
    """Mean of the absolute values, which replace the values."""
    return float(np.abs(values, out=values).sum()) / values.size


def evenness(green: NDArray[np.uint8]) -> float:
    """How evenly the steps between pixels are spread over the positions modulo 2, 4 and 8.

    Every eighth row and column is examined: enough of them that a single edge in the picture is not
    mistaken for a repeated pixel.

    Parameters
    ----------
    green : ndarray of uint8, shape (n, n)

    Returns
    -------
    float
        The second largest mean step divided by the largest: the least over all `REPEATS` and both
        directions; 0 if pixels were repeated.
    """
    least = 1.0
    for uint8_lines in (green[::8], green[:, ::8].T):
        lines = uint8_lines.astype(np.int16)
        steps = np.abs(lines[:, 1:] - lines[:, :-1]).mean(0)
        for repeats in REPEATS:
            end = len(steps) // repeats * repeats
            places = np.sort(steps[:end].reshape(-1, repeats).mean(0))
            least = min(least, float(places[-2] / max(places[-1], 1e-6)))
    return least


def _smaller(grey: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Averages of 2 x 2, of 4 x 4 and of 8 x 8 pixels."""
    grey = grey[..., : grey.shape[-1] // 8 * 8]
    for _ in range(3):
        rows = grey[:, ::2] + grey[:, 1::2]
        grey = (rows[..., ::2] + rows[..., 1::2]) * np.float32(0.25)
        yield grey

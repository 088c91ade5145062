"""Tells from the pixels of a tile whether it shows ground at all, and as finely as it claims.

Photographs of the ground have contrast at every scale (Field, J. Opt. Soc. Am. A 4 (1987) 2379).
Stretching leaves the finest scales empty, or repeats pixels. The limits were measured on UC Merced
and on aerial tiles, as they are and stretched; ``tests/core/test_quality.py`` measures them again.
"""

import numpy as np

from pyapp.core.state import CellState

# Share of pixels of one exact colour from which on a tile is drawn rather than photographed.
FLAT = 0.6
# Curvature of brightness over that at four times the scale, for single pixels and for 2 x 2, under
# which a picture was stretched by interpolation.
SHARP, SHARP_OF_TWO = 0.2, 0.33
# Steps between pixels over those of the one place in 2, 4 or 8 where they are largest, under which
# pixels were repeated.
EVEN = 0.3
REPEATS = (2, 4, 8)
# Curvature, of 255, under which there is too little to tell.
CONTRAST = 0.7

# Looked at are so many strips of so many rows, a multiple of 8. In a survey tiles are most of the
# work of the page's thread, and all of a tile takes four times as long for the same answer.
STRIPS, STRIP_ROWS = 3, 24


def flaw(pixels: np.ndarray) -> CellState | None:
    """What keeps a tile from showing ground, if anything.

    Parameters
    ----------
    pixels : uint8 [n, n, 3]
        At least 32 pixels wide.

    Returns
    -------
    CellState or None
        `BLANK` for a placeholder or filling, `BLURRED` for stretched imagery, ``None`` for ground.
    """
    if flatness(pixels[::2, ::2]) >= FLAT:
        return CellState.BLANK
    return CellState.BLURRED if _is_stretched(pixels[..., 1]) else None


def flatness(pixels: np.ndarray) -> float:
    """Share of pixels of the colour that is most frequent among the most frequent green.

    Where that green alone is under `FLAT`, its share: no colour has a larger one.
    """
    green = pixels[..., 1]
    counts = np.bincount(green.ravel(), minlength=256)
    most = int(counts.argmax())
    if counts[most] < FLAT * green.size:
        return float(counts[most]) / green.size
    same = pixels[green == most]
    return float((same == same[len(same) // 2]).all(1).sum()) / green.size


def strips(grey: np.ndarray) -> np.ndarray:
    """Some rows of [rows, columns], evenly spread, as float32 [`STRIPS`, `STRIP_ROWS`, columns]."""
    last = len(grey) - STRIP_ROWS
    tops = [last * number // (STRIPS - 1) // 8 * 8 for number in range(STRIPS)]
    return np.stack([grey[top : top + STRIP_ROWS] for top in tops]).astype(np.float32)


def _is_stretched(green: np.ndarray) -> bool:
    grey = strips(green)
    one = curvature(grey)
    if one == 0:
        return False
    two, four, eight = (curvature(each) for each in _smaller(grey))
    if two < CONTRAST:
        return False
    return one < SHARP * four or two < SHARP_OF_TWO * eight or evenness(green) < EVEN


def curvature(grey: np.ndarray) -> float:
    """Mean second difference along rows and columns of float [k, rows, columns]."""
    right = np.abs(grey[..., :-2] - 2 * grey[..., 1:-1] + grey[..., 2:]).mean()
    down = np.abs(grey[:, :-2] - 2 * grey[:, 1:-1] + grey[:, 2:]).mean()
    return float(right + down) / 2


def evenness(green: np.ndarray) -> float:
    """The least, over ways of repeating, of the second largest step over the largest.

    Steps along every eighth row and column of uint8 [n, n]: there are enough of them everywhere for
    no single edge in the picture to be taken for a repeated pixel.
    """
    least = 1.0
    for lines in (green[::8], green[:, ::8].T):
        lines = lines.astype(np.int16)
        steps = np.abs(lines[:, 1:] - lines[:, :-1]).mean(0)
        for repeats in REPEATS:
            whole = len(steps) // repeats * repeats
            places = np.sort(steps[:whole].reshape(-1, repeats).mean(0))
            least = min(least, float(places[-2] / max(places[-1], 1e-6)))
    return least


def _smaller(grey: np.ndarray):
    """Averages of 2 x 2, of 4 x 4 and of 8 x 8."""
    grey = grey[..., : grey.shape[-1] // 8 * 8]
    for _ in range(3):
        rows = grey[:, ::2] + grey[:, 1::2]
        grey = (rows[..., ::2] + rows[..., 1::2]) / 4
        yield grey

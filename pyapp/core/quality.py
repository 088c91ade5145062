"""Tells from the pixels of a tile whether it shows ground at all, and as finely as it claims.

Photographs of the ground have contrast at every scale (Field, J. Opt. Soc. Am. A 4 (1987) 2379).
Stretching leaves the finest scales empty, or repeats pixels. The limits were measured on UC Merced
and on aerial tiles, as they are and stretched; ``tests/core/test_quality.py`` measures them again.
"""

import numpy as np

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

FINE, BLANK, BLURRED = "fine", "blank", "blurred"


def quality(pixels: np.ndarray) -> str:
    """What a tile is: `FINE`, `BLANK` (a placeholder or filling) or `BLURRED` (over-zoomed).

    Parameters
    ----------
    pixels : uint8 [n, n, 3]
        At least 32 pixels wide.
    """
    if flatness(pixels) >= FLAT:
        return BLANK
    return BLURRED if _is_stretched(pixels[..., 1].astype(np.float32)) else FINE


def flatness(pixels: np.ndarray) -> float:
    """Share of pixels of the colour that is most frequent among the most frequent green."""
    green = pixels[..., 1]
    most = int(np.bincount(green.ravel(), minlength=256).argmax())
    same = pixels[green == most]
    return float((same == same[len(same) // 2]).all(1).sum()) / green.size


def _is_stretched(grey: np.ndarray) -> bool:
    one = curvature(grey)
    if one == 0:
        return False
    two, four, eight = (curvature(each) for each in _smaller(grey))
    if two < CONTRAST:
        return False
    return one < SHARP * four or two < SHARP_OF_TWO * eight or evenness(grey) < EVEN


def curvature(grey: np.ndarray) -> float:
    """Mean second difference along rows and columns of float [n, n]."""
    right = np.abs(grey[:, :-2] - 2 * grey[:, 1:-1] + grey[:, 2:]).mean()
    down = np.abs(grey[:-2] - 2 * grey[1:-1] + grey[2:]).mean()
    return float(right + down) / 2


def evenness(grey: np.ndarray) -> float:
    """The least, over ways of repeating, of the second largest step over the largest."""
    least = 1.0
    for steps in (np.abs(np.diff(grey, axis=1)).mean(0), np.abs(np.diff(grey, axis=0)).mean(1)):
        for repeats in REPEATS:
            whole = len(steps) // repeats * repeats
            places = np.sort(steps[:whole].reshape(-1, repeats).mean(0))
            least = min(least, float(places[-2] / max(places[-1], 1e-6)))
    return least


def _smaller(grey: np.ndarray):
    """Averages of 2 x 2, of 4 x 4 and of 8 x 8."""
    rows, columns = (length // 8 * 8 for length in grey.shape)
    grey = grey[:rows, :columns]
    for _ in range(3):
        grey = (grey[::2, ::2] + grey[1::2, ::2] + grey[::2, 1::2] + grey[1::2, 1::2]) / 4
        yield grey

"""Where the model sees a class in a chip, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Colours from the least to the most evidence: dark blue through red to yellow, ever brighter.
HEAT = np.array(
    [[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64], [240, 249, 33]], np.float32
)
HEAT_PX = 96
MOST_OPAQUE = 205


def heat(activation: NDArray[np.float32], class_id: int) -> NDArray[np.uint8]:
    """Where the model sees a class in a chip.

    Parameters
    ----------
    activation : ndarray of float32, shape (C, h, w)
        Class-activation maps.
    class_id : int

    Returns
    -------
    ndarray of uint8, shape (96, 96, 4)
        Red, green, blue and opacity: from transparent (no evidence for the class, or evidence
        against it) to nearly opaque yellow (the most evidence).
    """
    strength = _enlarged(np.maximum(activation[class_id], 0), HEAT_PX)
    strength = strength / max(float(strength.max()), 1e-6)
    place = strength * (len(HEAT) - 1)
    lower = np.minimum(place.astype(int), len(HEAT) - 2)
    part = (place - lower)[..., np.newaxis]
    rgba = np.empty((HEAT_PX, HEAT_PX, 4), np.uint8)
    rgba[..., :3] = HEAT[lower] * (1 - part) + HEAT[lower + 1] * part
    rgba[..., 3] = strength * MOST_OPAQUE
    return rgba


def _enlarged(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Interpolate shape (h, w) bilinearly to (size, size), with pixel centres aligned."""
    for axis in (0, 1):
        length = values.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
        low = np.minimum(at.astype(int), max(length - 2, 0))
        part = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
        high = np.minimum(low + 1, length - 1)
        values = values.take(low, axis) * (1 - part) + values.take(high, axis) * part
    return values

"""Where in a chip a class is seen, as a picture."""

import numpy as np

# Colours of the heat map, from least to most: dark blue over orange to yellow, as bright as hot.
HEAT = np.array(
    [[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64], [240, 249, 33]], np.float32
)
HEAT_PX = 96
MOST_OPAQUE = 205


def heat(activation: np.ndarray, class_id: int) -> np.ndarray:
    """Where in the chip a class is seen.

    Parameters
    ----------
    activation : float32 [C, h, w]
        Class-activation maps.
    class_id : int

    Returns
    -------
    uint8 [96, 96, 4]
        From nothing (no evidence for the class, or against it) to opaque yellow (the most).
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


def _enlarged(values: np.ndarray, size: int) -> np.ndarray:
    """Bilinear, float [h, w] to [size, size], pixel middles aligned."""
    for axis in (0, 1):
        length = values.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
        low = np.minimum(at.astype(int), max(length - 2, 0))
        part = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
        high = np.minimum(low + 1, length - 1)
        values = values.take(low, axis) * (1 - part) + values.take(high, axis) * part
    return values

"""Pictures as other imagery would show them, each in one way, for `training.steps.study`."""

import io
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pyapp.core.imagery.chip import resample
from training.pictures.augment import HAZE_GREY

Pixels = NDArray[np.uint8]

# Ground sample distance of UC Merced, and of the coarser imagery, in metres per pixel.
FINE_M, COARSE_M = 0.3048, 0.8
TURN_DEG = 37


def at_sharpness(pixels: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """The same ground in imagery ``factor`` times as fine, from shape (P, P, 3)."""
    return resample(pixels, round(pixels.shape[0] * factor))


def _coarse(pixels: Pixels) -> Pixels:
    return at_sharpness(pixels, FINE_M / COARSE_M)


def _jpeg(pixels: Pixels) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=30)
    return np.asarray(Image.open(file))


def _hazy(pixels: Pixels) -> Pixels:
    grey = pixels.mean(2, keepdims=True)
    faded: NDArray[np.float64] = 0.7 * (grey + 0.6 * (pixels - grey)) + 0.3 * HAZE_GREY
    return np.clip(np.rint(faded), 0, 255).astype(np.uint8)


def _turned(pixels: Pixels) -> Pixels:
    side = len(pixels)
    edge = side // 2
    wide = np.pad(pixels, ((edge, edge), (edge, edge), (0, 0)), "reflect")
    turned = np.asarray(Image.fromarray(wide).rotate(TURN_DEG, Image.Resampling.BICUBIC))
    return turned[edge : edge + side, edge : edge + side]


def _shifted(pixels: Pixels) -> Pixels:
    by = len(pixels) // 5
    return np.pad(pixels, ((0, by), (by, 0), (0, 0)), "reflect")[by:, :-by]


# By name, from and to pictures of shape (P, P, 3); the side may change.
LOOKS: Mapping[str, Callable[[Pixels], Pixels]] = {
    "as it is": lambda pixels: pixels,
    f"{COARSE_M} m per pixel": _coarse,
    "JPEG, quality 30": _jpeg,
    "haze": _hazy,
    f"turned by {TURN_DEG}°": _turned,
    "shifted by a fifth": _shifted,
}

"""How far two pictures of the same ground lie apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

# Part of each chip that is looked at, in pixels: transforms take the cube of it.
SIDE_PX = 128
# Luma of ITU-R BT.601.
LUMA = (0.299, 0.587, 0.114)
# A peak that is not so many times as high as all that is further from it may be chance.
CLEAR = 1.25
NEAR_PX = 3


class Shift(NamedTuple):
    """How far the later picture lies to the right of the earlier one, and below it.

    Attributes
    ----------
    right_px, down_px : float
        In pixels of the chips.
    is_clear : bool
        Whether the pictures have enough in common for that to mean anything.
    """

    right_px: float
    down_px: float
    is_clear: bool

    @property
    def apart_px(self) -> float:
        """Distance, in pixels of the chips."""
        return float(np.hypot(self.right_px, self.down_px))


def shift_between(pairs: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> Shift:
    """Find the shift that several pairs of chips have in common.

    Phase correlation (Kuglin and Hines, 1975), summed over the pairs: what changed in one of them
    adds no peak at the same place in the others.

    Parameters
    ----------
    pairs : iterable of (ndarray of uint8, ndarray of uint8), shape (S, S, 3) each
        The same ground in the earlier picture and in the later one; at least one pair, and S at
        least 16.

    Returns
    -------
    Shift
    """
    total: NDArray[np.complex128] | None = None
    for before, after in pairs:
        side = min(SIDE_PX, len(before))
        cross = _spectrum(after, side) * np.conj(_spectrum(before, side))
        cross = cross / np.maximum(np.abs(cross), 1e-9)
        total = cross if total is None else total + cross
    assert total is not None, "there is at least one pair"
    inverse = np.conj(_transform(len(total)))
    surface = (inverse @ total @ inverse).real
    side = len(surface)
    down, right = divmod(int(surface.argmax()), side)
    far = np.ones((side, side), bool)
    around = np.arange(-NEAR_PX, NEAR_PX + 1)
    far[np.ix_((down + around) % side, (right + around) % side)] = False
    return Shift(
        _around(right, side) + _between(surface[down, [right - 1, right, (right + 1) % side]]),
        _around(down, side) + _between(surface[[down - 1, down, (down + 1) % side], right]),
        bool(surface[down, right] > CLEAR * surface[far].max()),
    )


def _spectrum(chip: NDArray[np.uint8], side: int) -> NDArray[np.complex128]:
    """Discrete Fourier transform of the middle of a chip, faded out to its edges."""
    first = (len(chip) - side) // 2
    luma = chip[first : first + side, first : first + side] @ np.array(LUMA)
    fade = np.hanning(side)
    transform = _transform(side)
    return np.asarray(transform @ ((luma - luma.mean()) * np.outer(fade, fade)) @ transform)


def _transform(side: int) -> NDArray[np.complex128]:
    """The transform as a matrix: the page's numpy has no ``fft``."""
    turns = np.outer(np.arange(side), np.arange(side)) % side / side
    return np.asarray(np.exp(-2j * np.pi * turns))


def _around(place: int, side: int) -> int:
    """A place on a circle as a number from minus half of its length to half."""
    return place - side if place > side // 2 else place


def _between(values: NDArray[np.float64]) -> float:
    """Where a parabola through three values has its top, counted from the middle one."""
    left, middle, right = values.tolist()
    bend = left - 2 * middle + right
    return 0.0 if bend > -1e-12 else float(np.clip((left - right) / (2 * bend), -0.5, 0.5))

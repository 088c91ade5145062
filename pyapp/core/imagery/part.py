"""The square on a picture: which part of it is asked about."""

import math
from typing import NamedTuple

from pyapp.core.ground.geo import Box

# Pixels of a picture that a square has on a side at least, and its share of the shorter side.
LEAST_PX = 16
LEAST_SHARE = 1 / 32


class Part(NamedTuple):
    """A square of a picture, in its pixels, right and down from the upper left corner."""

    left: float
    top: float
    side: float

    @property
    def box(self) -> Box:
        """Its edges."""
        return Box(self.left, self.top, self.left + self.side, self.top + self.side)


def middle_part(width: int, height: int) -> Part:
    """The largest square in the middle of a picture.

    >>> middle_part(300, 100)
    Part(left=100.0, top=0.0, side=100.0)
    """
    side = float(min(width, height))
    return Part((width - side) / 2, (height - side) / 2, side)


def moved(part: Part, right: float, down: float, width: int, height: int) -> Part:
    """A square moved by some pixels, as far as the picture reaches.

    >>> moved(Part(0, 0, 50), 70, -5, 100, 100)
    Part(left=50, top=0, side=50)
    """
    return _inside(Part(part.left + right, part.top + down, part.side), width, height)


def resized(part: Part, factor: float, width: int, height: int) -> Part:
    """A square made larger or smaller around its middle.

    Examples
    --------
    >>> resized(Part(20.0, 20.0, 40.0), 0.5, 100, 100)
    Part(left=30.0, top=30.0, side=20.0)
    >>> resized(Part(0.0, 0.0, 80.0), 2.0, 100, 120)
    Part(left=0, top=0, side=100.0)
    """
    side = limited(part.side * factor, width, height)
    shift = (part.side - side) / 2
    return _inside(Part(part.left + shift, part.top + shift, side), width, height)


def limited(side: float, width: int, height: int) -> float:
    """The side of a square that is neither too small to show anything nor larger than allowed."""
    most = float(min(width, height))
    least = min(max(LEAST_PX, LEAST_SHARE * most), most)
    return min(max(side, least), most) if math.isfinite(side) else most


def pulled(part: Part, right: int, down: int, by: float, width: int, height: int) -> Part:
    """A square pulled at one corner, as far as the picture reaches; the opposite corner stays.

    Parameters
    ----------
    part : Part
    right, down : int
        Which corner: 1 for the right and the lower ones, -1 for the others.
    by : float
        How many pixels its side grows.
    width, height : int
        Of the picture.

    Examples
    --------
    >>> pulled(Part(20.0, 20.0, 40.0), 1, 1, 70.0, 100, 120)
    Part(left=20.0, top=20.0, side=80.0)
    >>> pulled(Part(20.0, 20.0, 40.0), -1, -1, 10.0, 100, 120)
    Part(left=10.0, top=10.0, side=50.0)
    """
    across = width - part.left if right > 0 else part.left + part.side
    along = height - part.top if down > 0 else part.top + part.side
    side = min(limited(part.side + by, width, height), across, along)
    left = part.left if right > 0 else part.left + part.side - side
    top = part.top if down > 0 else part.top + part.side - side
    return Part(left, top, side)


def _inside(part: Part, width: int, height: int) -> Part:
    left = min(max(part.left, 0), width - part.side)
    top = min(max(part.top, 0), height - part.side)
    return Part(left, top, part.side)

"""The squares at plots, in an order in which neighbours share their tiles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pyapp.core.ground.area import PLANE
from pyapp.core.ground.geo import Bounds, Footprint, LngLat, world_px, wrap_lng
from pyapp.core.plots.plots import Plots

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Places less than 40 m apart at the equator count as one in the order.
ORDER_BITS = 20


@dataclass(frozen=True)
class Places:
    """N footprints anywhere, which are worked on as the cells of a `Grid` are.

    Attributes
    ----------
    side_m : float
        Side of a footprint, in metres.
    rows : ndarray of int64, shape (N,)
        The row of each, in the order of work.
    lng, latitudes : ndarray of float64, shape (N,)
        Their middles, in degrees.
    """

    side_m: float
    rows: NDArray[np.int64]
    lng: NDArray[np.float64]
    latitudes: NDArray[np.float64]

    @classmethod
    def of(cls, plots: Plots, side_m: float) -> Places:
        """Footprints in the middle of plots; rows without a place have none."""
        rows = plots.placed
        x, y = _plane(plots.lng[rows], plots.lat[rows])
        rows = rows[np.argsort(_along_curve(x, y), kind="stable")]
        lng = np.array([wrap_lng(each) for each in plots.lng[rows].tolist()])
        return cls(side_m, rows, lng, plots.lat[rows])

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def middles(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``x`` and ``y`` of the middles, shape (N,) each, in world pixels at `PLANE`."""
        return _plane(self.lng, self.latitudes)

    @property
    def bounds(self) -> Bounds:
        """The smallest rectangle around the middles."""
        return Bounds(float(self.lng.min()), float(self.latitudes.min()),
                      float(self.lng.max()), float(self.latitudes.max()))  # fmt: skip

    def footprint(self, number: int) -> Footprint:
        """The ground that the model sees at the place with this number."""
        centre = LngLat(float(self.lng[number]), float(self.latitudes[number]))
        return Footprint(centre, self.side_m)


def _plane(
    lng: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """World pixels at `PLANE`; see `core.ground.geo.pixel_at`."""
    size = world_px(PLANE)
    x = (lng + 180.0) / 360.0 * size
    return x, (1.0 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2.0 * size


def _along_curve(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """How far along Hilbert's curve points lie: near ones there are near on the ground.

    After Warren, Hacker's Delight (2nd ed., 2012), figure 16-8.
    """
    scale = (1 << ORDER_BITS) / world_px(PLANE)
    column, row = (np.floor(each * scale).astype(np.int64) % (1 << ORDER_BITS) for each in (x, y))
    along = np.zeros(len(x), np.int64)
    for bit in reversed(range(ORDER_BITS)):
        right, down = (column >> bit) & 1, (row >> bit) & 1
        along = (along << 2) | (3 * right ^ down)
        mask = (1 << bit) - 1
        column, row = column & mask, row & mask
        turned = right & (1 - down)
        column, row = np.where(turned, mask - column, column), np.where(turned, mask - row, row)
        column, row = np.where(down == 0, row, column), np.where(down == 0, column, row)
    return along

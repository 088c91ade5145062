"""Which tiles the cells of a grid need, computed for all cells at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pyapp.core.ground.area import PLANE
from pyapp.core.ground.cut import Zooms
from pyapp.core.ground.geo import ROUNDING, TILE_PX, Tile, resolution_m

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Cells(Protocol):
    """Squares of ground: those of a `Grid`, or at plots."""

    def __len__(self) -> int: ...

    @property
    def side_m(self) -> float:
        """Side of each, in metres."""

    @property
    def latitudes(self) -> NDArray[np.float64]:
        """Of their middles, shape (N,), in degrees."""

    @property
    def middles(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``x`` and ``y`` of their middles, shape (N,) each, in world pixels at `PLANE`."""


@dataclass(frozen=True)
class Reading:
    """Which tiles the cells of a grid need: `Cut`, computed for all cells at once.

    Attributes
    ----------
    zoom : ndarray of int64, shape (N,)
        Zoom of each cell's tiles; it depends on the latitude.
    columns, rows : ndarray of int64, shape (N, 2)
        First tile, and the one after the last; columns are not wrapped at the date line.
    """

    zoom: NDArray[np.int64]
    columns: NDArray[np.int64]
    rows: NDArray[np.int64]

    @property
    def tile_count(self) -> int:
        """Number of different tiles."""
        return len(self._last_cells[0])

    def last_cell(self, tile: Tile) -> int:
        """Number of the last cell, in the order of work, that needs a tile; -1 if none does."""
        keys, cells = self._last_cells
        key = int(_key(*(np.asarray(each, np.int64) for each in tile)))
        place = int(np.searchsorted(keys, key))
        return int(cells[place]) if place < len(keys) and keys[place] == key else -1

    @cached_property
    def _last_cells(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The sorted keys of all tiles, and the last cell that needs each."""
        wide, high = (int((each[:, 1] - each[:, 0]).max()) for each in (self.columns, self.rows))
        keys, cells = [], []
        for right in range(wide):
            for down in range(high):
                x, y = self.columns[:, 0] + right, self.rows[:, 0] + down
                needed = (x < self.columns[:, 1]) & (y < self.rows[:, 1])
                keys.append(_key(x, y, self.zoom)[needed])
                cells.append(np.flatnonzero(needed))
        # numpy.unique and numpy.lexsort's masked arrays are not on the page.
        all_keys, all_cells = np.concatenate(keys), np.concatenate(cells)
        order = np.argsort(all_cells, kind="stable")
        order = order[np.argsort(all_keys[order], kind="stable")]
        all_keys, all_cells = all_keys[order], all_cells[order]
        last = np.append(all_keys[1:] != all_keys[:-1], True)
        return all_keys[last], all_cells[last]


def _key(x: NDArray[np.int64], y: NDArray[np.int64], zoom: NDArray[np.int64]) -> NDArray[np.int64]:
    """A different number for each tile of the world; columns are wrapped at the date line."""
    return (zoom << 58) | (y << 29) | (x & ((1 << zoom) - 1))


def reading(grid: Cells, wanted_m: float, source: Zooms) -> Reading:
    """The tiles that each cell of a grid needs.

    Parameters
    ----------
    grid : Cells
    wanted_m : float
        Ground sample distance of the chips, in metres per pixel.
    source : Source or ImageryFacts
        Only its coarsest and finest zoom matter.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from pyapp.core.ground.area import rectangle
    >>> from pyapp.core.ground.geo import LngLat
    >>> from pyapp.core.ground.grid import plan
    >>> grid = plan(rectangle(LngLat(85.51, 27.64), LngLat(85.53, 27.63)), 78.0, 1.0)
    >>> found = reading(grid, 78.0 / 192, SimpleNamespace(min_zoom=14, max_zoom=18))
    >>> found.zoom[0].item(), found.tile_count
    (18, 160)
    """
    shrunk = np.cos(np.radians(grid.latitudes))
    zoom = np.full(len(grid), source.min_zoom, np.int64)
    for each in range(source.min_zoom, source.max_zoom):
        zoom += resolution_m(each, 0.0) * shrunk > wanted_m
    scale = 2.0 ** (zoom - PLANE)
    half = grid.side_m / 2 / (resolution_m(PLANE, 0.0) * shrunk) * scale
    x, y = (each * scale for each in grid.middles)
    boxes = np.stack([x - half, y - half, x + half, y + half], 1)
    edge = ROUNDING * 2.0 ** zoom[:, np.newaxis]
    first = np.floor(boxes[:, :2] / TILE_PX + edge).astype(np.int64)
    after = np.ceil(boxes[:, 2:] / TILE_PX - edge).astype(np.int64)
    columns, rows = (np.stack([first[:, i], after[:, i]], 1) for i in (0, 1))
    return Reading(zoom, columns, rows)

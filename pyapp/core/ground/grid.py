"""A grid of footprints over an area."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from pyapp.core.errors import LargeAreaError, SmallAreaError
from pyapp.core.ground.area import PLANE, Area, check
from pyapp.core.ground.geo import (
    Bounds,
    Footprint,
    LngLat,
    Pixel,
    pixel_at,
    place_at,
    resolution_m,
    world_px,
    wrap_lng,
)
from pyapp.core.ground.sides import Sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The embeddings and tiles of this many cells fit into memory.
MOST_CELLS = 20_000
# Steps to choose from, as shares of a footprint's side.
STEPS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True)
class Grid:
    """Cells in rows and columns, evenly spaced in world pixels, and which of them are used.

    Every footprint has the same side on the ground. As a web map stretches with latitude, the
    footprints in the outer rows of a tall grid overlap slightly or leave gaps: at 45 degrees,
    0.1 percent of a side for each 7 km from the middle.

    Attributes
    ----------
    side_m : float
        Side of a footprint, in metres.
    step : float
        Distance from one cell to the next, as a share of that side.
    left, top : float
        North-west corner, in world pixels at zoom `PLANE`.
    pitch : float
        Distance from one cell to the next, in world pixels at zoom `PLANE`.
    columns, rows : int
    cells : ndarray of int32, shape (N,)
        ``row * columns + column`` of the cells that are used, in the order of work: along the
        shorter side, so that few tiles are needed at a time.
    """

    side_m: float
    step: float
    left: float
    top: float
    pitch: float
    columns: int
    rows: int
    cells: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def places(self) -> NDArray[np.int32]:
        """Each cell's number in `cells`, shape (rows, columns); -1 if it is not used."""
        numbers = np.full(self.rows * self.columns, -1, np.int32)
        numbers[self.cells] = np.arange(len(self.cells), dtype=np.int32)
        return numbers.reshape(self.rows, self.columns)

    @cached_property
    def middles(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``x`` and ``y`` of the cells' middles, shape (N,) each, in world pixels at `PLANE`."""
        row, column = np.divmod(self.cells, self.columns)
        return self.left + (column + 0.5) * self.pitch, self.top + (row + 0.5) * self.pitch

    @cached_property
    def latitudes(self) -> NDArray[np.float64]:
        """Latitudes of the cells' middles, shape (N,), in degrees."""
        y = self.middles[1]
        return np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y / world_px(PLANE)))))

    @cached_property
    def hectares(self) -> NDArray[np.float64]:
        """Ground that each cell stands for, shape (N,): a square as wide as the pitch."""
        equator_m = self.pitch * resolution_m(PLANE, 0.0)
        pitch_m = equator_m * np.cos(np.radians(self.latitudes))
        return np.square(pitch_m) / 1e4

    @property
    def lattice(self) -> Lattice:
        """Where its cells lie, used or not."""
        return Lattice(self.left, self.top, self.pitch, self.columns, self.rows)

    @property
    def bounds(self) -> Bounds:
        """Bounds of all rows and columns."""
        return self.lattice.bounds_of(0, 0, self.rows, self.columns)

    def centre(self, number: int) -> LngLat:
        """Middle of the cell with this number in `cells`."""
        x, y = self.middles
        place = place_at(Pixel(float(x[number]), float(y[number])), PLANE)
        return LngLat(wrap_lng(place.lng), place.lat)

    def footprint(self, number: int) -> Footprint:
        """The ground that the model sees for the cell with this number in `cells`."""
        return Footprint(self.centre(number), self.side_m)

    def bounds_of(self, number: int) -> Bounds:
        """Bounds of the cell with this number in `cells`: as wide and high as the pitch."""
        row, column = divmod(int(self.cells[number]), self.columns)
        return self.lattice.bounds_of(row, column)

    def number_at(self, place: LngLat) -> int | None:
        """Number in `cells` of the cell that covers a place; ``None`` if there is none."""
        found = self.lattice.at(place)
        if found is None:
            return None
        number = int(self.places[found])
        return None if number < 0 else number

    def spread(self, values: NDArray[Value], empty: float) -> NDArray[Value]:
        """Lay values out by row and column.

        Parameters
        ----------
        values : ndarray, shape (N, ...)
            In the order of `cells`.
        empty : float
            Value where no cell is used.

        Returns
        -------
        ndarray, shape (rows, columns, ...)
        """
        laid = np.full((self.rows * self.columns, *values.shape[1:]), empty, values.dtype)
        laid[self.cells] = values
        return laid.reshape(self.rows, self.columns, *values.shape[1:])


def plan(area: Area, side_m: float, step: float) -> Grid:
    """Lay a grid over an area; the cells whose middle lies inside are used.

    Parameters
    ----------
    area : Area
    side_m : float
        Side of a footprint, in metres.
    step : float
        Distance from one cell to the next, as a share of that side.

    Raises
    ------
    FlatAreaError, PastMapError, CrossedAreaError
        See `area.check`.
    SmallAreaError
        If the area is smaller than a footprint in both directions, or the middle of no cell lies
        inside.
    LargeAreaError
        If there would be more than `MOST_CELLS` cells.

    Examples
    --------
    >>> from pyapp.core.ground.area import rectangle
    >>> area = rectangle(LngLat(85.51, 27.64), LngLat(85.53, 27.63))
    >>> grid = plan(area, side_m=78.0, step=1.0)
    >>> grid.columns, grid.rows, len(grid)
    (26, 15, 390)
    >>> grid.number_at(grid.centre(20))
    20
    """
    whole, sides = _laid(area, side_m, step)
    count = whole.columns * whole.rows
    # Cells that are not used take time to check as well.
    if count > 20 * MOST_CELLS:
        raise LargeAreaError(count, MOST_CELLS, _fitting(count, step))
    cells = _numbers(_used(sides, whole, 0, whole.rows))
    if not len(cells):
        raise SmallAreaError(side_m)
    if len(cells) > MOST_CELLS:
        raise LargeAreaError(len(cells), MOST_CELLS, _fitting(len(cells), step))
    return Grid(side_m, step, *whole, cells)


def blocks(area: Area, side_m: float, step: float, size: int) -> Iterator[tuple[int, int, Grid]]:
    """The same cells as a grid of any size, cut into blocks of neighbours.

    Parameters
    ----------
    area : Area
    side_m, step : float
        See `plan`.
    size : int
        Cells to a side of a block.

    Yields
    ------
    row, column : int
        Of the block's north-west cell in all of the area's.
    grid : Grid
        Its cells that lie inside the area; blocks without any are left out.

    Raises
    ------
    AreaError
        As `plan` does, but for `LargeAreaError`.
    """
    whole, sides = _laid(area, side_m, step)
    for row in range(0, whole.rows, size):
        used = _used(sides, whole, row, row + size)
        for column in range(0, whole.columns, size):
            part = Lattice(
                whole.left + column * whole.pitch,
                whole.top + row * whole.pitch,
                whole.pitch,
                min(size, whole.columns - column),
                min(size, whole.rows - row),
            )
            cells = _numbers(used[:, column : column + size])
            if len(cells):
                yield row, column, Grid(side_m, step, *part, cells)


class Lattice(NamedTuple):
    """Where cells lie, used or not; see `Grid`."""

    left: float
    top: float
    pitch: float
    columns: int
    rows: int

    def at(self, place: LngLat) -> tuple[int, int] | None:
        """Row and column of the cell that covers a place; ``None`` outside."""
        x, y = pixel_at(place, PLANE)
        column = math.floor((x - self.left) % world_px(PLANE) / self.pitch)
        row = math.floor((y - self.top) / self.pitch)
        if not (0 <= row < self.rows and 0 <= column < self.columns):
            return None
        return row, column

    def bounds_of(self, row: int, column: int, rows: int = 1, columns: int = 1) -> Bounds:
        """Bounds of some rows and columns of cells, the north-west one first."""
        left, top = self.left + column * self.pitch, self.top + row * self.pitch
        west, north = place_at(Pixel(left, top), PLANE)
        east, south = place_at(Pixel(left + columns * self.pitch, top + rows * self.pitch), PLANE)
        return Bounds(west, south, east, north)


def lattice(area: Area, side_m: float, step: float) -> Lattice:
    """Rows and columns of cells over an area; raises as `plan` does, but for `LargeAreaError`."""
    return _laid(area, side_m, step)[0]


def _laid(area: Area, side_m: float, step: float) -> tuple[Lattice, Sides]:
    """The lattice over an area that can be surveyed, and the area's sides."""
    sides = check(area)
    west, south, east, north = area.bounds
    left, top = pixel_at(LngLat(west, north), PLANE)
    right, bottom = pixel_at(LngLat(east, south), PLANE)
    middle = place_at(Pixel((left + right) / 2, (top + bottom) / 2), PLANE)
    side = side_m / resolution_m(PLANE, middle.lat)
    pitch = side * step
    if max(right - left, bottom - top) < side:
        raise SmallAreaError(side_m)
    columns, rows = (max(1, math.ceil(length / pitch - 1e-9)) for length in
                     (right - left, bottom - top))  # fmt: skip
    left, top = ((one + other - number * pitch) / 2 for one, other, number in
                 ((left, right, columns), (top, bottom, rows)))  # fmt: skip
    return Lattice(left, top, pitch, columns, rows), sides


def _used(sides: Sides, cells: Lattice, row: int, after: int) -> NDArray[np.bool_]:
    """Whether the middle of each cell in some rows lies inside an area."""
    x = cells.left + (np.arange(cells.columns, dtype=np.float64) + 0.5) * cells.pitch
    y = cells.top + (np.arange(row, min(after, cells.rows), dtype=np.float64) + 0.5) * cells.pitch
    return sides.cover(x, y)


def _numbers(used: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The numbers of the cells that are used, as `Grid.cells` has them."""
    rows, columns = used.shape
    order = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    return order[used] if columns <= rows else order.T[used.T]


def _fitting(count: int, step: float) -> float | None:
    """The finest of the `STEPS` that reduces ``count`` cells to `MOST_CELLS`, or ``None``."""
    coarser = (each for each in STEPS if each > step)
    return next((each for each in coarser if count * (step / each) ** 2 <= MOST_CELLS), None)

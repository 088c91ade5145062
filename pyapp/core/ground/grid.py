"""A grid of footprints over an area."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pyapp.core.errors import LargeAreaError, SmallAreaError
from pyapp.core.ground import area as areas
from pyapp.core.ground.area import PLANE, Area
from pyapp.core.ground.cut import Zooms
from pyapp.core.ground.geo import (
    TILE_PX,
    Bounds,
    Footprint,
    LngLat,
    Pixel,
    Tile,
    pixel_at,
    place_at,
    resolution_m,
    world_px,
    wrap_lng,
)

# Of embeddings and of tiles there's room for so many.
MOST_CELLS = 20_000
# Steps that are offered, as shares of the footprint's side.
STEPS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True)
class Grid:
    """Cells in rows and columns, the same number of world pixels apart, and those that are used.

    Each cell's footprint has the same side on the ground. As a web map stretches with the latitude,
    footprints of the outer rows of a tall grid overlap, or leave gaps, by that much: 0.1 percent
    for each 7 km at 45 degrees.

    Attributes
    ----------
    side_m : float
        Side of a footprint, in metres.
    step : float
        Share of that side from one cell to the next.
    left, top : float
        North-west corner, in world pixels at zoom `PLANE`.
    pitch : float
        From one cell to the next, likewise.
    columns, rows : int
    cells : int32 [N]
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
    cells: np.ndarray

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def places(self) -> np.ndarray:
        """Each cell's number in `cells`, int32 [rows, columns]; -1 for unused ones."""
        numbers = np.full(self.rows * self.columns, -1, np.int32)
        numbers[self.cells] = np.arange(len(self.cells), dtype=np.int32)
        return numbers.reshape(self.rows, self.columns)

    @cached_property
    def middles(self) -> tuple[np.ndarray, np.ndarray]:
        """``x`` and ``y`` of the cells' middles, float [N], in world pixels at zoom `PLANE`."""
        row, column = np.divmod(self.cells, self.columns)
        return self.left + (column + 0.5) * self.pitch, self.top + (row + 0.5) * self.pitch

    @cached_property
    def latitudes(self) -> np.ndarray:
        """Of the cells' middles, float [N], in degrees."""
        y = self.middles[1]
        return np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y / world_px(PLANE)))))

    @cached_property
    def hectares(self) -> np.ndarray:
        """Ground that each cell stands for, float [N]: the square of the way to the next."""
        equator_m = self.pitch * resolution_m(PLANE, 0.0)
        return (equator_m * np.cos(np.radians(self.latitudes))) ** 2 / 1e4

    @property
    def bounds(self) -> Bounds:
        """What all rows and columns cover."""
        return self._bounds(self.left, self.top, self.columns, self.rows)

    def centre(self, number: int) -> LngLat:
        """The middle of a cell, by its number in `cells`."""
        x, y = self.middles
        place = place_at(Pixel(float(x[number]), float(y[number])), PLANE)
        return LngLat(wrap_lng(place.lng), place.lat)

    def footprint(self, number: int) -> Footprint:
        """What the model sees for a cell."""
        return Footprint(self.centre(number), self.side_m)

    def bounds_of(self, number: int) -> Bounds:
        """What a cell covers on the map: as wide as the way to the next."""
        row, column = divmod(int(self.cells[number]), self.columns)
        return self._bounds(self.left + column * self.pitch, self.top + row * self.pitch, 1, 1)

    def number_at(self, place: LngLat) -> int | None:
        """The cell that covers a place; ``None`` where there's none."""
        x, y = pixel_at(place, PLANE)
        world = world_px(PLANE)
        column = math.floor((x - self.left) % world / self.pitch)
        row = math.floor((y - self.top) / self.pitch)
        if not (0 <= row < self.rows and 0 <= column < self.columns):
            return None
        number = int(self.places[row, column])
        return None if number < 0 else number

    def spread(self, values: np.ndarray, empty) -> np.ndarray:
        """Values of cells, [N, ...], by row and column, [rows, columns, ...]."""
        laid = np.full((self.rows * self.columns, *values.shape[1:]), empty, values.dtype)
        laid[self.cells] = values
        return laid.reshape(self.rows, self.columns, *values.shape[1:])

    def _bounds(self, left: float, top: float, columns: int, rows: int) -> Bounds:
        west, north = place_at(Pixel(left, top), PLANE)
        right, bottom = left + columns * self.pitch, top + rows * self.pitch
        east, south = place_at(Pixel(right, bottom), PLANE)
        return Bounds(west, south, east, north)


def plan(area: Area, side_m: float, step: float) -> Grid:
    """Lay a grid over an area; cells whose middle lies inside are used.

    Parameters
    ----------
    area : Area
    side_m : float
        Side of a footprint, in metres.
    step : float
        Share of that side from one cell to the next.

    Raises
    ------
    FlatAreaError, PastMapError, CrossedAreaError
        See `area.check`.
    SmallAreaError
        When it's narrower and lower than a footprint, or no cell's middle lies inside.
    LargeAreaError
        When there would be more cells than fit.
    """
    areas.check(area)
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
    # Even what is not used takes time to look at.
    if columns * rows > 20 * MOST_CELLS:
        raise LargeAreaError(columns * rows, MOST_CELLS, _fitting(columns * rows, step))
    left, top = ((one + other - number * pitch) / 2 for one, other, number in
                 ((left, right, columns), (top, bottom, rows)))  # fmt: skip
    x = left + (np.arange(columns) + 0.5) * pitch
    y = top + (np.arange(rows) + 0.5) * pitch
    used = areas.contains(area, x[np.newaxis], y[:, np.newaxis])
    order = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    cells = order[used] if columns <= rows else order.T[used.T]
    if not len(cells):
        raise SmallAreaError(side_m)
    if len(cells) > MOST_CELLS:
        raise LargeAreaError(len(cells), MOST_CELLS, _fitting(len(cells), step))
    return Grid(side_m, step, left, top, pitch, columns, rows, cells)


def _fitting(count: int, step: float) -> float | None:
    """The finest step with which so many cells become few enough."""
    finer = (each for each in STEPS if each > step)
    return next((each for each in finer if count * (step / each) ** 2 <= MOST_CELLS), None)


@dataclass(frozen=True)
class Reading:
    """Which tiles the cells of a grid need: `Cut`, for all cells at once.

    Attributes
    ----------
    zoom : ndarray of int, shape (N,)
        Of each cell's tiles; it changes with the latitude.
    columns, rows : ndarray of int, shape (N, 2)
        First tile, and the one after the last; columns go on past the date line.
    """

    zoom: np.ndarray
    columns: np.ndarray
    rows: np.ndarray

    @property
    def tile_count(self) -> int:
        """How many different tiles there are."""
        return len(self._last_cells[0])

    def last_cell(self, tile: Tile) -> int:
        """The last cell that needs a tile, in the order of work; -1 if none does."""
        keys, cells = self._last_cells
        key = _key(*tile)
        place = int(np.searchsorted(keys, key))
        return int(cells[place]) if place < len(keys) and keys[place] == key else -1

    @cached_property
    def _last_cells(self) -> tuple[np.ndarray, np.ndarray]:
        """The key of each tile, sorted, and the last cell that needs it."""
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


def _key(x, y, zoom) -> np.ndarray:
    """One number for each tile of the world; columns past the date line are brought back."""
    x, y, zoom = (np.asarray(each, np.int64) for each in (x, y, zoom))
    return (zoom << 58) | (y << 29) | (x & ((1 << zoom) - 1))


def reading(grid: Grid, wanted_m: float, source: Zooms) -> Reading:
    """The tiles under a grid.

    Parameters
    ----------
    grid : Grid
    wanted_m : float
        Ground sample distance that the model wants, in metres per pixel.
    source : Source or ImageryFacts
        Its coarsest and finest zoom matter.
    """
    shrunk = np.cos(np.radians(grid.latitudes))
    zoom = np.full(len(grid), source.min_zoom, np.int64)
    for each in range(source.min_zoom, source.max_zoom):
        zoom += resolution_m(each, 0.0) * shrunk > wanted_m
    scale = 2.0 ** (zoom - PLANE)
    half = grid.side_m / 2 / (resolution_m(PLANE, 0.0) * shrunk) * scale
    x, y = (each * scale for each in grid.middles)
    boxes = np.stack([x - half, y - half, x + half, y + half], 1)
    first = np.floor(boxes[:, :2] / TILE_PX).astype(np.int64)
    after = np.ceil(boxes[:, 2:] / TILE_PX).astype(np.int64)
    columns, rows = (np.stack([first[:, i], after[:, i]], 1) for i in (0, 1))
    return Reading(zoom, columns, rows)

"""Cells of a grid that show ground which a taught model learned from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pyapp.core.ground.area import PLANE
from pyapp.core.ground.geo import Footprint, pixel_at, resolution_m, world_px
from pyapp.core.ground.grid import Grid
from pyapp.core.teach.folds import GAP


def cells_over(grid: Grid, squares: Iterable[Footprint]) -> tuple[int, ...]:
    """Numbers of the cells whose footprint overlaps a square, in their order.

    Examples
    --------
    >>> from pyapp.core.ground.area import rectangle
    >>> from pyapp.core.ground.geo import LngLat
    >>> from pyapp.core.ground.grid import plan
    >>> grid = plan(rectangle(LngLat(85.51, 27.64), LngLat(85.53, 27.63)), 78.0, 1.0)
    >>> cells_over(grid, [grid.footprint(20)])
    (20,)
    """
    x, y = grid.middles
    world = world_px(PLANE)
    found = np.zeros(len(grid), np.bool_)
    for square in squares:
        centre = pixel_at(square.centre, PLANE)
        reach_m = (grid.side_m + square.side_m) / 2 * (1 - GAP)
        reach = reach_m / resolution_m(PLANE, square.centre.lat)
        east = np.abs((x - centre.x + world / 2) % world - world / 2)
        found |= (east < reach) & (np.abs(y - centre.y) < reach)
    return tuple(np.flatnonzero(found).tolist())

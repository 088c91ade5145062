"""The pictures of a pyramid: the colour of a cell, or the most frequent one of many.

In the finest zoom each cell is at least `LEAST_PX` wide. In the coarser ones, in which a pixel
stands for many cells, it has the colour of the most frequent answer among them; so what is rare
shows only further in, and areas are to be read from the totals, not from the picture.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pyapp.core.ground.area import PLANE
from pyapp.core.ground.geo import TILE_PX, Tile
from pyapp.core.ground.grid import Lattice
from pyapp.core.imagery.pmtiles import FINEST_ZOOM, tile_id
from pyapp.core.model.tree import Tree
from pyapp.core.state import CellState
from pyapp.core.survey.colours import node_colours
from pyapp.core.survey.paint import MARKS_RGBA, UNSURE_RGBA

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_PX = 8
# Codes of cells: nothing there, those without an answer by their state, not sure, then the nodes.
NOTHING = 0
NOT_SURE = len(CellState)
FIRST_NODE = NOT_SURE + 1
# Counted at a time, so that memory stays small however large the area is.
MOST_COUNTED = 4_000_000


def palette(tree: Tree) -> NDArray[np.uint8]:
    """Red, green, blue and opacity of each code, shape (K, 4)."""
    colours = np.zeros((FIRST_NODE + len(tree.nodes), 4), np.uint8)
    for state, rgba in MARKS_RGBA.items():
        colours[state] = rgba
    colours[NOTHING] = 0
    colours[NOT_SURE] = UNSURE_RGBA
    colours[FIRST_NODE:] = [(*each, 255) for each in node_colours(tree)]
    return colours


def finest_zoom(lattice: Lattice) -> int:
    """The coarsest zoom in which a cell is at least `LEAST_PX` wide."""
    needed = PLANE + math.ceil(math.log2(LEAST_PX / lattice.pitch))
    return min(max(needed, 0), FINEST_ZOOM)


def tiles_over(lattice: Lattice, zoom: int) -> list[Tile]:
    """The tiles that touch a lattice, in the order of `tile_id`; past the date line, wrapped."""
    side = TILE_PX * 2.0 ** (PLANE - zoom)
    right = lattice.left + lattice.columns * lattice.pitch
    bottom = lattice.top + lattice.rows * lattice.pitch
    count = 1 << zoom
    columns = range(math.floor(lattice.left / side), math.ceil(right / side))
    rows = range(max(math.floor(lattice.top / side), 0), min(math.ceil(bottom / side), count))
    found = {Tile(x % count, y, zoom) for x in columns for y in rows}
    return sorted(found, key=tile_id)


def pictures(
    codes: NDArray[np.uint16], lattice: Lattice, colours: NDArray[np.uint8]
) -> Iterator[tuple[Tile, bytes]]:
    """All tiles that show something, in the order of `tile_id`.

    Parameters
    ----------
    codes : ndarray of uint16, shape (rows, columns)
        Of each cell; may lie in a file.
    lattice : Lattice
    colours : ndarray of uint8, shape (K, 4)
        Of each code.

    Yields
    ------
    tile : Tile
    data : bytes
        PNG.
    """
    for zoom in range(finest_zoom(lattice) + 1):
        for tile in tiles_over(lattice, zoom):
            shown = shown_in(codes, lattice, tile, len(colours))
            if shown.any():
                yield tile, encoded(shown, colours)


def shown_in(
    codes: NDArray[np.uint16], lattice: Lattice, tile: Tile, count: int
) -> NDArray[np.uint16]:
    """The code that each pixel of a tile shows, shape (256, 256)."""
    scale = 2.0 ** (PLANE - tile.z)
    top, bottoms = _reach(lattice.top, lattice.pitch, tile.y, scale, lattice.rows)
    shown = np.zeros((TILE_PX, TILE_PX), np.uint16)
    # An area over the date line goes on beyond the world.
    for turn in (-1, 0, 1):
        x = tile.x + turn * (1 << tile.z)
        left, rights = _reach(lattice.left, lattice.pitch, x, scale, lattice.columns)
        if left[0] >= rights[-1] or top[0] >= bottoms[-1]:
            continue
        part = _frequent(codes, (top, bottoms), (left, rights), count)
        shown = np.where(shown == NOTHING, part, shown)
    return shown


def _reach(
    start: float, pitch: float, at: int, scale: float, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cells that each pixel of a tile stands for, in one direction: first, and past the last.

    These are the cells with their middle in the pixel, or else the one that the middle of the
    pixel lies in.
    """
    edges = (at * TILE_PX + np.arange(TILE_PX + 1)) * scale
    places = (edges - start) / pitch
    if scale >= pitch:
        between = np.ceil(places - 0.5).astype(np.int64)
        first, last = between[:-1], between[1:]
    else:
        first = np.floor((places[:-1] + places[1:]) / 2).astype(np.int64)
        last = first + 1
    return np.clip(first, 0, count), np.clip(last, 0, count)


def _frequent(
    codes: NDArray[np.uint16],
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    columns: tuple[NDArray[np.int64], NDArray[np.int64]],
    count: int,
) -> NDArray[np.uint16]:
    """The most frequent code in each rectangle of cells, shape (256, 256); of equals, the first."""
    (top, bottom), (left, right) = rows, columns
    shown = np.zeros((TILE_PX, TILE_PX), np.uint16)
    if (bottom - top <= 1).all() and (right - left <= 1).all():
        some_rows, some_columns = bottom > top, right > left
        found = codes[top[some_rows]][:, left[some_columns]]
        shown[np.ix_(some_rows, some_columns)] = found
        return shown
    used = slice(int(left[0]), int(right[-1]))
    place = np.repeat(np.arange(TILE_PX), right - left)
    for row in np.flatnonzero(bottom > top).tolist():
        shown[row] = _row(codes, (int(top[row]), int(bottom[row])), used, place, count)
    return shown


def _row(
    codes: NDArray[np.uint16],
    rows: tuple[int, int],
    used: slice,
    place: NDArray[np.int64],
    count: int,
) -> NDArray[np.uint16]:
    """One row of pixels."""
    votes = np.zeros(TILE_PX * count, np.int64)
    at_once = max(1, MOST_COUNTED // max(len(place), 1))
    for start in range(rows[0], rows[1], at_once):
        cells = codes[start : min(start + at_once, rows[1]), used]
        key = place * count + cells
        votes += np.bincount(key.ravel(), minlength=len(votes))
    counted = votes.reshape(TILE_PX, count)
    # What was not looked at has no say.
    counted[:, NOTHING] = 0
    frequent: NDArray[np.uint16] = counted.argmax(1).astype(np.uint16)
    return frequent


def encoded(shown: NDArray[np.uint16], colours: NDArray[np.uint8]) -> bytes:
    """A tile as PNG, with a palette of what it shows."""
    there = np.flatnonzero(np.bincount(shown.ravel(), minlength=len(colours)))
    out = io.BytesIO()
    if len(there) > 256:
        Image.fromarray(colours[shown]).save(out, "PNG", optimize=True)
        return out.getvalue()
    place = np.zeros(len(colours), np.uint8)
    place[there] = np.arange(len(there))
    picture = Image.fromarray(place[shown], "P")
    picture.putpalette(colours[there, :3].tobytes())
    picture.save(out, "PNG", transparency=colours[there, 3].tobytes(), optimize=True)
    return out.getvalue()

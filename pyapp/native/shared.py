"""Tiles that lie in several blocks, kept beside the data set until their last block is done.

A worker that needs such a tile finds it there, if another one has read it; so the server is asked
once. Tiles inside one block never come here, nor do those that may not be kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from pyapp.core.ground.area import PLANE
from pyapp.core.ground.geo import TILE_PX, Tile, wrapped
from pyapp.core.ground.grid import Grid
from pyapp.core.ground.reading import reading
from pyapp.core.imagery.source import Source
from pyapp.native.disk import write_whole
from pyapp.native.errors import NotWrittenError
from pyapp.work.ports import Arrived, Fetch

FOLDER = ".tiles"


def tiles_at_edges(
    grid: Grid, block: int, wanted_m: float, source: Source
) -> Iterator[tuple[Tile, int]]:
    """The tiles of a block that others may need as well.

    Parameters
    ----------
    grid : Grid
        Of the block.
    block : int
        Cells to a side of all blocks but the last.
    wanted_m : float
        Ground sample distance of the chips, in metres per pixel.
    source : Source

    Yields
    ------
    tile : Tile
    ends : int
        How many blocks to the south of this one lies the last that it reaches into.
    """
    needed = reading(grid, wanted_m, source)
    # Squares that are larger than the way from one to the next reach into the neighbours.
    reach = max(grid.pitch / grid.step - grid.pitch, 0.0) / 2
    left, right = grid.left + reach, grid.left + grid.columns * grid.pitch - reach
    top, bottom = grid.top + reach, grid.top + grid.rows * grid.pitch - reach
    for zoom in set(needed.zoom.tolist()):
        here = needed.zoom == zoom
        side = TILE_PX * 2.0 ** (PLANE - zoom)
        for y in range(int(needed.rows[here].min()), int(needed.rows[here].max())):
            is_inside = y * side >= top and (y + 1) * side <= bottom
            ends = int(np.ceil(((y + 1) * side + reach - grid.top) / (block * grid.pitch))) - 1
            for x in range(int(needed.columns[here].min()), int(needed.columns[here].max())):
                if not (is_inside and x * side >= left and (x + 1) * side <= right):
                    yield wrapped(Tile(x, y, zoom)), ends


class SharedTiles:
    """The folder as a worker uses it. Fulfils `Fetch`.

    Parameters
    ----------
    fetch : Fetch
        Reads what is not there.
    folder : Path
        Of the data set.
    """

    def __init__(self, fetch: Fetch, folder: Path):
        self._fetch = fetch
        self._folder = folder / FOLDER
        self._places: Mapping[str, Path] = {}

    def share(self, tiles: Iterable[tuple[Tile, int]], source: Source, row: int) -> None:
        """Look for these tiles from now on, and for no others.

        Parameters
        ----------
        tiles : iterable of tuple (Tile, int)
            As `tiles_at_edges` gives them.
        source : Source
        row : int
            Of the block, counted in blocks.
        """
        urls = ((source.url_of(tile), row + ends) for tile, ends in tiles)
        self._places = {url: self._folder / str(last) / _name(url) for url, last in urls}

    async def __call__(
        self, url: str, limit_s: float, keep: bool = True, arrived: Arrived | None = None
    ) -> bytes:
        """A tile from the folder, or the body of ``url``; see `Fetch`."""
        place = self._places.get(url) if keep else None
        if place is None:
            return await self._fetch(url, limit_s, keep, arrived)
        with contextlib.suppress(OSError):
            return place.read_bytes()
        data = await self._fetch(url, limit_s, keep, arrived)
        # Where there is no room for it, it is read again.
        with contextlib.suppress(OSError, NotWrittenError):
            place.parent.mkdir(parents=True, exist_ok=True)
            write_whole(place, data)
        return data


class Remaining:
    """Which tiles are still to be kept, as the one who gives out the blocks knows it.

    Parameters
    ----------
    folder : Path
        Of the data set.
    rows : iterable of int
        Of each block that is to be done, counted in blocks.
    """

    def __init__(self, folder: Path, rows: Iterable[int]):
        self._folder = folder / FOLDER
        self._left = Counter(rows)
        self._first = 0

    def done(self, row: int) -> None:
        """A block of a row is done: remove what no other one needs."""
        self._left[row] -= 1
        if not self._left[row]:
            del self._left[row]
        first = min(self._left, default=None)
        if first is None:
            self.clear()
            return
        for each in range(self._first, first):
            shutil.rmtree(self._folder / str(each), ignore_errors=True)
        self._first = first

    def clear(self) -> None:
        """Remove all."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _name(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:32]

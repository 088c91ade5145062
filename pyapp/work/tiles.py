"""The tiles of a survey: read ahead, each once, decoded once, let go when work has passed them."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np

from pyapp.core.errors import (
    MissingTileError,
    NotAnImageError,
    SlowTileError,
    TileError,
    UnreachableTileError,
)
from pyapp.core.ground.geo import Tile
from pyapp.core.ground.grid import Grid, Reading
from pyapp.core.imagery.quality import BLANK as BLANK_TILE
from pyapp.core.imagery.quality import BLURRED as BLURRED_TILE
from pyapp.core.imagery.quality import quality
from pyapp.core.imagery.source import Source
from pyapp.core.survey.survey import BLANK, BLURRED, FAILED, MISSING
from pyapp.work.ground import decode_tile, read_tile

# Requests at a time, as many as browsers allow for one host of HTTP/1.1 and two for the map.
REQUESTS = 4
# Seconds before a tile that failed is asked for again.
BACK_OFF_S = (0.5, 1.5, 4.0)
# After so many failures in a row, tiles are asked for once only until one arrives.
DOWN = 6


class SurveyTiles:
    """Pixels of the tiles under the cells of a grid.

    Parameters
    ----------
    grid : Grid
    reading : Reading
        Which tiles each cell needs.
    source : Source
    rest : callable
        Awaited between two pieces of work.
    """

    def __init__(
        self, grid: Grid, reading: Reading, source: Source, rest: Callable[[], Awaitable[None]]
    ):
        self._reading = reading
        self._source = source
        self._rest = rest
        self._along_rows = grid.columns <= grid.rows
        self._requests = asyncio.Semaphore(REQUESTS)
        self._asked: dict[Tile, asyncio.Task] = {}
        self._tiles: dict[Tile, np.ndarray | int] = {}
        self._failures = 0

    def begin(self) -> None:
        """Ask again for what was not there: it may be there now."""
        self._failures = 0
        self._tiles = {
            tile: each for tile, each in self._tiles.items() if not isinstance(each, int)
        }

    def end(self) -> None:
        """Ask for nothing any more."""
        for task in self._asked.values():
            task.cancel()
        self._asked.clear()

    def under(self, number: int) -> list[Tile]:
        """The tiles of a cell."""
        (left, right), (top, bottom) = (self._reading.columns[number], self._reading.rows[number])
        zoom = self._reading.zoom
        return [Tile(x, y, zoom) for y in range(int(top), int(bottom))
                for x in range(int(left), int(right))]  # fmt: skip

    def ask(self, number: int) -> None:
        """Ask for the tiles of a cell, so that they are there when it comes."""
        for tile in self.under(number):
            if tile not in self._tiles:
                self._begin_to_read(tile)

    def drop_behind(self, number: int) -> None:
        """Let go of the tiles that no later cell needs: cells come along rows or columns."""
        first = self._reading.rows if self._along_rows else self._reading.columns
        edge = int(first[number, 0])
        behind = [tile for tile in self._tiles
                  if (tile.y if self._along_rows else tile.x) < edge]  # fmt: skip
        for tile in behind:
            del self._tiles[tile]

    async def _read(self, tile: Tile) -> bytes | int:
        """The bytes of a tile, or the state that its absence means."""
        if not self._source.may_have(tile):
            return MISSING
        waits = BACK_OFF_S
        while True:
            try:
                async with self._requests:
                    data = await read_tile(self._source, tile)
                self._failures = 0
                return data
            except MissingTileError:
                return MISSING
            except TileError as error:
                self._failures += 1
                again = not isinstance(error, NotAnImageError)
                if not waits or not again or self._failures > DOWN:
                    return FAILED
                # A server that is slow or refuses is given time.
                slow = not isinstance(error, (UnreachableTileError, SlowTileError))
                await asyncio.sleep(waits[0] * (2 if slow else 1))
                waits = waits[1:]

    async def pixels(self, tile: Tile) -> np.ndarray | int:
        """A tile, decoded once; or the state that it means for the cells on it."""
        if tile not in self._tiles:
            self._begin_to_read(tile)
            data = await self._asked[tile]
            self._asked.pop(tile, None)
            self._tiles[tile] = data if isinstance(data, int) else await self._decode(tile, data)
        return self._tiles[tile]

    def _begin_to_read(self, tile: Tile) -> None:
        if tile not in self._asked:
            self._asked[tile] = asyncio.ensure_future(self._read(tile))

    async def _decode(self, tile: Tile, data: bytes) -> np.ndarray | int:
        await self._rest()
        try:
            pixels = await decode_tile(tile, data)
        except NotAnImageError:
            return FAILED
        await self._rest()
        return {BLANK_TILE: BLANK, BLURRED_TILE: BLURRED}.get(quality(pixels), pixels)

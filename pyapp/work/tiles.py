"""The tiles of a survey: read ahead, each once, decoded once, let go after their last cell."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable

import numpy as np

from pyapp.core.errors import (
    ComplainingTileError,
    MissingTileError,
    NotAnImageError,
    SlowTileError,
    TileError,
    UnreachableTileError,
)
from pyapp.core.ground.geo import Tile
from pyapp.core.ground.reading import Reading
from pyapp.core.imagery.quality import flaw
from pyapp.core.imagery.source import Source
from pyapp.core.state import CellState
from pyapp.work.ground import Ground, TileData
from pyapp.work.ports import Clock
from pyapp.work.tasks import begin, end

# Requests at a time: browsers allow six for each host of HTTP/1.1, and two are left for the map.
REQUESTS = 4
# Seconds before a tile that failed is asked for again.
BACK_OFF_S = (0.5, 1.5, 4.0)
# After so many failures in a row, tiles are asked for only once until one arrives.
DOWN = 6


class SurveyTiles:
    """Pixels of the tiles under the cells of a grid.

    Parameters
    ----------
    reading : Reading
        Which tiles each cell needs.
    source : Source
    ground : Ground
    clock : Clock
    rest : callable
        Awaited between two pieces of work.
    """

    def __init__(
        self,
        reading: Reading,
        source: Source,
        ground: Ground,
        clock: Clock,
        rest: Callable[[], Awaitable[None]],
    ):
        self._reading = reading
        self._source = source
        self._ground = ground
        self._clock = clock
        self._rest = rest
        self._requests = asyncio.Semaphore(REQUESTS)
        self._asked: dict[Tile, asyncio.Task[TileData | CellState]] = {}
        self._tiles: dict[Tile, np.ndarray | CellState] = {}
        # The last cell of each tile that is there, least first.
        self._last_cells: list[tuple[int, Tile]] = []
        self._failures = 0

    def begin(self) -> None:
        """Ask again for what was not there: it may be there now."""
        self._failures = 0
        self._tiles = {
            tile: each for tile, each in self._tiles.items() if not isinstance(each, CellState)
        }

    async def end(self) -> None:
        """Ask for nothing any more."""
        await end(*self._asked.values())
        self._asked.clear()

    def ask(self, tiles: list[Tile]) -> None:
        """Ask for tiles that will be wanted, so that they are there in time."""
        for tile in tiles:
            if tile not in self._tiles and tile not in self._asked:
                self._asked[tile] = begin(self._read(tile))

    async def pixels(self, tile: Tile) -> np.ndarray | CellState:
        """A tile, decoded once; or the state that its absence means for the cells on it."""
        if tile not in self._tiles:
            self.ask([tile])
            data = await self._asked[tile]
            self._asked.pop(tile, None)
            self._tiles[tile] = (
                data if isinstance(data, CellState) else await self._decode(tile, data)
            )
            heapq.heappush(self._last_cells, (self._reading.last_cell(tile), tile))
        return self._tiles[tile]

    def drop_before(self, number: int) -> None:
        """Let go of the tiles that neither this cell nor a later one needs."""
        while self._last_cells and self._last_cells[0][0] < number:
            _, tile = heapq.heappop(self._last_cells)
            self._tiles.pop(tile, None)

    async def _read(self, tile: Tile) -> TileData | CellState:
        """The bytes of a tile, or the state that its absence means."""
        if not self._source.may_have(tile):
            return CellState.MISSING
        waits: tuple[float, ...] = BACK_OFF_S
        while True:
            try:
                async with self._requests:
                    data = await self._ground.read_tile(self._source, tile)
                self._failures = 0
                return data
            except MissingTileError:
                return CellState.MISSING
            except TileError as error:
                self._failures += 1
                if not waits or self._failures > DOWN:
                    return CellState.FAILED
                # A server that refuses is given more time than a line that fails.
                refused = not isinstance(error, (UnreachableTileError, SlowTileError))
                await self._clock.sleep(waits[0] * (2 if refused else 1))
                waits = waits[1:]

    async def _decode(self, tile: Tile, data: TileData) -> np.ndarray | CellState:
        await self._rest()
        try:
            pixels = await self._ground.decode_tile(tile, data)
        except (ComplainingTileError, NotAnImageError):
            return CellState.FAILED
        await self._rest()
        found = flaw(pixels)
        return pixels if found is None else found

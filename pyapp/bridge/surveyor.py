"""A survey at work: tiles are read, chips prepared and squares inferred at the same time."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pyapp.bridge.browser import mark, now_ms
from pyapp.bridge.ground import decode_tile, read_tile
from pyapp.bridge.runner import Runner
from pyapp.core import mosaic
from pyapp.core.chip import cut
from pyapp.core.device import WEBGPU, Way
from pyapp.core.errors import (
    MissingTileError,
    NotAnImageError,
    SlowTileError,
    TileError,
    UnreachableTileError,
)
from pyapp.core.geo import TILE_PX, Box, Tile, box_of, on_the_map, world_px
from pyapp.core.grid import reading
from pyapp.core.model import ACTIVATION, EMBEDDING, PROBABILITY, familiarity
from pyapp.core.quality import BLANK as BLANK_TILE
from pyapp.core.quality import BLURRED as BLURRED_TILE
from pyapp.core.quality import quality
from pyapp.core.source import Source
from pyapp.core.survey import BLANK, BLURRED, FAILED, MISSING, NAMED, Batch, Survey

# Requests at a time, as many as browsers allow for one host of HTTP/1.1 and two for the map.
REQUESTS = 4
# Cells ahead of the one that is being prepared whose tiles are asked for.
AHEAD = 24
# Seconds before a tile that failed is asked for again.
BACK_OFF_S = (0.5, 1.5, 4.0)
# After so many failures in a row, tiles are asked for once only until one arrives.
DOWN = 6
# The page may do something else after so many milliseconds of work.
SLICE_MS = 8.0
# Batches to choose from, each tried twice where a survey is long enough to make it worth it; a
# larger one must be quicker by this much. On the processor 8 and 16 were no quicker, and the
# runtime never gives back the 60 MB that it takes for them.
SIZES = (1, 2, 4)
GPU_SIZES = (1, 4, 8, 16)
USUAL = 4
WORTH_TRYING = 200
BETTER = 0.97
IN_FLIGHT = 2
SPAN_MS = 8000.0
_best_sizes: dict[tuple[str, Way], int] = {}


class _Chip(NamedTuple):
    number: int
    pixels: np.ndarray


class _Without(NamedTuple):
    number: int
    state: int


class Surveyor:
    """Works through the waiting cells of a survey.

    Parameters
    ----------
    survey : Survey
    runner : Runner
    source : Source
        The imagery of the survey.
    on_batch : callable taking Survey and Batch
        Called when something came out; the survey has taken it in already.
    """

    def __init__(
        self,
        survey: Survey,
        runner: Runner,
        source: Source,
        on_batch: Callable[[Survey, Batch], None],
    ):
        self.survey = survey
        self._runner = runner
        self._source = source
        self._on_batch = on_batch
        self._reading = reading(
            survey.grid, runner.card.resolution_m, source.min_zoom, source.max_zoom
        )
        self._along_rows = survey.grid.columns <= survey.grid.rows
        self._requests = asyncio.Semaphore(REQUESTS)
        self._asked: dict[Tile, asyncio.Task] = {}
        self._tiles: dict[Tile, np.ndarray | int] = {}
        self._failures = 0
        self._stopping = False
        self._broken: Exception | None = None
        self._rested_ms = 0.0
        self._times: deque[tuple[float, int]] = deque()

    @property
    def rate(self) -> float:
        """Squares a second, over the last seconds; 0 before the first."""
        if len(self._times) < 2:
            return 0.0
        span_ms = self._times[-1][0] - self._times[0][0]
        done = sum(count for _, count in self._times) - self._times[0][1]
        return 1000 * done / span_ms if span_ms > 0 else 0.0

    def stop(self) -> None:
        """End `run` once what is under way has come out."""
        self._stopping = True

    async def run(self) -> None:
        """Work until no cell waits any more, or `stop`.

        Raises
        ------
        InferenceError
            When the model fails in every way; cells under way wait again.
        """
        self._stopping, self._broken, self._failures = False, None, 0
        # What was not there may be there now.
        self._tiles = {
            tile: each for tile, each in self._tiles.items() if not isinstance(each, int)
        }
        self._times.clear()
        size = _best_sizes.get((self._runner.card.sha256, self._runner.way))
        queue = asyncio.Queue(maxsize=2 * (size or max(GPU_SIZES)))
        preparing = asyncio.ensure_future(self._prepare(queue))
        try:
            if size is None:
                size = await self._find_size(queue)
            mark(f"lookdown:batch {size}")
            await self._infer(queue, size)
            if self._broken is not None:
                raise self._broken
        finally:
            preparing.cancel()
            for task in self._asked.values():
                task.cancel()
            self._asked.clear()
            await asyncio.gather(preparing, return_exceptions=True)

    # Reading and preparing

    async def _prepare(self, queue: asyncio.Queue) -> None:
        """Fill the queue, and end it: whoever waits must not wait for ever."""
        try:
            await self._fill(queue)
        except Exception as error:
            self._broken = error
        await queue.put(None)

    async def _fill(self, queue: asyncio.Queue) -> None:
        """Put every waiting cell into the queue, as a chip or with the reason why there's none."""
        numbers = self.survey.waiting
        asked_for = 0
        for place, number in enumerate(numbers):
            if self._stopping:
                break
            while asked_for < min(place + AHEAD, len(numbers)):
                self._ask(numbers[asked_for])
                asked_for += 1
            self._drop_behind(number)
            await queue.put(await self._cell(int(number)))
            await self._rest()

    def _under(self, number: int) -> list[Tile]:
        (left, right), (top, bottom) = (self._reading.columns[number], self._reading.rows[number])
        zoom = self._reading.zoom
        return [Tile(x, y, zoom) for y in range(int(top), int(bottom))
                for x in range(int(left), int(right))]  # fmt: skip

    def _ask(self, number: int) -> None:
        for tile in self._under(number):
            if tile not in self._tiles and tile not in self._asked:
                self._asked[tile] = asyncio.ensure_future(self._read(tile))

    def _drop_behind(self, number: int) -> None:
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

    async def _cell(self, number: int) -> _Chip | _Without:
        box = self._box(number)
        if not on_the_map(box, self._reading.zoom):
            return _Without(number, MISSING)
        tiles = {}
        for tile in self._under(number):
            tiles[tile] = await self._pixels(tile)
        states = {each for each in tiles.values() if isinstance(each, int)}
        if states:
            return _Without(number, min(states))
        await self._rest()
        return _Chip(number, cut(mosaic.lay(tiles), box, self._runner.card.chip_px))

    def _box(self, number: int) -> Box:
        """As for a single square, to the last digit; whole worlds on where its tiles are there."""
        box = box_of(self.survey.grid.footprint(number), self._reading.zoom)
        world = world_px(self._reading.zoom)
        turn = world * round((self._reading.columns[number, 0] * TILE_PX - box.left) / world)
        return Box(box.left + turn, box.top, box.right + turn, box.bottom)

    async def _pixels(self, tile: Tile) -> np.ndarray | int:
        """A tile, decoded once; or the state that it means for the cells on it."""
        if tile not in self._tiles:
            self._ask_again(tile)
            data = await self._asked[tile]
            self._asked.pop(tile, None)
            self._tiles[tile] = data if isinstance(data, int) else await self._decode(tile, data)
        return self._tiles[tile]

    def _ask_again(self, tile: Tile) -> None:
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

    async def _rest(self) -> None:
        """Let the page do something else, once it has waited long enough."""
        if now_ms() - self._rested_ms > SLICE_MS:
            await asyncio.sleep(0)
            self._rested_ms = now_ms()

    # Inferring

    async def _next(self, queue: asyncio.Queue, size: int) -> tuple[list[_Chip], bool]:
        """So many chips, or what is left; whether that is the end."""
        chips, without = [], []
        while len(chips) < size:
            found = await queue.get()
            if found is None:
                self._skip(without)
                return chips, True
            if isinstance(found, _Without):
                without.append(found)
                if len(without) >= size or queue.empty():
                    self._skip(without)
                    without = []
            else:
                chips.append(found)
        self._skip(without)
        return chips, False

    def _skip(self, without: list[_Without]) -> None:
        for state in {each.state for each in without}:
            numbers = [each.number for each in without if each.state == state]
            self._take(Batch.without_imagery(numbers, state))

    async def _find_size(self, queue: asyncio.Queue) -> int:
        """Try sizes on the first cells; the quickest for each square."""
        if len(self.survey.waiting) < WORTH_TRYING:
            return USUAL
        sizes = GPU_SIZES if self._runner.way.kind == WEBGPU else SIZES
        least = dict.fromkeys(sizes, float("inf"))
        for _ in range(2):
            for size in sizes:
                chips, ended = await self._next(queue, size)
                start_ms = now_ms()
                if chips:
                    await self._name(chips)
                if ended:
                    queue.put_nowait(None)
                    return USUAL
                least[size] = min(least[size], (now_ms() - start_ms) / len(chips))
        best = sizes[0]
        for size in sizes[1:]:
            if least[size] < BETTER * least[best]:
                best = size
        _best_sizes[self._runner.card.sha256, self._runner.way] = best
        return best

    async def _infer(self, queue: asyncio.Queue, size: int) -> None:
        # On the processor the next batch waits in the worker while this one runs.
        most = 1 if self._runner.way.kind == WEBGPU else IN_FLIGHT
        running: set[asyncio.Task] = set()
        ended = False
        try:
            while not ended or running:
                if not ended and len(running) < most:
                    chips, ended = await self._next(queue, size)
                    if chips:
                        running.add(asyncio.ensure_future(self._name(chips)))
                    continue
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in running:
                task.cancel()

    async def _name(self, chips: list[_Chip]) -> None:
        pixels = np.stack([chip.pixels for chip in chips])
        outputs = await self._runner.run(pixels)
        digests = [hashlib.sha256(chip.pixels.data).digest() for chip in chips]
        self._take(
            Batch(
                numbers=np.array([chip.number for chip in chips], np.int32),
                state=np.full(len(chips), NAMED, np.uint8),
                probability=outputs[PROBABILITY].astype(np.float16),
                embedding=outputs[EMBEDDING].astype(np.float16),
                familiarity=familiarity(outputs[ACTIVATION]).astype(np.float32),
                digest=np.frombuffer(b"".join(digests), np.uint8).reshape(len(chips), -1),
            )
        )

    def _take(self, batch: Batch) -> None:
        self.survey.add(batch)
        self._times.append((now_ms(), len(batch.numbers)))
        while self._times[-1][0] - self._times[0][0] > SPAN_MS:
            self._times.popleft()
        self._on_batch(self.survey, batch)

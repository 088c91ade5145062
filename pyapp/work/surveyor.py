"""A survey at work: tiles are read, chips prepared and squares inferred at the same time."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pyapp.bridge.browser import mark, now_ms
from pyapp.core.ground.geo import TILE_PX, Box, box_of, on_the_map, world_px
from pyapp.core.ground.grid import reading
from pyapp.core.imagery import mosaic
from pyapp.core.imagery.chip import cut
from pyapp.core.imagery.source import Source
from pyapp.core.model.backend import WEBGPU, Backend
from pyapp.core.model.prediction import ACTIVATION, EMBEDDING, PROBABILITY, familiarity
from pyapp.core.survey.survey import CLASSIFIED, MISSING, Batch, Survey
from pyapp.work.runner import Runner
from pyapp.work.tiles import SurveyTiles

# Cells ahead of the one that is being prepared whose tiles are asked for.
AHEAD = 24
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
_best_sizes: dict[tuple[str, Backend], int] = {}


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
        self._on_batch = on_batch
        self._reading = reading(
            survey.grid, runner.card.resolution_m, source.min_zoom, source.max_zoom
        )
        self._tiles = SurveyTiles(survey.grid, self._reading, source, self._rest)
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
        """End `run`, or the next one, once what is under way has come out."""
        self._stopping = True

    async def run(self) -> None:
        """Work until no cell waits any more, or `stop`.

        Raises
        ------
        InferenceError
            When the model fails in every way; cells under way wait again.
        """
        self._broken = None
        self._tiles.begin()
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
            self._tiles.end()
            await asyncio.gather(preparing, return_exceptions=True)
            self._stopping = False

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
                self._tiles.ask(numbers[asked_for])
                asked_for += 1
            self._tiles.drop_behind(number)
            await queue.put(await self._cell(int(number)))
            await self._rest()

    async def _cell(self, number: int) -> _Chip | _Without:
        box = self._box(number)
        if not on_the_map(box, self._reading.zoom):
            return _Without(number, MISSING)
        tiles = {}
        for tile in self._tiles.under(number):
            tiles[tile] = await self._tiles.pixels(tile)
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
                state=np.full(len(chips), CLASSIFIED, np.uint8),
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

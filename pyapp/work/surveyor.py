"""Works through the cells of a survey: tiles are read, chips prepared and inferred at once."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from pyapp.core.ground.cut import Cut
from pyapp.core.ground.geo import Footprint, Tile, wrapped
from pyapp.core.ground.reading import Cells, reading
from pyapp.core.imagery.chip import cut
from pyapp.core.imagery.source import Source
from pyapp.core.model.backend import WASM, WEBGPU, Backend
from pyapp.core.model.prediction import ACTIVATION, EMBEDDING, PROBABILITY, familiarity
from pyapp.core.state import CellState
from pyapp.core.survey.batch import Batch
from pyapp.core.teach.taught import Taught
from pyapp.work.ground import Ground
from pyapp.work.ports import Clock
from pyapp.work.runner import Runner
from pyapp.work.tasks import begin, end
from pyapp.work.tiles import SurveyTiles

# Cells ahead of the one that is being prepared whose tiles are asked for.
AHEAD = 24
# The page may do something else after so many milliseconds of work.
SLICE_MS = 8.0
# Squares in a batch. In WebAssembly 1 and 2 were slower by 9 % and 4 %, less than a few tries can
# tell; 8 and 16 were no faster, and the runtime never gives back the 60 MB that it takes for them.
USUAL = 4
# GPUs differ: each size is tried twice if a survey is long enough to make it worth it, and must be
# faster than the usual one by this much.
GPU_SIZES = (1, 4, 8, 16)
WORTH_TRYING = 200
BETTER = 0.97
# Batches under way at a time: the second waits in the runtime's worker while the first one runs.
IN_FLIGHT = 2
SPAN_MS = 8000.0
_best_sizes: dict[tuple[str, Backend], int] = {}


class Squares(Cells, Protocol):
    """Squares that can be worked on one by one."""

    def footprint(self, number: int) -> Footprint:
        """The ground that the model sees for a square."""


class Work(Protocol):
    """What a surveyor works on: a `Survey`, or plots."""

    @property
    def grid(self) -> Squares:
        """The squares."""

    @property
    def waiting(self) -> np.ndarray:
        """Numbers of the squares that are not processed yet."""

    def add(self, batch: Batch) -> None:
        """Take the results for some squares."""


W = TypeVar("W", bound=Work)


class _Chip(NamedTuple):
    number: int
    zoom: int
    pixels: np.ndarray


class _Without(NamedTuple):
    number: int
    state: CellState


class Surveyor(Generic[W]):
    """Works through the waiting cells of a survey, or plots.

    Parameters
    ----------
    survey : Survey or PlotRun
    runner : Runner
        Of the survey's model.
    source : Source
        The imagery of the survey.
    ground : Ground
    clock : Clock
    on_batch : callable taking the survey and Batch
        Called when something came out; the survey has taken it in already.
    taught : Taught, optional
        What gives the answers in place of the model's last layer.
    """

    def __init__(
        self,
        survey: W,
        runner: Runner,
        source: Source,
        ground: Ground,
        clock: Clock,
        on_batch: Callable[[W, Batch], None],
        taught: Taught | None = None,
    ):
        self.survey = survey
        self.runner = runner
        self._taught = taught
        self._source = source
        self._clock = clock
        self._on_batch = on_batch
        needed = reading(survey.grid, runner.card.resolution_m, source)
        self._tiles = SurveyTiles(needed, source, ground, clock, self._rest)
        self._stopping = False
        self._broken: Exception | None = None
        self._rested_ms = 0.0
        self._times: deque[tuple[float, int]] = deque()
        self._timed_on: Backend | None = None

    @property
    def rate(self) -> float:
        """Squares per second over the last seconds; 0 before the first."""
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
            If the model fails on every backend; cells under way wait again.
        """
        self._broken = None
        self._tiles.begin()
        self._times.clear()
        size = self._size()
        queue: asyncio.Queue[_Chip | _Without | None] = asyncio.Queue(2 * (size or max(GPU_SIZES)))
        preparing = begin(self._prepare(queue))
        try:
            if size is None:
                size = await self._find_size(queue)
            self._clock.mark(f"lookdown:batch {size}")
            await self._infer(queue, size)
            if self._broken is not None:
                raise self._broken
        finally:
            self._stopping = False
            try:
                await end(preparing)
            finally:
                await self._tiles.end()

    # Reading and preparing

    async def _prepare(self, queue: "asyncio.Queue[Any]") -> None:
        """Fill the queue, and end it: whoever waits must not wait for ever."""
        try:
            await self._fill(queue)
        except Exception as error:
            self._broken = error
        await queue.put(None)

    async def _fill(self, queue: "asyncio.Queue[Any]") -> None:
        """Put every waiting cell into the queue, as a chip or with the reason for having none."""
        numbers = [int(each) for each in self.survey.waiting]
        ahead: deque[tuple[int, Cut]] = deque()
        next_one = iter(numbers)
        while not self._stopping:
            for number in next_one:
                recipe = self._cut(number)
                ahead.append((number, recipe))
                if recipe.on_the_map:
                    self._tiles.ask([wrapped(tile) for tile in recipe.tiles])
                if len(ahead) >= AHEAD:
                    break
            if not ahead:
                break
            number, recipe = ahead.popleft()
            self._tiles.drop_before(number)
            await queue.put(await self._cell(number, recipe))
            await self._rest()

    def _cut(self, number: int) -> Cut:
        """The recipe of a cell's chip: the same that a click there follows."""
        footprint: Footprint = self.survey.grid.footprint(number)
        return Cut.of(footprint, self._source, self.runner.card.resolution_m)

    async def _cell(self, number: int, recipe: Cut) -> _Chip | _Without:
        if not recipe.on_the_map:
            return _Without(number, CellState.MISSING)
        pixels: dict[Tile, np.ndarray] = {}
        states = set()
        for tile in recipe.tiles:
            found = await self._tiles.pixels(wrapped(tile))
            if isinstance(found, CellState):
                states.add(found)
            else:
                pixels[tile] = found
        if states:
            return _Without(number, min(states))
        await self._rest()
        chip = cut(pixels, recipe.box, self.runner.card.chip_px)
        return _Chip(number, recipe.zoom, chip)

    async def _rest(self) -> None:
        """Let the page do something else once it has waited long enough."""
        if self._clock.now_ms() - self._rested_ms > SLICE_MS:
            await asyncio.sleep(0)
            self._rested_ms = self._clock.now_ms()

    # Inferring

    async def _next(self, queue: "asyncio.Queue[Any]", size: int) -> tuple[list[_Chip], bool]:
        """So many chips, or what is left; and whether that is the end."""
        chips: list[_Chip] = []
        without: list[_Without] = []
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

    def _size(self) -> int | None:
        """How many squares a batch has; ``None`` if that is to be found."""
        if self.runner.backend.kind != WEBGPU or len(self.survey.waiting) < WORTH_TRYING:
            return USUAL
        return _best_sizes.get((self.runner.card.sha256, self.runner.backend))

    async def _find_size(self, queue: "asyncio.Queue[Any]") -> int:
        """Try batch sizes on the first cells; the one that takes least for each square."""
        least = dict.fromkeys(GPU_SIZES, float("inf"))
        for _ in range(2):
            for size in GPU_SIZES:
                chips, ended = await self._next(queue, size)
                start_ms = self._clock.now_ms()
                if chips:
                    await self._classify(chips)
                if ended:
                    queue.put_nowait(None)
                    return USUAL
                least[size] = min(least[size], (self._clock.now_ms() - start_ms) / len(chips))
        best = USUAL
        for size in GPU_SIZES:
            if least[size] < BETTER * least[best]:
                best = size
        _best_sizes[self.runner.card.sha256, self.runner.backend] = best
        return best

    async def _infer(self, queue: "asyncio.Queue[Any]", size: int) -> None:
        most = IN_FLIGHT if self.runner.backend.kind == WASM else 1
        running: set[asyncio.Task[None]] = set()
        ended = False
        try:
            while not ended or running:
                if not ended and len(running) < most:
                    chips, ended = await self._next(queue, size)
                    if chips:
                        running.add(begin(self._classify(chips)))
                    continue
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            await end(*running)

    async def _classify(self, chips: list[_Chip]) -> None:
        outputs = await self.runner.run(np.stack([chip.pixels for chip in chips]))
        if self._taught is not None:
            outputs = self._taught.outputs(outputs)
        digests = [hashlib.sha256(chip.pixels.data).digest() for chip in chips]
        self._take(
            Batch(
                numbers=np.array([chip.number for chip in chips], np.int32),
                state=np.full(len(chips), CellState.CLASSIFIED, np.uint8),
                zoom=np.array([chip.zoom for chip in chips], np.uint8),
                probability=outputs[PROBABILITY].astype(np.float16),
                embedding=outputs[EMBEDDING].astype(np.float16),
                familiarity=familiarity(outputs[ACTIVATION]).astype(np.float32),
                digest=np.frombuffer(b"".join(digests), np.uint8).reshape(len(chips), -1),
            )
        )

    def _take(self, batch: Batch) -> None:
        self.survey.add(batch)
        if self._timed_on != self.runner.backend:
            # A rate is one backend's: what another one did does not count.
            self._timed_on = self.runner.backend
            self._times.clear()
        self._times.append((self._clock.now_ms(), len(batch.numbers)))
        while self._times[-1][0] - self._times[0][0] > SPAN_MS:
            self._times.popleft()
        self._on_batch(self.survey, batch)

"""What a worker of Dask does: one block, surveyed with the page's own work, as one file.

The file is written at once or not at all. What takes long to make, model and connections, is kept
between blocks.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pyapp.core.errors import LookdownError
from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.grid import Grid
from pyapp.core.imagery.source import Source
from pyapp.core.pyramid.facts import part_of
from pyapp.core.state import CellState
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from pyapp.core.survey.geoparquet import to_geoparquet
from pyapp.core.survey.survey import Survey
from pyapp.native.disk import write_whole
from pyapp.native.errors import OtherOrderError, sentence_of, status_of
from pyapp.native.imagery import imagery_named
from pyapp.native.setup import Native, opened
from pyapp.native.shared import SharedTiles, tiles_at_edges
from pyapp.work.ports import Fetch
from pyapp.work.surveyor import Surveyor

# Squares to a side of a block: half a minute of work, and few tiles that two blocks share.
BLOCK = 32
# What was ordered, so that a run that goes on makes the same; and what is to be done again.
ORDER, AGAIN = "_lookdown.json", ".again"
# A tile that fails is asked for again so often, after longer and longer waits in seconds.
WAITS_S = (0.5, 2.0, 8.0)


@dataclass(frozen=True)
class Job:
    """What a worker has to know besides its block.

    Attributes
    ----------
    site : Path or None
    rate : float
        Requests a second to a host: of all workers together as it is ordered, of one as it is done.
    imagery : str
        Its name, address or file.
    finest_zoom : int or None
        Of an address.
    out : Path
        Folder of the data set.
    model, sha256 : str
        Name and digest of the model.
    columns : int
        Of all cells, for their numbers.
    block : int
        Squares to a side of a block.
    """

    site: Path | None
    rate: float
    imagery: str
    finest_zoom: int | None
    out: Path
    model: str = ""
    sha256: str = ""
    columns: int = 0
    block: int = BLOCK


class Refused(NamedTuple):
    """Why a worker can't do a block: the sentence, and the exit status.

    Errors don't travel: Python makes them again from their sentence alone.
    """

    sentence: str
    status: int


class Done(NamedTuple):
    """What came out of a block: squares, and how many of them have an answer or failed."""

    squares: int
    classified: int
    failed: int


def do_block(job: Job, row: int, column: int, grid: Grid) -> Done | Refused:
    """Survey a block and write its file; runs on a worker."""
    try:
        return _home(job).run(_block(job, row, column, grid))
    except LookdownError as error:
        return Refused(sentence_of(error), status_of(error))


async def _block(job: Job, row: int, column: int, grid: Grid) -> Done:
    native, source, tiles = await _home(job).parts()
    card, runner = native.models.card, native.models.runner
    assert card is not None and runner is not None, "a model is loaded"
    if card.sha256 != job.sha256:
        raise OtherOrderError(job.out / ORDER, "model")
    edges = tiles_at_edges(grid, job.block, card.resolution_m, source)
    tiles.share(edges, source, row // job.block)
    bounds = grid.bounds
    survey = Survey(
        id=uuid.uuid5(uuid.NAMESPACE_URL, f"{job.sha256} {row} {column}").hex,
        name=f"{job.out.stem}, block {row}, {column}",
        made=datetime.now().isoformat(timespec="seconds"),
        area=rectangle(LngLat(bounds.west, bounds.north), LngLat(bounds.east, bounds.south)),
        grid=grid,
        model=ModelFacts.of(card),
        imagery=ImageryFacts.of(source),
    )
    for wait_s in (*WAITS_S, None):
        surveyor = Surveyor(survey, runner, source, native.ground, native.clock, lambda *_: None)
        await surveyor.run()
        if wait_s is None or not survey.count(CellState.FAILED):
            break
        await native.clock.sleep(wait_s)
        failed = survey.state == CellState.FAILED
        survey.state[failed] = CellState.WAITING
    block_row, block_column = np.divmod(grid.cells.astype(np.int64), grid.columns)
    numbers = (row + block_row) * job.columns + column + block_column
    file = job.out / part_of(row, column)
    failed = survey.count(CellState.FAILED)
    if failed:
        # Written first: a file without it counts as complete.
        write_whole(file.with_suffix(AGAIN), str(failed).encode())
    write_whole(file, to_geoparquet(survey, numbers))
    if not failed:
        file.with_suffix(AGAIN).unlink(missing_ok=True)
    return Done(len(grid), survey.count(CellState.CLASSIFIED), failed)


class _Home:
    """What a worker keeps between blocks: a loop in a thread, connections, and the model."""

    def __init__(self, job: Job):
        self._job = job
        self._loop = asyncio.new_event_loop()
        self._parts: tuple[Native, Source, SharedTiles] | None = None
        self._loading = asyncio.Lock()
        self._stack = contextlib.AsyncExitStack()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def run(self, work: Any) -> Done:
        """Wait for some work in the loop."""
        found: Done = asyncio.run_coroutine_threadsafe(work, self._loop).result()
        return found

    async def parts(self) -> tuple[Native, Source, SharedTiles]:
        """All parts, with the model loaded, the imagery, and what its tiles are read through."""
        async with self._loading:
            if self._parts is None:
                job = self._job
                shared: list[SharedTiles] = []

                def through(fetch: Fetch) -> Fetch:
                    shared.append(SharedTiles(fetch, job.out))
                    return shared[0]

                native = await self._stack.enter_async_context(
                    opened(job.site, job.rate, cores=1, through=through)
                )
                await native.use(job.model)
                source = await imagery_named(
                    job.imagery, job.finest_zoom, native.sources, native.ground
                )
                self._parts = native, source, shared[0]
            return self._parts


_homes: dict[Job, _Home] = {}
_opening = threading.Lock()


def _home(job: Job) -> _Home:
    """That of this process for a job."""
    with _opening:
        if job not in _homes:
            _homes[job] = _Home(job)
        return _homes[job]

"""``lookdown survey --workers``: an area of any size, by Dask, as a data set of GeoParquet.

The area is cut into blocks of neighbouring squares. A worker, which is a process with one thread,
surveys a block with the page's own work and writes it as one file, at once or not at all; so a run
that was killed goes on with the blocks that have no file. Scheduling, and trying again what a
worker that died had begun, is Dask's.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import json
import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from pyapp.core.errors import ForbiddenSurveyError, LookdownError
from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.grid import Grid, blocks, lattice
from pyapp.core.imagery.source import Source
from pyapp.core.pyramid.facts import FILE, part_of
from pyapp.core.state import CellState
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from pyapp.core.survey.geoparquet import to_geoparquet
from pyapp.core.survey.survey import Survey
from pyapp.native.disk import write_whole
from pyapp.native.errors import (
    DONE,
    NO_IMAGERY,
    NoDaskError,
    NoSchedulerError,
    NotWrittenError,
    OtherOrderError,
    ThereAlreadyError,
    WorkerError,
    status_of,
)
from pyapp.native.imagery import imagery_named
from pyapp.native.pyramid import write_pyramid
from pyapp.native.setup import Native, opened
from pyapp.native.survey import Order
from pyapp.work.surveyor import Surveyor

# Squares to a side of a block: half a minute of work, and few tiles that two blocks share.
BLOCK = 32
# What was ordered, so that a run that goes on makes the same; and what is to be done again.
ORDER, AGAIN = "_lookdown.json", ".again"
# A tile that fails is asked for again so often, after longer and longer waits in seconds.
WAITS_S = (0.5, 2.0, 8.0)
# A block whose worker dies is given to another one so often.
RETRIES = 5
SCHEDULER_LIMIT_S = 10


@dataclass(frozen=True)
class Cluster:
    """Which workers do it.

    Attributes
    ----------
    workers : int
        Processes of this machine, if it is not a cluster elsewhere.
    scheduler : str or None
        Address of a Dask scheduler.
    block : int
        Squares to a side of a block.
    """

    workers: int
    scheduler: str | None = None
    block: int = BLOCK


@dataclass(frozen=True)
class Job:
    """What a worker has to know besides its block.

    Attributes
    ----------
    site : Path or None
    rate : float
        Requests a second of one worker to a host.
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
    """

    site: Path | None
    rate: float
    imagery: str
    finest_zoom: int | None
    out: Path
    model: str = ""
    sha256: str = ""
    columns: int = 0


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


async def survey(
    native: Native, order: Order, cluster: Cluster, job: Job, quiet: bool, tiles: bool = False
) -> int:
    """Do a survey of any size, or what is left of it.

    Parameters
    ----------
    native : Native
    order : Order
    cluster : Cluster
    job : Job
        For its workers; what follows from the order is filled in here.
    quiet : bool
        Without a progress bar.
    tiles : bool
        Whether the page's map of it is wanted as well; see `write_pyramid`.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    LookdownError
        If it can't begin.
    """
    card = native.models.card
    assert card is not None, "a model is loaded"
    if not order.source.allows.bulk:
        raise ForbiddenSurveyError(order.source.name, [])
    _begin(order, card.sha256, cluster.block)
    whole = lattice(order.area, card.footprint_m, order.step)
    job = replace(
        job, model=card.name, sha256=card.sha256, out=order.out.resolve(), columns=whole.columns
    )
    todo = list(_left(order, card.footprint_m, cluster.block))
    count = sum(len(grid) for _, _, grid in todo)
    print(f"{count:,} squares in {len(todo):,} blocks are to be done.")
    done = Done(0, 0, 0)
    if todo:
        with _client(cluster) as client:
            print(_where(client), file=sys.stderr)
            done = _work(client, job, todo, count, quiet)
        print(f"{done.squares:,} squares, {done.classified:,} with an answer.", end=" ")
        print(f"Written to {order.out}.")
    if tiles:
        steps = card.footprint_m, order.step, cluster.block
        facts = ModelFacts.of(card), ImageryFacts.of(order.source)
        print(f"The page opens {write_pyramid(order.out, whole, steps, *facts, quiet)}.")
    if done.failed:
        print(
            f"The imagery of {done.failed:,} squares failed: look at them again with --resume.",
            file=sys.stderr,
        )
        return DONE if done.classified else NO_IMAGERY
    return DONE


def _begin(order: Order, sha256: str, block: int) -> None:
    """Note what was ordered, or check that it is what was ordered before."""
    file = order.out / ORDER
    corners = json.dumps(order.area.corners).encode()
    facts = {
        "area": hashlib.sha256(corners).hexdigest(),
        "step": order.step,
        "model": sha256,
        "imagery": order.source.url,
        # Other blocks would have other files, with the same squares.
        "block": block,
    }
    if file.exists() and order.resume:
        before = json.loads(file.read_text())
        for what, now in facts.items():
            if before.get(what) != now:
                raise OtherOrderError(file, what)
        return
    if order.out.exists() and not order.overwrite:
        raise ThereAlreadyError(order.out)
    if order.out.is_dir():
        for each in order.out.iterdir():
            if each.name in (ORDER, FILE) or each.name.startswith("part-"):
                each.unlink()
    try:
        order.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWrittenError(order.out, error.strerror or str(error)) from error
    write_whole(file, json.dumps(facts, indent=1).encode())


def _where(client: Any) -> str:
    """Where the cluster is, and its dashboard if that is installed."""
    if importlib.util.find_spec("bokeh") is None:
        return f"Dask works at {client.scheduler.address} (its dashboard needs bokeh)."
    return f"Dask works at {client.scheduler.address}; its dashboard is {client.dashboard_link}"


def _left(order: Order, side_m: float, block: int) -> Iterator[tuple[int, int, Grid]]:
    """Blocks without a file, or with squares to be looked at again."""
    for row, column, grid in blocks(order.area, side_m, order.step, block):
        file = order.out / part_of(row, column)
        if not file.exists() or file.with_suffix(AGAIN).exists():
            yield row, column, grid


@contextlib.contextmanager
def _client(cluster: Cluster) -> Iterator[Any]:
    """A client of Dask: of workers that end with it, or of a cluster that is there."""
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise NoDaskError from error
    if cluster.scheduler is not None:
        try:
            client = Client(cluster.scheduler, timeout=SCHEDULER_LIMIT_S)
        except (OSError, ValueError, ImportError) as error:
            raise NoSchedulerError(cluster.scheduler, str(error)) from error
        with client:
            yield client
        return
    with (
        LocalCluster(
            n_workers=cluster.workers, threads_per_worker=1, dashboard_address=":0",
            silence_logs=50,
        ) as local,
        Client(local) as client,
    ):  # fmt: skip
        yield client


def _work(
    client: Any, job: Job, todo: list[tuple[int, int, Grid]], count: int, quiet: bool
) -> Done:
    """Have all blocks done, and sum up what came out.

    Raises
    ------
    WorkerError
        If a worker can't do its block.
    """
    from distributed import as_completed

    # Nothing else runs in the loop, which would notice Ctrl-C only afterwards.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    futures = [
        client.submit(do_block, job, row, column, grid, pure=False, retries=RETRIES)
        for row, column, grid in todo
    ]
    total = Done(0, 0, 0)
    with tqdm(total=count, unit=" squares", disable=quiet or None, file=sys.stderr) as bar:
        for future in as_completed(futures):
            found = future.result()
            if isinstance(found, Refused):
                client.cancel(futures)
                raise WorkerError(found.sentence, found.status)
            total = Done(*(one + more for one, more in zip(total, found, strict=True)))
            bar.update(found.squares)
            future.release()
    return total


def do_block(job: Job, row: int, column: int, grid: Grid) -> Done | Refused:
    """Survey a block and write its file; runs on a worker."""
    try:
        return _home(job).run(_block(job, row, column, grid))
    except LookdownError as error:
        return Refused(str(error), status_of(error))


async def _block(job: Job, row: int, column: int, grid: Grid) -> Done:
    native, source = await _home(job).parts()
    card, runner = native.models.card, native.models.runner
    assert card is not None and runner is not None, "a model is loaded"
    if card.sha256 != job.sha256:
        raise OtherOrderError(job.out / ORDER, "model")
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
        self._parts: tuple[Native, Source] | None = None
        self._loading = asyncio.Lock()
        self._stack = contextlib.AsyncExitStack()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def run(self, work: Any) -> Done:
        """Wait for some work in the loop."""
        found: Done = asyncio.run_coroutine_threadsafe(work, self._loop).result()
        return found

    async def parts(self) -> tuple[Native, Source]:
        """All parts, with the model loaded, and the imagery."""
        async with self._loading:
            if self._parts is None:
                job = self._job
                native = await self._stack.enter_async_context(opened(job.site, job.rate, cores=1))
                await native.use(job.model)
                source = await imagery_named(
                    job.imagery, job.finest_zoom, native.sources, native.ground
                )
                self._parts = native, source
            return self._parts


_homes: dict[Job, _Home] = {}
_opening = threading.Lock()


def _home(job: Job) -> _Home:
    """That of this process for a job."""
    with _opening:
        if job not in _homes:
            _homes[job] = _Home(job)
        return _homes[job]

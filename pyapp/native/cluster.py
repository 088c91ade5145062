"""``lookdown survey --workers``: an area of any size, by Dask, as a data set of GeoParquet.

The area is cut into blocks of neighbouring squares. A worker, which is a process with one thread,
surveys a block and writes it as one file (`worker`); so a run that was killed goes on with the
blocks that have no file. Scheduling, and trying again what a worker that died had begun, is Dask's.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import logging
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tqdm import tqdm

from pyapp.core.errors import ForbiddenSurveyError
from pyapp.core.ground.grid import Grid, blocks, lattice
from pyapp.core.pyramid.facts import FILE, part_of
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from pyapp.native.disk import write_whole
from pyapp.native.errors import (
    DONE,
    NO_IMAGERY,
    LostSchedulerError,
    LostWorkersError,
    NoDaskError,
    NoSchedulerError,
    NotWrittenError,
    OtherOrderError,
    ThereAlreadyError,
    WorkerError,
)
from pyapp.native.pyramid import write_pyramid
from pyapp.native.setup import Native
from pyapp.native.shared import FOLDER as SHARED
from pyapp.native.shared import Remaining
from pyapp.native.survey import Order
from pyapp.native.worker import AGAIN, BLOCK, ORDER, Done, Job, Refused, do_block

# A block whose worker dies is given to another one so often.
RETRIES = 5
SCHEDULER_LIMIT_S = 10
# What has to be the same version everywhere.
PACKAGES = ["distributed", "lookdown"]


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
        job, model=card.name, sha256=card.sha256, out=order.out.resolve(), columns=whole.columns,
        block=cluster.block,
    )  # fmt: skip
    todo = list(_left(order, card.footprint_m, cluster.block))
    count = sum(len(grid) for _, _, grid in todo)
    print(f"{count:,} squares in {len(todo):,} blocks are to be done.")
    done = Done(0, 0, 0)
    if todo:
        with _client(cluster) as client:
            print(_where(client), file=sys.stderr)
            if not client.nthreads():
                print("It has no workers yet: waiting for the first one.", file=sys.stderr)
                client.wait_for_workers(1)
            # A host is asked by all workers together as often as by one process.
            job = replace(job, rate=job.rate / max(len(client.nthreads()), 1))
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
    corners = json.dumps(order.area).encode()
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
            if each.name == SHARED:
                shutil.rmtree(each)
            elif each.name in (ORDER, FILE) or each.name.startswith("part-"):
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
    # What it has to say when a connection ends is said here in one sentence.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if cluster.scheduler is not None:
        try:
            client = Client(cluster.scheduler, timeout=SCHEDULER_LIMIT_S)
        except (OSError, ValueError, ImportError) as error:
            raise NoSchedulerError(cluster.scheduler, str(error)) from error
        with client:
            _check_versions(client)
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


def _check_versions(client: Any) -> None:
    """Raise `NoSchedulerError` unless the cluster runs what is run here.

    Another version of Lookdown could give other answers, without anybody noticing.
    """
    found = client.get_versions(packages=PACKAGES[1:])
    there = [each["packages"] for each in (found["scheduler"], *found["workers"].values()) if each]
    for package in PACKAGES:
        here = found["client"]["packages"][package]
        others = {each[package] for each in there} - {here}
        if others:
            raise NoSchedulerError(
                client.scheduler.address,
                f"{package} is {others.pop() or 'missing'} there and {here or 'a clone'} here",
            )


def _work(
    client: Any, job: Job, todo: list[tuple[int, int, Grid]], count: int, quiet: bool
) -> Done:
    """Have all blocks done, and sum up what came out.

    Raises
    ------
    WorkerError
        If a worker can't do its block.
    LostSchedulerError, LostWorkersError
    """
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    address = client.scheduler.address
    try:
        return _gather(client, job, todo, count, quiet)
    except (FutureCancelledError, OSError) as error:
        raise LostSchedulerError(address) from error
    except KilledWorker as error:
        raise LostWorkersError(error.allowed_failures + 1) from error


def _gather(
    client: Any, job: Job, todo: list[tuple[int, int, Grid]], count: int, quiet: bool
) -> Done:
    from distributed import as_completed

    # Nothing else runs in the loop, which would notice Ctrl-C only afterwards.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    futures = {
        client.submit(do_block, job, row, column, grid, pure=False, retries=RETRIES): row
        for row, column, grid in todo
    }
    remaining = Remaining(job.out, (row // job.block for row in futures.values()))
    total = Done(0, 0, 0)
    with tqdm(total=count, unit=" squares", disable=quiet or None, file=sys.stderr) as bar:
        for future in as_completed(list(futures)):
            found = future.result()
            if isinstance(found, Refused):
                client.cancel(list(futures))
                raise WorkerError(found.sentence, found.status)
            total = Done(*(one + more for one, more in zip(total, found, strict=True)))
            bar.update(found.squares)
            remaining.done(futures.pop(future) // job.block)
            future.release()
    return total

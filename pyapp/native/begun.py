"""Work that is kept in a file beside its output until all is there, paused, and gone on with."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from tqdm import tqdm

from pyapp.native.errors import BegunAlreadyError, NotWrittenError, ThereAlreadyError
from pyapp.native.records import SqliteRecords
from pyapp.native.setup import Native
from pyapp.work.ports import RecordsRefusedError

LOOK_S = 0.2


def part_of(out: Path) -> Path:
    """Where it is kept what came out so far, until all is there."""
    return out.with_name(f"{out.name}.part")


def may_begin(out: Path, resume: bool, overwrite: bool) -> bool:
    """Whether there is anything to do for an output; what is overwritten is removed.

    Raises
    ------
    ThereAlreadyError
        If it is there and is neither to be gone on with nor overwritten.
    BegunAlreadyError
        If it was begun, and the same holds.
    """
    part = part_of(out)
    if out.exists() and not (overwrite or resume):
        raise ThereAlreadyError(out)
    if part.exists() and not (overwrite or resume):
        raise BegunAlreadyError(out, part)
    if overwrite and not resume:
        remove(part)
    elif out.exists() and not part.exists():
        print(f"{out} is complete: there is nothing to go on with.")
        return False
    return True


@contextlib.contextmanager
def records_of(part: Path) -> Iterator[SqliteRecords]:
    """The records in a file.

    Raises
    ------
    NotWrittenError
        If the disk refuses.
    """
    try:
        records = SqliteRecords(part)
    except RecordsRefusedError as error:
        raise NotWrittenError(part, str(error)) from error
    try:
        yield records
    finally:
        records.close()


async def watch(
    native: Native, done: Callable[[], int], goes_on: Callable[[], bool],
    pause: Callable[[], Awaitable[None]], total: int, unit: str, quiet: bool,
) -> None:  # fmt: skip
    """Show a progress bar until work ends, or have it paused by Ctrl-C.

    Parameters
    ----------
    native : Native
    done : callable
        How much is done, of ``total``.
    goes_on : callable
        Whether the work does.
    pause : callable
        Ends it, so that it can be gone on with; awaited.
    total : int
    unit : str
        What is counted.
    quiet : bool
        Without a bar.
    """
    pausing: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()

    async def end() -> None:
        await pause()

    def interrupted() -> None:
        pausing.append(native.tasks.start(end()))

    with contextlib.suppress(NotImplementedError, RuntimeError):  # Windows; not the main thread
        loop.add_signal_handler(signal.SIGINT, interrupted)
        loop.add_signal_handler(signal.SIGTERM, interrupted)
    # Without a terminal there is no bar.
    with tqdm(
        total=total, initial=done(), unit=f" {unit}", disable=quiet or None, file=sys.stderr
    ) as bar:
        while goes_on():
            await native.clock.sleep(LOOK_S)
            bar.update(done() - bar.n)
        bar.update(done() - bar.n)
    await asyncio.gather(*pausing)


def remove(part: Path) -> None:
    """Remove what was kept of an earlier run, and what SQLite has beside it."""
    for each in (part, Path(f"{part}-wal"), Path(f"{part}-shm")):
        with contextlib.suppress(OSError):
            each.unlink(missing_ok=True)

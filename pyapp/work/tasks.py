"""Background work: begun in one place, so that none is lost and no failure vanishes."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pyapp.core.errors import LookdownError, UnexpectedError

T = TypeVar("T")


class Tasks:
    """Everything that goes on without anyone waiting for it.

    Parameters
    ----------
    tell : callable taking LookdownError
        Shows a sentence to the person.
    log : callable taking BaseException
        Notes an error that nobody expected, with its traceback.
    """

    def __init__(self, tell: Callable[[LookdownError], None], log: Callable[[BaseException], None]):
        self._tell = tell
        self._log = log
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T], now: bool = False) -> "asyncio.Task[T]":
        """Begin some work; what goes wrong in it is told. ``now`` as for `begin`."""
        task = begin(work, now)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def report(self, error: BaseException) -> None:
        """Tell what went wrong: the errors a person can cause as they are, others with a log."""
        if isinstance(error, LookdownError):
            self._tell(error)
            return
        self._log(error)
        self._tell(UnexpectedError(error))

    async def finish(self) -> None:
        """Wait until nothing goes on any more."""
        while self._running:
            await asyncio.wait(set(self._running))

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.report(error)


def begin(work: Coroutine[Any, Any, T], now: bool = False) -> "asyncio.Task[T]":
    """Begin some work whose owner waits for it, sooner or later, and sees what goes wrong.

    With ``now``, what it does before it first has to wait is done when this returns: a page that is
    being left has no later. Python 3.12 or newer does that, as pages have it.
    """
    loop = asyncio.get_running_loop()
    if now and sys.version_info >= (3, 12):
        task = asyncio.Task(work, loop=loop, eager_start=True)
    else:
        task = loop.create_task(work)
    # It may fail before its owner waits for it, which is no forgotten error.
    task.add_done_callback(lambda each: each.cancelled() or each.exception())
    return task


async def gather(*works: Coroutine[Any, Any, T]) -> list[T]:
    """Do several things at once; if one fails, the others are cancelled and ended first.

    Returns
    -------
    list
        What each gave, in their order.

    Raises
    ------
    Exception
        The first failure.
    """
    tasks = [begin(work) for work in works]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await end(*tasks)


async def end(*tasks: "asyncio.Task[Any] | None") -> None:
    """Cancel tasks, and wait until they have ended."""
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)

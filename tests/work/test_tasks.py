"""Background work: nothing is lost, and no failure vanishes."""

import asyncio
import gc

import pytest

from pyapp.core.errors import FlatAreaError, UnexpectedError
from pyapp.work.busy import Busy
from pyapp.work.tasks import Tasks, begin, end, gather
from tests.work.fakes import FakeClock, run


async def fail(error, after=0):
    for _ in range(after):
        await asyncio.sleep(0)
    raise error


def test_what_goes_wrong_in_a_task_is_told_and_what_nobody_expected_is_logged():
    told, logged = [], []

    async def work():
        tasks = Tasks(told.append, logged.append)
        tasks.start(fail(FlatAreaError()))
        tasks.start(fail(ZeroDivisionError("by nothing")))
        await tasks.finish()

    run(work())
    assert [type(each) for each in told] == [FlatAreaError, UnexpectedError]
    assert "ZeroDivisionError: by nothing" in str(told[1])
    assert [str(each) for each in logged] == ["by nothing"]


def test_a_cancelled_task_is_no_failure_and_a_running_one_is_not_collected():
    told, seen = [], []

    async def later():
        await asyncio.sleep(0.01)
        seen.append(True)

    async def work():
        tasks = Tasks(told.append, told.append)
        tasks.start(asyncio.sleep(10)).cancel()
        tasks.start(later())
        gc.collect()
        await tasks.finish()

    run(work())
    assert (told, seen) == ([], [True])


def test_several_things_at_once_end_together():
    ended = []

    async def long():
        try:
            await asyncio.sleep(10)
        finally:
            ended.append(True)

    async def work():
        assert await gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2)) == [1, 2]
        with pytest.raises(KeyError):
            await gather(long(), fail(KeyError("x"), after=2), fail(ValueError("y"), after=2))
        assert ended == [True]
        task = begin(long())
        await asyncio.sleep(0)
        await end(task, None)
        assert ended == [True, True]

    run(work())


def test_busy_says_what_is_under_way_and_waits_for_a_pause():
    clock = FakeClock()
    busy = Busy(clock)

    async def work():
        assert not busy
        with busy.doing("survey"), busy.doing("answer"):
            assert busy
            assert busy.is_doing("survey")
        assert not busy.is_doing("survey")

        async def a_while():
            with busy.doing("survey"):
                await clock.sleep(1)
                await clock.sleep(1)

        doing = begin(a_while())
        await asyncio.sleep(0)
        await busy.until_idle(1.0)
        assert doing.done()
        assert clock.now >= 3000

    run(work())

import asyncio

import pytest

from pyapp.bridge import turns
from pyapp.bridge.turns import Turns
from tests.work.fakes import run


class Browser:
    """Counts the turns that an event loop is asked for; the loop itself is a real one."""

    def __init__(self, loop):
        self.asked = 0
        self._ask = loop.call_soon
        loop.call_soon = self._count
        Turns(loop).take()

    def _count(self, *args, **options):
        self.asked += 1
        return self._ask(*args, **options)


def in_turns(work):
    """Run ``work(browser)`` in a loop of its own, in turns."""

    async def main():
        return await work(Browser(asyncio.get_running_loop()))

    return run(main())


def test_many_steps_take_one_turn(monkeypatch):
    monkeypatch.setattr(turns, "TURN_S", 60.0)

    async def chain(queue):
        for number in range(50):
            await queue.put(number)
        await queue.put(None)

    async def work(browser):
        queue = asyncio.Queue(1)
        sending = asyncio.create_task(chain(queue))
        got = []
        while (found := await queue.get()) is not None:
            got.append(found)
        await sending
        return got, browser.asked

    got, asked = in_turns(work)
    assert got == list(range(50))
    assert asked == 1


def test_a_turn_ends_after_its_time(monkeypatch):
    monkeypatch.setattr(turns, "TURN_S", -1.0)

    async def work(browser):
        for _ in range(20):
            await asyncio.sleep(0)
        return browser.asked

    assert in_turns(work) == 20


def test_callbacks_keep_their_order_and_what_was_cancelled_does_not_run():
    seen = []

    async def work(browser):
        loop = asyncio.get_running_loop()
        loop.call_soon(seen.append, 1)
        loop.call_soon(seen.append, 2).cancel()
        loop.call_soon(lambda: loop.call_soon(seen.append, 4))
        loop.call_soon(seen.append, 3)
        await asyncio.sleep(0.01)

    in_turns(work)
    assert seen == [1, 3, 4]


def test_an_error_in_a_callback_is_told_and_the_others_run():
    told, seen = [], []

    async def work(browser):
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        loop.call_soon(lambda: 1 / 0)
        loop.call_soon(seen.append, "after")
        await asyncio.sleep(0.01)

    in_turns(work)
    assert [type(each) for each in told] == [ZeroDivisionError]
    assert seen == ["after"]


@pytest.mark.parametrize("turn_s", [-1.0, 60.0])
def test_timers_and_tasks_go_on_as_before(monkeypatch, turn_s):
    monkeypatch.setattr(turns, "TURN_S", turn_s)

    async def work(browser):
        async with asyncio.timeout(5):
            first, second = await asyncio.gather(asyncio.sleep(0.01, "a"), asyncio.sleep(0, "b"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(5), 0.01)
        return first + second

    assert in_turns(work) == "ab"

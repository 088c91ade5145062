"""The model in use: the choice made last wins, and no other stays open."""

import asyncio

import pytest

from pyapp.core.errors import (
    DamagedModelError,
    MissingModelError,
    ModelListError,
    NotFetchedModelError,
)
from tests.work.fakes import FakeHardware, run
from tests.work.parts import Parts
from tests.work.test_runner import TWO_CORES


def parts_of(*names):
    return Parts(names or ("ours", "a", "b"), hardware=FakeHardware(TWO_CORES))


def in_use(parts):
    """The model in use, and whether its network is the only one."""
    return parts.models.runner.card.name, len(parts.runtime.alive)


def test_the_default_is_used_or_the_one_that_is_named():
    for named, used in ((None, "ours"), ("b", "b"), ("nothing", "ours")):
        parts = parts_of()
        run(parts.load(named))
        assert in_use(parts) == (used, 1)
        assert parts.models.chosen == used


def test_without_a_list_there_is_no_model():
    parts = parts_of()
    parts.instead = {"models/index.json": 404}
    with pytest.raises(MissingModelError):
        run(parts.load())
    parts.instead = {"models/index.json": b"[]"}
    with pytest.raises(ModelListError):
        run(parts.load())
    assert isinstance(parts.models.error, ModelListError)


def test_the_last_choice_wins_whichever_loads_last():
    """Once the last to load won, and the other was never closed."""
    parts = parts_of()
    gates = {"a": asyncio.Event(), "b": asyncio.Event()}

    async def work():
        await parts.load()
        fetch = parts.files._fetch

        async def held(url, limit_s, arrived=None):
            if url.endswith("model.onnx"):
                await gates[url.split("/")[1]].wait()
            return await fetch(url, limit_s, arrived)

        parts.files._fetch = held
        first = asyncio.create_task(parts.models.choose("a"))
        await asyncio.sleep(0)
        second = asyncio.create_task(parts.models.choose("b"))
        gates["b"].set()
        await second
        assert in_use(parts) == ("b", 1)
        gates["a"].set()
        await first
        assert in_use(parts) == ("b", 1)
        assert parts.models.chosen == "b"

    run(work())


def test_a_choice_made_while_the_one_before_is_taken_wins_too():
    parts = parts_of()
    told = []

    async def slow():
        told.append(parts.models.runner.card.name)
        for _ in range(50):
            await asyncio.sleep(0)

    async def work():
        await parts.load()
        parts.models.on_change(slow)
        await asyncio.gather(parts.models.choose("a"), parts.models.choose("b"))
        assert in_use(parts) == ("b", 1)
        assert told[-1] == "b"

    run(work())


def test_a_model_that_cannot_be_loaded_leaves_the_one_before():
    parts = parts_of()
    parts.instead = {"models/a/model.onnx": b"spoiled"}

    async def work():
        await parts.load()
        with pytest.raises(DamagedModelError):
            await parts.models.choose("a")
        assert in_use(parts) == ("ours", 1)
        assert parts.models.chosen == "ours"
        assert parts.models.error is None
        # Of a choice that a later one has overtaken, no failure is told.
        await asyncio.gather(parts.models.choose("a"), parts.models.choose("b"))
        assert in_use(parts) == ("b", 1)

    run(work())


def test_the_first_model_that_fails_says_why_and_another_can_be_chosen():
    parts = parts_of()
    parts.instead = {"models/ours/card.json": 404}

    async def work():
        with pytest.raises(MissingModelError):
            await parts.load()
        assert isinstance(parts.models.error, MissingModelError)
        await parts.models.choose("b")
        assert in_use(parts) == ("b", 1)
        assert parts.models.error is None

    run(work())


def test_who_must_know_is_told_before_the_one_before_is_closed():
    parts = parts_of()
    seen = []

    async def look():
        seen.append((parts.models.runner.card.name, len(parts.runtime.alive)))

    async def work():
        parts.models.on_change(look)
        await parts.load()
        await parts.models.choose("a")
        assert seen == [("ours", 1), ("a", 2)]
        assert in_use(parts) == ("a", 1)

    run(work())


def test_a_model_that_does_not_arrive_leaves_the_one_before_and_says_both():
    parts = parts_of()
    parts.instead = {"models/a/model.onnx": 404}

    async def work():
        await parts.load()
        with pytest.raises(NotFetchedModelError, match=r"A is not kept .* so Ours is used"):
            await parts.models.choose("a")
        assert in_use(parts) == ("ours", 1)
        assert parts.models.chosen == "ours"

    run(work())


def test_a_link_to_a_model_that_does_not_arrive_gives_the_default():
    parts = parts_of()
    parts.instead = {"models/b/card.json": 404}

    async def work():
        with pytest.raises(NotFetchedModelError, match=r"B is not kept .* so Ours is used"):
            await parts.load("b")
        assert in_use(parts) == ("ours", 1)
        assert parts.models.error is None

    run(work())


def test_it_is_told_how_far_the_chosen_model_has_arrived():
    parts = parts_of()
    heard = []

    async def work():
        parts.models.on_arrival(lambda card, size: heard.append((card.name, size)))
        await parts.load()
        size = len(b"network of ours")
        assert heard == [("ours", size // 2), ("ours", size)]

    run(work())


def test_a_model_that_is_given_up_while_it_arrives_leaves_the_one_before():
    parts = parts_of()

    async def work():
        await parts.load()
        parts.fetch.open.clear()
        choosing = asyncio.create_task(parts.models.choose("a"))
        await asyncio.sleep(0.01)
        choosing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await choosing
        parts.fetch.open.set()
        assert parts.fetch.cancelled
        assert in_use(parts) == ("ours", 1)
        assert parts.models.chosen == "ours"

    run(work())


def test_once_a_model_is_there_it_is_too_late_to_give_it_up():
    """Or some parts of the page would know of it, and others not."""
    parts = parts_of()
    told, gate = [], asyncio.Event()

    async def slow():
        await gate.wait()
        told.append(parts.models.runner.card.name)

    async def work():
        await parts.load()
        parts.models.on_change(slow)
        choosing = asyncio.create_task(parts.models.choose("a"))
        while parts.models.runner.card.name != "a":
            await asyncio.sleep(0)
        choosing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await choosing
        gate.set()
        await asyncio.sleep(0.01)
        assert told == ["a"]
        assert in_use(parts) == ("a", 1)

    run(work())


def test_a_model_asked_for_ahead_is_fetched_once_and_told_of_as_it_arrives():
    parts = parts_of()
    said, opened = [], []

    async def work():
        parts.models.on_arrival(lambda card, size: said.append((card.name, size)))
        parts.files.on_opening(lambda: opened.append(len(parts.runtime.alive)))
        await parts.models.read_list()
        parts.files.ask_ahead("ours")
        for _ in range(5):
            await asyncio.sleep(0)
        assert parts.fetch.asked[1:] == ["models/ours/card.json", "models/ours/model.onnx"]
        await parts.models.load_first(None)
        await parts.models.choose("a")
        await parts.models.choose("ours")

    run(work())
    # What had arrived before anyone listened is told as it is.
    assert said[0] == ("ours", len(b"network of ours"))
    assert opened == [0], "once, before the runtime has it"
    assert parts.fetch.asked.count("models/ours/model.onnx") == 2
    assert in_use(parts) == ("ours", 1)


def test_a_model_asked_for_ahead_that_fails_is_said_when_it_is_wanted():
    parts = parts_of()
    parts.instead = {"models/ours/model.onnx": 404}

    async def work():
        await parts.models.read_list()
        parts.files.ask_ahead("ours")
        for _ in range(5):
            await asyncio.sleep(0)
        with pytest.raises(MissingModelError):
            await parts.models.load_first(None)
        parts.instead = {}
        await parts.models.load_first(None)

    run(work())
    assert in_use(parts) == ("ours", 1)

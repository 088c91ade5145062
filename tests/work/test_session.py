"""A survey at work: stored as it grows, paused, cancelled, and what keeps it from being stored."""

import asyncio

import numpy as np
import pytest

from pyapp.core.errors import StoreError
from pyapp.core.state import CellState
from pyapp.work.session import PAUSE_LIMIT_S, SAVE_S
from pyapp.work.tasks import end
from tests.work.fakes import TWO, FakeHardware, run, source
from tests.work.parts import Parts
from tests.work.test_runner import THREE


async def until(condition):
    """Let others work until something is so."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to be")


async def begun(parts, survey):
    """A survey that has answers, and goes on."""
    if parts.models.runner is None:
        await parts.load()
    parts.session.work_on(survey, source())
    await until(lambda: survey.count(CellState.CLASSIFIED) > 2)


def stored(parts):
    """The survey as a reload would find it."""
    return parts.store.load("s1")


def test_a_survey_is_made_with_the_model_and_the_imagery_in_use():
    parts = Parts()

    async def work():
        await parts.load()
        plan = parts.survey()
        survey = parts.session.begin(plan.area, plan.grid, source())
        assert survey.name.startswith("Valley, ")
        assert survey.model.sha256 == parts.models.runner.card.sha256
        assert survey.imagery.url == source().url
        assert len(survey.waiting) == len(plan.grid)

    run(work())


def test_it_is_stored_as_it_grows_and_whole_in_the_end():
    parts = Parts()
    survey = parts.survey(1500, 600)
    saved = []

    async def work():
        parts.session.on_saved(lambda: saved.append(True))
        parts.runtime.takes_ms = dict.fromkeys(parts.hardware.device.backends, 40.0)
        await begun(parts, survey)
        assert parts.session.survey is survey
        assert parts.busy.is_doing("survey")
        await until(lambda: parts.records.tables["batches"])
        assert parts.session.goes_on
        await until(lambda: not parts.session.goes_on)
        await parts.tasks.finish()
        again = await stored(parts)
        assert np.array_equal(again.state, survey.state)
        assert np.array_equal(again.zoom, survey.zoom)
        assert np.array_equal(again.probability, survey.probability)
        assert not parts.busy

    run(work())
    assert saved and parts.told == []
    assert len(parts.records.tables["batches"]) > 1
    assert SAVE_S in parts.clock.slept


def test_a_pause_waits_for_what_is_under_way_and_stores_it():
    parts = Parts()
    survey = parts.survey(1500, 600)

    async def work():
        await begun(parts, survey)
        await parts.session.pause()
        assert not parts.session.goes_on
        done = survey.count(CellState.CLASSIFIED)
        assert 0 < done < len(survey.grid)
        again = await stored(parts)
        assert again.count(CellState.CLASSIFIED) == done
        parts.session.work_on(survey, source())
        await until(lambda: not parts.session.goes_on)
        assert survey.classified.all()
        await parts.session.pause()

    run(work())


def test_a_tile_that_hangs_does_not_hold_up_a_pause():
    parts = Parts()
    survey = parts.survey(1500, 600)

    async def work():
        await begun(parts, survey)
        parts.fetch.open.clear()
        await parts.session.pause()
        assert PAUSE_LIMIT_S in parts.clock.slept
        assert not parts.session.goes_on
        parts.fetch.open.set()
        again = await stored(parts)
        assert again.count(CellState.CLASSIFIED) == survey.count(CellState.CLASSIFIED)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(work())


def test_cancelled_the_cells_that_wait_are_left_out():
    parts = Parts()
    survey = parts.survey(1500, 600)

    async def work():
        await begun(parts, survey)
        await parts.session.cancel(survey)
        assert not parts.session.goes_on
        assert survey.count(CellState.WAITING) == 0 < survey.count(CellState.LEFT_OUT)
        assert (await stored(parts)).state.tolist() == survey.state.tolist()
        # One that is paused can be ended too.
        other = parts.survey(800, 300)
        await parts.session.cancel(other)
        assert other.count(CellState.LEFT_OUT) == len(other.grid)

    run(work())


def test_another_model_in_the_middle_pauses_it_and_its_rate_is_noted_under_its_own():
    """The old model's rate once was noted under the new one."""
    parts = Parts(hardware=FakeHardware(THREE))
    parts.runtime.takes_ms = {TWO: 100.0}
    survey = parts.survey(1500, 600)

    async def work():
        await begun(parts, survey)
        await until(lambda: parts.session.rate)
        before = parts.models.runner
        await parts.models.choose("other")
        assert not parts.session.goes_on
        assert 0 < survey.count(CellState.CLASSIFIED) < len(survey.grid)
        assert before.square_ms
        assert parts.models.runner.square_ms is None
        assert len(parts.runtime.alive) == 1
        # With its own model it goes on, by a surveyor that knows the new runner.
        await parts.models.choose("ours")
        parts.session.work_on(survey, source())
        await until(lambda: not parts.session.goes_on)
        assert survey.classified.all()

    run(work())


def test_storage_that_refuses_is_said_once_and_the_survey_goes_on():
    parts = Parts()
    survey = parts.survey(1000, 600)

    async def work():
        parts.records.refuses = "the storage of this device is full"
        await begun(parts, survey)
        await until(lambda: not parts.session.goes_on)
        await parts.tasks.finish()
        assert survey.classified.all()
        assert len(parts.told) == 1
        assert "storage of this device is full" in parts.told[0]
        # With room again it is stored, as far as it comes out from then on.
        parts.records.refuses = ""
        await parts.session.keep(survey)
        assert (await stored(parts)).state.tolist() == survey.state.tolist()

    run(work())


def test_what_nobody_expected_is_told_and_what_came_out_is_stored():
    """Once it vanished in a task, and the page said "paused" and nothing else."""
    parts = Parts()
    survey = parts.survey(1500, 600)
    whole = parts.runtime.open

    async def work():
        await begun(parts, survey)
        parts.models.runner.run = lambda chips: 1 / 0
        await until(lambda: not parts.session.goes_on)
        await parts.tasks.finish()
        assert "ZeroDivisionError" in parts.told[0]
        assert [type(each) for each in parts.logged] == [ZeroDivisionError]
        assert (await stored(parts)).count(CellState.CLASSIFIED) == survey.count(
            CellState.CLASSIFIED
        )

    run(work())
    assert whole == parts.runtime.open


def test_saving_goes_on_whatever_the_screen_does():
    """One loop once painted and saved: an error in painting stopped the saving."""
    parts = Parts()
    survey = parts.survey(1500, 600)

    async def work():
        async def paint():
            await until(lambda: survey.count(CellState.CLASSIFIED) > 2)
            raise RuntimeError("no canvas")

        parts.tasks.start(paint())
        await begun(parts, survey)
        await until(lambda: parts.records.tables["batches"])
        await until(lambda: not parts.session.goes_on)
        assert (await stored(parts)).classified.all()
        assert "no canvas" in parts.told[0]

    run(work())


def test_a_save_that_is_cut_short_loses_nothing():
    parts = Parts()
    survey = parts.survey(1500, 600)

    async def work():
        await begun(parts, survey)
        parts.records.gate.clear()
        saving = asyncio.create_task(parts.session.save())
        for _ in range(5):
            await asyncio.sleep(0)
        parts.session._task.cancel()
        await end(saving)
        parts.records.gate.set()
        await until(lambda: not parts.session.goes_on)
        assert (await stored(parts)).count(CellState.CLASSIFIED) == survey.count(
            CellState.CLASSIFIED
        )

    run(work())


def test_without_a_model_or_while_one_is_at_work_nothing_begins():
    parts = Parts()
    survey, other = parts.survey(), parts.survey(900, 300)

    async def work():
        parts.session.work_on(survey, source())
        assert not parts.session.goes_on
        await begun(parts, survey)
        parts.session.work_on(other, source())
        assert parts.session.survey is survey
        with pytest.raises(StoreError):
            await parts.store.load("nothing")
        await parts.session.pause()

    run(work())

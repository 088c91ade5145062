"""A survey at work: order, retries, faults and cancellation of its tiles; its chips and batches."""

import asyncio
import hashlib
import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from pyapp.core.errors import InferenceError, WrongModelError
from pyapp.core.ground.cut import Cut
from pyapp.core.ground.geo import LngLat, wrapped
from pyapp.core.state import CellState
from pyapp.work import surveyor as module
from pyapp.work.ports import UnreachableError
from pyapp.work.surveyor import Surveyor
from pyapp.work.tiles import BACK_OFF_S, DOWN, REQUESTS
from tests.work.fakes import GPU, ONE, TWO, FakeHardware, run, source, tile_bytes
from tests.work.parts import HERE, Parts
from tests.work.test_runner import THREE, TWO_CORES, WITH_GPU

# Zoom 18 is fine enough for chips of 0.4064 m from 47.114 degrees on.
TURN = LngLat(9.0, 47.1155)


@pytest.fixture(autouse=True)
def no_sizes_yet():
    module._best_sizes.clear()


async def surveyed(parts, survey, imagery=None, runner=None):
    """A surveyor that has worked through a survey."""
    runner = runner or await parts.load()
    worker = surveyor_of(parts, survey, runner, imagery)
    await worker.run()
    return worker


def surveyor_of(parts, survey, runner, imagery=None):
    return Surveyor(survey, runner, imagery or source(), parts.ground, parts.clock, lambda *_: None)


def tile_urls(parts):
    return [url for url in parts.fetch.asked if not url.startswith("models")]


@pytest.mark.parametrize(
    "place", [HERE, TURN, LngLat(179.997, 5.0)], ids=["here", "turn", "date line"]
)
def test_every_cell_is_the_chip_that_a_click_there_gives(place):
    """To the bit, also where the zoom turns at 47.11 degrees, and over the date line."""
    parts = Parts()
    survey = parts.survey(at=place)

    async def work():
        await surveyed(parts, survey)
        for number in range(len(survey.grid)):
            chip = await parts.ground.chip(
                source(), survey.grid.footprint(number), parts.models.runner.card
            )
            assert survey.digest[number].tobytes() == hashlib.sha256(chip.pixels.data).digest()
            assert survey.zoom[number] == chip.zoom

    run(work())
    assert survey.classified.all()
    assert len(set(survey.zoom.tolist())) == (2 if place is TURN else 1)


@pytest.mark.parametrize("size", [(1500, 300), (300, 1500)], ids=["wide", "tall"])
def test_each_tile_is_read_once_ahead_of_its_cell_and_in_the_order_of_work(size):
    parts = Parts()
    survey = parts.survey(*size)
    run(surveyed(parts, survey))
    cuts = [Cut.of(survey.grid.footprint(number), source(), parts.models.runner.card.resolution_m)
            for number in range(len(survey.grid))]  # fmt: skip
    wanted = dict.fromkeys(source().url_of(tile) for each in cuts for tile in each.tiles)
    assert tile_urls(parts) == list(wanted)
    assert parts.fetch.most <= REQUESTS


def test_few_tiles_are_held_at_a_time():
    parts = Parts()
    survey = parts.survey(300, 3000)
    held = []

    async def work():
        worker = surveyor_of(parts, survey, await parts.load())
        take = worker._on_batch
        worker._on_batch = lambda *given: (held.append(len(worker._tiles._tiles)), take(*given))
        await worker.run()

    run(work())
    assert max(held) < 40 < len(tile_urls(parts))


def test_faults_of_tiles_mark_their_cells_and_no_others():
    parts = Parts()
    survey = parts.survey(1200, 400)
    faults = {}

    async def work():
        runner = await parts.load()
        tiles = {}
        for number in range(len(survey.grid)):
            for tile in Cut.of(survey.grid.footprint(number), source(), 78.0288 / 192).tiles:
                tiles.setdefault(wrapped(tile), []).append(number)
        kinds = [
            (404, CellState.MISSING),
            (500, CellState.FAILED),
            (b"no picture", CellState.FAILED),
        ]
        for tile, (answer, state) in zip(list(tiles)[::5], kinds, strict=False):
            parts.instead[source().url_of(tile)] = answer
            for number in tiles[tile]:
                faults[number] = min(state, faults.get(number, state))
        await surveyed(parts, survey, runner=runner)

    run(work())
    assert {number: survey.state[number] for number in faults} == faults
    assert survey.count(CellState.CLASSIFIED) == len(survey.grid) - len(faults)
    assert 0 < len(faults) < len(survey.grid)


def test_placeholders_and_stretched_imagery_are_told():
    def flat(url):
        out = io.BytesIO()
        Image.fromarray(np.full((256, 256, 3), 200, np.uint8)).save(out, "PNG")
        return out.getvalue()

    parts = Parts()
    parts.tile = flat
    survey = parts.survey()
    run(surveyed(parts, survey))
    assert survey.count(CellState.BLANK) == len(survey.grid)


def test_a_tile_that_fails_is_asked_for_again_after_a_while():
    parts = Parts()
    survey = parts.survey(200, 200)
    left = Counter()

    def twice(url):
        left[url] += 1
        return UnreachableError("off") if url == min(left) and left[url] <= 2 else tile_bytes(url)

    parts.tile = twice
    run(surveyed(parts, survey))
    assert survey.classified.all()
    assert {each for each in parts.clock.slept if each in BACK_OFF_S} == set(BACK_OFF_S[:2])


def test_a_server_that_refuses_is_given_more_time_and_one_that_is_down_is_not_pressed():
    parts = Parts()
    parts.tile = lambda url: 500
    survey = parts.survey(1200, 400)
    run(surveyed(parts, survey))
    assert survey.count(CellState.FAILED) == len(survey.grid)
    assert 2 * BACK_OFF_S[0] in parts.clock.slept
    asked = Counter(tile_urls(parts))
    again = sum(count - 1 for count in asked.values())
    assert again <= DOWN
    assert len([url for url, count in asked.items() if count == 1]) > len(asked) / 2


def test_missing_tiles_are_not_asked_for_again_until_the_survey_is_worked_on_again():
    parts = Parts()
    survey = parts.survey(200, 200)
    parts.tile = lambda url: 404

    async def work():
        worker = await surveyed(parts, survey)
        assert survey.count(CellState.MISSING) == len(survey.grid)
        assert max(Counter(tile_urls(parts)).values()) == 1
        parts.tile = tile_bytes
        survey.look_again()
        await worker.run()
        assert survey.classified.all()

    run(work())


def test_a_survey_stops_and_goes_on_where_it_was():
    parts = Parts()
    survey = parts.survey(1000, 600)

    async def work():
        worker = surveyor_of(parts, survey, await parts.load())
        done = []
        worker._on_batch = lambda _, batch: (done.append(len(batch.numbers)), worker.stop())
        await worker.run()
        assert 0 < sum(done) < len(survey.grid)
        assert survey.count(CellState.CLASSIFIED) == sum(done)
        before = survey.classified.copy()
        worker._on_batch = lambda _, batch: done.append(len(batch.numbers))
        await worker.run()
        assert sum(done) == len(survey.grid)
        assert survey.classified.all() and before.any()

    run(work())


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233])
def test_cancelled_at_any_moment_nothing_is_left_running(steps):
    parts = Parts()
    survey = parts.survey(500, 400)

    async def work():
        worker = surveyor_of(parts, survey, await parts.load())
        task = asyncio.create_task(worker.run())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert parts.fetch.now == 0
        await worker.run()
        assert survey.classified.all()

    run(work())


def test_a_model_that_fails_on_every_backend_ends_the_survey_and_its_cells_wait():
    parts = Parts(hardware=FakeHardware(TWO_CORES))
    survey = parts.survey()

    async def work():
        runner = await parts.load()
        parts.runtime.broken = {ONE, TWO}
        with pytest.raises((InferenceError, WrongModelError)):
            await surveyed(parts, survey, runner=runner)
        assert survey.count(CellState.WAITING) == len(survey.grid)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(work())


def test_a_backend_that_gives_up_in_the_middle_costs_no_cell():
    parts = Parts(hardware=FakeHardware(THREE))
    survey = parts.survey()

    async def work():
        runner = await parts.load()
        worker = surveyor_of(parts, survey, runner)
        worker._on_batch = lambda *_: parts.runtime.broken.add(TWO)
        await worker.run()
        assert survey.classified.all()
        assert runner.backend == ONE
        assert len(parts.runtime.alive) == 1

    run(work())


def test_an_error_that_nobody_expected_in_preparing_is_raised():
    parts = Parts()
    survey = parts.survey()

    async def work():
        worker = surveyor_of(parts, survey, await parts.load())
        worker._tiles.pixels = lambda tile: 1 / 0
        with pytest.raises(ZeroDivisionError):
            await worker.run()

    run(work())


def test_the_batch_size_on_a_gpu_is_chosen_once_by_time():
    parts = Parts(hardware=FakeHardware(WITH_GPU))
    survey = parts.survey(1250, 1250)
    parts.runtime.takes_ms = dict.fromkeys(parts.hardware.device.backends, 5.0)

    async def work():
        runner = await parts.load()
        await runner.use(GPU)
        parts.runtime.batches.clear()
        await surveyed(parts, survey, runner=runner)
        # A batch takes as long as a single chip here, so the largest wins.
        assert "lookdown:batch 16" in parts.clock.marks
        assert Counter(parts.runtime.batches).most_common(1)[0][0] == 16
        parts.runtime.batches.clear()
        again = parts.survey(1250, 1250)
        await surveyed(parts, again, runner=runner)
        assert set(parts.runtime.batches[:-2]) == {16}

    run(work())


def test_batches_in_webassembly_have_the_usual_size():
    parts = Parts()
    survey = parts.survey(1250, 1250)

    async def work():
        await surveyed(parts, survey)
        assert set(parts.runtime.batches[1:-2]) == {module.USUAL}

    run(work())


def test_the_rate_is_of_one_backend():
    parts = Parts(hardware=FakeHardware(THREE))
    parts.runtime.takes_ms = {TWO: 400.0, ONE: 100.0}
    survey = parts.survey(1000, 600)

    async def work():
        worker = surveyor_of(parts, survey, await parts.load())
        assert worker.rate == 0
        done = []

        def count(_, batch):
            done.append(len(batch.numbers))
            if sum(done) > len(survey.grid) / 2:
                parts.runtime.broken.add(TWO)

        worker._on_batch = count
        await worker.run()
        assert worker.rate == pytest.approx(4 / 0.1, rel=0.3)

    run(work())

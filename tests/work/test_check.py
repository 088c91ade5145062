"""Checking a survey: what is kept of it, and pictures that are there before their turn."""

import numpy as np
import pytest

from pyapp.core.accuracy.check import GROUPS, OTHER, PROPORTIONAL, Check
from pyapp.core.errors import DamagedCheckError, MissingTileError, StoreError, UnreachableTileError
from pyapp.work.check import AHEAD, Checker, Pictures
from pyapp.work.ports import StatusError, UnreachableError
from tests.core.surveys import batch_of
from tests.work.fakes import run, source
from tests.work.parts import Parts


async def surveyed(parts):
    """A survey that is stored, with all its answers."""
    survey = parts.survey()
    batch = batch_of(survey, range(len(survey.grid)))
    survey.add(batch)
    await parts.store.add(survey, batch)
    await parts.library.refresh()
    return survey


def test_judgements_outlast_a_reload_and_go_with_the_survey():
    parts = Parts()

    async def work():
        survey = await surveyed(parts)
        checker = Checker(parts.store, survey)
        assert checker.check is None and await checker.find(parts.clock) is None
        check = checker.draw(GROUPS, 20, PROPORTIONAL)
        for cell in check.sample[:7]:
            check.judge(cell, OTHER)
            checker.note()
            await checker.save()
        again = Checker(parts.store, await parts.library.load(survey.id))
        assert again.check.judgements == check.judgements
        assert again.check.left == check.sample[7:]
        assert (await again.find(parts.clock)).judged == 7
        assert len((await parts.library.load(survey.id)).waiting) == 0
        # More of the survey may be stored later.
        await parts.store.add(survey, batch_of(survey, [0]))
        assert (await parts.library.load(survey.id)).check == survey.check
        await parts.library.delete(survey.id)
        await parts.store.sweep()
        assert await parts.records.keys("batches") == []

    run(work())


def test_a_survey_that_came_as_a_file_keeps_its_check():
    parts = Parts()

    async def work():
        await parts.load()
        survey = await surveyed(parts)
        checker = Checker(parts.store, survey)
        checker.draw(GROUPS, 20, PROPORTIONAL)
        survey.id = "another"
        await parts.session.keep(survey)
        assert (await parts.library.load("another")).check == survey.check

    run(work())


def test_a_damaged_check_is_said_and_can_be_drawn_anew():
    parts = Parts()

    async def work():
        survey = await surveyed(parts)
        survey.check = '{"format": "lookdown check 1"}'
        await parts.store.put_check(survey)
        checker = Checker(parts.store, await parts.library.load(survey.id))
        assert isinstance(checker.damage, DamagedCheckError)
        checker.draw(GROUPS, 20, PROPORTIONAL)
        assert checker.damage is None
        assert Check.from_json(checker.survey.check, survey).sample == checker.check.sample

    run(work())


def test_storage_that_refuses_is_said_and_tried_again():
    parts = Parts()

    async def work():
        survey = await surveyed(parts)
        checker = Checker(parts.store, survey)
        checker.draw(GROUPS, 20, PROPORTIONAL)
        parts.records.refuses = "the storage of this device is full"
        with pytest.raises(StoreError, match="full"):
            await checker.save()
        parts.records.refuses = ""
        await checker.save()
        assert (await parts.library.load(survey.id)).check == survey.check

    run(work())


def test_pictures_are_there_before_their_turn():
    parts = Parts()

    async def work():
        survey = await surveyed(parts)
        pictures = Pictures(parts.ground, source(), survey)
        cells = list(range(10))
        pictures.ahead(cells)
        seen = await pictures.of(0)
        assert seen.pixels.shape == (384, 384, 3) and seen.around == 2
        for cell in range(1, AHEAD):
            await pictures.of(cell)
            assert pictures.at_once(cell) is not None
        assert pictures.at_once(AHEAD) is None
        asked = len(parts.fetch.asked)
        pictures.ahead(cells[1:])
        assert pictures.at_once(1) is not None
        assert pictures.at_once(0) is None, "what was judged is let go"
        await pictures.of(1)
        assert len(parts.fetch.asked) >= asked
        await pictures.close()

    run(work())


def test_the_middle_of_the_picture_is_the_square():
    parts = Parts()

    async def work():
        survey = await surveyed(parts)
        pictures = Pictures(parts.ground, source(), survey)
        wide = (await pictures.of(3)).pixels.astype(float)
        from pyapp.work.check import Sight

        size = Sight(192, survey.grid.side_m / 192)
        chip = (await parts.ground.chip(source(), survey.grid.footprint(3), size)).pixels
        assert np.abs(wide[96:288, 96:288] - chip).mean() < 6

    run(work())


def test_at_the_edge_of_the_imagery_the_square_is_shown_alone():
    parts = Parts()

    async def work():
        survey = await surveyed(parts)
        pictures = Pictures(parts.ground, source(), survey)
        first = await pictures.of(0)
        inner = Pictures(parts.ground, source(), survey)
        narrow = set(parts.fetch.asked)
        assert first.around == 2 and narrow
        # Only the tiles under the square itself are there.
        from pyapp.core.ground.cut import Cut

        cut = Cut.of(survey.grid.footprint(0), source(), survey.grid.side_m / 192)
        there = {source().url_of(tile) for tile in cut.tiles}
        for url in narrow - there:
            parts.instead[url] = StatusError(404)
        parts.ground._decoded.__init__(8 << 20)
        alone = await inner.of(0)
        assert alone.around == 1 and alone.pixels.shape == (192, 192, 3)

    run(work())


def test_a_source_that_disappears_is_said_and_read_again():
    parts = Parts()

    async def work():
        survey = await surveyed(parts)
        pictures = Pictures(parts.ground, source(), survey)
        pictures.ahead([0, 1])
        await pictures.of(0)
        usual, parts.tile = parts.tile, lambda url: UnreachableError("gone")
        parts.ground._decoded.__init__(8 << 20)
        with pytest.raises(UnreachableTileError):
            await pictures.of(7)
        assert pictures.at_once(7) is None
        assert pictures.at_once(0) is not None, "what was read stays"
        parts.tile = usual
        assert (await pictures.of(7)).pixels.any()
        parts.tile = lambda url: StatusError(404)
        parts.ground._decoded.__init__(8 << 20)
        with pytest.raises(MissingTileError):
            await pictures.of(9)
        await pictures.close()

    run(work())

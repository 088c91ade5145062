"""Teaching from the judged squares of a check, and checking a survey by what was taught."""

import asyncio

import numpy as np
import pytest

from pyapp.core.accuracy.check import CANT_TELL, CLASSES, PROPORTIONAL, begin
from pyapp.core.accuracy.errors import (
    FewJudgedError,
    NoSquareReadError,
    OneClassError,
    OtherSideError,
)
from pyapp.core.errors import (
    UnreachableTileError,
)
from pyapp.core.ground.area import rectangle
from pyapp.core.ground.cut import Cut
from pyapp.core.ground.geo import moved
from pyapp.core.teach.recolour import recoloured
from pyapp.core.teach.steps import finished
from pyapp.work.check import Checker
from pyapp.work.ground import Ground
from pyapp.work.ports import UnreachableError
from pyapp.work.teach.judged import Judgements, project_for, teach_from
from tests.work.fakes import decode, run, source
from tests.work.parts import HERE
from tests.work.test_teacher import LIGHT, Taught


async def surveyed(parts):
    """A survey of some 90 squares with the model in use."""
    area = rectangle(HERE, moved(HERE, 1000, -600))
    survey = parts.session.begin(area, parts.survey(1000, 600).grid, source())
    parts.session.work_on(survey, source())
    await parts.tasks.finish()
    return survey


async def checked(parts, count=40, say=None):
    """A survey of which squares were judged, as one of two classes as a rule."""
    survey = await surveyed(parts)
    check = begin(survey, CLASSES, count, seed=3)
    for cell in check.sample:
        check.judge(cell, cell % 2 if say is None else say(cell))
    return Judgements(survey, check, source())


async def teach(parts, judgements, project=None, progress=lambda *_: None):
    project = project or project_for(judgements.survey, [])
    taken = await teach_from(
        judgements, project, parts.teacher, parts.ground, parts.models.runner.card, progress
    )
    await parts.tasks.finish()
    return taken


def forgotten(parts):
    """Ground without a tile that is decoded already."""
    return Ground(parts.fetch, decode, parts.clock, 8 << 20)


def test_judged_squares_are_learned_and_those_aside_judge_what_was():
    async def work():
        parts = Taught()
        await parts.load()
        judgements = await checked(parts)
        seen = []
        taken = await teach(parts, judgements, progress=lambda *each: seen.append(each))
        project, teacher = taken.project, parts.teacher
        assert teacher.project == teacher.learned == project and taken.missing == 0
        count = len(judgements.check.sample)
        assert seen == [(each, count) for each in range(count)]
        assert project.name == f"Judged: {judgements.survey.name}"
        assert project.classes == ("field", "river") == parts.models.card.labels
        aside = {each.sha256 for each in project.aside}
        assert len(aside) == pytest.approx(count / 3, abs=1)
        # Neither the fit nor cross-validation has seen them.
        assert len(teacher.embedding) == len(teacher.verdict.predicted) == count - len(aside)
        assert len(parts.models.taught.ground) == count - len(aside)
        (found,) = teacher.aside
        assert (found.squares, found.overlapping, found.missing) == (len(aside), 0, ())
        # What it says of them is what it says of them on the map.
        right = 0
        for each in project.aside:
            answer = await parts.classifier.square(each.place, source())
            right += answer.prediction.ranked[0].label == each.label
        assert (found.accuracy.share == 1) == (right == len(aside))
        assert 0 <= found.accuracy.low <= found.accuracy.share <= found.accuracy.high <= 1
        assert parts.told == [] and parts.logged == []

    run(work())


def test_what_is_kept_aside_stays_so_after_a_reload():
    async def work():
        parts = Taught()
        await parts.load()
        taken = await teach(parts, await checked(parts))
        later = Taught(parts.records)
        await later.load()
        later.teacher.take(await later.projects.load(taken.project.id), keep=False)
        await later.tasks.finish()
        assert later.teacher.project == taken.project and taken.project.aside
        assert later.teacher.aside == parts.teacher.aside
        assert later.teacher.taught.card == parts.teacher.taught.card

    run(work())


def test_a_layer_does_not_depend_on_what_is_kept_aside():
    async def work():
        parts = Taught()
        await parts.load()
        project = (await teach(parts, await checked(parts))).project
        before = parts.teacher.taught
        parts.teacher.take(project.moved(project.aside[0].sha256, "river"))
        await parts.tasks.finish()
        assert parts.teacher.taught.card == before.card
        assert np.array_equal(parts.teacher.taught.head.weights, before.head.weights)

    run(work())


def test_the_project_before_is_stored_and_nothing_of_it_changes():
    async def work():
        parts = Taught()
        await parts.load()
        judgements = await checked(parts)
        await parts.teach(2)
        parts.teacher.take(parts.teacher.project.with_class("third"))
        before = parts.teacher.project
        taken = await teach(parts, judgements)
        assert taken.project.id != before.id
        assert await parts.projects.load(before.id) == before
        assert {each.id for each in await parts.projects.list()} == {before.id, taken.project.id}

    run(work())


def test_squares_can_join_the_project_in_use():
    async def work():
        parts = Taught()
        await parts.load()
        judgements = await checked(parts)
        await parts.teach(2)
        before = parts.teacher.project
        taken = await teach(parts, judgements, before)
        assert taken.project.id == before.id
        assert taken.project.examples[: len(before.examples)] == before.examples
        assert taken.project.classes == (*before.classes, "field", "river")
        assert parts.teacher.aside

    run(work())


def test_names_of_projects_are_not_taken_twice():
    async def work():
        parts = Taught()
        await parts.load()
        survey = await surveyed(parts)
        first = project_for(survey, [])
        assert project_for(survey, [first.name]).name == f"{first.name} 2"
        survey.name = "x" * 200
        assert len(project_for(survey, []).name) <= 60

    run(work())


def test_squares_without_imagery_are_left_out_and_weigh_on_the_others():
    async def work():
        parts = Taught()
        await parts.load()
        judgements = await checked(parts)
        parts.ground = forgotten(parts)
        usual = parts.tile
        gone = judgements.survey.grid.footprint(judgements.check.sample[0])
        card = parts.models.runner.card
        urls = {source().url_of(each) for each in Cut.of(gone, source(), card.resolution_m).tiles}
        parts.tile = lambda url: 404 if url in urls else usual(url)
        taken = await teach(parts, judgements)
        assert 1 <= taken.missing < len(judgements.check.sample)
        hectares = sum(each.judged.hectares for each in taken.project.examples)
        assert hectares == pytest.approx(judgements.survey.grid.hectares.sum())

    run(work())


@pytest.mark.parametrize(
    ("tile", "error"),
    [(404, NoSquareReadError), (UnreachableError("gone"), UnreachableTileError)],
)
def test_imagery_that_is_no_longer_there_changes_nothing(tile, error):
    async def work():
        parts = Taught()
        await parts.load()
        judgements = await checked(parts)
        before = parts.teacher.project
        parts.ground = forgotten(parts)
        parts.tile = lambda url: tile
        with pytest.raises(error):
            await teach(parts, judgements)
        assert parts.teacher.project == before and await parts.projects.list() == []

    run(work())


def test_cancelled_nothing_is_changed():
    async def work():
        parts = Taught()
        await parts.load()
        judgements = await checked(parts)
        before = parts.teacher.project

        def stop(done, _count):
            if done == 5:
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await teach(parts, judgements, progress=stop)
        assert parts.teacher.project == before and await parts.projects.list() == []

    run(work())


def test_what_can_not_be_taught_is_refused_before_anything_is_read():
    async def work():
        parts = Taught()
        await parts.load()
        judgements = await checked(parts, say=lambda _cell: 2)
        asked = len(parts.fetch.asked)
        with pytest.raises(OneClassError, match="“road”"):
            await teach(parts, judgements)
        for cell in judgements.check.sample[10:]:
            judgements.check.judge(cell, CANT_TELL)
        with pytest.raises(FewJudgedError):
            await teach(parts, judgements)
        assert len(parts.fetch.asked) == asked

    run(work())


def test_squares_of_another_size_than_the_model_looks_at_are_refused():
    async def work():
        parts = Taught()
        await parts.load()
        judgements = await checked(parts)
        object.__setattr__(judgements.survey.grid, "side_m", 400.0)
        with pytest.raises(OtherSideError, match=r"400 m wide.* looks at 78 m"):
            await teach(parts, judgements)

    run(work())


def test_a_survey_of_another_network_teaches_the_one_in_use():
    async def work():
        parts = Taught()
        await parts.load()
        judgements = await checked(parts)
        await parts.models.choose("other")
        taken = await teach(parts, judgements)
        assert parts.teacher.taught.card.network == parts.models.runner.card.sha256
        assert parts.teacher.taught.card.network != judgements.survey.model.network
        assert parts.teacher.aside[0].squares == len(taken.project.aside)

    run(work())


def test_a_survey_by_what_was_taught_is_not_checked_by_its_examples():
    async def work():
        parts = Taught()
        await parts.load()
        judgements = await checked(parts, 20)
        project = (await teach(parts, judgements)).project
        again = await surveyed(parts)
        cells = {again.grid.number_at(each.place.centre) for each in project.fitted}
        assert set(again.learned) == cells
        check = Checker(parts.store, again).draw(CLASSES, 1000, PROPORTIONAL)
        assert check.learned == cells and not cells & set(check.sample)
        # Those kept aside it did not learn from, so they can check it.
        assert {again.grid.number_at(each.place.centre) for each in project.aside} <= set(
            check.sample
        )
        assert (await parts.store.load(again.id)).learned == again.learned
        # So it is with a survey that is seen with taught answers, and saved.
        seen = finished(recoloured(parts.teacher.taught, judgements.survey))
        assert set(seen.learned) == cells and judgements.survey.learned is None
        # The judgements of the taught survey teach on, in the same project or another.
        for number, cell in enumerate(check.sample):
            check.judge(cell, number % 2)
        more = Judgements(again, check, source())
        asides = {each.sha256 for each in project.aside}
        taken = await teach(parts, more, parts.teacher.project)
        assert asides <= {each.sha256 for each in taken.project.aside}
        assert len(taken.project.aside) > len(asides)
        assert parts.teacher.aside[0].overlapping == 0 and len(parts.teacher.aside) == 2

    run(work())


def test_own_examples_have_nothing_aside():
    async def work():
        parts = Taught()
        await parts.load()
        await parts.teach()
        assert parts.teacher.aside == () and parts.teacher.project.count(LIGHT) == 6
        survey = await surveyed(parts)
        assert survey.learned == tuple(sorted(survey.learned))

    run(work())

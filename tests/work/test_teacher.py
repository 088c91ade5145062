"""The project in use: given examples, learned from, kept, undone, and used for answers."""

import asyncio
import zlib

import numpy as np
import pytest

from pyapp.core.errors import LookdownError, TwoClassesError
from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import Footprint, moved
from pyapp.core.state import CellState
from pyapp.core.survey.geojson import from_geojson, to_geojson
from pyapp.core.survey.survey import Survey
from pyapp.core.teach.recolour import recoloured
from pyapp.core.teach.steps import finished
from pyapp.work.teach.candidates import pool_of, suggested
from pyapp.work.teach.pictures import Pictures
from pyapp.work.teach.probe import Probe
from pyapp.work.teach.store import TABLES, ProjectStore
from pyapp.work.teach.teacher import Given, Teacher
from tests.work.fakes import SIDE_M, run, source
from tests.work.parts import HERE, Parts

LIGHT, DARK = "light", "dark"


class Taught(Parts):
    """The parts, and a teacher."""

    def __init__(self, records=None, **facts):
        super().__init__(**facts)
        if records is not None:
            self.records = records
        for table in TABLES:
            self.records.tables.setdefault(table, {})
        self.projects = ProjectStore(self.records)
        self.pictures = Pictures(self.projects, lambda error: self.told.append(str(error)))
        self.teacher = Teacher(self.models, self.files, self.pictures, self.clock, self.tasks)

    def chip(self, brightness, number=0, side=192):
        """A chip that the fake network tells by its brightness, with a place of its own."""
        pixels = np.full((side, side, 3), brightness, np.uint8)
        pixels[0, 0] = number
        place = Footprint(moved(HERE, 500 * number, 1000 * (brightness > 99)), SIDE_M)
        return Given(pixels, place, "us")

    async def give(self, label, count, brightness):
        await self.teacher.add(label, [self.chip(brightness + each % 3, each)
                                       for each in range(count)])  # fmt: skip

    async def teach(self, count=6):
        project = self.teacher.project
        for label in (LIGHT, DARK):
            project = project.with_class(label)
        self.teacher.take(project)
        await self.give(LIGHT, count, 200)
        await self.give(DARK, count, 20)
        await self.tasks.finish()


def test_what_is_given_is_learned_judged_and_used():
    async def work():
        parts = Taught()
        await parts.load()
        before = parts.models.card
        await parts.teach()
        teacher = parts.teacher
        assert teacher.verdict.accuracy.share == 1.0 and teacher.verdict.places == 12
        assert teacher.curve is not None and teacher.doing == ""
        assert parts.models.card is teacher.taught.card
        assert parts.models.card.labels == (LIGHT, DARK) and parts.models.card.is_taught
        assert parts.models.card.network == before.sha256
        answer = await parts.classifier.square(Footprint(HERE, SIDE_M), source())
        assert {each.label for each in answer.prediction.ranked} == {LIGHT, DARK}
        assert answer.card.title.startswith("My classes, taught on")
        teacher.switch(False)
        again = await parts.classifier.again(answer)
        assert again.card == before and len(again.prediction.ranked) == 4
        assert parts.told == [] and parts.logged == []

    run(work())


def test_one_class_or_an_empty_one_teaches_nothing():
    async def work():
        parts = Taught()
        await parts.load()
        parts.teacher.take(parts.teacher.project.with_class(LIGHT).with_class(DARK))
        await parts.give(LIGHT, 3, 200)
        await parts.tasks.finish()
        assert parts.teacher.taught is None and not parts.models.card.is_taught
        await parts.give(DARK, 1, 20)
        await parts.tasks.finish()
        assert parts.models.card.is_taught and parts.teacher.verdict is None
        # Undone: the class has no example any more.
        parts.teacher.take(parts.teacher.project.without(parts.teacher.project.examples[-1].sha256))
        await parts.tasks.finish()
        assert parts.models.taught is None

    run(work())


def test_the_same_square_in_two_classes_is_refused_as_a_whole():
    async def work():
        parts = Taught()
        await parts.load()
        await parts.teach(2)
        before = parts.teacher.project
        with pytest.raises(TwoClassesError):
            await parts.teacher.add(DARK, [parts.chip(20, 9), parts.chip(200, 0)])
        assert parts.teacher.project == before

    run(work())


def test_what_is_kept_comes_back_and_the_network_does_not_run_again():
    async def work():
        parts = Taught()
        await parts.load()
        await parts.teach()
        card = parts.teacher.taught.card
        later = Taught(parts.records)
        await later.load()
        runs = len(later.runtime.batches)
        (stored,) = await later.projects.list()
        assert (stored.name, stored.examples) == ("My classes", 12)
        later.teacher.take(await later.projects.load(stored.id), keep=False)
        await later.tasks.finish()
        assert len(later.runtime.batches) == runs
        assert later.teacher.taught.card == card
        assert np.allclose(later.teacher.taught.head.weights, parts.teacher.taught.head.weights)

    run(work())


def test_another_model_learns_from_the_pictures():
    async def work():
        parts = Taught()
        await parts.load()
        await parts.teach()
        first = parts.teacher.taught.card
        await parts.models.choose("other")
        await parts.tasks.finish()
        second = parts.teacher.taught.card
        assert second.network == parts.models.runner.card.sha256 != first.network
        assert second.labels == first.labels and parts.models.taught is parts.teacher.taught

    run(work())


@pytest.mark.parametrize("when", ["before", "in the middle"])
def test_a_full_disk_is_said_once_and_teaching_goes_on(when):
    async def work():
        parts = Taught()
        await parts.load()
        if when == "in the middle":
            await parts.teach(2)
        parts.records.refuses = "the storage of this device is full"
        if when == "before":
            await parts.teach()
        else:
            await parts.give(LIGHT, 5, 210)
            await parts.tasks.finish()
        assert [each for each in parts.told if "full" in each] == parts.told
        assert len(parts.told) == 1 and "save it as a file" in parts.told[0]
        assert parts.teacher.taught is not None
        # All pictures can still be saved as a file: new ones are in memory.
        parts.records.refuses = ""
        found = await parts.pictures.pictures(parts.teacher.project)
        assert len(found) == len(parts.teacher.project.examples)

    run(work())


def test_damaged_projects_are_left_out_of_the_list():
    async def work():
        parts = Taught()
        await parts.load()
        await parts.teach(1)
        parts.records.tables["projects"]["broken"] = {"json": '{"id": 3'}
        parts.records.tables["projects"]["newer"] = {"json": '{"format": "lookdown project 9"}'}
        assert [each.name for each in await parts.projects.list()] == ["My classes"]
        with pytest.raises(LookdownError, match="lookdown project 9"):
            await parts.projects.load("newer")

    run(work())


def test_a_deleted_project_is_swept_at_the_next_visit():
    async def work():
        parts = Taught()
        await parts.load()
        await parts.teach(1)
        project = parts.teacher.project
        await parts.projects.mark(project.id, True)
        assert await parts.projects.list() == []
        await parts.projects.mark(project.id, False)
        assert len(await parts.projects.list()) == 1
        await parts.projects.mark(project.id, True)
        await parts.projects.sweep()
        assert not any(parts.records.tables[table] for table in TABLES)

    run(work())


def test_examples_given_while_it_learns_are_all_learned():
    async def work():
        parts = Taught()
        await parts.load()
        await parts.teach(2)
        await asyncio.gather(*(parts.teacher.add(LIGHT, [parts.chip(220, each)])
                               for each in range(6)))  # fmt: skip
        await parts.tasks.finish()
        assert parts.teacher.learned == parts.teacher.project
        assert parts.teacher.project.count(LIGHT) == 8

    run(work())


async def surveyed(parts) -> Survey:
    """A survey of a small area with the model in use."""
    area = rectangle(HERE, moved(HERE, 400, -300))
    grid = parts.survey(400, 300).grid
    survey = parts.session.begin(area, grid, source())
    parts.session.work_on(survey, source())
    await parts.tasks.finish()
    return survey


def test_a_survey_with_taught_classes_is_that_of_clicks_and_of_recolouring():
    async def work():
        parts = Taught()
        await parts.load()
        original = await surveyed(parts)
        await parts.teach()
        taught = await surveyed(parts)
        assert taught.model.labels == (LIGHT, DARK)
        assert taught.model.network == original.model.sha256
        assert taught.count(CellState.CLASSIFIED) > 10
        seen = finished(recoloured(parts.teacher.taught, original))
        assert seen.model == taught.model and seen.id != original.id
        # Embeddings are stored in half precision.
        assert np.abs(seen.probability - taught.probability).max() < 0.01
        own = await parts.teacher.trained(parts.models.runner)
        if own is not None:
            back = finished(recoloured(own, taught))
            assert np.abs(back.probability - original.probability).max() < 0.01
            assert np.abs(back.familiarity - original.familiarity).max() < 0.05
        answer = await parts.classifier.square(taught.grid.footprint(5), source())
        best = {each.label: each.probability for each in answer.prediction.ranked}
        assert best[LIGHT] == pytest.approx(taught.probability[5, 0], abs=1e-3)
        # It is stored and saved as what it is.
        stored = await parts.store.load(taught.id)
        assert stored.model == taught.model
        assert np.array_equal(stored.length, taught.length)
        file = from_geojson(to_geojson(seen))
        assert file.model == taught.model and "taught on" in to_geojson(seen)

    run(work())


def test_corrections_hold_in_a_recoloured_survey_as_far_as_its_classes_say_them():
    async def work():
        parts = Taught()
        await parts.load()
        original = await surveyed(parts)
        await parts.teach()
        before = await surveyed(parts)
        wrong = int((before.answers() == 0).argmax())
        before.correct(wrong, 1)
        original.correct(wrong, 0)
        taught = parts.teacher.taught
        seen = finished(recoloured(taught, before))
        assert seen.corrections == {wrong: 1} and seen.answers()[wrong] == 1
        assert seen.probability[wrong, 0] > 0.5 and seen.scores[wrong].argmax() == 1
        # The network's first class is none of those that were taught; the survey keeps it.
        assert finished(
            recoloured(taught, original)
        ).corrections == {} and original.corrections == {wrong: 0}
        saved = from_geojson(to_geojson(seen))
        assert saved.answers()[wrong] == 1

    run(work())


def test_a_survey_goes_on_with_the_answers_that_it_began_with():
    async def work():
        parts = Taught()
        await parts.load()
        await parts.teach()
        area = rectangle(HERE, moved(HERE, 800, -400))
        survey = parts.session.begin(area, parts.survey().grid, source())
        parts.session.work_on(survey, source())
        for _ in range(30):
            await asyncio.sleep(0)
        parts.teacher.switch(False)
        await parts.tasks.finish()
        assert survey.probability.shape[1] == 2
        assert not len(survey.waiting) and parts.logged == []
        assert not parts.models.can_continue(survey.model.sha256)
        parts.teacher.switch(True)
        assert parts.models.can_continue(survey.model.sha256)

    run(work())


def test_squares_to_label_are_not_labelled_yet():
    async def work():
        parts = Taught()
        await parts.load()
        survey = await surveyed(parts)
        await parts.teach()
        network = parts.models.runner.card.sha256
        pool = pool_of(survey, None, network)
        squares = suggested(parts.teacher, pool, 4)
        assert len(squares) == len(set(squares)) == 4
        chip = await parts.ground.chip(source(), squares[0], parts.models.runner.card)
        await parts.teacher.add(LIGHT, [Given(chip.pixels, squares[0], "us")])
        await parts.tasks.finish()
        assert squares[0] not in suggested(parts.teacher, pool, 4)
        assert pool_of(survey, None, "another network") is None

    run(work())


def test_probing_an_area_looks_at_spread_squares_and_leaves_gaps_out():
    async def work():
        parts = Taught()
        await parts.load()
        probe = Probe(parts.models, parts.ground)
        area = rectangle(HERE, moved(HERE, 3000, -3000))
        seen = []
        found = await probe.look(area, source(), lambda done, count: seen.append((done, count)))
        assert len(found.footprints) == len(found.predictions) == 64 and seen[-1] == (63, 64)
        east = np.array([each.centre.lng for each in found.footprints])
        quarters = np.histogram(east, 4, (HERE.lng, moved(HERE, 3000, 0).lng))[0]
        assert quarters.min() >= 12
        tile = parts.tile
        parts.tile = lambda url: 404 if zlib.crc32(url.encode()) % 16 == 0 else tile(url)
        parts.ground = type(parts.ground)(parts.fetch, None, parts.clock, 8 << 20)
        fewer = await Probe(parts.models, parts.ground).look(area, source(), lambda *_: None)
        assert fewer.without_imagery + len(fewer.footprints) == 64
        assert fewer.without_imagery and len(fewer.footprints) > 1
        parts.tile = lambda url: 404
        parts.ground = type(parts.ground)(parts.fetch, None, parts.clock, 8 << 20)
        with pytest.raises(LookdownError, match="no imagery"):
            await Probe(parts.models, parts.ground).look(area, source(), lambda *_: None)

    run(work())

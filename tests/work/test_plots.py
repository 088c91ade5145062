"""Plots at work: classified as clicks are, stored as they grow, gone on with, closed."""

import asyncio
import json

import numpy as np
import pytest

from pyapp.core.errors import ForbiddenSurveyError
from pyapp.core.ground.geo import Footprint, LngLat, moved
from pyapp.core.imagery.source import Allows
from pyapp.core.plots.errors import PlotStoreError
from pyapp.core.plots.plots import Plots
from pyapp.core.plots.table import plots_from_csv
from pyapp.core.state import CellState
from pyapp.work.plots import TABLES, PlotSession, PlotStore
from tests.work.fakes import run, source, tile_bytes
from tests.work.parts import HERE, Parts
from tests.work.test_session import until


def table(count=60, spread_m=900.0) -> Plots:
    """Plots in the order in which somebody noted them: any."""
    chance = np.random.default_rng(7)
    lines = ["number,lat,lon"]
    for number, (east, north) in enumerate(chance.uniform(0, spread_m, (count, 2))):
        place = moved(HERE, east, north)
        lines.append(f"{number},{place.lat:.9f},{place.lng:.9f}")
    return plots_from_csv("\n".join([*lines, "last,,"]).encode(), "trees.csv")


class PlotParts(Parts):
    """Everything but the screen, with a session of plots."""

    def __init__(self):
        super().__init__()
        self.records.tables = {name: {} for name in TABLES}
        self.plot_store = PlotStore(self.records)
        self.plots = PlotSession(
            self.models, self.ground, self.plot_store, self.clock, self.tasks, self.busy
        )

    async def done(self, work):
        await until(lambda: not self.plots.goes_on and not len(work.waiting))
        await self.tasks.finish()


def test_each_plot_gets_the_answer_of_a_click_there_and_each_tile_is_read_once():
    parts, plots = PlotParts(), table()

    async def work():
        await parts.load()
        before = len(parts.fetch.asked)
        found = parts.plots.begin(plots, source())
        parts.plots.work_on(found, source())
        await parts.done(found)
        asked = parts.fetch.asked[before:]
        assert len(asked) == len(set(asked))
        for row in range(0, 60, 7):
            place = LngLat(float(plots.lng[row]), float(plots.lat[row]))
            clicked = await parts.classifier.square(Footprint(place, found.side_m), source())
            said, prediction = found.answer(row), clicked.prediction
            assert said.best == prediction.best.label
            assert said.label == (prediction.answer.name if prediction.answer else "")
            # Stored in half precision, as a survey is.
            assert said.probability == pytest.approx(prediction.best.probability, abs=1e-3)
        again = await PlotStore(parts.records).newest()
        assert [again.answer(row) for row in range(61)] == [found.answer(row) for row in range(61)]
        assert again.plots.to_json() == plots.to_json()

    run(work())
    assert parts.told == [] and parts.logged == [] and not parts.busy


def test_a_tab_that_is_closed_goes_on_where_it_was():
    parts = PlotParts()

    async def work():
        await parts.load()
        found = parts.plots.begin(table(), source())
        parts.runtime.takes_ms = dict.fromkeys(parts.hardware.device.backends, 300.0)
        parts.plots.work_on(found, source())
        await until(lambda: len(parts.records.tables["batches"]) > 1)
        # What a reload finds while it works, without any warning.
        again = await PlotStore(parts.records).newest()
        left = again.count(CellState.WAITING)
        assert 0 < left < 60
        lost = found.count(CellState.CLASSIFIED) - again.count(CellState.CLASSIFIED)
        assert 0 <= lost / max(parts.runtime.batches) * 300 <= 2000, "two seconds at most"
        await parts.plots.pause()
        assert not parts.plots.goes_on and not parts.busy
        fresh = PlotParts()
        fresh.records = parts.records
        fresh.plots = PlotSession(
            fresh.models, fresh.ground, PlotStore(fresh.records), fresh.clock, fresh.tasks,
            fresh.busy,
        )  # fmt: skip
        await fresh.load()
        fresh.plots.work_on(again, source())
        await fresh.done(again)
        assert again.count(CellState.CLASSIFIED) == 60
        assert sum(fresh.runtime.batches) >= left

    run(work())


def test_plots_cancelled_keep_what_was_found():
    parts = PlotParts()

    async def work():
        await parts.load()
        found = parts.plots.begin(table(), source())
        parts.plots.work_on(found, source())
        await until(lambda: found.count(CellState.CLASSIFIED) > 2)
        await parts.plots.cancel(found)
        assert not len(found.waiting) and found.count(CellState.LEFT_OUT)
        again = await PlotStore(parts.records).newest()
        assert np.array_equal(again.state, found.state)
        assert found.look_again() == again.count(CellState.LEFT_OUT)

    run(work())


def test_imagery_that_may_not_be_read_in_bulk_is_not_asked_for():
    parts = PlotParts()
    strict = source(allows=Allows(bulk=False))

    async def work():
        await parts.load()
        before = len(parts.fetch.asked)
        found = parts.plots.begin(table(), strict)
        parts.plots.work_on(found, strict)
        await parts.tasks.finish()
        assert parts.fetch.asked[before:] == [] and found.is_new

    run(work())
    assert parts.told == [str(ForbiddenSurveyError("Valley, Nepal", []))]


def test_plots_and_a_survey_do_not_work_at_the_same_time():
    parts = PlotParts()

    async def work():
        await parts.load()
        found = parts.plots.begin(table(), source())
        survey = parts.survey()
        parts.session.work_on(survey, source())
        await until(lambda: parts.busy)
        parts.plots.work_on(found, source())
        assert not parts.plots.goes_on
        await until(lambda: not parts.session.goes_on)

    run(work())
    assert len(parts.told) == 1 and "Pause it before" in parts.told[0]


def test_without_imagery_each_plot_says_why():
    parts = PlotParts()
    parts.tile = lambda url: 404 if url.startswith("18") else tile_bytes(url)

    async def work():
        await parts.load()
        found = parts.plots.begin(table(5), source(max_zoom=18))
        parts.plots.work_on(found, source(max_zoom=18))
        await parts.done(found)
        assert {found.answer(row).state for row in range(5)} == {"no imagery"}
        assert found.answer(5).state == "no coordinates"

    run(work())


def test_storage_that_refuses_is_said_once_and_the_work_goes_on():
    parts = PlotParts()
    parts.records.refuses = "the storage of this device is full"

    async def work():
        await parts.load()
        found = parts.plots.begin(table(), source())
        parts.plots.work_on(found, source())
        await parts.done(found)
        assert found.count(CellState.CLASSIFIED) == 60
        with pytest.raises(PlotStoreError):
            await parts.plot_store.newest()

    run(work())
    assert len(parts.told) == 1 and "These plots are not kept" in parts.told[0]


def test_closed_plots_come_back_until_they_are_swept():
    parts = PlotParts()

    async def work():
        await parts.load()
        for count in (5, 6):
            found = parts.plots.begin(table(count), source())
            parts.plots.work_on(found, source())
            await parts.done(found)
        store = PlotStore(parts.records)
        assert (await store.newest()).id == found.id
        await store.close(found.id, True)
        assert len((await store.newest()).plots) == 6
        await store.close(found.id, False)
        assert (await store.newest()).id == found.id
        await store.close(found.id, True)
        await store.sweep()
        await store.close(found.id, False)
        assert len((await store.newest()).plots) == 6
        assert all(
            len(each) == 1 for name, each in parts.records.tables.items() if name != "batches"
        )

    run(work())


def test_damaged_records_cost_what_they_hold():
    parts = PlotParts()

    async def work():
        await parts.load()
        found = parts.plots.begin(table(), source())
        parts.runtime.takes_ms = dict.fromkeys(parts.hardware.device.backends, 300.0)
        parts.plots.work_on(found, source())
        await parts.done(found)
        tables = parts.records.tables
        first = next(iter(tables["batches"]))
        tables["batches"][first] = {"numbers": b"x"}
        again = await PlotStore(parts.records).newest()
        assert 0 < again.count(CellState.WAITING) < 60
        for name in ("facts", "input"):
            key, record = next(iter(tables[name].items()))
            for broken in ("{", "{}", json.dumps(5)):
                tables[name][key] = {"json": broken}
                assert await PlotStore(parts.records).newest() is None
            tables[name][key] = record
        await asyncio.sleep(0)

    run(work())

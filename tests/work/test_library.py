"""What is stored on the device: listed, opened, renamed, deleted and searched."""

import asyncio

import numpy as np
import pytest

from pyapp.core.errors import StoreError
from pyapp.core.state import CellState
from tests.core.surveys import batch_of, classified_survey
from tests.work.fakes import run
from tests.work.parts import Parts


async def keep(parts, survey_id="s1", made="2026-11-24T12:00:00"):
    """A stored survey with all its answers, in two batches."""
    survey = classified_survey()
    survey.id, survey.made = survey_id, made
    half = len(survey.grid) // 2
    await parts.store.put(survey)
    for numbers in (range(half), range(half, len(survey.grid))):
        await parts.store.add(survey, batch_of(survey, numbers))
    return survey


def test_what_is_stored_comes_back_newest_first():
    parts = Parts()

    async def work():
        await keep(parts, "old", "2026-01-01T00:00:00")
        survey = await keep(parts, "new")
        await parts.library.refresh()
        assert [each.id for each in parts.library.stored] == ["new", "old"]
        first = parts.library.stored[0]
        assert (first.done, first.cells) == (len(survey.grid), len(survey.grid))
        again = await parts.library.load("new")
        assert again.classified.all()
        assert again.embedding.shape == survey.embedding.shape

    run(work())


def test_damaged_records_cost_their_cells_and_damaged_facts_their_survey():
    parts = Parts()

    async def work():
        survey = await keep(parts)
        await keep(parts, "broken")
        first = min(key for key in parts.records.tables["batches"] if key[0] == "s1")
        parts.records.tables["batches"][first] = {"state": b"?"}
        again = await parts.store.load("s1")
        assert 0 < again.count(CellState.WAITING) < len(survey.grid)
        parts.records.tables["facts"]["broken"] = {"json": "{", "done": 1, "count": 1}
        await parts.library.refresh()
        assert [each.id for each in parts.library.stored] == ["s1"]
        with pytest.raises(StoreError, match="damaged"):
            await parts.store.load("broken")

    run(work())


def test_batches_of_two_tabs_do_not_write_over_each_other():
    from pyapp.work.store import Store

    parts = Parts()

    async def work():
        survey = await keep(parts)
        other = Store(parts.records)
        before = len(parts.records.tables["batches"])
        for store in (parts.store, other):
            await store.load("s1")
            await store.add(survey, batch_of(survey, [0, 1]))
        assert len(parts.records.tables["batches"]) == before + 2

    run(work())


def test_a_deleted_survey_comes_back_until_the_next_visit():
    parts = Parts()

    async def work():
        await keep(parts)
        await keep(parts, "other")
        await parts.library.refresh()
        await parts.library.delete("s1")
        assert [each.id for each in parts.library.stored] == ["other"]
        await parts.library.restore("s1")
        assert {each.id for each in parts.library.stored} == {"s1", "other"}
        await parts.library.delete("s1")
        later = Parts(records=parts.records)
        await later.library.open()
        assert [each.id for each in later.library.stored] == ["other"]
        assert {key[0] for key in parts.records.tables["batches"]} == {"other"}
        await parts.store.mark("nothing", True)

    run(work())


def test_the_survey_that_is_not_done_is_offered():
    parts = Parts()

    async def work():
        assert await parts.library.open() is None
        survey = classified_survey()
        survey.state[:5] = CellState.WAITING
        await parts.store.put(survey)
        await keep(parts, "whole")
        unfinished = await parts.library.open()
        assert unfinished.id == survey.id
        assert unfinished.done == unfinished.cells - 5

    run(work())


def test_a_survey_is_renamed_if_it_is_stored():
    parts = Parts()

    async def work():
        survey = await keep(parts)
        await parts.library.refresh()
        await parts.library.rename(survey, "In spring")
        assert [each.name for each in parts.library.stored] == ["In spring"]
        other = classified_survey()
        other.id = "never stored"
        await parts.library.rename(other, "Nothing")
        assert len(parts.library.stored) == 1

    run(work())


def test_of_two_readings_the_later_one_counts():
    """They once could end in the other order, and show what was there before."""
    parts = Parts()
    shown = []

    async def work():
        survey = await keep(parts)
        await parts.library.refresh()
        parts.library.on_change(lambda: shown.append(parts.library.stored[0].name))
        whole, held = parts.records.all, asyncio.Event()

        async def first_is_slow(table):
            found = await whole(table)
            if not held.is_set():
                held.set()
                for _ in range(20):
                    await asyncio.sleep(0)
            return found

        parts.records.all = first_is_slow
        slow = asyncio.create_task(parts.library.refresh())
        await held.wait()
        survey.name = "Newer"
        await parts.store.put(survey)
        await parts.library.refresh()
        await slow

    run(work())
    assert shown == ["Newer"]


def test_storage_that_refuses_leaves_an_empty_list_and_says_so_when_it_matters():
    parts = Parts()

    async def work():
        survey = await keep(parts)
        await parts.library.refresh()
        parts.records.refuses = "no room"
        with pytest.raises(StoreError, match="no room"):
            await parts.library.rename(survey, "x")
        assert parts.library.stored == []
        assert await parts.library.open() is None
        with pytest.raises(StoreError):
            await parts.library.delete("s1")
        with pytest.raises(StoreError):
            await parts.store.sweep()

    run(work())


def test_more_like_this_finds_each_ground_once_the_most_alike_first():
    parts = Parts()

    async def work():
        shown = await keep(parts)
        await keep(parts, "other", "2026-01-01T00:00:00")
        await parts.library.refresh()
        sha256 = shown.model.sha256
        surveys = await parts.search.surveys(shown, sha256)
        assert [each.id for each in surveys] == ["s1", "other"]
        wanted = shown.embedding[7]
        place = shown.grid.footprint(7)
        found = await parts.search.find(surveys, shown, wanted, place, 12)
        assert len(found) == 12
        # What both surveys show is found in the one on the map.
        assert {each.survey.id for each in found} == {"s1"}
        assert 7 not in [each.number for each in found]
        likeness = [each.likeness for each in found]
        assert likeness == sorted(likeness, reverse=True)
        assert likeness[0] == pytest.approx(
            float(np.delete(shown.embedding @ wanted, 7).max()), abs=1e-4
        )
        alone = await parts.search.find(surveys[1:], None, wanted, None, 3)
        assert {each.survey.id for each in alone} == {"other"}

    run(work())


def test_surveys_of_other_models_or_without_embeddings_are_not_searched():
    parts = Parts()

    async def work():
        survey = await keep(parts)
        await parts.library.refresh()
        assert await parts.search.surveys(survey, "another model") == []
        survey.embedding = None
        assert len(await parts.search.surveys(survey, survey.model.sha256)) == 0
        parts.records.refuses = "closed"
        with pytest.raises(StoreError):
            await parts.search.surveys(None, survey.model.sha256)
        shown = classified_survey()
        shown.id = "shown"
        assert await parts.search.surveys(shown, shown.model.sha256) == [shown]

    run(work())

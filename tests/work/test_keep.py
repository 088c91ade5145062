"""Areas that are kept on the device: each tile is read once, whatever happens meanwhile."""

import asyncio
import random
from dataclasses import replace

import pytest

from pyapp.core.errors import MissingTileError
from pyapp.core.ground.geo import Bounds, LngLat, moved, tile_at
from pyapp.core.imagery.source import Allows
from pyapp.core.pack.area import KeptArea
from pyapp.core.pack.errors import (
    ForbiddenKeepError,
    HereAlreadyError,
    KeepingBusyError,
    KeptStoreError,
    NothingToKeepError,
)
from pyapp.core.pack.tiles import Zooms, key_of, tiles_of
from pyapp.work.ground import Ground
from pyapp.work.keeper import AT_ONCE, NOTE_EVERY, Keeper
from pyapp.work.kept import AREAS, MISSING, TABLES, TILES, KeptAreas
from pyapp.work.ports import RecordsRefusedError, UnreachableError
from pyapp.work.tasks import Tasks
from tests.work.fakes import FakeClock, FakeFetch, FakeRecords, decode, run, source

SOURCE = replace(source(), url="https://tiles.example/{z}/{x}/{y}.jpg", origin="x", id="own-x")
NORTH_WEST = LngLat(8.50, 47.40)
ZOOMS = Zooms(15, 18)


def jpeg(url: str) -> bytes:
    """What looks like a JPEG from outside."""
    return b"\xff\xd8\xff" + url.encode() + b"\xff\xd9"


def area(side_m=1500.0, zooms=ZOOMS, imagery=SOURCE, id_="a1"):
    south_east = moved(NORTH_WEST, side_m, -side_m)
    bounds = Bounds(NORTH_WEST.lng, south_east.lat, south_east.lng, NORTH_WEST.lat)
    total = len(tiles_of(bounds, zooms, imagery))
    return KeptArea(id_, "Valley", "2026-11-26T08:00:00", imagery, bounds, zooms, total)


class FullRecords(FakeRecords):
    """A database that has room for so many tiles."""

    def __init__(self, room=None):
        super().__init__()
        self.tables = {name: {} for name in TABLES}
        self.room = room

    async def put(self, table, key, record):
        await super().put(table, key, record)
        if self.room is not None and len(self.tables[TILES]) > self.room:
            del self.tables[table][tuple(key)]
            raise RecordsRefusedError("the storage of this device is full")


class Visit:
    """The parts as a page has them; the database and the provider outlive it."""

    def __init__(self, records, fetch):
        self.told: list[str] = []
        self.logged: list[BaseException] = []
        self.tasks = Tasks(lambda error: self.told.append(str(error)), self.logged.append)
        self.records, self.fetch = records, fetch
        self.clock = FakeClock()
        self.ground = Ground(fetch, decode, self.clock, 1 << 20)
        self.areas = KeptAreas(records)
        self.ground.look_first(self.areas.tile)
        self.keeper = Keeper(self.areas, self.ground, self.clock, self.tasks)

    async def keep(self, wanted=None):
        """Go on with the area, or begin it, until that ends."""
        await self.areas.begin()
        wanted = wanted or area()
        held = self.areas.held.get(wanted.id) or await self.areas.add(wanted)
        self.keeper.work_on(held)
        await self.tasks.finish()
        assert self.logged == []
        return held


def test_an_area_is_kept_and_then_read_without_a_network():
    records, fetch = FullRecords(), FakeFetch(jpeg)

    async def work():
        held = await Visit(records, fetch).keep()
        assert held.is_complete and fetch.most == AT_ONCE
        assert sorted(fetch.asked) == sorted(SOURCE.url_of(tile) for tile in area().tiles())
        assert held.size_bytes == sum(map(len, map(jpeg, fetch.asked)))
        fetch.answer = lambda url: UnreachableError("no network")
        later = Visit(records, fetch)
        await later.areas.begin()
        (again,) = later.areas.held.values()
        assert (again.done, again.size_bytes) == (held.done, held.size_bytes)
        for tile in area().tiles():
            assert await later.ground.read_tile(SOURCE, tile) == jpeg(SOURCE.url_of(tile))
        # What the terms do not allow to keep is not looked for here.
        with pytest.raises(Exception, match="can't be read"):
            barred = replace(SOURCE, allows=Allows(keep=False))
            await later.ground.read_tile(barred, area().tiles()[0])

    run(work())


@pytest.mark.parametrize("seed", range(3))
def test_killed_twenty_times_it_reads_no_stored_tile_again(seed):
    chance = random.Random(seed)
    records, fetch = FullRecords(), FakeFetch(jpeg)
    wanted = area(5000.0, Zooms(17, 19))
    stored_before: set[str] = set()

    async def until_killed(steps):
        visit = Visit(records, fetch)
        records.refuses = ""
        asked_before = len(fetch.asked)
        work = asyncio.ensure_future(visit.keep(wanted))
        for _ in range(steps):
            await asyncio.sleep(0)
        # From here on, nothing reaches the disk.
        records.refuses = "killed"
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.gather(work, return_exceptions=True)
        again = {SOURCE.url_of(each) for each in wanted.tiles() if key_of(each) in stored_before}
        assert not again & set(fetch.asked[asked_before:])
        stored_before.update(key for _, key in records.tables[TILES])

    for _ in range(20):
        run(until_killed(chance.randrange(5, 300)))
    assert 20 < len(stored_before) < wanted.total
    records.refuses = ""
    held = run(Visit(records, fetch).keep(wanted))
    assert held.is_complete and len(held.stored) == wanted.total
    # Only what was on its way at a kill is asked for once more.
    assert len(fetch.asked) <= wanted.total + 20 * AT_ONCE
    sizes = [len(each["data"]) for each in records.tables[TILES].values()]
    assert held.size_bytes == pytest.approx(sum(sizes), rel=0.05)


def test_pausing_stores_what_is_on_its_way():
    records, fetch = FullRecords(), FakeFetch(jpeg)

    async def work():
        visit = Visit(records, fetch)
        held = await visit.areas.add(area())
        visit.keeper.work_on(held)
        with pytest.raises(KeepingBusyError):
            visit.keeper.work_on(await visit.areas.add(area(id_="a2")))
        for _ in range(40):
            await asyncio.sleep(0)
        await visit.keeper.pause()
        assert 0 < held.done < held.area.total and visit.keeper.held is None
        assert held.done == len(fetch.asked)
        visit.keeper.work_on(held)
        await visit.tasks.finish()
        assert held.is_complete and len(fetch.asked) == held.area.total

    run(work())


def test_a_full_disk_stops_it_with_a_sentence_and_loses_nothing():
    records, fetch = FullRecords(room=30), FakeFetch(jpeg)

    async def work():
        visit = Visit(records, fetch)
        held = await visit.keep()
        (said,) = visit.told
        assert "the storage of this device is full" in said and "30 of" in said
        assert len(held.stored) == 30 and not held.is_complete
        assert len(fetch.asked) <= 30 + AT_ONCE
        records.room = None
        later = Visit(records, fetch)
        assert (await later.keep()).is_complete and later.told == []

    run(work())


def test_without_a_line_it_stops_soon_and_goes_on_later():
    records, fetch = FullRecords(), FakeFetch(jpeg)

    def fails(url):
        return UnreachableError("gone") if len(fetch.asked) > 20 else jpeg(url)

    async def work():
        fetch.answer = fails
        visit = Visit(records, fetch)
        held = await visit.keep()
        (said,) = visit.told
        assert "can't be reached" in said and "Resume" in said
        assert held.done == 20 and len(fetch.asked) < 50
        fetch.answer = jpeg
        assert (await Visit(records, fetch).keep()).is_complete

    run(work())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (403, "refuses them (HTTP 403)"),
        (b"<!doctype html><title>Sign in</title>", "something else than complete pictures"),
        (b"\xff\xd8\xff cut short", "something else than complete pictures"),
        (TimeoutError(), "too slowly"),
    ],
)
def test_a_provider_that_gives_nothing_is_left_alone(answer, said):
    fetch = FakeFetch(lambda url: answer)

    async def work():
        visit = Visit(FullRecords(), fetch)
        await visit.keep()
        assert said in visit.told[0] and len(fetch.asked) < 30
        with pytest.raises(NothingToKeepError):
            await visit.keeper.sample(SOURCE, area().tiles())

    run(work())


def test_missing_tiles_are_listed_and_asked_for_again_only_when_wanted():
    gone = [SOURCE.url_of(tile) for tile in area().tiles()[::7]]
    records = FullRecords()
    fetch = FakeFetch(lambda url: 404 if url in gone else jpeg(url))

    async def work():
        held = await Visit(records, fetch).keep()
        assert held.is_complete
        assert sorted(held.missing) == sorted(key_of(tile) for tile in area().tiles()[::7])
        later = Visit(records, fetch)
        before = len(fetch.asked)
        again = await later.keep()
        with pytest.raises(MissingTileError):
            await later.ground.read_tile(SOURCE, area().tiles()[0])
        assert again.missing == held.missing and len(fetch.asked) == before
        gone.clear()
        await later.areas.look_again(again)
        later.keeper.work_on(again)
        await later.tasks.finish()
        assert not again.missing and again.is_complete

    run(work())


def test_one_bad_tile_does_not_stop_the_others():
    bad = SOURCE.url_of(area().tiles()[5])
    fetch = FakeFetch(lambda url: 500 if url == bad else jpeg(url))

    async def work():
        visit = Visit(FullRecords(), fetch)
        held = await visit.keep()
        assert visit.told == [] and held.done == held.area.total - 1
        assert visit.keeper.failed["a1"] == {key_of(area().tiles()[5])}

    run(work())


def test_terms_are_obeyed():
    visit = Visit(FullRecords(), FakeFetch(jpeg))
    with pytest.raises(ForbiddenKeepError, match="do not allow keeping"):
        visit.keeper.check(replace(SOURCE, allows=Allows(keep=False)))
    with pytest.raises(HereAlreadyError, match="part of this page"):
        visit.keeper.check(source())
    visit.ground.offer(SOURCE, None)
    with pytest.raises(HereAlreadyError, match="file of your own"):
        visit.keeper.check(SOURCE)

    async def work():
        # What the page knows of a source counts, not what was stored of it.
        records = FullRecords()
        first = Visit(records, FakeFetch(jpeg))
        await first.areas.add(area())
        later = Visit(records, first.fetch)
        await later.areas.begin([replace(SOURCE, allows=Allows(keep=False))])
        with pytest.raises(ForbiddenKeepError):
            later.keeper.work_on(later.areas.held["a1"])

    run(work())


def test_samples_are_not_read_again():
    fetch = FakeFetch(jpeg)

    async def work():
        visit = Visit(FullRecords(), fetch)
        samples = await visit.keeper.sample(SOURCE, area().tiles())
        held = await visit.areas.add(area())
        visit.keeper.work_on(held, samples)
        await visit.tasks.finish()
        assert len(fetch.asked) == len(set(fetch.asked)) == area().total

    run(work())


def test_areas_that_overlap_share_what_is_there():
    records, fetch = FullRecords(), FakeFetch(jpeg)

    async def work():
        await Visit(records, fetch).keep()
        visit = Visit(records, fetch)
        held = await visit.keep(area(2000.0, id_="a2"))
        assert held.is_complete and len(fetch.asked) == held.area.total

    run(work())


def test_freeing_deletes_all_also_if_it_was_interrupted():
    records, fetch = FullRecords(), FakeFetch(jpeg)

    async def work():
        visit = Visit(records, fetch)
        held = await visit.keep()
        await visit.keep(area(400.0, id_="a2"))
        before = records.delete_all

        async def interrupted(table, first):
            raise RecordsRefusedError("gone")

        records.delete_all = interrupted
        with pytest.raises(KeptStoreError):
            await visit.areas.free("a1")
        records.delete_all = before
        later = Visit(records, fetch)
        await later.areas.begin()
        assert list(later.areas.held) == ["a2"]
        assert {key[0] for key in records.tables[TILES]} == {"a2"}
        await later.keeper.cancel(later.areas.held["a2"])
        assert all(records.tables[name] == {} for name in (AREAS, TILES, MISSING))
        assert held.area.id not in later.areas.held

    run(work())


def test_damaged_records_cost_what_they_hold_only():
    records, fetch = FullRecords(), FakeFetch(jpeg)

    async def work():
        await Visit(records, fetch).keep()
        records.tables[AREAS]["b"] = {"json": "[]", "noted": "x"}
        tile = area().tiles()[0]
        records.tables[TILES][("a1", key_of(tile))] = {"data": "text"}
        visit = Visit(records, fetch)
        await visit.areas.begin()
        assert list(visit.areas.held) == ["a1"]
        assert await visit.ground.read_tile(SOURCE, tile) == jpeg(SOURCE.url_of(tile))

    run(work())


def test_tiles_are_found_around_the_date_line():
    bounds = Bounds(179.99, -0.01, 180.01, 0.01)
    east = tile_at(LngLat(-179.995, 0.0), 16)
    tiles = tiles_of(bounds, Zooms(16, 16), SOURCE)
    assert key_of(east) in {key_of(tile) for tile in tiles}
    assert NOTE_EVERY > AT_ONCE

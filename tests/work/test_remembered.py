"""Files that were opened before, and sources that were used, are there at the next visit."""

from dataclasses import replace

import pytest

from pyapp.work.known import KnownSources
from pyapp.work.remembered import MOST, TABLE, EarlierFile, EarlierFiles
from tests.core.test_oam import CATALOGUE, HERE, picture, source_of
from tests.work.fakes import FakeRecords, FakeSettings, run, source


class Handle:
    """What stands for a file of the browser."""


def files():
    records = FakeRecords()
    records.tables[TABLE] = {}
    return EarlierFiles(records), records


def test_the_last_files_are_remembered_newest_first():
    earlier, _ = files()
    noted = [
        EarlierFile(f"d{n}", f"town {n}.tif", (Handle(), Handle()), n) for n in range(MOST + 3)
    ]

    async def work():
        for each in noted:
            await earlier.note(each)
        await earlier.note(noted[5])
        return await earlier.all()

    found = run(work())
    assert [each.digest for each in found] == ["d5", "d10", "d9", "d8", "d7", "d6", "d4", "d3"]
    assert found[0] == noted[5], "with its handles and its coordinates"


def test_one_is_forgotten():
    earlier, _ = files()

    async def work():
        await earlier.note(EarlierFile("a", "a.tif", (Handle(),)))
        await earlier.forget("a")
        return await earlier.all()

    assert run(work()) == []


def test_where_nothing_can_be_stored_nothing_is_remembered():
    earlier, records = files()
    records.refuses = "a private window"

    async def work():
        await earlier.note(EarlierFile("a", "a.tif", (Handle(),)))
        await earlier.forget("a")
        return await earlier.all()

    assert run(work()) == []


@pytest.mark.parametrize("record", [{}, {"name": "a", "handles": []}, {"name": 3, "handles": [1]}])
def test_damaged_records_are_passed_over(record):
    earlier, records = files()
    records.tables[TABLE]["x"] = record
    assert run(earlier.all()) == []


def test_a_source_is_noted_once_and_forgotten():
    known = KnownSources(FakeSettings())
    first = source_of(picture(), CATALOGUE, HERE)
    other = replace(first, id="own-2", name="Other")
    for each in (first, other, first):
        known.note(each)
    assert [each.id for each in known.all()] == ["own-2", first.id]
    known.forget(other)
    assert known.all() == [first]
    assert known.holds(first) and not known.holds(source())

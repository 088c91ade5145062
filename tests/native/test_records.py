"""Records in a file: what a database in memory does, and what it does after a crash."""

import sqlite3

import pytest

from pyapp.native.records import SqliteRecords
from pyapp.work.ports import RecordsRefusedError
from tests.work.fakes import run


@pytest.fixture
def records(tmp_path):
    opened = SqliteRecords(tmp_path / "records")
    yield opened
    opened.close()


def test_texts_numbers_and_bytes_come_back_as_they_were(records):
    record = {"text": "ü", "number": 7, "share": 0.25, "bytes": b"\x00\xff", "nothing": None}
    run(records.put("facts", "one", record))
    assert run(records.get("facts", "one")) == record
    assert run(records.get("facts", "two")) is None
    assert run(records.get("batches", "one")) is None


def test_a_record_replaces_the_one_before(records):
    run(records.put("facts", "one", {"a": 1, "b": 2}))
    run(records.put("facts", "one", {"a": 3}))
    assert run(records.get("facts", "one")) == {"a": 3}
    run(records.delete("facts", "one"))
    assert run(records.get("facts", "one")) is None


def test_keys_come_in_their_order(records):
    keys = [["b", 1, "x"], ["a", 10, "x"], ["a", 9, "y"], ["a", -1]]
    for key in keys:
        run(records.put("batches", key, {"key": str(key)}))
    assert run(records.keys("batches")) == sorted(keys)
    assert run(records.keys("batches", "a")) == sorted(keys)[:3]
    run(records.delete_all("batches", "a"))
    assert run(records.keys("batches")) == [["b", 1, "x"]]
    assert run(records.all("batches")) == [{"key": "['b', 1, 'x']"}]


def test_plain_keys_stay_plain(records):
    run(records.put("facts", "one", {"a": 1}))
    assert run(records.keys("facts")) == ["one"]


def test_what_fails_in_the_middle_leaves_what_was_there(records):
    run(records.put("facts", "one", {"a": 1}))
    with pytest.raises(RecordsRefusedError):
        run(records.put("facts", "one", {"a": 2, "b": object()}))
    assert run(records.get("facts", "one")) == {"a": 1}
    run(records.put("facts", "one", {"a": 3}))
    assert run(records.get("facts", "one")) == {"a": 3}


def test_another_file_is_refused(tmp_path):
    (tmp_path / "text").write_text("no database, but long enough to be taken for one" * 100)
    with pytest.raises(RecordsRefusedError):
        SqliteRecords(tmp_path / "text")
    with pytest.raises(RecordsRefusedError):
        SqliteRecords(tmp_path / "missing" / "folder")


def test_a_second_run_is_refused(records, tmp_path):
    run(records.put("facts", "one", {"a": 1}))
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite3.connect(tmp_path / "records", timeout=0).execute("SELECT * FROM fields")

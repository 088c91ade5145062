"""Records in one file: SQLite, so that what was stored survives whatever ends the process."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyapp.work.ports import Key, RecordsRefusedError

# A field of a record is a row, so that texts, numbers and bytes stay what they are. One without a
# name stands for a record that has no fields.
TABLE = """
CREATE TABLE IF NOT EXISTS fields (
    record_table TEXT, first TEXT, rest TEXT, name TEXT, value,
    PRIMARY KEY (record_table, first, rest, name)
) WITHOUT ROWID
"""
PLACE = "record_table = ? AND first = ? AND rest = ?"


class SqliteRecords:
    """A database in a file; see `pyapp.work.ports.Records`.

    Parameters
    ----------
    path : Path
        It is made if it is not there.

    Raises
    ------
    RecordsRefusedError
        If it can't be made, or is none.
    """

    def __init__(self, path: Path):
        try:
            # The event loop may run in another thread than the one that opened it.
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            # A second run of the same survey is refused rather than mixed in.
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute(TABLE)
        except sqlite3.Error as error:
            raise RecordsRefusedError(str(error)) from error

    async def get(self, table: str, key: Key) -> Mapping[str, Any] | None:
        """The record under a key; ``None`` if there is none."""
        asked = f"SELECT name, value FROM fields WHERE {PLACE}"
        found = self._run(asked, table, *_parts(key))
        return {name: value for name, value in found if name} if found else None

    async def all(self, table: str) -> list[Mapping[str, Any]]:
        """All records of a table."""
        found = [await self.get(table, key) for key in await self.keys(table)]
        return [each for each in found if each is not None]

    async def keys(self, table: str, first: str | None = None) -> list[Any]:
        """All keys of a table in their order; with ``first``, those that begin with it."""
        asked, given = "SELECT DISTINCT first, rest FROM fields WHERE record_table = ?", [table]
        if first is not None:
            asked, given = f"{asked} AND first = ?", [table, first]
        found = [(begin, json.loads(rest)) for begin, rest in self._run(asked, *given)]
        return [[begin, *rest] if rest else begin for begin, rest in sorted(found)]

    async def put(self, table: str, key: Key, record: Mapping[str, Any]) -> None:
        """Store a record under a key, in place of what was there."""
        place = (table, *_parts(key))
        with self._transaction():
            self._run(f"DELETE FROM fields WHERE {PLACE}", *place)
            for name, value in (record or {"": None}).items():
                self._run("INSERT INTO fields VALUES (?, ?, ?, ?, ?)", *place, name, value)

    async def delete(self, table: str, key: Key) -> None:
        """Delete the record under a key, if there is one."""
        self._run(f"DELETE FROM fields WHERE {PLACE}", table, *_parts(key))

    async def delete_all(self, table: str, first: str) -> None:
        """Delete all records whose keys begin with ``first``."""
        self._run("DELETE FROM fields WHERE record_table = ? AND first = ?", table, first)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of what happens within, or nothing."""
        self._run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._database.in_transaction:
                self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    def _run(self, asked: str, *given: Any) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(asked, given).fetchall()
        except sqlite3.Error as error:
            raise RecordsRefusedError(str(error)) from error


def _parts(key: Key) -> tuple[str, str]:
    """The first part of a key, and the others as JSON."""
    if isinstance(key, str):
        return key, "[]"
    first, *rest = key
    return str(first), json.dumps(rest)

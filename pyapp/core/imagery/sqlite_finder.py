"""Finds rows of a SQLite table by the values of some columns, through an index if there is one."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from pyapp.core.imagery.archive_errors import UnsupportedArchiveError
from pyapp.core.imagery.sqlite import DamagedDatabaseError, Database, Value
from pyapp.core.imagery.sqlite_schema import Table

# Without an index all rows are looked at, once, and where each lies is kept in memory.
MOST_WITHOUT_INDEX = 500_000
Key: TypeAlias = "tuple[Value, ...]"


@dataclass
class Finder:
    """Finds rows of a table by the values of some columns."""

    database: Database
    table: Table
    columns: tuple[str, ...]
    _rowids: dict[Key, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        index = self.database.schema.index(self.table, self.columns)
        is_key = self.table.key[: len(self.columns)] == self.columns
        self._root = self.table.root if is_key else index.root if index else None
        self._whole = is_key

    @property
    def needs_all(self) -> bool:
        """Whether every row has to be looked at first."""
        return self._root is None and (self.table.alias,) != self.columns

    async def look_at_all(self, name: str) -> None:
        """Note where each row lies.

        Raises
        ------
        UnsupportedArchiveError
            If there are too many.
        """
        if self.table.key:
            raise UnsupportedArchiveError(name, "its tiles have no index")
        places = [self.table.columns.index(each) for each in self.columns]
        async for rowid, row in self.database.rows(self.table, max(places) + 1):
            self._rowids[tuple(row[at] if at < len(row) else None for at in places)] = rowid
            if len(self._rowids) > MOST_WITHOUT_INDEX:
                raise UnsupportedArchiveError(name, "its many tiles have no index")

    async def keys(self, start: Key) -> list[Key]:
        """The first key that begins with, or comes after, some values; none if there is none."""
        if self._root is None:
            later = [each for each in self._rowids if _is_sortable(each) and each >= start]
            return [min(later)] if later else []
        entry = await self.database.entry(self._root, start, len(self.columns))
        return [] if entry is None else [tuple(entry)]

    async def keys_of(self, first: Value, most: int) -> list[Key] | None:
        """All keys that begin with a value; ``None`` if there are more than ``most``."""
        found: list[Key] = []
        if self._root is None:
            found = [each for each in self._rowids if each[0] == first]
            return found if len(found) <= most else None
        async with aclosing(
            self.database.entries(self._root, (first,), len(self.columns))
        ) as entries:
            async for entry in entries:
                if entry[0] != first:
                    break
                found.append(tuple(entry))
                if len(found) > most:
                    return None
        return found

    async def row(self, key: Key) -> dict[str, Value] | None:
        """A row; ``None`` if there is none."""
        if self._root is not None and self._whole:
            entry = await self.database.entry(self._root, key)
            return self._named(entry) if _begins(entry, key) else None
        rowid = await self._rowid(key)
        if rowid is None:
            return None
        row = self._named(await self.database.row(self.table, rowid) or [])
        if tuple(row.get(each) for each in self.columns) != key:
            raise DamagedDatabaseError("an index that points to another row")
        return row

    async def _rowid(self, key: Key) -> int | None:
        if self._root is None:
            if (self.table.alias,) == self.columns:
                return key[0] if isinstance(key[0], int) else None
            return self._rowids.get(key)
        entry = await self.database.entry(self._root, key)
        rowid = entry[-1] if entry and _begins(entry, key) else None
        return rowid if isinstance(rowid, int) else None

    def _named(self, row: list[Value] | None) -> dict[str, Value]:
        return dict(zip(self.table.columns, row or (), strict=False))


def _begins(entry: list[Value] | None, key: Key) -> bool:
    return entry is not None and tuple(entry[: len(key)]) == key


def _is_sortable(key: Key) -> bool:
    return all(isinstance(each, int) for each in key)

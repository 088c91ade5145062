"""Reads a SQLite database page by page: only what a look-up needs, whatever the file's size.

The format is described at https://www.sqlite.org/fileformat2.html; section numbers below are its.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TypeAlias

from pyapp.core.imagery.archive_errors import UnsupportedArchiveError
from pyapp.core.imagery.archive_facts import Read
from pyapp.core.imagery.sqlite_schema import Schema, Table, schema_from

MAGIC = b"SQLite format 3\0"
HEADER_BYTES = 100
WAL, UTF_8 = 2, 1
# Kinds of pages (1.6).
INDEX_INSIDE, TABLE_INSIDE, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13
# Bytes of an integer of each kind (2.1).
INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
# Trees of 2^31 pages are less deep.
DEEPEST = 20
MOST_BYTES = 64 << 20
KEPT_PAGES = 256
Value: TypeAlias = "int | float | str | bytes | None"


class DamagedDatabaseError(ValueError):
    """The file isn't what a database is: it is damaged or cut short."""


class _ShortError(DamagedDatabaseError):
    """A record goes on elsewhere."""


@dataclass(frozen=True)
class _Page:
    """A page of a tree."""

    data: bytes
    kind: int
    cells: tuple[int, ...]
    # What lies behind the last cell.
    right: int


@dataclass(frozen=True)
class _Payload:
    """A record, of which the end may lie on other pages."""

    local: bytes
    size: int
    overflow: int


class Database:
    """An open database.

    Parameters
    ----------
    read : Read
    header : bytes
        The first 100 bytes.
    """

    def __init__(self, read: Read, header: bytes) -> None:
        self.schema = Schema()
        self.is_wal = WAL in (header[18], header[19])
        size = int.from_bytes(header[16:18], "big")
        self._page_bytes = 65536 if size == 1 else size
        self._usable = self._page_bytes - header[20]
        if self._page_bytes < 512 or self._page_bytes & (self._page_bytes - 1):
            raise DamagedDatabaseError("no size of pages")
        if self._usable < 480:
            raise DamagedDatabaseError("no room on its pages")
        self._read = read
        self._pages: OrderedDict[int, _Page] = OrderedDict()

    @classmethod
    async def open(cls, read: Read, name: str) -> Database:
        """Read the schema of a database.

        Raises
        ------
        DamagedDatabaseError
        UnsupportedArchiveError
            If its texts are stored in another way than UTF-8.
        """
        header = await read(0, HEADER_BYTES)
        if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
            raise DamagedDatabaseError("no database")
        if int.from_bytes(header[56:60], "big") not in (0, UTF_8):
            raise UnsupportedArchiveError(name, "its texts are stored as UTF-16")
        opened = cls(read, header)
        table = Table("sqlite_schema", 1, ("type", "name", "tbl_name", "rootpage", "sql"))
        rows = [row async for _, row in opened.rows(table)]
        opened.schema = schema_from(
            [
                (str(kind), str(named), str(of), int(root), str(sql or ""))
                for kind, named, of, root, sql in rows
                if isinstance(root, int)
            ]
        )
        return opened

    async def rows(self, table: Table, count: int | None = None) -> AsyncGenerator[
        tuple[int, list[Value]], None
    ]:  # fmt: skip
        """All rowids and rows of a table with rowids; of each row the first ``count`` values."""
        async for rowid, payload in self._leaves(table.root, 0):
            yield rowid, self._filled(table, rowid, await self._values(payload, count))

    async def row(self, table: Table, rowid: int) -> list[Value] | None:
        """A row of a table by its rowid; ``None`` if there is none."""
        number = table.root
        for _ in range(DEEPEST):
            page = await self._page(number, (TABLE_INSIDE, TABLE_LEAF))
            low, high = 0, len(page.cells)
            while low < high:
                middle = (low + high) // 2
                if self._rowid(page, page.cells[middle]) < rowid:
                    low = middle + 1
                else:
                    high = middle
            if page.kind == TABLE_LEAF:
                if low == len(page.cells) or self._rowid(page, page.cells[low]) != rowid:
                    return None
                payload = self._table_payload(page, page.cells[low])
                return self._filled(table, rowid, await self._values(payload, None))
            number = _child(page, low)
        raise DamagedDatabaseError("a tree that is too deep")

    async def entry(
        self, root: int, start: tuple[Value, ...], count: int | None = None
    ) -> list[Value] | None:
        """The first record that `entries` would give; ``None`` if there is none."""
        number = root
        next_: _Payload | None = None
        for _ in range(DEEPEST):
            page, low = await self._place_in(number, start)
            if low < len(page.cells):
                next_ = self._index_payload(page, low)
            if page.kind == INDEX_LEAF:
                return None if next_ is None else await self._values(next_, count)
            number = _child(page, low)
        raise DamagedDatabaseError("a tree that is too deep")

    async def entries(
        self, root: int, start: tuple[Value, ...], count: int | None = None
    ) -> AsyncGenerator[list[Value], None]:
        """Records of an index, or of a table without rowids, in order.

        Parameters
        ----------
        root : int
        start : tuple
            Values that records begin with, or come after.
        count : int, optional
            Of values of each record.
        """
        async for payload in self._sorted(root, start, 0):
            yield await self._values(payload, count)

    async def _leaves(self, number: int, depth: int) -> AsyncGenerator[tuple[int, _Payload], None]:
        page = await self._page(number, (TABLE_INSIDE, TABLE_LEAF))
        if depth > DEEPEST:
            raise DamagedDatabaseError("a tree that is too deep")
        if page.kind == TABLE_LEAF:
            for cell in page.cells:
                yield self._rowid(page, cell), self._table_payload(page, cell)
            return
        for at in range(len(page.cells) + 1):
            async for each in self._leaves(_child(page, at), depth + 1):
                yield each

    async def _sorted(
        self, number: int, start: tuple[Value, ...], depth: int
    ) -> AsyncGenerator[_Payload, None]:
        page, low = await self._place_in(number, start)
        if depth > DEEPEST:
            raise DamagedDatabaseError("a tree that is too deep")
        inside = page.kind == INDEX_INSIDE
        for at in range(low, len(page.cells) + inside):
            if inside:
                async for each in self._sorted(_child(page, at), start, depth + 1):
                    yield each
            if at < len(page.cells):
                yield self._index_payload(page, at)

    async def _place_in(self, number: int, start: tuple[Value, ...]) -> tuple[_Page, int]:
        """A page of an index, and its first record that isn't before some values."""
        page = await self._page(number, (INDEX_INSIDE, INDEX_LEAF))
        low, high = 0, len(page.cells)
        wanted = _sortable(start)
        while low < high:
            middle = (low + high) // 2
            if (
                _sortable(await self._values(self._index_payload(page, middle), len(start)))
                < wanted
            ):
                low = middle + 1
            else:
                high = middle
        return page, low

    def _filled(self, table: Table, rowid: int, values: list[Value]) -> list[Value]:
        """A row with its rowid in the column that stands for it."""
        if table.alias is not None:
            at = table.columns.index(table.alias)
            if at < len(values):
                values[at] = rowid
        return values

    def _rowid(self, page: _Page, cell: int) -> int:
        if page.kind == TABLE_INSIDE:
            return _varint(page.data, cell + 4)[0]
        _, at = _varint(page.data, cell)
        return _varint(page.data, at)[0]

    def _index_payload(self, page: _Page, at: int) -> _Payload:
        # Inside the tree, each begins with the page of what lies before it.
        return self._payload(page, page.cells[at] + 4 * (page.kind == INDEX_INSIDE), False)

    def _table_payload(self, page: _Page, cell: int) -> _Payload:
        return self._payload(page, cell, True)

    def _payload(self, page: _Page, cell: int, of_table: bool) -> _Payload:
        """What a cell holds (1.6)."""
        size, at = _varint(page.data, cell)
        if of_table:
            _, at = _varint(page.data, at)
        if not 0 <= size <= MOST_BYTES:
            raise DamagedDatabaseError("a record that is too large")
        most = self._usable - 35 if of_table else (self._usable - 12) * 64 // 255 - 23
        local = size
        if size > most:
            least = (self._usable - 12) * 32 // 255 - 23
            local = least + (size - least) % (self._usable - 4)
            if local > most:
                local = least
        data = page.data[at : at + local]
        if len(data) < local:
            raise DamagedDatabaseError("a record beyond its page")
        overflow = _number(page.data, at + local) if local < size else 0
        return _Payload(data, size, overflow)

    async def _values(self, payload: _Payload, count: int | None) -> list[Value]:
        """The first values of a record; other pages are read only if they are on them."""
        try:
            return record_from(payload.local, count)
        except _ShortError:
            return record_from(await self._complete(payload), count)

    async def _complete(self, payload: _Payload) -> bytes:
        """All of a record. Its pages mostly follow one another, so they are read at once."""
        parts = [payload.local]
        left = payload.size - len(payload.local)
        number = payload.overflow
        room = self._usable - 4
        while left > 0:
            if number < 2:
                raise DamagedDatabaseError("a record without its end")
            count = -(-left // room)
            block = await self._read((number - 1) * self._page_bytes, count * self._page_bytes)
            for at in range(count):
                page = block[at * self._page_bytes :][: self._usable]
                if len(page) < self._usable:
                    raise DamagedDatabaseError("a record that is cut short")
                parts.append(page[4 : 4 + min(left, room)])
                left -= len(parts[-1])
                following = _number(page, 0)
                if following != number + at + 1:
                    break
            number = following
        return b"".join(parts)

    async def _page(self, number: int, kinds: tuple[int, int]) -> _Page:
        page = self._pages.get(number)
        if page is None:
            page = await self._new_page(number)
            self._pages[number] = page
            if len(self._pages) > KEPT_PAGES:
                self._pages.popitem(last=False)
        if page.kind not in kinds:
            raise DamagedDatabaseError("a page of another kind")
        return page

    async def _new_page(self, number: int) -> _Page:
        if number < 1:
            raise DamagedDatabaseError("no such page")
        data = await self._read((number - 1) * self._page_bytes, self._page_bytes)
        if len(data) < self._page_bytes:
            raise DamagedDatabaseError("a page that is cut short")
        at = HEADER_BYTES if number == 1 else 0
        kind, count = data[at], int.from_bytes(data[at + 3 : at + 5], "big")
        inside = kind in (INDEX_INSIDE, TABLE_INSIDE)
        first = at + (12 if inside else 8)
        if first + 2 * count > self._usable:
            raise DamagedDatabaseError("a page with too many cells")
        cells = struct.unpack_from(f">{count}H", data, first)
        right = _number(data, at + 8) if inside else 0
        return _Page(data[: self._usable], kind, cells, right)


def record_from(data: bytes, count: int | None = None) -> list[Value]:
    """The first values of a record (2.1).

    Raises
    ------
    DamagedDatabaseError
    """
    size, at = _varint(data, 0)
    kinds: list[int] = []
    while at < size and (count is None or len(kinds) < count):
        kind, at = _varint(data, at)
        kinds.append(kind)
    values: list[Value] = []
    at = size
    for kind in kinds:
        value, at = _value(data, at, kind)
        values.append(value)
    return values


def _value(data: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind in (8, 9):
        return kind - 8, at
    if kind == 0:
        return None, at
    if kind in INTEGERS or kind == 7:
        size = INTEGERS.get(kind, 8)
    elif kind >= 12:
        size = (kind - 12) // 2
    else:
        raise DamagedDatabaseError("a value of an unknown kind")
    part = data[at : at + size]
    if len(part) < size:
        raise _ShortError("a value that is cut short")
    at += size
    if kind in INTEGERS:
        return int.from_bytes(part, "big", signed=True), at
    if kind == 7:
        return float(struct.unpack(">d", part)[0]), at
    return (part.decode(errors="replace") if kind % 2 else part), at


def _sortable(values: list[Value] | tuple[Value, ...]) -> list[tuple[int, Value]]:
    """Values as SQLite sorts them: nothing, numbers, texts, bytes."""
    ranks = {int: 1, float: 1, str: 2, bytes: 3}
    # Texts are compared by their bytes, and nothing is equal to nothing.
    plain = [each.encode() if isinstance(each, str) else each for each in values]
    return [
        (ranks.get(type(each), 0), 0 if value is None else value)
        for each, value in zip(values, plain, strict=True)
    ]


def _child(page: _Page, at: int) -> int:
    return _number(page.data, page.cells[at]) if at < len(page.cells) else page.right


def _number(data: bytes, at: int) -> int:
    if at + 4 > len(data):
        raise DamagedDatabaseError("a number beyond its page")
    return int.from_bytes(data[at : at + 4], "big")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to 9 bytes, and where the next one begins (1.6)."""
    found = 0
    for count, octet in enumerate(data[at : at + 9], 1):
        if count == 9:
            found = found << 8 | octet
            return found - (1 << 64) if found >> 63 else found, at + 9
        found = found << 7 | octet & 0x7F
        if octet < 0x80:
            return found, at + count
    raise _ShortError("a number that is cut short")

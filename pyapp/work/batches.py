"""Batches in a database: what surveys and plots store as they grow, and how it is read again."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from pyapp.core.errors import LookdownError
from pyapp.core.survey.batch import Batch
from pyapp.work.ports import Records, RecordsRefusedError

FACTS, BATCHES = "facts", "batches"
# Number of the record beside the batches that an owner may have; it is deleted with them.
BESIDE = -1
DAMAGED = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, IndexError)

T = TypeVar("T")


class TakesBatches(Protocol):
    """A survey or plots."""

    def add(self, batch: Batch) -> None:
        """Take what came out; `ValueError` if it does not fit."""


class StoredBatches:
    """The batches of many owners; each is added once and never rewritten.

    So an owner of any size costs the same each second. Owners have facts, under their id in the
    table `FACTS`, which may bear a mark: `sweep` deletes those that do.

    Parameters
    ----------
    records : Records
    mark : str
        What owners are marked as.
    refused : callable
        Makes an error of what the database says when it refuses.
    tables : str
        Names of further tables in which each owner has one record.
    """

    def __init__(
        self, records: Records, mark: str, refused: Callable[[str], LookdownError], *tables: str
    ):
        self._records = records
        self._mark = mark
        self._refused = refused
        self._tables = (*tables, FACTS)
        self._next: dict[str, int] = {}
        # Two tabs that go on with the same owner do not write over each other.
        self._tab = uuid.uuid4().hex[:8]

    async def ask(self, asking: Awaitable[T]) -> T:
        """What the database gives; its refusals as the error that is wanted."""
        try:
            return await asking
        except RecordsRefusedError as error:
            raise self._refused(str(error)) from error

    async def add(self, owner: str, batch: Batch) -> None:
        """Store what came out."""
        number = self._next.get(owner, 0)
        self._next[owner] = number + 1
        key: list[str | int] = [owner, number, self._tab]
        await self.ask(self._records.put(BATCHES, key, batch.to_bytes()))

    async def give(self, owner: str, to: TakesBatches) -> None:
        """Give an owner all that was stored of it; what is damaged is passed over."""
        keys = await self.ask(self._records.keys(BATCHES, owner))
        for key in keys:
            if key[1] == BESIDE:
                continue
            stored = await self.ask(self._records.get(BATCHES, key))
            try:
                to.add(Batch.from_bytes(stored or {}))
            except DAMAGED:
                continue
            await asyncio.sleep(0)
        self._next[owner] = 1 + max((int(key[1]) for key in keys), default=-1)

    async def put_beside(self, owner: str, text: str) -> None:
        """Store a text beside the batches, in place of an earlier one."""
        await self.ask(self._records.put(BATCHES, [owner, BESIDE], {"text": text}))

    async def beside(self, owner: str) -> str:
        """The text beside the batches; empty if there is none."""
        found = await self.ask(self._records.get(BATCHES, [owner, BESIDE]))
        text = (found or {}).get("text", "")
        return text if isinstance(text, str) else ""

    async def mark(self, owner: str, marked: bool) -> None:
        """Mark an owner, or take the mark away."""
        facts = await self.ask(self._records.get(FACTS, owner))
        if facts is not None:
            await self.ask(self._records.put(FACTS, owner, {**facts, self._mark: marked}))

    async def sweep(self) -> None:
        """Delete for good what bears the mark."""
        for key in await self.ask(self._records.keys(FACTS)):
            facts = await self.ask(self._records.get(FACTS, key))
            if facts is not None and facts.get(self._mark):
                await self.ask(self._records.delete_all(BATCHES, key))
                for table in self._tables:
                    await self.ask(self._records.delete(table, key))

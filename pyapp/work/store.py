"""Surveys stored on the device as they grow: facts of each, and what came out batch by batch."""

import asyncio
import json
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from pyapp.core.errors import LookdownError, StoreError
from pyapp.core.state import CellState
from pyapp.core.survey.batch import Batch
from pyapp.core.survey.survey import Survey
from pyapp.work.ports import Records, RecordsRefusedError

FACTS, BATCHES = "facts", "batches"
TABLES = (FACTS, BATCHES)
DAMAGED = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, IndexError)


class StoredSurvey(NamedTuple):
    """What the list of surveys says about one.

    Attributes
    ----------
    id, name, made : str
        See `Survey`.
    done, cells : int
        Cells that were looked at, and all.
    model : str
        SHA-256 of its model.
    """

    id: str
    name: str
    made: str
    done: int
    cells: int
    model: str


class Store:
    """The surveys in a database.

    A batch is added and never rewritten, so that a survey of any size costs the same each second.

    Parameters
    ----------
    records : Records
    """

    def __init__(self, records: Records):
        self._records = records
        self._next: dict[str, int] = {}
        # Two tabs that go on with the same survey do not write over each other.
        self._tab = uuid.uuid4().hex[:8]

    async def list(self) -> list[StoredSurvey]:
        """All surveys, the newest first.

        Raises
        ------
        StoreError
            If the database can't be read.
        """
        found = [_stored(each) for each in await self._ask(self._records.all(FACTS))]
        there = [each for each in found if each is not None]
        return sorted(there, key=lambda each: each.made, reverse=True)

    async def put(self, survey: Survey) -> None:
        """Store the facts of a survey.

        Raises
        ------
        StoreError
        """
        facts = {
            "json": survey.to_json(),
            "done": len(survey.grid) - survey.count(CellState.WAITING),
            "count": len(survey.grid),
        }
        await self._ask(self._records.put(FACTS, survey.id, facts))

    async def add(self, survey: Survey, batch: Batch) -> None:
        """Store what came out, and how far the survey is.

        Raises
        ------
        StoreError
            If there is no room.
        """
        number = self._next.get(survey.id, 0)
        self._next[survey.id] = number + 1
        key: list[str | int] = [survey.id, number, self._tab]
        await self._ask(self._records.put(BATCHES, key, batch.to_bytes()))
        await self.put(survey)

    async def load(self, survey_id: str) -> Survey:
        """A survey as far as it was stored; cells of damaged batches wait again.

        Raises
        ------
        StoreError
            If it can't be read.
        """
        facts = await self._ask(self._records.get(FACTS, survey_id))
        try:
            survey = Survey.from_json((facts or {})["json"])
        except (*DAMAGED, LookdownError) as error:
            raise StoreError("what is stored of it is damaged") from error
        keys = await self._ask(self._records.keys(BATCHES, survey_id))
        for key in keys:
            stored = await self._ask(self._records.get(BATCHES, key))
            try:
                survey.add(Batch.from_bytes(stored or {}))
            except DAMAGED:
                continue
            await asyncio.sleep(0)
        self._next[survey_id] = 1 + max((int(key[1]) for key in keys), default=-1)
        return survey

    async def mark(self, survey_id: str, deleted: bool) -> None:
        """Take a survey as deleted, or not; `sweep` deletes it for good.

        Raises
        ------
        StoreError
        """
        facts = await self._ask(self._records.get(FACTS, survey_id))
        if facts is not None:
            await self._ask(self._records.put(FACTS, survey_id, {**facts, "deleted": deleted}))

    async def sweep(self) -> None:
        """Delete for good what was deleted during an earlier visit.

        Raises
        ------
        StoreError
        """
        for key in await self._ask(self._records.keys(FACTS)):
            facts = await self._ask(self._records.get(FACTS, key))
            if facts is not None and facts.get("deleted"):
                await self._ask(self._records.delete_all(BATCHES, key))
                await self._ask(self._records.delete(FACTS, key))

    @staticmethod
    async def _ask(asking: Any) -> Any:
        """What the database gives; its refusals as `StoreError`."""
        try:
            return await asking
        except RecordsRefusedError as error:
            raise StoreError(str(error)) from error


def _stored(record: Mapping[str, Any]) -> StoredSurvey | None:
    """What a record says; ``None`` if it is damaged or deleted."""
    if record.get("deleted"):
        return None
    try:
        facts = json.loads(record["json"])
        return StoredSurvey(
            facts["id"], facts["name"], facts["made"], int(record["done"]), int(record["count"]),
            facts["model"]["sha256"],
        )  # fmt: skip
    except DAMAGED:
        return None

"""Surveys stored on the device as they grow: facts of each, and what came out batch by batch."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pyapp.core.errors import LookdownError, StoreError
from pyapp.core.state import CellState
from pyapp.core.survey.batch import Batch
from pyapp.core.survey.survey import Survey
from pyapp.work.batches import BATCHES, DAMAGED, FACTS, StoredBatches
from pyapp.work.ports import Records

TABLES = (FACTS, BATCHES)


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
    network : str
        SHA-256 of what gave its embeddings: the same, unless the model was taught.
    """

    id: str
    name: str
    made: str
    done: int
    cells: int
    model: str
    network: str


class Store:
    """The surveys in a database.

    Parameters
    ----------
    records : Records
    """

    def __init__(self, records: Records):
        self._records = records
        self._batches = StoredBatches(records, "deleted", StoreError)
        self._ask = self._batches.ask

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
        await self._batches.add(survey.id, batch)
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
        await self._batches.give(survey_id, survey)
        survey.check = await self._batches.beside(survey_id)
        return survey

    async def put_check(self, survey: Survey) -> None:
        """Store how a survey is checked.

        Raises
        ------
        StoreError
        """
        await self._batches.put_beside(survey.id, survey.check)

    async def mark(self, survey_id: str, deleted: bool) -> None:
        """Take a survey as deleted, or not; `sweep` deletes it for good.

        Raises
        ------
        StoreError
        """
        await self._batches.mark(survey_id, deleted)

    async def sweep(self) -> None:
        """Delete for good what was deleted during an earlier visit.

        Raises
        ------
        StoreError
        """
        await self._batches.sweep()


def _stored(record: Mapping[str, Any]) -> StoredSurvey | None:
    """What a record says; ``None`` if it is damaged or deleted."""
    if record.get("deleted"):
        return None
    try:
        facts = json.loads(record["json"])
        return StoredSurvey(
            facts["id"], facts["name"], facts["made"], int(record["done"]), int(record["count"]),
            facts["model"]["sha256"], facts["model"].get("network", facts["model"]["sha256"]),
        )  # fmt: skip
    except DAMAGED:
        return None

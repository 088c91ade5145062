"""Projects stored on the device: facts of each, pictures, and embeddings by each network."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from pyapp.core.errors import ProjectStoreError
from pyapp.core.teach.project import Project
from pyapp.work.ports import Records, RecordsRefusedError

PROJECTS, PICTURES, EMBEDDINGS = "projects", "pictures", "embeddings"
TABLES = (PROJECTS, PICTURES, EMBEDDINGS)
DAMAGED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class StoredProject(NamedTuple):
    """What the list of projects says about one.

    Attributes
    ----------
    id, name, made : str
        See `Project`.
    examples : int
        How many it has.
    """

    id: str
    name: str
    made: str
    examples: int


class ProjectStore:
    """The projects in a database.

    A picture and its embeddings are stored once, when they are new; only the facts are rewritten.

    Parameters
    ----------
    records : Records
    """

    def __init__(self, records: Records):
        self._records = records

    async def list(self) -> list[StoredProject]:
        """All projects, the newest first.

        Raises
        ------
        ProjectStoreError
            If the database can't be read; so do all methods.
        """
        found = [_stored(each) for each in await self._ask(self._records.all(PROJECTS))]
        there = [each for each in found if each is not None]
        return sorted(there, key=lambda each: each.made, reverse=True)

    async def load(self, project_id: str) -> Project:
        """A stored project; also raises if it is damaged or not there."""
        facts = await self._ask(self._records.get(PROJECTS, project_id))
        try:
            return Project.from_json((facts or {})["json"])
        except DAMAGED as error:
            raise ProjectStoreError("what is stored of it is damaged") from error

    async def put(self, project: Project) -> None:
        """Store the facts of a project."""
        await self._ask(self._records.put(PROJECTS, project.id, {"json": project.to_json()}))

    async def put_pictures(self, project_id: str, pictures: Mapping[str, bytes]) -> None:
        """Store PNG files, by their sha256."""
        for sha256, png in pictures.items():
            await self._ask(self._records.put(PICTURES, [project_id, sha256], {"png": png}))

    async def picture(self, project_id: str, sha256: str) -> bytes | None:
        """A PNG file; ``None`` if it is not there."""
        record = await self._ask(self._records.get(PICTURES, [project_id, sha256]))
        png = (record or {}).get("png")
        return png if isinstance(png, bytes) else None

    async def put_embeddings(
        self, project_id: str, network: str, embeddings: Mapping[str, np.ndarray]
    ) -> None:
        """Store embeddings, float32 of shape (D,), by the sha256 of their pictures."""
        for sha256, values in embeddings.items():
            record = {"values": values.astype("<f4").tobytes()}
            await self._ask(self._records.put(EMBEDDINGS, [project_id, network, sha256], record))

    async def embeddings(
        self, project_id: str, network: str, wanted: Iterable[str]
    ) -> dict[str, np.ndarray]:
        """Those embeddings by a network that are stored."""
        found = {}
        for sha256 in wanted:
            key = [project_id, network, sha256]
            values = (await self._ask(self._records.get(EMBEDDINGS, key)) or {}).get("values")
            if isinstance(values, bytes) and values and len(values) % 4 == 0:
                found[sha256] = np.frombuffer(values, "<f4")
        return found

    async def mark(self, project_id: str, deleted: bool) -> None:
        """Take a project as deleted, or not; `sweep` deletes it for good."""
        facts = await self._ask(self._records.get(PROJECTS, project_id))
        if facts is not None:
            record = {**facts, "deleted": deleted}
            await self._ask(self._records.put(PROJECTS, project_id, record))

    async def sweep(self) -> None:
        """Delete for good what was deleted during an earlier visit."""
        for key in await self._ask(self._records.keys(PROJECTS)):
            facts = await self._ask(self._records.get(PROJECTS, key))
            if facts is not None and facts.get("deleted"):
                for table in (PICTURES, EMBEDDINGS):
                    await self._ask(self._records.delete_all(table, key))
                await self._ask(self._records.delete(PROJECTS, key))

    @staticmethod
    async def _ask(asking: Any) -> Any:
        """What the database gives; its refusals as `ProjectStoreError`."""
        try:
            return await asking
        except RecordsRefusedError as error:
            raise ProjectStoreError(str(error)) from error


def _stored(record: Mapping[str, Any]) -> StoredProject | None:
    """What a record says; ``None`` if it is damaged or deleted."""
    if record.get("deleted"):
        return None
    try:
        facts = json.loads(record["json"])
        return StoredProject(facts["id"], facts["name"], facts["made"], len(facts["examples"]))
    except DAMAGED:
        return None

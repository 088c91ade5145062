"""Surveys kept in the browser's database, as they grow."""

import asyncio
import json
import uuid
from typing import NamedTuple

import js
from pyodide.code import run_js
from pyodide.ffi import JsException
from pyscript.ffi import create_proxy, to_js

from pyapp.bridge import browser
from pyapp.core.errors import LookdownError, StoreError
from pyapp.core.survey.survey import WAITING, Batch, Survey

DATABASE, VERSION = "lookdown surveys", 1
FACTS, BATCHES = "facts", "batches"
LIBRARY = "./runtime/idb/index.js"
# A browser that neither opens its database nor says why is not waited for.
LIMIT_S = 10.0
_import = run_js("(address) => import(new URL(address, document.baseURI))")
# Python takes an Error only, not Chromium's newer QuotaExceededError.
_ask = run_js(
    """async (base, method, ...given) => {
      try { return await base[method](...given); }
      catch ({ name, message }) { throw Object.assign(new Error(message), { name }); } }"""
)


class Kept(NamedTuple):
    """What the list of surveys says of one.

    Attributes
    ----------
    id, name, made : str
        See `Survey`.
    done, count : int
        Cells that were looked at, and all.
    model : str
        SHA-256 of its model.
    """

    id: str
    name: str
    made: str
    done: int
    count: int
    model: str


class Store:
    """The database: facts of each survey, and what came out batch by batch."""

    def __init__(self):
        self._base = None
        self._next: dict[str, int] = {}
        # Two tabs that go on with the same survey do not write over each other.
        self._tab = uuid.uuid4().hex[:8]

    async def list(self) -> list[Kept]:
        """All surveys, the newest first.

        Raises
        ------
        StoreError
            When the browser does not allow a database.
        """
        found = [_kept(each) for each in await self._ask("getAll", FACTS)]
        return sorted((each for each in found if each), key=lambda each: each.made, reverse=True)

    async def put(self, survey: Survey) -> None:
        """Keep the facts of a survey.

        Raises
        ------
        StoreError
        """
        facts = {
            "json": survey.to_json(),
            "done": len(survey.grid) - survey.count(WAITING),
            "count": len(survey.grid),
        }
        await self._ask("put", FACTS, to_js(facts), survey.id)

    async def add(self, survey: Survey, batch: Batch) -> None:
        """Keep what came out, and how far the survey is, both or neither.

        Raises
        ------
        StoreError
            When there's no room.
        """
        number = self._next.get(survey.id, 0)
        self._next[survey.id] = number + 1
        kept = {name: to_js(data) for name, data in batch.to_bytes().items()}
        await self._ask("put", BATCHES, to_js(kept), to_js([survey.id, number, self._tab]))
        await self.put(survey)

    async def load(self, survey_id: str) -> Survey:
        """A survey as far as it was kept; cells of damaged batches wait again.

        Raises
        ------
        StoreError
            When it can't be read.
        """
        facts = await self._ask("get", FACTS, survey_id)
        try:
            survey = Survey.from_json(facts.json)
        except (ValueError, KeyError, TypeError, AttributeError, LookdownError) as error:
            raise StoreError("what is kept of it is damaged") from error
        keys = (await self._ask("getAllKeys", BATCHES, _range(survey_id))).to_py()
        for key in keys:
            kept = await self._ask("get", BATCHES, to_js(key))
            try:
                survey.add(Batch.from_bytes({name: getattr(kept, name).to_bytes()
                                             for name in Batch.__dataclass_fields__}))  # fmt: skip
            except (ValueError, KeyError, TypeError, AttributeError, IndexError):
                continue
            await asyncio.sleep(0)
        self._next[survey_id] = 1 + max((int(number) for _, number, _ in keys), default=-1)
        return survey

    async def mark(self, survey_id: str, deleted: bool) -> None:
        """Take a survey as deleted, or not; `sweep` deletes it for good.

        Raises
        ------
        StoreError
        """
        facts = await self._ask("get", FACTS, survey_id)
        facts.deleted = deleted
        await self._ask("put", FACTS, facts, survey_id)

    async def sweep(self) -> None:
        """Delete for good what was deleted at an earlier visit.

        Raises
        ------
        StoreError
        """
        for key in (await self._ask("getAllKeys", FACTS)).to_py():
            if getattr(await self._ask("get", FACTS, key), "deleted", False):
                await self._ask("delete", BATCHES, _range(key))
                await self._ask("delete", FACTS, key)

    async def _ask(self, method: str, *given):
        """What a method of the database gives; its refusals as `StoreError`."""
        try:
            return await _ask(await self._open(), method, *given)
        except JsException as error:
            raise _explained(error) from error

    async def _open(self):
        if self._base is None:
            library = await _import(browser.absolute(LIBRARY))
            options = to_js({"upgrade": create_proxy(_lay_out)})
            try:
                opening = _ask(library, "openDB", DATABASE, VERSION, options)
                self._base = await asyncio.wait_for(opening, LIMIT_S)
            except (TimeoutError, AttributeError) as error:
                raise StoreError("the browser does not open its database") from error
        return self._base


def _lay_out(base, *_) -> None:
    base.createObjectStore(FACTS)
    base.createObjectStore(BATCHES)


def _range(survey_id: str):
    """All batches of a survey: arrays sort after numbers."""
    return js.IDBKeyRange.bound(to_js([survey_id]), to_js([survey_id, to_js([])]))


def _kept(record) -> Kept | None:
    """What a record says; ``None`` where it is damaged or deleted."""
    if getattr(record, "deleted", False):
        return None
    try:
        facts = json.loads(record.json)
        return Kept(
            facts["id"], facts["name"], facts["made"], int(record.done), int(record.count),
            facts["model"]["sha256"],
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _explained(error: JsException) -> StoreError:
    name = getattr(error, "name", "")
    if name == "QuotaExceededError" or "quota" in str(error).lower():
        return StoreError("the storage of this device is full")
    if name in ("SecurityError", "InvalidStateError", "TypeError", "ReferenceError"):
        return StoreError("this window may not keep anything (a private one, as a rule)")
    return StoreError(f"the browser's database refused ({error})")

"""The browser's database (IndexedDB), through the library idb."""

import asyncio
from collections.abc import Mapping
from typing import Any

import js
from pyodide.code import run_js
from pyodide.ffi import JsException, JsProxy
from pyscript.ffi import create_proxy, is_none, to_js

from pyapp.bridge import browser
from pyapp.work.ports import Key, RecordsRefusedError

LIBRARY = "./runtime/idb/index.js"
VERSION = 1
# A browser that neither opens its database nor says why is not waited for.
LIMIT_S = 10.0
_import = run_js("(address) => import(new URL(address, document.baseURI))")
# Python takes an Error only, not Chromium's newer QuotaExceededError.
_told = """async (asked) => {
  try { return await asked(); }
  catch ({ name, message }) { throw Object.assign(new Error(message), { name }); } }"""
_ask = run_js(f"(base, method, ...given) => ({_told})(() => base[method](...given))")
# Committed at once, not when the browser comes back to it: a page that is being left has no later.
_put = run_js(
    f"""(base, table, ...given) => ({_told})(() => {{
      const work = base.transaction(table, "readwrite");
      const put = work.store.put(...given);
      work.commit();
      return Promise.all([put, work.done]); }})"""
)


class Database:
    """Fulfils `Records`.

    Parameters
    ----------
    name : str
    tables : tuple of str
        Made when the database is opened for the first time.
    """

    def __init__(self, name: str, tables: tuple[str, ...]):
        self._name = name
        self._tables = tables
        self._base: Any = None

    async def get(self, table: str, key: Key) -> Mapping[str, Any] | None:
        """The record under a key; ``None`` if there is none."""
        return _record(await self._call(_ask, "get", table, _key(key)))

    async def all(self, table: str) -> list[Mapping[str, Any]]:
        """All records of a table; damaged ones are empty."""
        return [_record(each) or {} for each in await self._call(_ask, "getAll", table)]

    async def keys(self, table: str, first: str | None = None) -> list[Any]:
        """All keys of a table in their order; with ``first``, those that begin with it."""
        those = [] if first is None else [_range(first)]
        found = await self._call(_ask, "getAllKeys", table, *those)
        return found.to_py()

    async def put(self, table: str, key: Key, record: Mapping[str, Any]) -> None:
        """Store a record under a key, in place of what was there."""
        await self._call(_put, table, to_js(dict(record)), _key(key))

    async def delete(self, table: str, key: Key) -> None:
        """Delete the record under a key, if there is one."""
        await self._call(_ask, "delete", table, _key(key))

    async def delete_all(self, table: str, first: str) -> None:
        """Delete all records whose keys begin with ``first``."""
        await self._call(_ask, "delete", table, _range(first))

    async def _call(self, asking, *given):
        try:
            return await asking(await self._open(), *given)
        except JsException as error:
            raise RecordsRefusedError(_reason(error)) from error

    async def _open(self):
        if self._base is None:
            library = await _import(browser.absolute(LIBRARY))
            upgrade = create_proxy(self._lay_out)
            try:
                options = to_js({"upgrade": upgrade})
                opening = _ask(library, "openDB", self._name, VERSION, options)
                self._base = await asyncio.wait_for(opening, LIMIT_S)
            except (TimeoutError, AttributeError) as error:
                raise RecordsRefusedError("the browser does not open its database") from error
            finally:
                upgrade.destroy()
        return self._base

    def _lay_out(self, base, *_) -> None:
        for table in self._tables:
            base.createObjectStore(table)


def _key(key: Key):
    return key if isinstance(key, str) else to_js(list(key))


def _range(first: str):
    """All keys that are arrays and begin with a text: arrays sort after texts and numbers."""
    return js.IDBKeyRange.bound(to_js([first]), to_js([first, to_js([])]))


def _record(found) -> dict[str, Any] | None:
    """A record as Python has it; ``None`` if there is none, or if it is no record."""
    if found is None or is_none(found) or not isinstance(found, JsProxy):
        return None
    record = found.to_py()
    if not isinstance(record, dict):
        return None
    return {name: bytes(each) if isinstance(each, memoryview) else each
            for name, each in record.items()}  # fmt: skip


def _reason(error: JsException) -> str:
    name = getattr(error, "name", "")
    if name == "QuotaExceededError" or "quota" in str(error).lower():
        return "the storage of this device is full"
    if name in ("SecurityError", "InvalidStateError", "TypeError", "ReferenceError"):
        return "this window may not store anything (probably a private one)"
    return f"the browser's database refused ({error})"

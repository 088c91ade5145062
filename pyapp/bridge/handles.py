"""Files that the browser may read again at the next visit (File System Access API).

Only some browsers have it; in others a file is chosen anew each time.
"""

from typing import Any

from pyodide.code import run_js
from pyodide.ffi import JsException
from pyscript.ffi import to_js

from pyapp.bridge import browser
from pyapp.core.imagery.file_errors import GoneFileError, KeptBackFileError

_can_pick = run_js("() => typeof globalThis.showOpenFilePicker === 'function'")
_pick = run_js("async (endings) => {"
               "  const types = [{ description: 'Imagery', accept: { 'image/*': endings } }];"
               "  return await showOpenFilePicker({ multiple: true, types }); }")  # fmt: skip
# Handles of what is dropped are given while the event lasts; some browsers have none.
_dropped = run_js(
    """(event) => Promise.all([...event.dataTransfer?.items ?? []]
      .filter((item) => item.kind === "file" && item.getAsFileSystemHandle)
      .map((item) => item.getAsFileSystemHandle().catch(() => null)))"""
)
_allow = run_js(
    """async (handle) => {
      if (!handle.requestPermission) return true;
      return await handle.requestPermission({ mode: "read" }) === "granted"; }"""
)


def can_pick() -> bool:
    """Whether files can be chosen such that they may be read again."""
    return bool(_can_pick())


async def pick(endings: tuple[str, ...]) -> list[Any]:
    """Handles of the files that a person chooses; none if they change their mind."""
    try:
        return list(await _pick(to_js(list(endings))))
    except JsException:
        return []


async def file_of(handle: Any) -> Any:
    """The file of a handle, as it is now.

    Raises
    ------
    GoneFileError
    """
    try:
        return await handle.getFile()
    except JsException as error:
        raise GoneFileError(handle.name) from error


async def allow(handle: Any) -> None:
    """Ask to read a file again, if that needs asking; only right after a click.

    Raises
    ------
    KeptBackFileError
    """
    try:
        granted = await _allow(handle)
    except JsException as error:
        raise KeptBackFileError(handle.name) from error
    if not granted:
        raise KeptBackFileError(handle.name)


class Drops:
    """Remembers handles of what was dropped last."""

    def __init__(self) -> None:
        self._promised: Any = None
        browser.on_window("drop", self._take)

    def _take(self, event) -> None:
        self._promised = _dropped(event)

    async def handles(self, names: set[str]) -> list[Any]:
        """Handles of the files with these names; empty unless all were dropped."""
        if self._promised is None:
            return []
        found = [each for each in await self._promised if getattr(each, "kind", "") == "file"]
        wanted = [each for each in found if each.name in names]
        return wanted if {each.name for each in wanted} == names else []

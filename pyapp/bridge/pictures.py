"""Pictures that a person gives the page: dropped, pasted, or shared from another application."""

from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import JsException
from pyscript.ffi import is_none

from pyapp.bridge import browser
from pyapp.bridge.release import cache_name

SHARED = "shared"
HEAD_BYTES = 512


def on_files(handler: Callable[[list[Any]], object]) -> None:
    """Call ``handler(files)`` when files are dropped on the page or pasted."""

    def take(event) -> None:
        transfer = getattr(event, "dataTransfer", None) or event.clipboardData
        if is_none(transfer) or not transfer.files.length:
            return
        event.preventDefault()
        handler(_listed(transfer.files))

    def allow(event) -> None:
        if "Files" in list(event.dataTransfer.types):
            event.preventDefault()

    browser.on_window("dragover", allow)
    browser.on_window("drop", take)
    browser.on_window("paste", take)


def chosen_files(field) -> list[Any]:
    """The files that were chosen in a field of the page, which is empty after that."""
    files = _listed(field._dom_element.files)
    field._dom_element.value = ""
    return files


def _listed(files) -> list[Any]:
    return [files.item(number) for number in range(files.length)]


def is_text_or_zip(head: bytes) -> bool:
    """Whether a file that begins like this may hold features, or something that was saved here.

    Every format of pictures has zeros near its beginning; text has none, but in UTF-16.
    """
    return head[:2] in (b"PK", b"\xff\xfe", b"\xfe\xff") or b"\x00" not in head


async def head_of(file) -> bytes:
    """The beginning of a file, enough to tell what it is."""
    return (await file.slice(0, HEAD_BYTES).arrayBuffer()).to_bytes()


async def bytes_of(file) -> bytes:
    """All of a file."""
    return (await file.arrayBuffer()).to_bytes()


async def take_shared() -> bytes | None:
    """The picture that the service worker put aside, once; ``None`` if there is none."""
    if f"?{SHARED}" not in browser.query():
        return None
    browser.show_address(browser.query().replace(f"?{SHARED}", ""), browser.fragment())
    try:
        cache = await js.caches.open(cache_name(SHARED))
        found = await cache.match(SHARED)
        if is_none(found):
            return None
        await cache.delete(SHARED)
        return (await found.arrayBuffer()).to_bytes()
    except (JsException, AttributeError):
        return None

"""Pictures that a person gives the page: dropped, pasted, or shared from another application."""

from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import JsException
from pyscript.ffi import is_none

from pyapp.bridge import browser
from pyapp.bridge.release import cache_name

SHARED = "shared"


def on_picture(handler: Callable[[Any], object]) -> None:
    """Call ``handler(file)`` for each file that is dropped on the page or pasted."""

    def take(event) -> None:
        transfer = getattr(event, "dataTransfer", None) or event.clipboardData
        if is_none(transfer) or not transfer.files.length:
            return
        event.preventDefault()
        handler(transfer.files.item(0))

    def allow(event) -> None:
        if "Files" in list(event.dataTransfer.types):
            event.preventDefault()

    browser.on_window("dragover", allow)
    browser.on_window("drop", take)
    browser.on_window("paste", take)


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

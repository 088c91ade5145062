"""Pictures that a person gives the page: dropped, pasted, or shared from another application."""

import asyncio
from collections.abc import Awaitable, Callable

import js
from pyodide.ffi import JsException
from pyscript.ffi import create_proxy, is_none

SHARED = "shared"


def on_picture(handler: Callable[[bytes], Awaitable[None]]) -> None:
    """Call ``await handler(data)`` for each file that is dropped on the page or pasted."""

    def take(event) -> None:
        transfer = getattr(event, "dataTransfer", None) or event.clipboardData
        if is_none(transfer) or not transfer.files.length:
            return
        event.preventDefault()
        asyncio.ensure_future(_hand_over(transfer.files.item(0), handler))  # noqa: RUF006

    def allow(event) -> None:
        if "Files" in list(event.dataTransfer.types):
            event.preventDefault()

    js.window.addEventListener("dragover", create_proxy(allow))
    js.window.addEventListener("drop", create_proxy(take))
    js.window.addEventListener("paste", create_proxy(take))


async def _hand_over(file, handler) -> None:
    await handler((await file.arrayBuffer()).to_bytes())


async def take_shared() -> bytes | None:
    """The picture that the service worker put aside, once; ``None`` where there's none."""
    if f"?{SHARED}" not in js.location.search:
        return None
    query = js.location.search.replace(f"?{SHARED}", "")
    js.history.replaceState(None, "", js.location.pathname + query + js.location.hash)
    try:
        home = js.URL.new("./", js.document.baseURI).href
        cache = await js.caches.open(f"lookdown {home} {SHARED}")
        found = await cache.match(SHARED)
        if is_none(found):
            return None
        await cache.delete(SHARED)
        return (await found.arrayBuffer()).to_bytes()
    except (JsException, AttributeError):
        return None

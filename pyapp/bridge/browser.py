"""The browser around the page: its address, its clock, its events, what it can do."""

import asyncio
import traceback
from collections.abc import Callable, Iterable

import js
from pyodide.ffi import create_once_callable
from pyscript.ffi import create_proxy, is_none, to_js

# A module whose one function returns i8x16.popcnt(i8x16.splat(0)), valid where SIMD is
# (WebAssembly core specification 2.0, binary format: 0xfd 0x0f and 0xfd 0x62).
_SIMD_MODULE = bytes.fromhex("0061736d010000000105016000017b030201000a0a0108004100fd0ffd620b")
# How long a download may take to begin.
SAVING_MS = 60_000


def now_ms() -> float:
    """Milliseconds since the page was opened."""
    return js.performance.now()


async def sleep(seconds: float) -> None:
    """Let other work go on for so long."""
    await asyncio.sleep(seconds)


def log(error: BaseException) -> None:
    """Note an error on the browser's console, with its traceback."""
    js.console.error("".join(traceback.format_exception(error)))


def measure(name: str, start_ms: float, end_ms: float) -> None:
    """Leave a named span on the browser's performance timeline, where its tools show it."""
    js.performance.measure(name, to_js({"start": start_ms, "end": end_ms}))


def mark(name: str) -> None:
    """Leave a named moment on the browser's performance timeline."""
    js.performance.mark(name)


def origin() -> str:
    """Scheme, host and port of the page."""
    return js.location.origin


def home() -> str:
    """The folder that the page lies in, as an absolute address."""
    return absolute("./")


def absolute(path: str) -> str:
    """The absolute address of a path relative to the page."""
    return js.URL.new(path, js.document.baseURI).href


def fragment() -> str:
    """The part of the page's address from ``#`` on."""
    return js.location.hash


def query() -> str:
    """The part of the page's address from ``?`` to ``#``."""
    return js.location.search


def show_address(query: str, fragment: str) -> None:
    """Write the page's address without loading anything and without a step in the history."""
    js.history.replaceState(None, "", js.location.pathname + query + fragment)


def on_window(event: str, handler: Callable) -> None:
    """Call ``handler(event)`` for an event that reaches the window."""
    js.window.addEventListener(event, create_proxy(handler))


def set_ready() -> None:
    """Set ``<html data-ready>``, which says that the page can classify."""
    js.document.documentElement.toggleAttribute("data-ready", True)


def set_whole() -> None:
    """Set ``<html data-whole>``, which says that all panels of the page can be used."""
    js.document.documentElement.toggleAttribute("data-whole", True)


def has_simd() -> bool:
    """Whether the browser runs WebAssembly with SIMD, which onnxruntime-web needs."""
    return js.WebAssembly.validate(to_js(_SIMD_MODULE))


def closest(event, selector: str):
    """The innermost element around an event's target that a CSS selector finds, or ``None``."""
    if not getattr(event.target, "closest", None):
        return None
    found = event.target.closest(selector)
    return None if is_none(found) else found


def is_inside(event, selector: str) -> bool:
    """Whether an event came from an element, or from inside one, that a CSS selector finds."""
    return closest(event, selector) is not None


def is_typing(event) -> bool:
    """Whether a key event belongs to a field that is being typed into, or to a dialog."""
    return is_inside(
        event, "input:not([type=checkbox], [type=radio], [type=range]), textarea, dialog"
    )


def save_file(name: str, data: bytes, kind: str) -> None:
    """Hand a file to the person, as a download."""
    save_pieces(name, [data], kind)


def save_pieces(name: str, pieces: Iterable[bytes], kind: str) -> None:
    """The same of a file in pieces, of which never more than one is there twice."""
    blobs = [js.Blob.new(to_js([to_js(each)])) for each in pieces]
    blob = js.Blob.new(to_js(blobs), to_js({"type": kind}))
    address = js.URL.createObjectURL(blob)
    link = js.document.createElement("a")
    link.href, link.download = address, name
    link.click()
    js.setTimeout(create_once_callable(lambda: js.URL.revokeObjectURL(address)), SAVING_MS)

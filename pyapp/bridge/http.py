"""Bytes from an address, with a time limit, and cancelled for good when the caller is."""

import asyncio

import js
from pyodide.ffi import JsException
from pyscript.ffi import to_js

from pyapp.work.ports import StatusError, UnreachableError


async def fetch_bytes(url: str, limit_s: float, keep: bool = True) -> bytes:
    """The body of ``url``.

    Parameters
    ----------
    url : str
        Absolute, or relative to the page.
    limit_s : float
        Seconds until all of the body must have arrived.
    keep : bool
        Whether the browser's cache may have a copy.

    Raises
    ------
    StatusError, UnreachableError, TimeoutError
    """
    controller = js.AbortController.new()
    try:
        return await asyncio.wait_for(_body(url, controller.signal, keep), limit_s)
    except (TimeoutError, asyncio.CancelledError):
        controller.abort()
        raise


async def _body(url: str, signal, keep: bool) -> bytes:
    cache = "default" if keep else "no-store"
    options = to_js({"signal": signal, "credentials": "omit", "cache": cache})
    try:
        response = await js.fetch(url, options)
        if response.status != 200:
            raise StatusError(response.status)
        return (await response.arrayBuffer()).to_bytes()
    except JsException as error:
        raise UnreachableError(str(error)) from error

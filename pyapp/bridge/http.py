"""Bytes from an address, with a time limit, and cancelled for good when the caller is."""

import asyncio

import js
from pyodide.ffi import JsException
from pyscript.ffi import to_js

from pyapp.work.ports import Arrived, StatusError, UnreachableError


async def fetch_bytes(
    url: str, limit_s: float, keep: bool = True, arrived: Arrived | None = None
) -> bytes:
    """The body of ``url``.

    Parameters
    ----------
    url : str
        Absolute, or relative to the page.
    limit_s : float
        Seconds until all of the body must have arrived.
    keep : bool
        Whether the browser's cache may have a copy.
    arrived : callable, optional
        Called with the number of bytes so far, whenever more have arrived.

    Raises
    ------
    StatusError, UnreachableError, TimeoutError
    """
    controller = js.AbortController.new()
    try:
        return await asyncio.wait_for(_body(url, controller.signal, keep, arrived), limit_s)
    except BaseException:
        # Nothing more is to arrive, whoever gave up.
        controller.abort()
        raise


async def _body(url: str, signal, keep: bool, arrived: Arrived | None) -> bytes:
    cache = "default" if keep else "no-store"
    options = to_js({"signal": signal, "credentials": "omit", "cache": cache})
    try:
        response = await js.fetch(url, options)
        if response.status != 200:
            raise StatusError(response.status)
        if arrived is None:
            return (await response.arrayBuffer()).to_bytes()
        return await _read(response.body.getReader(), arrived)
    except JsException as error:
        raise UnreachableError(str(error)) from error


async def _read(reader, arrived: Arrived) -> bytes:
    """All that a stream gives."""
    parts: list[bytes] = []
    size = 0
    while not (got := await reader.read()).done:
        parts.append(got.value.to_bytes())
        size += len(parts[-1])
        arrived(size)
    return b"".join(parts)

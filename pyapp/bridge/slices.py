"""Parts of a file, on the device or at an address, without the rest of it."""

import asyncio
from typing import Any

import js
from pyodide.ffi import JsException
from pyscript.ffi import to_js

from pyapp.work.ports import UnreachableError

LIMIT_S = 20.0
PARTIAL, BEYOND_THE_END = 206, 416


class FileSlices:
    """Reads parts of a file of the browser.

    Parameters
    ----------
    file : File of the browser
    """

    def __init__(self, file: Any):
        self._file = file

    async def __call__(self, offset: int, length: int) -> bytes:
        """Bytes of the file; fewer where it ends.

        Raises
        ------
        UnreachableError
            If it is no longer there, or was changed.
        """
        try:
            part = self._file.slice(offset, offset + length)
            return (await part.arrayBuffer()).to_bytes()
        except JsException as error:
            raise UnreachableError(str(error)) from error


class AddressSlices:
    """Reads parts of a file at an address, by range requests.

    Parameters
    ----------
    address : str
        Absolute.
    """

    def __init__(self, address: str):
        self._address = address

    async def __call__(self, offset: int, length: int) -> bytes:
        """Bytes of the file; fewer where it ends.

        Raises
        ------
        UnreachableError
            If there is no answer that may be read, or one that isn't the part.
        """
        controller = js.AbortController.new()
        try:
            return await asyncio.wait_for(self._part(offset, length, controller.signal), LIMIT_S)
        except (JsException, TimeoutError, asyncio.TimeoutError) as error:
            controller.abort()
            raise UnreachableError(str(error)) from error
        except BaseException:
            # All of the file would arrive, where a server knows no ranges.
            controller.abort()
            raise

    async def _part(self, offset: int, length: int, signal: Any) -> bytes:
        headers = {"Range": f"bytes={offset}-{offset + length - 1}"}
        options = {"signal": signal, "credentials": "omit", "headers": headers}
        response = await js.fetch(self._address, to_js(options))
        if response.status == BEYOND_THE_END:
            return b""
        if response.status != PARTIAL:
            raise UnreachableError(f"HTTP {response.status} instead of a part")
        return (await response.arrayBuffer()).to_bytes()[:length]

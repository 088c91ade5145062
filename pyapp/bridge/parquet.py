"""Rows of Parquet files, at an address or on the device, read by hyparquet.

The library is fetched when the first row is wanted. Only the columns that are asked for are read.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from pyodide.code import run_js
from pyodide.ffi import JsException
from pyscript.ffi import create_proxy, to_js

from pyapp.bridge import browser
from pyapp.core.pyramid.errors import NoPartsError
from pyapp.work.ports import UnreachableError

LIBRARY = "./runtime/hyparquet/index.js"
# Of zlib: a gzip header and the largest window.
GZIP_WINDOW = 31
_import = run_js("(address) => import(new URL(address, document.baseURI))")
# The first column says which row it is; hyparquet leaves gzip to others, here to Python.
_row = run_js(
    """async (library, given, columns, cell, gunzip) => {
      const file = typeof given === "string"
        ? await library.asyncBufferFromUrl({
            url: given, requestInit: { credentials: "omit" },
          })
        : { byteLength: given.size,
            slice: (start, end) => given.slice(start, end).arrayBuffer() };
      const compressors = { GZIP: (data) => gunzip(data).slice() };
      // The end, which says where all columns lie, is small: no embedding is read with it.
      const metadata = await library.parquetMetadataAsync(file, { initialFetchSize: 16384 });
      const rows = await library.parquetReadObjects({ file, metadata, columns, compressors });
      const row = rows.find((each) => Number(each[columns[0]]) === cell);
      return JSON.stringify(row === undefined ? null : library.toJson(row));
    }"""
)


class ParquetParts:
    """Fulfils `Parts`.

    Parameters
    ----------
    folder : str
        Address of the folder that the files lie in; empty if they are on the device.
    files : mapping of str to File of the browser
        Those of the device, by name.
    """

    def __init__(self, folder: str, files: Mapping[str, Any]):
        self._folder = folder
        self._files = files
        self._gunzip = create_proxy(_gunzip)

    async def __call__(self, part: str, columns: Sequence[str], cell: int) -> str:
        """The row of a cell, as JSON; ``null`` if there is none.

        Raises
        ------
        NoPartsError, UnreachableError
        """
        given = self._files.get(part)
        if given is None and not self._folder:
            raise NoPartsError(part)
        try:
            library = await _import(browser.absolute(LIBRARY))
            found: str = await _row(
                library, given or self._folder + part, to_js(list(columns)), cell, self._gunzip
            )
            return found
        except JsException as error:
            if "404" in str(error):
                # An area needs not fill its blocks.
                return json.dumps(None)
            raise UnreachableError(str(error)) from error


def _gunzip(data: Any) -> Any:
    return to_js(zlib.decompress(data.to_bytes(), GZIP_WINDOW))

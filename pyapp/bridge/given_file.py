"""A file of this device that is read in pieces."""

import hashlib

import js
from pyodide.ffi import JsException

# Larger parts are hashed in slices, by Python: the browser does it faster, but only all at once.
AT_ONCE_BYTES = 512 << 20
SLICE_BYTES = 16 << 20


class GivenFile:
    """Fulfils `work.packs.PackFile`.

    Parameters
    ----------
    file : File
        Of JavaScript.
    """

    def __init__(self, file):
        self._file = file
        self.name: str = file.name
        self.size: int = int(file.size)

    async def read(self, offset: int, length: int) -> bytes:
        """Some of its bytes; fewer where it ends, none if it is gone."""
        try:
            return (await self._file.slice(offset, offset + length).arrayBuffer()).to_bytes()
        except JsException:
            return b""

    async def sha256(self, offset: int, length: int) -> str:
        """The digest of some of its bytes, in hexadecimal; of what is gone, that of nothing."""
        # Pages that came without encryption lack it.
        subtle = getattr(js.crypto, "subtle", None)
        if length > AT_ONCE_BYTES or subtle is None:
            digest = hashlib.sha256()
            for start in range(offset, offset + length, SLICE_BYTES):
                digest.update(await self.read(start, min(SLICE_BYTES, offset + length - start)))
            return digest.hexdigest()
        try:
            data = await self._file.slice(offset, offset + length).arrayBuffer()
            return (await subtle.digest("SHA-256", data)).to_bytes().hex()
        except JsException:
            return hashlib.sha256().hexdigest()

"""A field pack as imagery of the command."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pyapp.core.imagery.source import Source
from pyapp.core.pack.errors import ForbiddenKeepError
from pyapp.core.pack.manifest import IMAGERY
from pyapp.native.errors import NoSuchFileError
from pyapp.work.archive import Archive
from pyapp.work.packs import opened

# Read at a time, so that a pack of any size needs no more memory.
PIECE_BYTES = 1 << 20


class DiskFile:
    """A pack on the disk; fulfils `pyapp.work.packs.PackFile`.

    Parameters
    ----------
    path : Path

    Raises
    ------
    NoSuchFileError
    """

    def __init__(self, path: Path):
        try:
            self._file = path.open("rb")
            self.size = path.stat().st_size
        except OSError as error:
            raise NoSuchFileError(path, error.strerror or str(error)) from error
        self.name = path.name

    async def read(self, offset: int, length: int) -> bytes:
        """Some of its bytes; fewer where it ends."""
        self._file.seek(offset)
        return self._file.read(length)

    async def sha256(self, offset: int, length: int) -> str:
        """The digest of some of its bytes, in hexadecimal."""
        digest = hashlib.sha256()
        for piece in self._pieces(offset, length):
            digest.update(piece)
        return digest.hexdigest()

    def _pieces(self, offset: int, length: int) -> Iterator[bytes]:
        self._file.seek(offset)
        while length > 0 and (piece := self._file.read(min(length, PIECE_BYTES))):
            length -= len(piece)
            yield piece


async def open_pack(path: Path, listed: list[Source]) -> tuple[Archive, Source]:
    """The imagery of a pack, each of whose parts was checked.

    Returns
    -------
    archive : Archive
        Its tiles.
    source : Source
        Where they are from, with the terms that are known here and no finer zoom than they have.

    Raises
    ------
    NoSuchFileError, PackError, ForbiddenKeepError, ArchiveError
    """
    found = await opened(DiskFile(path), lambda _done, _total: None)
    area = found.manifest.area
    source = next((each for each in listed if each.url == area.source.url), area.source)
    if not (source.allows.keep and source.allows.read):
        raise ForbiddenKeepError(source.name)
    (part,) = found.manifest.of_kind(IMAGERY)
    imagery = await found.imagery()
    archive = Archive(path.name, imagery, await imagery.facts(), part.sha256)
    return archive, replace(source, max_zoom=min(source.max_zoom, area.zooms.finest))

"""Tiles from one file of one's own, PMTiles or MBTiles, as imagery."""

import asyncio
import html
from dataclasses import dataclass, field

from pyapp.core.errors import DamagedRasterError, MissingTileError
from pyapp.core.ground.geo import Tile, wrapped
from pyapp.core.imagery.archive_errors import (
    ArchiveAddressError,
    ArchiveError,
    DamagedArchiveError,
    UnsupportedArchiveError,
    VectorArchiveError,
)
from pyapp.core.imagery.archive_facts import ArchiveFacts, Read, TileFile, is_picture, is_vector
from pyapp.core.imagery.mbtiles import Mbtiles
from pyapp.core.imagery.pmtiles_reader import Pmtiles
from pyapp.core.imagery.source import FILE_ID, Source
from pyapp.core.imagery.sqlite import MAGIC as SQLITE
from pyapp.work.ports import UnreachableError
from pyapp.work.tasks import begin

DATABASES = (".mbtiles", ".sqlite", ".db")


@dataclass
class Archive:
    """A file of tiles that is open.

    Parameters
    ----------
    name : str
        As the person knows it.
    file : TileFile
    facts : ArchiveFacts
    digest : str
        Differs for another file.
    """

    name: str
    file: TileFile
    facts: ArchiveFacts
    digest: str

    @property
    def source(self) -> Source:
        """The source that its tiles belong to."""
        credit = self.facts.credit or self.name
        return Source(
            id=f"{FILE_ID}-{self.digest}",
            name=self.name,
            url=f"archive:{self.digest}/{{z}}/{{x}}/{{y}}",
            min_zoom=self.facts.min_zoom,
            max_zoom=self.facts.max_zoom,
            attribution=html.escape(credit),
            credit=credit,
            origin=None,
            bounds=(self.facts.bounds,),
            date=self.facts.date,
        )

    async def tile(self, tile: Tile) -> bytes:
        """A tile, encoded as it lies in the file.

        Raises
        ------
        MissingTileError
            If there is none.
        DamagedRasterError
            If it can't be read, or is no picture.
        """
        if not 0 <= tile.y < 1 << tile.z:
            raise MissingTileError(tile)
        try:
            data = await self.file.tile(wrapped(tile))
        except (UnreachableError, ArchiveError) as error:
            raise DamagedRasterError(self.name) from error
        if data is None:
            raise MissingTileError(tile)
        if not is_picture(data):
            raise DamagedRasterError(self.name)
        return data


@dataclass
class SharedReads:
    """Reads of a file, of which those for the same bytes at the same time are one.

    Tiles that are wanted together are mostly found by the same directory.
    """

    read: Read
    _reading: "dict[tuple[int, int], asyncio.Task[bytes]]" = field(default_factory=dict)

    async def __call__(self, offset: int, length: int) -> bytes:
        """Bytes of the file; fewer where it ends."""
        key = (offset, length)
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = begin(self._read(offset, length))
            reading.add_done_callback(lambda _: self._reading.pop(key, None))
        # One who no longer waits must not take it away from the others.
        return await asyncio.shield(reading)

    async def _read(self, offset: int, length: int) -> bytes:
        return await self.read(offset, length)


async def open_archive(read: Read, name: str, digest: str, origin: str = "") -> Archive:
    """Open a file of tiles.

    Parameters
    ----------
    read : Read
    name : str
        As the person knows it; it says which format is expected.
    digest : str
        Differs for another file.
    origin : str, optional
        The server that it is read from, unless it is on the device.

    Raises
    ------
    ArchiveError
        If it is none, one of vectors, damaged, or out of reach.
    """
    read = SharedReads(read)
    try:
        beginning = await read(0, len(SQLITE))
        is_database = beginning == SQLITE or name.lower().endswith(DATABASES)
        file: TileFile = await (Mbtiles if is_database else Pmtiles).open(read, name)
        _, tile = await file.first()
        if not is_picture(tile):
            if is_vector(tile):
                raise VectorArchiveError(name)
            raise UnsupportedArchiveError(name, "its tiles are in a format that is not known")
        return Archive(name, file, await file.facts(), digest)
    except UnreachableError as error:
        raise (ArchiveAddressError(origin) if origin else DamagedArchiveError(name)) from error

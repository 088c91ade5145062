"""Reads PMTiles: the tiles of one file, of which only what is needed is read."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any

import numpy as np

from pyapp.core.ground.geo import Tile
from pyapp.core.imagery.archive_errors import (
    DamagedArchiveError,
    EmptyArchiveError,
    NotAnArchiveError,
    UnsupportedArchiveError,
    VectorArchiveError,
)
from pyapp.core.imagery.archive_facts import ArchiveFacts, Read, archive_facts
from pyapp.core.imagery.pmtiles import (
    BEGINNING_BYTES,
    EMPTY,
    FINEST_ZOOM,
    MAGIC,
    MOST_BYTES,
    VECTORS,
    VERSION,
    Compression,
    Directory,
    Header,
    directory_from_bytes,
    inflated,
    tile_id,
    tile_of,
)

# A leaf can point to a leaf, but no writer makes more than two levels.
MOST_LEVELS = 4
KEPT_LEAVES = 64


class Pmtiles:
    """An open file.

    Parameters
    ----------
    read : Read
    name : str
        As the person knows it.
    header : Header
    root : Directory
    """

    def __init__(self, read: Read, name: str, header: Header, root: Directory) -> None:
        self.header = header
        self._read = read
        self._name = name
        self._root = root
        self._leaves: OrderedDict[int, Directory] = OrderedDict()

    @classmethod
    async def open(cls, read: Read, name: str) -> Pmtiles:
        """Read what all tiles are found by.

        Raises
        ------
        NotAnArchiveError, UnsupportedArchiveError, DamagedArchiveError
        """
        beginning = await read(0, BEGINNING_BYTES)
        if beginning[:7] != MAGIC:
            raise NotAnArchiveError(name, "PMTiles")
        if beginning[7:8] not in (b"", bytes([VERSION])):
            raise UnsupportedArchiveError(name, f"it is a PMTiles of version {beginning[7]}")
        try:
            header = Header.from_bytes(beginning)
        except ValueError as error:
            raise DamagedArchiveError(name) from error
        for used in (header.internal, header.compression):
            if used in (Compression.BROTLI, Compression.ZSTD):
                raise UnsupportedArchiveError(name, f"it is compressed by {used.name.lower()}")
        if not header.min_zoom <= header.max_zoom <= FINEST_ZOOM:
            raise DamagedArchiveError(name)
        opened = cls(read, name, header, Directory(*[np.zeros(0, np.int64)] * 4))
        opened._root = await opened._directory(*header.root)
        return opened

    async def facts(self) -> ArchiveFacts:
        """What it says about itself."""
        header = self.header
        first = tile_of(int(self._root.ids[0]))
        zooms = header.min_zoom, header.max_zoom
        return archive_facts(await self.metadata(), header.bounds, zooms, first)

    async def first(self) -> tuple[Tile, bytes]:
        """One of its coarsest tiles.

        Raises
        ------
        VectorArchiveError
            If the header says that they are no pictures.
        EmptyArchiveError, DamagedArchiveError
        """
        if self.header.kind in VECTORS:
            raise VectorArchiveError(self._name)
        try:
            tile = tile_of(int(self._root.ids[0]))
        except ValueError as error:
            raise DamagedArchiveError(self._name) from error
        data = await self.tile(tile)
        if data is None:
            raise DamagedArchiveError(self._name)
        return tile, data

    async def metadata(self) -> dict[str, Any]:
        """What its maker says about it; empty if that can't be read."""
        try:
            data = inflated(await self._part(*self.header.metadata), self.header.internal)
            found = json.loads(data)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    async def tile(self, tile: Tile) -> bytes | None:
        """An encoded tile; ``None`` if there is none.

        Raises
        ------
        DamagedArchiveError
            If it, or what says where it lies, can't be read.
        """
        number, directory = tile_id(tile), self._root
        for _ in range(MOST_LEVELS):
            found = directory.find(number)
            if found is None:
                return None
            offset, length, is_leaf = found
            if not is_leaf:
                return await self._tile_at(offset, length)
            directory = await self._leaf(offset, length)
        raise DamagedArchiveError(self._name)

    async def _tile_at(self, offset: int, length: int) -> bytes:
        try:
            data = await self._part(self.header.data[0] + offset, length)
            return inflated(data, self.header.compression)
        except ValueError as error:
            raise DamagedArchiveError(self._name) from error

    async def _leaf(self, offset: int, length: int) -> Directory:
        leaf = self._leaves.get(offset)
        if leaf is None:
            leaf = await self._directory(self.header.leaves[0] + offset, length)
            self._leaves[offset] = leaf
            if len(self._leaves) > KEPT_LEAVES:
                self._leaves.popitem(last=False)
        else:
            self._leaves.move_to_end(offset)
        return leaf

    async def _directory(self, offset: int, length: int) -> Directory:
        try:
            data = inflated(await self._part(offset, length), self.header.internal)
            if data == EMPTY:
                raise EmptyArchiveError(self._name)
            return directory_from_bytes(data)
        except ValueError as error:
            raise DamagedArchiveError(self._name) from error

    async def _part(self, offset: int, length: int) -> bytes:
        if length > MOST_BYTES:
            raise ValueError("too large")
        data = await self._read(offset, length)
        if len(data) != length:
            raise ValueError("cut short")
        return data

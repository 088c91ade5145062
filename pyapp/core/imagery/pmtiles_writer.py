"""Writes PMTiles of version 3: clustered, equal tiles stored once, so that others can read them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyapp.core.ground.geo import Bounds, Tile
from pyapp.core.imagery.pmtiles import (
    BEGINNING_BYTES,
    HEADER_BYTES,
    Compression,
    Header,
    Kind,
    tile_id,
)

LEAF_ENTRIES = 4096
# Tile id, run, length, offset.
Entry = tuple[int, int, int, int]


@dataclass
class PmtilesWriter:
    """Takes tiles in the order of `tile_id`, and says what to write; it keeps no tile in memory.

    The file is what `head` gives, followed by everything that `add` gave.

    Parameters
    ----------
    kind : Kind
        Of all tiles.

    Examples
    --------
    >>> writer = PmtilesWriter(Kind.PNG)
    >>> data = [writer.add(Tile(0, 0, 0), b"picture")]
    >>> file = b"".join([writer.head(Bounds(-180, -85, 180, 85), {"name": "World"}), *data])
    """

    kind: Kind
    _entries: list[Entry] = field(default_factory=list)
    _offsets: dict[bytes, int] = field(default_factory=dict)
    _zooms: set[int] = field(default_factory=set)
    _added: int = 0
    _data_bytes: int = 0

    def add(self, tile: Tile, data: bytes) -> bytes:
        """Take a tile.

        Parameters
        ----------
        tile : Tile
        data : bytes
            Encoded.

        Returns
        -------
        bytes
            What to write: the tile, or nothing if an equal one was written before.

        Raises
        ------
        ValueError
            If it doesn't follow the last one in the order of `tile_id`, or is empty.
        """
        number = tile_id(tile)
        last, run, length, offset = self._entries[-1] if self._entries else (-1, 1, 0, 0)
        if number < last + run or not data:
            raise ValueError(f"{tile} is empty or out of order")
        self._zooms.add(tile.z)
        self._added += 1
        digest = hashlib.sha256(data).digest()
        found = self._offsets.get(digest)
        if found is not None:
            if found == offset and number == last + run:
                self._entries[-1] = (last, run + 1, length, offset)
            else:
                self._entries.append((number, 1, len(data), found))
            return b""
        self._offsets[digest] = self._data_bytes
        self._entries.append((number, 1, len(data), self._data_bytes))
        self._data_bytes += len(data)
        return data

    def head(self, bounds: Bounds, metadata: Mapping[str, object]) -> bytes:
        """What stands before the tiles.

        Parameters
        ----------
        bounds : Bounds
        metadata : mapping
            For JSON; others read ``name``, ``attribution`` and ``description``.

        Raises
        ------
        ValueError
            If no tile was added.
        """
        if not self._entries:
            raise ValueError("there is no tile")
        root, leaves = self._directories()
        said = _compressed(json.dumps(metadata, ensure_ascii=False).encode())
        metadata_at = HEADER_BYTES + len(root)
        leaves_at = metadata_at + len(said)
        header = Header(
            root=(HEADER_BYTES, len(root)),
            metadata=(metadata_at, len(said)),
            leaves=(leaves_at, len(leaves)),
            data=(leaves_at + len(leaves), self._data_bytes),
            addressed=self._added,
            entries=len(self._entries),
            contents=len(self._offsets),
            clustered=True,
            internal=Compression.GZIP,
            compression=Compression.NONE,
            kind=self.kind,
            min_zoom=min(self._zooms),
            max_zoom=max(self._zooms),
            bounds=bounds,
        )
        return b"".join([header.to_bytes(), root, said, leaves])

    def _directories(self) -> tuple[bytes, bytes]:
        """The root directory, which fits behind the header, and all leaves."""
        root, leaves = directory_to_bytes(self._entries), b""
        size = LEAF_ENTRIES
        while len(root) > BEGINNING_BYTES - HEADER_BYTES:
            pointers: list[Entry] = []
            parts = []
            offset = 0
            for start in range(0, len(self._entries), size):
                leaf = directory_to_bytes(self._entries[start : start + size])
                pointers.append((self._entries[start][0], 0, len(leaf), offset))
                parts.append(leaf)
                offset += len(leaf)
            root, leaves = directory_to_bytes(pointers), b"".join(parts)
            size *= 2
        return root, leaves


def written(
    tiles: Iterable[tuple[Tile, bytes]],
    kind: Kind,
    bounds: Bounds,
    metadata: Mapping[str, object],
) -> list[bytes]:
    """A file of tiles that are given in the order of `tile_id`, as the parts to write in turn.

    Raises
    ------
    ValueError
        If there is no tile, an empty one, or one out of order.
    """
    writer = PmtilesWriter(kind)
    parts = [writer.add(tile, data) for tile, data in tiles]
    return [writer.head(bounds, metadata), *filter(None, parts)]


def directory_to_bytes(entries: Iterable[Entry]) -> bytes:
    """A directory, compressed."""
    ids, runs, lengths, offsets = zip(*entries, strict=True)
    before = (0, *ids[:-1])
    follows = (-1, *(offset + length for offset, length in zip(offsets, lengths, strict=True)))
    numbers = [
        len(ids),
        *(one - other for one, other in zip(ids, before, strict=True)),
        *runs,
        *lengths,
        *(0 if each == next_ else each + 1 for each, next_ in zip(offsets, follows, strict=False)),
    ]
    return _compressed(b"".join(_varint(each) for each in numbers))


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def _compressed(data: bytes) -> bytes:
    # Without the time, so that equal tiles make equal files.
    return gzip.compress(data, mtime=0)

"""PMTiles of version 3: tiles in one file, found by directories of where each lies.

The specification is https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from pyapp.core.ground.geo import Bounds, Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = b"PMTiles"
VERSION = 3
HEADER_BYTES = 127
# Header and root directory lie within the first of them.
BEGINNING_BYTES = 16384
# The eleven numbers after the version, six small ones, the bounds, and the centre.
HEADER = struct.Struct("<7sB11Q6B4iB2i")
DEGREE = 1e7
# Of one directory and of the metadata, decompressed: what claims more is made to fill the memory.
MOST_BYTES = 64 << 20
FINEST_ZOOM = 30
# A directory without entries.
EMPTY = b"\0"


class Compression(IntEnum):
    """How a part of the file is compressed."""

    UNKNOWN = 0
    NONE = 1
    GZIP = 2
    BROTLI = 3
    ZSTD = 4


class Kind(IntEnum):
    """What the tiles are."""

    UNKNOWN = 0
    MVT = 1
    PNG = 2
    JPEG = 3
    WEBP = 4
    AVIF = 5
    MLT = 6


VECTORS = (Kind.MVT, Kind.MLT)


@dataclass(frozen=True)
class Header:
    """The first bytes of a file; offsets and lengths in bytes.

    Attributes
    ----------
    root, metadata, leaves, data : tuple of int
        Offset and length of the root directory, the metadata, the leaf directories and the tiles.
    addressed, entries, contents : int
        Tiles, entries of the directories, and different pictures; 0 if unknown.
    clustered : bool
        Whether the tiles lie in the order of their ids.
    internal : Compression
        Of directories and metadata.
    compression : Compression
        Of each tile.
    kind : Kind
    min_zoom, max_zoom : int
    bounds : Bounds
    """

    root: tuple[int, int]
    metadata: tuple[int, int]
    leaves: tuple[int, int]
    data: tuple[int, int]
    addressed: int
    entries: int
    contents: int
    clustered: bool
    internal: Compression
    compression: Compression
    kind: Kind
    min_zoom: int
    max_zoom: int
    bounds: Bounds

    @classmethod
    def from_bytes(cls, data: bytes) -> Header:
        """Read a header.

        Raises
        ------
        ValueError
            If it is none of version 3.
        """
        if len(data) < HEADER_BYTES or data[:8] != MAGIC + bytes([VERSION]):
            raise ValueError("no PMTiles of version 3")
        _, _, *numbers = HEADER.unpack_from(data)
        pairs = [(numbers[at], numbers[at + 1]) for at in (0, 2, 4, 6)]
        addressed, entries, contents, clustered, internal, compression, kind = numbers[8:15]
        min_zoom, max_zoom, *corners = numbers[15:21]
        return cls(
            pairs[0], pairs[1], pairs[2], pairs[3], addressed, entries, contents, clustered == 1,
            Compression(internal), Compression(compression), Kind(kind), min_zoom, max_zoom,
            Bounds(*(each / DEGREE for each in corners)),
        )  # fmt: skip

    def to_bytes(self) -> bytes:
        """Write it."""
        corners = [round(each * DEGREE) for each in self.bounds]
        west, south, east, north = corners
        return HEADER.pack(
            MAGIC, VERSION, *self.root, *self.metadata, *self.leaves, *self.data,
            self.addressed, self.entries, self.contents, int(self.clustered), self.internal,
            self.compression, self.kind, self.min_zoom, self.max_zoom, *corners,
            self.min_zoom, (west + east) // 2, (south + north) // 2,
        )  # fmt: skip


@dataclass(frozen=True)
class Directory:
    """Where tiles lie; a run of 0 is a leaf directory. Arrays of int64, shape (N,)."""

    ids: NDArray[np.int64]
    runs: NDArray[np.int64]
    lengths: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def find(self, number: int) -> tuple[int, int, bool] | None:
        """Offset and length of what holds a tile, and whether it is a leaf directory."""
        at = int(np.searchsorted(self.ids, number, "right")) - 1
        if at < 0:
            return None
        run = int(self.runs[at])
        if run and number >= int(self.ids[at]) + run:
            return None
        return int(self.offsets[at]), int(self.lengths[at]), run == 0


def tile_id(tile: Tile) -> int:
    """The place of a tile on the Hilbert curve through all tiles of all zooms.

    >>> tile_id(Tile(0, 0, 0)), tile_id(Tile(1, 0, 1)), tile_id(Tile(3423, 1763, 12))
    (0, 4, 19078479)
    """
    x, y, zoom = tile
    found = ((1 << 2 * zoom) - 1) // 3
    for bit in reversed(range(zoom)):
        side = 1 << bit
        right, down = x & side, y & side
        found += ((3 * right) ^ down) << bit
        if not down:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
    return found


def tile_of(number: int) -> Tile:
    """The tile with an id: the inverse of `tile_id`.

    >>> tile_of(4), tile_of(19078479)
    (Tile(x=1, y=0, z=1), Tile(x=3423, y=1763, z=12))
    """
    zoom = ((3 * number + 1).bit_length() - 1) // 2
    if zoom > FINEST_ZOOM:
        raise ValueError("a zoom that is too fine")
    number -= ((1 << 2 * zoom) - 1) // 3
    x = y = 0
    for bit in range(zoom):
        side = 1 << bit
        right = number >> 1 & 1
        down = (number ^ right) & 1
        if not down:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        x, y = x + side * right, y + side * down
        number >>= 2
    return Tile(x, y, zoom)


def inflated(data: bytes, compression: Compression) -> bytes:
    """A part of the file as it was before it was compressed.

    Raises
    ------
    ValueError
        If it is damaged, too large, or compressed in a way that can't be read here.
    """
    if compression in (Compression.NONE, Compression.UNKNOWN):
        return data
    if compression is not Compression.GZIP:
        raise ValueError(f"{compression.name} can't be read")
    inflate = zlib.decompressobj(wbits=31)
    try:
        found = inflate.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not inflate.eof:
        raise ValueError("too large or cut short")
    return found


def directory_from_bytes(data: bytes) -> Directory:
    """Read a directory, decompressed.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    numbers = _numbers(data)
    count = int(numbers[0]) if len(numbers) else 0
    if count <= 0 or len(numbers) != 4 * count + 1:
        raise ValueError("a directory that is empty or cut short")
    steps, runs, lengths, places = numbers[1:].reshape(4, count)
    ids = np.cumsum(steps)
    if (steps[1:] <= 0).any() or (ids < 0).any() or not lengths.all() or not places[0]:
        raise ValueError("a directory that is out of order")
    # An offset of 0 means: right behind the one before.
    before = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    said = np.maximum.accumulate(np.where(places > 0, np.arange(count), 0))
    offsets = places[said] - 1 + before - before[said]
    if (offsets < 0).any() or (before < 0).any():
        raise ValueError("a directory that points to nowhere")
    return Directory(ids, runs, lengths, offsets)


def _numbers(data: bytes) -> NDArray[np.int64]:
    """All varints (LEB128) of a directory."""
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets < 0x80)
    if not len(ends) or ends[-1] != len(octets) - 1:
        raise ValueError("a number that is cut short")
    starts = np.concatenate(([0], ends[:-1] + 1))
    sizes = ends - starts + 1
    if sizes.max() > 9:
        raise ValueError("a number that is too large")
    shifts = 7 * (np.arange(len(octets)) - np.repeat(starts, sizes))
    return np.add.reduceat((octets & 0x7F).astype(np.int64) << shifts, starts)

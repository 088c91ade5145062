"""Which tiles an area takes at which zooms, and what kind of picture a tile is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pyapp.core.ground.geo import (
    Bounds,
    Box,
    LngLat,
    Tile,
    moved,
    pixel_at,
    tiles_under,
    wrapped,
    zoom_for,
)
from pyapp.core.imagery.source import Source
from pyapp.core.pack.errors import LargeKeepError

# Tiles of one area: some 2 GB of photographs.
MOST_TILES = 100_000
# Coarser zooms cost little (a third of the finest one, all together) and help to find one's way.
COARSER = 4
# How the pictures that tiles are begin, and how complete ones end.
_ENDS = {"jpeg": b"\xff\xd9", "png": b"IEND"}


class Zooms(NamedTuple):
    """A range of zooms; both are part of it."""

    coarsest: int
    finest: int

    @property
    def each(self) -> range:
        """All of them."""
        return range(self.coarsest, self.finest + 1)


def widened(bounds: Bounds, margin_m: float) -> Bounds:
    """A rectangle with so many metres more on each side, so that squares at its edge are complete.

    >>> [round(each, 4) for each in widened(Bounds(8.0, 47.0, 8.1, 47.1), 100.0)]
    [7.9987, 46.9991, 8.1013, 47.1009]
    """
    # At the edge towards the pole, metres are most degrees.
    low, high = sorted((bounds.south, bounds.north), key=abs)
    west = min(moved(LngLat(bounds.west, lat), -margin_m, 0.0).lng for lat in (low, high))
    east = max(moved(LngLat(bounds.east, lat), margin_m, 0.0).lng for lat in (low, high))
    south = moved(LngLat(west, bounds.south), 0.0, -margin_m).lat
    return Bounds(west, south, east, moved(LngLat(west, bounds.north), 0.0, margin_m).lat)


def usual_zooms(bounds: Bounds, source: Source, resolution_m: float) -> Zooms:
    """The zooms that answers need in an area, and some coarser ones to find one's way by.

    Parameters
    ----------
    bounds : Bounds
    source : Source
    resolution_m : float
        Ground resolution of the model's chips, in metres per pixel.
    """
    finest = max(
        zoom_for(lat, resolution_m, source.min_zoom, source.max_zoom)
        for lat in (bounds.south, bounds.north)
    )
    return Zooms(max(source.min_zoom, finest - COARSER), finest)


def count_of(bounds: Bounds, zooms: Zooms) -> int:
    """How many tiles an area has at some zooms, without listing them.

    >>> count_of(Bounds(-180.0, -85.0, 180.0, 85.0), Zooms(0, 2))
    21
    """
    count = 0
    for zoom in zooms.each:
        box = _box(bounds, zoom)
        columns = min(_steps(box.left, box.right, zoom), 1 << zoom)
        count += columns * _steps(box.top, box.bottom, zoom)
    return count


def tiles_of(bounds: Bounds, zooms: Zooms, source: Source) -> list[Tile]:
    """The tiles of an area that may exist, the coarsest first, each once.

    Raises
    ------
    LargeKeepError
        If there are more than `MOST_TILES`.
    """
    count = count_of(bounds, zooms)
    if count > MOST_TILES:
        raise LargeKeepError(count, MOST_TILES)
    found = (tile for zoom in zooms.each for tile in tiles_under(_box(bounds, zoom), zoom))
    return [tile for tile in dict.fromkeys(map(wrapped, found)) if source.may_have(tile)]


def spread(tiles: list[Tile], count: int) -> list[Tile]:
    """A few tiles of the finest zoom, by which the others are estimated.

    >>> spread([Tile(0, 0, 0), Tile(0, 0, 1), Tile(1, 0, 1), Tile(0, 1, 1)], 2)
    [Tile(x=0, y=0, z=1), Tile(x=0, y=1, z=1)]
    """
    finest = max((tile.z for tile in tiles), default=0)
    fine = [tile for tile in tiles if tile.z == finest]
    if len(fine) <= count:
        return fine
    return [fine[(len(fine) - 1) * step // max(count - 1, 1)] for step in range(count)]


def estimate_bytes(samples: Iterable[bytes], count: int) -> int:
    """About how many bytes so many tiles take, by those of a few."""
    sizes = [len(each) for each in samples]
    return count * sum(sizes) // max(len(sizes), 1)


def kind_of(data: bytes) -> str | None:
    """What kind of picture a tile is; ``None`` if it is none, or cut short.

    It is looked at from the outside, as a whole area is too much to decode.

    >>> kind_of(b"<!doctype html>") is None, kind_of(b"\\xff\\xd8\\xff picture \\xff\\xd9")
    (True, 'jpeg')
    """
    if data[:3] == b"\xff\xd8\xff":
        return "jpeg" if _ENDS["jpeg"] in data[-64:] else None
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "png" if _ENDS["png"] in data[-64:] else None
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp" if len(data) >= 8 + int.from_bytes(data[4:8], "little") else None
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis", b"mif1"):
        return "avif"
    return None


def key_of(tile: Tile) -> str:
    """A tile as the text by which it is stored.

    >>> key_of(Tile(3, 4, 5))
    '5/3/4'
    """
    return f"{tile.z}/{tile.x}/{tile.y}"


def tile_of(key: str) -> Tile:
    """The inverse of `key_of`.

    >>> tile_of("5/3/4")
    Tile(x=3, y=4, z=5)
    """
    zoom, column, row = map(int, key.split("/"))
    return Tile(column, row, zoom)


def _box(bounds: Bounds, zoom: int) -> Box:
    left, top = pixel_at(LngLat(bounds.west, bounds.north), zoom)
    right, bottom = pixel_at(LngLat(bounds.east, bounds.south), zoom)
    return Box(left, top, right, bottom)


def _steps(first: float, last: float, zoom: int) -> int:
    """How many tiles lie between two places, counted in pixels, by the rule of `tiles_under`."""
    return len(tiles_under(Box(first, 0, last, 1), zoom))

"""What a file of tiles says about itself, whatever its format."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pyapp.core.ground.geo import MAX_LATITUDE, Bounds, LngLat, Tile
from pyapp.core.imagery.date import time_of
from pyapp.core.imagery.template import bounds_of_tile

# ``await read(offset, length)``: bytes of a file; fewer where it ends.
Read = Callable[[int, int], Awaitable[bytes]]
WORLD = Bounds(-180.0, -MAX_LATITUDE, 180.0, MAX_LATITUDE)
# Of a credit, as it is shown.
MOST_CREDIT = 300
# Bounds this wide say nothing about where the tiles are.
WIDE_DEG = 90.0
_TAG = re.compile(r"<[^<>]*>")
_PICTURES = (
    re.compile(rb"\x89PNG\r\n"),
    re.compile(rb"\xff\xd8\xff"),
    re.compile(rb"RIFF....WEBP", re.DOTALL),
    re.compile(rb"....ftypavi[fs]", re.DOTALL),
    re.compile(rb"GIF8"),
)


@dataclass(frozen=True)
class ArchiveFacts:
    """What is known about the tiles of a file.

    Attributes
    ----------
    bounds : Bounds
        The world, if that is not known.
    centre : LngLat
        A place that has tiles.
    min_zoom, max_zoom : int
    credit : str
        Whom the pictures are from, as text; empty if it is not said.
    date : str
        When they were taken, as of `core.imagery.date`; empty if it is not said.
    """

    bounds: Bounds
    centre: LngLat
    min_zoom: int
    max_zoom: int
    credit: str
    date: str

    @property
    def is_wide(self) -> bool:
        """Whether the bounds say little about where the tiles are."""
        return self.bounds.east - self.bounds.west >= WIDE_DEG


class TileFile(Protocol):
    """A file of tiles that is open."""

    async def facts(self) -> ArchiveFacts:
        """What it says about itself."""

    async def first(self) -> tuple[Tile, bytes]:
        """One of its coarsest tiles.

        Raises
        ------
        EmptyArchiveError, DamagedArchiveError
        """

    async def tile(self, tile: Tile) -> bytes | None:
        """An encoded tile; ``None`` if there is none.

        Raises
        ------
        DamagedArchiveError
            If it, or what says where it lies, can't be read.
        """


def archive_facts(
    said: Mapping[str, object], bounds: Bounds | None, zooms: tuple[int, int], first: Tile
) -> ArchiveFacts:
    """Facts of a file, from its metadata and from a tile that it has.

    Parameters
    ----------
    said : mapping
        ``attribution`` (HTML, as both formats have it) and ``date``.
    bounds : Bounds or None
    zooms : tuple of int
        Coarsest and finest.
    first : Tile
    """
    known = bounds if bounds is not None and is_ground(bounds) else WORLD
    seen = known if known.east - known.west < WIDE_DEG else bounds_of_tile(first)
    centre = LngLat((seen.west + seen.east) / 2, (seen.south + seen.north) / 2)
    date = said.get("date")
    return ArchiveFacts(
        known, centre, *zooms, plain_text(said.get("attribution")),
        time_of(date) if isinstance(date, str) else "",
    )  # fmt: skip


def is_ground(bounds: Bounds) -> bool:
    """Whether bounds are a rectangle on the earth."""
    return -180 <= bounds.west < bounds.east <= 180 and -90 <= bounds.south < bounds.north <= 90


def plain_text(markup: object) -> str:
    """HTML as the text in it, in one line; empty if it is no text.

    >>> plain_text('&copy; <a href="https://example.org">Survey &amp; Co</a>')
    '© Survey & Co'
    """
    if not isinstance(markup, str):
        return ""
    return " ".join(html.unescape(_TAG.sub(" ", markup[: 10 * MOST_CREDIT])).split())[:MOST_CREDIT]


def is_picture(data: bytes) -> bool:
    """Whether bytes begin as PNG, JPEG, WebP, AVIF or GIF do."""
    return any(each.match(data) for each in _PICTURES)


def is_vector(data: bytes) -> bool:
    """Whether bytes begin as a vector tile does: with a layer (protobuf), mostly compressed."""
    return data.startswith((b"\x1f\x8b", b"\x1a"))

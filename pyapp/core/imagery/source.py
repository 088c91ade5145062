"""Where imagery comes from: an address for tiles, its limits, and what its provider allows."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from pyapp.core.errors import AddressError
from pyapp.core.ground.geo import Bounds, LngLat, Tile, tile_at, wrapped
from pyapp.core.imagery.template import (
    COARSEST_IN_DEGREES,
    filled,
    has_places,
    in_degrees,
    missing_in,
    unknown_in,
)

OWN_ID = "own"
FILE_ID = "file"
FINEST_ZOOM = 24
ARCHIVES = (".pmtiles", ".mbtiles")
ARCHIVE_HEADS = (b"PMTiles", b"SQLite format 3\0")


class Place(NamedTuple):
    """A place worth looking at, and what can be seen there."""

    name: str
    centre: LngLat


class Allows(NamedTuple):
    """What the terms of a provider allow: to show its pictures, to classify what is in them (one
    by one, or in bulk), and to keep them on the device."""

    show: bool = True
    read: bool = True
    bulk: bool = True
    keep: bool = True


ALL = Allows()


@dataclass(frozen=True)
class Source:
    """A source of tiles in Web Mercator.

    Attributes
    ----------
    id : str
        Short name, used in the page's address.
    name : str
        As a person reads it.
    url : str
        Address with the places of `core.imagery.template`; relative if the tiles are part of
        this site.
    min_zoom, max_zoom : int
        Coarsest and finest zoom that the source has.
    attribution : str
        Credit, as HTML.
    credit : str
        Credit, as plain text.
    origin : str or None
        Scheme, host and port of another site; ``None`` for this site.
    home : tuple (zoom, lat, lng) or None
        What the map shows first, in degrees.
    places : tuple of Place
        Places to try it at.
    coverage : mapping of int to frozenset of (x, y), optional
        For each zoom, the tiles that exist; empty if that is not known.
    allows : Allows
        Nothing is known about an address that a person typed; they are responsible for it.
    licence, terms : str
        Name of its licence, and the address of its terms.
    bounds : tuple of Bounds
        Rectangles that its imagery lies within, roughly; empty if it is worldwide or not known.
    date : str
        When the pictures were taken, as far as is known for all of them.
    renewed : str
        Which pictures it shows, in words.
    ground_m : float or None
        Ground sample distance of what its tiles are made of, in metres per pixel, if that may be
        coarser than the finest of them.
    series : str
        Name of the series of years that it belongs to.
    conditions : str
        What its provider says about its use, in words.
    coarsest_view : int or None
        Coarsest zoom of the map with it, if that is coarser than `min_zoom`: tiles are drawn
        smaller there.
    """

    id: str
    name: str
    url: str
    min_zoom: int
    max_zoom: int
    attribution: str
    credit: str
    origin: str | None
    home: tuple[int, float, float] | None = None
    places: tuple[Place, ...] = ()
    coverage: Mapping[int, frozenset[tuple[int, int]]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    allows: Allows = ALL
    licence: str = ""
    terms: str = ""
    bounds: tuple[Bounds, ...] = ()
    date: str = ""
    renewed: str = ""
    series: str = ""
    ground_m: float | None = None
    conditions: str = ""
    coarsest_view: int | None = None

    def url_of(self, tile: Tile) -> str:
        """The address of one tile."""
        return filled(self.url, tile)

    def may_have(self, tile: Tile) -> bool:
        """Whether the tile exists, as far as is known."""
        tile = wrapped(tile)
        return not self.coverage or (tile.x, tile.y) in self.coverage.get(tile.z, frozenset())

    def covers(self, place: LngLat) -> bool:
        """Whether it has imagery of a place, as far as is known."""
        if not self.may_have(tile_at(place, self.max_zoom)):
            return False
        return not self.bounds or any(within(place, each) for each in self.bounds)


def within(place: LngLat, bounds: Bounds) -> bool:
    """Whether a place lies in a rectangle of ground.

    >>> within(LngLat(7.4, 46.9), Bounds(5.9, 45.8, 10.5, 47.8))
    True
    """
    return bounds.west <= place.lng <= bounds.east and bounds.south <= place.lat <= bounds.north


def sources_from_json(text: str) -> list[Source]:
    """The sources in ``imagery/sources.json``, which the build writes.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is something else.
    """
    return [
        Source(
            id=facts["id"],
            name=facts["name"],
            url=facts["url"],
            min_zoom=facts["min_zoom"],
            max_zoom=facts["max_zoom"],
            attribution=facts["attribution"],
            credit=facts["attribution_text"],
            origin=facts["origin"],
            home=tuple(facts["home"]) if facts.get("home") else None,
            places=tuple(
                Place(each["name"], LngLat(each["lng"], each["lat"]))
                for each in facts.get("places") or ()
            ),
            coverage={
                int(zoom): frozenset(_column_and_row(tile) for tile in tiles)
                for zoom, tiles in (facts.get("tiles") or {}).items()
            },
            allows=Allows(**facts["allows"]),
            licence=facts["licence"],
            terms=facts["terms"],
            bounds=tuple(Bounds(*each) for each in facts.get("bounds") or ()),
            date=facts.get("date", ""),
            renewed=facts.get("renewed", ""),
            series=facts.get("series", ""),
            coarsest_view=facts.get("coarsest_view"),
        )
        for facts in json.loads(text)
    ]


def _column_and_row(text: str) -> tuple[int, int]:
    column, row = text.split("/")
    return int(column), int(row)


def own_source(address: str, max_zoom: int, page_origin: str) -> Source:
    """A source from an address that a person typed or that a link contains.

    Parameters
    ----------
    address : str
        An http or https address with the places of `core.imagery.template`. ``{s}`` stands for
        one of several mirrors; the first, ``a``, is used.
    max_zoom : int
        The finest zoom that it has, 0 to `FINEST_ZOOM`.
    page_origin : str
        Scheme, host and port of the page.

    Raises
    ------
    AddressError
        If it is not an address of tiles that the page may read, or the zoom is out of range.

    Examples
    --------
    >>> source = own_source("https://{s}.example.org/{z}/{x}/{y}.png", 19, "https://page.example")
    >>> source.url_of(Tile(3, 4, 5))
    'https://a.example.org/5/3/4.png'
    """
    address = address.strip().replace("{s}", "a")
    parts = _parts(address)
    missing = missing_in(address)
    if missing:
        wanted = " or ".join("{" + name + "}" for name in missing)
        raise AddressError(
            f"The address has no {wanted}: write it as https://example.org/{{z}}/{{x}}/{{y}}.jpg."
        )
    unknown = unknown_in(address)
    if unknown:
        raise AddressError(
            f"The address has {{{unknown[0]}}}, which this page can't fill in: use {{z}}, {{x}} "
            "and {y} only, and write out any key."
        )
    origin = readable_origin(address, page_origin)
    if not 0 <= max_zoom <= FINEST_ZOOM:
        raise AddressError(f"The finest zoom must be a whole number from 0 to {FINEST_ZOOM}.")
    return Source(
        id=OWN_ID,
        name=parts.hostname or address,
        url=address,
        min_zoom=min(COARSEST_IN_DEGREES, max_zoom) if in_degrees(address) else 0,
        max_zoom=max_zoom,
        attribution=parts.hostname or "",
        credit=parts.hostname or "",
        origin=None if origin == page_origin else origin,
    )


def readable_origin(address: str, page_origin: str) -> str:
    """Scheme, host and port of an address, if a page may read it.

    Raises
    ------
    AddressError
    """
    parts = _parts(address)
    if page_origin.startswith("https:") and parts.scheme == "http" and not _is_local(parts):
        raise AddressError(
            "This page was loaded over https, so the browser lets it read imagery over https only. "
            "Use the https address of the imagery."
        )
    return f"{parts.scheme}://{parts.netloc}"


def is_archive(address: str) -> bool:
    """Whether an address is that of one file with all tiles.

    >>> is_archive("https://example.org/town.pmtiles"), is_archive("https://example.org/town.png")
    (True, False)
    """
    return _ends_with(address, ARCHIVES)


def is_archive_file(name: str, head: bytes) -> bool:
    """Whether a file is named like one with all tiles, or begins as one does.

    >>> is_archive_file("town.pmtiles", b""), is_archive_file("town.jpg", b"\\xff\\xd8\\xff")
    (True, False)
    """
    return name.lower().endswith(ARCHIVES) or head.startswith(ARCHIVE_HEADS)


def is_geotiff(address: str) -> bool:
    """Whether an address is that of a GeoTIFF rather than of tiles.

    >>> is_geotiff("https://example.org/town.tif"), is_geotiff("https://example.org/{z}/{x}/{y}.tif")
    (True, False)
    """
    return _ends_with(address, (".tif", ".tiff"))


def is_service(address: str) -> bool:
    """Whether an address may be that of a map service: it has no places for a tile.

    >>> is_service("https://example.org/wms?map=town"), is_service("https://example.org/{z}/{x}.png")
    (True, False)
    """
    try:
        _parts(address)
    except AddressError:
        return False
    return not (has_places(address) or is_geotiff(address) or is_archive(address))


def _ends_with(address: str, endings: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    found = parts.path.lower().endswith(endings)
    return found and "{" not in address and parts.scheme in ("http", "https")


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        _ = parts.port  # checked only when it is read
        named = parts.hostname and re.fullmatch(r"[\w.:\[\]-]+", parts.netloc)
        if named and parts.scheme in ("http", "https"):
            return parts
    except ValueError:
        pass
    raise AddressError(
        "The address does not begin with https:// and the name of a server: "
        "write it as https://example.org/{z}/{x}/{y}.jpg."
    )


def _is_local(parts: SplitResult) -> bool:
    return parts.hostname in ("localhost", "127.0.0.1", "::1")

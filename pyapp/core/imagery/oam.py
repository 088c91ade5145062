"""OpenAerialMap: its catalogue (STAC API 1.0.0) and the tiles of one picture (TiTiler).

The shape of its answers is known here and nowhere else. It follows the documentation of the
service (docs.imagery.hotosm.org: STAC schema v0.2.0, "Tiles for one image") and its own browser;
fields that older items lack, or have wrong, are worked out from what there is.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from pyapp.core.ground.geo import EARTH_RADIUS_M, Bounds, LngLat, resolution_m, wrap_lng
from pyapp.core.imagery.date import day_of, days_of
from pyapp.core.imagery.source import OWN_ID, Source, readable_origin, within

MOST_PICTURES = 50
# Metres per pixel that a picture from the air or from space may have; "gsd" may be in degrees.
LEAST_M, MOST_M = 0.003, 100.0
FINEST_ZOOM, COARSEST_ZOOM = 23, 10
LICENCES = {
    "CC-BY-4.0": ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "CC-BY-SA-4.0": ("CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    "CC-BY-NC-4.0": ("CC BY-NC 4.0", "https://creativecommons.org/licenses/by-nc/4.0/"),
}
NOT_COMMERCIAL = "Not for commercial use."
NO_LICENCE = "It names no licence of its own; OpenAerialMap publishes under CC BY 4.0."


class Catalogue(NamedTuple):
    """Where the catalogue is, from ``imagery/catalogue.json``.

    Attributes
    ----------
    name : str
    search : str
        The address of its search.
    collection : str
    tiles : str
        The address of a tile, with ``{item}``, ``{z}``, ``{x}`` and ``{y}``.
    """

    name: str
    search: str
    collection: str
    tiles: str


class AerialPicture(NamedTuple):
    """A picture that covers a place.

    Attributes
    ----------
    item : str
        Its name in the catalogue.
    title, provider : str
    date : str
        See `core.imagery.date`; empty if it is not known.
    ground_m : float or None
        Ground sample distance, in metres per pixel.
    licence, terms : str
        Name of its licence, and the address of that.
    bounds : tuple of Bounds
        One rectangle, or two if it lies over the date line.
    """

    item: str
    title: str
    provider: str
    date: str
    ground_m: float | None
    licence: str
    terms: str
    bounds: tuple[Bounds, ...]

    @property
    def centre(self) -> LngLat:
        """The middle of its first rectangle."""
        west, south, east, north = self.bounds[0]
        return LngLat((west + east) / 2, (south + north) / 2)


def catalogue_from_json(text: str) -> Catalogue:
    """The catalogue that the build wrote down."""
    return Catalogue(**json.loads(text))


def search_address(catalogue: Catalogue, window: Bounds) -> str:
    """The address that lists what covers a rectangle.

    Newest first is the order of the service itself (pgstac).

    >>> place = Bounds(85.51, 27.63, 85.52, 27.64)
    >>> search_address(Catalogue("OAM", "https://a.example/search", "oam", ""), place)
    'https://a.example/search?collections=oam&bbox=85.510000,27.630000,85.520000,27.640000&limit=50'
    """
    west, east = wrap_lng(window.west), wrap_lng(window.east)
    if window.east - window.west >= 360:
        west, east = -180.0, 180.0
    box = (west, max(window.south, -90.0), east, min(window.north, 90.0))
    query = {
        "collections": catalogue.collection,
        "bbox": ",".join(f"{each:.6f}" for each in box),
        "limit": str(MOST_PICTURES),
    }
    return f"{catalogue.search}?{urlencode(query, safe=',')}"


def pictures_from_json(data: bytes, place: LngLat) -> list[AerialPicture]:
    """The pictures in an answer: those that cover a place first, then the newest.

    Items that are no visible pictures, or are damaged, are left out.

    Parameters
    ----------
    data : bytes
    place : LngLat
        The middle of the map.

    Raises
    ------
    ValueError
        If it is no list of items.
    """
    try:
        items = json.loads(data)["features"]
        found = [picture for each in items if (picture := _picture(each)) is not None]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("no list of items") from error
    # Twice, as sorting keeps the order of what is equal.
    found.sort(key=lambda each: each.date, reverse=True)
    found.sort(key=lambda each: not any(within(place, box) for box in each.bounds))
    return found[:MOST_PICTURES]


def source_of(picture: AerialPicture, catalogue: Catalogue, page_origin: str) -> Source:
    """A picture as a source of tiles.

    Raises
    ------
    AddressError
        If the page may not read the address of its tiles.
    """
    url = catalogue.tiles.replace("{item}", quote(picture.item, safe=""))
    origin = readable_origin(url, page_origin)
    licence = f", {picture.licence}" if picture.licence else ""
    credit = f"© {picture.provider}, contributors of Open Imagery Network{licence}"
    via = f"{credit}, via {catalogue.name}"
    conditions = "" if picture.licence else NO_LICENCE
    if "-NC" in picture.licence:
        conditions = NOT_COMMERCIAL
    return Source(
        id=f"{OWN_ID}-{hashlib.sha256(url.encode()).hexdigest()[:12]}",
        name=picture.title,
        url=url,
        min_zoom=COARSEST_ZOOM,
        max_zoom=_finest(picture),
        attribution=html.escape(via),
        credit=via,
        origin=None if origin == page_origin else origin,
        licence=picture.licence,
        terms=picture.terms,
        bounds=picture.bounds,
        date=picture.date,
        ground_m=picture.ground_m,
        conditions=conditions,
    )


def facts_of(picture: AerialPicture) -> str:
    """What a person chooses by, in a line."""
    date = picture.date.replace("/", " to ") or "date not known"
    fine = f"{picture.ground_m:.2g} m per pixel" if picture.ground_m else "resolution not known"
    return ", ".join((date, fine, picture.provider, picture.licence or "no licence named"))


def _picture(item: Mapping[str, Any]) -> AerialPicture | None:
    facts = item["properties"]
    bounds = _bounds(item.get("bbox"))
    if not bounds or facts.get("oam:product_type", "visual") != "visual":
        return None
    if "visual" not in item.get("assets", {}):
        return None
    # The day that it was put into the catalogue says nothing about the picture.
    known = facts.get("oam:acquisition_source") != "ingest"
    first, last = facts.get("start_datetime"), facts.get("end_datetime")
    date = (days_of(first, last) or day_of(facts.get("datetime"))) if known else ""
    licence, terms = LICENCES.get(str(facts.get("license", "")).replace(" ", "-"), ("", ""))
    provider = _text(facts.get("oam:producer_name")) or _text(facts.get("provider"))
    return AerialPicture(
        item=str(item["id"]),
        title=_text(facts.get("title")) or str(item["id"]),
        provider=provider or "unknown",
        date=date,
        ground_m=_ground_m(facts.get("gsd"), item["assets"]["visual"], bounds),
        licence=licence,
        terms=terms,
        bounds=bounds,
    )


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _bounds(box: object) -> tuple[Bounds, ...]:
    """One rectangle, or two over the date line; none if there is something wrong with it."""
    if not isinstance(box, list) or len(box) not in (4, 6):
        return ()
    half = len(box) // 2
    try:
        west, south, east, north = (float(each) for each in (*box[:2], *box[half : half + 2]))
    except (TypeError, ValueError):
        return ()
    if not all(map(math.isfinite, (west, south, east, north))) or not south < north:
        return ()
    if west > east:
        return (Bounds(west, south, 180.0, north), Bounds(-180.0, south, east, north))
    return (Bounds(west, south, east, north),) if west < east else ()


def _ground_m(gsd: object, asset: Mapping[str, Any], bounds: tuple[Bounds, ...]) -> float | None:
    """Ground sample distance as it is said, or as size and place of the file give it."""
    if isinstance(gsd, int | float) and LEAST_M <= gsd <= MOST_M:
        return float(gsd)
    shape = asset.get("proj:shape")
    if len(bounds) > 1 or not isinstance(shape, list) or len(shape) != 2:
        return None
    (_, south, _, north), rows = bounds[0], shape[0]
    if not isinstance(rows, int) or rows < 1:
        return None
    ground_m = math.radians(north - south) * EARTH_RADIUS_M / rows
    return ground_m if LEAST_M <= ground_m <= MOST_M else None


def _finest(picture: AerialPicture) -> int:
    """The coarsest zoom that shows all that there is."""
    if picture.ground_m is None:
        return 20
    lat = picture.centre.lat
    zooms = range(COARSEST_ZOOM, FINEST_ZOOM)
    return next((zoom for zoom in zooms if resolution_m(zoom, lat) <= picture.ground_m),
                FINEST_ZOOM)  # fmt: skip

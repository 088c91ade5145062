"""WMS 1.1.1 (OGC 01-068r3) and 1.3.0 (OGC 06-042): capabilities, and addresses of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from pyapp.core.ground.geo import TILE_PX, Bounds
from pyapp.core.imagery.date import time_of
from pyapp.core.imagery.markup import Element
from pyapp.core.imagery.service import (
    WEB_MERCATOR,
    Offer,
    Service,
    coarsest_zoom,
    code_of,
    condition,
    finest_zoom,
    format_of,
    stated,
    with_query,
)
from pyapp.core.imagery.service_errors import OldServiceError, UnsuitedServiceError

ROOTS = ("WMS_Capabilities", "WMT_MS_Capabilities")
SPOKEN = ("1.3.0", "1.1.1", "1.1.0")
DEEPEST = 12
# A pixel of a screen, in metres (OGC 06-042, 7.2.4.6.9); ScaleHint is the diagonal of a pixel.
PIXEL_M, DIAGONAL = 0.00028, 2**0.5
NAMED = 6


class _Asked(NamedTuple):
    """How pictures are asked for: the same for all layers."""

    address: str
    version: str
    format: str
    exceptions: str


@dataclass(frozen=True)
class _Inherited:
    """What a layer has from those around it (06-042, table 7)."""

    systems: frozenset[str] = frozenset()
    bounds: tuple[Bounds, ...] = ()
    credit: str = ""
    # Scale denominators.
    finest: float = 0.0
    coarsest: float = 0.0
    date: str = ""


def service_of(root: Element, asked: str, origin: str) -> Service:
    """What a WMS offers.

    Parameters
    ----------
    root : Element
        Its capabilities.
    asked : str
        The address that they were asked for at.
    origin : str
        The server, to be named.

    Raises
    ------
    OldServiceError
    UnsuitedServiceError
        If no layer can be shown.
    """
    version = root.attributes.get("version", "").strip()
    if version not in SPOKEN:
        raise OldServiceError(origin, version or "of an unknown version")
    getting = root.first("Capability", "Request", "GetMap")
    kind = None if getting is None else format_of(each.text for each in getting.all("Format"))
    if getting is None or kind is None:
        raise UnsuitedServiceError(origin, "it sends no JPEG, PNG or WebP")
    online = getting.first("DCPType", "HTTP", "Get", "OnlineResource")
    address = stated("" if online is None else online.attributes.get("href", ""), asked)
    how = _Asked(address, version, kind, _exceptions(root))
    provider = root.said(
        "Service", "ContactInformation", "ContactPersonPrimary", "ContactOrganization"
    )
    title = root.said("Service", "Title")
    offers: list[Offer] = []
    systems: set[str] = set()
    left_out = 0
    first = _Inherited(credit=provider or title)
    for layer, has in _layers(root.first("Capability") or root, first, 0):
        offer = _offer(layer, has, how)
        if offer is None:
            left_out += 1
            systems |= has.systems
        else:
            offers.append(offer)
    if not offers:
        named = ", ".join(sorted(systems)[:NAMED]) or "none at all"
        raise UnsuitedServiceError(origin, f"its projections are {named}")
    return Service(
        kind="WMS",
        title=title,
        fees=condition(root.said("Service", "Fees")),
        constraints=condition(root.said("Service", "AccessConstraints")),
        offers=tuple(offers),
        left_out=left_out,
    )


def _exceptions(root: Element) -> str:
    """How errors are to be told: as XML if the service can, so that they are not drawn."""
    offered = [each.text.strip() for each in root.all("Capability", "Exception", "Format")]
    return next((each for each in offered if each.lower().endswith("xml")), "")


def _layers(around: Element, has: _Inherited, depth: int) -> Iterator[tuple[Element, _Inherited]]:
    """Every layer with a name, and what it has."""
    for layer in around.all("Layer"):
        own = _with(has, layer)
        if layer.said("Name"):
            yield layer, own
        if depth < DEEPEST:
            yield from _layers(layer, own, depth + 1)


def _with(has: _Inherited, layer: Element) -> _Inherited:
    # Earlier versions write several in one element, with spaces between.
    systems = [
        code_of(each) for name in ("CRS", "SRS") for every in layer.all(name)
        for each in every.text.split()
    ]  # fmt: skip
    bounds = _bounds(layer)
    hint = layer.first("ScaleHint")
    return replace(
        has,
        systems=has.systems | set(systems),
        bounds=(bounds,) if bounds else has.bounds,
        credit=layer.said("Attribution", "Title") or has.credit,
        finest=_number(layer.said("MinScaleDenominator")) or _hinted(hint, "min") or has.finest,
        coarsest=_number(layer.said("MaxScaleDenominator")) or _hinted(hint, "max") or has.coarsest,
        date=_date(layer) or has.date,
    )


def _bounds(layer: Element) -> Bounds | None:
    """The rectangle in degrees that a layer lies within."""
    box = layer.first("EX_GeographicBoundingBox")
    if box is not None:
        names = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude",
                 "northBoundLatitude")  # fmt: skip
        texts = [box.said(name) for name in names]
    else:
        old = layer.first("LatLonBoundingBox")
        if old is None:
            return None
        texts = [old.attributes.get(name, "") for name in ("minx", "miny", "maxx", "maxy")]
    try:
        west, south, east, north = map(float, texts)
    except ValueError:
        return None
    return Bounds(west, south, east, north) if west < east and south < north else None


def _date(layer: Element) -> str:
    """The time that the service shows by itself."""
    for name in ("Dimension", "Extent"):
        for each in layer.all(name):
            if each.attributes.get("name", "").lower() == "time":
                found = time_of(each.attributes.get("default", ""))
                if found:
                    return found
    return ""


def _offer(layer: Element, has: _Inherited, how: _Asked) -> Offer | None:
    """A layer that can be shown; ``None`` if it is in no projection that is known here."""
    system = next((each for each in (*WEB_MERCATOR, "CRS:84", "EPSG:4326") if each in has.systems),
                  None)  # fmt: skip
    if system is None:
        return None
    name = layer.said("Name")
    new = how.version == "1.3.0"
    query = {
        "SERVICE": "WMS", "VERSION": how.version, "REQUEST": "GetMap", "LAYERS": name,
        "STYLES": "", "CRS" if new else "SRS": system, "WIDTH": str(TILE_PX),
        "HEIGHT": str(TILE_PX), "FORMAT": how.format,
    }  # fmt: skip
    if how.exceptions:
        query["EXCEPTIONS"] = how.exceptions
    if system in WEB_MERCATOR:
        box = "{bbox}"
    elif new and system == "EPSG:4326":
        # The order of the registry: latitude first (06-042, 6.7.3.3).
        box = "{south},{west},{north},{east}"
    else:
        box = "{west},{south},{east},{north}"
    template = with_query(how.address, query, f"BBOX={box}")
    return Offer(
        name=name,
        title=layer.said("Title") or name,
        template=template,
        min_zoom=coarsest_zoom(has.coarsest, template),
        max_zoom=finest_zoom(has.finest),
        bounds=has.bounds,
        credit=has.credit,
        date=has.date,
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _hinted(hint: Element | None, name: str) -> float:
    """A scale denominator of WMS 1.1.1's ScaleHint."""
    if hint is None:
        return 0.0
    return _number(hint.attributes.get(name, "")) / DIAGONAL / PIXEL_M

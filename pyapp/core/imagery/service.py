"""What a map service offers, whichever protocol it speaks."""

import hashlib
import html
import math
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pyapp.core.ground.geo import Bounds, LngLat
from pyapp.core.imagery.source import FINEST_ZOOM, OWN_ID, Source, readable_origin, within
from pyapp.core.imagery.template import COARSEST_IN_DEGREES, in_degrees

# Scale denominator of zoom 0, for pixels of 0.28 mm (OGC 07-057r7, annex E.4).
DENOMINATOR = 559082264.0287178
# Codes of Web Mercator, of the registry and of those who did not wait for it.
WEB_MERCATOR = ("EPSG:3857", "EPSG:900913", "EPSG:102100", "EPSG:102113", "EPSG:3785")
# Pictures that can be decoded, the best for imagery first.
FORMATS = ("image/jpeg", "image/png", "image/webp", "image/vnd.jpeg-png", "image/jpgpng")
# What providers write if they ask for nothing.
NOTHING = {"", "none", "no", "no conditions apply", "no fees", "keine", "geen", "aucun", "aucune",
           "ninguno", "nessuno", "free", "n/a", "-"}  # fmt: skip
MOST_SAID = 600


@dataclass(frozen=True)
class Offer:
    """A layer that can be shown.

    Attributes
    ----------
    name, title : str
        As the service calls it, and as a person reads it.
    template : str
        The address of its tiles; see `core.imagery.template`.
    min_zoom : int
    max_zoom : int or None
        ``None`` if the service doesn't say how fine it is.
    bounds : tuple of Bounds
        Empty if it doesn't say where it is.
    credit : str
    date : str
        See `core.imagery.date`.
    """

    name: str
    title: str
    template: str
    min_zoom: int
    max_zoom: int | None
    bounds: tuple[Bounds, ...]
    credit: str
    date: str = ""

    def covers(self, place: LngLat) -> bool:
        """Whether it may show a place."""
        return not self.bounds or any(within(place, each) for each in self.bounds)


@dataclass(frozen=True)
class Service:
    """A service, and the layers of it that can be shown.

    Attributes
    ----------
    kind : str
        ``WMS`` or ``WMTS``.
    title : str
    fees, constraints : str
        In the words of the provider; empty if it asks for nothing, or says nothing.
    offers : tuple of Offer
    left_out : int
        Layers that can't be shown here.
    """

    kind: str
    title: str
    fees: str
    constraints: str
    offers: tuple[Offer, ...]
    left_out: int = 0

    def at(self, place: LngLat) -> list[Offer]:
        """The layers, those that cover a place first."""
        return sorted(self.offers, key=lambda each: not each.covers(place))

    @property
    def conditions(self) -> str:
        """What the provider says about its use."""
        said = {"Fees": self.fees, "Access constraints": self.constraints}
        parts = [f"{name}: {text}" for name, text in said.items() if text]
        if not parts:
            return "The service names no fees and no access constraints."
        return "The service says: " + "; ".join(parts)


def source_of(service: Service, offer: Offer, max_zoom: int, page_origin: str) -> Source:
    """A layer as a source of tiles.

    Parameters
    ----------
    service : Service
    offer : Offer
    max_zoom : int
        Its finest zoom, if the service doesn't say.
    page_origin : str
        Scheme, host and port of the page.

    Raises
    ------
    AddressError
        If the page may not read its address.
    """
    origin = readable_origin(offer.template, page_origin)
    finest = max_zoom if offer.max_zoom is None else offer.max_zoom
    digest = hashlib.sha256(offer.template.encode()).hexdigest()[:12]
    return Source(
        id=f"{OWN_ID}-{digest}",
        name=offer.title,
        url=offer.template,
        min_zoom=min(offer.min_zoom, finest),
        max_zoom=finest,
        attribution=html.escape(offer.credit),
        credit=offer.credit,
        origin=None if origin == page_origin else origin,
        bounds=offer.bounds,
        date=offer.date,
        conditions=service.conditions,
    )


def condition(text: str) -> str:
    """What a provider asks for, cut to a length that can be read; empty if it is nothing.

    >>> condition("NONE"), condition("Ask  us first")
    ('', 'Ask us first')
    """
    text = " ".join(text.split())
    if text.strip(".").lower() in NOTHING:
        return ""
    return text if len(text) <= MOST_SAID else text[: MOST_SAID - 1] + "…"


def finest_zoom(denominator: float) -> int | None:
    """The finest zoom that is not finer than a scale; ``None`` if there is no such limit.

    >>> finest_zoom(1000.0), finest_zoom(0.0)
    (19, None)
    """
    if not denominator > 0 or not math.isfinite(denominator):
        return None
    zoom = math.floor(math.log2(DENOMINATOR / denominator) + 1e-3)
    return min(max(zoom, 0), FINEST_ZOOM)


def coarsest_zoom(denominator: float, template: str) -> int:
    """The coarsest zoom that is not coarser than a scale, and that a template serves well."""
    least = COARSEST_IN_DEGREES if in_degrees(template) else 0
    if not denominator > 0 or not math.isfinite(denominator):
        return least
    zoom = math.ceil(math.log2(DENOMINATOR / denominator) - 1e-3)
    return min(max(zoom, least), FINEST_ZOOM)


def format_of(offered: Iterable[str]) -> str | None:
    """The best of the formats that a layer is offered in; ``None`` if all are unknown.

    >>> format_of(["image/tiff", "image/png", "image/jpeg"])
    'image/jpeg'
    """
    by_kind = {each.split(";")[0].strip().lower(): each.strip() for each in offered}
    return next((by_kind[kind] for kind in FORMATS if kind in by_kind), None)


def code_of(name: str) -> str:
    """The short code of a reference system, however it is written.

    >>> code_of("urn:ogc:def:crs:EPSG::3857"), code_of("http://www.opengis.net/def/crs/EPSG/0/4326")
    ('EPSG:3857', 'EPSG:4326')
    >>> code_of("urn:ogc:def:crs:OGC:1.3:CRS84"), code_of("epsg:900913")
    ('CRS:84', 'EPSG:900913')
    """
    name = name.strip().upper()
    if name.endswith("CRS84") or name == "CRS:84":
        return "CRS:84"
    last = name.replace("/", ":").replace("#", ":").rpartition(":")[2]
    return f"EPSG:{last}" if "EPSG" in name else name


def with_query(address: str, query: dict[str, str], raw: str = "") -> str:
    """An address with a query in place of the same names, in whatever case, and the rest kept.

    Parameters
    ----------
    address : str
    query : dict of str to str
    raw : str
        Added as it is: places to fill in, for which braces must stay.

    Examples
    --------
    >>> with_query("https://example.org/wms?map=a/b&service=WFS", {"SERVICE": "WMS"}, "Z={z}")
    'https://example.org/wms?map=a/b&SERVICE=WMS&Z={z}'
    """
    parts = urlsplit(address)
    names = {name.lower() for name in query}
    kept = [pair for pair in parse_qsl(parts.query, True) if pair[0].lower() not in names]
    encoded = urlencode([*kept, *query.items()], safe="/:,;", quote_via=quote)
    joined = "&".join(each for each in (encoded, raw) if each)
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    return urlunsplit((parts.scheme, parts.netloc, path, joined, ""))


def stated(address: str, asked: str) -> str:
    """The address that a service states for its pictures, or the one that it was asked at.

    Behind a proxy, services often state http for what is reached by https.

    >>> stated("http://example.org/ows", "https://example.org/wms")
    'https://example.org/ows'
    """
    here, there = urlsplit(asked), urlsplit(address.strip())
    if not there.hostname:
        return asked
    if there.scheme == "http" and here.scheme == "https":
        if there.hostname != here.hostname:
            # Of a network that only its provider is in.
            return asked
        return urlunsplit((here.scheme, here.netloc, there.path, there.query, ""))
    return address.strip()

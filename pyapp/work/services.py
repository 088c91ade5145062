"""Asks map services what they offer, and tries a layer before it is used."""

from urllib.parse import urlsplit

from pyapp.core.ground.geo import Bounds, LngLat, Tile, tile_at, wrap_lng
from pyapp.core.imagery import wms, wmts
from pyapp.core.imagery.markup import (
    MOST_BYTES,
    Element,
    MarkupError,
    MarkupReader,
    complaint_in,
    is_html,
)
from pyapp.core.imagery.oam import (
    AerialPicture,
    Catalogue,
    pictures_from_json,
    search_address,
)
from pyapp.core.imagery.quality import FLAT, flatness
from pyapp.core.imagery.service import Service, with_query
from pyapp.core.imagery.service_errors import (
    NoImageryFoundError,
    NotAServiceError,
    PlainPictureError,
    RefusingServiceError,
    SlowServiceError,
    UnreachableServiceError,
    WebPageError,
    WrongCatalogueError,
)
from pyapp.core.imagery.source import Source, readable_origin
from pyapp.work.ground import Ground
from pyapp.work.ports import Clock, Fetch, StatusError, UnreachableError

# Capabilities may be long, and servers slow to write them.
LIMIT_S = 30.0
PIECE_BYTES = 64 << 10
# What a layer is tried at, if its zooms allow that.
TRIED_ZOOM = 17
# Names in the query of a picture that capabilities do not have.
PICTURE = {"layers", "styles", "crs", "srs", "bbox", "width", "height", "format", "transparent",
           "version", "layer", "style", "tilematrixset", "tilematrix", "tilerow", "tilecol",
           "exceptions", "bgcolor"}  # fmt: skip


class TooLongError(Exception):
    """More arrives than anyone would read."""


class Services:
    """Map services of others.

    Parameters
    ----------
    fetch : Fetch
    clock : Clock
    ground : Ground
    """

    def __init__(self, fetch: Fetch, clock: Clock, ground: Ground):
        self._fetch = fetch
        self._clock = clock
        self._ground = ground

    async def read(self, address: str, page_origin: str) -> Service:
        """What the service at an address offers.

        Parameters
        ----------
        address : str
            Of the service, or of its capabilities.
        page_origin : str
            Scheme, host and port of the page.

        Raises
        ------
        AddressError
            If the page may not read the address.
        ServiceError
        """
        origin = readable_origin(address, page_origin)
        root = await self._markup(capabilities_at(address), origin)
        if root.name in wms.ROOTS:
            return wms.service_of(root, address, origin)
        if root.name == wmts.ROOT and root.first("Contents") is not None:
            return wmts.service_of(root, address, origin)
        said = complaint_in(root)
        raise NotAServiceError(origin, f'it says "{said}"' if said else f"it is a {root.name}")

    async def pictures(
        self, catalogue: Catalogue, window: Bounds, page_origin: str
    ) -> list[AerialPicture]:
        """What a catalogue has of a rectangle of ground.

        Raises
        ------
        ServiceError
        """
        origin = readable_origin(catalogue.search, page_origin)
        data = await fetched(self._fetch, search_address(catalogue, window), origin)
        middle = LngLat(
            wrap_lng((window.west + window.east) / 2), (window.south + window.north) / 2
        )
        try:
            found = pictures_from_json(data, middle)
        except ValueError as error:
            raise WrongCatalogueError(catalogue.name) from error
        if not found:
            raise NoImageryFoundError(catalogue.name)
        return found

    async def try_out(self, source: Source, place: LngLat) -> None:
        """Read one tile of a source, at a place if it is there, else in its middle.

        Raises
        ------
        TileError
            If there is none that can be read.
        PlainPictureError
            If it is of one colour.
        """
        tile = tried_tile(source, place)
        data = await self._ground.read_tile(source, tile)
        pixels = await self._ground.decode_tile(tile, data)
        if flatness(pixels) >= FLAT:
            raise PlainPictureError(source.name)

    async def _markup(self, address: str, origin: str) -> Element:
        data = await fetched(self._fetch, address, origin)
        if is_html(data):
            raise WebPageError(origin)
        reader = MarkupReader()
        try:
            for start in range(0, len(data), PIECE_BYTES):
                reader.feed(data[start : start + PIECE_BYTES])
                await self._clock.sleep(0)
            reader.feed(b"", True)
        except MarkupError as error:
            raise NotAServiceError(origin, str(error)) from error
        return reader.root()


async def fetched(fetch: Fetch, address: str, origin: str) -> bytes:
    """What a service sends.

    Raises
    ------
    ServiceError
    """

    def arrived(count: int) -> None:
        if count > MOST_BYTES:
            raise TooLongError

    try:
        return await fetch(address, LIMIT_S, False, arrived)
    except StatusError as error:
        raise RefusingServiceError(origin, error.status) from error
    except TimeoutError as error:
        raise SlowServiceError(origin, LIMIT_S) from error
    except UnreachableError as error:
        raise UnreachableServiceError(origin) from error
    except TooLongError as error:
        raise NotAServiceError(origin, "it is too long") from error


def capabilities_at(address: str) -> str:
    """Where the capabilities of a service are.

    An address that ends in .xml is theirs already. Otherwise it is of a WMTS if it says so, and of
    a WMS if not.

    >>> capabilities_at("https://example.org/ows?map=town")
    'https://example.org/ows?map=town&SERVICE=WMS&REQUEST=GetCapabilities'
    >>> capabilities_at("https://example.org/wmts/1.0.0/WMTSCapabilities.xml")
    'https://example.org/wmts/1.0.0/WMTSCapabilities.xml'
    """
    parts = urlsplit(address)
    if parts.path.lower().endswith(".xml"):
        return address
    kind = "WMTS" if "wmts" in f"{parts.path}?{parts.query}".lower() else "WMS"
    query = {"SERVICE": kind, "REQUEST": "GetCapabilities"}
    return with_query(_without_picture(address), query)


def _without_picture(address: str) -> str:
    """The address of a service in that of a picture of it, which a person may have copied."""
    parts = urlsplit(address)
    kept = [
        each
        for each in parts.query.split("&")
        if each and each.partition("=")[0].lower() not in PICTURE
    ]
    return parts._replace(query="&".join(kept), fragment="").geturl()


def tried_tile(source: Source, place: LngLat) -> Tile:
    """The tile to try a source with."""
    if source.bounds and not source.covers(place):
        box = source.bounds[0]
        place = LngLat((box.west + box.east) / 2, (box.south + box.north) / 2)
    return tile_at(place, min(max(TRIED_ZOOM, source.min_zoom), source.max_zoom))

"""WMTS 1.0.0 (OGC 07-057r7): capabilities, and addresses of tiles, by query or by path."""

from __future__ import annotations

import math
import re
from typing import NamedTuple
from urllib.parse import quote

from pyapp.core.ground.geo import EARTH_RADIUS_M, TILE_PX, Bounds
from pyapp.core.imagery.date import time_of
from pyapp.core.imagery.markup import Element
from pyapp.core.imagery.service import (
    DENOMINATOR,
    WEB_MERCATOR,
    Offer,
    Service,
    code_of,
    condition,
    format_of,
    stated,
    with_query,
)
from pyapp.core.imagery.service_errors import UnsuitedServiceError
from pyapp.core.imagery.source import FINEST_ZOOM

ROOT = "Capabilities"
HALF_M = math.pi * EARTH_RADIUS_M
# Metres that the corner of a matrix may be off, and the share of its scale.
CORNER_M, SCALE = 2.0, 1e-4
_NAME = re.compile(r"\{([^{}]*)\}")
NAMED = 6


class Grid(NamedTuple):
    """The zooms of a matrix set that are those of a web map.

    Attributes
    ----------
    prefix : str
        What stands before the number of a zoom.
    number : str
        That number, as a place in a template.
    min_zoom, max_zoom : int
    """

    prefix: str
    number: str
    min_zoom: int
    max_zoom: int


def service_of(root: Element, asked: str, origin: str) -> Service:
    """What a WMTS offers.

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
    UnsuitedServiceError
        If no layer can be shown.
    """
    sets = list(root.all("Contents", "TileMatrixSet"))
    grids = {each.said("Identifier"): grid for each in sets if (grid := grid_of(each))}
    address = _address(root, asked)
    provider = root.said("ServiceProvider", "ProviderName")
    title = root.said("ServiceIdentification", "Title")
    layers = list(root.all("Contents", "Layer"))
    found = [_offer(each, grids, address, provider or title, asked) for each in layers]
    offers = tuple(each for each in found if each is not None)
    if not offers:
        named = sorted({code_of(each.said("SupportedCRS")) for each in sets})[:NAMED]
        raise UnsuitedServiceError(
            origin,
            f"its matrix sets ({', '.join(named) or 'none'}) are not the grid of a web map "
            "(GoogleMapsCompatible, in tiles of 256 pixels), or hold no pictures",
        )
    return Service(
        kind="WMTS",
        title=title,
        fees=condition(root.said("ServiceIdentification", "Fees")),
        constraints=condition(root.said("ServiceIdentification", "AccessConstraints")),
        offers=offers,
        left_out=len(layers) - len(offers),
    )


def grid_of(matrix_set: Element) -> Grid | None:
    """The zooms of a matrix set; ``None`` if it is not the grid of a web map, numbered by zoom."""
    if code_of(matrix_set.said("SupportedCRS")) not in WEB_MERCATOR:
        return None
    found: dict[int, str] = {}
    for matrix in matrix_set.all("TileMatrix"):
        zoom = _zoom(matrix)
        if zoom is not None:
            found[zoom] = matrix.said("Identifier")
    if not found:
        return None
    prefixes = {name.rstrip("0123456789") for name in found.values()}
    if len(prefixes) > 1:
        return None
    (prefix,) = prefixes
    digits = {zoom: name.removeprefix(prefix) for zoom, name in found.items()}
    first, last = min(found), max(found)
    if len(found) != last - first + 1:
        return None
    for number, form in (("{z}", "{}"), ("{zz}", "{:02}")):
        if all(digits[zoom] == form.format(zoom) for zoom in digits):
            return Grid(prefix, number, first, last)
    return None


def _zoom(matrix: Element) -> int | None:
    """The zoom that a matrix is; ``None`` if it is none."""
    try:
        scale = float(matrix.said("ScaleDenominator"))
        left, top = map(float, matrix.said("TopLeftCorner").split())
        sides = int(matrix.said("TileWidth")), int(matrix.said("TileHeight"))
        exact = math.log2(DENOMINATOR / scale)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    zoom = round(exact)
    if sides != (TILE_PX, TILE_PX) or not 0 <= zoom <= FINEST_ZOOM or abs(exact - zoom) > SCALE:
        return None
    if max(abs(left + HALF_M), abs(top - HALF_M)) > CORNER_M:
        return None
    return zoom


def _address(root: Element, asked: str) -> str:
    """Where tiles are asked for by query; empty if they are not."""
    for operation in root.all("OperationsMetadata", "Operation"):
        if operation.attributes.get("name") != "GetTile":
            continue
        for get in operation.all("DCP", "HTTP", "Get"):
            values = {each.text.strip().upper()
                      for each in get.all("Constraint", "AllowedValues", "Value")}  # fmt: skip
            if not values or "KVP" in values:
                return stated(get.attributes.get("href", ""), asked)
    return ""


def _offer(
    layer: Element, grids: dict[str, Grid], address: str, credit: str, asked: str
) -> Offer | None:
    """A layer that can be shown; ``None`` if it has no grid, format or address for that."""
    links = [each for each in layer.all("TileMatrixSetLink")
             if each.said("TileMatrixSet") in grids]  # fmt: skip
    kind = format_of(each.text for each in layer.all("Format"))
    if not links or kind is None:
        return None
    link = max(links, key=lambda each: grids[each.said("TileMatrixSet")].max_zoom)
    set_name = link.said("TileMatrixSet")
    grid = grids[set_name]
    first, last = _limits(link, grid)
    defaults = {each.said("Identifier"): each.said("Default") for each in layer.all("Dimension")}
    values = {
        "layer": layer.said("Identifier"), "style": _style(layer), "tilematrixset": set_name,
        **{name.lower(): value for name, value in defaults.items()},
    }  # fmt: skip
    template = _by_path(layer, kind, grid, values, asked) or (
        address and _by_query(address, kind, grid, values, tuple(defaults))
    )
    if not template:
        return None
    time = next((value for name, value in defaults.items() if name.lower() == "time"), "")
    return Offer(
        name=values["layer"],
        title=layer.said("Title") or values["layer"],
        template=template,
        min_zoom=first,
        max_zoom=last,
        bounds=_bounds(layer),
        credit=credit,
        date=time_of(time),
    )


def _limits(link: Element, grid: Grid) -> tuple[int, int]:
    """The zooms that a layer has of its grid."""
    names = [each.said("TileMatrix")
             for each in link.all("TileMatrixSetLimits", "TileMatrixLimits")]  # fmt: skip
    numbers = [name.removeprefix(grid.prefix) for name in names]
    zooms = [int(each) for each in numbers if each.isdecimal() and len(each) < 3]
    within = [each for each in zooms if grid.min_zoom <= each <= grid.max_zoom]
    return (min(within), max(within)) if within else (grid.min_zoom, grid.max_zoom)


def _style(layer: Element) -> str:
    styles = list(layer.all("Style"))
    usual = [each for each in styles if each.attributes.get("isDefault") == "true"]
    return next((each.said("Identifier") for each in [*usual, *styles]), "")


def _bounds(layer: Element) -> tuple[Bounds, ...]:
    box = layer.first("WGS84BoundingBox")
    try:
        west, south = map(float, box.said("LowerCorner").split() if box else ())
        east, north = map(float, box.said("UpperCorner").split() if box else ())
    except ValueError:
        return ()
    return (Bounds(west, south, east, north),) if west < east and south < north else ()


def _by_path(layer: Element, kind: str, grid: Grid, values: dict[str, str], asked: str) -> str:
    """The template of a layer whose tiles have a path each; empty if they have none."""
    resources = [
        each for each in layer.all("ResourceURL")
        if each.attributes.get("resourceType") == "tile"
        and each.attributes.get("format", kind).strip() == kind
    ]  # fmt: skip
    if not resources:
        return ""
    places = {"tilematrix": quote(grid.prefix, safe=":") + grid.number, "tilerow": "{y}",
              "tilecol": "{x}"}  # fmt: skip
    known = {name: quote(value, safe=":") for name, value in values.items()} | places
    template = stated(resources[0].attributes.get("template", ""), asked)
    if any(name.lower() not in known for name in _NAME.findall(template)):
        return ""
    return _NAME.sub(lambda found: known[found[1].lower()], template)


def _by_query(
    address: str, kind: str, grid: Grid, values: dict[str, str], dimensions: tuple[str, ...]
) -> str:
    query = {
        "SERVICE": "WMTS", "REQUEST": "GetTile", "VERSION": "1.0.0", "LAYER": values["layer"],
        "STYLE": values["style"], "FORMAT": kind, "TILEMATRIXSET": values["tilematrixset"],
        **{name: values[name.lower()] for name in dimensions},
    }  # fmt: skip
    zoom = quote(grid.prefix, safe=":") + grid.number
    return with_query(address, query, f"TILEMATRIX={zoom}&TILEROW={{y}}&TILECOL={{x}}")

"""Addresses with places to fill in for each tile.

Of tiles: ``{z}`` or ``{zz}`` (with two digits), ``{x}``, and ``{y}`` or ``{-y}`` (rows counted
from the south). Of a WMS: ``{bbox}`` (west, south, east and north in metres of EPSG:3857), or
``{west}``, ``{south}``, ``{east}`` and ``{north}`` in degrees, in the order that it wants them.
"""

import math
import re
from collections.abc import Callable, Mapping

from pyapp.core.ground.geo import (
    EARTH_RADIUS_M,
    TILE_PX,
    Bounds,
    Pixel,
    Tile,
    place_at,
    resolution_m,
    wrapped,
)

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_HALF_M = math.pi * EARTH_RADIUS_M
_DEGREES = ("west", "south", "east", "north")
# In degrees, rows are not spaced as in Web Mercator: in the middle of a tile they are off by 64 pi
# sin(lat) / 2^zoom pixels, which is less than 0.2 from this zoom on.
COARSEST_IN_DEGREES = 10


def bounds_of_tile(tile: Tile) -> Bounds:
    """The rectangle of ground, in degrees, that a tile covers.

    >>> bounds_of_tile(Tile(1, 0, 1)).west
    0.0
    """
    west, north = place_at(Pixel(tile.x * TILE_PX, tile.y * TILE_PX), tile.z)
    east, south = place_at(Pixel((tile.x + 1) * TILE_PX, (tile.y + 1) * TILE_PX), tile.z)
    return Bounds(west, south, east, north)


def _metres(tile: Tile) -> str:
    side_m = resolution_m(tile.z, 0.0) * TILE_PX
    west, north = tile.x * side_m - _HALF_M, _HALF_M - tile.y * side_m
    return ",".join(f"{each:.4f}" for each in (west, north - side_m, west + side_m, north))


def _edge(name: str) -> Callable[[Tile], str]:
    return lambda tile: f"{getattr(bounds_of_tile(tile), name):.10f}"


_VALUES: Mapping[str, Callable[[Tile], object]] = {
    "z": lambda tile: tile.z,
    "zz": lambda tile: f"{tile.z:02}",
    "x": lambda tile: tile.x,
    "y": lambda tile: tile.y,
    "-y": lambda tile: (1 << tile.z) - 1 - tile.y,
    "bbox": _metres,
    **{name: _edge(name) for name in _DEGREES},
}


def filled(template: str, tile: Tile) -> str:
    """The address of a tile.

    >>> filled("https://example.org/{z}/{x}/{-y}", Tile(3, 4, 5))
    'https://example.org/5/3/27'
    >>> filled("?BBOX={south},{west},{north},{east}", Tile(1, 0, 1))
    '?BBOX=0.0000000000,0.0000000000,85.0511287798,180.0000000000'
    """
    tile = wrapped(tile)
    return _PLACEHOLDER.sub(lambda found: str(_VALUES[found[1]](tile)), template)


def missing_in(template: str) -> list[str]:
    """Places that an address lacks; a WMS needs others than tiles do.

    >>> missing_in("https://example.org/{z}/{x}"), missing_in("https://example.org/?BBOX={bbox}")
    (['y'], [])
    """
    names = set(_PLACEHOLDER.findall(template))
    if "bbox" in names:
        return []
    if names & set(_DEGREES):
        return [name for name in _DEGREES if name not in names]
    wanted = (("z", "zz"), ("x",), ("y", "-y"))
    return [each[0] for each in wanted if not names & set(each)]


def unknown_in(template: str) -> list[str]:
    """Places that can't be filled in, in alphabetical order."""
    return sorted(set(_PLACEHOLDER.findall(template)) - _VALUES.keys())


def has_places(address: str) -> bool:
    """Whether an address has anything to fill in."""
    return _PLACEHOLDER.search(address) is not None


def in_degrees(template: str) -> bool:
    """Whether a template asks for rectangles in degrees."""
    return "{west}" in template

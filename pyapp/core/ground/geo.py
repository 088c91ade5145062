"""Ground, tiles and pixels: the Web-Mercator arithmetic of a square of ground.

Formulas follow the OGC Two Dimensional Tile Matrix Set standard (WebMercatorQuad) and Snyder,
Map Projections: A Working Manual (USGS 1395), p. 44. A web map draws the sphere of radius
`EARTH_RADIUS_M`; against the ellipsoid a ground length is off by at most 0.7 percent.
"""

import math
from typing import NamedTuple

EARTH_RADIUS_M = 6378137.0
TILE_PX = 256
MAX_LATITUDE = math.degrees(math.atan(math.sinh(math.pi)))


class LngLat(NamedTuple):
    """A place, in degrees, longitude first as in GeoJSON."""

    lng: float
    lat: float


class Tile(NamedTuple):
    """An XYZ tile: column from the west, row from the north, zoom."""

    x: int
    y: int
    z: int


class Pixel(NamedTuple):
    """A point in the pixels of the whole world at one zoom: right and down from the north-west."""

    x: float
    y: float


class Box(NamedTuple):
    """A rectangle in world pixels at one zoom; ``right`` and ``bottom`` are exclusive."""

    left: float
    top: float
    right: float
    bottom: float


class Bounds(NamedTuple):
    """A rectangle of ground, in degrees."""

    west: float
    south: float
    east: float
    north: float


class Footprint(NamedTuple):
    """A square of ground: its centre and the length of its side, in metres on the ground."""

    centre: LngLat
    side_m: float


def world_px(zoom: int) -> int:
    """The side of the whole world, in pixels, at ``zoom``."""
    return TILE_PX << zoom


def resolution_m(zoom: int, lat: float) -> float:
    """Ground sample distance of a Web-Mercator tile, in metres per pixel.

    >>> round(resolution_m(19, 0.0), 4)
    0.2986
    """
    circumference_m = 2 * math.pi * EARTH_RADIUS_M
    return circumference_m * math.cos(math.radians(lat)) / world_px(zoom)


def wrap_lng(lng: float) -> float:
    """The same meridian within [-180, 180).

    >>> wrap_lng(190.0)
    -170.0
    """
    return lng if -180.0 <= lng < 180.0 else (lng + 180.0) % 360.0 - 180.0


def pixel_at(place: LngLat, zoom: int) -> Pixel:
    """Where a place lies in world pixels at ``zoom``."""
    lat = math.radians(max(-MAX_LATITUDE, min(MAX_LATITUDE, place.lat)))
    size = world_px(zoom)
    x = (place.lng + 180.0) / 360.0 * size
    y = (1.0 - math.asinh(math.tan(lat)) / math.pi) / 2.0 * size
    return Pixel(x, y)


def place_at(pixel: Pixel, zoom: int) -> LngLat:
    """The place at a point in world pixels: the inverse of `pixel_at`."""
    size = world_px(zoom)
    lng = pixel.x / size * 360.0 - 180.0
    lat = math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * pixel.y / size))))
    return LngLat(lng, lat)


def moved(place: LngLat, east_m: float, north_m: float) -> LngLat:
    """The place some metres of ground to the east and north, kept on the map.

    Good for lengths that are small against the earth's radius.
    """
    lat = place.lat + math.degrees(north_m / EARTH_RADIUS_M)
    circle_m = EARTH_RADIUS_M * math.cos(math.radians(place.lat))
    lng = place.lng + math.degrees(east_m / circle_m)
    return LngLat(lng, max(-MAX_LATITUDE, min(MAX_LATITUDE, lat)))


def same_ground(one: Footprint, other: Footprint) -> bool:
    """Whether more than half of a footprint's width and height is in another one of its size.

    >>> here = Footprint(LngLat(85.52, 27.63), 78.0)
    >>> same_ground(here, here), same_ground(here, Footprint(moved(here.centre, 50, 0), 78.0))
    (True, False)
    """
    north_m = math.radians(one.centre.lat - other.centre.lat) * EARTH_RADIUS_M
    east = math.radians(wrap_lng(one.centre.lng - other.centre.lng))
    east_m = east * EARTH_RADIUS_M * math.cos(math.radians(one.centre.lat))
    return max(abs(north_m), abs(east_m)) < min(one.side_m, other.side_m) / 2


def zoom_for(lat: float, wanted_m: float, min_zoom: int, max_zoom: int) -> int:
    """The coarsest zoom whose tiles are still as fine as ``wanted_m`` metres per pixel.

    Finer tiles would cost four times the requests for detail that the chip averages away. Where
    even ``max_zoom`` is too coarse, it is the best there is.

    >>> zoom_for(0.0, 0.348, 0, 22), zoom_for(60.0, 0.348, 0, 22), zoom_for(0.0, 0.348, 0, 18)
    (19, 18, 18)
    """
    for zoom in range(min_zoom, max_zoom):
        if resolution_m(zoom, lat) <= wanted_m:
            return zoom
    return max_zoom


def box_of(footprint: Footprint, zoom: int) -> Box:
    """The footprint in world pixels at ``zoom``: a square, scaled at its centre's latitude."""
    middle = pixel_at(footprint.centre, zoom)
    half = footprint.side_m / resolution_m(zoom, footprint.centre.lat) / 2.0
    return Box(middle.x - half, middle.y - half, middle.x + half, middle.y + half)


def bounds_of(footprint: Footprint) -> Bounds:
    """The footprint in degrees; west may be under -180 or east over 180 at the date line."""
    zoom = 0
    box = box_of(footprint, zoom)
    north_west = place_at(Pixel(box.left, box.top), zoom)
    south_east = place_at(Pixel(box.right, box.bottom), zoom)
    return Bounds(north_west.lng, south_east.lat, south_east.lng, north_west.lat)


def tiles_under(box: Box, zoom: int) -> list[Tile]:
    """The tiles that a box of world pixels touches, row by row.

    Columns are not wrapped at the date line, so that neighbours stay neighbours; `wrapped`
    gives the tile to ask a server for.
    """
    columns = range(math.floor(box.left / TILE_PX), math.ceil(box.right / TILE_PX))
    rows = range(math.floor(box.top / TILE_PX), math.ceil(box.bottom / TILE_PX))
    return [Tile(x, y, zoom) for y in rows for x in columns]


def wrapped(tile: Tile) -> Tile:
    """The same tile with its column within the world."""
    return Tile(tile.x % (1 << tile.z), tile.y, tile.z)


def on_the_map(box: Box, zoom: int) -> bool:
    """Whether a box of world pixels lies between the map's northern and southern edges."""
    return box.top >= 0 and box.bottom <= world_px(zoom)

"""Ground, tiles and pixels: the Web Mercator arithmetic of a square of ground.

Formulas follow the OGC Two Dimensional Tile Matrix Set standard (WebMercatorQuad) and Snyder,
Map Projections: A Working Manual (USGS 1395), p. 44. A web map draws a sphere of radius
`EARTH_RADIUS_M`; lengths on the ground differ from those on the ellipsoid by at most 0.7 percent.
"""

import math
from typing import NamedTuple

EARTH_RADIUS_M = 6378137.0
TILE_PX = 256
MAX_LATITUDE = math.degrees(math.atan(math.sinh(math.pi)))
# Share of the world, 4 micrometres, by which rounding may move the edge of a box; a tile that is
# touched by less is not needed. Otherwise `Cut` and `Reading` could disagree.
ROUNDING = 1e-13


class LngLat(NamedTuple):
    """A place, in degrees; longitude first, as in GeoJSON."""

    lng: float
    lat: float


class Tile(NamedTuple):
    """An XYZ tile: column counted from the west, row counted from the north, zoom."""

    x: int
    y: int
    z: int


class Pixel(NamedTuple):
    """A point in world pixels at some zoom, counted right and down from the north-west corner."""

    x: float
    y: float


class Box(NamedTuple):
    """A rectangle in world pixels at some zoom; ``right`` and ``bottom`` are exclusive."""

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
    """A square of ground: its centre, and the length of its side in metres on the ground."""

    centre: LngLat
    side_m: float


def world_px(zoom: int) -> int:
    """Side of the world at ``zoom``, in pixels.

    >>> world_px(0), world_px(2)
    (256, 1024)
    """
    return TILE_PX << zoom


def resolution_m(zoom: int, lat: float) -> float:
    """Ground sample distance of a tile, in metres per pixel.

    Parameters
    ----------
    zoom : int
    lat : float
        Latitude, in degrees.

    Examples
    --------
    >>> round(resolution_m(19, 0.0), 4), round(resolution_m(19, 60.0), 4)
    (0.2986, 0.1493)
    """
    circumference_m = 2 * math.pi * EARTH_RADIUS_M
    return circumference_m * math.cos(math.radians(lat)) / world_px(zoom)


def wrap_lng(lng: float) -> float:
    """The same meridian as a longitude from -180 up to, but not including, 180 degrees.

    >>> wrap_lng(190.0), wrap_lng(180.0)
    (-170.0, -180.0)
    """
    return lng if -180.0 <= lng < 180.0 else (lng + 180.0) % 360.0 - 180.0


def pixel_at(place: LngLat, zoom: int) -> Pixel:
    """World pixel of a place at ``zoom``.

    Latitudes beyond `MAX_LATITUDE` give the edge of the map. Longitudes are not wrapped.

    >>> pixel_at(LngLat(0.0, 0.0), 0), pixel_at(LngLat(270.0, 0.0), 1)
    (Pixel(x=128.0, y=128.0), Pixel(x=640.0, y=256.0))
    """
    lat = math.radians(max(-MAX_LATITUDE, min(MAX_LATITUDE, place.lat)))
    size = world_px(zoom)
    x = (place.lng + 180.0) / 360.0 * size
    y = (1.0 - math.asinh(math.tan(lat)) / math.pi) / 2.0 * size
    return Pixel(x, y)


def place_at(pixel: Pixel, zoom: int) -> LngLat:
    """Place of a world pixel at ``zoom``: the inverse of `pixel_at`.

    >>> place_at(Pixel(128.0, 128.0), 0)
    LngLat(lng=0.0, lat=0.0)
    """
    size = world_px(zoom)
    lng = pixel.x / size * 360.0 - 180.0
    lat = math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * pixel.y / size))))
    return LngLat(lng, lat)


def moved(place: LngLat, east_m: float, north_m: float) -> LngLat:
    """A place moved by metres of ground to the east and north, kept on the map.

    Accurate for lengths that are small compared with the earth's radius.

    >>> lng, lat = moved(LngLat(85.52, 60.0), 1000.0, 1000.0)
    >>> round(lng, 4), round(lat, 4)
    (85.538, 60.009)
    """
    lat = place.lat + math.degrees(north_m / EARTH_RADIUS_M)
    circle_m = EARTH_RADIUS_M * math.cos(math.radians(place.lat))
    lng = place.lng + math.degrees(east_m / circle_m)
    return LngLat(lng, max(-MAX_LATITUDE, min(MAX_LATITUDE, lat)))


def same_ground(one: Footprint, other: Footprint) -> bool:
    """Whether two footprints are less than half of the smaller side apart, in both directions.

    >>> here = Footprint(LngLat(85.52, 27.63), 78.0)
    >>> same_ground(here, here), same_ground(here, Footprint(moved(here.centre, 50, 0), 78.0))
    (True, False)
    """
    north_m = math.radians(one.centre.lat - other.centre.lat) * EARTH_RADIUS_M
    east = math.radians(wrap_lng(one.centre.lng - other.centre.lng))
    east_m = east * EARTH_RADIUS_M * math.cos(math.radians(one.centre.lat))
    return max(abs(north_m), abs(east_m)) < min(one.side_m, other.side_m) / 2


def zoom_for(lat: float, wanted_m: float, min_zoom: int, max_zoom: int) -> int:
    """The coarsest zoom whose tiles are at least as fine as ``wanted_m``.

    Finer tiles would cost four times the requests for detail that the chip averages away. If even
    ``max_zoom`` is too coarse, it has to do.

    Parameters
    ----------
    lat : float
        Latitude, in degrees.
    wanted_m : float
        Ground sample distance, in metres per pixel.
    min_zoom, max_zoom : int
        Coarsest and finest zoom that there is.

    Examples
    --------
    >>> zoom_for(0.0, 0.348, 0, 22), zoom_for(60.0, 0.348, 0, 22), zoom_for(0.0, 0.348, 0, 18)
    (19, 18, 18)
    """
    for zoom in range(min_zoom, max_zoom):
        if resolution_m(zoom, lat) <= wanted_m:
            return zoom
    return max_zoom


def box_of(footprint: Footprint, zoom: int) -> Box:
    """World pixels of a footprint at ``zoom``: a square, scaled at the latitude of its centre.

    >>> left, top, right, bottom = box_of(Footprint(LngLat(0.0, 0.0), 78.0), 19)
    >>> round(right - left, 1), round(bottom - top, 1)
    (261.2, 261.2)
    """
    middle = pixel_at(footprint.centre, zoom)
    half = footprint.side_m / resolution_m(zoom, footprint.centre.lat) / 2.0
    return Box(middle.x - half, middle.y - half, middle.x + half, middle.y + half)


def bounds_of(footprint: Footprint) -> Bounds:
    """Bounds of a footprint; at the date line, west may be below -180 or east above 180.

    >>> [round(each, 3) for each in bounds_of(Footprint(LngLat(180.0, 0.0), 1000.0))]
    [179.996, -0.004, 180.004, 0.004]
    """
    zoom = 0
    box = box_of(footprint, zoom)
    north_west = place_at(Pixel(box.left, box.top), zoom)
    south_east = place_at(Pixel(box.right, box.bottom), zoom)
    return Bounds(north_west.lng, south_east.lat, south_east.lng, north_west.lat)


def tiles_under(box: Box, zoom: int) -> list[Tile]:
    """The tiles that a box of world pixels touches by more than `ROUNDING`, row by row.

    Columns are not wrapped at the date line, so that neighbours stay neighbours; `wrapped`
    gives the tile to request from a server.

    >>> tiles_under(Box(-10, 300, 10, 310), 2)
    [Tile(x=-1, y=1, z=2), Tile(x=0, y=1, z=2)]
    """
    edge = ROUNDING * (1 << zoom)
    columns = range(math.floor(box.left / TILE_PX + edge), math.ceil(box.right / TILE_PX - edge))
    rows = range(math.floor(box.top / TILE_PX + edge), math.ceil(box.bottom / TILE_PX - edge))
    return [Tile(x, y, zoom) for y in rows for x in columns]


def tile_at(place: LngLat, zoom: int) -> Tile:
    """The tile that a place lies on.

    >>> tile_at(LngLat(85.51832, 27.63392), 18)
    Tile(x=193344, y=110120, z=18)
    """
    pixel = pixel_at(place, zoom)
    row = min(max(math.floor(pixel.y / TILE_PX), 0), (1 << zoom) - 1)
    return Tile(math.floor(pixel.x / TILE_PX), row, zoom)


def wrapped(tile: Tile) -> Tile:
    """The same tile, with its column counted within the world.

    >>> wrapped(Tile(-1, 1, 2))
    Tile(x=3, y=1, z=2)
    """
    return Tile(tile.x % (1 << tile.z), tile.y, tile.z)


def on_the_map(box: Box, zoom: int) -> bool:
    """Whether a box of world pixels lies between the northern and southern edges of the map.

    >>> on_the_map(Box(0, 0, 256, 256), 0), on_the_map(Box(0, -1, 256, 255), 0)
    (True, False)
    """
    return box.top >= 0 and box.bottom <= world_px(zoom)

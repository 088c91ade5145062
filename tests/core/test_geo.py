import pytest

from pyapp.core.ground import geo
from pyapp.core.ground.geo import Box, Footprint, LngLat, Pixel, Tile


@pytest.mark.parametrize("lat", [-84.0, -33.9, 0.0, 27.6333, 60.0, 84.0])
@pytest.mark.parametrize("zoom", [0, 14, 19])
def test_pixel_and_place_are_inverse(lat, zoom):
    place = LngLat(85.5217, lat)
    back = geo.place_at(geo.pixel_at(place, zoom), zoom)
    assert back == pytest.approx(place, abs=1e-9)


def test_resolution_shrinks_with_latitude_and_halves_with_zoom():
    assert geo.resolution_m(19, 0.0) == pytest.approx(0.298582, abs=1e-6)
    assert geo.resolution_m(19, 60.0) == pytest.approx(geo.resolution_m(20, 0.0))


@pytest.mark.parametrize("lat", [-70.0, 0.0, 27.6, 60.0])
def test_footprint_is_as_long_on_the_ground_at_every_latitude(lat):
    """Measured with the haversine formula, which knows nothing of tiles."""
    from math import asin, cos, radians, sin, sqrt

    west, south, east, north = geo.bounds_of(Footprint(LngLat(10.0, lat), 78.0288))
    half = sqrt(cos(radians(lat)) ** 2 * sin(radians(east - west) / 2) ** 2)
    across = 2 * geo.EARTH_RADIUS_M * asin(half)
    along = geo.EARTH_RADIUS_M * radians(north - south)
    assert across == pytest.approx(78.0288, rel=1e-4)
    assert along == pytest.approx(78.0288, rel=1e-4)


def test_footprint_is_the_same_ground_at_every_zoom():
    footprint = Footprint(LngLat(85.5217, 27.6333), 78.0288)
    coarse, fine = geo.box_of(footprint, 17), geo.box_of(footprint, 20)
    assert tuple(8 * side for side in coarse) == pytest.approx(fine)


@pytest.mark.parametrize(("lat", "zoom"), [(0.0, 19), (27.6, 19), (45.0, 19), (60.0, 18)])
def test_zoom_is_the_coarsest_that_is_fine_enough(lat, zoom):
    assert geo.zoom_for(lat, 0.3483, 0, 22) == zoom
    assert geo.resolution_m(zoom, lat) <= 0.3483 < geo.resolution_m(zoom - 1, lat)


def test_zoom_stays_within_what_the_source_has():
    assert geo.zoom_for(0.0, 0.3483, 0, 17) == 17
    assert geo.zoom_for(80.0, 10.0, 14, 18) == 14


def test_tiles_under_a_box_go_row_by_row():
    assert geo.tiles_under(Box(200, 500, 300, 520), 5) == [
        Tile(0, 1, 5), Tile(1, 1, 5), Tile(0, 2, 5), Tile(1, 2, 5),
    ]  # fmt: skip


def test_a_box_that_ends_on_a_tile_edge_does_not_touch_the_next():
    assert geo.tiles_under(Box(0, 0, 256, 256), 3) == [Tile(0, 0, 3)]


def test_over_the_date_line_neighbours_stay_neighbours():
    box = geo.box_of(Footprint(LngLat(-180.0, 10.0), 78.0), 19)
    columns = {tile.x for tile in geo.tiles_under(box, 19)}
    assert columns == {-1, 0}
    assert geo.wrapped(Tile(-1, 5, 19)) == Tile(2**19 - 1, 5, 19)


def test_the_map_ends_at_85_degrees():
    assert geo.on_the_map(geo.box_of(Footprint(LngLat(0, 85.0), 78), 19), 19)
    assert not geo.on_the_map(geo.box_of(Footprint(LngLat(0, geo.MAX_LATITUDE), 78), 19), 19)


def test_moved_by_metres():
    place = geo.moved(LngLat(85.0, 60.0), 100.0, 50.0)
    start, end = geo.pixel_at(LngLat(85.0, 60.0), 19), geo.pixel_at(place, 19)
    scale = geo.resolution_m(19, 60.0)
    assert Pixel(end.x - start.x, start.y - end.y) == pytest.approx(
        (100 / scale, 50 / scale), rel=1e-3
    )


def test_wrapping_leaves_what_is_within_untouched():
    assert geo.wrap_lng(85.5217) == 85.5217
    assert geo.wrap_lng(180.0) == -180.0
    assert geo.wrap_lng(-190.0) == 170.0

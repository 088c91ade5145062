"""Geography that holds for any place: mercantile and shapely judge."""

import math
from collections import Counter

import mercantile
import numpy as np
import pytest
import shapely
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pyapp.core.errors import AreaError, CrossedAreaError
from pyapp.core.ground import geo
from pyapp.core.ground.area import PLANE, Area, check, rectangle
from pyapp.core.ground.cut import Cut
from pyapp.core.ground.geo import (
    MAX_LATITUDE,
    TILE_PX,
    Footprint,
    LngLat,
    Pixel,
    Tile,
    pixel_at,
    place_at,
    wrapped,
)
from pyapp.core.ground.grid import MOST_CELLS, STEPS, plan
from pyapp.core.ground.sides import Sides
from pyapp.core.imagery.chip import cut
from tests.core.test_grid import Zooms, assert_reading_is_each_cut

# Less than this share of a pixel is noise.
NOISE_PX = 1e-6

LATITUDE = st.floats(-85.0, 85.0)
ZOOM = st.integers(0, 22)


def places(within=180.0):
    return st.builds(LngLat, st.floats(-within, within), LATITUDE)


@st.composite
def tiles(draw):
    zoom = draw(ZOOM)
    column = st.integers(0, 2**zoom - 1)
    return Tile(draw(column), draw(column), zoom)


SOURCES = st.builds(Zooms, st.integers(0, 14), st.integers(14, 22))
SIDES_M = st.floats(10.0, 1000.0)


def from_an_edge(length_px: float) -> float:
    """How far world pixels are from the nearest edge of a tile."""
    return abs(length_px / TILE_PX - round(length_px / TILE_PX)) * TILE_PX


# mercantile


@given(tiles())
def test_a_tile_lies_where_mercantile_has_it(tile):
    west, south, east, north = mercantile.bounds(*tile)
    assert place_at(Pixel(tile.x * TILE_PX, tile.y * TILE_PX), tile.z) == pytest.approx(
        (west, north), abs=1e-9
    )
    assert place_at(Pixel((tile.x + 1) * TILE_PX, (tile.y + 1) * TILE_PX), tile.z) == pytest.approx(
        (east, south), abs=1e-9
    )
    left, _, right, _ = mercantile.xy_bounds(*tile)
    assert geo.resolution_m(tile.z, 0.0) == pytest.approx((right - left) / TILE_PX)


@given(places(), ZOOM)
def test_a_place_is_in_the_tile_that_mercantile_says(place, zoom):
    x, y = pixel_at(place, zoom)
    assume(min(from_an_edge(x), from_an_edge(y)) > NOISE_PX and place.lng < 180)
    tile = mercantile.tile(*place, zoom)
    assert (x // TILE_PX, y // TILE_PX, zoom) == tile
    assert place_at(pixel_at(place, zoom), zoom) == pytest.approx(place, abs=1e-9)


@given(places(within=179.0), SIDES_M, st.integers(10, 20))
def test_a_footprint_needs_the_tiles_that_mercantile_says(centre, side_m, zoom):
    footprint = Footprint(centre, side_m)
    box = geo.box_of(footprint, zoom)
    assume(min(map(from_an_edge, box)) > NOISE_PX)
    wanted = set(mercantile.tiles(*geo.bounds_of(footprint), zooms=[zoom]))
    assert set(geo.tiles_under(box, zoom)) == wanted


@given(tiles(), st.integers(-3, 3))
def test_a_tile_stays_the_same_around_the_world(tile, turns):
    assert wrapped(tile._replace(x=tile.x + turns * 2**tile.z)) == tile


@given(st.floats(-1e4, 1e4))
def test_a_meridian_stays_the_same_around_the_world(lng):
    found = geo.wrap_lng(lng)
    assert -180 <= found < 180
    assert (found - lng) / 360 == pytest.approx(round((found - lng) / 360), abs=1e-9)


# A chip's recipe


@given(places(within=400.0), SIDES_M, SOURCES, st.integers(32, 512))
@example(LngLat(0.0, 0.0), 1.0, Zooms(0, 1), 192)
def test_a_cut_covers_the_footprint_with_a_rectangle_of_tiles(centre, side_m, source, chip_px):
    found = Cut.of(Footprint(centre, side_m), source, side_m / chip_px)
    left, top, right, bottom = found.box
    assert found.box == pytest.approx(geo.box_of(Footprint(centre, side_m), found.zoom), rel=1e-12)
    columns, rows = ({getattr(tile, axis) for tile in found.tiles} for axis in "xy")
    assert set(found.tiles) == {Tile(x, y, found.zoom) for x in columns for y in rows}
    assert len(set(found.tiles)) == len(found.tiles)
    # All of it, and no tile more.
    assert min(columns) * TILE_PX <= left < (min(columns) + 1) * TILE_PX
    assert min(rows) * TILE_PX <= top < (min(rows) + 1) * TILE_PX
    assert max(columns) * TILE_PX < right <= (max(columns) + 1) * TILE_PX
    assert max(rows) * TILE_PX < bottom <= (max(rows) + 1) * TILE_PX
    assert found.on_the_map == all(0 <= row < 2**found.zoom for row in rows)


@given(places(), SIDES_M, SOURCES, st.integers(32, 512))
def test_a_cut_takes_the_coarsest_zoom_that_is_fine_enough(centre, side_m, source, chip_px):
    wanted_m = side_m / chip_px
    found = Cut.of(Footprint(centre, side_m), source, wanted_m)
    assert source.min_zoom <= found.zoom <= source.max_zoom
    assert found.imagery_m == geo.resolution_m(found.zoom, centre.lat)
    assert found.imagery_m <= wanted_m or found.zoom == source.max_zoom
    coarser_m = geo.resolution_m(max(found.zoom - 1, 0), centre.lat)
    assert coarser_m > wanted_m or found.zoom == source.min_zoom


@given(places(), st.floats(40.0, 120.0))
def test_a_chip_can_be_cut_from_the_tiles_of_its_recipe(centre, side_m):
    found = Cut.of(Footprint(centre, side_m), Zooms(17, 17), 0.4)
    pixels = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)
    assert cut(dict.fromkeys(found.tiles, pixels), found.box, 8).shape == (8, 8, 3)


# Areas


def in_the_plane(area: Area) -> list[Pixel]:
    return [pixel_at(corner, PLANE) for corner in area.corners]


def polygons(least=3, most=7):
    """Corners in a part of the world, in any order: they often cross."""
    corner = st.builds(LngLat, st.floats(170.0, 190.0), st.floats(-60.0, 60.0))
    return st.lists(corner, min_size=least, max_size=most, unique=True).map(
        lambda corners: Area(tuple(corners))
    )


def covered(area, points):
    sides = Sides(area.polygons)
    return np.array([sides.cover(x[np.newaxis], y[np.newaxis])[0, 0] for x, y in points])


@given(polygons(), st.lists(places(within=190.0), min_size=1, max_size=20))
def test_what_is_inside_an_area_is_what_shapely_says(area, others):
    shape = shapely.Polygon(in_the_plane(area))
    assume(shape.is_valid)
    points = np.array([pixel_at(place, PLANE) for place in (*others, *area.corners)])
    clear = shapely.distance(shape.exterior, shapely.points(points)) > NOISE_PX
    assert np.array_equal(
        covered(area, points)[clear],
        shapely.contains_xy(shape, points[:, 0], points[:, 1])[clear],
    )


@given(polygons(least=4))
def test_outlines_cross_where_shapely_says(area):
    points = in_the_plane(area)
    sides = [shapely.LineString(pair) for pair in zip(points, points[1:] + points[:1], strict=True)]
    apart = [
        (one, other)
        for number, one in enumerate(sides)
        for place, other in enumerate(sides)
        if place > number + 1 and (place + 1) % len(sides) != number
    ]
    # Whether a corner lies on a side is for floating-point noise to say.
    assume(all(
        shapely.distance(shapely.Point(corner), side) > NOISE_PX
        for one, other in apart
        for line, side in ((one, other), (other, one))
        for corner in line.coords
    ))  # fmt: skip
    crosses = any(one.crosses(other) for one, other in apart)
    try:
        check(area)
    except CrossedAreaError:
        assert crosses
    else:
        assert not crosses


# Grids


@st.composite
def surveys(draw):
    """An area, in squares, with the side of one and a step: at most a few hundred cells."""
    side_m = draw(st.floats(20.0, 500.0))
    step = draw(st.sampled_from(STEPS))
    lng = draw(st.one_of(st.floats(-200.0, 200.0), st.floats(-0.01, 0.01).map(lambda d: 180 + d)))
    lat = draw(st.one_of(st.floats(-84.9, 84.9), st.sampled_from([84.9, -84.9, 0.0])))
    wide, high = (draw(st.floats(1.5, 12.0)) * side_m * max(step, 1.0) for _ in range(2))
    corner = LngLat(lng, lat)
    area = rectangle(corner, geo.moved(corner, wide, -high if lat > 0 else high))
    return area, side_m, step


CHIPS_PX = st.integers(32, 512)
# Edges of cells and of tiles coincide here, and rounding once made a tile more of some.
ON_EDGES = rectangle(LngLat(-0.000269495, 0.000269495), LngLat(0.000269495, -0.000269495))


@given(surveys(), SOURCES, CHIPS_PX)
@example((rectangle(LngLat(9.0, 47.12), LngLat(9.02, 47.10)), 78.0, 1.0), Zooms(14, 19), 192)
@example((rectangle(LngLat(179.9, 0.1), LngLat(180.1, -0.1)), 500.0, 4.0), Zooms(0, 15), 100)
@example((ON_EDGES, 20.0, 0.5), Zooms(15, 15), 50)
def test_a_reading_is_the_cut_of_each_cell(survey, source, chip_px):
    area, side_m, step = survey
    assert_reading_is_each_cut(plan(area, side_m, step), side_m / chip_px, source)


@given(surveys())
def test_a_grid_covers_its_area_and_knows_its_cells(survey):
    area, side_m, step = survey
    grid = plan(area, side_m, step)
    assert 0 < len(grid) <= min(grid.rows * grid.columns, MOST_CELLS)
    assert Counter(grid.cells.tolist()).most_common(1)[0][1] == 1
    west, south, east, north = grid.bounds
    noise = 1e-9
    assert west <= area.bounds.west + noise and east >= area.bounds.east - noise
    assert south <= area.bounds.south + noise and north >= area.bounds.north - noise
    shape = shapely.Polygon(in_the_plane(area)).buffer(NOISE_PX * grid.pitch)
    assert shapely.contains_xy(shape, *grid.middles).all()
    for number in range(0, len(grid), 7):
        assert grid.number_at(grid.centre(number)) == number
        assert grid.footprint(number).side_m == side_m
    laid = grid.spread(np.arange(len(grid)), -1)
    assert np.array_equal(laid, grid.places)


@given(polygons(), st.floats(1.0, 100_000.0), st.sampled_from(STEPS))
def test_an_area_is_planned_or_refused_with_a_reason(area, side_m, step):
    try:
        grid = plan(area, side_m, step)
    except AreaError as error:
        assert str(error)
    else:
        assert covered(area, np.stack(grid.middles, 1)).all()


@given(places(within=179.0), st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_moved_ground_is_the_same_while_half_of_it_stays(place, east_m, north_m):
    side_m = 500.0
    there = geo.moved(place, east_m, north_m)
    assume(abs(there.lat) < MAX_LATITUDE)
    found = geo.same_ground(Footprint(place, side_m), Footprint(there, side_m))
    farthest = max(abs(east_m), abs(north_m))
    assume(not math.isclose(farthest, side_m / 2, rel_tol=1e-6))
    assert found == (farthest < side_m / 2)

"""What the outlines of an area enclose and whether they cross, judged by shapely."""

import math

import numpy as np
import pytest
import shapely

from pyapp.core.errors import CrossedAreaError, FlatAreaError
from pyapp.core.ground.area import PLANE, Area, check
from pyapp.core.ground.geo import LngLat, pixel_at
from pyapp.core.ground.grid import blocks, plan
from pyapp.core.ground.sides import Sides

X, Y = np.linspace(186.3, 186.9, 83), np.linspace(107.0, 108.0, 61)


def ring(shape):
    return tuple(LngLat(*each) for each in shape.coords[:-1])


def area_of(shapes):
    polygons = [(ring(each.exterior), *map(ring, each.interiors)) for each in shapes]
    (corners, *holes), *others = polygons
    return Area(corners, tuple(holes), tuple(others))


def flat(points):
    return np.array([pixel_at(LngLat(*each), PLANE) for each in points])


def blob(chance, centre, radius, corners):
    """A simple polygon around a point, either way round."""
    turns = np.linspace(0, 2 * math.pi, corners, endpoint=False)[:: chance.choice([-1, 1])]
    far = radius * chance.uniform(0.4, 1.0, corners)
    return np.stack([centre[0] + far * np.cos(turns), centre[1] + far * np.sin(turns)], 1)


@pytest.mark.parametrize("seed", range(6))
def test_polygons_with_holes_cover_what_their_union_does(seed):
    """They overlap, and go round in either direction."""
    chance = np.random.default_rng(seed)
    shapes = []
    for _ in range(5):
        centre = chance.uniform((82.0, 27.0), (82.8, 27.8))
        outer = blob(chance, centre, 0.4, int(chance.integers(5, 60)))
        shapes.append(shapely.Polygon(outer, [blob(chance, centre, 0.1, 12)]))
    area = area_of(shapes)
    union = shapely.union_all(shapely.transform(shapes, flat))
    near = shapely.boundary(union).buffer(1e-9)
    x, y = np.meshgrid(X, Y)
    clear = ~shapely.contains_xy(near, x, y)
    found = check(area).cover(X, Y)
    assert np.array_equal(found[clear], shapely.contains_xy(union, x, y)[clear])
    assert found.any() and not found.all()


@pytest.mark.parametrize("seed", range(30))
def test_outlines_with_sides_of_every_length_cross_if_shapely_says_so(seed):
    chance = np.random.default_rng(seed)
    corners = blob(chance, (82.4, 27.4), 0.4, int(chance.integers(8, 2000)))
    if seed % 2:
        # One corner is put elsewhere: mostly its sides cross others.
        corners[chance.integers(len(corners))] = chance.uniform((82.0, 27.0), (82.8, 27.8))
    shape = shapely.Polygon(corners)
    valid = shapely.transform(shape, flat).is_valid
    assert Sides(area_of([shape]).polygons).crossed == (not valid)


def test_an_outline_that_touches_itself_or_its_hole_is_taken():
    outline = [(0, 0), (4, 0), (4, 4), (2, 0), (0, 4)]
    hole = [(0, 0), (1, 0.2), (0.2, 1)]
    assert not Sides([[tuple(LngLat(*each) for each in part) for part in (outline, hole)]]).crossed


def test_a_hole_that_crosses_its_outline_is_refused():
    area = area_of([shapely.box(0, 0, 4, 4)])
    with pytest.raises(CrossedAreaError):
        check(area._replace(holes=(ring(shapely.box(3, 3, 5, 5).exterior),)))


def test_sides_without_end_on_top_of_each_other_are_refused_in_time():
    corners = tuple(LngLat(8 + (i % 2), 46 + 1e-9 * i) for i in range(30_000))
    with pytest.raises(CrossedAreaError):
        check(Area(corners))


def test_polygons_that_enclose_nothing_are_left_out():
    line = (LngLat(8.0, 46.0), LngLat(8.1, 46.0), LngLat(8.2, 46.0))
    with pytest.raises(FlatAreaError):
        check(Area(line, others=((line,),)))
    square = ring(shapely.box(8.0, 46.0, 8.01, 46.01).exterior)
    inside = (LngLat(8.0, 46.0), LngLat(8.005, 46.0), LngLat(8.01, 46.0))
    assert len(plan(Area(inside, others=((square,),)), 78.0, 1.0)) == len(plan(Area(square), 78, 1))


def test_blocks_of_an_area_with_a_hole_are_its_grid():
    shape = shapely.box(8.0, 46.0, 8.02, 46.02) - shapely.box(8.005, 46.005, 8.012, 46.015)
    area = area_of([shape, shapely.box(8.025, 46.0, 8.03, 46.004)])
    whole = plan(area, 78.0, 1.0)
    found = {
        (row + int(cell) // grid.columns) * whole.columns + column + int(cell) % grid.columns
        for row, column, grid in blocks(area, 78.0, 1.0, 7)
        for cell in grid.cells
    }
    assert found == set(whole.cells.tolist())
    for number in range(len(whole)):
        assert not shapely.box(8.005, 46.005, 8.012, 46.015).contains(
            shapely.Point(*whole.centre(number))
        )

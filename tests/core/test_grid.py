"""Areas, and the grids of footprints over them."""

import math
from typing import NamedTuple

import numpy as np
import pytest

from pyapp.core.errors import (
    CrossedAreaError,
    FlatAreaError,
    LargeAreaError,
    PastMapError,
    SmallAreaError,
)
from pyapp.core.ground.area import Area, rectangle
from pyapp.core.ground.cut import Cut
from pyapp.core.ground.geo import LngLat, Tile, moved, wrap_lng, wrapped
from pyapp.core.ground.grid import MOST_CELLS, Grid, blocks, plan
from pyapp.core.ground.reading import reading
from tests.core.surveys import HERE, SIDE_M

AT = LngLat(85.52, 27.63)


def block(east_m, north_m, at=AT):
    return rectangle(at, moved(at, east_m, north_m))


def test_a_rectangle_takes_as_many_squares_as_fit():
    grid = plan(block(10 * SIDE_M, 4 * SIDE_M), SIDE_M, 1.0)
    assert (grid.columns, grid.rows, len(grid)) == (10, 4, 40)
    assert len(plan(block(10 * SIDE_M, 4 * SIDE_M), SIDE_M, 0.5)) == 160
    # A square's ground is what a cell stands for, to what the latitude changes within the area.
    assert grid.hectares == pytest.approx(np.full(40, SIDE_M**2 / 1e4), rel=1e-3)


def test_cells_lie_a_step_apart_and_know_where_they_are():
    grid = plan(HERE, SIDE_M, 1.0)
    for number in (0, 17, len(grid) - 1):
        assert grid.number_at(grid.centre(number)) == number
        west, south, east, north = grid.bounds_of(number)
        assert grid.number_at(LngLat(west - 1e-5, grid.centre(number).lat)) != number
        width_m = math.radians(east - west) * 6378137 * math.cos(math.radians((south + north) / 2))
        assert width_m == pytest.approx(SIDE_M, rel=2e-3)
    assert grid.number_at(LngLat(0.0, 0.0)) is None


def test_a_polygon_keeps_the_cells_whose_middle_is_inside():
    shape = pytest.importorskip("shapely").Polygon
    corners = [(85.515, 27.63), (85.529, 27.631), (85.527, 27.638), (85.522, 27.633), (85.516, 27.638)]  # fmt: skip  # noqa: E501
    area = Area(tuple(LngLat(*each) for each in corners))
    grid, whole = plan(area, SIDE_M, 0.5), plan(rectangle(*_opposite(area)), SIDE_M, 0.5)
    import shapely

    inside = {
        tuple(np.round(whole.centre(number), 9))
        for number in range(len(whole))
        if shape(corners).contains(shapely.Point(*whole.centre(number)))
    }
    assert {tuple(np.round(grid.centre(number), 9)) for number in range(len(grid))} == inside
    assert 0 < len(grid) < len(whole)


def _opposite(area):
    west, south, east, north = area.bounds
    return LngLat(west, north), LngLat(east, south)


def test_over_the_date_line_cells_go_on():
    area = rectangle(LngLat(179.999, -16.999), LngLat(180.003, -17.002))
    grid = plan(area, SIDE_M, 1.0)
    lngs = [grid.centre(number).lng for number in range(len(grid))]
    assert any(lng > 179.99 for lng in lngs) and any(lng < -179.99 for lng in lngs)
    for number in range(len(grid)):
        assert grid.number_at(grid.centre(number)) == number
    # The same as a person sees it from the other side.
    other = plan(rectangle(LngLat(-180.001, -16.999), LngLat(-179.997, -17.002)), SIDE_M, 1.0)
    assert [wrap_lng(each) for each in lngs] == pytest.approx(
        [other.centre(number).lng for number in range(len(other))]
    )


@pytest.mark.parametrize(
    ("area", "error", "words"),
    [
        (block(60, 60), SmallAreaError, "smaller than one square"),
        (block(60, 0), FlatAreaError, "encloses no area"),
        (Area((LngLat(0, 0), LngLat(1, 1))), FlatAreaError, "at least three corners"),
        (rectangle(LngLat(0, 85.0), LngLat(0.01, 85.2)), PastMapError, "edge of the map"),
        (Area((LngLat(0, 0), LngLat(0.1, 0.1), LngLat(0.1, 0), LngLat(0, 0.08))),
         CrossedAreaError, "crosses itself"),
        (block(30_000, 30_000), LargeAreaError, "or choose a step of 4 squares"),
        (rectangle(LngLat(-80, -40), LngLat(80, 40)), LargeAreaError, "Mark a smaller area."),
    ],
    ids=["small", "flat", "two corners", "poles", "crossed", "large", "huge"],
)  # fmt: skip
def test_an_area_that_cannot_be_surveyed_is_explained(area, error, words):
    with pytest.raises(error, match=words):
        plan(area, SIDE_M, 1.0)


def test_the_coarser_step_that_is_offered_fits():
    area = block(30_000, 30_000)
    with pytest.raises(LargeAreaError) as caught:
        plan(area, SIDE_M, 1.0)
    assert len(plan(area, SIDE_M, caught.value.fitting)) <= MOST_CELLS


class Zooms(NamedTuple):
    min_zoom: int
    max_zoom: int


# Where zoom 18 becomes fine enough for chips of 0.4064 m, and over the date line.
TURN = rectangle(LngLat(9.0, 47.12), LngLat(9.02, 47.10))
DATE_LINE = rectangle(LngLat(179.99, 5.0), LngLat(180.01, 4.99))


@pytest.mark.parametrize("step", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("area", [HERE, TURN, DATE_LINE], ids=["here", "turn", "date line"])
def test_reading_names_the_tiles_that_single_squares_need(step, area):
    """At all latitudes: a survey once took the zoom of its middle for every cell."""
    grid, source = plan(area, SIDE_M, step), Zooms(14, 19)
    assert_reading_is_each_cut(grid, SIDE_M / 192, source)
    zooms = set(reading(grid, SIDE_M / 192, source).zoom.tolist())
    assert len(zooms) == (2 if area is TURN else 1)


def assert_reading_is_each_cut(grid: Grid, wanted_m: float, source: Zooms) -> None:
    """See that `reading` names the zoom and the tiles that `Cut.of` has for each cell."""
    found = reading(grid, wanted_m, source)
    last = {}
    for number in range(len(grid)):
        cut = Cut.of(grid.footprint(number), source, wanted_m)
        assert found.zoom[number] == cut.zoom
        (left, right), (top, bottom) = found.columns[number], found.rows[number]
        tiles = {
            wrapped(Tile(x, y, cut.zoom)) for x in range(left, right) for y in range(top, bottom)
        }
        assert tiles == {wrapped(tile) for tile in cut.tiles}
        last |= dict.fromkeys(tiles, number)
    assert found.tile_count == len(last)
    assert {tile: found.last_cell(tile) for tile in last} == last
    assert found.last_cell(Tile(0, 0, 23)) == -1


def test_work_goes_along_the_shorter_side():
    wide, tall = plan(block(2000, 500), SIDE_M, 1.0), plan(block(500, 2000), SIDE_M, 1.0)
    assert list(tall.cells[:3]) == [0, 1, 2]
    assert list(wide.cells[:3]) == [0, wide.columns, 2 * wide.columns]


@pytest.mark.parametrize("size", [1, 3, 7, 400])
@pytest.mark.parametrize("step", [0.5, 1.0, 2.0])
def test_blocks_are_the_same_cells_in_pieces(size, step):
    area = Area(
        (LngLat(8.0, 46.01), LngLat(8.012, 46.008), LngLat(8.01, 46.0), LngLat(8.001, 46.002))
    )
    whole, found = plan(area, 78.0, step), {}
    for row, column, grid in blocks(area, 78.0, step, size):
        assert grid.rows <= size and grid.columns <= size and len(grid)
        for number in range(len(grid)):
            down, right = divmod(int(grid.cells[number]), grid.columns)
            cell = (row + down) * whole.columns + column + right
            assert cell not in found
            found[cell] = grid.footprint(number)
    assert sorted(found) == sorted(whole.cells.tolist())
    for number, cell in enumerate(whole.cells.tolist()):
        assert found[cell].centre == pytest.approx(whole.centre(number), abs=1e-12)
        assert found[cell].side_m == whole.side_m

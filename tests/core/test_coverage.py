"""The first view shows its place, and as little emptiness as can be."""

import pytest

from pyapp.core.address import View
from pyapp.core.ground.geo import TILE_PX, Box, LngLat, Pixel, pixel_at, place_at
from pyapp.core.imagery.coverage import any_in, extent, fullest_view
from pyapp.core.imagery.source import Source

# Six by six tiles at zoom 18.
LEFT, TOP = 193343, 110117


def source_of(columns=6, rows=6):
    tiles = {(LEFT + x, TOP + y) for x in range(columns) for y in range(rows)}
    return Source("s", "s", "", 18, 18, "", "", None, coverage={18: frozenset(tiles)})


def at(right, down):
    """A view whose middle lies so many tiles from the corner of the imagery."""
    return View(place_at(Pixel((LEFT + right) * TILE_PX, (TOP + down) * TILE_PX), 18), 18)


@pytest.mark.parametrize("place", [(1.5, 3.0), (3.0, 3.0), (4.9, 4.8), (1.2, 1.2)])
def test_the_window_is_full_and_shows_the_place(place):
    width, height = 900, 800
    home = at(*place)
    view = fullest_view(source_of(), home, width, height)
    middle, wanted = pixel_at(view.centre, 18), pixel_at(home.centre, 18)
    left, top = middle.x - width / 2 - LEFT * TILE_PX, middle.y - height / 2 - TOP * TILE_PX
    assert left >= -1 and top >= -1
    assert left + width <= 6 * TILE_PX + 1 and top + height <= 6 * TILE_PX + 1
    assert abs(wanted.x - middle.x) <= width / 4 and abs(wanted.y - middle.y) <= height / 4


def test_a_view_that_is_full_already_stays():
    assert fullest_view(source_of(), at(3, 3), 900, 800) == at(3, 3)


def test_a_window_larger_than_the_imagery_shows_what_there_is():
    view = fullest_view(source_of(), at(2, 3), 2000, 800)
    middle = pixel_at(view.centre, 18)
    assert abs(middle.x - (LEFT + 3) * TILE_PX) < 232 + 64


def test_without_known_coverage_the_place_is_the_middle():
    anywhere = Source("s", "s", "", 0, 19, "", "", None)
    home = View(LngLat(1.0, 2.0), 17)
    assert fullest_view(anywhere, home, 900, 800) == home


def test_imagery_spans_its_tiles():
    bounds = extent(source_of())
    assert pixel_at(LngLat(bounds.west, bounds.north), 18) == pytest.approx(
        (LEFT * TILE_PX, TOP * TILE_PX), abs=1e-3
    )
    assert pixel_at(LngLat(bounds.east, bounds.south), 18) == pytest.approx(
        ((LEFT + 6) * TILE_PX, (TOP + 6) * TILE_PX), abs=1e-3
    )
    assert extent(Source("s", "s", "", 0, 18, "", "", None)) is None


@pytest.mark.parametrize(
    ("window", "there"),
    [((2, 2, 3, 3), True), ((-9, -9, 20, 20), True), ((6, 0, 9, 6), False), ((0, -2, 6, 0), False),
     ((5.9, 5.9, 7, 7), True)],
)  # fmt: skip
def test_a_window_shows_imagery_if_it_touches_a_tile(window, there):
    left, top, right, bottom = (
        (corner + edge) * TILE_PX for corner, edge in zip((LEFT, TOP) * 2, window, strict=True)
    )
    assert any_in(source_of(), Box(left, top, right, bottom), 18) == there

"""Where imagery is whose tiles are known, and where to look first for a window full of it."""

import itertools

from pyapp.core.address import View
from pyapp.core.ground.geo import TILE_PX, Bounds, Box, Pixel, pixel_at, place_at, tiles_under
from pyapp.core.imagery.source import Source

# Views that are tried lie so many pixels apart.
STEP_PX = 64


def fullest_view(source: Source, home: View, width_px: int, height_px: int) -> View:
    """The view nearest to a place that shows the place and leaves least of the window empty.

    Parameters
    ----------
    source : Source
        If its coverage is not known, the place is the middle of the view.
    home : View
        The place, and the zoom.
    width_px, height_px : int
        Size of the window.
    """
    if not source.coverage:
        return home
    middle = pixel_at(home.centre, home.zoom)
    # The place stays within the middle half of the window.
    across, down = (range(-(size // 4), size // 4 + 1, STEP_PX) for size in (width_px, height_px))
    shifts = [(0, 0), *itertools.product(across, down)]

    def badness(shift: tuple[int, int]) -> tuple[float, int]:
        x, y = middle.x + shift[0], middle.y + shift[1]
        window = Box(x - width_px / 2, y - height_px / 2, x + width_px / 2, y + height_px / 2)
        return _empty_px(source, window, home.zoom), shift[0] ** 2 + shift[1] ** 2

    best = min(shifts, key=badness)
    if best == (0, 0):
        return home
    return View(place_at(Pixel(middle.x + best[0], middle.y + best[1]), home.zoom), home.zoom)


def extent(source: Source) -> Bounds | None:
    """The ground that the tiles of a source span; ``None`` if its coverage is not known."""
    if not source.coverage:
        return None
    zoom = max(source.coverage)
    columns, rows = zip(*source.coverage[zoom], strict=True)
    north_west = place_at(Pixel(min(columns) * TILE_PX, min(rows) * TILE_PX), zoom)
    south_east = place_at(Pixel((max(columns) + 1) * TILE_PX, (max(rows) + 1) * TILE_PX), zoom)
    return Bounds(north_west.lng, south_east.lat, south_east.lng, north_west.lat)


def any_in(source: Source, window: Box, zoom: int) -> bool:
    """Whether a source whose coverage is known has any tile in a window, given in world pixels."""
    return any(
        x * TILE_PX < window.right
        and (x + 1) * TILE_PX > window.left
        and y * TILE_PX < window.bottom
        and (y + 1) * TILE_PX > window.top
        for x, y in source.coverage.get(zoom, frozenset())
    )


def _empty_px(source: Source, window: Box, zoom: int) -> float:
    """Pixels of a window that no tile covers."""
    empty = 0.0
    for tile in tiles_under(window, zoom):
        if not source.may_have(tile):
            left, top = tile.x * TILE_PX, tile.y * TILE_PX
            width = min(left + TILE_PX, window.right) - max(left, window.left)
            height = min(top + TILE_PX, window.bottom) - max(top, window.top)
            empty += width * height
    return empty

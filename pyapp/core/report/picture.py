"""The map of a report: the survey's colours, over its imagery if that may be kept."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from pyapp.core.ground.area import PLANE
from pyapp.core.ground.geo import TILE_PX, Box, Tile, resolution_m, tiles_under
from pyapp.core.ground.grid import Grid
from pyapp.core.imagery.source import Source
from pyapp.core.survey.paint import Look, Painter
from pyapp.core.survey.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Longer side of the map, at most, and of a square beside it, in pixels.
MAP_PX, SQUARE_PX = 1000, 128
# More tiles than this are not read for a picture; of the built-in imagery, which has one zoom only,
# more: they are on the device already.
MOST_TILES, MOST_BUILT_IN = 64, 400
# How much the colours cover the imagery.
OPACITY = 0.5
NOTHING_RGB = (214, 214, 210)
QUALITY = 80
# Lengths that a scale may have, times a power of ten.
ROUND = (5, 2, 1)


class Picture(NamedTuple):
    """An encoded picture.

    Attributes
    ----------
    data : bytes
    media : str
        Its media type.
    width, height : int
        In pixels.
    """

    data: bytes
    media: str
    width: int
    height: int


class Scale(NamedTuple):
    """The bar that says how long something on the map is.

    Attributes
    ----------
    metres : float
    share : float
        Of the map's width.
    """

    metres: float
    share: float

    @property
    def said(self) -> str:
        """Its length in words."""
        return f"{self.metres / 1000:g} km" if self.metres >= 1000 else f"{self.metres:g} m"


class Base(NamedTuple):
    """Which imagery to read for the map, and where the survey lies in it.

    Attributes
    ----------
    tiles : list of Tile
        Columns are not wrapped at the date line.
    box : Box
        The survey, in world pixels at ``zoom``.
    zoom : int
    shrink : int
        How many times smaller the tiles are laid, to save memory: a power of two.
    """

    tiles: list[Tile]
    box: Box
    zoom: int
    shrink: int

    def shrunk(self, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A decoded tile of any size, as large as it is laid: uint8 [n, n, 3]."""
        side = TILE_PX // self.shrink
        if tile.shape[:2] == (side, side):
            return tile
        return np.asarray(Image.fromarray(tile).resize((side, side), Image.Resampling.BILINEAR))


def base_of(grid: Grid, source: Source) -> Base | None:
    """The imagery for the map; ``None`` if even the coarsest has too many tiles."""
    width, height = grid.columns * grid.pitch, grid.rows * grid.pitch
    wanted = math.floor(PLANE - math.log2(max(width, height) / MAP_PX))
    zoom = min(max(wanted, source.min_zoom), source.max_zoom)
    scale = 2.0 ** (zoom - PLANE)
    box = Box(grid.left * scale, grid.top * scale, (grid.left + width) * scale,
              (grid.top + height) * scale)  # fmt: skip
    across, down = ((high - low) / TILE_PX for low, high in
                    ((box.left, box.right), (box.top, box.bottom)))  # fmt: skip
    if (across + 1) * (down + 1) > (MOST_BUILT_IN if source.coverage else MOST_TILES):
        return None
    shrink = min(2 ** max(zoom - wanted, 0), TILE_PX)
    return Base(tiles_under(box, zoom), box, zoom, shrink)


def lay_base(base: Base, pixels: Mapping[Tile, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The imagery under a survey, uint8 [h, w, 3]; grey where a tile is missing.

    Parameters
    ----------
    base : Base
    pixels : mapping of Tile to ndarray of uint8, shape (n, n, 3)
        Tiles as `Base.shrunk` gives them.
    """
    side = TILE_PX // base.shrink
    columns, rows = [tile.x for tile in base.tiles], [tile.y for tile in base.tiles]
    left, top = min(columns) * side, min(rows) * side
    right, bottom = (max(columns) + 1) * side, (max(rows) + 1) * side
    laid = np.full((bottom - top, right - left, 3), NOTHING_RGB, np.uint8)
    for tile, part in pixels.items():
        y, x = tile.y * side - top, tile.x * side - left
        laid[y : y + side, x : x + side] = part
    box = Box(*(round(edge / base.shrink) for edge in base.box))
    shown = slice(max(int(box.top) - top, 0), int(box.bottom) - top)
    return laid[shown, max(int(box.left) - left, 0) : int(box.right) - left]


def map_of(survey: Survey, base: NDArray[np.uint8] | None) -> Picture:
    """The map of a survey, north up.

    Parameters
    ----------
    survey : Survey
    base : ndarray of uint8, shape (h, w, 3), or None
        Its imagery; without it, the colours stand alone.
    """
    rgba = Painter(survey).paint(Look(survey.model.threshold, set()))
    rows, columns = rgba.shape[:2]
    enlarge = MAP_PX / max(rows, columns)
    size = max(round(columns * enlarge), 1), max(round(rows * enlarge), 1)
    colours = np.asarray(Image.fromarray(rgba).resize(size, Image.Resampling.NEAREST))
    if base is None or not base.size:
        share = colours[..., 3:].astype(np.float32) / 255
        under = np.full((*colours.shape[:2], 3), 255, np.float32)
    else:
        share = colours[..., 3:].astype(np.float32) / 255 * OPACITY
        resized = Image.fromarray(base).resize(size, Image.Resampling.BILINEAR)
        under = np.asarray(resized).astype(np.float32)
    rgb = (colours[..., :3] * share + under * (1 - share)).round().astype(np.uint8)
    return jpeg(rgb) if base is not None else png(rgb)


def jpeg(rgb: NDArray[np.uint8]) -> Picture:
    """Pixels as JPEG."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=QUALITY, optimize=True)
    return Picture(out.getvalue(), "image/jpeg", rgb.shape[1], rgb.shape[0])


def png(rgb: NDArray[np.uint8]) -> Picture:
    """Pixels as PNG."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "PNG")
    return Picture(out.getvalue(), "image/png", rgb.shape[1], rgb.shape[0])


def thumbnail(chip: NDArray[np.uint8]) -> Picture:
    """A chip as a small picture."""
    picture = Image.fromarray(chip)
    return jpeg(np.asarray(picture.resize((SQUARE_PX, SQUARE_PX), Image.Resampling.BILINEAR)))


def scale_of(grid: Grid) -> Scale:
    """A scale of a round length, a quarter of the map's width at most; right in its middle."""
    middle = float(grid.latitudes[len(grid) // 2])
    width_m = grid.columns * grid.pitch * resolution_m(PLANE, middle)
    power = 10.0 ** math.floor(math.log10(width_m / 4))
    metres = next(each * power for each in ROUND if each * power <= width_m / 4)
    return Scale(metres, metres / width_m)

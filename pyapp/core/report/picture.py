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
# More tiles than this are not read for a picture.
MOST_TILES = 64
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
    """

    tiles: list[Tile]
    box: Box
    zoom: int


def base_of(grid: Grid, source: Source) -> Base | None:
    """The imagery for the map; ``None`` if even the coarsest has too many tiles."""
    width, height = grid.columns * grid.pitch, grid.rows * grid.pitch
    wanted = PLANE - math.log2(max(width, height) / MAP_PX)
    zoom = min(max(math.floor(wanted), source.min_zoom), source.max_zoom)
    scale = 2.0 ** (zoom - PLANE)
    box = Box(grid.left * scale, grid.top * scale, (grid.left + width) * scale,
              (grid.top + height) * scale)  # fmt: skip
    across, down = ((high - low) / TILE_PX for low, high in
                    ((box.left, box.right), (box.top, box.bottom)))  # fmt: skip
    if (across + 1) * (down + 1) > MOST_TILES:
        return None
    return Base(tiles_under(box, zoom), box, zoom)


def lay_base(base: Base, pixels: Mapping[Tile, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The imagery under a survey, uint8 [h, w, 3]; grey where a tile is missing."""
    columns, rows = [tile.x for tile in base.tiles], [tile.y for tile in base.tiles]
    left, top = min(columns) * TILE_PX, min(rows) * TILE_PX
    right, bottom = (max(columns) + 1) * TILE_PX, (max(rows) + 1) * TILE_PX
    laid = np.full((bottom - top, right - left, 3), NOTHING_RGB, np.uint8)
    for tile, part in pixels.items():
        y, x = tile.y * TILE_PX - top, tile.x * TILE_PX - left
        if part.shape[:2] != (TILE_PX, TILE_PX):
            part = np.asarray(Image.fromarray(part).resize((TILE_PX, TILE_PX)))
        laid[y : y + TILE_PX, x : x + TILE_PX] = part
    box = base.box
    cut = (round(box.left) - left, round(box.top) - top, round(box.right) - left,
           round(box.bottom) - top)  # fmt: skip
    return laid[max(cut[1], 0) : cut[3], max(cut[0], 0) : cut[2]]


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

"""Web Mercator tiles of a picture in any projection.

The projection is worked out exactly on a net of points and taken as straight in between, as GDAL's
warper does: over a sixteenth of a tile it bends by less than a hundredth of a pixel. Where the
picture is finer than the tile, each pixel of the tile is a weighted average as wide as the scale.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from pyapp.core.ground.geo import TILE_PX, Tile, world_px
from pyapp.core.imagery.raster import Level, RasterFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray

MESH = 16
# Deviations from a straight grid that a person does not see, in pixels of the picture.
STRAIGHT_PX = 0.05
# Pixels around a window that the filter needs.
MARGIN_PX = 3
# Scales up to this need no averaging: interpolation leaves out no pixel.
SMOOTH = 1.1
# Pixels of the picture that are larger than this many of the tile are interpolated as GDAL does it;
# otherwise by a sharper filter, as the chip that is cut from the tile is filtered once more.
LARGE = 1.7


class Net(NamedTuple):
    """Where the points of a regular net over a tile lie in a picture, in pixels of a level.

    Attributes
    ----------
    columns, rows : ndarray of float64, shape (MESH + 1, MESH + 1)
        The tile's rows come first.
    """

    columns: NDArray[np.float64]
    rows: NDArray[np.float64]

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the picture for each pixel of the tile, across and down the picture."""
        step = TILE_PX / MESH
        across = np.hypot(
            np.diff(self.columns, axis=1).mean(), np.diff(self.columns, axis=0).mean()
        )
        down = np.hypot(np.diff(self.rows, axis=1).mean(), np.diff(self.rows, axis=0).mean())
        return float(across / step), float(down / step)

    def at(self, right: float, down: float) -> Net:
        """The net in pixels of a picture that is smaller by these factors."""
        return Net(self.columns / right, self.rows / down)


class Window(NamedTuple):
    """A part of a level, in whole pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int


def net_of(facts: RasterFacts, tile: Tile) -> Net:
    """Where a tile lies in the finest level of a picture."""
    size = world_px(tile.z)
    share = np.arange(MESH + 1) / MESH
    x = (tile.x + share) * TILE_PX / size
    y = (tile.y + share) * TILE_PX / size
    lng = np.broadcast_to(x * 360.0 - 180.0, (MESH + 1, MESH + 1))
    lat = np.degrees(np.arctan(np.sinh(math.pi * (1.0 - 2.0 * y))))
    lat = np.broadcast_to(lat[:, np.newaxis], lng.shape)
    east, north = facts.projection.forward(lng, lat)
    a, b, c, d, e, f = facts.affine.inverse()
    return Net(a * east + b * north + c, d * east + e * north + f)


def level_for(facts: RasterFacts, net: Net) -> tuple[Level, Net]:
    """The coarsest level that is as fine as a tile, and the net in its pixels."""
    finest = facts.levels[0]
    wanted = min(net.scale)
    best, factors = finest, (1.0, 1.0)
    for level in facts.levels[1:]:
        right, down = finest.width / level.width, finest.height / level.height
        # Overviews of odd sizes are a little more than twice as coarse.
        if max(right, down) <= wanted * 1.02:
            best, factors = level, (right, down)
    return best, net.at(*factors)


def window_of(level: Level, net: Net) -> Window | None:
    """What must be read of a level for a tile; ``None`` if the tile lies beside it."""
    reach = MARGIN_PX + math.ceil(max(net.scale))
    left = max(math.floor(net.columns.min()) - reach, 0)
    top = max(math.floor(net.rows.min()) - reach, 0)
    right = min(math.ceil(net.columns.max()) + reach, level.width)
    bottom = min(math.ceil(net.rows.max()) + reach, level.height)
    if left >= right or top >= bottom:
        return None
    return Window(left, top, right, bottom)


def warp(rgba: NDArray[np.uint8], window: Window, net: Net) -> NDArray[np.uint8]:
    """A tile of a part of a picture.

    Parameters
    ----------
    rgba : ndarray of uint8, shape (rows, columns, 4)
        What the window shows.
    window : Window
    net : Net
        Of the tile, in pixels of the same level.

    Returns
    -------
    ndarray of uint8, shape (256, 256, 4)
        Clear where the picture doesn't reach.
    """
    columns, rows = net.columns - window.left, net.rows - window.top
    opaque = bool((rgba[..., 3] == 255).all())
    picture = Image.fromarray(np.ascontiguousarray(rgba[..., :3]) if opaque else rgba)
    across, down = net.scale
    large = max(across, down) < 1 / LARGE
    filter_ = Image.Resampling.BILINEAR if large else Image.Resampling.BICUBIC
    box = _straight(columns, rows)
    inside = (
        box and box[0] >= 0 and box[1] >= 0 and box[2] <= picture.width and box[3] <= picture.height
    )
    if box and inside:
        return np.asarray(picture.resize((TILE_PX, TILE_PX), filter_, box=box).convert("RGBA"))
    if max(across, down) > SMOOTH:
        smaller = (max(round(picture.width / across), 1), max(round(picture.height / down), 1))
        columns = columns * (smaller[0] / picture.width)
        rows = rows * (smaller[1] / picture.height)
        picture = picture.resize(smaller, filter_)
    # What lies beside the picture is clear, so it needs an alpha band.
    tile = picture.convert("RGBA").transform(
        (TILE_PX, TILE_PX), Image.Transform.MESH, _quads(columns, rows), filter_
    )
    return np.asarray(tile)


def _straight(
    columns: NDArray[np.float64], rows: NDArray[np.float64]
) -> tuple[float, float, float, float] | None:
    """The rectangle that a net covers, if it is one that is evenly divided."""
    left, right = float(columns[0, 0]), float(columns[0, -1])
    top, bottom = float(rows[0, 0]), float(rows[-1, 0])
    even_columns = np.linspace(left, right, MESH + 1)
    even_rows = np.linspace(top, bottom, MESH + 1)[:, np.newaxis]
    bent = max(np.abs(columns - even_columns).max(), np.abs(rows - even_rows).max())
    if bent > STRAIGHT_PX or left >= right or top >= bottom:
        return None
    return left, top, right, bottom


def _quads(
    columns: NDArray[np.float64], rows: NDArray[np.float64]
) -> list[tuple[tuple[int, int, int, int], tuple[float, ...]]]:
    """Parts of the tile, and the corners of each in the picture: north-west, south-west, south-east
    and north-east."""
    side = TILE_PX // MESH
    quads = []
    for down in range(MESH):
        for right in range(MESH):
            part = (right * side, down * side, (right + 1) * side, (down + 1) * side)
            corners = [(down, right), (down + 1, right), (down + 1, right + 1), (down, right + 1)]
            points = [(float(columns[each]), float(rows[each])) for each in corners]
            quads.append((part, tuple(value for point in points for value in point)))
    return quads

"""The recipe of a chip: which tiles, at which zoom, and which part of them."""

from typing import NamedTuple, Protocol

from pyapp.core.ground.geo import (
    TILE_PX,
    Box,
    Footprint,
    Tile,
    box_of,
    on_the_map,
    resolution_m,
    tiles_under,
    zoom_for,
)


class Zooms(Protocol):
    """Anything that has imagery at some zooms."""

    @property
    def min_zoom(self) -> int:
        """Coarsest zoom."""

    @property
    def max_zoom(self) -> int:
        """Finest zoom."""


class Cut(NamedTuple):
    """How to cut a chip from the tiles of a source.

    It depends only on the footprint, the zooms of the source and the resolution of the model, so
    that a click, a survey and training cut the same chip from the same ground, to the bit.

    Attributes
    ----------
    zoom : int
        Zoom of all the tiles.
    box : Box
        The footprint, in world pixels at that zoom; it lies within the tiles.
    tiles : tuple of Tile
        The tiles that the box touches, row by row; columns are not wrapped at the date line.
    imagery_m : float
        Ground sample distance of the tiles at the footprint's centre, in metres per pixel.
    """

    zoom: int
    box: Box
    tiles: tuple[Tile, ...]
    imagery_m: float

    @classmethod
    def of(cls, footprint: Footprint, source: Zooms, wanted_m: float) -> "Cut":
        """The recipe for a footprint.

        Parameters
        ----------
        footprint : Footprint
        source : Source or ImageryFacts
            Only its coarsest and finest zoom matter.
        wanted_m : float
            Ground sample distance of the chip, in metres per pixel.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> from pyapp.core.ground.geo import LngLat
        >>> source = SimpleNamespace(min_zoom=14, max_zoom=18)
        >>> cut = Cut.of(Footprint(LngLat(85.52, 27.63), 78.0), source, 78.0 / 192)
        >>> cut.zoom, len(cut.tiles), round(cut.imagery_m, 3)
        (18, 4, 0.529)
        """
        lat = footprint.centre.lat
        zoom = zoom_for(lat, wanted_m, source.min_zoom, source.max_zoom)
        box = box_of(footprint, zoom)
        tiles = tiles_under(box, zoom)
        return cls(zoom, _within(box, tiles), tuple(tiles), resolution_m(zoom, lat))

    @property
    def on_the_map(self) -> bool:
        """Whether the box lies between the northern and southern edges of a web map."""
        return on_the_map(self.box, self.zoom)


def _within(box: Box, tiles: list[Tile]) -> Box:
    """A box without what it has of further tiles, by rounding."""
    first, last = tiles[0], tiles[-1]
    return Box(
        max(box.left, first.x * TILE_PX),
        max(box.top, first.y * TILE_PX),
        min(box.right, (last.x + 1) * TILE_PX),
        min(box.bottom, (last.y + 1) * TILE_PX),
    )

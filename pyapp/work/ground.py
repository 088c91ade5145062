"""From a footprint to its chip: reads the tiles under it, once each."""

import asyncio
from dataclasses import dataclass

import numpy as np

from pyapp.bridge import canvas, http
from pyapp.bridge.browser import now_ms
from pyapp.core.errors import (
    MissingTileError,
    NotAnImageError,
    NotAPictureError,
    OutsideImageryError,
    RefusedTileError,
    SlowTileError,
    UnreachableTileError,
)
from pyapp.core.ground.geo import (
    Footprint,
    Tile,
    box_of,
    on_the_map,
    resolution_m,
    tiles_under,
    zoom_for,
)
from pyapp.core.imagery import mosaic
from pyapp.core.imagery.cache import PixelCache
from pyapp.core.imagery.chip import cut, middle, resample
from pyapp.core.imagery.source import Source
from pyapp.core.model.card import Card

TILE_LIMIT_S = 15.0
_NO_TILE = (204, 404, 410)


@dataclass(frozen=True)
class GroundChip:
    """A chip and how it came about.

    Attributes
    ----------
    pixels : uint8 [S, S, 3]
    zoom : int or None
        Of the tiles that it was cut from; ``None`` for a picture without a place.
    imagery_m : float or None
        Ground sample distance of those tiles, in metres per pixel; likewise.
    read_ms, prepare_ms : float
        Time for the tiles to arrive, and to decode, lay, cut and resample them.
    """

    pixels: np.ndarray
    zoom: int | None
    imagery_m: float | None
    read_ms: float
    prepare_ms: float


class Ground:
    """Imagery as pixels, with the tiles used last kept decoded.

    Parameters
    ----------
    limit_bytes : int
        For the decoded tiles.
    """

    def __init__(self, limit_bytes: int):
        self._decoded = PixelCache(limit_bytes)

    async def chip(self, source: Source, footprint: Footprint, card: Card) -> GroundChip:
        """Read the imagery under a footprint and cut the chip that the model wants.

        Raises
        ------
        TileError
            When a tile is missing, slow, refused, unreachable or not a picture.
        """
        start_ms = now_ms()
        lat = footprint.centre.lat
        zoom = zoom_for(lat, card.resolution_m, source.min_zoom, source.max_zoom)
        box = box_of(footprint, zoom)
        if not on_the_map(box, zoom):
            raise OutsideImageryError
        tiles = {tile: source.url_of(tile) for tile in tiles_under(box, zoom)}
        found = {tile: self._decoded.get(url) for tile, url in tiles.items()}
        kept = {tile: pixels for tile, pixels in found.items() if pixels is not None}
        wanted = [tile for tile in tiles if tile not in kept]
        arrived = await _read(source, wanted)
        read_ms = now_ms()
        fresh = {tile: await decode_tile(tile, data) for tile, data in arrived.items()}
        for tile, pixels in fresh.items():
            self._decoded.put(tiles[tile], pixels)
        pixels = cut(mosaic.lay(fresh | kept), box, card.chip_px)
        return GroundChip(
            pixels=pixels,
            zoom=zoom,
            imagery_m=resolution_m(zoom, lat),
            read_ms=read_ms - start_ms,
            prepare_ms=now_ms() - read_ms,
        )


async def picture_chip(data: bytes, card: Card) -> GroundChip:
    """The middle square of an encoded picture as a chip.

    Raises
    ------
    NotAPictureError
        When neither Pillow nor the browser can decode it.
    """
    start_ms = now_ms()
    try:
        pixels = await _pixels(data)
        chip = resample(pixels, card.chip_px, middle(pixels))
    except (mosaic.UndecodableError, MemoryError) as error:
        raise NotAPictureError from error
    return GroundChip(chip, None, None, 0.0, now_ms() - start_ms)


async def _read(source: Source, wanted: list[Tile]) -> dict[Tile, bytes]:
    for tile in wanted:
        if not source.may_have(tile):
            raise MissingTileError(tile)
    requests = [asyncio.ensure_future(read_tile(source, tile)) for tile in wanted]
    try:
        return dict(zip(wanted, await asyncio.gather(*requests), strict=True))
    finally:
        for request in requests:
            request.cancel()


async def read_tile(source: Source, tile: Tile) -> bytes:
    """A tile as it comes.

    Raises
    ------
    MissingTileError, RefusedTileError, SlowTileError, UnreachableTileError
    """
    try:
        return await http.fetch_bytes(source.url_of(tile), TILE_LIMIT_S)
    except http.StatusError as error:
        if error.status in _NO_TILE:
            raise MissingTileError(tile) from error
        raise RefusedTileError(source.name, error.status) from error
    except TimeoutError as error:
        raise SlowTileError(TILE_LIMIT_S) from error
    except http.UnreachableError as error:
        raise UnreachableTileError(source.name) from error


async def decode_tile(tile: Tile, data: bytes) -> np.ndarray:
    """Pixels of a tile, uint8 [n, n, 3].

    Raises
    ------
    NotAnImageError
    """
    try:
        return await _pixels(data)
    except (mosaic.UndecodableError, MemoryError) as error:
        raise NotAnImageError(tile) from error


async def _pixels(data: bytes) -> np.ndarray:
    """Decoded by Pillow, or by the browser where Pillow can't."""
    try:
        return mosaic.decode(data)
    except mosaic.UndecodableError:
        return await canvas.decode(data)

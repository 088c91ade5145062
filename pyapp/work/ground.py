"""From a footprint to its chip: reads the tiles under it, each once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pyapp.core.errors import (
    ComplainingTileError,
    ForbiddenReadingError,
    MissingTileError,
    NotAnImageError,
    NotAPictureError,
    OutsideImageryError,
    RefusedTileError,
    SlowTileError,
    UnreachableTileError,
)
from pyapp.core.ground.cut import Cut
from pyapp.core.ground.geo import Footprint, Tile
from pyapp.core.imagery import mosaic
from pyapp.core.imagery.cache import PixelCache
from pyapp.core.imagery.chip import cut
from pyapp.core.imagery.part import Part, middle_part
from pyapp.core.imagery.photo_errors import UnknownFormatError
from pyapp.core.imagery.source import Source
from pyapp.core.model.card import Card
from pyapp.work.ports import Clock, Decode, Fetch, StatusError, UnreachableError
from pyapp.work.tasks import gather

if TYPE_CHECKING:
    from pyapp.core.imagery.photo import Photo

TILE_LIMIT_S = 15.0
# A tile as it comes from a server or a file, or as pixels that were made here, uint8 [n, n, 3].
TileData = bytes | np.ndarray
MakeTile = Callable[[Tile], Awaitable[TileData]]
# A tile that is kept on the device, or None.
KeptTile = Callable[[Source, Tile], Awaitable[bytes | None]]
# Answers that mean "there is no tile", rather than "not now".
NO_TILE = (204, 404, 410)


@dataclass(frozen=True)
class GroundChip:
    """A chip and how it came about.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (S, S, 3)
    zoom : int or None
        Of the tiles that it was cut from; ``None`` for a picture without a place.
    imagery_m : float or None
        Ground sample distance of those tiles, in metres per pixel; ``None`` for a picture.
    read_ms, prepare_ms : float
        Time for the tiles to arrive, and to decode, lay, cut and resample them.
    """

    pixels: np.ndarray
    zoom: int | None
    imagery_m: float | None
    read_ms: float
    prepare_ms: float


class ChipSize(Protocol):
    """What a chip is cut for: a model's card, or a look at the ground."""

    @property
    def chip_px(self) -> int:
        """Side of the chip."""

    @property
    def resolution_m(self) -> float:
        """Ground sample distance of the chip, in metres per pixel."""


class Ground:
    """Imagery as pixels; the tiles used last stay decoded.

    Parameters
    ----------
    fetch : Fetch
    decode : Decode
    clock : Clock
    limit_bytes : int
        For the decoded tiles.
    """

    def __init__(self, fetch: Fetch, decode: Decode, clock: Clock, limit_bytes: int):
        self._fetch = fetch
        self._decode = decode
        self._clock = clock
        self._decoded = PixelCache(limit_bytes)
        self._made: dict[str, MakeTile] = {}
        self._kept: KeptTile | None = None

    def offer(self, source: Source, make_tile: MakeTile) -> None:
        """Have the tiles of a source made here, or read from a file, rather than fetched."""
        self._made[source.url] = make_tile

    def makes(self, source: Source) -> bool:
        """Whether the tiles of a source are made here."""
        return source.url in self._made

    def look_first(self, kept: KeptTile) -> None:
        """Look for tiles of imagery that may be kept on the device, before they are fetched."""
        self._kept = kept

    async def chip(self, source: Source, footprint: Footprint, card: ChipSize) -> GroundChip:
        """Read the imagery under a footprint and cut the chip that the model wants.

        Raises
        ------
        TileError
            If a tile is missing, slow, refused, out of reach or no picture.
        """
        start_ms = self._clock.now_ms()
        recipe = Cut.of(footprint, source, card.resolution_m)
        if not recipe.on_the_map:
            raise OutsideImageryError
        urls = {tile: source.url_of(tile) for tile in recipe.tiles}
        found = {tile: self._decoded.get(url) for tile, url in urls.items()}
        pixels = {tile: each for tile, each in found.items() if each is not None}
        wanted = [tile for tile in recipe.tiles if tile not in pixels]
        for tile in wanted:
            if not source.may_have(tile):
                raise MissingTileError(tile)
        arrived = await gather(*(self.read_tile(source, tile) for tile in wanted))
        read_ms = self._clock.now_ms()
        for tile, data in zip(wanted, arrived, strict=True):
            pixels[tile] = await self.decode_tile(tile, data)
            self._decoded.put(urls[tile], pixels[tile])
            # On a phone each takes a while.
            await asyncio.sleep(0)
        return GroundChip(
            pixels=cut(pixels, recipe.box, card.chip_px),
            zoom=recipe.zoom,
            imagery_m=max(recipe.imagery_m, source.ground_m or 0.0),
            read_ms=read_ms - start_ms,
            prepare_ms=self._clock.now_ms() - read_ms,
        )

    async def picture_chip(self, data: bytes, card: Card) -> GroundChip:
        """The middle square of an encoded picture as a chip.

        Raises
        ------
        NotAPictureError
            If it cannot be decoded.
        """
        start_ms = self._clock.now_ms()
        photo = await self.photo(data)
        chip = self.photo_chip(photo, middle_part(photo.facts.width, photo.facts.height), card)
        return replace(chip, prepare_ms=self._clock.now_ms() - start_ms)

    async def photo(self, data: bytes) -> Photo:
        """A picture of one's own.

        Raises
        ------
        NotAPictureError
            If it can't be decoded, or there is no room for its pixels.
        """
        # Imported here, so that it costs no start.
        from pyapp.core.imagery import photo

        try:
            try:
                return photo.open_photo(data)
            except mosaic.UndecodableError:
                kind = photo.other_format(data)
                pixels = await self._decode(data)
                photo.check_size(pixels.shape[1], pixels.shape[0])
                # The browser has turned it upright.
                facts = photo.PhotoFacts(pixels.shape[1], pixels.shape[0])
                return photo.Photo(data, facts, pixels, 1)
        except mosaic.UndecodableError as error:
            raise (UnknownFormatError(kind) if kind else NotAPictureError()) from error
        except MemoryError as error:
            raise NotAPictureError from error

    def photo_chip(self, photo: Photo, part: Part, card: Card) -> GroundChip:
        """A square of a picture as a chip."""
        start_ms = self._clock.now_ms()
        chip = photo.chip(part, card.chip_px)
        return GroundChip(chip, None, None, 0.0, self._clock.now_ms() - start_ms)

    async def read_tile(self, source: Source, tile: Tile) -> TileData:
        """A tile as it comes.

        Raises
        ------
        ForbiddenReadingError
            If the terms of the imagery do not allow it.
        DamagedRasterError
            If it is made of a file that can't be read.
        MissingTileError, RefusedTileError, SlowTileError, UnreachableTileError
        """
        if not source.allows.read:
            raise ForbiddenReadingError(source.name, [])
        if source.url in self._made:
            return await self._made[source.url](tile)
        if self._kept is not None and source.allows.keep:
            found = await self._kept(source, tile)
            if found is not None:
                return found
        try:
            return await self._fetch(source.url_of(tile), TILE_LIMIT_S, source.allows.keep)
        except StatusError as error:
            if error.status in NO_TILE:
                raise MissingTileError(tile) from error
            raise RefusedTileError(source.name, error.status) from error
        except TimeoutError as error:
            raise SlowTileError(TILE_LIMIT_S) from error
        except UnreachableError as error:
            raise UnreachableTileError(source.name) from error

    async def decode_tile(self, tile: Tile, data: TileData) -> np.ndarray:
        """Pixels of a tile, uint8 [n, n, 3].

        Raises
        ------
        NotAnImageError
        ComplainingTileError
            If it is a service's report of what is wrong.
        """
        if isinstance(data, np.ndarray):
            return data
        try:
            return await self._pixels(data)
        except (mosaic.UndecodableError, MemoryError) as error:
            # Imported here, so that it costs no start.
            from pyapp.core.imagery.markup import complaint

            said = complaint(data)
            raise (ComplainingTileError(said) if said else NotAnImageError(tile)) from error

    async def _pixels(self, data: bytes) -> np.ndarray:
        """Decoded by Pillow, or by the port if Pillow can't."""
        try:
            return mosaic.decode(data)
        except mosaic.TooManyPixelsError:
            raise
        except mosaic.UndecodableError:
            return await self._decode(data)

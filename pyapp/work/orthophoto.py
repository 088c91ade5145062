"""Tiles made of a georeferenced picture of one's own: read in blocks, painted, warped."""

import asyncio
import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyapp.core.errors import DamagedRasterError, MissingTileError, UnreadableRasterError
from pyapp.core.ground.geo import TILE_PX, Tile, wrapped
from pyapp.core.imagery.cache import PixelCache
from pyapp.core.imagery.look import Look, paint, samples_of, stretched, usual_bands
from pyapp.core.imagery.raster import Level, RasterFacts, raster_from_json
from pyapp.core.imagery.source import FILE_ID, Source
from pyapp.core.imagery.warp import Window, level_for, net_of, warp, window_of
from pyapp.work.ports import RasterReader, UnreachableError
from pyapp.work.tasks import begin, gather

# Pixels of the picture, across, that a tile may be made of: with more it takes seconds.
MOST_ACROSS_PX = 1024
# Pixels of a tile or strip in a file: more do not fit into the memory of a phone.
MOST_BLOCK_PX = 32_000_000
# Blocks that the range of values is taken from.
SAMPLED = 9
BLOCKS_BYTES = 48 << 20
TILES_BYTES = 16 << 20


@dataclass
class Orthophoto:
    """A picture of one's own as a source of tiles.

    Parameters
    ----------
    facts : RasterFacts
    reader : RasterReader
        Of the file, which stays open.
    digest : str
        Differs for another file.
    look : Look
    address : str or None
        Where it is, unless it is on the device.
    """

    facts: RasterFacts
    reader: RasterReader
    digest: str
    look: Look
    address: str | None = None
    _blocks: PixelCache = field(default_factory=lambda: PixelCache(BLOCKS_BYTES))
    _tiles: PixelCache = field(default_factory=lambda: PixelCache(TILES_BYTES))
    _reading: "dict[str, asyncio.Task[np.ndarray]]" = field(default_factory=dict)

    @property
    def source(self) -> Source:
        """The source that its tiles belong to; another look is another source."""
        coarsest, finest = self.facts.zooms(MOST_ACROSS_PX)
        name = self.facts.name
        return Source(
            id=f"{FILE_ID}-{self.digest}",
            name=name,
            url=f"geotiff:{self.digest}:{self.look.key}/{{z}}/{{x}}/{{y}}",
            min_zoom=coarsest,
            max_zoom=finest,
            attribution=html.escape(name),
            credit=name,
            origin=None,
            bounds=(self.facts.bounds(),),
            ground_m=self.facts.ground_m(),
            date=self.facts.date,
        )

    def with_look(self, look: Look) -> "Orthophoto":
        """The same picture in other colours."""
        return Orthophoto(self.facts, self.reader, self.digest, look, self.address)

    async def stretch(self, bands: tuple[int, int, int]) -> Look:
        """The look in which most values of a picture can be told apart."""
        level = self.facts.levels[-1]
        places = list(_blocks_of(level, Window(0, 0, level.width, level.height)))
        chosen = [places[each] for each in np.linspace(0, len(places) - 1, SAMPLED).astype(int)]
        samples = [await self._samples(level, *each) for each in dict.fromkeys(chosen)]
        return stretched(self.facts, bands, samples)

    async def tile(self, tile: Tile) -> np.ndarray:
        """A tile, uint8 [256, 256, 4], clear where there is no picture.

        Raises
        ------
        MissingTileError
            If the picture shows none of it.
        DamagedRasterError
            If a part that it needs can't be read.
        """
        tile = wrapped(tile)
        key = f"{tile.z}/{tile.x}/{tile.y}"
        rgba = self._tiles.get(key)
        if rgba is None:
            rgba = await self._make(tile)
            self._tiles.put(key, rgba)
        if not rgba[..., 3].any():
            raise MissingTileError(tile)
        return rgba

    async def opaque_tile(self, tile: Tile) -> np.ndarray:
        """The same on white, uint8 [256, 256, 3], as `Ground.offer` takes it."""
        return on_white(await self.tile(tile))

    async def _make(self, tile: Tile) -> np.ndarray:
        level, net = level_for(self.facts, net_of(self.facts, tile))
        window = window_of(level, net)
        if window is None or max(net.scale) * TILE_PX > 2 * MOST_ACROSS_PX:
            return np.zeros((TILE_PX, TILE_PX, 4), np.uint8)
        places = list(_blocks_of(level, window))
        blocks = await gather(*(self._block(level, *each) for each in places))
        return warp(_joined(level, window, places, blocks), window, net)

    async def _block(self, level: Level, column: int, row: int) -> np.ndarray:
        """A block in colours, uint8 [rows, columns, 4]; read once, however many wait for it."""
        key = f"{level.number}/{column}/{row}"
        kept = self._blocks.get(key)
        if kept is not None:
            return kept
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = begin(self._paint(level, column, row))
            reading.add_done_callback(lambda _: self._reading.pop(key, None))
        # One who no longer waits must not take it away from the others.
        block = await asyncio.shield(reading)
        self._blocks.put(key, block)
        return block

    async def _paint(self, level: Level, column: int, row: int) -> np.ndarray:
        return paint(self.facts, self.look, await self._samples(level, column, row))

    async def _samples(self, level: Level, column: int, row: int) -> "np.ndarray[Any, Any]":
        facts = self.facts
        bands = range(facts.bands if facts.planar else 1)
        try:
            data = [await self.reader.block(level.number, column, row, band) for band in bands]
            pixel_bytes = np.dtype(facts.dtype).itemsize * (1 if facts.planar else facts.bands)
            rows = min(len(each) // (pixel_bytes * level.block_width) for each in data)
            if not rows:
                raise ValueError("an empty block")
            samples = samples_of(facts, data, rows, level.block_width)
        except (UnreachableError, ValueError) as error:
            raise DamagedRasterError(facts.name) from error
        # Tiles at the right and lower edge are filled up.
        down = level.height - row * level.block_height
        return samples[:down, : level.width - column * level.block_width]


async def open_orthophoto(
    reader: RasterReader, digest: str, address: str | None = None
) -> Orthophoto:
    """A file as imagery, in the colours that it most probably has.

    Parameters
    ----------
    reader : RasterReader
    digest : str
        Differs for another file.
    address : str, optional
        Where it is, unless it is on the device.

    Raises
    ------
    NoGeoreferenceError, UnknownProjectionError, UnreadableRasterError
    DamagedRasterError
        If its beginning can't be read.
    """
    facts = raster_from_json(await reader.describe())
    if max(each.block_width * each.block_height for each in facts.levels) > MOST_BLOCK_PX:
        raise UnreadableRasterError(
            facts.name, "it is stored in one piece, which does not fit into memory at once"
        )
    bands = usual_bands(facts)
    opened = Orthophoto(facts, reader, digest, Look(bands), address)
    if facts.has_eight_bits or facts.palette is not None:
        return opened
    return opened.with_look(await opened.stretch(bands))


def on_white(rgba: np.ndarray) -> np.ndarray:
    """A tile without transparency, uint8 [n, n, 3], as clear pictures of a server are decoded."""
    alpha = rgba[..., 3:].astype(np.uint16)
    if (alpha == 255).all():
        return np.ascontiguousarray(rgba[..., :3])
    mixed = rgba[..., :3] * alpha + 255 * (255 - alpha)
    return np.asarray((mixed + 127) // 255, np.uint8)


def _blocks_of(level: Level, window: Window) -> Iterator[tuple[int, int]]:
    """Columns and rows of the blocks that a window touches."""
    columns = range(window.left // level.block_width, -(-window.right // level.block_width))
    rows = range(window.top // level.block_height, -(-window.bottom // level.block_height))
    return ((column, row) for row in rows for column in columns)


def _joined(
    level: Level, window: Window, places: list[tuple[int, int]], blocks: list[np.ndarray]
) -> np.ndarray:
    """Blocks laid together, cut to a window, uint8 [rows, columns, 4]."""
    height, width = window.bottom - window.top, window.right - window.left
    joined = np.zeros((height, width, 4), np.uint8)
    for (column, row), block in zip(places, blocks, strict=True):
        left, top = column * level.block_width - window.left, row * level.block_height - window.top
        right, bottom = min(left + block.shape[1], width), min(top + block.shape[0], height)
        from_x, from_y = max(left, 0), max(top, 0)
        joined[from_y:bottom, from_x:right] = block[
            from_y - top : bottom - top, from_x - left : right - left
        ]
    return joined

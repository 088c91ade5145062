"""Imagery in one file of tiles, PMTiles or MBTiles."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyapp.bridge import browser, canvas
from pyapp.bridge.leaflet import Draw, GroundMap
from pyapp.bridge.parquet import ParquetParts
from pyapp.bridge.slices import AddressSlices, FileSlices
from pyapp.core.errors import DamagedRasterError, MissingTileError
from pyapp.core.ground.geo import Tile
from pyapp.core.imagery.mosaic import UndecodableError
from pyapp.core.imagery.source import readable_origin
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.shell.notice import IMAGERY, Notice
from pyapp.work.archive import Archive, open_archive
from pyapp.work.ground import Ground
from pyapp.work.pyramid import LargeSurvey, large_survey
from pyapp.work.tasks import begin


@dataclass
class ArchiveFiles:
    """Opens files of tiles, and draws what is in them.

    Parameters
    ----------
    limit : asyncio.Semaphore
        Tiles that are drawn at a time.
    show_large : callable taking LargeSurvey and Draw
        Shows what is the map of a survey rather than imagery, by what draws its tiles.
    """

    ground_map: GroundMap
    imagery: ImageryPanel
    ground: Ground
    notice: Notice
    limit: asyncio.Semaphore
    show_large: Callable[[LargeSurvey, Draw], None]

    async def open_file(self, file: Any, digest: str, beside: Mapping[str, Any]) -> None:
        """Show a file of this device.

        Parameters
        ----------
        file : File of the browser
        digest : str
        beside : mapping of str to File of the browser
            What else was given with it, by name.

        Raises
        ------
        ArchiveError, DamagedPyramidError
        """
        archive = await open_archive(FileSlices(file), file.name, digest)
        await self._show(archive, ParquetParts("", beside))

    async def open_address(self, address: str, name: str, digest: str) -> None:
        """Show a file at an address, of which only the tiles that are seen are read.

        Raises
        ------
        ArchiveError, AddressError, DamagedPyramidError
        """
        origin = readable_origin(address, browser.origin())
        archive = await open_archive(AddressSlices(address), name, digest, origin)
        folder = address.partition("?")[0].rpartition("/")[0] + "/"
        await self._show(archive, ParquetParts(folder, {}))

    async def _show(self, archive: Archive, parts: ParquetParts) -> None:
        large = await large_survey(archive, parts)
        if large is not None:
            self.show_large(large, partial(self._draw, archive))
            return
        source, facts = archive.source, archive.facts
        self.ground.offer(source, archive.tile)
        self.imagery.offer(source, partial(self._draw, archive))
        if not self.ground_map.shows(facts.bounds) or facts.is_wide:
            self.ground_map.go_to(facts.bounds, facts.centre, facts.min_zoom)

    def _draw(self, archive: Archive, tile: Tile, element) -> "asyncio.Task[None]":
        return begin(self._draw_tile(archive, tile, element))

    async def _draw_tile(self, archive: Archive, tile: Tile, element) -> None:
        try:
            async with self.limit:
                await canvas.draw_encoded(element, await archive.tile(tile), 0.0, 0.0, 1.0)
        except MissingTileError:
            return
        except UndecodableError:
            self.notice.tell(DamagedRasterError(archive.name), IMAGERY)
        except DamagedRasterError as error:
            self.notice.tell(error, IMAGERY)

"""Imagery of one's own: a GeoTIFF that is chosen, dropped, or read at an address."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

import numpy as np
from pyscript import web

from pyapp.bridge import canvas, geotiff
from pyapp.bridge.leaflet import GroundMap
from pyapp.core.errors import DamagedRasterError, MissingTileError, NoGeoreferenceError
from pyapp.core.ground.geo import Tile
from pyapp.core.imagery.look import Look, usual_bands
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.shell.dom import fill, on, option
from pyapp.ui.shell.notice import IMAGERY, Notice
from pyapp.work.ground import Ground
from pyapp.work.orthophoto import Orthophoto, on_white, open_orthophoto
from pyapp.work.tasks import Tasks, begin

# Tiles that are drawn at a time: more would keep classifications waiting.
AT_ONCE = 4
COLOURS = ("red", "green", "blue")


@dataclass
class OwnFiles:
    """Opens files as imagery, and lets the person choose how their bands are shown."""

    ground_map: GroundMap
    imagery: ImageryPanel
    ground: Ground
    notice: Notice
    tasks: Tasks
    _opened: dict[str, Orthophoto] = field(default_factory=dict)

    def __post_init__(self):
        self._limit = asyncio.Semaphore(AT_ONCE)
        self._file = web.page["own-file"]
        self._said = web.page["own-file-said"]
        self._look = web.page["own-look"]
        self._bands = [web.page[f"own-{colour}"] for colour in COLOURS]
        self._stretch = web.page["own-stretch"]
        on("change", self._file, self._chosen)
        for each in (*self._bands, self._stretch):
            on("change", each, lambda: self.tasks.start(self._change_look()))
        self.imagery.on_address(lambda address: self.tasks.start(self.open_address(address)))
        self.imagery.on_pick(self._show_look)

    async def see(self, file) -> bool:
        """Show a file that was dropped, if it is a georeferenced TIFF; whether it was one.

        Raises
        ------
        RasterError
            If it is one that can't be shown.
        """
        if not await geotiff.is_tiff(file):
            return False
        try:
            await self.open(file)
        except NoGeoreferenceError:
            # It is a picture like any other.
            return False
        return True

    async def open(self, file) -> None:
        """Show a file of this device.

        Raises
        ------
        RasterError
        """
        digest = hashlib.sha256(await geotiff.ends_of(file)).hexdigest()[:16]
        await self._open(geotiff.GeoTiff(file, file.name), digest, file.name)

    async def open_address(self, address: str) -> None:
        """Show a file at an address, of which only the parts that are seen are read.

        Raises
        ------
        RasterError
        """
        name = urlsplit(address).path.rpartition("/")[2]
        digest = hashlib.sha256(address.encode()).hexdigest()[:16]
        await self._open(geotiff.GeoTiff(address, name), digest, name, address)

    async def _open(self, reader, digest: str, name: str, address: str | None = None) -> None:
        self._say(f"Opening {name}")
        try:
            opened = await open_orthophoto(reader, digest, address)
        finally:
            self._say("")
        self._show(opened)
        source = opened.source
        if not self.ground_map.shows(source.bounds[0]):
            self.ground_map.go_to(source.bounds[0], opened.facts.centre(), source.min_zoom)

    def _show(self, opened: Orthophoto) -> None:
        """Offer a picture as imagery, and show it."""
        source = opened.source
        self._opened[source.url] = opened
        self.ground.offer(source, partial(_opaque_tile, opened))
        self.imagery.offer(source, partial(self._draw, opened))

    def _draw(self, opened: Orthophoto, tile: Tile, element) -> "asyncio.Task[None]":
        return begin(self._draw_tile(opened, tile, element))

    async def _draw_tile(self, opened: Orthophoto, tile: Tile, element) -> None:
        try:
            async with self._limit:
                canvas.draw_clear(element, await opened.tile(tile))
        except MissingTileError:
            return
        except DamagedRasterError as error:
            self.notice.tell(error, IMAGERY)

    def _chosen(self) -> None:
        files = self._file._dom_element.files
        if files.length:
            self.tasks.start(self.open(files.item(0)))

    def _say(self, sentence: str) -> None:
        self._said.textContent = sentence
        self._said.hidden = not sentence

    def _show_look(self) -> None:
        """Show how the bands of the chosen picture are shown."""
        opened = self._opened.get(self.imagery.source.url)
        self._look.hidden = opened is None
        if opened is None:
            return
        facts, look = opened.facts, opened.look
        for select, shown in zip(self._bands, look.bands, strict=True):
            names = [option(f"Band {band + 1}", str(band), band == shown) for band in facts.colours]
            fill(select, names)
        web.page["own-bands"].hidden = len(facts.colours) < 2 or facts.palette is not None
        self._stretch.checked = look.ranges is not None
        # Other samples than bytes must be stretched to be seen.
        self._stretch.disabled = not facts.has_eight_bits or facts.palette is not None

    async def _change_look(self) -> None:
        opened = self._opened.get(self.imagery.source.url)
        if opened is None:
            return
        chosen = [int(each.value) for each in self._bands]
        bands = (chosen[0], chosen[1], chosen[2])
        if opened.facts.palette is not None:
            bands = usual_bands(opened.facts)
        look = await opened.stretch(bands) if self._stretch.checked else Look(bands)
        self._show(opened.with_look(look))


async def _opaque_tile(opened: Orthophoto, tile: Tile) -> np.ndarray:
    return on_white(await opened.tile(tile))

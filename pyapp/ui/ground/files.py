"""Imagery of one's own: a GeoTIFF, a picture with its world file, or a file of tiles."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pyscript import web, when

from pyapp.bridge import canvas, geotiff
from pyapp.bridge.later import Later
from pyapp.bridge.leaflet import Draw, GroundMap
from pyapp.bridge.pictures import bytes_of, head_of
from pyapp.core.errors import DamagedRasterError, MissingTileError, NoGeoreferenceError
from pyapp.core.ground.geo import Tile
from pyapp.core.imagery.file_errors import LonelyWorldFileError
from pyapp.core.imagery.look import Look, usual_bands
from pyapp.core.imagery.source import is_archive, is_archive_file
from pyapp.core.imagery.worldfile import PICTURES, is_companion, stem
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.placing import Group, Placer
from pyapp.ui.shell.dom import fill, on, option
from pyapp.ui.shell.notice import IMAGERY, Notice
from pyapp.work.ground import Ground
from pyapp.work.orthophoto import Orthophoto, open_orthophoto
from pyapp.work.tasks import Tasks, begin

if TYPE_CHECKING:
    from pyapp.ui.ground.archives import ArchiveFiles

# Tiles that are drawn at a time: more would keep classifications waiting.
AT_ONCE = 4
COLOURS = ("red", "green", "blue")
Opened = Callable[[str, Group], Coroutine[Any, Any, None]]


@dataclass
class OwnFiles:
    """Opens files as imagery, and lets the person choose how their bands are shown."""

    ground_map: GroundMap
    imagery: ImageryPanel
    ground: Ground
    notice: Notice
    tasks: Tasks
    _opened: dict[str, Orthophoto] = field(default_factory=dict)
    _on_opened: list[Opened] = field(default_factory=list)
    _on_picture: Callable[[Any], object] = lambda _file: None
    _show_large: Callable[[], Awaitable[Callable[[Any, Draw], None]]] | None = None

    def __post_init__(self):
        self._limit = asyncio.Semaphore(AT_ONCE)
        self._later = Later()
        self._file = web.page["own-file"]
        self._said = web.page["own-file-said"]
        self._plain = web.page["own-as-picture"]
        self._look = web.page["own-look"]
        self._bands = [web.page[f"own-{colour}"] for colour in COLOURS]
        self._stretch = web.page["own-stretch"]
        self._placer = Placer(self.ground_map, lambda group: self._start(self.open_group(group)))
        self._without_place: Any = None
        on("change", self._file, self._chosen)
        on("click", self._plain, self._open_as_picture)
        for each in (*self._bands, self._stretch):
            on("change", each, lambda: self.tasks.start(self._change_look()))
        self.imagery.on_address(lambda address: self.tasks.start(self.open_address(address)))
        self.imagery.on_pick(self._show_look)

    def on_opened(self, handler: Opened) -> None:
        """Await ``handler(digest, group)`` after a file of this device was opened."""
        self._on_opened.append(handler)

    def on_picture(self, handler: Callable[[Any], object]) -> None:
        """Call ``handler(file)`` for a file that the person wants to see as a picture."""
        self._on_picture = handler

    def on_large(self, get: Callable[[], Awaitable[Callable[[Any, Draw], None]]]) -> None:
        """Have maps of large surveys shown by what ``await get()`` gives."""
        self._show_large = get

    def choose_with(self, pick: Callable[[], Coroutine[Any, Any, list[Any]]]) -> None:
        """Have files chosen by ``pick()``, rather than by the field."""

        async def choose() -> None:
            await self._take(await pick())

        def pressed(event) -> None:
            event.preventDefault()
            self._start(choose())

        when("click", self._file)(pressed)

    async def see(self, files: list[Any]) -> bool:
        """Show files that were dropped, if they are imagery with a place; whether they were.

        Raises
        ------
        RasterError
            If it is one that can't be shown.
        """
        picture, companions = parted(files)
        if picture is None:
            raise LonelyWorldFileError(files[0].name)
        # A TIFF without a place is a picture like any other.
        is_imagery = await geotiff.is_tiff(picture) or await _is_archive(picture)
        if not is_imagery and not (companions and picture.name.lower().endswith(PICTURES)):
            return False
        try:
            await self.open_group(Group(picture, companions), {each.name: each for each in files})
        except NoGeoreferenceError:
            return False
        return True

    async def open_group(self, group: Group, given: Mapping[str, Any] | None = None) -> None:
        """Show a file of this device, with what lies beside it.

        Parameters
        ----------
        group : Group
        given : mapping of str to File of the browser, optional
            All files that were given with it, by name.

        Raises
        ------
        RasterError, NotAPictureError
        """
        self._say("")
        self._placer.close()
        digest = await _digest(group)
        if not await self._open_group(group, digest, given or {}):
            return
        for handler in self._on_opened:
            await handler(digest, group)

    async def _open_group(self, group: Group, digest: str, given: Mapping[str, Any]) -> bool:
        """Open a file by the place that it has, or else by what lies beside it."""
        picture = group.picture
        if await _is_archive(picture):
            with self._saying(f"Opening {picture.name}"):
                archives = await self._archives()
                await archives.open_file(picture, digest, given)
            return True
        if await geotiff.is_tiff(picture):
            try:
                await self._open(geotiff.GeoTiff(picture, picture.name), digest, picture.name)
                return True
            except NoGeoreferenceError:
                if not group.companions:
                    raise
        return await self._open_placed(group, digest)

    async def _open_placed(self, group: Group, digest: str) -> bool:
        """Open a picture by what lies beside it; whether nothing more has to be asked."""
        with self._saying(f"Opening {group.picture.name}"):
            reader = await self._placer.reader_of(group)
        if reader is None:
            self.imagery.open()
            return False
        await self._open(reader, digest, group.picture.name)
        return True

    async def open_address(self, address: str) -> None:
        """Show a file at an address, of which only the parts that are seen are read.

        Raises
        ------
        RasterError
        """
        name = urlsplit(address).path.rpartition("/")[2]
        digest = hashlib.sha256(address.encode()).hexdigest()[:16]
        if is_archive(address):
            with self._saying(f"Opening {name}"):
                archives = await self._archives()
                await archives.open_address(address, name, digest)
            return
        await self._open(geotiff.GeoTiff(address, name), digest, name, address)

    async def _open(self, reader, digest: str, name: str, address: str | None = None) -> None:
        with self._saying(f"Opening {name}"):
            opened = await open_orthophoto(reader, digest, address)
        self._show(opened)
        source = opened.source
        if not self.ground_map.shows(source.bounds[0]):
            self.ground_map.go_to(source.bounds[0], opened.facts.centre(), source.min_zoom)

    def _show(self, opened: Orthophoto) -> None:
        """Offer a picture as imagery, and show it."""
        source = opened.source
        self._opened[source.url] = opened
        self.ground.offer(source, opened.opaque_tile)
        self.imagery.offer(source, partial(self._draw, opened))

    async def _archives(self) -> "ArchiveFiles":
        """What opens files of tiles, which comes when it is first used."""
        await self._later.fetch()
        from pyapp.ui.ground.archives import ArchiveFiles

        assert self._show_large is not None, "it is set when the page is built"
        return ArchiveFiles(
            self.ground_map, self.imagery, self.ground, self.notice, self._limit,
            await self._show_large(),
        )  # fmt: skip

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
        self._start(self._take([files.item(number) for number in range(files.length)]))

    async def _take(self, files: list[Any]) -> None:
        """Show files that were chosen; without a place, offer to open one as a picture."""
        if not files or await self.see(files):
            return
        self._without_place, _ = parted(files)
        self._say(str(NoGeoreferenceError(self._without_place.name)))
        self._plain.hidden = False

    def _open_as_picture(self) -> None:
        file, self._without_place = self._without_place, None
        self._say("")
        if file is not None:
            self._on_picture(file)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.start(work)

    def _say(self, sentence: str) -> None:
        self._said.textContent = sentence
        self._said.hidden = not sentence
        self._plain.hidden = True

    @contextmanager
    def _saying(self, sentence: str) -> Iterator[None]:
        """While this lasts, a sentence stands there."""
        self._say(sentence)
        try:
            yield
        finally:
            self._say("")

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


async def _is_archive(file: Any) -> bool:
    return is_archive_file(file.name, await head_of(file))


async def _digest(group: Group) -> str:
    """What differs for another picture, or the same one at another place."""
    digest = hashlib.sha256(await geotiff.ends_of(group.picture))
    for each in group.companions:
        digest.update(await bytes_of(each))
    if group.epsg:
        digest.update(str(group.epsg).encode())
    return digest.hexdigest()[:16]


def parted(files: list[Any]) -> tuple[Any, list[Any]]:
    """The first file that is no companion, and those that lie beside it."""
    own = [each for each in files if not is_companion(each.name)]
    # What lies in the folder of a large survey is given with its map.
    maps = [each for each in own if is_archive_file(each.name, b"")]
    picture = next(iter(maps + own), None)
    if picture is None:
        return None, []
    beside = [each for each in files
              if is_companion(each.name) and stem(each.name) == stem(picture.name)]  # fmt: skip
    return picture, beside

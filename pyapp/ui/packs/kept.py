"""Areas that are kept on the device: drawn, listed, gone on with, freed."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pyscript import web

from pyapp.bridge import canvas
from pyapp.bridge.leaflet import Draw, GroundMap
from pyapp.core.errors import LookdownError, MissingTileError, TileError
from pyapp.core.ground.geo import Tile
from pyapp.core.imagery.mosaic import UndecodableError
from pyapp.core.imagery.source import Source
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.packs.wording import about_area, about_gaps, megabytes
from pyapp.ui.shell.dom import fill, on_any, worded
from pyapp.ui.shell.notice import IMAGERY, Notice
from pyapp.work.ground import Ground
from pyapp.work.keeper import Keeper
from pyapp.work.kept import HeldArea, KeptAreas
from pyapp.work.tasks import Tasks, begin

# Tiles that are drawn at a time: more would keep classifications waiting.
AT_ONCE = 6
# A tile that is not there is drawn from one up to so many zooms coarser.
COARSER = 6
TICK_S = 0.5
# Tiles that are listed by name.
MOST_LISTED = 200


@dataclass
class KeptDrawing:
    """Draws imagery of which areas are kept: from the device, else from its provider."""

    ground: Ground
    areas: KeptAreas
    imagery: ImageryPanel

    def __post_init__(self):
        self._limit = asyncio.Semaphore(AT_ONCE)
        self.areas.on_change(self._offer)

    def _offer(self) -> None:
        draws: dict[str, Draw] = {}
        for held in self.areas.held.values():
            source = held.area.source
            draws[source.url] = partial(self._draw, source)
        self.imagery.draw_kept(draws)

    def _draw(self, source: Source, tile: Tile, element) -> "asyncio.Task[None]":
        return begin(self._draw_tile(source, tile, element))

    async def _draw_tile(self, source: Source, tile: Tile, element) -> None:
        async with self._limit:
            part = await self._part(source, tile)
            if part is not None:
                with suppress(UndecodableError):
                    await canvas.draw_encoded(element, *part)

    async def _part(self, source: Source, tile: Tile) -> tuple[bytes, float, float, float] | None:
        """A tile, or the part of a coarser one that is kept: where, as shares of its side."""
        try:
            read = await self.ground.read_tile(source, tile)
            return (read, 0.0, 0.0, 1.0) if isinstance(read, bytes) else None
        except TileError:
            pass
        for steps in range(1, min(COARSER, tile.z - source.min_zoom) + 1):
            across = 1 << steps
            coarser = Tile(tile.x >> steps, tile.y >> steps, tile.z - steps)
            with suppress(MissingTileError):
                data = await self.areas.tile(source, coarser)
                if data is not None:
                    left, top = tile.x % across / across, tile.y % across / across
                    return data, left, top, 1 / across
        return None


@dataclass
class KeptList:
    """The areas, in the panel of the imagery; and what they take, under "This device"."""

    ground_map: GroundMap
    imagery: ImageryPanel
    areas: KeptAreas
    keeper: Keeper
    notice: Notice
    tasks: Tasks
    _rows: "dict[str, _Row]" = field(default_factory=dict)
    _verbs: dict[str, Callable[[HeldArea], None]] = field(default_factory=dict)
    _sure: str = ""

    def __post_init__(self):
        self._list = web.page["kept-areas"]
        self._room = web.page["kept-room"]
        self._verbs |= {
            "show": self.show,
            "go": self._go_on,
            "pause": lambda _held: self._start(self.keeper.pause()),
            "again": lambda held: self._start(self._look_again(held)),
            "free": self._free,
        }
        for each in (self._list, self._room):
            on_any("click", each, "button", self._press)
        self.areas.on_change(self._list_anew)
        self.keeper.on_change(self._work_changed)

    def add_verb(self, name: str, label: str, do: Callable[[HeldArea], None]) -> None:
        """Offer one more thing to do with an area."""
        self._verbs[name] = do
        _Row.more[name] = label
        self._list_anew()

    async def begin(self) -> None:
        """List what is there."""
        with suppress(LookdownError):
            # That is told when there is something to keep.
            await self.areas.begin(self.imagery.listed)

    def _list_anew(self) -> None:
        held = self.areas.held
        self._rows = {key: _Row(each, self.keeper) for key, each in held.items()}
        fill(self._list, [each.element for each in self._rows.values()])
        self._list.hidden = self._room.hidden = not held
        self.update()

    def update(self) -> None:
        """Show how far each area is."""
        for row in self._rows.values():
            row.update(row.held.area.id == self._sure)
        fill(self._room, [self._room_row(each) for each in self.areas.held.values()])

    def _room_row(self, held: HeldArea) -> Any:
        text = worded(web.span(), held.area.name)
        text.append(web.small(megabytes(held.size_bytes)))
        sure = held.area.id == self._sure
        button = web.button("Really free it?" if sure else "Free", type="button", name="free",
                            value=held.area.id, disabled=held.arriving)  # fmt: skip
        button.setAttribute("aria-label", f"Free {held.area.name}")
        return web.li(text, button)

    def _work_changed(self) -> None:
        self.update()
        if self.keeper.held is not None and not self.keeper.pausing:
            self.notice.clear(IMAGERY)
            self.tasks.start(self.keep_showing(self.keeper.held))

    async def keep_showing(self, held: HeldArea) -> None:
        """Show how far an area is, as long as it grows."""
        while self.keeper.held is held or held.arriving:
            row = self._rows.get(held.area.id)
            if row is not None:
                row.update(False)
            await asyncio.sleep(TICK_S)

    def _press(self, button) -> None:
        held = self.areas.held.get(button.value)
        if held is None:
            return
        if button.name != "free":
            self._sure = ""
        try:
            self._verbs[button.name](held)
        except LookdownError as error:
            self.notice.tell(error, IMAGERY)

    def show(self, held: HeldArea) -> None:
        """Go there, on the imagery that is kept."""
        if self.imagery.source.url != held.area.source.url:
            if held.area.source.url in [each.url for each in self.imagery.listed]:
                self.imagery.pick(held.area.source)
            else:
                self.imagery.add(held.area.source)
        self.ground_map.go_to(held.area.bounds, held.area.centre, held.area.zooms.coarsest)

    def _go_on(self, held: HeldArea) -> None:
        self.keeper.work_on(held)

    async def _look_again(self, held: HeldArea) -> None:
        self.keeper.check_free()
        await self.areas.look_again(held)
        self.keeper.work_on(held)

    def _free(self, held: HeldArea) -> None:
        """Free an area; as that can't be undone, it is asked for twice."""
        if self._sure != held.area.id:
            self._sure = held.area.id
            self.update()
            return
        self._sure = ""
        self._start(self.keeper.cancel(held))

    def _start(self, work) -> None:
        self.tasks.start(work)


class _Row:
    """An area in the list: names are text, whatever they hold."""

    # Further verbs, by their names.
    more: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, held: HeldArea, keeper: Keeper):
        self.held = held
        self._keeper = keeper
        self._facts = web.small()
        self._bar = web.progress(max="1", value="0")
        self._bar.setAttribute("aria-label", f"Tiles of {held.area.name} that are stored")
        self._gaps, self._gap_list = web.summary(), web.p()
        again = self._button("again", "Ask for them again")
        self._details = web.details(self._gaps, self._gap_list, again)
        self._buttons = {
            "show": self._button("show", "Show"),
            "go": self._button("go", "Resume"),
            "pause": self._button("pause", "Pause"),
            **{name: self._button(name, label) for name, label in self.more.items()},
            "free": self._button("free", "Free"),
        }
        text = worded(web.span(), held.area.name)
        text.append(self._facts)
        verbs = web.div(*self._buttons.values(), classes=["row"])
        self.element = web.li(text, self._bar, verbs, self._details)

    def _button(self, name: str, label: str):
        button = web.button(label, type="button", name=name, value=self.held.area.id)
        button.setAttribute("aria-label", f"{label}: {self.held.area.name}")
        return button

    def update(self, sure: bool) -> None:
        """Show how far it is."""
        held, area = self.held, self.held.area
        keeps = self._keeper.held is held
        goes_on = keeps or held.arriving
        self._facts.textContent = about_area(area, held.done, held.size_bytes, goes_on)
        self._bar.hidden = held.is_complete
        self._bar.value = held.done / max(area.total, 1)
        self._buttons["go"].hidden = goes_on or held.is_complete
        self._buttons["pause"].hidden = not keeps
        self._buttons["pause"].disabled = self._keeper.pausing
        for name in self.more:
            self._buttons[name].hidden = goes_on or not held.stored
        self._buttons["free"].disabled = held.arriving
        ends = "Free" if held.is_complete else "Cancel"
        self._buttons["free"].textContent = f"Really {ends.lower()}?" if sure else ends
        self._buttons["free"].setAttribute("aria-label", f"{ends}: {area.name}")
        failed = self._keeper.failed.get(area.id, set()) - held.stored
        gaps = sorted(held.missing | failed)
        self._details.hidden = goes_on or not gaps
        self._gaps.textContent = about_gaps(len(held.missing), len(failed))
        listed = ", ".join(gaps[:MOST_LISTED])
        self._gap_list.textContent = listed + (" and more" if len(gaps) > MOST_LISTED else "")

"""Keeping an area for where there is no network: which tiles, what they take, and the start."""

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from pyscript import web

from pyapp.bridge import release
from pyapp.bridge.leaflet import GroundMap
from pyapp.core.errors import LookdownError
from pyapp.core.ground.geo import Bounds, Tile
from pyapp.core.imagery.source import Source
from pyapp.core.pack.area import KeptArea, told_apart
from pyapp.core.pack.errors import LargeKeepError, NoRoomError
from pyapp.core.pack.tiles import (
    MOST_TILES,
    Zooms,
    count_of,
    estimate_bytes,
    tiles_of,
    usual_zooms,
    widened,
)
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.packs.wording import about_plan, area_name, zoom_name
from pyapp.ui.shell.dom import fill, on, option
from pyapp.ui.survey.plan import Plan
from pyapp.work.keeper import Keeper
from pyapp.work.kept import KeptAreas
from pyapp.work.models import Models
from pyapp.work.tasks import Tasks, end

SURVEY = "survey"
# After the map stopped moving.
SETTLED_S = 0.3
# Without a model, as fine as the models of this page want it.
USUAL_M = 0.41


@dataclass
class KeepPlan:
    """The form: an area, its zooms, and what they take. Nothing is fetched before it is opened."""

    ground_map: GroundMap
    imagery: ImageryPanel
    models: Models
    survey: Plan
    areas: KeptAreas
    keeper: Keeper
    tasks: Tasks
    _samples: dict[tuple[str, int], dict[Tile, bytes]] = field(default_factory=dict)
    _renewing: "asyncio.Task[None] | None" = None
    _area: KeptArea | None = None

    def __post_init__(self):
        self._button = web.page["keep-area"]
        self._form = web.page["keep-plan"]
        self._what = web.page["keep-what"]
        self._zooms = web.page["keep-coarsest"], web.page["keep-finest"]
        self._said = web.page["keep-said"]
        self._error = web.page["keep-error"]
        self._start = web.page["keep-start"]
        on("click", self._button, self._press)
        on("click", self._start, lambda: self.tasks.start(self._begin()))
        on("change", self._what, lambda: self._renew(True))
        for each in self._zooms:
            on("change", each, self._renew)
        self.imagery.on_pick(lambda: self._renew(True))
        self.ground_map.on("moveend", lambda _event: self._renew())
        web.page["keeping"].hidden = False

    def open(self) -> None:
        """Open the form, or close it."""
        self.imagery.open()
        self._press()

    def _press(self) -> None:
        self._form.hidden = not self._form.hidden
        self._button.setAttribute("aria-expanded", "false" if self._form.hidden else "true")
        self._renew(True)

    @property
    def _bounds(self) -> Bounds:
        """The ground to keep, with room for a square around each of its places."""
        area = self.survey.area
        takes_survey = self._what.value == SURVEY and area is not None
        bounds = area.bounds if takes_survey and area is not None else self.ground_map.window
        card = self.models.card
        return widened(bounds, 0.0 if card is None else card.footprint_m / 2)

    def _renew(self, zooms_too: bool = False) -> None:
        """Work out anew what it takes, once the map stands still."""
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None
        self._start.disabled = True
        self._area = None
        if not self._form.hidden:
            self._renewing = self.tasks.start(self._work_out(zooms_too))

    async def _work_out(self, zooms_too: bool) -> None:
        self._error.textContent = ""
        web.page["keep-what-row"].hidden = self.survey.area is None
        self._show_zooms(False)
        try:
            self.keeper.check(self.imagery.source)
            self._show_zooms(True)
            if zooms_too:
                self._offer_zooms()
            else:
                await asyncio.sleep(SETTLED_S)
            await self._measure()
        except LookdownError as error:
            self._said.textContent = ""
            self._error.textContent = str(error)

    def _show_zooms(self, shown: bool) -> None:
        """Show what can be chosen; hide it if the imagery can't be kept at all."""
        for each in self._zooms:
            web.page.find(f"label[for={each.id}]")[0].hidden = not shown
        self._start.hidden = not shown

    def _offer_zooms(self) -> None:
        source, bounds = self.imagery.source, self._bounds
        lat = (bounds.south + bounds.north) / 2
        usual = self._usual(source, bounds)
        for select, chosen in zip(self._zooms, usual, strict=True):
            zooms = range(source.min_zoom, source.max_zoom + 1)
            fill(select, [option(zoom_name(each, lat), str(each), each == chosen)
                          for each in zooms])  # fmt: skip

    def _usual(self, source: Source, bounds: Bounds) -> Zooms:
        card = self.models.card
        return usual_zooms(bounds, source, USUAL_M if card is None else card.resolution_m)

    async def _measure(self) -> None:
        """Say what it takes: by a few tiles, read once for each imagery and zoom."""
        source, bounds = self.imagery.source, self._bounds
        zooms = Zooms(*sorted(int(each.value) for each in self._zooms))
        too_coarse = zooms.finest < self._usual(source, bounds).finest
        count = count_of(bounds, zooms)
        if count > MOST_TILES:
            raise LargeKeepError(count, MOST_TILES)
        key = source.url, zooms.finest
        if key not in self._samples:
            self._said.textContent = about_plan(count, None, too_coarse)
            finest = Zooms(zooms.finest, zooms.finest)
            self._samples[key] = await self.keeper.sample(source, tiles_of(bounds, finest, source))
        size = estimate_bytes(self._samples[key].values(), count)
        self._said.textContent = about_plan(count, size, too_coarse)
        _, free_mb = await release.stored_mb()
        if free_mb and size / 1e6 > free_mb:
            raise NoRoomError(size / 1e6, free_mb)
        centre = KeptArea("", "", "", source, bounds, zooms, count).centre
        self._area = KeptArea(
            uuid.uuid4().hex, area_name(source, centre), datetime.now().isoformat("T", "seconds"),
            told_apart(source), bounds, zooms, count,
        )  # fmt: skip
        self._start.disabled = False

    async def _begin(self) -> None:
        """Keep what was worked out."""
        area, self._area = self._area, None
        if area is None:
            return
        self._start.disabled = True
        await end(self._renewing)
        self.keeper.check_free()
        await release.persist()
        held = await self.areas.add(area)
        self.keeper.work_on(held, self._samples.get((area.source.url, area.zooms.finest)))
        self._samples.clear()
        self._form.hidden = True
        self._button.setAttribute("aria-expanded", "false")

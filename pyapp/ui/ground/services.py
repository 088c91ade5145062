"""Layers of map services (WMS, WMTS): asked for at an address, chosen from a list."""

import asyncio
from dataclasses import dataclass
from typing import Any

from pyscript import web

from pyapp.bridge import browser
from pyapp.bridge.leaflet import GroundMap
from pyapp.core.errors import AddressError, LookdownError
from pyapp.core.imagery.service import Offer, Service, source_of
from pyapp.core.imagery.source import Source
from pyapp.ui.ground.imagery import OWN_MAX_ZOOM, ImageryPanel
from pyapp.ui.ground.wording import about_layer, about_service
from pyapp.ui.shell.dom import fill, on, option
from pyapp.ui.shell.notice import IMAGERY, Notice
from pyapp.work.known import KnownSources
from pyapp.work.services import Services
from pyapp.work.tasks import Tasks


@dataclass
class ShownSources:
    """Shows a source of a service, remembers it, and says if it shows no ground."""

    ground_map: GroundMap
    imagery: ImageryPanel
    services: Services
    known: KnownSources
    notice: Notice
    tasks: Tasks

    def __post_init__(self):
        self._forget = web.page["imagery-forget"]
        on("click", self._forget, self._forget_chosen)
        self.imagery.on_pick(self._show_forget)
        self._show_forget()

    def show(self, source: Source) -> None:
        """Show a source, and try it."""
        self.known.note(source)
        self.imagery.add(source)
        boxes = source.bounds
        if boxes and not any(map(self.ground_map.shows, boxes)):
            self.ground_map.fit(boxes[0])
        self.tasks.start(self._try_out(source))

    async def _try_out(self, source: Source) -> None:
        try:
            await self.services.try_out(source, self.ground_map.view.centre)
        except LookdownError as error:
            if self.imagery.source.id == source.id:
                self.notice.tell(error, IMAGERY)

    def _forget_chosen(self) -> None:
        source = self.imagery.source
        self.known.forget(source)
        self.imagery.remove(source)

    def _show_forget(self) -> None:
        self._forget.hidden = not self.known.holds(self.imagery.source)


@dataclass
class ServicePanel:
    """What a service offers, once the person gave its address."""

    ground_map: GroundMap
    imagery: ImageryPanel
    services: Services
    shown: ShownSources
    tasks: Tasks
    _service: Service | None = None
    _offers: tuple[Offer, ...] = ()
    _asking: "asyncio.Task[None] | None" = None

    def __post_init__(self):
        self._box = web.page["service"]
        self._said = web.page["service-said"]
        self._choice = web.page["service-choice"]
        self._layer = web.page["service-layer"]
        self._facts = web.page["service-facts"]
        self._terms = web.page["service-terms"]
        self._use = web.page["service-use"]
        on("change", self._layer, self._show_facts)
        on("click", self._use, self._show_layer)
        on("click", web.page["service-close"], self.close)
        self.imagery.on_service(self.ask)

    def ask(self, address: str) -> None:
        """Ask a service what it offers."""
        self.close()
        self._asking = self.tasks.start(self._ask(address))

    def close(self) -> None:
        """Give up, or close the list."""
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
        self._box.hidden = self._choice.hidden = True

    async def _ask(self, address: str) -> None:
        self._say("Asking what it offers")
        try:
            service = await self.services.read(address, browser.origin())
        except (AddressError, LookdownError) as error:
            self._box.hidden = True
            self.imagery.say_wrong_address(error)
            return
        self._service = service
        self._offers = tuple(service.at(self.ground_map.view.centre))
        self._say(about_service(service))
        fill(self._layer, _entries(self._offers))
        # What a provider writes is text, whatever it holds.
        self._terms.textContent = service.conditions
        self._choice.hidden = False
        self._show_facts()
        self._layer.focus()

    def _say(self, sentence: str) -> None:
        self._box.hidden = False
        self._said.textContent = sentence

    def _show_facts(self) -> None:
        offer = self._offers[int(self._layer.value)]
        self._facts.textContent = about_layer(offer, self.ground_map.view.centre)

    def _show_layer(self) -> None:
        if self._service is None:
            return
        offer = self._offers[int(self._layer.value)]
        try:
            finest = int(web.page["own-zoom"].value or OWN_MAX_ZOOM)
            source = source_of(self._service, offer, finest, browser.origin())
        except AddressError as error:
            self.imagery.say_wrong_address(error)
            return
        self.close()
        self.shown.show(source)
        self.imagery.close()


def _entries(offers: tuple[Offer, ...]) -> list[Any]:
    """A row for each layer; with its name where titles are the same."""
    titles = [each.title for each in offers]
    entries = []
    for number, offer in enumerate(offers):
        entry = option("", str(number), number == 0)
        same = titles.count(offer.title) > 1
        entry.textContent = f"{offer.title} ({offer.name})" if same else offer.title
        entries.append(entry)
    return entries

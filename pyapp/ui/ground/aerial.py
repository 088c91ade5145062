"""Pictures of the place from OpenAerialMap, listed when the person asks for them."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from pyscript import web

from pyapp.bridge import browser
from pyapp.bridge.http import fetch_bytes
from pyapp.bridge.leaflet import GroundMap
from pyapp.core.errors import LookdownError
from pyapp.core.imagery.oam import (
    AerialPicture,
    Catalogue,
    catalogue_from_json,
    facts_of,
    source_of,
)
from pyapp.ui.ground.services import ShownSources
from pyapp.ui.shell.dom import fill, on, on_any
from pyapp.work.services import Services, fetched
from pyapp.work.tasks import Tasks

CATALOGUE = "imagery/catalogue.json"
LOOK, CANCEL = "Pictures of this place", "Cancel"


@dataclass
class AerialPictures:
    """The list of pictures; one click shows one. Nothing is asked for before the button is."""

    ground_map: GroundMap
    services: Services
    shown: ShownSources
    tasks: Tasks
    _catalogue: Catalogue | None = None
    _found: list[AerialPicture] = field(default_factory=list)
    _looking: "asyncio.Task[None] | None" = None

    def __post_init__(self):
        self._button = web.page["aerial-look"]
        self._said = web.page["aerial-said"]
        self._list = web.page["aerial-list"]
        on("click", self._button, self._press)
        on_any("click", self._list, "button", lambda button: self._show(int(button.value)))

    def _press(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        else:
            self._looking = self.tasks.start(self._look())

    async def _look(self) -> None:
        self._button.textContent = CANCEL
        self._list.hidden = True
        self._said.textContent = "Looking up what there is"
        said = ""
        try:
            if self._catalogue is None:
                text = await fetched(fetch_bytes, CATALOGUE, browser.origin())
                self._catalogue = catalogue_from_json(text.decode())
            window = self.ground_map.window
            self._found = await self.services.pictures(self._catalogue, window, browser.origin())
            fill(self._list, [_row(number, each) for number, each in enumerate(self._found)])
            self._list.hidden = False
            said = "Newest first; those in the middle of the map before the others."
        except LookdownError as error:
            said = str(error)
        finally:
            self._looking = None
            self._button.textContent = LOOK
            self._said.textContent = said

    def _show(self, number: int) -> None:
        assert self._catalogue is not None, "what is listed came from it"
        picture = self._found[number]
        self.shown.show(source_of(picture, self._catalogue, browser.origin()))


def _row(number: int, picture: AerialPicture) -> Any:
    """A button with what a person chooses by; titles are text, whatever they hold."""
    title, facts = web.span(), web.small()
    title.textContent = picture.title
    facts.textContent = facts_of(picture)
    return web.li(web.button(title, facts, type="button", value=str(number)))

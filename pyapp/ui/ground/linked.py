"""A link to the page can name the map of a large survey: ``?survey=...``."""

from dataclasses import dataclass

from pyscript import web

from pyapp.bridge import browser
from pyapp.core.address import survey_from
from pyapp.core.imagery.source import readable_origin
from pyapp.ui.ground.files import OwnFiles
from pyapp.ui.shell.dom import on
from pyapp.work.tasks import Tasks


@dataclass
class LinkedSurvey:
    """Opens it: at once beside the page, from another site after the person agreed."""

    files: OwnFiles
    tasks: Tasks

    def __post_init__(self):
        self._agree = web.page["agree-survey"]
        self._address = ""
        on("close", self._agree, self._agreed)

    async def open(self) -> None:
        """Open what the link names, if it names anything.

        Raises
        ------
        AddressError, RasterError, DamagedPyramidError
        """
        named = survey_from(browser.query())
        if named is None:
            return
        self._address = browser.absolute(named)
        origin = readable_origin(self._address, browser.origin())
        if origin == browser.origin():
            await self.files.open_address(self._address)
            return
        web.page["agree-survey-origin"].textContent = origin
        self._agree.showModal()

    def _agreed(self) -> None:
        if self._agree.returnValue == "yes":
            self.tasks.start(self.files.open_address(self._address))

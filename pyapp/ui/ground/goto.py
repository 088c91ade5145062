"""Going to a place by its coordinates, its plus code, or the link of another map."""

from dataclasses import dataclass

from pyscript import web, when

from pyapp.bridge.leaflet import GroundMap
from pyapp.core.address import View
from pyapp.core.errors import PlaceError
from pyapp.core.ground.finding import find
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square

# What the map shows of a place at least, if the person did not say.
CLOSE_ZOOM = 17


@dataclass
class GoTo:
    """The field for a place. No other site is asked."""

    ground_map: GroundMap
    square: Square
    imagery: ImageryPanel

    def __post_init__(self):
        self._text = web.page["go-to"]
        self._error = web.page["go-error"]
        when("submit", web.page["going"])(self._go)

    def ask(self) -> None:
        """Let the person write a place."""
        self.imagery.open()
        self._text.focus()

    def _go(self, event) -> None:
        event.preventDefault()
        view = self.ground_map.view
        try:
            place, zoom = find(self._text.value, view.centre)
        except PlaceError as error:
            self._error.textContent = str(error)
            return
        self._error.textContent = ""
        self.ground_map.show(View(place, max(view.zoom, CLOSE_ZOOM) if zoom is None else zoom))
        self.square.bring_here()

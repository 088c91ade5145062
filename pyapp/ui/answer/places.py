"""Places to try, offered until the first answer stands."""

from pyscript import web

from pyapp.bridge.leaflet import GroundMap
from pyapp.core.address import View
from pyapp.ui.answer.classify import Classify
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.dom import on_any


class Places:
    """One button for each place of the imagery; it goes there and classifies."""

    def __init__(
        self, ground_map: GroundMap, square: Square, imagery: ImageryPanel, classify: Classify
    ):
        self._map = ground_map
        self._square = square
        self._classify = classify
        self._places = imagery.source.places
        row = web.page["places"]
        for place in self._places:
            row.append(web.button(place.name, type="button"))
        row.hidden = not self._places
        on_any("click", row, "button", self._try)

    def _try(self, button) -> None:
        place = next(each for each in self._places if each.name == button.textContent)
        self._map.show(View(place.centre, self._map.view.zoom))
        self._square.bring_here()
        self._classify.press()

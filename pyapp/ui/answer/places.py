"""Places to try, offered until the first answer stands."""

from pyscript import web, when

from pyapp.bridge.leaflet import GroundMap
from pyapp.core.address import View
from pyapp.core.imagery.source import Place
from pyapp.ui.answer.classify import Classify
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square


class Places:
    """One button a place of the imagery; it goes there and classifies."""

    def __init__(
        self, ground_map: GroundMap, square: Square, imagery: ImageryPanel, classify: Classify
    ):
        self._map = ground_map
        self._square = square
        self._classify = classify
        row = web.page["places"]
        for place in imagery.source.places:
            button = web.button(place.name, type="button")
            when("click", button)(lambda _event, place=place: self._try(place))
            row.append(button)
        row.hidden = not imagery.source.places

    def _try(self, place: Place) -> None:
        self._map.show(View(place.centre, self._map.view.zoom))
        self._square.bring_here()
        self._classify.press()

"""Another imagery over the right part of the map, as far as a person pulls it."""

from typing import Any

from pyscript.ffi import create_proxy, to_js

from pyapp.bridge.leaflet import Draw, GroundMap, lay_in
from pyapp.core.imagery.source import Source

PANE = "swipe"
# Above the imagery of the map, below all that lies on it.
HEIGHT = 250


class Swipe:
    """The layer, cut off at a line.

    Parameters
    ----------
    ground_map : GroundMap
    """

    def __init__(self, ground_map: GroundMap):
        self._map = ground_map.leaflet
        self._pane = self._map.createPane(PANE)
        self._pane.style.zIndex = HEIGHT
        self._layer: Any = None
        self._share = 1.0
        self._map.on("move zoomend resize", create_proxy(lambda _event: self._cut()))

    @property
    def is_on(self) -> bool:
        """Whether there is another imagery."""
        return self._layer is not None

    def show(self, source: Source, draw: Draw | None) -> None:
        """Lay another imagery on the map."""
        self.clear()
        self._layer = lay_in(self._map, source, draw, PANE)
        self._cut()

    def pull(self, share: float) -> None:
        """Show it to the right of a line, at this share of the map's width."""
        self._share = share
        self._cut()

    def clear(self) -> None:
        """Take it off the map."""
        if self._layer is not None:
            self._layer.remove()
            self._layer = None

    def _cut(self) -> None:
        if self._layer is None:
            return
        size = self._map.getSize()
        corners = [(self._share * size.x, 0), (size.x, 0), (size.x, size.y),
                   (self._share * size.x, size.y)]  # fmt: skip
        points = [self._map.containerPointToLayerPoint(to_js(list(each))) for each in corners]
        path = ", ".join(f"{each.x}px {each.y}px" for each in points)
        self._pane.style.clipPath = f"polygon({path})"

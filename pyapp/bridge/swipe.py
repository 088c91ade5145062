"""Another imagery over the right part of the map, as far as a person pulls it."""

from pyscript.ffi import create_proxy, to_js

from pyapp.bridge.leaflet import Draw, GroundMap
from pyapp.bridge.pane import PaneLayer
from pyapp.core.imagery.source import Source

# Above the imagery of the map, below all that lies on it.
HEIGHT = 250


class Swipe(PaneLayer):
    """The layer, cut off at a line.

    Parameters
    ----------
    ground_map : GroundMap
    """

    def __init__(self, ground_map: GroundMap):
        super().__init__(ground_map, "swipe", HEIGHT)
        self._share = 1.0
        self._map.on("move zoomend resize", create_proxy(lambda _event: self._cut()))

    def show(self, source: Source, draw: Draw | None) -> None:
        """Lay another imagery on the map."""
        super().show(source, draw)
        self._cut()

    def pull(self, share: float) -> None:
        """Show it to the right of a line, at this share of the map's width."""
        self._share = share
        self._cut()

    def _cut(self) -> None:
        if self._layer is None:
            return
        size = self._map.getSize()
        corners = [(self._share * size.x, 0), (size.x, 0), (size.x, size.y),
                   (self._share * size.x, size.y)]  # fmt: skip
        points = [self._map.containerPointToLayerPoint(to_js(list(each))) for each in corners]
        path = ", ".join(f"{each.x}px {each.y}px" for each in points)
        self._pane.style.clipPath = f"polygon({path})"

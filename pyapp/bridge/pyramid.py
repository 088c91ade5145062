"""The map of a large survey, over the imagery."""

from typing import Any

from pyapp.bridge.leaflet import Draw, GroundMap, lay_in
from pyapp.core.imagery.source import Source

PANE = "large"
# Above all imagery, below the surveys of the page and the square.
HEIGHT = 300


class PyramidOverlay:
    """Tiles of colours, in a pane of their own whose pixels stay squares.

    Parameters
    ----------
    ground_map : GroundMap
    """

    def __init__(self, ground_map: GroundMap):
        self._map = ground_map.leaflet
        self._pane = self._map.createPane(PANE)
        self._pane.style.zIndex = HEIGHT
        self._pane.style.pointerEvents = "none"
        self._layer: Any = None

    def show(self, source: Source, draw: Draw) -> None:
        """Lay tiles on the map, in place of others."""
        self.clear()
        self._layer = lay_in(self._map, source, draw, PANE)

    def fade(self, opacity: float) -> None:
        """Set how much of the imagery they cover, from 0 to 1."""
        self._pane.style.opacity = opacity

    def clear(self) -> None:
        """Take them off the map."""
        if self._layer is not None:
            self._layer.remove()
            self._layer = None

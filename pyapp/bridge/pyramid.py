"""The map of a large survey, over the imagery."""

from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.pane import PaneLayer

# Above all imagery, below the surveys of the page and the square.
HEIGHT = 300


class PyramidOverlay(PaneLayer):
    """Tiles of colours, whose pixels stay squares.

    Parameters
    ----------
    ground_map : GroundMap
    """

    def __init__(self, ground_map: GroundMap):
        super().__init__(ground_map, "large", HEIGHT)
        self._pane.style.pointerEvents = "none"

    def fade(self, opacity: float) -> None:
        """Set how much of the imagery they cover, from 0 to 1."""
        self._pane.style.opacity = opacity

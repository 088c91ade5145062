"""Imagery in a pane of its own on the map, above that of the map."""

from typing import Any

from pyapp.bridge.leaflet import Draw, GroundMap, lay_in
from pyapp.core.imagery.source import Source


class PaneLayer:
    """One layer of tiles, or none.

    Parameters
    ----------
    ground_map : GroundMap
    name : str
        Of the pane, for the style sheet.
    height : int
        Its z-index: imagery of the map has 200, what lies on it 400 and more.
    """

    def __init__(self, ground_map: GroundMap, name: str, height: int):
        self._map = ground_map.leaflet
        self._name = name
        self._pane = self._map.createPane(name)
        self._pane.style.zIndex = height
        self._layer: Any = None

    @property
    def is_on(self) -> bool:
        """Whether there is a layer."""
        return self._layer is not None

    def show(self, source: Source, draw: Draw | None) -> None:
        """Lay tiles on the map, in place of others."""
        self.clear()
        self._layer = lay_in(self._map, source, draw, self._name)

    def clear(self) -> None:
        """Take them off the map."""
        if self._layer is not None:
            self._layer.remove()
            self._layer = None

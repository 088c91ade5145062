"""What lies on the map besides the square: pictures, outlines, marks."""

from collections.abc import Callable, Iterable
from typing import Any

import js
import numpy as np
from pyscript.ffi import create_proxy, to_js
from pyscript.js_modules import leaflet as L  # noqa: N812

from pyapp.bridge import canvas
from pyapp.bridge.leaflet import GroundMap, corners_of
from pyapp.core.ground.area import Area
from pyapp.core.ground.geo import Bounds, LngLat

SIGNAL, CASE = "#ffd23f", "#0e141b"


class PictureOverlay:
    """Pixels laid on a piece of ground.

    Parameters
    ----------
    ground_map : GroundMap
    name : str
        Class of its element, for the style sheet.
    """

    def __init__(self, ground_map: GroundMap, name: str):
        self._map = ground_map.leaflet
        self._canvas = js.document.createElement("canvas")
        self._canvas.className = name
        self._overlay: Any = None
        self._opacity = 1.0

    def show(self, rgba: np.ndarray, bounds: Bounds) -> None:
        """Lay ``rgba``, uint8 [rows, columns, 4], on some ground."""
        canvas.draw_clear(self._canvas, rgba)
        if self._overlay is None:
            # Leaflet's overlay for elements takes any; its name speaks of SVG only.
            options = to_js({"interactive": False, "opacity": self._opacity})
            self._overlay = L.svgOverlay(self._canvas, corners_of(bounds), options)
            self._overlay.addTo(self._map)
        else:
            self._overlay.setBounds(corners_of(bounds))

    def fade(self, opacity: float) -> None:
        """Set how much it covers, from 0 to 1."""
        self._opacity = opacity
        if self._overlay is not None:
            self._overlay.setOpacity(opacity)

    def clear(self) -> None:
        """Take it off the map."""
        if self._overlay is not None:
            self._overlay.remove()
            self._overlay = None


class Outline:
    """A polygon on the map, and the way to draw one by its corners.

    Parameters
    ----------
    ground_map : GroundMap
    """

    def __init__(self, ground_map: GroundMap):
        self._map = ground_map.leaflet
        self._shape: Any = None
        self._dots: list[Any] = []

    def show_area(self, area: Area) -> None:
        """Show all polygons of an area, with their holes."""
        self._draw(L.polygon, [[_points(ring) for ring in each] for each in area.polygons])

    def show(self, corners: list[LngLat], closed: bool = True) -> None:
        """Show corners, joined by lines."""
        self._draw(L.polygon if closed else L.polyline, _points(corners))
        if not closed:
            dot = to_js({"color": CASE, "weight": 2, "fillColor": SIGNAL, "fillOpacity": 1,
                         "radius": 6, "interactive": False})  # fmt: skip
            self._dots = [L.circleMarker(to_js([each.lat, each.lng]), dot).addTo(self._map)
                          for each in corners]  # fmt: skip

    def _draw(self, shape: Any, points: list[Any]) -> None:
        self.clear()
        options = to_js({"color": SIGNAL, "weight": 2, "fillOpacity": 0.08, "interactive": False,
                         "dashArray": "6 5", "className": "area"})  # fmt: skip
        self._shape = shape(to_js(points), options).addTo(self._map)

    def clear(self) -> None:
        """Take it off the map."""
        for each in [self._shape, *self._dots]:
            if each is not None:
                each.remove()
        self._shape, self._dots = None, []


class Outlines:
    """Rectangles outlined on the map, in a colour over the dark line around it.

    Parameters
    ----------
    ground_map : GroundMap
    around : int
        Width of the dark line, in pixels.
    class_name : str
        CSS class of the lines.
    """

    def __init__(self, ground_map: GroundMap, around: int, class_name: str):
        self._group = L.layerGroup().addTo(ground_map.leaflet)
        self._around = around
        self._class_name = class_name

    def draw(self, pieces: Iterable[tuple[Bounds, str]]) -> None:
        """Outline pieces, each in a colour of CSS, and no others."""
        self._group.clearLayers()
        for bounds, colour in pieces:
            for weight, stroke in ((self._around, CASE), (3, colour)):
                options = to_js({"color": stroke, "weight": weight, "fill": False,
                                 "interactive": False, "className": self._class_name})  # fmt: skip
                self._group.addLayer(L.rectangle(corners_of(bounds), options))


class Marks:
    """Rectangles that point out pieces of ground.

    Parameters
    ----------
    ground_map : GroundMap
    """

    def __init__(self, ground_map: GroundMap):
        self._outlines = Outlines(ground_map, 6, "")

    def show(self, pieces: list[Bounds]) -> None:
        """Mark these pieces, and no others."""
        self._outlines.draw((each, SIGNAL) for each in pieces)


class ClassMarks:
    """Squares outlined in the colours of their classes.

    Parameters
    ----------
    ground_map : GroundMap
    """

    def __init__(self, ground_map: GroundMap):
        self._outlines = Outlines(ground_map, 5, "example")

    def show(self, squares: list[tuple[Bounds, str]]) -> None:
        """Outline squares, each in a colour of CSS, and no others."""
        self._outlines.draw(squares)


class Pointer:
    """Clicks and movements on the map, as places, while they are wanted.

    Parameters
    ----------
    ground_map : GroundMap
    on_click, on_move : callable taking LngLat
    on_end : callable
        Called for a double click.
    """

    def __init__(self, ground_map: GroundMap, on_click: Callable, on_move: Callable, on_end):
        self._map = ground_map.leaflet
        self._wanted = False
        for event, handler in {"click": on_click, "mousemove": on_move}.items():
            self._map.on(event, create_proxy(self._if_wanted(handler)))
        self._map.on("dblclick", create_proxy(lambda _event: self._wanted and on_end()))

    def _if_wanted(self, handler: Callable) -> Callable:
        def handle(event):
            if self._wanted:
                handler(LngLat(event.latlng.lng, event.latlng.lat))

        return handle

    def want(self, wanted: bool) -> None:
        """Begin or end to listen; double clicks do not zoom meanwhile."""
        self._wanted = wanted
        self._map.getContainer().classList.toggle("drawing", wanted)
        if wanted:
            self._map.doubleClickZoom.disable()
        else:
            self._map.doubleClickZoom.enable()


def _points(corners: Iterable[LngLat]) -> list[list[float]]:
    return [[each.lat, each.lng] for each in corners]

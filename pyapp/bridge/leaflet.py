"""The map and the square on it, by Leaflet."""

from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import create_once_callable
from pyscript.ffi import create_proxy, to_js
from pyscript.js_modules import leaflet as L  # noqa: N812  (its own name everywhere)

from pyapp.core.address import View
from pyapp.core.ground.geo import (
    MAX_LATITUDE,
    Bounds,
    Box,
    LngLat,
    Tile,
    pixel_at,
    tiles_under,
    wrap_lng,
)
from pyapp.core.imagery.source import Source

FINEST_VIEW = 21
COARSEST_VIEW = 2
FIRST_TILE = "tileload tileerror"
EMPTY_PICTURE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


class GroundMap:
    """A Leaflet map with one layer of imagery.

    Parameters
    ----------
    element_id : str
        Id of the element that it fills.
    view : View
        What it shows at first.
    """

    def __init__(self, element_id: str, view: View):
        options = {
            "zoomControl": False,
            "minZoom": COARSEST_VIEW,
            "maxZoom": FINEST_VIEW,
            "worldCopyJump": True,
            "maxBounds": [[-MAX_LATITUDE, -100000], [MAX_LATITUDE, 100000]],
            "maxBoundsViscosity": 1.0,
        }
        self.leaflet = L.map(element_id, to_js(options))
        self.leaflet.attributionControl.setPrefix("Leaflet")
        L.control.zoom(to_js({"position": "bottomright"})).addTo(self.leaflet)
        L.control.scale(to_js({"position": "bottomright", "imperial": False})).addTo(self.leaflet)
        self._layer: _TileLayer | None = None
        self.show(view)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of what it shows, in pixels of the page."""
        size = self.leaflet.getSize()
        return int(size.x), int(size.y)

    @property
    def view(self) -> View:
        """What the map shows now."""
        centre = self.leaflet.getCenter()
        return View(LngLat(wrap_lng(centre.lng), centre.lat), int(self.leaflet.getZoom()))

    def show(self, view: View) -> None:
        """Show another place, at once."""
        place = to_js([view.centre.lat, view.centre.lng])
        self.leaflet.setView(place, view.zoom, to_js({"animate": False}))

    @property
    def window(self) -> Bounds:
        """The ground that it shows; longitudes go on past 180 degrees at the date line."""
        bounds = self.leaflet.getBounds()
        return Bounds(bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth())

    def fit(self, bounds: Bounds) -> None:
        """Show a rectangle of ground as large as it goes, at once."""
        self.leaflet.fitBounds(corners_of(bounds), to_js({"animate": False, "padding": [24, 24]}))

    def include(self, place: LngLat) -> None:
        """Pan just so far that ``place`` is on the map."""
        self.leaflet.panInside(to_js([place.lat, place.lng]), to_js({"padding": [60, 60]}))

    def sees_any(self, source: Source) -> bool:
        """Whether the window shows any tile of a source whose coverage is known."""
        zoom = min(max(self.view.zoom, source.min_zoom), source.max_zoom)
        window = self.leaflet.getBounds()
        north_west, south_east = window.getNorthWest(), window.getSouthEast()
        left, top = pixel_at(LngLat(north_west.lng, north_west.lat), zoom)
        right, bottom = pixel_at(LngLat(south_east.lng, south_east.lat), zoom)
        return any(map(source.may_have, tiles_under(Box(left, top, right, bottom), zoom)))

    def on(self, events: str, handler: Callable) -> None:
        """Call ``handler(event)`` for Leaflet events, named as Leaflet names them."""
        self.leaflet.on(events, create_proxy(handler))

    def lay(self, source: Source, on_unreadable: Callable[[], None]) -> None:
        """Show another imagery.

        Its tiles are asked for as pictures that a page may read. If the first one fails,
        ``on_unreadable()`` is called, and the tiles are asked for as pictures only to look at.
        """
        if self._layer is not None:
            self._layer.remove()
        self.leaflet.setMinZoom(max(COARSEST_VIEW, source.min_zoom))
        if source.origin is None:
            self._layer = _TileLayer(self.leaflet, source, False)
            return

        def fall_back() -> None:
            if self._layer is not layer:
                return
            layer.remove()
            self._layer = _TileLayer(self.leaflet, source, False)
            on_unreadable()

        layer = self._layer = _TileLayer(self.leaflet, source, "anonymous", fall_back)


class _TileLayer:
    """A layer of tiles; what it lends to JavaScript is given back when it is removed."""

    def __init__(self, leaflet_map, source: Source, cross_origin, on_first_failure=None):
        self._on_first_failure = on_first_failure
        self._url = create_proxy(lambda at: _url(source, Tile(at.x, at.y, at.z)))
        self._settle = create_proxy(self._first_tile)
        options = {
            "attribution": source.attribution,
            "minZoom": source.min_zoom,
            "maxNativeZoom": source.max_zoom,
            "maxZoom": FINEST_VIEW,
            "crossOrigin": cross_origin,
            "errorTileUrl": EMPTY_PICTURE,
        }
        self._layer = L.tileLayer(source.url, to_js(options))
        self._layer.getTileUrl = self._url
        if on_first_failure is not None:
            self._layer.on(FIRST_TILE, self._settle)
        self._layer.addTo(leaflet_map)

    def remove(self) -> None:
        """Take it off the map."""
        self._layer.off(FIRST_TILE, self._settle)
        self._layer.remove()
        self._url.destroy()
        self._settle.destroy()

    def _first_tile(self, event) -> None:
        """The first tile tells whether the source lets a page read its pictures."""
        self._layer.off(FIRST_TILE, self._settle)
        if event.type == "tileerror":
            # Leaflet is still at work on this layer.
            js.setTimeout(create_once_callable(self._on_first_failure), 0)


def _url(source: Source, tile: Tile) -> str:
    return source.url_of(tile) if source.may_have(tile) else EMPTY_PICTURE


class SquareOverlay:
    """The square on the map, as a piece of ground that can be dragged.

    Parameters
    ----------
    ground_map : GroundMap
    element_id : str
        Id of an SVG element in the page, which is moved onto the map.
    bounds : Bounds
        The ground that it covers at first.
    on_drag : callable taking LngLat
        Called with the wanted centre while the square is dragged.
    on_drop : callable
        Called when it is let go.
    """

    def __init__(self, ground_map: GroundMap, element_id: str, bounds: Bounds, on_drag, on_drop):
        self._map = ground_map.leaflet
        self._element = js.document.getElementById(element_id)
        self._on_drag = on_drag
        self._on_drop = on_drop
        self._grip: Any = None
        options = {"pane": "markerPane"}
        self._overlay = L.svgOverlay(self._element, corners_of(bounds), to_js(options))
        self._overlay.addTo(self._map)
        self._element.removeAttribute("hidden")
        L.DomEvent.disableClickPropagation(self._element)
        for event, handler in {
            "pointerdown": self._grab,
            "pointermove": self._drag,
            "pointerup": self._let_go,
            "pointercancel": self._let_go,
        }.items():
            self._element.addEventListener(event, create_proxy(handler))
        self._map.on("zoomend resize", create_proxy(lambda _event: self._mind_its_size()))
        self._mind_its_size()

    def lay_on(self, bounds: Bounds) -> None:
        """Cover another piece of ground."""
        self._overlay.setBounds(corners_of(bounds))

    def _grab(self, event) -> None:
        if event.button != 0:
            return
        centre = self._map.latLngToContainerPoint(self._overlay.getBounds().getCenter())
        self._grip = self._map.mouseEventToContainerPoint(event).subtract(centre)
        self._element.setPointerCapture(event.pointerId)

    def _drag(self, event) -> None:
        if self._grip is None:
            return
        point = self._map.mouseEventToContainerPoint(event).subtract(self._grip)
        place = self._map.containerPointToLatLng(point)
        self._on_drag(LngLat(place.lng, place.lat))

    def _let_go(self, _event) -> None:
        if self._grip is not None:
            self._grip = None
            self._on_drop()

    def _mind_its_size(self) -> None:
        """Where the square fills the window, dragging moves the map beneath it instead."""
        bounds = self._overlay.getBounds()
        west = self._map.latLngToContainerPoint(bounds.getNorthWest())
        east = self._map.latLngToContainerPoint(bounds.getNorthEast())
        window = self._map.getSize()
        too_large = east.x - west.x > 0.9 * min(window.x, window.y)
        self._element.classList.toggle("too-large", too_large)


def corners_of(bounds: Bounds):
    """A rectangle of ground as Leaflet takes it."""
    return to_js([[bounds.south, bounds.west], [bounds.north, bounds.east]])

"""The map and the square on it, by Leaflet."""

import asyncio
from collections.abc import Callable
from typing import Any

import js
from pyodide.code import run_js
from pyodide.ffi import create_once_callable
from pyscript.ffi import create_proxy, to_js
from pyscript.js_modules import leaflet as L  # noqa: N812  (its own name everywhere)

from pyapp.core.address import View
from pyapp.core.ground.geo import (
    MAX_LATITUDE,
    TILE_PX,
    Bounds,
    Box,
    LngLat,
    Tile,
    pixel_at,
    wrap_lng,
)
from pyapp.core.imagery.coverage import any_in, extent
from pyapp.core.imagery.source import Source

FINEST_VIEW = 21
COARSEST_VIEW = 2
TILES = "tileload tileerror load"
# Leaflet's own name for where imagery lies.
TILE_PANE = "tilePane"
# Draws a tile on a canvas, and says when it is done.
Draw = Callable[[Tile, Any], "asyncio.Task[None]"]
# Leaflet takes a function of one argument to return a tile that is shown at once.
_with_one_argument = run_js("(create) => (at) => create(at)")
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
        self._layer: _TileLayer | _DrawnLayer | None = None
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

    def go_to(self, bounds: Bounds, centre: LngLat, coarsest: int) -> None:
        """Show a rectangle of ground, or its middle if that would be coarser than a zoom."""
        self.fit(bounds)
        if self.leaflet.getZoom() < coarsest:
            self.show(View(centre, coarsest))

    def shows(self, bounds: Bounds) -> bool:
        """Whether a rectangle of ground fills a part of the window that can be looked at."""
        seen = self.window
        width = min(seen.east, bounds.east) - max(seen.west, bounds.west)
        height = min(seen.north, bounds.north) - max(seen.south, bounds.south)
        return width > (seen.east - seen.west) / 10 and height > (seen.north - seen.south) / 10

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
        return any_in(source, Box(left, top, right, bottom), zoom)

    def on(self, events: str, handler: Callable) -> None:
        """Call ``handler(event)`` for Leaflet events, named as Leaflet names them."""
        self.leaflet.on(events, create_proxy(handler))

    def lay(
        self, source: Source, on_unreadable: Callable[[], None], draw: Draw | None = None
    ) -> None:
        """Show another imagery.

        Its tiles are asked for as pictures that a page may read. If the first one fails,
        ``on_unreadable()`` is called, and the tiles are asked for as pictures only to look at.
        With ``draw``, they are drawn here instead.
        """
        if self._layer is not None:
            self._layer.remove()
        self.leaflet.setMinZoom(max(COARSEST_VIEW, _coarsest(source)))
        if draw is not None:
            self._layer = _DrawnLayer(self.leaflet, source, draw)
            return
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


def lay_in(leaflet_map, source: Source, draw: Draw | None, pane: str) -> "_TileLayer | _DrawnLayer":
    """Lay imagery into a pane of a map, to be looked at; ``remove()`` takes it off again."""
    if draw is not None:
        return _DrawnLayer(leaflet_map, source, draw, pane)
    return _TileLayer(leaflet_map, source, False, pane=pane)


class _TileLayer:
    """A layer of tiles; what it lends to JavaScript is given back when it is removed."""

    def __init__(
        self, leaflet_map, source: Source, cross_origin, on_failure=None, pane: str = TILE_PANE
    ):
        self._on_failure = on_failure
        self._failed = False
        self._url = create_proxy(lambda at: _url(source, Tile(at.x, at.y, at.z)))
        self._settle = create_proxy(self._on_tiles)
        options = {
            "attribution": source.attribution,
            "minZoom": _coarsest(source),
            "minNativeZoom": source.min_zoom,
            "maxNativeZoom": source.max_zoom,
            "maxZoom": FINEST_VIEW,
            "crossOrigin": cross_origin,
            "errorTileUrl": EMPTY_PICTURE,
            "pane": pane,
        }
        # Small tiles are many: none are made beyond the imagery.
        bounds = extent(source)
        if bounds is not None:
            options["bounds"] = corners_of(bounds)
        self._layer = L.tileLayer(source.url, to_js(options))
        self._layer.getTileUrl = self._url
        if on_failure is not None:
            self._layer.on(TILES, self._settle)
        self._layer.addTo(leaflet_map)

    def remove(self) -> None:
        """Take it off the map."""
        self._layer.off(TILES, self._settle)
        self._layer.remove()
        self._url.destroy()
        self._settle.destroy()

    def _on_tiles(self, event) -> None:
        """Judge by the first view: no tile of it arrived, or one did, which is enough.

        A single tile that is missing tells nothing: the view may reach past the imagery's edge.
        """
        if event.type == "tileerror":
            self._failed = True
        elif event.type == "load":
            if self._failed:
                self._layer.off(TILES, self._settle)
                # Leaflet is still at work on this layer.
                js.setTimeout(create_once_callable(self._on_failure), 0)
        elif event.tile.src != EMPTY_PICTURE:
            self._layer.off(TILES, self._settle)


class _DrawnLayer:
    """A layer of tiles that are drawn here; what is no longer seen is no longer drawn."""

    def __init__(self, leaflet_map, source: Source, draw: Draw, pane: str = TILE_PANE):
        self._draw = draw
        self._drawing: dict[tuple[int, int, int], asyncio.Task[None]] = {}
        self._create = create_proxy(self._begin)
        self._unload = create_proxy(self._end)
        options = {
            "attribution": source.attribution,
            "minZoom": source.min_zoom,
            "maxNativeZoom": source.max_zoom,
            "maxZoom": FINEST_VIEW,
            "pane": pane,
        }
        self._layer = L.gridLayer(to_js(options))
        if len(source.bounds) == 1:
            self._layer.options.bounds = corners_of(source.bounds[0])
        self._layer.createTile = _with_one_argument(self._create)
        self._layer.on("tileunload", self._unload)
        self._layer.addTo(leaflet_map)

    def remove(self) -> None:
        """Take it off the map."""
        self._layer.remove()
        for task in self._drawing.values():
            task.cancel()
        self._create.destroy()
        self._unload.destroy()

    def _begin(self, at):
        canvas = js.document.createElement("canvas")
        canvas.width = canvas.height = TILE_PX
        key = (int(at.x), int(at.y), int(at.z))
        task = self._drawing[key] = self._draw(Tile(*key), canvas)
        task.add_done_callback(lambda _: canvas.toggleAttribute("data-drawn", True))
        return canvas

    def _end(self, event) -> None:
        at = event.coords
        task = self._drawing.pop((int(at.x), int(at.y), int(at.z)), None)
        if task is not None:
            task.cancel()


def _coarsest(source: Source) -> int:
    """Coarsest zoom of the map with a source."""
    return source.min_zoom if source.coarsest_view is None else source.coarsest_view


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

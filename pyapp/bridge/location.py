"""Where the device is, asked only when the person wants to know; and that place on the map."""

from collections.abc import Callable
from typing import Any

import js
from pyscript.ffi import create_proxy, to_js
from pyscript.js_modules import leaflet as L  # noqa: N812

from pyapp.bridge.leaflet import GroundMap
from pyapp.core.ground.geo import LngLat

LIMIT_S = 20.0
# A place that the device knew so long ago will do.
RECENT_MS = 5000
SIGNAL, CASE = "#ffd23f", "#0e141b"


def can_locate() -> bool:
    """Whether the browser can tell where the device is."""
    return bool(js.isSecureContext) and hasattr(js.navigator, "geolocation")


class Location:
    """Asks the browser where the device is.

    Parameters
    ----------
    on_place : callable taking LngLat and float
        Called with the place and its accuracy, in metres.
    on_failure : callable taking int
        Called with the code of the Geolocation API.
    """

    def __init__(
        self, on_place: Callable[[LngLat, float], None], on_failure: Callable[[int], None]
    ):
        self._watch: int | None = None
        self._place = create_proxy(
            lambda found: on_place(
                LngLat(found.coords.longitude, found.coords.latitude), found.coords.accuracy
            )
        )
        self._failure = create_proxy(lambda error: on_failure(int(error.code)))
        wanted = {"enableHighAccuracy": True, "timeout": 1000 * LIMIT_S}
        self._once = to_js(wanted | {"maximumAge": RECENT_MS})
        # Who is followed moves: an older place will not do.
        self._always = to_js(wanted | {"maximumAge": 0})

    def ask(self) -> None:
        """Ask once."""
        js.navigator.geolocation.getCurrentPosition(self._place, self._failure, self._once)

    def watch(self) -> None:
        """Tell each time it is known anew, until `stop`."""
        self.stop()
        self._watch = js.navigator.geolocation.watchPosition(
            self._place, self._failure, self._always
        )

    def stop(self) -> None:
        """Ask no more."""
        if self._watch is not None:
            js.navigator.geolocation.clearWatch(self._watch)
            self._watch = None


class AccuracyCircle:
    """A dot where the device is, and a circle that it is within.

    Parameters
    ----------
    ground_map : GroundMap
    control_ids : tuple of str
        Ids of elements that are moved into the corner of the map with its other controls.
    """

    def __init__(self, ground_map: GroundMap, control_ids: tuple[str, ...]):
        self._map = ground_map.leaflet
        self._shapes: list[Any] = []
        corner = self._map.getContainer().querySelector(".leaflet-bottom.leaflet-right")
        for each in control_ids:
            element = js.document.getElementById(each)
            corner.prepend(element)
            L.DomEvent.disableClickPropagation(element)

    def show(self, place: LngLat, accuracy_m: float) -> None:
        """Show another place."""
        self.clear()
        at = to_js([place.lat, place.lng])
        circle = {"radius": accuracy_m, "color": SIGNAL, "weight": 1.5, "fillOpacity": 0.12,
                  "interactive": False, "className": "accuracy"}  # fmt: skip
        dot = {"radius": 6, "color": CASE, "weight": 2, "fillColor": SIGNAL, "fillOpacity": 1,
               "interactive": False}  # fmt: skip
        self._shapes = [
            L.circle(at, to_js(circle)).addTo(self._map),
            L.circleMarker(at, to_js(dot)).addTo(self._map),
        ]

    def clear(self) -> None:
        """Take it off the map."""
        for each in self._shapes:
            each.remove()
        self._shapes = []

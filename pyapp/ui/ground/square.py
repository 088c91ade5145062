"""The square of ground: where the person put it."""

import math
from collections.abc import Callable

from pyscript import web, when

from pyapp.bridge.leaflet import GroundMap, SquareOverlay
from pyapp.core.address import View
from pyapp.core.ground.geo import Footprint, LngLat, bounds_of, moved, resolution_m
from pyapp.ui.shell.dom import on

# Until the model's card has come: UC Merced's 256 px of 0.3048 m.
FIRST_SIDE_M = 256 * 0.3048
STEP = 0.1
# Side of the square on the screen, in pixels, after another model changed it too much; and the
# least and most that is left alone, the latter as a share of the map.
WANTED_PX, SMALLEST_PX, LARGEST_SHARE = 150, 24, 0.8
ARROWS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowUp": (0, 1), "ArrowDown": (0, -1)}


class Square:
    """A footprint on the map that is dragged, moved by keys, or follows the map's centre."""

    def __init__(self, ground_map: GroundMap):
        self._map = ground_map
        self._on_move: list[Callable[[], None]] = []
        self._on_put: Callable[[Footprint], None] = lambda _before: None
        self._on_click: Callable[[LngLat], bool] = lambda _place: False
        self.footprint = Footprint(ground_map.view.centre, FIRST_SIDE_M)
        self._overlay = SquareOverlay(
            ground_map, "square", bounds_of(self.footprint), self._dragged, self._dropped
        )
        self._element = web.page["square"]
        self._follow = web.page["follow"]
        when("keydown", self._element)(self._key)
        on("click", web.page["here"], self.bring_here)
        on("change", self._follow, self._follow_if_wanted)
        ground_map.on("move", lambda _event: self._follow_if_wanted())
        ground_map.on("click", self._clicked)

    def on_move(self, handler: Callable[[], None]) -> None:
        """Call ``handler()`` whenever the square covers other ground."""
        self._on_move.append(handler)

    def on_put(self, handler: Callable[[Footprint], None]) -> None:
        """Call ``handler(before)`` when the person puts the square elsewhere, with where it was."""
        self._on_put = handler

    def on_click(self, handler: Callable[[LngLat], bool]) -> None:
        """Ask ``handler(place)`` first whether a click on the map means something else."""
        self._on_click = handler

    def cover(self, footprint: Footprint) -> None:
        """Put the square on a footprint."""
        self._follow.checked = False
        self._lay(footprint)

    def resize(self, side_m: float) -> None:
        """Take the side that the model's card gives, in metres."""
        before_m = self.footprint.side_m
        self._lay(Footprint(self.footprint.centre, side_m))
        self._bring_into_view(before_m)
        web.page["side"].textContent = f"{side_m:.0f} m"
        self._element.setAttribute(
            "aria-label",
            f"Square of {side_m:.0f} metres of ground. Arrow keys move it by a tenth of that, "
            "with Shift by its full side; Enter classifies.",
        )

    def _bring_into_view(self, before_m: float) -> None:
        """Zoom the map if the square grew too large for it, or shrank too far to be seen."""
        view, (centre, side_m) = self._map.view, self.footprint
        side_px = side_m / resolution_m(view.zoom, centre.lat)
        too_large = side_m > before_m and side_px > LARGEST_SHARE * min(self._map.size_px)
        too_small = side_m < before_m / 2 and side_px < SMALLEST_PX
        if too_large or too_small:
            zoom = view.zoom - round(math.log2(side_px / WANTED_PX))
            self._map.show(View(centre, max(0, zoom)))

    def bring_here(self) -> None:
        """Put the square in the middle of the map."""
        self._put(self._map.view.centre)

    def toggle_follow(self) -> None:
        """Switch following the map's centre on or off."""
        self._follow.checked = not self._follow.checked
        self._follow_if_wanted()

    def show_work(self, working: bool) -> None:
        """Show on the square whether it is being classified."""
        self._element._dom_element.classList.toggle("working", working)

    def _clicked(self, event) -> None:
        place = LngLat(event.latlng.lng, event.latlng.lat)
        if not self._on_click(place):
            self._put(place)

    def _put(self, centre: LngLat) -> None:
        self._on_put(self.footprint)
        self._lay(Footprint(centre, self.footprint.side_m))

    def _lay(self, footprint: Footprint) -> None:
        if footprint == self.footprint:
            return
        self.footprint = footprint
        self._overlay.lay_on(bounds_of(footprint))
        for handler in self._on_move:
            handler()

    def _dragged(self, centre: LngLat) -> None:
        self._follow.checked = False
        self._put(centre)

    def _dropped(self) -> None:
        self._element._dom_element.focus()

    def _follow_if_wanted(self) -> None:
        if self._follow.checked:
            self._lay(Footprint(self._map.view.centre, self.footprint.side_m))

    def _key(self, event) -> None:
        if event.key not in ARROWS or event.ctrlKey or event.altKey or event.metaKey:
            return
        event.preventDefault()
        event.stopPropagation()
        step_m = self.footprint.side_m * (1 if event.shiftKey else STEP)
        east, north = ARROWS[event.key]
        self._follow.checked = False
        self._put(moved(self.footprint.centre, east * step_m, north * step_m))
        self._map.include(self.footprint.centre)

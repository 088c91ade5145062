"""Where am I: the square goes where the person stands, and follows them if they want."""

from dataclasses import dataclass

from pyscript import web

from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.location import LIMIT_S, AccuracyCircle, Location, can_locate
from pyapp.core.address import View
from pyapp.core.ground.geo import Footprint, LngLat
from pyapp.core.ground.whereabouts import NotAllowedError, accuracy_said, whereabouts_error
from pyapp.ui.ground.goto import CLOSE_ZOOM
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.dom import on
from pyapp.ui.shell.notice import Notice

OFF, ASKING, FOUND, FOLLOWING = "off", "asking", "found", "following"
# What the button does next.
NEXT = {
    OFF: "Where am I",
    ASKING: "Finding where you are",
    FOUND: "Follow me",
    FOLLOWING: "Stop following me",
}
HERE = "here"


@dataclass
class WhereAmI:
    """A button on the map: the first press finds the place, the second follows, the third ends."""

    ground_map: GroundMap
    square: Square
    notice: Notice
    _state: str = OFF

    def __post_init__(self):
        self._control = web.page["whereabouts"]
        self._button = web.page["locate"]
        self._said = web.page["located"]
        self._circle = AccuracyCircle(self.ground_map, ("whereabouts", "located"))
        self._location = Location(self._arrived, self._failed)
        self._control.hidden = not can_locate()
        on("click", self._button, self.press)
        self.ground_map.on("dragstart", lambda _event: self._let_go())

    def press(self) -> None:
        """Find the place, follow, or end, whichever is next."""
        if not can_locate() or self._state == ASKING:
            return
        self.notice.clear(HERE)
        if self._state == OFF:
            self._become(ASKING)
            self._location.ask()
        elif self._state == FOUND:
            self._become(FOLLOWING)
            self._location.watch()
        else:
            self.end()

    def end(self) -> None:
        """Follow no more, and forget the place."""
        self._location.stop()
        self._circle.clear()
        self._become(OFF)

    def _arrived(self, place: LngLat, accuracy_m: float) -> None:
        if self._state not in (ASKING, FOLLOWING):
            return
        self.notice.clear(HERE)
        self._circle.show(place, accuracy_m)
        self._said.textContent = accuracy_said(accuracy_m)
        if self._state == ASKING:
            view = self.ground_map.view
            self.ground_map.show(View(place, max(view.zoom, CLOSE_ZOOM)))
            self.square.bring_here()
            self._become(FOUND)
        else:
            self.square.cover(Footprint(place, self.square.footprint.side_m))
            self.ground_map.include(place)

    def _failed(self, code: int) -> None:
        if self._state in (ASKING, FOLLOWING):
            error = whereabouts_error(code, LIMIT_S)
            self.notice.tell(error, HERE)
            # Under a bridge the place is lost for a while; the browser goes on looking.
            if self._state == ASKING or isinstance(error, NotAllowedError):
                self.end()

    def _let_go(self) -> None:
        """Who drags the map wants to look elsewhere."""
        if self._state == FOLLOWING:
            self._location.stop()
            self._become(FOUND)

    def _become(self, state: str) -> None:
        self._state = state
        self._button.setAttribute("aria-pressed", "true" if state == FOLLOWING else "false")
        self._button.setAttribute("aria-label", NEXT[state])
        self._button.title = f"{NEXT[state]} (H)"
        self._button.disabled = state == ASKING
        self._control.dataset.state = state
        self._said.hidden = state not in (FOUND, FOLLOWING)

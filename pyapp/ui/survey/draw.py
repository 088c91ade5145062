"""Marking an area on the map: a rectangle by two corners, a polygon by all of them."""

from collections.abc import Callable

from pyscript import web

from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.overlays import Outline, Pointer
from pyapp.core.ground.area import Area, rectangle
from pyapp.core.ground.geo import LngLat
from pyapp.ui.shell.dom import on

RECTANGLE, POLYGON = "rectangle", "polygon"
SAID = {
    (RECTANGLE, 0): "Click one corner of the area.",
    (RECTANGLE, 1): "Click the opposite corner.",
    (POLYGON, 0): "Click the first corner of the area.",
    (POLYGON, 1): "Click the next corner.",
    (POLYGON, 2): "Click the next corner; Done closes the area.",
}


class Drawing:
    """An area being marked.

    Parameters
    ----------
    ground_map : GroundMap
    on_done : callable taking Area
    on_end : callable
        Called when it ended, with an area or without.
    """

    def __init__(self, ground_map: GroundMap, on_done: Callable, on_end: Callable):
        self._outline = Outline(ground_map)
        self._pointer = Pointer(ground_map, self._click, self._move, self.finish)
        self._on_done = on_done
        self._on_end = on_end
        self._kind = ""
        self._corners: list[LngLat] = []
        self._bar = web.page["drawing"]
        self._text = self._bar.find("span")[0]
        self._done = web.page["drawn"]
        on("click", self._done, self.finish)
        on("click", web.page["undrawn"], self.cancel)

    @property
    def goes_on(self) -> bool:
        """Whether an area is being marked."""
        return bool(self._kind)

    def begin(self, kind: str) -> None:
        """Begin to mark an area; what was begun before is dropped."""
        self._end()
        self._kind = kind
        self._pointer.want(True)
        self._say()

    def back(self) -> None:
        """Take the last corner back."""
        if self._corners:
            self._corners.pop()
            self._outline.show(self._corners, closed=False)
            self._say()

    def cancel(self) -> None:
        """Mark nothing."""
        if self.goes_on:
            self._end()
            self._on_end()

    def finish(self) -> None:
        """Close a polygon that has corners enough."""
        # A double click is two clicks first, on the same place.
        corners = list(dict.fromkeys(self._corners))
        if self._kind == POLYGON and len(corners) >= 3:
            self._end()
            self._on_done(Area(tuple(corners)))
            self._on_end()

    def _click(self, place: LngLat) -> None:
        if self._kind == RECTANGLE and self._corners:
            area = rectangle(self._corners[0], place)
            self._end()
            self._on_done(area)
            self._on_end()
            return
        self._corners.append(place)
        self._outline.show(self._corners, closed=False)
        self._say()

    def _move(self, place: LngLat) -> None:
        if not self._corners:
            return
        if self._kind == RECTANGLE:
            self._outline.show(list(rectangle(self._corners[0], place).corners))
        else:
            self._outline.show([*self._corners, place], closed=False)

    def _end(self) -> None:
        self._kind, self._corners = "", []
        self._outline.clear()
        self._pointer.want(False)
        self._bar.hidden = True

    def _say(self) -> None:
        self._text.textContent = SAID[self._kind, min(len(self._corners), 2)]
        self._done.hidden = self._kind != POLYGON
        self._done.disabled = len(self._corners) < 3
        self._bar.hidden = False

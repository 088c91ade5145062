"""The survey that lies on the map, and how it is shown."""

from collections.abc import Callable

import numpy as np

from pyapp.bridge import browser
from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.overlays import PictureOverlay
from pyapp.core.ground.geo import Bounds, LngLat
from pyapp.core.survey.paint import Look, Painter
from pyapp.core.survey.survey import Survey

FIRST_OPACITY = 0.6


class SurveyLayer:
    """One survey, painted over the imagery.

    Attributes
    ----------
    survey : Survey or None
        As it is shown.
    original : Survey or None
        As it is stored: the same, unless it is shown with other answers.
    painter : Painter or None
        Of that survey.
    look : Look
    """

    def __init__(self, ground_map: GroundMap):
        self._map = ground_map
        self._overlay = PictureOverlay(ground_map, "survey-picture")
        self._overlay.fade(FIRST_OPACITY)
        self._handlers: list[Callable[[], None]] = []
        self._on_paint: list[Callable[[], None]] = []
        self._opacity = FIRST_OPACITY
        self._hidden = False
        self._differing: np.ndarray | None = None
        self._seen_as: Callable[[Survey], Survey] = lambda survey: survey
        self.survey: Survey | None = None
        self.original: Survey | None = None
        self.painter: Painter | None = None
        self.look = Look(0.0, set())

    def on_change(self, handler: Callable[[], None]) -> None:
        """Call ``handler()`` when another survey lies on the map, or none."""
        self._handlers.append(handler)

    def show(self, survey: Survey | None) -> None:
        """Lay another survey on the map, or none."""
        self.original = survey
        survey = None if survey is None else self._seen_as(survey)
        self.survey = survey
        self._differing = None
        self._overlay.clear()
        if survey is not None:
            self.painter = Painter(survey)
            self.look = Look(survey.model.threshold, set())
        for handler in self._handlers:
            handler()
        self.repaint()

    @property
    def is_recoloured(self) -> bool:
        """Whether the survey is shown with other answers than it is stored with."""
        return self.survey is not self.original

    def see_as(self, change: Callable[[Survey], Survey]) -> None:
        """Show ``change(survey)`` in place of each survey, from the next time on."""
        self._seen_as = change

    def recolour(self) -> None:
        """Show the survey with the answers that it is to be seen with now."""
        if self.original is None:
            return
        if self._seen_as(self.original).model != getattr(self.survey, "model", None):
            self.show(self.original)

    def go_there(self) -> None:
        """Show all of it on the map if it is out of sight."""
        if self.survey is None:
            return
        west, south, east, north = self.survey.grid.bounds
        window = self._map.window
        outside = (
            east < window.west or west > window.east or north < window.south or south > window.north
        )
        if outside:
            self._map.fit(Bounds(west, south, east, north))

    def repaint(self) -> None:
        """Show what the survey holds now, as `look` says."""
        if self.survey is None or self.painter is None:
            return
        start_ms = browser.now_ms()
        picture = self.painter.paint(self.look)
        if self._differing is not None:
            picture[~self.survey.grid.spread(self._differing, False)] = 0
        self._overlay.show(picture, self.survey.grid.bounds)
        for handler in self._on_paint:
            handler()
        browser.measure("lookdown:repaint", start_ms, browser.now_ms())

    def on_paint(self, handler: Callable[[], None]) -> None:
        """Call ``handler()`` after it was painted anew."""
        self._on_paint.append(handler)

    def show_only(self, cells: np.ndarray | None) -> None:
        """Paint only some cells, bool [N]; all with ``None``."""
        self._differing = cells
        self.repaint()

    def fade(self, opacity: float) -> None:
        """Set how much of the imagery it covers, from 0 to 1."""
        self._opacity, self._hidden = opacity, False
        self._overlay.fade(opacity)

    def toggle(self) -> None:
        """Hide it, or show it again."""
        self.hide(not self._hidden)

    def hide(self, hidden: bool) -> None:
        """Hide its colours, or show them."""
        self._hidden = hidden
        self._overlay.fade(0.0 if hidden else self._opacity)

    def number_at(self, place: LngLat) -> int | None:
        """The cell at a place; ``None`` if there is none."""
        return None if self.survey is None else self.survey.grid.number_at(place)

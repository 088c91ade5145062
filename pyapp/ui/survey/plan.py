"""The area to survey, and what a survey of it would take."""

import asyncio
from collections.abc import Callable

from pyscript import web, when

from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.overlays import Outline
from pyapp.core.errors import AreaError, ForbiddenSurveyError, LargeAreaError, LookdownError
from pyapp.core.ground.area import Area, rectangle
from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.grid import STEPS, Grid, plan, reading
from pyapp.core.imagery.source import Source
from pyapp.ui.answer.classify import Classify
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.shell.history import History
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.panel.draw import POLYGON, RECTANGLE, Drawing
from pyapp.ui.survey.panel.layer import SurveyMap
from pyapp.work.runner import Runner

STEP_NAMES = {0.5: "half a square", 1.0: "a whole square"}


def duration(seconds: float) -> str:
    """A time as a person reads it.

    >>> duration(8.2), duration(200), duration(8000)
    ('8 s', '3 min', '2.2 h')
    """
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Plan:
    """An area, a step, and the grid that they make.

    Attributes
    ----------
    area : Area or None
    grid : Grid or None
        ``None`` where there can't be one; the page says why.
    drawing : Drawing
    """

    def __init__(
        self,
        ground_map: GroundMap,
        imagery: ImageryPanel,
        classify: Classify,
        survey_map: SurveyMap,
        history: History,
        notice: Notice,
    ):
        self._map = ground_map
        self._imagery = imagery
        self._classify = classify
        self._shown = survey_map
        self._history = history
        self._notice = notice
        self.area: Area | None = None
        self.grid: Grid | None = None
        self._measuring = False
        self._on_change: Callable[[], None] = lambda: None
        self._outline = Outline(ground_map)
        self.drawing = Drawing(ground_map, self._take_area, self._drawing_ended)
        self._details = web.page["survey"]
        self._step = web.page["step"]
        self._said = web.page["plan"]
        self._error = web.page["plan-error"]
        self._coarser = web.page["plan-coarser"]
        for each in STEPS:
            name = STEP_NAMES.get(each, f"{each:g} squares")
            self._step.append(web.option(name, value=f"{each:g}", selected=each == 1.0))
        for button, handler in {
            "area-view": self.take_view,
            "area-rectangle": lambda: self.draw(RECTANGLE),
            "area-polygon": lambda: self.draw(POLYGON),
            "plan-coarser": self._take_coarser,
        }.items():
            when("click", web.page[button])(lambda _event, handler=handler: handler())
        when("change", self._step)(lambda _event: self.renew())
        imagery.on_pick(self.renew)

    def on_change(self, handler: Callable[[], None]) -> None:
        """Call ``handler()`` when there is another grid, or none."""
        self._on_change = handler

    def hide(self) -> None:
        """Take the outline off the map."""
        self._outline.clear()

    def take_view(self) -> None:
        """Take what the map shows as the area."""
        west, south, east, north = self._map.window
        self._take_area(rectangle(LngLat(west, north), LngLat(east, south)))
        self._details.open = True

    def draw(self, kind: str) -> None:
        """Let the person mark a rectangle or a polygon."""
        self._outline.clear()
        self.drawing.begin(kind)
        self._details.open = False

    def _take_area(self, area: Area | None) -> None:
        before = self.area
        self._history.add("area", lambda: self._put_area(before))
        self._put_area(area)

    def _put_area(self, area: Area | None) -> None:
        self.area = area
        self.renew()

    def _drawing_ended(self) -> None:
        self._details.open = True
        self.renew()

    def renew(self) -> None:
        """Say what a survey of the area would take, or why there can't be one."""
        self.grid = None
        self._error.textContent = ""
        self._coarser.hidden = True
        model, source = self._classify.model, self._imagery.source
        self._said.textContent = "Choose an area to begin."
        self._outline.clear()
        try:
            if not source.bulk:
                allowed = [each.name for each in self._imagery.sources if each.bulk]
                raise ForbiddenSurveyError(source.name, allowed)
            if self.area is not None and model is not None:
                if self._shown.survey is None or self._shown.survey.area != self.area:
                    self._outline.show(list(self.area.corners))
                self.grid = plan(self.area, model.card.footprint_m, float(self._step.value))
                self._said.textContent = self._what_it_takes(model, source)
        except AreaError as error:
            self._said.textContent = ""
            self._error.textContent = str(error)
            fitting = getattr(error, "fitting", None)
            if isinstance(error, LargeAreaError) and fitting is not None:
                self._coarser.hidden = False
                self._coarser.textContent = f"Take a step of {fitting:g} squares"
                self._coarser._dom_element.value = f"{fitting:g}"
        self._on_change()

    def _take_coarser(self) -> None:
        self._step.value = self._coarser._dom_element.value
        self.renew()

    def _what_it_takes(self, model: Runner, source: Source) -> str:
        count = len(self.grid)
        tiles = reading(
            self.grid, model.card.resolution_m, source.min_zoom, source.max_zoom
        ).tile_count
        squares = "1 square" if count == 1 else f"{count:,} squares"
        took_ms = model.square_ms
        if took_ms is None:
            if not self._measuring:
                asyncio.ensure_future(self._measure(model))  # noqa: RUF006
            time = "measuring the time"
        else:
            time = f"about {duration(count * took_ms / 1000)}"
        return f"{squares}, {time}, {tiles:,} tiles to read."

    async def _measure(self, model: Runner) -> None:
        self._measuring = True
        try:
            await model.measure_square()
        except LookdownError as error:
            self._notice.tell(error)
            return
        finally:
            self._measuring = False
        self.renew()

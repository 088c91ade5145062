"""The area to survey, and what a survey of it would take."""

from collections.abc import Callable
from dataclasses import dataclass

from pyscript import web

from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.overlays import Outline
from pyapp.core.errors import AreaError, ForbiddenSurveyError, LargeAreaError
from pyapp.core.ground.area import Area, rectangle
from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.grid import STEPS, Grid, plan
from pyapp.core.ground.reading import reading
from pyapp.core.imagery.source import Source
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.shell.dom import on, option
from pyapp.ui.shell.history import History
from pyapp.ui.survey.draw import POLYGON, RECTANGLE, Drawing
from pyapp.ui.survey.layer import SurveyLayer
from pyapp.ui.survey.wording import cost, step_name
from pyapp.work.models import Models
from pyapp.work.runner import Runner
from pyapp.work.tasks import Tasks


@dataclass
class Plan:
    """An area, a step, and the grid that they make.

    Attributes
    ----------
    area : Area or None
    grid : Grid or None
        ``None`` if there can't be one; the page says why.
    drawing : Drawing
    """

    ground_map: GroundMap
    imagery: ImageryPanel
    models: Models
    layer: SurveyLayer
    history: History
    tasks: Tasks
    area: Area | None = None
    grid: Grid | None = None
    _measuring: bool = False
    _on_change: Callable[[], None] = lambda: None

    def __post_init__(self):
        self._outline = Outline(self.ground_map)
        self.drawing = Drawing(self.ground_map, self._take_area, self._drawing_ended)
        self._details = web.page["survey"]
        self._step = web.page["step"]
        self._said = web.page["plan"]
        self._error = web.page["plan-error"]
        self._coarser = web.page["plan-coarser"]
        for each in STEPS:
            self._step.append(option(step_name(each), f"{each:g}", each == 1.0))
        on("click", web.page["area-view"], self.take_view)
        on("click", web.page["area-rectangle"], lambda: self.draw(RECTANGLE))
        on("click", web.page["area-polygon"], lambda: self.draw(POLYGON))
        on("click", self._coarser, self._take_coarser)
        on("change", self._step, self.renew)
        self.imagery.on_pick(self.renew)
        self.models.on_change(self._model_changed)

    def on_change(self, handler: Callable[[], None]) -> None:
        """Call ``handler()`` when there is another grid, or none."""
        self._on_change = handler

    def hide(self) -> None:
        """Take the outline off the map."""
        self._outline.clear()

    def take_view(self) -> None:
        """Take what the map shows as the area."""
        west, south, east, north = self.ground_map.window
        self._take_area(rectangle(LngLat(west, north), LngLat(east, south)))
        self._details.open = True

    def take(self, area: Area) -> None:
        """Take an area that came as a file, and show it."""
        self._take_area(area)
        self.ground_map.fit(area.bounds)
        self._details.open = True

    def draw(self, kind: str) -> None:
        """Let the person mark a rectangle or a polygon."""
        self._outline.clear()
        self.drawing.begin(kind)
        self._details.open = False

    def _take_area(self, area: Area | None) -> None:
        before = self.area
        self.history.add("area", lambda: self._put_area(before))
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
        runner, source = self.models.runner, self.imagery.source
        self._said.textContent = "Choose an area to begin."
        self._outline.clear()
        try:
            if not source.allows.bulk:
                place = self.ground_map.view.centre
                raise ForbiddenSurveyError(source.name, self.imagery.readable(place, bulk=True))
            if self.area is not None and runner is not None:
                if self.layer.survey is None or self.layer.survey.area != self.area:
                    self._outline.show_area(self.area)
                self.grid = plan(self.area, runner.card.footprint_m, float(self._step.value))
                self._said.textContent = self._what_it_takes(self.grid, runner, source)
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

    def _what_it_takes(self, grid: Grid, runner: Runner, source: Source) -> str:
        if runner.square_ms is None and not self._measuring:
            self.tasks.start(self._measure(runner))
        tiles = reading(grid, runner.card.resolution_m, source).tile_count
        return cost(len(grid), runner.square_ms, tiles)

    async def _measure(self, runner: Runner) -> None:
        self._measuring = True
        try:
            await runner.measure_square()
        finally:
            self._measuring = False
        self.renew()

    async def _model_changed(self) -> None:
        self.renew()

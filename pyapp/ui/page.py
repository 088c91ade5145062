"""Builds what surveys need; apart from the start, which does not wait for it."""

import asyncio
from collections.abc import Awaitable, Callable

from pyapp.bridge.database import Store
from pyapp.bridge.leaflet import GroundMap
from pyapp.core.ground.geo import LngLat
from pyapp.ui.answer.classify import Classify
from pyapp.ui.answer.explain import Steady, Why
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.history import History
from pyapp.ui.shell.keys import Key, Keys
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.panel.cells import Alike, Cells
from pyapp.ui.survey.panel.draw import POLYGON, RECTANGLE
from pyapp.ui.survey.panel.files import TakeHome
from pyapp.ui.survey.panel.layer import SurveyMap
from pyapp.ui.survey.panel.legend import Legend
from pyapp.ui.survey.panel.library import KeptSurveys
from pyapp.ui.survey.panel.panel import SurveyPanel
from pyapp.ui.survey.panel.plan import Plan
from pyapp.work.ground import Ground


def add_surveys(
    ground_map: GroundMap,
    square: Square,
    imagery: ImageryPanel,
    ground: Ground,
    classify: Classify,
    history: History,
    notice: Notice,
    keys: Keys,
    leave: Callable[[], None],
) -> Callable[[bytes], Awaitable[None]]:
    """Join the parts; what takes a dropped file is returned."""
    store = Store()
    survey_map = SurveyMap(ground_map)
    plan = Plan(ground_map, imagery, classify, survey_map, history, notice)
    panel = SurveyPanel(plan, imagery, classify, survey_map, store, notice)
    legend = Legend(survey_map, store, history, notice)
    kept = KeptSurveys(panel, survey_map, legend, store, history, notice)
    cells = Cells(survey_map, square, classify, imagery, kept, history, notice)
    why = Why(ground_map, classify)
    steady = Steady(classify, imagery, ground)
    alike = Alike(ground_map, survey_map, cells, classify, imagery, ground, store, notice)
    files = TakeHome(panel, survey_map, notice)

    def clicked(place: LngLat) -> bool:
        return plan.drawing.goes_on or cells.open_at(place)

    def leave_all() -> None:
        if plan.drawing.goes_on:
            plan.drawing.cancel()
            return
        leave()
        panel.close()
        why.hide()
        alike.clear()

    def begin() -> None:
        if panel.goes_on or panel.can_go_on:
            panel.pause_or_go_on()
        else:
            panel.start()

    def finish_drawing() -> None:
        if plan.drawing.goes_on:
            plan.drawing.finish()
        else:
            classify.press()

    async def see(data: bytes) -> None:
        """A dropped file is a survey of ours or a picture."""
        if data.lstrip()[:1] == b"{":
            await files.see(data)
        else:
            await classify.classify_picture(data)

    square.on_click(clicked)
    keys.add(
        [
            Key("Enter", "Classify what is in the square", finish_drawing),
            Key("Esc", "Cancel, close", leave_all),
            Key("Backspace", "Take back the last corner", plan.drawing.back),
            Key("S", "Survey: open or close", panel.toggle),
            Key("V", "Survey what the map shows", plan.take_view),
            Key("R", "Mark a rectangle to survey", lambda: plan.draw(RECTANGLE)),
            Key("P", "Mark a polygon to survey", lambda: plan.draw(POLYGON)),
            Key("G", "Begin the survey, pause it, go on", begin),
            Key("O", "Hide the survey's colours, or show them", survey_map.toggle),
            Key("E", "Save the survey as GeoJSON", lambda: files.save("geojson")),
            Key("W", "Why: where the class is seen", why.toggle),
            Key("T", "Steady or not: five sizes", steady.ask),
            Key("M", "More like this", alike.find),
        ]
    )
    asyncio.ensure_future(kept.begin())  # noqa: RUF006
    return see

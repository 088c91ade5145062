"""Surveys saved as files, and seen again."""

import re
import uuid
from collections.abc import Callable

from pyscript import web, when

from pyapp.bridge import browser
from pyapp.core.errors import NotASurveyError
from pyapp.core.survey.geojson import from_geojson, to_csv, to_geojson
from pyapp.core.survey.rasters import to_geotiff, to_png
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.panel.layer import SurveyMap
from pyapp.ui.survey.panel.panel import SurveyPanel

KINDS = {
    "geojson": ("geojson", "application/geo+json"),
    "csv": ("csv", "text/csv"),
    "png": ("zip", "application/zip"),
    "tiff": ("tif", "image/tiff"),
}


class TakeHome:
    """The buttons that save the survey on the map, and files that are dropped on the page."""

    def __init__(self, panel: SurveyPanel, survey_map: SurveyMap, notice: Notice):
        self._panel = panel
        self._shown = survey_map
        self._notice = notice
        for kind in KINDS:
            button = web.page[f"save-{kind}"]
            when("click", button)(lambda _event, kind=kind: self.save(kind))

    def save(self, kind: str) -> None:
        """Save the survey on the map, as it is shown."""
        survey, look = self._shown.survey, self._shown.look
        if survey is None:
            self._notice.say("There is no survey to save yet. Choose an area and press Survey.")
            return
        name = re.sub(r"[^\w.-]+", "-", survey.name).strip("-.") or "survey"
        make: dict[str, Callable[[], bytes]] = {
            "geojson": lambda: to_geojson(survey).encode(),
            "csv": lambda: to_csv(survey).encode(),
            "png": lambda: to_png(survey, look, name),
            "tiff": lambda: to_geotiff(survey, look),
        }
        ending, media = KINDS[kind]
        browser.save_file(f"{name}.{ending}", make[kind](), media)

    async def see(self, data: bytes) -> None:
        """Show a survey that was saved as GeoJSON."""
        if self._panel.goes_on:
            self._notice.say("A survey is going on. Pause it before you open another one.")
            return
        try:
            survey = from_geojson(data.decode())
        except UnicodeDecodeError:
            self._notice.tell(NotASurveyError("it is not text"))
            return
        except NotASurveyError as error:
            self._notice.tell(error)
            return
        # It may be an older state of one that is kept.
        survey.id = uuid.uuid4().hex
        self._shown.show(survey)
        self._shown.go_there()
        web.page["survey"].open = True
        await self._panel.keep(survey)

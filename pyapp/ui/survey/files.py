"""Surveys saved as files, and seen again."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pyscript import web

from pyapp.bridge import browser
from pyapp.core.errors import NotASurveyError
from pyapp.core.survey.geojson import from_geojson, to_csv, to_geojson
from pyapp.core.survey.geoparquet import to_geoparquet
from pyapp.core.survey.paint import Look
from pyapp.core.survey.pam import to_geotiff_zip
from pyapp.core.survey.rasters import to_png
from pyapp.core.survey.stac import to_stac
from pyapp.core.survey.survey import Survey
from pyapp.ui.shell.dom import on
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.layer import SurveyLayer
from pyapp.ui.survey.panel import SurveyPanel
from pyapp.work.session import SurveySession

GEOJSON, PARQUET = "application/geo+json", "application/vnd.apache.parquet"
# Ending, media type and maker of each kind of file.
KINDS: dict[str, tuple[str, str, Callable[[Survey, Look, str], bytes]]] = {
    "geojson": ("geojson", GEOJSON, lambda survey, *_: to_geojson(survey).encode()),
    "csv": ("csv", "text/csv", lambda survey, *_: to_csv(survey).encode()),
    "parquet": ("parquet", PARQUET, lambda survey, *_: to_geoparquet(survey)),
    "stac": ("stac.json", GEOJSON, lambda survey, _, name: to_stac(survey, name).encode()),
    "png": ("zip", "application/zip", to_png),
    "tiff": ("zip", "application/zip", to_geotiff_zip),
}


@dataclass
class SurveyFiles:
    """The buttons that save the survey on the map, and files that are dropped on the page."""

    panel: SurveyPanel
    session: SurveySession
    layer: SurveyLayer
    notice: Notice

    def __post_init__(self):
        for kind in KINDS:
            on("click", web.page[f"save-{kind}"], partial(self.save, kind))

    def save(self, kind: str) -> None:
        """Save the survey on the map, as it is shown."""
        survey = self.layer.survey
        if survey is None:
            self.notice.say("There is no survey to save yet. Choose an area and press Survey.")
            return
        name = re.sub(r"[^\w.-]+", "-", survey.name).strip("-.") or "survey"
        ending, media, make = KINDS[kind]
        browser.save_file(f"{name}.{ending}", make(survey, self.layer.look, name), media)

    async def see(self, data: bytes) -> None:
        """Show a survey that was saved as GeoJSON.

        Raises
        ------
        NotASurveyError
        """
        if self.session.goes_on:
            self.notice.say("A survey is running. Pause it before you open another one.")
            return
        try:
            survey = from_geojson(data.decode())
        except UnicodeDecodeError as error:
            raise NotASurveyError("it is not text") from error
        # It may be an older state of one that is stored.
        survey.id = uuid.uuid4().hex
        self.layer.show(survey)
        self.layer.go_there()
        self.panel.open()
        await self.session.keep(survey)

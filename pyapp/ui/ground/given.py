"""Files that a person gives the page, which are no pictures: areas, plots, and surveys."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyscript import web

from pyapp.core.ground.area_file import area_from, holds_geojson
from pyapp.core.ground.vector import holds_features, read_features
from pyapp.core.plots.features import holds_plots, plots_from_features
from pyapp.core.plots.table import plots_from_csv
from pyapp.ui.plots.panel import PlotPanel
from pyapp.ui.shell.dom import on
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.files import SurveyFiles
from pyapp.ui.survey.plan import Plan

TABLES = (".csv", ".tsv", ".tab", ".txt")


@dataclass
class GivenFiles:
    """Tells by a file's name and contents what it is for."""

    plan: Plan
    plots: PlotPanel
    surveys: SurveyFiles
    notice: Notice
    on_file: Callable[[Any], object]

    def __post_init__(self):
        self._input = web.page["area-file"]
        on("change", self._input, self._chosen)

    async def see(self, data: bytes, name: str) -> bool:
        """Take an area or plots, or show a survey of ours; whether the file is any of these.

        Raises
        ------
        AreaFileError, PlotError, NotASurveyError
            If it is one that can't be used.
        """
        if name.lower().endswith(TABLES):
            self.plots.open(plots_from_csv(data, name))
            return True
        is_json = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"
        if is_json and not holds_geojson(data.decode("utf-8-sig", errors="replace")):
            await self.surveys.see(data)
            return True
        if not is_json and not holds_features(data):
            return False
        features = read_features(data)
        if holds_plots(features.found):
            self.plots.open(plots_from_features(features.found, name))
        else:
            self.plan.take(area_from(features.found))
        if features.note:
            self.notice.say(features.note)
        return True

    def _chosen(self) -> None:
        element = self._input._dom_element
        if element.files.length:
            self.on_file(element.files.item(0))
            # So that the same file can be chosen again.
            element.value = ""

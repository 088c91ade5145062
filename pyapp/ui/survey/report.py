"""The report of the survey on the map: one file to read and print, or the same as JSON."""

import re
from dataclasses import dataclass
from datetime import datetime

from pyscript import web

from pyapp.bridge import browser
from pyapp.core.report.contents import gather, to_json
from pyapp.core.survey.survey import Survey
from pyapp.ui.survey.panel import SurveyPanel
from pyapp.work.check import Checker
from pyapp.work.ground import Ground
from pyapp.work.report import Reporter
from pyapp.work.store import Store
from pyapp.work.tasks import begin, end


@dataclass
class ReportFiles:
    """Writes reports, one at a time."""

    panel: SurveyPanel
    ground: Ground
    store: Store
    _writing: bool = False

    async def save(self, kind: str) -> None:
        """Save the report of the survey on the map, or say why there is none.

        Parameters
        ----------
        kind : str
            ``html`` or ``json``.
        """
        survey = self.panel.layer.survey
        if survey is None or not survey.classified.any():
            self.panel.notice.say(
                "There is nothing to report yet. Choose an area and press Survey first."
            )
            return
        if self._writing:
            return
        self._writing, said = True, web.page["report-said"]
        said.textContent, said.hidden = "Writing the report", False
        start_ms = browser.now_ms()
        try:
            text = await self._write(survey, kind)
        finally:
            self._writing, said.hidden = False, True
        browser.measure("lookdown:report", start_ms, browser.now_ms())
        name = re.sub(r"[^\w.-]+", "-", survey.name).strip("-.") or "survey"
        media = {"html": "text/html", "json": "application/json"}[kind]
        browser.save_file(f"{name}-report.{kind}", text.encode(), media)

    async def _write(self, survey: Survey, kind: str) -> str:
        checker = Checker(self.store, survey)
        if checker.damage is not None:
            self.panel.notice.tell(checker.damage)
        made = datetime.now().isoformat(timespec="seconds")
        version = web.page["version"].textContent
        if kind == "json":
            found = await checker.find(browser)
            return to_json(gather(survey, checker.check, found, made, version))
        source = self.panel.imagery.find_listed(survey.imagery)
        reporter = Reporter(survey, source, self.ground)
        # Tiles arrive while the figures are worked out.
        reading = begin(reporter.read(checker.check))
        try:
            found = await checker.find(browser)
            await reading
        finally:
            await end(reading)
        return reporter.write(checker.check, found, made, version)

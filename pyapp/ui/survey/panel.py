"""The survey on the map: begun, paused, continued, cancelled; how far it is."""

import asyncio
from dataclasses import dataclass

from pyscript import web

from pyapp.bridge import browser
from pyapp.core.state import CellState
from pyapp.core.survey.survey import AGAIN, Survey
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.shell.dom import on, toggle
from pyapp.ui.shell.notice import IMAGERY, Notice
from pyapp.ui.survey.layer import SurveyLayer
from pyapp.ui.survey.plan import Plan
from pyapp.ui.survey.wording import progress, squares
from pyapp.work.models import Models
from pyapp.work.session import SurveySession
from pyapp.work.tasks import Tasks

TICK_S = 0.25
REPAINT_TICKS = 2


@dataclass
class SurveyPanel:
    """Begins surveys, and shows the one on the map while it goes on."""

    plan: Plan
    session: SurveySession
    models: Models
    imagery: ImageryPanel
    layer: SurveyLayer
    notice: Notice
    tasks: Tasks

    def __post_init__(self):
        self._details = web.page["survey"]
        self._summary = self._details.find("summary span")[0]
        self._start = web.page["survey-start"]
        self._work = web.page["survey-work"]
        self._bar = web.page["survey-bar"]
        self._said = web.page["survey-said"]
        self._pause = web.page["survey-pause"]
        self._cancel = web.page["survey-cancel"]
        self._retry = web.page["survey-retry"]
        on("click", self._start, self.start)
        on("click", self._pause, self.pause_or_go_on)
        on("click", self._cancel, self.cancel)
        on("click", self._retry, self._try_again)
        browser.on_window(
            "pagehide", lambda _event: self.tasks.start(self.session.save(), now=True)
        )
        self.session.on_change(self._work_changed)
        self.layer.on_change(self._show)
        self.plan.on_change(self._mind_start)
        self.plan.renew()

    @property
    def can_go_on(self) -> bool:
        """Whether the survey on the map is paused."""
        survey = self.layer.survey
        return not self.session.goes_on and survey is not None and bool(len(survey.waiting))

    def toggle(self) -> None:
        """Open or close the panel."""
        toggle(self._details)

    def open(self) -> None:
        """Open the panel."""
        self._details.open = True

    def close(self) -> None:
        """Close the panel."""
        self._details.open = False

    def start(self) -> None:
        """Begin to survey the area."""
        area, grid, source = self.plan.area, self.plan.grid, self.imagery.source
        if area is None or grid is None or self.session.goes_on or self.models.runner is None:
            return
        survey = self.session.begin(area, grid, source)
        self.plan.hide()
        self.layer.show(survey)
        self.session.work_on(survey, source)

    def press(self) -> None:
        """Begin, pause, or go on, whichever can be done."""
        if self.session.goes_on or self.can_go_on:
            self.pause_or_go_on()
        else:
            self.start()

    def pause_or_go_on(self) -> None:
        """Pause the survey, or go on with it."""
        if self.session.goes_on:
            self.tasks.start(self.session.pause())
        else:
            self.go_on()

    def go_on(self) -> None:
        """Go on with the survey on the map, on the imagery and with the model it began with."""
        survey = self.layer.survey
        if survey is None or self.session.goes_on:
            return
        source = self.imagery.find(survey.imagery)
        if source is None:
            self.notice.say(
                f"The survey was started on {survey.imagery.name}, which is not chosen now. "
                "Choose that imagery to resume.",
                IMAGERY,
            )
        elif self.layer.is_recoloured:
            self.notice.say(
                "The survey is shown with other answers than it was started with. Switch the "
                "answers under Teach to resume it."
            )
        elif not self.models.can_continue(survey.model.sha256):
            self.notice.say(
                f"The survey was started with the model {survey.model.title}, which is not the one "
                "in use. Choose that model to resume, or start a new survey."
            )
        else:
            self.session.work_on(survey, source)

    def why_not(self, verb: str) -> str:
        """Why the survey on the map can't be checked or compared; empty if it can."""
        survey = self.layer.original
        if survey is None:
            return f"There is no survey to {verb} yet. Choose an area and press Survey."
        if self.session.survey is survey:
            return (
                f"This survey is still running. Pause it, or wait until it is done, to {verb} it."
            )
        if self.layer.is_recoloured:
            return (
                "The survey is shown with other answers than it was started with. Switch the "
                f"answers under Teach to {verb} it."
            )
        return ""

    def cancel(self) -> None:
        """End the survey where it is; what was classified stays."""
        survey = self.layer.survey
        if survey is not None:
            self.tasks.start(self._end(survey))

    async def _end(self, survey: Survey) -> None:
        await self.session.cancel(survey)
        self._show()
        self.layer.repaint()

    def _try_again(self) -> None:
        survey = self.layer.survey
        if survey is not None and not self.session.goes_on and survey.look_again():
            self.go_on()

    def _work_changed(self) -> None:
        """A survey began to work, is about to pause, or has stopped."""
        self._show()
        self._mind_start()
        survey = self.session.survey
        if survey is not None and not self.session.pausing:
            self.tasks.start(self._keep_showing(survey))
        elif not self.session.goes_on:
            self.layer.repaint()

    async def _keep_showing(self, survey: Survey) -> None:
        tick = 0
        while self.session.survey is survey:
            self._show()
            if tick % REPAINT_TICKS == 0 and self.layer.survey is survey:
                self.layer.repaint()
            tick += 1
            await asyncio.sleep(TICK_S)

    def _mind_start(self) -> None:
        self._start.disabled = self.plan.grid is None or self.session.goes_on

    def _show(self) -> None:
        survey = self.layer.survey
        self._work.hidden = survey is None
        if survey is None:
            self._summary.textContent = "Survey"
            return
        count, waiting = len(survey.grid), survey.count(CellState.WAITING)
        goes_on = self.session.goes_on
        self._bar.value = (count - waiting) / count
        self._bar.hidden = not waiting
        share = f"{100 * (count - waiting) // count} %"
        self._summary.textContent = f"Survey {share}" if waiting else "Survey"
        self._pause.hidden = self._cancel.hidden = not waiting
        self._pause.textContent = "Pause" if goes_on else "Resume"
        self._pause.disabled = self.session.pausing
        failed = survey.count(*AGAIN)
        self._retry.hidden = not failed or goes_on or bool(waiting)
        self._retry.textContent = f"Retry {squares(failed)}"
        self._said.textContent = progress(survey, goes_on, self.session.rate)

"""Which answers the page gives: those of the taught classes, or the model's own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pyscript import web

from pyapp.bridge import browser
from pyapp.core.survey.survey import Survey
from pyapp.core.teach.recolour import recoloured
from pyapp.core.teach.steps import finished
from pyapp.core.teach.taught import Taught
from pyapp.ui.answer.classify import Classify
from pyapp.ui.shell.dom import on
from pyapp.ui.survey.layer import SurveyLayer
from pyapp.ui.teach.wording import not_carried
from pyapp.work.models import Models
from pyapp.work.session import SurveySession
from pyapp.work.tasks import Tasks
from pyapp.work.teach.slices import in_slices
from pyapp.work.teach.teacher import Teacher


@dataclass
class Answers:
    """Switches between the answers; the last answer and the survey on the map follow."""

    teacher: Teacher
    models: Models
    classify: Classify
    layer: SurveyLayer
    session: SurveySession
    tasks: Tasks
    _seen: tuple[Survey, str, Survey] | None = None
    _task: asyncio.Task[None] | None = None

    def __post_init__(self):
        self._row = web.page["answers"]
        self._taught = web.page["answers-taught"]
        self._original = web.page["answers-original"]
        self._said = web.page["answers-said"]
        on("click", self._taught, lambda: self.teacher.switch(True))
        on("click", self._original, lambda: self.teacher.switch(False))
        self.layer.see_as(self.seen)
        self.layer.on_change(self._say_corrections)
        self.teacher.on_change(self._show)
        self.models.on_teach(self._follow)
        self.models.on_change(self._model_changed)
        self.session.on_change(self._work_changed)

    def seen(self, survey: Survey) -> Survey:
        """A survey as it is to be seen: with the answers that the page gives, if it can be."""
        taught = self._others(survey)
        if taught is None:
            return survey
        if self._seen is None or self._seen[:2] != (survey, _key(taught, survey)):
            self._take(taught, survey, finished(recoloured(taught, survey)))
        assert self._seen is not None
        return self._seen[2]

    def _others(self, survey: Survey) -> Taught | None:
        """What gives other answers than a survey is stored with; ``None`` for its own."""
        taught = self.teacher.in_use
        if taught is None or survey.model.sha256 == taught.card.sha256:
            return None
        return None if self.session.survey is survey or not taught.can_show(survey) else taught

    def _take(self, taught: Taught, survey: Survey, seen: Survey) -> None:
        self._seen = (survey, _key(taught, survey), seen)

    async def _recolour(self) -> None:
        """Prepare other answers of the survey on the map in slices, then show them."""
        survey = self.layer.original
        taught = None if survey is None else self._others(survey)
        if survey is not None and taught is not None:
            start_ms = browser.now_ms()
            seen = await in_slices(recoloured(taught, survey), browser)
            self._take(taught, survey, seen)
            browser.measure("lookdown:recolour", start_ms, browser.now_ms())
        self.layer.recolour()

    def _recolour_soon(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = self.tasks.start(self._recolour())

    def _follow(self) -> None:
        self._recolour_soon()
        self.classify.answer_again()

    async def _model_changed(self) -> None:
        self.layer.recolour()

    def _work_changed(self) -> None:
        if not self.session.goes_on:
            self._recolour_soon()

    def _say_corrections(self) -> None:
        """Say of how many corrections nothing is seen now."""
        stored, shown = self.layer.original, self.layer.survey
        left_out = (
            0
            if stored is None or shown is None
            else len(stored.corrections) - len(shown.corrections)
        )
        self._said.textContent = not_carried(left_out)
        self._said.hidden = not left_out

    def _show(self) -> None:
        self._row.hidden = self.teacher.taught is None
        taught = self.models.taught is not None
        self._taught.setAttribute("aria-pressed", "true" if taught else "false")
        self._original.setAttribute("aria-pressed", "false" if taught else "true")


def _key(taught: Taught, survey: Survey) -> str:
    """Changes when a survey must be recoloured anew."""
    return f"{taught.card.sha256} {taught.card.threshold} {survey.version}"

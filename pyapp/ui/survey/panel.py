"""A survey at work, and its progress."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import datetime

from pyscript import web, when

from pyapp.bridge import browser
from pyapp.bridge.database import Store
from pyapp.core.errors import LookdownError, StoreError
from pyapp.core.imagery.source import Source
from pyapp.core.survey.survey import (
    AGAIN,
    BLANK,
    BLURRED,
    FAILED,
    LEFT_OUT,
    MISSING,
    WAITING,
    Batch,
    ImageryFacts,
    ModelFacts,
    Survey,
)
from pyapp.ui.answer.classify import Classify
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.panel.layer import SurveyMap
from pyapp.ui.survey.panel.plan import Plan, duration
from pyapp.work.surveyor import Surveyor

TICK_S = 0.25
PAUSE_LIMIT_S = 2.0
REPAINT_TICKS, SAVE_TICKS = 2, 4


class SurveyPanel:
    """The survey on the map while it goes on: begun, paused, gone on with, cancelled, kept."""

    def __init__(
        self,
        plan: Plan,
        imagery: ImageryPanel,
        classify: Classify,
        survey_map: SurveyMap,
        store: Store,
        notice: Notice,
    ):
        self._plan = plan
        self._imagery = imagery
        self._classify = classify
        self._shown = survey_map
        self._store = store
        self._notice = notice
        self._surveyor: Surveyor | None = None
        self._task: asyncio.Task | None = None
        self._unsaved: list[tuple[Survey, Batch]] = []
        self._keeps = True
        self._saving = asyncio.Lock()
        self._on_saved: Callable[[], None] = lambda: None
        self._details = web.page["survey"]
        self._summary = self._details.find("summary span")[0]
        self._start = web.page["survey-start"]
        self._work = web.page["survey-work"]
        self._bar = web.page["survey-bar"]
        self._said = web.page["survey-said"]
        self._pause = web.page["survey-pause"]
        self._cancel = web.page["survey-cancel"]
        self._retry = web.page["survey-retry"]
        for button, handler in {
            "survey-start": self.start,
            "survey-pause": self.pause_or_go_on,
            "survey-cancel": self.cancel,
            "survey-retry": self._try_again,
        }.items():
            when("click", web.page[button])(lambda _event, handler=handler: handler())
        classify.on_model(self._model_changed)
        survey_map.on_change(self._show_work)
        browser.on_window("pagehide", lambda _event: asyncio.ensure_future(self._save()))
        self._plan.on_change(self._mind_start)
        self._plan.renew()

    @property
    def goes_on(self) -> bool:
        """Whether a survey is at work."""
        return self._task is not None

    @property
    def can_go_on(self) -> bool:
        """Whether the survey on the map is paused."""
        survey = self._shown.survey
        return not self.goes_on and survey is not None and bool(len(survey.waiting))

    def on_saved(self, handler: Callable[[], None]) -> None:
        """Call ``handler()`` when what is kept has changed."""
        self._on_saved = handler

    def toggle(self) -> None:
        """Open or close the panel."""
        self._details.open = not self._details.open
        if self._details.open:
            self._details.find("summary")[0].focus()

    def close(self) -> None:
        """Close the panel."""
        self._details.open = False

    def _mind_start(self) -> None:
        self._start.disabled = self._plan.grid is None or self.goes_on

    async def _model_changed(self) -> None:
        """A survey goes on with its own model only, which is about to be given up."""
        if self.goes_on:
            self._surveyor.stop()
            await asyncio.wait((self._task,))
        self._surveyor = None
        self._plan.renew()

    def start(self) -> None:
        """Begin to survey the area."""
        if self._plan.grid is None or self.goes_on:
            return
        source, now = self._imagery.source, datetime.now()
        survey = Survey(
            id=uuid.uuid4().hex,
            name=f"{source.name.split(',')[0]}, {now.day} {now:%b %H:%M}",
            made=now.isoformat(timespec="seconds"),
            area=self._plan.area,
            grid=self._plan.grid,
            model=ModelFacts.of(self._classify.model.card),
            imagery=ImageryFacts.of(source),
        )
        self._keeps = True
        self._plan.hide()
        self._shown.show(survey)
        self.work_on(survey, source)

    def work_on(self, survey: Survey, source: Source) -> None:
        """Begin or go on with the cells that wait."""
        if self.goes_on:
            return
        if self._surveyor is None or self._surveyor.survey is not survey:
            self._surveyor = Surveyor(survey, self._classify.model, source, self._came_out)
        self._task = asyncio.ensure_future(self._run(survey, self._surveyor))
        self._show_work()

    def pause_or_go_on(self) -> None:
        """Pause the survey, or go on with it."""
        if self.goes_on:
            self._surveyor.stop()
            self._pause.disabled = True
            task, loop = self._task, asyncio.get_running_loop()
            # A tile that hangs does not hold up the pause; its cells wait again.
            loop.call_later(PAUSE_LIMIT_S, lambda: task.done() or task.cancel())
        else:
            self.go_on()

    def go_on(self) -> None:
        """Go on with the survey on the map, on the imagery and with the model it was begun with."""
        survey = self._shown.survey
        if survey is None or self.goes_on:
            return
        source, model = self._imagery.find(survey.imagery), self._classify.model
        if source is None:
            self._notice.say(
                f"The survey was begun on {survey.imagery.name}, which is not chosen now. "
                "Choose that imagery to go on."
            )
        elif model is None or model.card.sha256 != survey.model.sha256:
            self._notice.say(
                f"The survey was begun with the model {survey.model.title}, which is not the one "
                "in use. Choose that model to go on, or begin a new survey."
            )
        else:
            self.work_on(survey, source)

    def cancel(self) -> None:
        """End the survey where it is; what was named stays."""
        if self.goes_on:
            self._task.cancel()
        survey = self._shown.survey
        if survey is not None:
            self._finish(survey)

    def _finish(self, survey: Survey) -> None:
        """Let the cells that wait be without an answer, so that the survey is done."""
        waiting = survey.waiting
        if len(waiting):
            batch = Batch.without_imagery(waiting, LEFT_OUT)
            survey.add(batch)
            self._came_out(survey, batch)
            asyncio.ensure_future(self._save())  # noqa: RUF006
        self._show_work()
        self._shown.repaint()

    def _try_again(self) -> None:
        survey = self._shown.survey
        if survey is not None and not self.goes_on and survey.look_again():
            self.go_on()

    def _came_out(self, survey: Survey, batch: Batch) -> None:
        self._unsaved.append((survey, batch))

    async def _run(self, survey: Survey, surveyor: Surveyor) -> None:
        showing = asyncio.ensure_future(self._keep_showing(survey))
        try:
            await self._store_facts(survey)
            await surveyor.run()
        except LookdownError as error:
            self._notice.tell(error)
        finally:
            showing.cancel()
            self._task = None
            self._pause.disabled = False
            if surveyor.rate:
                self._classify.model.note_rate(surveyor.rate)
            self._show_work()
            self._shown.repaint()
            self._mind_start()
            await self._save()
            self._on_saved()

    async def _keep_showing(self, survey: Survey) -> None:
        tick = 0
        while True:
            await asyncio.sleep(TICK_S)
            tick += 1
            self._show_work()
            if tick % REPAINT_TICKS == 0 and self._shown.survey is survey:
                self._shown.repaint()
            if tick % SAVE_TICKS == 0:
                await self._save()

    async def keep(self, survey: Survey) -> None:
        """Keep a survey that came as a file."""
        self._keeps = True
        await self._store_facts(survey)
        self._came_out(survey, survey.to_batch())
        await self._save()
        self._on_saved()

    async def _store_facts(self, survey: Survey) -> None:
        if self._keeps:
            try:
                await self._store.put(survey)
            except StoreError as error:
                self._keeps = False
                self._notice.tell(error)

    async def _save(self) -> None:
        """Keep what came out since the last time."""
        async with self._saving:
            unsaved, self._unsaved = self._unsaved, []
            by_survey = {id(survey): survey for survey, _ in unsaved}
            try:
                for survey in by_survey.values() if self._keeps else ():
                    batches = [batch for each, batch in unsaved if each is survey]
                    await self._store.add(survey, Batch.joined(batches))
            except StoreError as error:
                self._keeps = False
                self._notice.tell(error)

    def _show_work(self) -> None:
        survey = self._shown.survey
        self._work.hidden = survey is None
        if survey is None:
            self._summary.textContent = "Survey"
            return
        count, waiting = len(survey.grid), survey.count(WAITING)
        done = count - waiting
        self._bar.value = done / count
        self._bar.hidden = not waiting
        share = f"{100 * done // count} %"
        self._summary.textContent = f"Survey {share}" if waiting else "Survey"
        self._pause.hidden = self._cancel.hidden = not waiting
        self._pause.textContent = "Pause" if self.goes_on else "Go on"
        failed = survey.count(*AGAIN)
        self._retry.hidden = not failed or self.goes_on or bool(waiting)
        self._retry.textContent = f"Look again at {failed:,} squares"
        self._said.textContent = self._progress(survey, done, count)

    def _progress(self, survey: Survey, done: int, count: int) -> str:
        parts = [f"{done:,} of {count:,} squares"]
        rate = self._surveyor.rate if self.goes_on else 0
        if done == count:
            parts = [f"{count:,} squares, done"]
        elif rate:
            parts += [f"{rate:.0f} a second", f"{duration((count - done) / rate)} left"]
        elif not self.goes_on:
            parts.append("paused")
        for state, name in (((MISSING, FAILED), "without imagery"), ((BLANK,), "placeholders"),
                            ((BLURRED,), "blurred"), ((LEFT_OUT,), "left out")):  # fmt: skip
            found = survey.count(*state)
            if found:
                parts.append(f"{found:,} {name}")
        return ", ".join(parts)

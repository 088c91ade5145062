"""A survey at work: started, paused, continued, cancelled; stored as it grows."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from pyapp.core.errors import ForbiddenSurveyError, LookdownError, StoreError, SurveyRunningError
from pyapp.core.ground.area import Area
from pyapp.core.ground.grid import Grid
from pyapp.core.imagery.source import Source
from pyapp.core.state import CellState
from pyapp.core.survey.batch import Batch
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from pyapp.core.survey.learned import cells_over
from pyapp.core.survey.survey import Survey
from pyapp.work.busy import SURVEY, Busy
from pyapp.work.ground import Ground
from pyapp.work.models import Models
from pyapp.work.ports import Clock
from pyapp.work.store import Store
from pyapp.work.surveyor import Surveyor, Work
from pyapp.work.tasks import Tasks, begin, end

# Seconds from one saving to the next.
SAVE_S = 1.0
# A tile that hangs does not hold up a pause for longer than this; its cells wait again.
PAUSE_LIMIT_S = 2.0


class Kept(Work, Protocol):
    """Work that is stored: a `Survey`, or plots."""

    @property
    def id(self) -> str:
        """Another one for each."""

    @property
    def model(self) -> ModelFacts:
        """Of what gives the answers."""


W = TypeVar("W", bound=Kept)
Stored = TypeVar("Stored", contravariant=True)


class Keeps(Protocol[Stored]):
    """Where it is stored; both raise `StoreError`."""

    async def put(self, survey: Stored, /) -> None:
        """Store the facts."""

    async def add(self, survey: Stored, batch: Batch, /) -> None:
        """Store what came out."""


class Session(Generic[W]):
    """The survey, or the plots, at work, if there are any.

    Parameters
    ----------
    models : Models
    ground : Ground
    store : Keeps
    clock : Clock
    tasks : Tasks
    busy : Busy
    """

    def __init__(
        self,
        models: Models,
        ground: Ground,
        store: Keeps[W],
        clock: Clock,
        tasks: Tasks,
        busy: Busy,
    ):
        self._models = models
        self._ground = ground
        self._store = store
        self._clock = clock
        self._tasks = tasks
        self._busy = busy
        self._surveyor: Surveyor[W] | None = None
        self._task: asyncio.Task[None] | None = None
        self._unsaved: list[tuple[W, Batch]] = []
        # Surveys that can't be stored, which was said once.
        self._refused: set[str] = set()
        self._saving = asyncio.Lock()
        self._pausing = False
        self._on_change: list[Callable[[], object]] = []
        self._on_saved: list[Callable[[], object]] = []
        models.on_change(self._model_changed)

    @property
    def survey(self) -> W | None:
        """The survey that is being worked on now."""
        return self._surveyor.survey if self._task is not None and self._surveyor else None

    @property
    def goes_on(self) -> bool:
        """Whether a survey is at work."""
        return self._task is not None

    @property
    def pausing(self) -> bool:
        """Whether it is about to pause."""
        return self._pausing

    @property
    def rate(self) -> float:
        """Squares per second over the last seconds; 0 if unknown."""
        return self._surveyor.rate if self._task is not None and self._surveyor else 0.0

    def on_change(self, handler: Callable[[], object]) -> None:
        """Call ``handler()`` when a survey has begun to work, or has stopped."""
        self._on_change.append(handler)

    def on_saved(self, handler: Callable[[], object]) -> None:
        """Call ``handler()`` when what is stored has changed."""
        self._on_saved.append(handler)

    def work_on(self, survey: W, source: Source) -> None:
        """Work on the cells that wait, with the model in use.

        If the survey is one of what was taught, the answers are by that.
        """
        runner = self._models.runner
        if self.goes_on or runner is None:
            return
        if self._busy.is_doing(SURVEY):
            # Plots and a survey would wait for each other all the time.
            self._tasks.report(SurveyRunningError("start something else"))
            return
        if not source.allows.bulk:
            self._tasks.report(ForbiddenSurveyError(source.name, []))
            return
        taught = self._models.taught
        if taught is not None and taught.card.sha256 != survey.model.sha256:
            taught = None
        if (
            self._surveyor is None
            or self._surveyor.survey is not survey
            or self._surveyor.runner is not runner
        ):
            self._surveyor = Surveyor(
                survey, runner, source, self._ground, self._clock, self._came_out, taught
            )
        self._pausing = False
        self._task = self._tasks.start(self._run(survey, self._surveyor))
        self._changed()

    async def pause(self) -> None:
        """Stop once what is under way has come out, and wait until all is stored."""
        task, surveyor = self._task, self._surveyor
        if task is None or surveyor is None:
            return
        self._pausing = True
        surveyor.stop()
        self._changed()
        limit = begin(self._clock.sleep(PAUSE_LIMIT_S))
        await asyncio.wait((task, limit), return_when=asyncio.FIRST_COMPLETED)
        await end(limit)
        await end(*([] if task.done() else [task]))

    async def cancel(self, survey: W) -> None:
        """End a survey where it is: the cells that wait are left out."""
        if survey is self.survey:
            await end(self._task)
        waiting = survey.waiting
        if len(waiting):
            batch = Batch.without_imagery(waiting, CellState.LEFT_OUT)
            survey.add(batch)
            self._came_out(survey, batch)
            await self.save()
        self._saved()

    async def save(self) -> None:
        """Store what came out since the last time; cut short, it is stored the next time."""
        async with self._saving:
            while self._unsaved:
                survey = self._unsaved[0][0]
                batches = [batch for each, batch in self._unsaved if each is survey]
                if survey.id not in self._refused:
                    try:
                        await self._store.add(survey, Batch.joined(batches))
                    except StoreError as error:
                        self._refuse(survey, error)
                # More of it may have come out meanwhile, behind these.
                taken = {id(batch) for batch in batches}
                self._unsaved = [each for each in self._unsaved if id(each[1]) not in taken]

    async def _run(self, survey: W, surveyor: Surveyor[W]) -> None:
        saving = self._tasks.start(self._keep_saving())
        with self._busy.doing(SURVEY):
            try:
                await self._put(survey)
                await surveyor.run()
            except LookdownError as error:
                self._tasks.report(error)
            finally:
                await end(saving)
                if surveyor.rate:
                    surveyor.runner.note_rate(surveyor.rate)
                # What nobody expected must not keep the survey from being stored.
                self._task = None
                self._pausing = False
                try:
                    await self.save()
                finally:
                    self._changed()
                    self._saved()

    async def _keep_saving(self) -> None:
        while True:
            await self._clock.sleep(SAVE_S)
            await self.save()

    async def _model_changed(self) -> None:
        """A survey goes on with its own model only, which is about to be closed."""
        await self.pause()

    async def _put(self, survey: W) -> None:
        try:
            await self._store.put(survey)
            self._refused.discard(survey.id)
        except StoreError as error:
            self._refuse(survey, error)

    def _refuse(self, survey: W, error: StoreError) -> None:
        if survey.id not in self._refused:
            self._refused.add(survey.id)
            self._tasks.report(error)

    def _came_out(self, survey: W, batch: Batch) -> None:
        self._unsaved.append((survey, batch))

    def _changed(self) -> None:
        for handler in self._on_change:
            handler()

    def _saved(self) -> None:
        for handler in self._on_saved:
            handler()


class SurveySession(Session[Survey]):
    """The survey at work, if there is one."""

    def __init__(
        self, models: Models, ground: Ground, store: Store, clock: Clock, tasks: Tasks, busy: Busy
    ):
        super().__init__(models, ground, store, clock, tasks, busy)
        self._surveys = store

    def begin(self, area: Area, grid: Grid, source: Source) -> Survey:
        """A new survey with the model in use; `work_on` starts it."""
        assert self._models.card is not None, "a survey needs a model"
        now, taught = datetime.now(), self._models.taught
        survey = Survey(
            id=uuid.uuid4().hex,
            name=f"{source.name.split(',')[0]}, {now.day} {now:%b %H:%M}",
            made=now.isoformat(timespec="seconds"),
            area=area,
            grid=grid,
            model=ModelFacts.of(self._models.card),
            imagery=ImageryFacts.of(source),
        )
        if taught is not None and taught.ground is not None:
            survey.learned = cells_over(grid, taught.ground)
        return survey

    async def keep(self, survey: Survey) -> None:
        """Store a survey that came as a file."""
        await self._put(survey)
        self._came_out(survey, survey.to_batch())
        await self.save()
        if survey.check and survey.id not in self._refused:
            await self._surveys.put_check(survey)
        self._saved()

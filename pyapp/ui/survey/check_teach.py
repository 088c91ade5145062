"""Teach from these: judged squares become examples, and a part of them is kept aside."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pyscript import web

from pyapp.core.accuracy.examples import Division, divide
from pyapp.core.errors import (
    LookdownError,
    ModelError,
)
from pyapp.core.teach.project import Project
from pyapp.ui.device.wording import NO_EMBEDDING
from pyapp.ui.shell.dom import fill, on, option, worded
from pyapp.ui.shell.keys import Keys
from pyapp.ui.survey.check_wording import not_shown, reading, teach_notes, to_teach
from pyapp.ui.teach.projects import Projects
from pyapp.ui.teach.room import TEACH, TeachRoom
from pyapp.work.ground import Ground
from pyapp.work.models import Models
from pyapp.work.runner import Runner
from pyapp.work.teach.judged import Judgements, check_side, project_for, teach_from

NEW, ADD = "new", "add"


@dataclass
class TeachFrom:
    """The window that says what will be learned from and what is kept aside, and does it."""

    projects: Projects
    room: TeachRoom
    models: Models
    ground: Ground
    keys: Keys
    _judgements: Judgements | None = None
    _then: Callable[[], object] = lambda: None
    _task: "asyncio.Task[None] | None" = None
    _waits: bool = False

    def __post_init__(self):
        self._teacher, self._notice = self.projects.teacher, self.projects.notice
        self._window = web.page["teach-from"]
        self._into = web.page["teach-into"]
        self._said = web.page["teach-from-said"]
        self._notes = web.page["teach-from-notes"]
        self._yes = web.page["teach-from-yes"]
        self._projects: dict[str, Project] = {}
        on("click", web.page["teach-from-no"], self._window.close)
        on("click", self._yes, self._begin)
        on("change", self._into, self._show)
        on("close", self._window, self._closed)
        self._teacher.on_change(self._show_figure)

    def open(self, judgements: Judgements, then: Callable[[], object]) -> None:
        """Offer to teach from judged squares; if that can't be done, say why.

        Parameters
        ----------
        judgements : Judgements
        then : callable
            Called once it is done.
        """
        try:
            self._runner_for(judgements)
            chosen = self._offer(judgements)
        except LookdownError as error:
            self._notice.tell(error, TEACH)
            return
        self._notice.clear(TEACH)
        self._judgements, self._then = judgements, then
        names = {NEW: "a new project", ADD: self._teacher.project.name}
        fill(self._into, [option(names[each], each) for each in self._projects])
        self._into.value = chosen
        web.page["teach-into-row"].hidden = len(self._projects) < 2
        self.keys.give_to(lambda _name: False)
        self._window.showModal()
        self._show()

    def _runner_for(self, judgements: Judgements) -> Runner:
        """The model in use, if it can learn from these squares."""
        runner = self.models.runner
        if runner is None:
            raise self.models.error or ModelError("The model is still being loaded.")
        if not runner.card.embeds:
            raise ModelError(NO_EMBEDDING)
        check_side(judgements.survey, runner.card)
        return runner

    def _offer(self, judgements: Judgements) -> str:
        """Note which projects can take the squares; which of them is offered first.

        Raises
        ------
        TeachFromError
            If none can.
        """
        used, taught = self._teacher.project, self._teacher.taught
        candidates = {NEW: project_for(judgements.survey, self.projects.names)}
        if used.classes:
            candidates[ADD] = used
        # What a project taught is taught on in it.
        own = taught is not None and taught.card.sha256 == judgements.survey.model.sha256
        can = {each: self._divided(judgements, project) is not None
               for each, project in candidates.items()}  # fmt: skip
        if not any(can.values()):
            divide(judgements.check, judgements.survey, candidates[NEW])
        self._projects = candidates
        return ADD if can.get(ADD) and (own or not can[NEW]) else NEW

    @staticmethod
    def _divided(judgements: Judgements, project: Project) -> Division | None:
        try:
            return divide(judgements.check, judgements.survey, project)
        except LookdownError:
            return None

    def _show(self) -> None:
        """Say what will be done with the squares in the chosen project."""
        judgements, runner = self._judgements, self.models.runner
        if judgements is None or runner is None:
            return
        project, survey = self._projects[self._into.value], judgements.survey
        notes: list[str] = []
        try:
            division = divide(judgements.check, survey, project)
            self._said.textContent = to_teach(division)
            notes = teach_notes(division, judgements.check, survey, runner.card.title, project.name)
            self._yes.disabled = False
        except LookdownError as error:
            self._said.textContent = str(error)
            self._yes.disabled = True
        fill(self._notes, [worded(web.li(), each) for each in notes])

    def _begin(self) -> None:
        self._yes.disabled = self._into.disabled = True
        self._task = self.projects.tasks.start(self._teach(self._projects[self._into.value]))

    async def _teach(self, project: Project) -> None:
        judgements, before = self._judgements, self._teacher.project
        assert judgements is not None, "the window is open"
        try:
            taken = await teach_from(
                judgements, project, self._teacher, self.ground,
                self._runner_for(judgements).card, self._progress,
            )  # fmt: skip
        except LookdownError as error:
            self._said.textContent = str(error)
            self._yes.disabled = self._into.disabled = False
            return
        self._task, self._teacher.uses_taught = None, True
        self.projects.taken("teaching from the check", before)
        self._window.close()
        self._then()
        self.room.open()
        self._waits = True
        if taken.missing:
            self._notice.say(not_shown(taken.missing), TEACH)

    def _show_figure(self) -> None:
        """Once it has learned, bring into sight how good it is."""
        if self._waits and self._teacher.aside:
            self._waits = False
            web.page["figures"].scrollIntoView()

    def _progress(self, done: int, count: int) -> None:
        self._said.textContent = reading(done, count)

    def _closed(self) -> None:
        """Give up what is going on; nothing is changed before the end."""
        self.keys.give_to(None)
        self._into.disabled = False
        self._judgements = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

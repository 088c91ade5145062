"""The project in use: its one owner. What it is taught is learned at once, in the background."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from pyapp.core.errors import ForeignGraphError, ModelError
from pyapp.core.ground.geo import Footprint
from pyapp.core.teach.archive import to_png
from pyapp.core.teach.aside import AsideVerdict, judge_aside
from pyapp.core.teach.curve import Curve, learning_curve
from pyapp.core.teach.example import Example
from pyapp.core.teach.fit import Head
from pyapp.core.teach.folds import places_of
from pyapp.core.teach.gram import Gram
from pyapp.core.teach.graph import Graph
from pyapp.core.teach.judge import Verdict
from pyapp.core.teach.learn import learn, prior_head
from pyapp.core.teach.project import Project, digest_of
from pyapp.core.teach.taught import Taught
from pyapp.work.loading import ModelFiles
from pyapp.work.models import Models
from pyapp.work.ports import Clock
from pyapp.work.runner import Runner
from pyapp.work.tasks import Tasks, end
from pyapp.work.teach.pictures import Pictures
from pyapp.work.teach.slices import in_slices

FIRST_NAME = "My classes"


class Given(NamedTuple):
    """A chip that a person gives as an example.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (S, S, 3)
    place : Footprint or None
    credit : str
    """

    pixels: np.ndarray
    place: Footprint | None
    credit: str


class Teacher:
    """Holds the project in use, and what was learned from it.

    Parameters
    ----------
    models : Models
    files : ModelFiles
    pictures : Pictures
    clock : Clock
    tasks : Tasks

    Attributes
    ----------
    project : Project
    taught : Taught or None
        ``None`` with fewer than two classes that have examples.
    verdict : Verdict or None
        How good it is, if that can be told.
    curve : Curve or None
        Comes a little later than the verdict.
    aside : tuple of AsideVerdict
        How good it is on squares that were kept aside from checks.
    embedding : ndarray of float64, shape (n, D)
        Of the examples that it is fitted to, in the order of ``learned.fitted``.
    learned : Project
        The project that all this is about; a moment ago, it was the one in use.
    uses_taught : bool
        Whether the person wants taught answers.
    doing : str
        What is going on, as a person reads it; empty if nothing is.
    """

    def __init__(
        self, models: Models, files: ModelFiles, pictures: Pictures, clock: Clock, tasks: Tasks
    ):
        self._models = models
        self._files = files
        self._pictures = pictures
        self._clock = clock
        self._tasks = tasks
        self._on_change: list[Callable[[], None]] = []
        self._learning: asyncio.Task[None] | None = None
        self._gram = Gram()
        self._rows: tuple[str, list[str]] = ("", [])
        self._trained: Taught | None = None
        self.project = new_project(FIRST_NAME)
        self.learned = self.project
        self.taught: Taught | None = None
        self.verdict: Verdict | None = None
        self.curve: Curve | None = None
        self.aside: tuple[AsideVerdict, ...] = ()
        self.uses_taught = True
        self.doing = ""
        models.on_change(self._model_changed)

    @property
    def pictures(self) -> Pictures:
        """The pictures of the examples."""
        return self._pictures

    @property
    def embedding(self) -> np.ndarray:
        """Of the examples that `learned` is fitted to, float64 of shape (n, D)."""
        return self._gram.embedding

    def on_change(self, handler: Callable[[], None]) -> None:
        """Call ``handler()`` after the project, what was learned, or what goes on has changed."""
        self._on_change.append(handler)

    def take(self, project: Project, keep: bool = True) -> None:
        """Use a project, or another state of the one in use, and learn from it.

        Parameters
        ----------
        project : Project
        keep : bool
            Whether it has to be stored.
        """
        if project.id != self.project.id:
            self._forget()
        self.project = project
        self._begin(keep)

    async def add(self, label: str, given: Sequence[Given]) -> None:
        """Take examples of a class.

        Raises
        ------
        TwoClassesError
            If one is an example of another class; then none is taken.
        FullProjectError
        """
        pictures = {}
        examples = []
        for each in given:
            png = to_png(each.pixels)
            pictures[digest_of(png)] = png
            examples.append(
                Example(digest_of(png), label, len(each.pixels), each.place, each.credit)
            )
        project = self.project.with_examples(examples)
        await self._pictures.keep(project.id, pictures)
        # Others may have been given meanwhile.
        self.take(self.project.with_examples(examples))

    def switch(self, uses_taught: bool) -> None:
        """Answer with what was taught, or with the model's own classes."""
        self.uses_taught = uses_taught
        self._models.use(self.taught if uses_taught else None)
        self._changed()

    async def trained(self, runner: Runner) -> Taught | None:
        """A model with its own last layer; ``None`` if its graph has none that can be read."""
        if self._trained is None or self._trained.card.sha256 != runner.card.sha256:
            self._trained = None
            try:
                graph = Graph(await self._files.file(runner.card))
                self._trained = Taught(runner.card, graph.head, graph.temperature)
            except (ForeignGraphError, ModelError):
                # It only makes a better start.
                return None
        return self._trained

    @property
    def in_use(self) -> Taught | None:
        """What gives the answers now: what was taught, or the model's own layer if it is known."""
        runner = self._models.runner
        own = self._trained
        if own is not None and (runner is None or own.card.sha256 != runner.card.sha256):
            own = None
        return self._models.taught or own

    def _begin(self, keep: bool) -> None:
        before = self._learning
        if len(self.project.taught) >= 2:
            # Said from now on, as storing comes first and may take a while.
            self.doing = "Learning"
        self._learning = self._tasks.start(self._keep_and_learn(before, self.project, keep))
        self._changed()

    async def _keep_and_learn(
        self, before: "asyncio.Task[None] | None", project: Project, keep: bool
    ) -> None:
        await end(before)
        if keep:
            await self._pictures.put(project)
        try:
            await self._learn(project)
        finally:
            if project is self.project:
                self._say("")

    async def _learn(self, project: Project) -> None:
        runner = self._models.runner
        if runner is None:
            return
        if not runner.card.embeds:
            # There is nothing to learn from; the examples stay for another model.
            self._forget()
            self.learned = project
            return
        labels = project.taught
        if len(labels) < 2:
            self._forget()
            self.learned = project
            return
        found = await self._embedded(project, runner)
        embedding = self._gram.embedding
        self._say("Learning")
        trained = await self.trained(runner)
        known = None if trained is None else trained.head
        prior = prior_head(labels, runner.card.labels, known, embedding)
        ids = {label: number for number, label in enumerate(labels)}
        classes = np.array([ids[each.label] for each in project.fitted], np.int64)
        places = places_of([each.place for each in project.fitted])
        head, verdict, lesson = await in_slices(
            learn(self._gram, prior, classes, places), self._clock
        )
        self.taught, self.verdict = Taught.of(project, runner.card, head, verdict), verdict
        self.curve, self.learned = None, project
        self.aside = judge_aside(project, self._said(project, head, found))
        if self.uses_taught and runner is self._models.runner:
            self._models.use(self.taught)
        self._changed()
        if verdict is not None:
            self.curve = await in_slices(learning_curve(lesson, verdict), self._clock)
            self._changed()

    @staticmethod
    def _said(project: Project, head: Head, embeddings: dict[str, np.ndarray]) -> dict[str, str]:
        """The best class of each example that is kept aside, by its sha256."""
        aside = [each.sha256 for each in project.aside]
        if not aside:
            return {}
        logits = head.logits(np.stack([embeddings[each] for each in aside]))
        labels = project.taught
        return {sha256: labels[best] for sha256, best in zip(aside, logits.argmax(1), strict=True)}

    async def _embedded(self, project: Project, runner: Runner) -> dict[str, np.ndarray]:
        """Embeddings of all examples by their sha256; `_gram` has what the fit needs of them."""

        def progress(done: int, count: int) -> None:
            self._say(f"Looking at {done} of {count} pictures" if count > 1 else "Looking")

        found = await self._pictures.embeddings(project, runner, progress)
        wanted = [each.sha256 for each in project.fitted]
        network, rows = self._rows
        numbers = (
            {sha256: number for number, sha256 in enumerate(rows)}
            if network == runner.card.sha256
            else {}
        )
        kept = np.array([numbers.get(each, -1) for each in wanted], np.int64)
        await in_slices(
            self._gram.renew(np.stack([found[each] for each in wanted]), kept), self._clock
        )
        self._rows = (runner.card.sha256, wanted)
        return found

    def _forget(self) -> None:
        self.taught = self.verdict = self.curve = None
        self.aside = ()
        if self._models.taught is not None:
            self._models.use(None)

    async def _model_changed(self) -> None:
        """Another network is in use: all is learned again, from the pictures."""
        self._forget()
        if self.project.examples:
            self._begin(keep=False)
        self._changed()

    def _say(self, doing: str) -> None:
        if doing != self.doing:
            self.doing = doing
            self._changed()

    def _changed(self) -> None:
        for handler in self._on_change:
            handler()


def new_project(name: str) -> Project:
    """A project without classes."""
    made = datetime.now().isoformat(timespec="seconds")
    return Project(uuid.uuid4().hex, name, made)

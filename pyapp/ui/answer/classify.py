"""The button that names what is under the square."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from pyscript import web

from pyapp.bridge import browser
from pyapp.core.errors import LookdownError
from pyapp.core.imagery.part import Part
from pyapp.core.imagery.photo import Photo
from pyapp.ui.answer.result import ResultPanel
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.dom import on
from pyapp.ui.shell.notice import ANSWER, Notice
from pyapp.work.busy import Busy
from pyapp.work.classifier import Answer, Classifier
from pyapp.work.models import Models
from pyapp.work.tasks import Tasks

# Seconds after which the page shows that it is at work.
PATIENCE_S = 0.2
WAITING_S = 0.1
Work = Callable[[], Coroutine[Any, Any, None]]


@dataclass
class Classify:
    """Classifies what is under the square; pressed again, it cancels.

    Attributes
    ----------
    answer : Answer or None
        The last one.
    """

    classifier: Classifier
    models: Models
    square: Square
    imagery: ImageryPanel
    result: ResultPanel
    notice: Notice
    tasks: Tasks
    busy: Busy
    answer: Answer | None = None
    _task: "asyncio.Task[None] | None" = None
    _shows_work: bool = False
    _on_answer: list[Callable[[Answer], None]] = field(default_factory=list)

    def __post_init__(self):
        self._button = web.page["classify"]
        self._label = self._button.find("span")[0]
        self._label.textContent = "Loading the model"
        on("click", self._button, self.press)
        self.square.on_move(lambda: self.result.fade(True))
        self.models.on_change(self._model_changed)

    def on_answer(self, handler: Callable[[Answer], None]) -> None:
        """Call ``handler(answer)`` after an answer was shown."""
        self._on_answer.append(handler)

    def do(self, work: Work) -> None:
        """Do other work in place of a classification; it can be cancelled like one."""
        self.cancel()
        self._task = self.tasks.start(self._run(work))

    def press(self) -> None:
        """Classify; or cancel, while that is going on."""
        if self._task is not None:
            self.cancel()
        else:
            self.press_anew()

    def press_anew(self) -> None:
        """Classify; what is going on is dropped."""
        if self.models.runner is not None:
            self.do(self._classify_square)

    async def until_ready(self) -> None:
        """Wait until there is a model, and what goes on has ended.

        Raises
        ------
        ModelError
            If there will be none.
        """
        while self.models.runner is None or self._task is not None:
            if self.models.runner is None and self.models.error is not None:
                raise self.models.error
            await asyncio.sleep(WAITING_S)

    async def answer_part(self, photo: Photo, part: Part) -> None:
        """Show what is in a square of a picture."""
        self._show(await self.classifier.part(photo, part))
        self.result.fade(False)

    def answer_again(self) -> None:
        """Answer the last question anew, as the model in use was taught something else."""
        answer = self.answer
        if answer is not None and self._task is None:
            self.do(lambda: self._answer_again(answer))

    def cancel(self) -> None:
        """Stop what is going on; the last answer stays."""
        if self._task is not None:
            self._task.cancel()

    def say_no_model(self) -> None:
        """Say on the button that there is no model to classify with."""
        if self.models.runner is None:
            self._label.textContent = "No model"

    async def _model_changed(self) -> None:
        """Another model is in use; the one before is closed after this."""
        runner = self.models.runner
        if runner is None:
            return
        self.square.resize(runner.card.footprint_m)
        if not self._shows_work:
            self._label.textContent = "Classify"
        self._button.disabled = False
        browser.set_ready()
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def _run(self, work: Work) -> None:
        # An answer that comes at once should not flicker through "Cancel".
        working = asyncio.get_running_loop().call_later(PATIENCE_S, self._show_work, True)
        with self.busy.doing("answer"):
            try:
                await work()
                self.notice.clear(ANSWER)
            except LookdownError as error:
                self.notice.tell(error, ANSWER)
            finally:
                working.cancel()
                if self._task is asyncio.current_task():
                    self._task = None
                    self._show_work(False)

    async def _classify_square(self) -> None:
        footprint = self.square.footprint
        source = self.imagery.to_read(footprint.centre)
        self._show(await self.classifier.square(footprint, source))
        self.result.fade(footprint != self.square.footprint)

    async def _answer_again(self, answer: Answer) -> None:
        self._show(await self.classifier.again(answer))

    def _show(self, answer: Answer) -> None:
        start_ms = browser.now_ms()
        self.answer = answer
        self.result.show(answer)
        browser.measure("lookdown:show", start_ms, browser.now_ms())
        for handler in self._on_answer:
            handler(answer)

    def _show_work(self, working: bool) -> None:
        if working == self._shows_work:
            return
        self._shows_work = working
        self._label.textContent = "Cancel" if working else "Classify"
        self.square.show_work(working)

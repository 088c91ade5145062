"""From the square to the answer."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine

import numpy as np
from pyscript import web, when

from pyapp.bridge import browser
from pyapp.core.errors import LookdownError, ModelError
from pyapp.core.ground.geo import Footprint
from pyapp.core.model.prediction import predictions
from pyapp.ui.answer.result import Answer, ResultPanel
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.notice import Notice
from pyapp.work.ground import Ground, GroundChip, picture_chip
from pyapp.work.runner import Runner

# Seconds after which the page shows that it is at work.
PATIENCE_S = 0.2
WAITING_S = 0.1


class Classify:
    """The button that names what is under the square; pressed again, it cancels."""

    def __init__(
        self,
        square: Square,
        imagery: ImageryPanel,
        ground: Ground,
        result: ResultPanel,
        notice: Notice,
    ):
        self._square = square
        self._imagery = imagery
        self._ground = ground
        self._result = result
        self._notice = notice
        self._model: Runner | None = None
        self._failed: ModelError | None = None
        self._on_model: list[Callable[[], Awaitable[None]]] = []
        self._on_answer: list[Callable[[Answer], None]] = []
        self.answer: Answer | None = None
        self._task: asyncio.Task | None = None
        self._shows_work = False
        self._button = web.page["classify"]
        self._label = self._button.find("span")[0]
        self._label.textContent = "Loading the model"
        when("click", self._button)(lambda _event: self.press())
        square.on_move(lambda: result.fade(True))

    async def use(self, loading: asyncio.Future) -> None:
        """Classify with the model that is being loaded, as soon as it is there.

        Where it can't be loaded, the one before stays.
        """
        before = self._model
        try:
            self._model = await loading
        except ModelError as error:
            if self._model is None:
                self._label.textContent = "No model"
                self._failed = error
            self._notice.tell(error)
            return
        self._square.resize(self._model.card.footprint_m)
        self._label.textContent = "Classify"
        self._button.disabled = False
        browser.set_ready()
        for handler in self._on_model:
            await handler()
        if before not in (None, self._model):
            await self.finish()
            await before.close()

    @property
    def model(self) -> Runner | None:
        """The model in use; ``None`` until it is there."""
        return self._model

    def on_model(self, handler: Callable[[], Awaitable[None]]) -> None:
        """Await ``handler()`` after the model has changed, before the old one is given up."""
        self._on_model.append(handler)

    def on_answer(self, handler: Callable[[Answer], None]) -> None:
        """Call ``handler(answer)`` after an answer was shown."""
        self._on_answer.append(handler)

    def do(self, work: Coroutine) -> None:
        """Do other work in place of a classification, which can be cancelled as one."""
        self.cancel()
        self._task = asyncio.ensure_future(self._run(work))

    @property
    def idle(self) -> bool:
        """Whether nothing is being classified."""
        return self._task is None

    async def finish(self) -> None:
        """Wait until what goes on has ended."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    def press(self) -> None:
        """Classify; or cancel, while that is going on."""
        if self._task is not None:
            self.cancel()
        elif self._model is not None:
            self._task = asyncio.ensure_future(self._run(self._classify_square()))

    def press_anew(self) -> None:
        """Classify; what is going on is dropped."""
        if self._model is not None:
            self.do(self._classify_square())

    async def classify_picture(self, data: bytes) -> None:
        """Classify the middle of an encoded picture, once what goes on has ended."""
        while self._model is None or self._task is not None:
            if self._model is None and self._failed is not None:
                self._notice.tell(self._failed)
                return
            await asyncio.sleep(WAITING_S)
        self._task = asyncio.ensure_future(self._run(self._classify_picture(data)))

    def cancel(self) -> None:
        """Stop what is going on; the last answer stays."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self, work: Coroutine) -> None:
        # An answer that comes at once should not flicker through "Cancel".
        working = asyncio.get_running_loop().call_later(PATIENCE_S, self._show_work, True)
        try:
            await work
            if self._notice.stands:
                self._notice.clear()
        except LookdownError as error:
            self._notice.tell(error)
        finally:
            working.cancel()
            if self._task is asyncio.current_task():
                self._task = None
                self._show_work(False)

    async def _classify_square(self) -> None:
        footprint, source, model = self._square.footprint, self._imagery.source, self._model
        start_ms = browser.now_ms()
        chip = await self._ground.chip(source, footprint, model.card)
        browser.measure("lookdown:read", start_ms, start_ms + chip.read_ms)
        await self._name(model, chip, footprint, source.credit)
        self._result.fade(footprint != self._square.footprint)

    async def _classify_picture(self, data: bytes) -> None:
        model = self._model
        chip = await picture_chip(data, model.card)
        await self._name(model, chip, None, "a picture of your own")
        self._result.fade(False)

    async def _name(
        self, model: Runner, chip: GroundChip, footprint: Footprint | None, credit: str
    ) -> None:
        chip_ms = browser.now_ms()
        outputs = await model.run(chip.pixels[np.newaxis])
        inferred_ms = browser.now_ms()
        (prediction,) = predictions(model.card, outputs)
        infer_ms = inferred_ms - chip_ms
        self.answer = Answer(footprint, credit, chip, model.card, prediction, infer_ms)
        self._result.show(self.answer)
        browser.measure("lookdown:prepare", chip_ms - chip.prepare_ms, chip_ms)
        browser.measure("lookdown:infer", chip_ms, inferred_ms)
        browser.measure("lookdown:show", inferred_ms, browser.now_ms())
        for handler in self._on_answer:
            handler(self.answer)

    def _show_work(self, working: bool) -> None:
        if working == self._shows_work:
            return
        self._shows_work = working
        self._label.textContent = "Cancel" if working else "Classify"
        self._square.show_work(working)

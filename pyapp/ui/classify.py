"""From the square to the answer."""

import asyncio

import numpy as np
from pyscript import web, when

from pyapp.bridge import browser
from pyapp.bridge.ground import Ground
from pyapp.core.errors import LookdownError, ModelError
from pyapp.core.model import predictions
from pyapp.ui.imagery import ImageryPanel
from pyapp.ui.model import Model
from pyapp.ui.notice import Notice
from pyapp.ui.result import Answer, ResultPanel
from pyapp.ui.square import Square

# Seconds after which the page shows that it is at work.
PATIENCE_S = 0.2


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
        self._model: Model | None = None
        self._task: asyncio.Task | None = None
        self._shows_work = False
        self._button = web.page["classify"]
        self._label = self._button.find("span")[0]
        self._label.textContent = "Loading the model"
        when("click", self._button)(lambda _event: self.press())
        square.on_move(lambda: result.fade(True))

    async def use(self, loading: asyncio.Future) -> None:
        """Classify with the model that is being loaded, as soon as it is there."""
        try:
            self._model = await loading
        except ModelError as error:
            self._label.textContent = "No model"
            self._notice.tell(error)
            return
        self._square.resize(self._model.card.footprint_m)
        self._label.textContent = "Classify"
        self._button.disabled = False
        browser.set_ready()

    def press(self) -> None:
        """Classify; or cancel, while that is going on."""
        if self._task is not None:
            self.cancel()
        elif self._model is not None:
            self._task = asyncio.ensure_future(self._run())

    def cancel(self) -> None:
        """Stop what is going on; the last answer stays."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        # An answer that comes at once should not flicker through "Cancel".
        working = asyncio.get_running_loop().call_later(PATIENCE_S, self._show_work, True)
        try:
            await self._classify(self._model)
            if self._notice.stands:
                self._notice.clear()
        except LookdownError as error:
            self._notice.tell(error)
        finally:
            working.cancel()
            self._task = None
            self._show_work(False)

    async def _classify(self, model: Model) -> None:
        footprint, source = self._square.footprint, self._imagery.source
        start_ms = browser.now_ms()
        chip = await self._ground.chip(source, footprint, model.card)
        chip_ms = browser.now_ms()
        outputs = await model.network.run(chip.pixels[np.newaxis])
        inferred_ms = browser.now_ms()
        (prediction,) = predictions(model.card, outputs)
        infer_ms = inferred_ms - chip_ms
        self._result.show(Answer(footprint, source, chip, model.card, prediction, infer_ms))
        self._result.fade(footprint != self._square.footprint)
        browser.measure("lookdown:read", start_ms, start_ms + chip.read_ms)
        browser.measure("lookdown:prepare", chip_ms - chip.prepare_ms, chip_ms)
        browser.measure("lookdown:infer", chip_ms, inferred_ms)
        browser.measure("lookdown:show", inferred_ms, browser.now_ms())

    def _show_work(self, working: bool) -> None:
        if working == self._shows_work:
            return
        self._shows_work = working
        self._label.textContent = "Cancel" if working else "Classify"
        self._square.show_work(working)

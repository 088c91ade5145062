"""On what the model runs: chosen by a measurement, or by the person."""

import asyncio
from contextlib import suppress

from pyscript import web, when

from pyapp.core.errors import InferenceError, ModelError
from pyapp.core.imagery.source import Source
from pyapp.core.model.backend import Backend
from pyapp.ui.answer.classify import Classify
from pyapp.ui.shell.notice import Notice
from pyapp.work.ground import Ground
from pyapp.work.runner import Runner

# Seconds without a classification after which a device is measured for the first time.
IDLE_S = 3.0


class DevicePanel:
    """The ways to run the model, what each was measured to take, and which one is used."""

    def __init__(self, classify: Classify, ground: Ground, builtin: Source, notice: Notice):
        self._classify = classify
        self._ground = ground
        self._builtin = builtin
        self._notice = notice
        self._runner: Runner | None = None
        self._busy = False
        self._list = web.page["ways"]
        self._said = web.page["way"]
        self._again = web.page["measure"]
        when("click", self._again)(self._measure_all)
        self._details = web.page["device"]
        when("toggle", self._details)(self._opened)

    async def use(self, loading: asyncio.Future) -> None:
        """Tell of the model that is being loaded; measure a device that was not measured yet."""
        with suppress(ModelError):
            self._runner = await loading
            self._runner.on_change(self._show)
            self._show()
            if not (self._runner.device.is_small or self._runner.memory.trials):
                await self._wait_until_idle()
                await self._runner.look_for_card()
                if self._runner.device.worth_trying:
                    await self._measure(self._runner.device.worth_trying)

    def toggle(self) -> None:
        """Open or close the panel."""
        self._details.open = not self._details.open
        if self._details.open:
            self._details.find("summary")[0].focus()

    async def _opened(self, _event) -> None:
        if self._runner is not None:
            await self._runner.look_for_card()

    async def _wait_until_idle(self) -> None:
        still = 0.0
        while still < IDLE_S:
            await asyncio.sleep(0.5)
            still = still + 0.5 if self._classify.idle else 0.0

    async def _measure_all(self, _event) -> None:
        if self._runner is not None:
            self._runner.forget()
            await self._measure(self._runner.device.ways)

    async def _measure(self, ways: tuple[Backend, ...]) -> None:
        if self._busy:
            return
        self._set_busy(True)
        self._said.textContent = "Measuring"
        try:
            await self._runner.measure(self._ground, self._builtin, ways)
        finally:
            self._set_busy(False)
            self._show()

    async def _pick(self, way: Backend | None) -> None:
        if self._busy:
            return
        self._set_busy(True)
        self._said.textContent = "Changing"
        try:
            await (self._runner.go_automatic() if way is None else self._runner.go(way))
            self._notice.clear()
        except (ModelError, InferenceError) as error:
            self._notice.tell(error)
        finally:
            self._set_busy(False)
            self._show()

    def _set_busy(self, busy: bool) -> None:
        self._busy = self._again.disabled = busy
        for radio in self._list.find("input"):
            radio.disabled = busy

    def _show(self) -> None:
        runner = self._runner
        self._said.textContent = str(runner.way)
        trials = {trial.way: trial for trial in runner.memory.trials}
        wanted = runner.memory.wanted
        note = "The quickest right one that leaves a core for the page"
        rows = [self._row("Automatic", note, None, wanted is None)]
        for way in runner.device.ways:
            trial = trials.get(way)
            if way in runner.gave_up:
                note = "Gave up during this visit"
            elif trial is None:
                note = "Not measured"
            else:
                note = f"{trial.time_ms:.0f} ms a square" if trial.right else "Wrong or no answers"
                if trial.right and not runner.device.leaves_a_core(way):
                    note += ", no core left for the page"
            rows.append(self._row(str(way), note, way, way == wanted))
        self._list.replaceChildren(*(row._dom_element for row in rows))
        if self._busy:
            self._set_busy(True)

    def _row(self, title: str, note: str, way: Backend | None, picked: bool):
        radio = web.input_(
            type="radio", name="way", value="" if way is None else "-".join(map(str, way))
        )
        radio.checked = picked
        when("change", radio)(lambda _event: asyncio.ensure_future(self._pick(way)))
        return web.label(radio, web.span(title), web.small(note))

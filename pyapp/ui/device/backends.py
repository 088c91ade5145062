"""What runs the model: chosen by a measurement, or by the person."""

from dataclasses import dataclass

from pyscript import web

from pyapp.core.errors import BusyError, ModelError, SurveyRunningError
from pyapp.core.imagery.source import Source
from pyapp.core.model.backend import Backend
from pyapp.ui.device.wording import AUTOMATIC, backend_note
from pyapp.ui.shell.dom import fill, on, on_any, toggle
from pyapp.ui.shell.notice import BACKEND, Notice
from pyapp.work.busy import SURVEY, Busy
from pyapp.work.ground import Ground
from pyapp.work.models import Models
from pyapp.work.runner import Runner
from pyapp.work.tasks import Tasks

# Seconds with nothing under way after which the backends are measured for the first time.
IDLE_S = 3.0


@dataclass
class BackendPanel:
    """The backends, what each was measured to take, and which one is used."""

    models: Models
    ground: Ground
    builtin: Source
    notice: Notice
    tasks: Tasks
    busy: Busy

    def __post_init__(self):
        self._working = False
        self._list = web.page["backends"]
        self._said = web.page["backend"]
        self._again = web.page["measure"]
        self._details = web.page["device"]
        on("click", self._again, lambda: self.tasks.start(self._measure_all()))
        on("toggle", self._details, lambda: self.tasks.start(self._opened()))
        on_any("change", self._list, "input", self._picked)
        self.models.on_change(self._model_changed)

    def toggle(self) -> None:
        """Open or close the panel."""
        toggle(self._details)

    async def measure_first(self) -> None:
        """Measure a device that was not measured yet, once nothing is under way."""
        runner = self.models.runner
        if runner is None:
            return
        while runner is self.models.runner and not (runner.device.is_small or runner.record.trials):
            await self.busy.until_idle(IDLE_S)
            await runner.find_accelerators()
            if not runner.device.worth_trying:
                return
            await self._measure(runner, runner.device.worth_trying)
            if not self.busy:
                return

    async def _model_changed(self) -> None:
        runner = self.models.runner
        if runner is None:
            return
        runner.on_change(self._show)
        self._show()
        self.tasks.start(self.measure_first())

    async def _opened(self) -> None:
        if self.models.runner is not None:
            await self.models.runner.find_accelerators()

    async def _measure_all(self) -> None:
        runner = self.models.runner
        if runner is None:
            return
        self._check_idle("measure")
        runner.forget()
        await self._measure(runner, runner.device.backends)

    def _check_idle(self, what_to_do: str) -> None:
        """Refuse what would disturb something that is under way."""
        if self.busy.is_doing(SURVEY):
            raise SurveyRunningError(what_to_do)
        if self.busy:
            raise BusyError(what_to_do)

    async def _measure(self, runner: Runner, backends: tuple[Backend, ...]) -> None:
        if self._working:
            return
        self._set_working(True, "Measuring")
        try:
            await runner.measure(self.ground, self.builtin, backends, lambda: bool(self.busy))
        finally:
            self._set_working(False)

    def _picked(self, radio) -> None:
        runner = self.models.runner
        if not self._working and runner is not None:
            # Said at once: what stands there may already read like the new choice.
            self._set_working(True, "Changing")
            self.tasks.start(self._pick(runner, radio.value))

    async def _pick(self, runner: Runner, name: str) -> None:
        try:
            self._check_idle("choose another backend")
            if name:
                await runner.use(next(each for each in runner.device.backends if _id(each) == name))
            else:
                await runner.use_best()
            self.notice.clear(BACKEND)
        except (ModelError, BusyError, SurveyRunningError) as error:
            self.notice.tell(error, BACKEND)
        finally:
            self._set_working(False)

    def _set_working(self, working: bool, said: str = "") -> None:
        self._working = working
        if working:
            self._said.textContent = said
            self._disable(True)
        else:
            self._show()

    def _disable(self, disabled: bool) -> None:
        self._again.disabled = disabled
        for radio in self._list.find("input"):
            radio.disabled = disabled

    def _show(self) -> None:
        runner = self.models.runner
        if runner is None:
            return
        if not self._working:
            self._said.textContent = str(runner.backend)
        rows = [_row("Automatic", AUTOMATIC, "", runner.record.wanted is None)]
        for backend in runner.device.backends:
            note = backend_note(runner, backend)
            rows.append(_row(str(backend), note, _id(backend), backend == runner.record.wanted))
        fill(self._list, rows)
        self._disable(self._working)


def _id(backend: Backend) -> str:
    return "-".join(map(str, backend))


def _row(title: str, note: str, value: str, picked: bool):
    radio = web.input_(type="radio", name="backend", value=value)
    radio.checked = picked
    return web.label(radio, web.span(title), web.small(note))

"""Which model the page uses: the list to choose from, and how far the chosen one has arrived."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pyscript import web

from pyapp.bridge import browser, release
from pyapp.core.address import model_from, query_with_model
from pyapp.core.errors import ModelError, NoMemoryError
from pyapp.core.model.card import Card
from pyapp.core.model.listing import ListedModel
from pyapp.ui.answer.classify import Classify
from pyapp.ui.device.wording import arrival, notes, takes
from pyapp.ui.shell.dom import fill, on, on_any, worded
from pyapp.ui.shell.notice import MODEL, Notice
from pyapp.work.busy import Busy
from pyapp.work.loading import file_of
from pyapp.work.models import Models
from pyapp.work.own_models import is_own
from pyapp.work.tasks import Tasks

# Seconds after which the page shows how far a model has arrived.
PATIENCE_S = 0.3


@dataclass
class ModelChoice:
    """The list of models to choose from; the address names the one in use.

    Parameters
    ----------
    folder : str
        Where the models are, relative to the page.
    """

    folder: str
    models: Models
    classify: Classify
    notice: Notice
    tasks: Tasks
    busy: Busy

    def __post_init__(self):
        self._list = web.page["model-list"]
        self._arrival = _Arrival(self.cancel)
        self._rows: list[_Row] = []
        self._task: asyncio.Task[None] | None = None
        # Whether the first model found too little memory; then there is none for more, either.
        self.short_of_memory = False
        on_any("change", self._list, "input", lambda radio: self.pick(radio.value))
        on_any("click", self._list, "button", lambda button: self._on_remove(button.value))
        self._on_remove: Callable[[str], object] = lambda _name: None
        on("toggle", web.page["device"], self._show_soon)
        self.models.on_change(self._model_changed)
        self.models.on_arrival(self._arrived)

    async def load_first(self) -> None:
        """Use the model that the link names, or the default one."""
        wanted = model_from(browser.query())
        listed = self.models.listed
        if listed:
            self._arrival.begin(self.models.first(wanted).title, can_be_cancelled=False)
        try:
            await self.models.load_first(wanted)
        except ModelError as error:
            self.short_of_memory = isinstance(error, NoMemoryError)
            self.classify.say_no_model()
            self.notice.tell(error, MODEL)
            if self.models.runner is not None:
                self._show_in_address(self.models.runner.card.name)
        finally:
            self._arrival.end()
        await self._show()
        if listed and wanted is not None and self.models.find(wanted) is None:
            self.notice.say(f"There is no model {wanted} here, so {listed[0].title} is used.")

    def pick(self, name: str, answer_anew: bool = False) -> None:
        """Use another model from now on; one that is still arriving is given up.

        Parameters
        ----------
        name : str
        answer_anew : bool
            Whether to classify the square once the model is there.
        """
        was_arriving, runner = self._arrival.goes_on, self.models.runner
        self.cancel()
        if was_arriving and runner is not None and runner.card.name == name:
            return
        self._task = self.tasks.start(self._pick(name, answer_anew))

    def cancel(self) -> None:
        """Give up a model that is still arriving; the one in use stays."""
        if self._task is not None and self._arrival.goes_on:
            self._task.cancel()

    def on_remove(self, handler: Callable[[str], object]) -> None:
        """Call ``handler(name)`` when the person wants a model of their own removed."""
        self._on_remove = handler

    async def show_anew(self) -> None:
        """List the models after some came or went; the address names the one in use."""
        self._rows = []
        if self.models.chosen is not None:
            self._show_in_address(self.models.chosen)
        await self._show()

    async def finish(self) -> None:
        """Wait until the model that was picked is there, or can't be."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def keep_used(self) -> None:
        """Have the model in use kept, if it came before the application was kept."""
        if self.models.runner is not None and not is_own(self.models.runner.card.name):
            await release.keep_used(self._path(self.models.runner.card.name))
        await self._show()

    async def _pick(self, name: str, answer_anew: bool) -> None:
        self.notice.clear(MODEL)
        self._show_in_address(name)
        chosen = self.models.find(name)
        if chosen is not None:
            self._arrival.begin(chosen.title, can_be_cancelled=self.models.runner is not None)
        try:
            with self.busy.doing("model"):
                await self.models.choose(name)
        except ModelError as error:
            self.notice.tell(error, MODEL)
        finally:
            if self._task is asyncio.current_task():
                self._arrival.end()
                if self.models.chosen is not None:
                    self._show_in_address(self.models.chosen)
                self._show_soon()
        if answer_anew and self.models.chosen == name and self.classify.answer is not None:
            self.classify.press_anew()

    async def _model_changed(self) -> None:
        self._show_soon()

    def _arrived(self, card: Card, size: int) -> None:
        self._arrival.show(card, size)
        for row in self._rows:
            if row.listed.name == card.name and self._arrival.goes_on:
                row.say(arrival(card.title, size, card.size_bytes))

    def _show_soon(self) -> None:
        self.tasks.start(self._show())

    async def _show(self) -> None:
        """List the models, with what a choice needs."""
        runner = self.models.runner
        if not self._rows:
            self._rows = [_Row(each) for each in self.models.listed]
            fill(self._list, [each.element for each in self._rows])
        for row in self._rows:
            name = row.listed.name
            is_kept = is_own(name) or await release.is_kept(self._path(name))
            card = None if runner is None else runner.card
            in_use = card is not None and card.name == row.listed.name
            row.show(is_kept, row.listed.name == self.models.chosen, card if in_use else None)

    def _path(self, name: str) -> str:
        return f"{self.folder}/{file_of(name)}"

    def _show_in_address(self, name: str) -> None:
        default = self.models.listed[0].name
        query = query_with_model(browser.query(), None if name == default else name)
        browser.show_address(query, browser.fragment())


class _Row:
    """A model to choose: title, what it is for, what it takes, and what it may be used for."""

    def __init__(self, listed: ListedModel):
        self.listed = listed
        self._radio = web.input_(type="radio", name="model", value=listed.name)
        self._takes, self._notes = web.small(), web.span(classes=["notes"])
        about = [worded(web.small(), listed.description)] if listed.description else []
        last = []
        if is_own(listed.name):
            remove = web.button("Remove", type="button", value=listed.name)
            remove.setAttribute("aria-label", f"Remove {listed.title}")
            last.append(remove)
        self.element = web.label(
            self._radio, worded(web.span(), listed.title), *about, self._takes, self._notes, *last
        )

    def say(self, sentence: str) -> None:
        """Say how far it has arrived in place of what it takes."""
        self._takes.textContent = sentence

    def show(self, is_kept: bool, picked: bool, card: Card | None) -> None:
        """Say whether it is on the device, and mark the one that is chosen.

        Parameters
        ----------
        is_kept, picked : bool
        card : Card or None
            Of the model, if it is the one in use.
        """
        self.say(takes(self.listed, is_kept))
        self._radio.checked = picked
        said = notes(self.listed, card)
        fill(self._notes, [worded(web.small(classes=[each.kind]), each.text) for each in said])


class _Arrival:
    """A bar that says how far a model has arrived, if that takes a while."""

    def __init__(self, cancel):
        self._box = web.page["fetching"]
        self._said = self._box.find("p")[0]
        self._bar = self._box.find("progress")[0]
        self._cancel = self._box.find("button")[0]
        self._patience: asyncio.TimerHandle | None = None
        self.goes_on = False
        on("click", self._cancel, cancel)

    def begin(self, title: str, can_be_cancelled: bool) -> None:
        """A model has been asked for."""
        self.end()
        self.goes_on = True
        self._said.textContent = f"Fetching {title}"
        self._bar.value = 0
        self._cancel.hidden = not can_be_cancelled
        self._patience = asyncio.get_running_loop().call_later(PATIENCE_S, self._appear)

    def show(self, card: Card, size: int) -> None:
        """So many bytes are there."""
        if size >= card.size_bytes > 0:
            self.end()
            return
        self._said.textContent = arrival(card.title, size, card.size_bytes)
        self._bar.value = size / card.size_bytes if card.size_bytes else 0

    def end(self) -> None:
        """It is there, or given up."""
        if self._patience is not None:
            self._patience.cancel()
        self.goes_on = False
        self._box.hidden = True

    def _appear(self) -> None:
        self._box.hidden = not self.goes_on

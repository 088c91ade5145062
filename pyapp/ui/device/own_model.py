"""Opening a model from elsewhere, and asking what it doesn't say about itself."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from pyscript import web, when

from pyapp.bridge.pictures import bytes_of, chosen_files
from pyapp.core.errors import ModelError, NoMemoryError
from pyapp.core.model.about import BYTES, OWN, About, guessed, labels_from, three
from pyapp.core.model.foreign_errors import AboutModelError, ForeignModelError, LargeModelError
from pyapp.ui.device.model import ModelChoice
from pyapp.ui.device.wording import megabytes
from pyapp.ui.shell.dom import on
from pyapp.ui.shell.notice import MODEL, Notice
from pyapp.work.busy import Busy
from pyapp.work.models import Models
from pyapp.work.own_models import MOST_BYTES, OwnModels, Question, fetch_model, why_refused
from pyapp.work.ports import Fetch, RecordsRefusedError
from pyapp.work.tasks import Tasks

# Labels come with a file of a few lines.
MOST_LABELS_BYTES = 1 << 20


@dataclass
class ModelOpener:
    """Opens models from a file or an address, and removes them."""

    own: OwnModels
    models: Models
    choice: ModelChoice
    form: "AboutForm"
    fetch: Fetch
    notice: Notice
    tasks: Tasks
    busy: Busy

    def __post_init__(self):
        self._file, self._url = web.page["model-file"], web.page["model-url"]
        self._said = web.page["model-said"]
        on("change", self._file, self._chosen)
        when("submit", web.page["open-model"])(self._submitted)
        self.choice.on_remove(lambda name: self.tasks.start(self._remove(name)))

    async def begin(self) -> None:
        """List the models of earlier visits."""
        before = len(self.models.listed)
        await self.models.relist()
        if len(self.models.listed) != before:
            await self.choice.show_anew()

    async def open_file(self, file) -> None:
        """Open a file of this device."""
        if file.size > MOST_BYTES:
            self.notice.tell(LargeModelError(file.name, MOST_BYTES), MODEL)
            return
        self._say(f"Reading {file.name}")
        await self._open(file.name, await bytes_of(file))

    async def open_address(self, address: str) -> None:
        """Open a model at an address."""
        name = address.rpartition("/")[2] or address
        self._say(f"Fetching {name}")
        try:
            data = await fetch_model(
                self.fetch, address, lambda size: self._say(f"Fetching {name}: {megabytes(size)}")
            )
        except ModelError as error:
            self._say("")
            self.notice.tell(error, MODEL)
            return
        await self._open(name, data)

    async def _open(self, file_name: str, data: bytes) -> None:
        try:
            found = await self.own.look(file_name, data)
            if isinstance(found, str):
                await self.use(found, file_name)
            else:
                question = found
                self.form.ask(question, lambda about: self._answered(question, about))
        except ModelError as error:
            self.notice.tell(error, MODEL)
        except MemoryError:
            self.notice.tell(NoMemoryError(), MODEL)
        finally:
            self._say("")

    def _answered(self, question: Question, about: About) -> None:
        """Use a classifier as the person described it.

        Raises
        ------
        AboutModelError
        """
        name = self.own.answer(question, about)
        self.tasks.start(self._use_told(name, question.file_name))

    async def _use_told(self, name: str, file_name: str) -> None:
        try:
            await self.use(name, file_name)
        except ModelError as error:
            self.notice.tell(error, MODEL)

    async def use(self, name: str, file_name: str) -> None:
        """Use one of the person's models, and keep it if it is new.

        Raises
        ------
        ModelError
        """
        self.choice.cancel()
        self.notice.clear(MODEL)
        self._say(f"Starting {file_name}")
        try:
            with self.busy.doing("model"):
                await self.models.choose(name)
        except ModelError as error:
            self.own.drop(name)
            raise why_refused(file_name, error) from error
        finally:
            self._say("")
        try:
            if self.own.is_new(name):
                await self.own.keep(name)
        except RecordsRefusedError as error:
            self.notice.say(
                f"The model {file_name} is used now, but not kept: {error}. "
                "Open its file again at the next visit.",
                MODEL,
            )
        await self.models.relist()
        await self.choice.show_anew()

    async def _remove(self, name: str) -> None:
        if self.models.chosen == name:
            self.choice.pick(self.models.listed[0].name)
            await self.choice.finish()
        if self.models.chosen == name:
            # The other one could not be used, and a message says why.
            return
        try:
            await self.own.remove(name)
        except RecordsRefusedError as error:
            self.notice.say(f"The model can't be removed: {error}. Try again later.", MODEL)
        await self.models.relist()
        await self.choice.show_anew()

    def _chosen(self) -> None:
        for file in chosen_files(self._file)[:1]:
            self.tasks.start(self.open_file(file))

    def _submitted(self, event) -> None:
        event.preventDefault()
        address = self._url.value.strip()
        if not address.startswith(("https://", "http://")):
            error = ForeignModelError(
                address[:80] or "without an address", "an address begins with https://",
                "Write the address of an ONNX file.",
            )  # fmt: skip
            self.notice.tell(error, MODEL)
            return
        self.tasks.start(self.open_address(address))

    def _say(self, sentence: str) -> None:
        self._said.textContent = sentence
        self._said.hidden = not sentence


class AboutForm:
    """The small form that asks what a plain classifier doesn't say."""

    def __init__(self, tasks: Tasks):
        self._dialog = web.page["about-model"]
        self._error = web.page["about-error"]
        self._fields = {
            name: web.page[f"about-{name}"]
            for name in ("name", "labels", "ground", "side", "scale", "mean", "std", "softmax")
        }
        self._answered: Callable[[About], None] = lambda _about: None
        self._question: Question | None = None
        when("submit", web.page["about-form"])(self._submitted)
        on("click", web.page["about-cancel"], lambda: self._dialog.close())
        on("change", self._fields["scale"], self._show_own)
        on("change", web.page["about-file"], lambda: tasks.start(self._take_labels()))

    def ask(self, question: Question, answered: Callable[[About], None]) -> None:
        """Ask, and call ``answered(about)``, which may raise `AboutModelError`."""
        self._question, self._answered = question, answered
        plain, told = question.plain, guessed(question.file, question.plain)
        classes = "some" if plain.classes is None else f"{plain.classes}"
        web.page["about-said"].textContent = (
            f"{question.file_name} tells {classes} classes apart and doesn't say more about "
            "itself. How often it is right is unknown."
        )
        fields = self._fields
        fields["name"].value = question.file_name.removesuffix(".onnx")
        fields["labels"].value = "\n".join(told.get("labels", ()))
        fields["ground"].value = f"{told['footprint_m']:g}" if "footprint_m" in told else ""
        fields["side"].value = str(plain.side_px or told.get("side_px", ""))
        web.page["about-side-row"].hidden = plain.side_px is not None
        web.page["about-scale-row"].hidden = plain.takes_bytes
        fields["mean"].value = ", ".join(f"{each:g}" for each in told.get("mean", ()))
        fields["std"].value = ", ".join(f"{each:g}" for each in told.get("std", ()))
        fields["scale"].value = BYTES if plain.takes_bytes else OWN if "std" in told else "imagenet"
        fields["softmax"].value = "yes" if told["softmax"] else "no"
        self._error.textContent = ""
        self._show_own()
        self._dialog.showModal()

    def _show_own(self) -> None:
        web.page["about-own"].hidden = self._fields["scale"].value != OWN

    async def _take_labels(self) -> None:
        for file in chosen_files(web.page["about-file"])[:1]:
            if file.size > MOST_LABELS_BYTES:
                self._error.textContent = "That file is too large for a list of labels."
                return
            self._fields["labels"].value = (await bytes_of(file)).decode(errors="replace")
            self._error.textContent = ""

    def _submitted(self, event) -> None:
        event.preventDefault()
        try:
            self._answered(self._about())
        except (AboutModelError, MemoryError) as error:
            self._error.textContent = str(
                error if isinstance(error, AboutModelError) else NoMemoryError()
            )
            return
        self._dialog.close()

    def _about(self) -> About:
        """What stands in the form."""
        values = {name: field.value.strip() for name, field in self._fields.items()}
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        if values["scale"] == OWN:
            try:
                mean, std = three(values["mean"]), three(values["std"])
            except ValueError as error:
                raise AboutModelError("Give three means and three deviations.") from error
        return About(
            values["name"] or "A model of your own", labels_from(values["labels"]),
            values["scale"], _number(values["ground"]), values["softmax"] == "yes",
            int(_number(values["side"])), mean, std,
        )  # fmt: skip


def _number(text: str) -> float:
    """A number from a field; 0 if there is none."""
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0

"""Which model the page uses."""

from dataclasses import dataclass

from pyscript import web

from pyapp.bridge import browser
from pyapp.core.address import model_from, query_with_model
from pyapp.core.errors import ModelError
from pyapp.ui.answer.classify import Classify
from pyapp.ui.shell.dom import on
from pyapp.ui.shell.notice import Notice
from pyapp.work.models import Models
from pyapp.work.tasks import Tasks


@dataclass
class ModelChoice:
    """The list of models to choose from; the address names the one in use."""

    models: Models
    classify: Classify
    notice: Notice
    tasks: Tasks

    def __post_init__(self):
        self._choice = web.page["model"]
        on("change", self._choice, lambda: self.tasks.start(self._pick(self._choice.value)))

    async def load_first(self) -> None:
        """Use the model that the link names, or the default one."""
        wanted = model_from(browser.query())
        try:
            await self.models.load_first(wanted)
        except ModelError as error:
            self.classify.say_no_model()
            self.notice.tell(error)
        listed = self.models.listed
        self._choice.append(*(web.option(each.title, value=each.name) for each in listed))
        web.page["model-row"].hidden = len(listed) < 2
        self._show()
        if listed and wanted is not None and wanted not in [each.name for each in listed]:
            self.notice.say(f"There is no model {wanted} here, so {listed[0].title} is used.")

    async def _pick(self, name: str) -> None:
        self._show_in_address(name)
        try:
            await self.models.choose(name)
        except ModelError as error:
            self.notice.tell(error)
            if self.models.chosen is not None:
                self._show()
                self._show_in_address(self.models.chosen)

    def _show(self) -> None:
        if self.models.chosen is not None:
            self._choice.value = self.models.chosen

    def _show_in_address(self, name: str) -> None:
        default = self.models.listed[0].name
        query = query_with_model(browser.query(), None if name == default else name)
        browser.show_address(query, browser.fragment())

"""Which model the page uses."""

import asyncio

from pyscript import web, when

from pyapp.bridge import browser, onnx
from pyapp.core.address import model_from, query_with_model
from pyapp.core.model.card import ModelName
from pyapp.ui.shell.notice import Notice
from pyapp.work.runner import Runner

FOLDER = "models"


class Models:
    """The models one can choose from; the default one at first, or the one that the link names.

    Attributes
    ----------
    loading : Future of Runner
        The chosen model; raises a ModelError where it is waited for.
    """

    def __init__(self, notice: Notice):
        self._notice = notice
        self._listed: list[ModelName] = []
        self._choice = web.page["model"]
        self._on_pick = lambda: None
        self.loading = _begun(self._open_first())
        when("change", self._choice)(lambda _event: self._pick(self._choice.value))

    def on_pick(self, handler) -> None:
        """Call ``handler()`` after another model was chosen; `loading` is that one then."""
        self._on_pick = handler

    async def _open_first(self) -> Runner:
        self._listed = await onnx.list_models(FOLDER)
        named = model_from(browser.query())
        names = [each.name for each in self._listed]
        name = named if named in names else names[0]
        for each in self._listed:
            option = web.option(each.title, value=each.name)
            option.selected = each.name == name
            self._choice.append(option)
        web.page["model-row"].hidden = len(names) < 2
        if named not in (None, name):
            self._notice.say(f"There is no model {named} here, so {self._listed[0].title} is used.")
        return await self._open(name)

    async def _open(self, name: str) -> Runner:
        runner = await Runner.open(FOLDER, name)
        browser.mark("lookdown:model")
        return runner

    def _pick(self, name: str) -> None:
        default = self._listed[0].name
        query = query_with_model(browser.query(), None if name == default else name)
        browser.show_address(query, browser.fragment())
        self.loading = _begun(self._open(name))
        self._on_pick()


def _begun(loading) -> asyncio.Future:
    """A coroutine, begun; it may fail before anyone waits for it, which is no forgotten error."""
    future = asyncio.ensure_future(loading)
    future.add_done_callback(lambda each: each.cancelled() or each.exception())
    return future

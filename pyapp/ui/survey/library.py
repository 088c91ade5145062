"""The surveys that are stored on the device: open, rename, delete, go on."""

from dataclasses import dataclass

from pyscript import web

from pyapp.core.errors import StoreError
from pyapp.core.survey.survey import Survey
from pyapp.ui.shell.dom import fill, on, on_any, worded
from pyapp.ui.shell.history import History
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.layer import SurveyLayer
from pyapp.ui.survey.panel import SurveyPanel
from pyapp.ui.survey.wording import squares, stored_state
from pyapp.work.library import Library
from pyapp.work.session import SurveySession
from pyapp.work.store import StoredSurvey
from pyapp.work.tasks import Tasks


@dataclass
class LibraryList:
    """The list of stored surveys, and the offer to go on with one that isn't done."""

    library: Library
    session: SurveySession
    panel: SurveyPanel
    layer: SurveyLayer
    history: History
    notice: Notice
    tasks: Tasks
    _unfinished: str = ""

    def __post_init__(self):
        self._section = web.page["surveys"]
        self._list = web.page["survey-list"]
        self._name = web.page["survey-name"]
        self._offer = web.page["unfinished"]
        go_on, not_now = self._offer.find("button")
        on("click", go_on, lambda: self.tasks.start(self._go_on()))
        on("click", not_now, self._close_offer)
        on("change", self._name, self._rename)
        on("click", web.page["survey-close"], self._take_off)
        on_any("click", self._list, "button.open", self._open_pressed)
        on_any("click", self._list, "button.delete", self._delete_pressed)
        self.library.on_change(self._show)
        self.session.on_saved(lambda: self.tasks.start(self.library.refresh()))
        self.layer.on_change(self._layer_changed)

    async def begin(self) -> None:
        """Show what is stored; offer to go on with what isn't done."""
        unfinished = await self.library.open()
        if unfinished is not None and self.layer.survey is None:
            self._unfinished = unfinished.id
            said = f"“{unfinished.name}” is not finished: "
            said += f"{unfinished.done:,} of {squares(unfinished.cells)}."
            self._offer.find("p")[0].textContent = said
            self._offer.hidden = False

    def _show(self) -> None:
        fill(self._list, [self._row(each) for each in self.library.stored])
        self._section.hidden = not self.library.stored

    def _row(self, stored: StoredSurvey):
        is_open = self.layer.original is not None and self.layer.original.id == stored.id
        show = web.button("On the map" if is_open else "Open", type="button", disabled=is_open,
                          classes=["open"], value=stored.id)  # fmt: skip
        delete = web.button("Delete", type="button", classes=["delete"], value=stored.id)
        show.setAttribute("aria-label", f"Open {stored.name}")
        delete.setAttribute("aria-label", f"Delete {stored.name}")
        text = worded(web.span(), stored.name)
        text.append(web.small(stored_state(stored)))
        return web.li(text, show, delete)

    def _open_pressed(self, button) -> None:
        self.tasks.start(self._open(button.value))

    async def _open(self, survey_id: str) -> bool:
        if self.session.goes_on:
            self.notice.say("A survey is running. Pause it before you open another one.")
            return False
        try:
            survey = await self.library.load(survey_id)
        except StoreError as error:
            self.notice.tell(error)
            return False
        self.layer.show(survey)
        self.layer.go_there()
        return True

    async def _go_on(self) -> None:
        self._close_offer()
        if await self._open(self._unfinished):
            self.panel.go_on()

    def _close_offer(self) -> None:
        self._offer.hidden = True

    def _layer_changed(self) -> None:
        self._close_offer()
        if self.layer.survey is not None:
            self._name.value = self.layer.survey.name
        self.tasks.start(self.library.refresh())

    def _rename(self) -> None:
        survey = self.layer.original
        if survey is None:
            return
        before, after = survey.name, self._name.value.strip()
        if not after:
            self._name.value = before
            return
        self.history.add("new name", lambda: self._call(survey, before))
        self._call(survey, after)

    def _call(self, survey: Survey, name: str) -> None:
        if self.layer.original is survey:
            self._name.value = name
            if self.layer.survey is not None:
                self.layer.survey.name = name
        self.tasks.start(self.library.rename(survey, name))

    def _delete_pressed(self, button) -> None:
        """Delete a survey; until the page is closed or the step is too old, that can be undone."""
        survey_id = button.value
        stored = next(each for each in self.library.stored if each.id == survey_id)
        survey = self.layer.original
        on_the_map = survey is not None and survey.id == survey_id
        if on_the_map and self.session.goes_on:
            self.notice.say("This survey is running. Pause it before you delete it.")
            return
        self.tasks.start(self.library.delete(survey_id))

        def undo() -> None:
            self.tasks.start(self.library.restore(survey_id))
            if on_the_map:
                self.layer.show(survey)

        self.history.add(f"deleting {stored.name}", undo)
        if on_the_map:
            self.layer.show(None)

    def _take_off(self) -> None:
        survey = self.layer.original
        if self.session.goes_on:
            self.notice.say("The survey is running. Pause it before you remove it from the map.")
            return
        self.history.add("removing it from the map", lambda: self.layer.show(survey))
        self.layer.show(None)

"""The surveys that are kept on the device: open, rename, delete, go on."""

import asyncio
from contextlib import suppress

from pyscript import web, when

from pyapp.bridge.database import Kept, Store
from pyapp.core.errors import StoreError
from pyapp.core.survey.survey import Survey
from pyapp.ui.shell.history import History
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.panel.layer import SurveyMap
from pyapp.ui.survey.panel.legend import Legend
from pyapp.ui.survey.panel.panel import SurveyPanel


class KeptSurveys:
    """The list of kept surveys, and the offer to go on with one that isn't done."""

    def __init__(
        self,
        panel: SurveyPanel,
        survey_map: SurveyMap,
        legend: Legend,
        store: Store,
        history: History,
        notice: Notice,
    ):
        self._panel = panel
        self._shown = survey_map
        self._legend = legend
        self._store = store
        self._history = history
        self._notice = notice
        self._deleted: set[str] = set()
        self._unfinished = ""
        self._kept: list[Kept] = []
        self._section = web.page["surveys"]
        self._list = web.page["survey-list"]
        self._name = web.page["survey-name"]
        self._offer = web.page["unfinished"]
        go_on, not_now = self._offer.find("button")
        when("click", go_on)(self._go_on)
        when("click", not_now)(lambda _event: self._close_offer())
        when("change", self._name)(self._rename)
        when("click", web.page["survey-close"])(lambda _event: self._take_off())
        panel.on_saved(lambda: asyncio.ensure_future(self.refresh()))
        survey_map.on_change(self._opened)

    async def begin(self) -> None:
        """Show what is kept; offer to go on with what isn't done."""
        with suppress(StoreError):
            await self._store.sweep()
        await self.refresh()
        for each in self._kept:
            if each.done < each.count:
                self._unfinished = each.id
                self._offer.find("p")[
                    0
                ].textContent = (
                    f"“{each.name}” is not done yet: {each.done:,} of {each.count:,} squares."
                )
                self._offer.hidden = False
                break

    async def refresh(self) -> None:
        """Read the list again."""
        try:
            kept = await self._store.list()
        except StoreError:
            # It is said when there is something to keep.
            kept = []
        self._kept = [each for each in kept if each.id not in self._deleted]
        rows = [self._row(each)._dom_element for each in self._kept]
        self._list.replaceChildren(*rows)
        self._section.hidden = not rows
        self._legend.offer(self._kept)

    def _row(self, kept: Kept):
        state = f"{kept.count:,} squares" if kept.done == kept.count else (
            f"{kept.done:,} of {kept.count:,} squares")  # fmt: skip
        day = kept.made.replace("T", " ")[:16]
        is_open = self._shown.survey is not None and self._shown.survey.id == kept.id
        show = web.button("On the map" if is_open else "Open", type="button", disabled=is_open)
        delete = web.button("Delete", type="button")
        show.setAttribute("aria-label", f"Open {kept.name}")
        delete.setAttribute("aria-label", f"Delete {kept.name}")
        when("click", show)(lambda _event: asyncio.ensure_future(self._open(kept.id)))
        when("click", delete)(lambda _event: self._delete(kept))
        return web.li(web.span(kept.name, web.small(f"{day}, {state}")), show, delete)

    async def _open(self, survey_id: str) -> bool:
        if self._panel.goes_on:
            self._notice.say("A survey is going on. Pause it before you open another one.")
            return False
        try:
            survey = await self._store.load(survey_id)
        except StoreError as error:
            self._notice.tell(error)
            return False
        self._shown.show(survey)
        self._shown.go_there()
        return True

    async def _go_on(self, _event) -> None:
        self._close_offer()
        if await self._open(self._unfinished):
            self._panel.go_on()

    def _close_offer(self) -> None:
        self._offer.hidden = True

    def _opened(self) -> None:
        self._close_offer()
        if self._shown.survey is not None:
            self._name.value = self._shown.survey.name
        asyncio.ensure_future(self.refresh())  # noqa: RUF006

    async def _rename(self, _event) -> None:
        survey: Survey = self._shown.survey
        before, after = survey.name, self._name.value.strip()
        if not after:
            self._name.value = before
            return
        self._history.add("new name", lambda: asyncio.ensure_future(self._call(survey, before)))
        await self._call(survey, after)

    async def _call(self, survey: Survey, name: str) -> None:
        survey.name = name
        if self._shown.survey is survey:
            self._name.value = name
        await self.keep(survey)

    async def keep(self, survey: Survey) -> None:
        """Keep changed facts of a survey, if it is one that is kept."""
        if survey.id in [each.id for each in self._kept]:
            try:
                await self._store.put(survey)
            except StoreError as error:
                self._notice.tell(error)
        await self.refresh()

    def _delete(self, kept: Kept) -> None:
        """Delete a survey; until the page is closed or the step is too old, that can be undone."""
        survey = self._shown.survey
        on_the_map = survey is not None and survey.id == kept.id
        if on_the_map and self._panel.goes_on:
            self._notice.say("This survey is going on. Pause it before you delete it.")
            return
        self._deleted.add(kept.id)
        asyncio.ensure_future(self._mark(kept.id, True))  # noqa: RUF006

        def undo() -> None:
            self._deleted.discard(kept.id)
            asyncio.ensure_future(self._mark(kept.id, False))  # noqa: RUF006
            if on_the_map:
                self._shown.show(survey)

        self._history.add(f"deleting {kept.name}", undo)
        if on_the_map:
            self._shown.show(None)

    async def _mark(self, survey_id: str, deleted: bool) -> None:
        try:
            await self._store.mark(survey_id, deleted)
        except StoreError as error:
            self._notice.tell(error)
        await self.refresh()

    def _take_off(self) -> None:
        survey = self._shown.survey
        if self._panel.goes_on:
            self._notice.say("The survey is going on. Pause it before you take it off the map.")
            return
        self._history.add("taking it off the map", lambda: self._shown.show(survey))
        self._shown.show(None)

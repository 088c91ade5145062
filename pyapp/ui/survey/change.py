"""What changed: the survey on the map against the same squares on imagery of another date."""

import asyncio
from dataclasses import dataclass

from pyscript import web

from pyapp.bridge.leaflet import GroundMap
from pyapp.core.change.errors import GoneImageryError
from pyapp.core.errors import ForbiddenSurveyError, LookdownError
from pyapp.core.ground.geo import LngLat
from pyapp.core.imagery.source import Source
from pyapp.core.state import CellState
from pyapp.core.survey.survey import Survey
from pyapp.ui.shell.dom import fill, on, option
from pyapp.ui.shell.history import History
from pyapp.ui.shell.keys import Keys
from pyapp.ui.survey.change_judging import ChangeJudging
from pyapp.ui.survey.change_view import ChangeView
from pyapp.ui.survey.change_wording import BEFORE_THE_START, NOTHING_TO_COMPARE, progress
from pyapp.ui.survey.panel import SurveyPanel
from pyapp.work.busy import Busy
from pyapp.work.change import Comparer
from pyapp.work.classifier import Classifier
from pyapp.work.ground import Ground
from pyapp.work.library import Library
from pyapp.work.ports import Settings

TICK_S = 0.25
# How values of the list begin.
SURVEY, IMAGERY = "survey:", "imagery:"


@dataclass
class ChangePanel:
    """The section of the survey's panel that tells what changed."""

    ground_map: GroundMap
    panel: SurveyPanel
    library: Library
    classifier: Classifier
    ground: Ground
    busy: Busy
    keys: Keys
    settings: Settings
    history: History
    _comparer: Comparer | None = None
    _after: Survey | None = None
    _work: "asyncio.Task[None] | None" = None

    def __post_init__(self):
        self._button = web.page["change"]
        self._section = web.page["changing"]
        self._said = web.page["change-said"]
        self._with = web.page["change-with"]
        self._bar = web.page["change-bar"]
        self._stop = web.page["change-stop"]
        self._correct = web.page["change-correct"]
        self._view = ChangeView(self.ground_map, self.panel.imagery, self.panel.tasks)
        self._judging = ChangeJudging(self._view, self.keys, self.settings, self.history)
        on("click", web.page["change-start"], self._start)
        on("click", self._stop, self._stop_or_go_on)
        on("change", self._correct, self._correct_shift)
        on("click", web.page["change-turn"], self._turn)
        on("click", web.page["change-anew"], self._anew)
        self.panel.layer.on_change(self._another)

    @property
    def is_open(self) -> bool:
        """Whether the section is open."""
        return not self._section.hidden

    def toggle(self) -> None:
        """Open or close the section; if there is nothing to compare, say why."""
        if self.is_open:
            self._close()
            return
        why_not = self.panel.why_not("compare")
        if why_not:
            self.panel.notice.say(why_not)
            return
        self.panel.open()
        self._section.hidden = False
        self._button.setAttribute("aria-expanded", "true")
        if self._comparer is None:
            self._offer()
        else:
            self._show()
        self._section.scrollIntoView()

    def clicked(self, place: LngLat) -> bool:
        """Show the changed square at a place on both dates; whether there is one."""
        number = self.panel.layer.number_at(place)
        return self.is_open and number is not None and self._view.open(number)

    def _close(self) -> None:
        self._section.hidden = True
        self._button.setAttribute("aria-expanded", "false")
        self._judging.end()
        self._view.clear()
        self.panel.layer.hide(False)

    def _another(self) -> None:
        """Another survey lies on the map, or none."""
        survey = self.panel.layer.original
        comparer = self._comparer
        if comparer is not None and survey in (comparer.change.before, comparer.change.after):
            return
        if self._work is not None:
            self._work.cancel()
        self._comparer = self._after = None
        if self.is_open:
            self._close()

    # What to compare with

    def _offer(self) -> None:
        """Offer other surveys of the same squares, and other imagery of the place."""
        survey = self.panel.layer.original
        assert survey is not None
        self._show_parts(plan=True)
        stored = [
            option(each.name, SURVEY + each.id)
            for each in self.library.stored
            if each.id != survey.id
            and each.model == survey.model.sha256
            and each.cells == len(survey.grid)
        ]
        sources = [
            option(f"Survey it on {each.name}", IMAGERY + each.id) for each in self._sources(survey)
        ]
        fill(self._with, [*stored, *sources])
        nothing = not stored and not sources
        self._said.textContent = NOTHING_TO_COMPARE if nothing else BEFORE_THE_START
        web.page["change-plan"].hidden = nothing

    def _sources(self, survey: Survey) -> list[Source]:
        """Imagery that covers the middle of a survey and isn't the survey's own."""
        middle = survey.grid.centre(len(survey.grid) // 2)
        listed = {each.id: each for each in self.panel.imagery.listed}
        listed.setdefault(self.panel.imagery.source.id, self.panel.imagery.source)
        return [
            each for each in listed.values()
            if each.url != survey.imagery.url and each.covers(middle) and each.allows.read
        ]  # fmt: skip

    def _anew(self) -> None:
        self._comparer = self._after = None
        self._judging.end()
        self._view.clear()
        self.panel.layer.hide(False)
        self._offer()

    # At work

    def _start(self) -> None:
        chosen = self._with.value
        if chosen and self._work is None:
            self._begin(self._compare(chosen))

    def _begin(self, work) -> None:
        async def tell_errors() -> None:
            try:
                await work
            except LookdownError as error:
                self._said.textContent = str(error)
                if self._comparer is None and self._after is None:
                    self._show_parts(plan=True)
            finally:
                self._work = None
                self._mind_stop()

        self._work = self.panel.tasks.start(tell_errors())

    async def _compare(self, chosen: str) -> None:
        before = self.panel.layer.original
        assert before is not None
        if chosen.startswith(SURVEY):
            after = await self.library.load(chosen.removeprefix(SURVEY))
        else:
            after = self._after or self._new_survey(before, chosen.removeprefix(IMAGERY))
            self._after = after
            await self._survey(after)
            if len(after.waiting):
                return
        self._after = None
        dates = before.imagery.date, after.imagery.date
        if all(dates) and dates[1] < dates[0]:
            before, after = after, before
        sources = self._source_of(before), self._source_of(after)
        comparer = Comparer(
            before, after, sources, self.panel.models, self.classifier, self.ground, self.busy
        )
        self._show_parts(work=True)
        self._said.textContent = "Finding how the two pictures lie."
        await comparer.register()
        self._comparer = comparer
        await self._look()

    def _new_survey(self, before: Survey, source_id: str) -> Survey:
        source = next(each for each in self._sources(before) if each.id == source_id)
        if not source.allows.bulk:
            raise ForbiddenSurveyError(source.name, [])
        survey = self.panel.session.begin(before.area, before.grid, source)
        survey.name = f"{before.name}, {source.name}"
        return survey

    async def _survey(self, survey: Survey) -> None:
        """Survey the same squares on the other imagery, and wait; it may be paused meanwhile."""
        session = self.panel.session
        self._show_parts(work=True)
        session.work_on(survey, self._source_of(survey))
        self._mind_stop()
        while session.survey is survey:
            count = len(survey.grid)
            done = count - survey.count(CellState.WAITING)
            self._tell("Surveying the other imagery", done, count)
            await asyncio.sleep(TICK_S)
        done = len(survey.grid) - len(survey.waiting)
        self._tell("Surveying the other imagery", done, len(survey.grid))

    def _source_of(self, survey: Survey) -> Source:
        source = self.panel.imagery.find_listed(survey.imagery)
        if source is None:
            raise GoneImageryError(survey.imagery.name)
        return source

    async def _look(self) -> None:
        """Look at what may have changed, and show what comes out."""
        comparer = self._comparer
        assert comparer is not None
        self._show_parts(work=True)
        self._mind_stop()

        def tell() -> None:
            done = comparer.candidates - len(comparer.change.left)
            self._tell("Looking at five sizes", done, comparer.candidates)

        tell()
        try:
            await comparer.look(tell)
        finally:
            if self.is_open and comparer is self._comparer:
                self._show()

    def _tell(self, what: str, done: int, count: int) -> None:
        self._bar.value = done / max(count, 1)
        self._said.textContent = progress(what, done, count)

    def _stop_or_go_on(self) -> None:
        """Pause what is under way, or go on with it."""
        if self._work is None:
            if self._comparer is not None:
                self._begin(self._look())
            else:
                self._start()
        elif self._comparer is not None:
            self._comparer.stop()
        else:
            self.panel.tasks.start(self.panel.session.pause())

    def _mind_stop(self) -> None:
        left = self._after is not None or bool(self._comparer and self._comparer.change.left)
        web.page["change-work"].hidden = self._work is None and not left
        self._stop.textContent = "Pause" if self._work is not None else "Resume"

    def _correct_shift(self) -> None:
        """Look again with the later picture moved, or as it is."""
        comparer = self._comparer
        if comparer is None or self._work is not None:
            return
        try:
            comparer.correct(bool(self._correct.checked))
        except LookdownError as error:
            self._correct.checked = False
            self._said.textContent = str(error)
            return
        self._begin(self._look())

    def _turn(self) -> None:
        """Take the later date for the earlier one."""
        if self._comparer is not None and self._work is None:
            self._comparer.swap()
            self._view.end_swipe()
            self._show()

    def _show_parts(self, plan: bool = False, work: bool = False, found: bool = False) -> None:
        web.page["change-plan"].hidden = not plan
        web.page["change-work"].hidden = not work
        web.page["change-found"].hidden = not found

    def _show(self) -> None:
        """Show what came out."""
        assert self._comparer is not None
        self._show_parts(found=True)
        self._mind_stop()
        self.panel.layer.hide(True)
        self._view.show(self._comparer)
        self._judging.begin(self._comparer)

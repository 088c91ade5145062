"""Single cells of the survey on the map: looked at, corrected, and found by likeness."""

import asyncio

import numpy as np
from pyscript import web, when

from pyapp.bridge import browser, canvas
from pyapp.bridge.database import Store
from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.overlays import Marks
from pyapp.core.errors import LookdownError, StoreError
from pyapp.core.ground.geo import Footprint, LngLat, same_ground
from pyapp.core.survey.similar import ranked, rehearse, similarity
from pyapp.core.survey.survey import Survey
from pyapp.ui.answer.classify import Classify
from pyapp.ui.answer.result import Answer, percent
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.history import History
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.panel.layer import SurveyMap
from pyapp.ui.survey.panel.library import KeptSurveys
from pyapp.work.ground import Ground

SHOWN = 12


class Cells:
    """A click on a cell names it; a person who knows better says so, and the rest follows."""

    def __init__(
        self,
        survey_map: SurveyMap,
        square: Square,
        classify: Classify,
        imagery: ImageryPanel,
        kept: KeptSurveys,
        history: History,
        notice: Notice,
    ):
        self._shown = survey_map
        self._square = square
        self._classify = classify
        self._imagery = imagery
        self._kept = kept
        self._history = history
        self._notice = notice
        self._number: int | None = None
        self._row = web.page["correct"]
        self._choice = web.page["correct-class"]
        when("change", self._choice)(lambda _event: self._correct())
        classify.on_answer(self._answered)
        survey_map.on_change(self._forget)

    def open_at(self, place: LngLat) -> bool:
        """Look at the cell at a place; whether there is one."""
        number = self._shown.number_at(place)
        if number is not None:
            self.open(number)
        return number is not None

    def open(self, number: int) -> None:
        """Put the square on a cell and name it."""
        survey = self._shown.survey
        if self._imagery.find(survey.imagery) is None:
            self._notice.say(
                f"The survey was made on {survey.imagery.name}, which is not chosen now, so the "
                "picture of this square can't be shown. Choose that imagery to see it."
            )
            return
        if self._imagery.find(survey.imagery) is not self._imagery.source:
            self._imagery.pick(self._imagery.find(survey.imagery))
        self._square.cover(survey.grid.footprint(number))
        self._classify.press_anew()

    def _answered(self, answer: Answer) -> None:
        """Where the answer is for a cell of the survey, it can be corrected."""
        self._number = None
        survey = self._shown.survey
        if survey is not None and answer.place is not None:
            number = self._shown.number_at(answer.place.centre)
            if number is not None and answer.place == survey.grid.footprint(number):
                self._number = number if survey.classified[number] else None
        can = (
            self._number is not None
            and survey.embedding is not None
            and survey.model.sha256 == answer.card.sha256
        )
        self._row.hidden = not can
        if can:
            self._offer_classes(survey)

    def _offer_classes(self, survey: Survey) -> None:
        given = survey.corrections.get(self._number)
        shown = int(survey.scores[self._number].argmax())
        options = [
            web.option(label, value=class_id, selected=class_id == shown)
            for class_id, label in enumerate(survey.model.labels)
        ]
        if given is not None:
            options.insert(0, web.option("as the model says", value=""))
        self._choice.replaceChildren(*(each._dom_element for each in options))
        self._choice.value = str(shown)

    def _correct(self) -> None:
        survey, number = self._shown.survey, self._number
        chosen = self._choice.value
        before = survey.corrections.get(number)
        self._history.add("correction", lambda: self._give(survey, number, before))
        self._give(survey, number, int(chosen) if chosen else None)

    def _give(self, survey: Survey, number: int, class_id: int | None) -> None:
        start_ms = browser.now_ms()
        survey.correct(number, class_id)
        if self._shown.survey is survey:
            self._shown.repaint()
            if self._number is not None:
                self._offer_classes(survey)
        browser.measure("lookdown:refit", start_ms, browser.now_ms())
        asyncio.ensure_future(self._kept.keep(survey))  # noqa: RUF006

    def _forget(self) -> None:
        self._number = None
        self._row.hidden = True


class Alike:
    """More like this: cells of the surveys whose embedding is near that of the last answer."""

    def __init__(
        self,
        ground_map: GroundMap,
        survey_map: SurveyMap,
        cells: Cells,
        classify: Classify,
        imagery: ImageryPanel,
        ground: Ground,
        store: Store,
        notice: Notice,
    ):
        self._map = ground_map
        self._shown = survey_map
        self._cells = cells
        self._classify = classify
        self._imagery = imagery
        self._ground = ground
        self._store = store
        self._notice = notice
        self._marks = Marks(ground_map)
        self._task: asyncio.Task | None = None
        self._keeps = False
        self._rehearsed = False
        self._button = web.page["alike"]
        self._strip = web.page["strip"]
        when("click", self._button)(lambda _event: self.find())
        classify.on_answer(self._settle)
        survey_map.on_change(self.clear)

    def find(self) -> None:
        """Search the surveys for what looks like the last answer; again, to hide what was found."""
        if not self._strip.hidden:
            self.clear()
            return
        answer = self._classify.answer
        if answer is not None:
            self.clear()
            self._task = asyncio.ensure_future(self._find(answer))

    def clear(self) -> None:
        """Take the strip and the marks away."""
        if self._task is not None:
            self._task.cancel()
        self._strip.hidden = True
        self._strip.replaceChildren()
        self._marks.show([])
        self._button.setAttribute("aria-pressed", "false")

    def _settle(self, answer: Answer) -> None:
        """An answer for a cell of the strip leaves it; any other makes it old."""
        if not self._keeps:
            self.clear()
        self._keeps = False
        if not self._rehearsed and _can_be_searched(self._shown.survey, answer.card.sha256):
            self._rehearsed = rehearse(self._shown.survey.embedding, answer.prediction.embedding)

    async def _find(self, answer: Answer) -> None:
        surveys = await self._surveys(answer.card.sha256)
        if not surveys:
            self._notice.say(
                "There is no survey to search. Survey an area first: press Survey and choose one."
            )
            return
        found = []
        for survey in surveys:
            start_ms = browser.now_ms()
            likeness = similarity(survey.embedding, answer.prediction.embedding)
            likeness[~survey.classified] = -1
            # The same ground may be there several times, in surveys or by overlapping squares.
            best = ranked(likeness, 4 * SHOWN)
            browser.measure("lookdown:alike", start_ms, browser.now_ms())
            found += [(float(likeness[number]), survey, int(number))
                      for number in best if not self._is_shown(survey, number)]  # fmt: skip
            await asyncio.sleep(0)
        found.sort(key=lambda each: -each[0])
        found = _elsewhere(found, answer.place)
        self._marks.show(
            [survey.grid.bounds_of(number) for _, survey, number in found
             if survey is self._shown.survey]
        )  # fmt: skip
        buttons = [self._entry(*each) for each in found]
        self._strip.replaceChildren(*(button._dom_element for button, _ in buttons))
        self._strip.hidden = False
        self._button.setAttribute("aria-pressed", "true")
        for (_, survey, number), (_, picture) in zip(found, buttons, strict=True):
            await self._draw(picture, survey, number)

    def _is_shown(self, survey: Survey, number: int) -> bool:
        """Whether the survey on the map has its own cell there, and can point to it."""
        shown = self._shown.survey
        if survey is shown or shown is None:
            return False
        there = shown.grid.number_at(survey.grid.centre(number))
        return there is not None and bool(shown.classified[there])

    async def _surveys(self, model_sha256: str) -> list[Survey]:
        """The survey on the map, and the kept ones of the same model."""
        shown = self._shown.survey
        found = [shown] if shown is not None else []
        try:
            for each in await self._store.list():
                if (
                    each.model == model_sha256
                    and each.done
                    and (shown is None or each.id != shown.id)
                ):
                    found.append(await self._store.load(each.id))
        except StoreError as error:
            if not found:
                self._notice.tell(error)
        return [each for each in found if _can_be_searched(each, model_sha256)]

    def _entry(self, likeness: float, survey: Survey, number: int):
        label = survey.model.labels[int(survey.scores[number].argmax())]
        picture = web.canvas()
        text = f"{percent(max(likeness, 0.0))} alike"
        button = web.button(picture, web.span(label), web.span(text), type="button")
        where = "" if survey is self._shown.survey else f", in {survey.name}"
        button.setAttribute("aria-label", f"{label}, {text}{where}")
        button.setAttribute("title", f"{label}{where}")
        when("click", button)(lambda _event: self._go(survey, number))
        return button, picture

    async def _draw(self, picture, survey: Survey, number: int) -> None:
        source = self._imagery.find(survey.imagery)
        if source is None:
            return
        footprint: Footprint = survey.grid.footprint(number)
        try:
            chip = await self._ground.chip(source, footprint, self._classify.model.card)
        except LookdownError:
            return
        pixels = np.ascontiguousarray(chip.pixels[::2, ::2])
        canvas.draw(picture._dom_element, pixels)

    def _go(self, survey: Survey, number: int) -> None:
        self._keeps = True
        if survey is not self._shown.survey:
            self._shown.show(survey)
        self._map.include(survey.grid.centre(number))
        self._cells.open(number)


def _can_be_searched(survey: Survey | None, model_sha256: str) -> bool:
    """Whether it knows embeddings, and of this model."""
    return (
        survey is not None and survey.embedding is not None and survey.model.sha256 == model_sha256
    )


def _elsewhere(found: list[tuple], place: Footprint | None) -> list[tuple]:
    """The first ones that show other ground than the place and than each other."""
    taken = [] if place is None else [place]
    kept = []
    for likeness, survey, number in found:
        footprint = survey.grid.footprint(number)
        if not any(same_ground(footprint, each) for each in taken):
            taken.append(footprint)
            kept.append((likeness, survey, number))
    return kept[:SHOWN]

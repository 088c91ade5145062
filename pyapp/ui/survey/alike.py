"""More like this: cells of surveys that look like the last answer."""

import asyncio
from dataclasses import dataclass, field

import numpy as np
from pyscript import web

from pyapp.bridge import canvas
from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.overlays import Marks
from pyapp.core.errors import LookdownError
from pyapp.core.survey.similar import rehearse
from pyapp.ui.answer.classify import Classify
from pyapp.ui.answer.wording import percent
from pyapp.ui.device.wording import NO_EMBEDDING
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.shell.dom import fill, on, on_any, worded
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.cells import Cells
from pyapp.ui.survey.layer import SurveyLayer
from pyapp.ui.survey.wording import answer_name
from pyapp.work.classifier import Answer
from pyapp.work.ground import Ground
from pyapp.work.search import Found, Search, can_be_searched
from pyapp.work.tasks import Tasks

SHOWN = 12
USUAL = "Find squares in your surveys that look like this (M)"


@dataclass
class AlikePictures:
    """The strip of pictures that shows what was found."""

    imagery: ImageryPanel
    ground: Ground
    layer: SurveyLayer

    def __post_init__(self):
        self.strip = web.page["strip"]

    def show(self, found: list[Found]) -> list:
        """Show a button for each; the canvases, to be drawn on."""
        canvases = [web.canvas() for _ in found]
        pairs = zip(found, canvases, strict=True)
        fill(self.strip, [self._button(each, place, picture)
                          for place, (each, picture) in enumerate(pairs)])  # fmt: skip
        self.strip.hidden = False
        return canvases

    def clear(self) -> None:
        """Take the strip away."""
        self.strip.hidden = True
        fill(self.strip, [])

    async def draw(self, found: Found, picture, card) -> None:
        """Draw what a cell shows, if its imagery can be read now."""
        source = self.imagery.find(found.survey.imagery)
        if source is None:
            return
        try:
            chip = await self.ground.chip(source, found.footprint, card)
        except LookdownError:
            return
        canvas.draw(picture._dom_element, np.ascontiguousarray(chip.pixels[::2, ::2]))

    def _button(self, found: Found, place: int, picture):
        survey = found.survey
        label = answer_name(survey, found.number)
        text = f"{percent(max(found.likeness, 0.0))} alike"
        button = web.button(
            picture, worded(web.span(), label), web.span(text), type="button", value=place
        )
        elsewhere = "" if survey is self.layer.survey else f", in {survey.name}"
        button.setAttribute("aria-label", f"{label}, {text}{elsewhere}")
        button.setAttribute("title", f"{label}{elsewhere}")
        return button


@dataclass
class Alike:
    """Searches the surveys, and points out what was found."""

    ground_map: GroundMap
    layer: SurveyLayer
    cells: Cells
    classify: Classify
    search: Search
    pictures: AlikePictures
    notice: Notice
    tasks: Tasks
    _task: "asyncio.Task[None] | None" = None
    _stays: bool = False
    _rehearsed: bool = False
    _found: list[Found] = field(default_factory=list)

    def __post_init__(self):
        self._marks = Marks(self.ground_map)
        self._button = web.page["alike"]
        on("click", self._button, self.find)
        on_any("click", self.pictures.strip, "button", self._go)
        self.classify.on_answer(self._settle)
        self.layer.on_change(self.clear)

    def find(self) -> None:
        """Search the surveys for what looks like the last answer; again, to hide what was found."""
        if self.classify.answer is not None and not self.classify.answer.card.embeds:
            self.notice.say(NO_EMBEDDING)
            return
        shown = not self.pictures.strip.hidden
        self.clear()
        answer = self.classify.answer
        if not shown and answer is not None:
            self._task = self.tasks.start(self._find(answer))

    def clear(self) -> None:
        """Take the strip and the marks away."""
        if self._task is not None:
            self._task.cancel()
        self._found = []
        self.pictures.clear()
        self._marks.show([])
        self._button.setAttribute("aria-pressed", "false")

    def _settle(self, answer: Answer) -> None:
        """An answer for a cell of the strip leaves it; any other makes it old."""
        if not self._stays:
            self.clear()
        self._stays = False
        self._button.title = USUAL if answer.card.embeds else NO_EMBEDDING
        if not answer.card.embeds:
            return
        survey = self.layer.survey
        searchable = can_be_searched(survey, answer.card.network)
        if survey is not None and survey.embedding is not None and searchable:
            self._rehearsed = self._rehearsed or rehearse(
                survey.embedding, answer.prediction.embedding
            )

    async def _find(self, answer: Answer) -> None:
        shown = self.layer.survey
        surveys = await self.search.surveys(shown, answer.card.network)
        if not surveys:
            self.notice.say(
                "There is no survey to search. Survey an area first: press Survey and choose one."
            )
            return
        embedding = answer.prediction.embedding
        self._found = await self.search.find(surveys, shown, embedding, answer.place, SHOWN)
        self._marks.show(
            [shown.grid.bounds_of(each.number) for each in self._found if each.survey is shown]
        )
        canvases = self.pictures.show(self._found)
        self._button.setAttribute("aria-pressed", "true")
        for found, picture in zip(self._found, canvases, strict=True):
            await self.pictures.draw(found, picture, answer.card)

    def _go(self, button) -> None:
        found = self._found[int(button.value)]
        self._stays = True
        if found.survey is not self.layer.survey:
            places = self._found
            self.layer.show(found.survey)
            self._found = places
        self.ground_map.include(found.survey.grid.centre(found.number))
        self.cells.open(found.number)

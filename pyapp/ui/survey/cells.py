"""Single cells of the survey on the map: looked at and corrected."""

from dataclasses import dataclass

from pyscript import web

from pyapp.bridge import browser
from pyapp.core.ground.geo import LngLat
from pyapp.core.state import CellState
from pyapp.core.survey.survey import Survey
from pyapp.ui.answer.classify import Classify
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.dom import fill, on, option
from pyapp.ui.shell.history import History
from pyapp.ui.shell.notice import CELL, IMAGERY, Notice
from pyapp.ui.survey.layer import SurveyLayer
from pyapp.ui.survey.wording import without_answer
from pyapp.work.classifier import Answer
from pyapp.work.library import Library
from pyapp.work.tasks import Tasks

# Of what is inside a group, in the list of answers to choose from.
INDENT = "\u2003"


@dataclass
class Cells:
    """A click on a cell classifies it; a person who knows better says so, and the rest follows."""

    layer: SurveyLayer
    square: Square
    classify: Classify
    imagery: ImageryPanel
    library: Library
    history: History
    notice: Notice
    tasks: Tasks
    _number: int | None = None

    def __post_init__(self):
        self._row = web.page["correct"]
        self._choice = web.page["correct-class"]
        on("change", self._choice, self._correct)
        self.classify.on_answer(self._answered)
        self.layer.on_change(self._forget)

    def open_at(self, place: LngLat) -> bool:
        """Look at the cell at a place; whether there is one."""
        number = self.layer.number_at(place)
        if number is not None:
            self.open(number)
        return number is not None

    def open(self, number: int) -> None:
        """Put the square on a cell and classify it, if there is anything to classify."""
        survey = self.layer.survey
        if survey is None:
            return
        source = self.imagery.find(survey.imagery)
        if source is None:
            self.notice.say(
                f"The survey was made on {survey.imagery.name}, which is not chosen now, so the "
                "picture of this square can't be shown. Choose that imagery to see it.",
                IMAGERY,
            )
            return
        if source != self.imagery.source:
            self.imagery.pick(source)
        self.square.cover(survey.grid.footprint(number))
        state = CellState(int(survey.state[number]))
        if state in (CellState.CLASSIFIED, CellState.WAITING, CellState.LEFT_OUT):
            self.notice.clear(CELL)
            self.classify.press_anew()
        else:
            self.classify.cancel()
            self.notice.say(without_answer(state), CELL)

    def _answered(self, answer: Answer) -> None:
        """If the answer is for a cell of the survey, it can be corrected."""
        self._number = None
        survey = self.layer.survey
        if survey is not None and answer.place is not None:
            number = self.layer.number_at(answer.place.centre)
            if number is not None and answer.place == survey.grid.footprint(number):
                self._number = number if survey.classified[number] else None
        self._row.hidden = (
            survey is None
            or self._number is None
            or survey.embedding is None
            or self.layer.is_recoloured
            or survey.model.sha256 != answer.card.sha256
        )
        if survey is not None and self._number is not None:
            self._offer_classes(survey, self._number)

    def _offer_classes(self, survey: Survey, number: int) -> None:
        given = survey.corrections.get(number)
        tree = survey.model.tree
        shown = str(given if given is not None else int(survey.scores[number].argmax()))
        options = [
            option(INDENT * tree.depth(each) + tree.nodes[each].name, str(each), str(each) == shown)
            for each in tree.order
        ]
        if given is not None:
            options.insert(0, option("as the model says", ""))
        fill(self._choice, options)
        self._choice.value = shown

    def _correct(self) -> None:
        survey, number = self.layer.survey, self._number
        if survey is None or number is None:
            return
        chosen = self._choice.value
        before = survey.corrections.get(number)
        self.history.add("correction", lambda: self._give(survey, number, before))
        self._give(survey, number, int(chosen) if chosen else None)

    def _give(self, survey: Survey, number: int, node_id: int | None) -> None:
        start_ms = browser.now_ms()
        survey.correct(number, node_id)
        if self.layer.survey is survey:
            self.layer.repaint()
            if self._number is not None:
                self._offer_classes(survey, self._number)
        elif self.layer.original is survey:
            self.layer.show(survey)
        browser.measure("lookdown:refit", start_ms, browser.now_ms())
        self.tasks.start(self.library.keep(survey))

    def _forget(self) -> None:
        self._number = None
        self._row.hidden = True

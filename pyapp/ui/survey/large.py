"""A survey too large to be opened whole: its map, its totals, and what is known of one square."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyscript import web

from pyapp.bridge.leaflet import Draw, GroundMap
from pyapp.bridge.pyramid import PyramidOverlay
from pyapp.core.ground.geo import LngLat
from pyapp.core.imagery.source import Source
from pyapp.core.model.tree import Level
from pyapp.core.survey.colours import node_colours
from pyapp.core.survey.facts import ImageryFacts
from pyapp.core.survey.paint import UNSURE, rows_of
from pyapp.ui.answer.classify import Classify
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.dom import on, worded
from pyapp.ui.survey import large_wording as wording
from pyapp.ui.survey.layer import FIRST_OPACITY, SurveyLayer
from pyapp.ui.survey.legend import NOT_SURE
from pyapp.ui.survey.panel import SurveyPanel
from pyapp.work.pyramid import LargeSurvey
from pyapp.work.tasks import Tasks


@dataclass
class LargePanel:
    """Shows one, in the panel of surveys.

    Parameters
    ----------
    find : callable
        The imagery of a survey, if it is chosen or on the device.
    pick : callable
        Chooses it.
    """

    ground_map: GroundMap
    square: Square
    panel: SurveyPanel
    layer: SurveyLayer
    classify: Classify
    find: Callable[[ImageryFacts], Source | None]
    pick: Callable[[Source], None]
    tasks: Tasks
    survey: LargeSurvey | None = None
    _asked: int = 0
    _hidden: bool = False

    def __post_init__(self):
        self._overlay = PyramidOverlay(self.ground_map)
        self._section = web.page["large"]
        self._body = web.page.find("#large-legend tbody")[0]
        self._opacity = web.page["large-opacity"]
        self._square = web.page["large-square"]
        self._evidence = web.page["large-evidence"]
        on("input", self._opacity, lambda: self._fade(False))
        on("click", web.page["large-close"], self.close)

    def show(self, survey: LargeSurvey, draw: Draw) -> None:
        """Lay another one on the map, as `draw` draws it, and say how much of what there is."""
        facts = survey.facts
        self.survey = survey
        self.layer.hide(True)
        self._overlay.show(survey.archive.source, draw)
        self._opacity.value = FIRST_OPACITY
        self._fade(False)
        web.page["large-name"].textContent = facts.name
        web.page["large-counted"].textContent = wording.counted(facts)
        web.page["large-made"].textContent = wording.made_with(facts)
        self._list(survey)
        self._say("Click a square of it to see what is known about it.")
        self._section.hidden = False
        self.panel.open()
        bounds = survey.archive.facts.bounds
        if not self.ground_map.shows(bounds):
            self.ground_map.fit(bounds)

    def close(self) -> None:
        """Take it off the map."""
        self.survey = None
        self._overlay.clear()
        self._section.hidden = True
        self.layer.hide(False)

    def toggle(self) -> bool:
        """Hide its colours, or show them; whether there are any."""
        if self.survey is not None:
            self._fade(not self._hidden)
        return self.survey is not None

    def clicked(self, place: LngLat) -> bool:
        """Whether a click was for one of its squares."""
        survey = self.survey
        cell = None if survey is None else survey.facts.cell_at(place)
        if survey is None or cell is None:
            return False
        self.square.cover(cell.footprint)
        source = self.find(survey.facts.imagery)
        if source is not None:
            self.pick(source)
            self.classify.press_anew()
        self.tasks.start(self._tell(survey, cell))
        return True

    async def _tell(self, survey: LargeSurvey, cell: Any) -> None:
        """Say what its data set has about a cell."""
        self._asked += 1
        asked = self._asked
        self._say("Reading what is known about this square.")
        try:
            row = await survey.row(cell)
        except BaseException:
            if asked == self._asked:
                self._say("")
            raise
        if asked == self._asked and self.survey is survey:
            self._say(wording.answer(row, survey.facts.model), wording.evidence(row))

    def _say(self, sentence: str, evidence: str = "") -> None:
        self._square.textContent = sentence
        self._evidence.textContent = evidence

    def _fade(self, hidden: bool) -> None:
        self._hidden = hidden
        self._overlay.fade(0.0 if hidden else float(self._opacity.value))

    def _list(self, survey: LargeSurvey) -> None:
        tree = survey.facts.model.tree
        colours = node_colours(tree)
        self._body.replaceChildren()
        for row in rows_of(survey.facts.answers, tree):
            swatch, name = web.span(classes=["swatch"]), NOT_SURE
            kinds = [f"depth-{row.depth}"]
            if row.node_id != UNSURE:
                node = tree.nodes[row.node_id]
                name = node.name
                swatch._dom_element.style.background = f"rgb{colours[row.node_id]}"
                kinds += ["class"] if node.level == Level.CLASS else []
            label = web.span(swatch, worded(web.span(), name), classes=["entry"])
            cells = [
                web.td(label),
                web.td(f"{row.all_cells:,}"),
                web.td(f"{row.all_hectares:,.1f}"),
            ]
            self._body.append(web.tr(*cells, classes=kinds))

"""Another model's answer beside that of the model in use."""

import math
from dataclasses import dataclass

from pyscript import web

from pyapp.bridge import canvas, release
from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.overlays import Outlines
from pyapp.core.address import View
from pyapp.core.ground.geo import LngLat, bounds_of, resolution_m
from pyapp.core.imagery.source import Source
from pyapp.core.model.listing import ListedModel
from pyapp.ui.answer.classify import Classify
from pyapp.ui.answer.wording import (
    beside_facts,
    doubt,
    is_coarse,
    likelihood,
    path,
    title,
)
from pyapp.ui.device.wording import arrival, takes, use_of
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.dom import fill, on, on_any, worded
from pyapp.work.classifier import Answer
from pyapp.work.loading import file_of
from pyapp.work.opinion import SecondOpinion
from pyapp.work.own_models import is_own

BLUE = "#6cc6ff"
# Share of the map that a square may fill, and its side after the map was zoomed out for it.
LARGEST_SHARE, WANTED_SHARE = 0.9, 0.6


@dataclass
class AskAnother:
    """A button under an answer; pressed, the other models, and then what one of them says.

    It is there only while there is another model, and the answer is for a place on the map.
    """

    opinion: SecondOpinion
    ground_map: GroundMap
    square: Square
    classify: Classify
    imagery: ImageryPanel
    folder: str

    def __post_init__(self):
        self._row = web.page["another"]
        self._button = self._row.find("button")[0]
        self._list = web.page["another-list"]
        self._said = web.page["another-said"]
        self._box = web.page["second"]
        self._chip = self._box.find("canvas")[0]._dom_element
        self._lines = self._box.find(".said > p")
        self._facts = self._box.find("p.small")
        self._outlines = Outlines(self.ground_map, 5, "second-square")
        self._about: tuple[LngLat, Source] | None = None
        on("click", self._button, self.toggle)
        on_any("click", self._list, "button", lambda button: self._pick(button.value))
        on("click", self._box.find("button")[0], self.clear)
        self.classify.on_answer(self._answered)
        self.square.on_move(lambda: self._outlines.draw([]))
        self.classify.models.on_change(self._model_changed)
        if self.classify.answer is not None:
            self._answered(self.classify.answer)

    def toggle(self) -> None:
        """Show which other models can be asked, or hide them."""
        if self._row.hidden:
            return
        if self._list.hidden:
            self.classify.tasks.start(self._offer())
        else:
            self._show_list(False)

    def clear(self) -> None:
        """Take the other answer away."""
        self._box.hidden = self._said.hidden = True
        self._outlines.draw([])

    def _answered(self, answer: Answer) -> None:
        self.clear()
        self._show_list(False)
        place = answer.place
        self._about = None
        if place is not None:
            self._about = place.centre, self.imagery.to_read(place.centre)
        self._row.hidden = place is None or not self.opinion.others

    async def _model_changed(self) -> None:
        self.clear()
        self._show_list(False)
        self._row.hidden = self._about is None or not self.opinion.others

    async def _offer(self) -> None:
        """List the other models, each with what it takes."""
        others = self.opinion.others
        kept = [
            is_own(each.name) or await release.is_kept(f"{self.folder}/{file_of(each.name)}")
            for each in others
        ]
        fill(self._list, [_choice(*each) for each in zip(others, kept, strict=True)])
        self._show_list(bool(others))
        if others:
            self._list.find("button")[0].focus()

    def _show_list(self, shown: bool) -> None:
        self._list.hidden = not shown
        self._button.setAttribute("aria-expanded", "true" if shown else "false")

    def _pick(self, name: str) -> None:
        about = self._about
        if about is not None:
            self._show_list(False)
            self.classify.do(lambda: self._ask(name, *about))

    async def _ask(self, name: str, centre: LngLat, source: Source) -> None:
        listed = self.opinion.models.find(name)
        known, size_bytes = (name, 0) if listed is None else (listed.title, listed.size_bytes or 0)
        self.clear()
        self._said.textContent = f"Asking {known}"
        self._said.hidden = False

        def arrived(size: int) -> None:
            self._said.textContent = arrival(known, size, size_bytes)

        try:
            answer = await self.opinion.ask(name, centre, source, arrived)
        finally:
            self._said.hidden = True
        if self._about == (centre, source):
            self._show(answer)

    def _show(self, answer: Answer) -> None:
        canvas.draw(self._chip, answer.chip.pixels)
        prediction, card = answer.prediction, answer.card
        lines = (
            card.title,
            path(prediction),
            title(prediction),
            likelihood(prediction),
            doubt(prediction),
        )
        for element, text in zip(self._lines, lines, strict=True):
            element.textContent = text
            element.hidden = not text
        about, use = self._facts
        about.textContent = beside_facts(answer)
        about._dom_element.classList.toggle("coarse", is_coarse(answer))
        use.textContent = use_of(card.use) if card.use else ""
        use.hidden = not card.use
        self._box.hidden = False
        self._box._dom_element.scrollIntoView({"block": "nearest"})
        self._outline(answer)

    def _outline(self, answer: Answer) -> None:
        """Outline its square; zoom the map out if the square does not fit."""
        if answer.place is None:
            return
        view, (centre, side_m) = self.ground_map.view, answer.place
        window_px = min(self.ground_map.size_px)
        side_px = side_m / resolution_m(view.zoom, centre.lat)
        if side_px > LARGEST_SHARE * window_px:
            steps = math.ceil(math.log2(side_px / (WANTED_SHARE * window_px)))
            self.ground_map.show(View(centre, max(0, view.zoom - steps)))
        self._outlines.draw([(bounds_of(answer.place), BLUE)])


def _choice(listed: ListedModel, is_kept: bool):
    """A model to ask; what it is called may come from a file."""
    inside = [worded(web.span(), listed.title), worded(web.small(), takes(listed, is_kept))]
    return web.button(*inside, type="button", value=listed.name)

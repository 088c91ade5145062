"""Why: what speaks for the class; and whether the answer holds at other sizes."""

from dataclasses import dataclass

from pyscript import web

from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.overlays import PictureOverlay
from pyapp.core.ground.geo import Footprint, bounds_of
from pyapp.core.model.heat import heat
from pyapp.core.model.prediction import common
from pyapp.core.model.tree import Tree
from pyapp.ui.answer.classify import Classify
from pyapp.ui.answer.wording import listed, steadiness
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.shell.dom import on, on_any
from pyapp.work.classifier import Answer, Classifier

USUAL = "Show which parts of the square speak for the class (W)"
NO_MAPS = "This model gives no activation maps, so it can't show what speaks for the class"
NOT_TAUGHT = "Why works with the model's own classes only; switch to them under Teach"


class Why:
    """The class-activation map of the last answer, laid over the imagery."""

    def __init__(self, ground_map: GroundMap, classify: Classify):
        self._classify = classify
        self._overlay = PictureOverlay(ground_map, "heat")
        self._button = web.page["why"]
        self._list = web.page["best"]
        self._class_id: int | None = None
        on("click", self._button, self.toggle)
        on_any("click", self._list, "li", self._choose)
        classify.on_answer(self._answered)

    @property
    def is_on(self) -> bool:
        """Whether it is shown."""
        return self._button.getAttribute("aria-pressed") == "true"

    def toggle(self) -> None:
        """Show it, or hide it."""
        if self._button.disabled:
            return
        self._press(not self.is_on)
        self._show()

    def hide(self) -> None:
        """Hide it."""
        self._press(False)
        self._show()

    def _press(self, pressed: bool) -> None:
        self._button.setAttribute("aria-pressed", "true" if pressed else "false")

    def _answered(self, answer: Answer) -> None:
        taught = answer.card.is_taught
        has_maps = answer.card.embeds
        self._button.disabled = answer.place is None or taught or not has_maps
        self._button.title = NOT_TAUGHT if taught else USUAL if has_maps else NO_MAPS
        self._class_id = None
        if taught or not has_maps:
            self.hide()
        elif self.is_on:
            self._show()

    def _show(self) -> None:
        answer = self._classify.answer if self.is_on else None
        place = None if answer is None else answer.place
        self._list.classList.toggle("choosing", place is not None)
        rows = list(self._list.find("li"))
        if answer is None or place is None:
            self._overlay.clear()
            for row in rows:
                row.removeAttribute("aria-current")
            return
        ranked = listed(answer.prediction)
        class_id = ranked[0].class_id if self._class_id is None else self._class_id
        self._overlay.show(heat(answer.prediction.activation, class_id), bounds_of(place))
        for row, each in zip(rows, ranked, strict=False):
            row.setAttribute("aria-current", "true" if each.class_id == class_id else "false")

    def _choose(self, row) -> None:
        """Show it for another of the five best."""
        if self._classify.answer is None:
            return
        place = [each._dom_element.isSameNode(row) for each in self._list.find("li")].index(True)
        self._class_id = listed(self._classify.answer.prediction)[place].class_id
        self._press(True)
        self._show()


@dataclass
class Steady:
    """Classifies at five sizes around the square's own; an answer that flips is unsteady."""

    classify: Classify
    classifier: Classifier
    imagery: ImageryPanel

    def __post_init__(self):
        self._button = web.page["steady"]
        self._said = web.page["steady-said"]
        on("click", self._button, self.ask)
        self.classify.on_answer(self._answered)

    def ask(self) -> None:
        """Find out for the square of the last answer."""
        answer = self.classify.answer
        if answer is not None and answer.place is not None:
            place, tree = answer.place, answer.card.tree
            self.classify.do(lambda: self._find_out(place, tree))

    def _answered(self, answer: Answer) -> None:
        self._button.disabled = answer.place is None
        self._said.hidden = True

    async def _find_out(self, place: Footprint, tree: Tree) -> None:
        found = await self.classifier.sizes(place, self.imagery.to_read(place.centre))
        self._said.textContent = steadiness(found, tree, place.side_m)
        self._said.className = "small" if common(found, tree) else "small unsteady"
        self._said.hidden = False

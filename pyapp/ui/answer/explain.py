"""Why: where in the square the class is seen; and whether the answer holds at other sizes."""

import numpy as np
from pyscript import web, when

from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.overlays import PictureOverlay
from pyapp.core.ground.geo import Footprint, bounds_of
from pyapp.core.model.heat import heat
from pyapp.core.model.prediction import Prediction, predictions
from pyapp.ui.answer.classify import Classify
from pyapp.ui.answer.result import Answer, percent
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.work.ground import Ground

# Footprints around the model's own, as shares of its side.
SIZES = (0.7, 0.85, 1.0, 1.2, 1.4)


class Why:
    """The class-activation map of the last answer, laid over the imagery."""

    def __init__(self, ground_map: GroundMap, classify: Classify):
        self._classify = classify
        self._overlay = PictureOverlay(ground_map, "heat")
        self._button = web.page["why"]
        self._list = web.page["best"]
        self._class_id: int | None = None
        when("click", self._button)(lambda _event: self.toggle())
        when("click", self._list)(self._choose)
        classify.on_answer(self._answered)

    @property
    def is_on(self) -> bool:
        """Whether it is shown."""
        return self._button.getAttribute("aria-pressed") == "true"

    def toggle(self) -> None:
        """Show it, or hide it."""
        self._press(not self.is_on)
        self._show()

    def hide(self) -> None:
        """Hide it."""
        self._press(False)
        self._show()

    def _press(self, pressed: bool) -> None:
        self._button.setAttribute("aria-pressed", "true" if pressed else "false")

    def _answered(self, answer: Answer) -> None:
        self._button.disabled = answer.place is None
        self._class_id = None
        if self.is_on:
            self._show()

    def _show(self) -> None:
        answer = self._classify.answer
        on = self.is_on and answer is not None and answer.place is not None
        self._list.classList.toggle("choosing", on)
        rows = list(self._list.find("li"))
        if not on:
            self._overlay.clear()
            for row in rows:
                row.removeAttribute("aria-current")
            return
        ranked = answer.prediction.ranked
        class_id = ranked[0].class_id if self._class_id is None else self._class_id
        self._overlay.show(heat(answer.prediction.activation, class_id), bounds_of(answer.place))
        for row, each in zip(rows, ranked, strict=False):
            row.setAttribute("aria-current", "true" if each.class_id == class_id else "false")

    def _choose(self, event) -> None:
        """Show it for another of the five best."""
        row = event.target.closest("li")
        if self._classify.answer is None or row is None:
            return
        place = [each._dom_element.isSameNode(row) for each in self._list.find("li")].index(True)
        self._class_id = self._classify.answer.prediction.ranked[place].class_id
        self._press(True)
        self._show()


class Steady:
    """Classifies at five sizes around the square's own; an answer that flips is unsteady."""

    def __init__(self, classify: Classify, imagery: ImageryPanel, ground: Ground):
        self._classify = classify
        self._imagery = imagery
        self._ground = ground
        self._button = web.page["steady"]
        self._said = web.page["steady-said"]
        when("click", self._button)(lambda _event: self.ask())
        classify.on_answer(self._answered)

    def ask(self) -> None:
        """Find out for the square of the last answer."""
        answer = self._classify.answer
        if answer is not None and answer.place is not None:
            self._classify.do(self._find_out(answer))

    def _answered(self, answer: Answer) -> None:
        self._button.disabled = answer.place is None
        self._said.hidden = True

    async def _find_out(self, answer: Answer) -> None:
        model, source = self._classify.model, self._imagery.source
        centre, side_m = answer.place
        chips = [
            (await self._ground.chip(source, Footprint(centre, share * side_m), model.card)).pixels
            for share in SIZES
        ]
        found = predictions(model.card, await model.run(np.stack(chips)))
        self._said.textContent = steadiness(found, side_m)
        self._said.className = "small" if is_steady(found) else "small unsteady"
        self._said.hidden = False


def is_steady(found: list[Prediction]) -> bool:
    """Whether the best class is the same at all sizes."""
    return len({each.best.class_id for each in found}) == 1


def steadiness(found: list[Prediction], side_m: float) -> str:
    """What five sizes gave, as a person reads it."""
    best = [each.best for each in found]
    if is_steady(found):
        least = min(each.probability for each in best)
        return (
            f"Steady: {best[0].label} at {SIZES[0] * side_m:.0f} to {SIZES[-1] * side_m:.0f} m, "
            f"{percent(least)} or more."
        )
    parts = [f"{share * side_m:.0f} m {each.label} ({percent(each.probability)})"
             for share, each in zip(SIZES, best, strict=True)]  # fmt: skip
    return "Unsteady: " + ", ".join(parts) + "."

"""The survey on the map compared with a stored one of the same model."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from pyscript import web

from pyapp.core.survey.paint import LegendRow, Look, Painter
from pyapp.core.survey.survey import Survey
from pyapp.ui.shell.dom import fill, on, option
from pyapp.ui.survey.layer import SurveyLayer
from pyapp.work.library import Library
from pyapp.work.tasks import Tasks


@dataclass
class Comparison:
    """The choice of another survey, and where the two differ."""

    layer: SurveyLayer
    library: Library
    tasks: Tasks
    _other: Survey | None = None
    _painter: Painter | None = None
    _on_change: list[Callable[[], object]] = field(default_factory=list)

    def __post_init__(self):
        self._choice = web.page["compare"]
        self._said = web.page["compare-said"]
        self._differing = web.page["differing"]
        on("change", self._choice, lambda: self.tasks.start(self._pick()))
        on("change", self._differing, self._show_differing)
        self.layer.on_change(self._forget)
        self.library.on_change(self._offer)

    def on_change(self, handler: Callable[[], object]) -> None:
        """Call ``handler()`` when the comparison is with another survey, or with none."""
        self._on_change.append(handler)

    def legend_rows(self, look: Look) -> dict[int, LegendRow] | None:
        """The other survey's `Painter.legend_rows`, by node; ``None`` without another survey."""
        if self._painter is None:
            return None
        return {each.node_id: each for each in self._painter.legend_rows(look)}

    def _offer(self) -> None:
        """Offer the stored surveys of the same model."""
        survey = self.layer.survey
        others = [each for each in self.library.stored if survey is not None
                  and each.id != survey.id and each.model == survey.model.sha256]  # fmt: skip
        if self._other is not None and self._other.id not in [each.id for each in others]:
            self._use(None)
        options = [option("nothing", ""), *(option(each.name, each.id) for each in others)]
        fill(self._choice, options)
        self._choice.value = "" if self._other is None else self._other.id
        web.page["compare-row"].hidden = not others

    async def _pick(self) -> None:
        chosen = self._choice.value
        survey = self.layer.survey
        other = await self.library.load(chosen) if chosen else None
        # Another choice may have been made while this one was read.
        if self._choice.value == chosen and self.layer.survey is survey:
            self._use(other)

    def _use(self, other: Survey | None) -> None:
        self._take(other)
        self._show_differing()
        for handler in self._on_change:
            handler()

    def _forget(self) -> None:
        """Another survey lies on the map, which begins without a comparison."""
        self._take(None)
        self._offer()

    def _take(self, other: Survey | None) -> None:
        self._other = other
        self._painter = None if other is None else Painter(other)
        self._said.textContent = "" if other is None else self._difference()
        if other is None:
            web.page["differing-row"].hidden = True
            self._differing.checked = False

    def _difference(self) -> str:
        survey, other, differing = self.layer.survey, self._other, self._differing_cells()
        web.page["differing-row"].hidden = differing is None
        if survey is None or other is None or differing is None:
            return "Another grid: only the hectares are compared."
        both = int((survey.classified & other.classified).sum())
        return f"{int(differing.sum()):,} of {both:,} squares have another answer."

    def _differing_cells(self) -> np.ndarray | None:
        survey, other = self.layer.survey, self._other
        if survey is None or other is None or survey.grid.bounds != other.grid.bounds:
            return None
        if not np.array_equal(survey.grid.cells, other.grid.cells):
            return None
        changed = survey.answers() != other.answers()
        return changed & survey.classified & other.classified

    def _show_differing(self) -> None:
        self.layer.show_only(self._differing_cells() if self._differing.checked else None)

"""What the colours of a survey mean, how much there is of each, and how it is shown."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pyscript import web

from pyapp.core.survey.paint import UNSURE, Look, colour
from pyapp.core.survey.survey import Survey
from pyapp.ui.shell.dom import on, on_any
from pyapp.ui.shell.history import History
from pyapp.ui.survey.compare import Comparison
from pyapp.ui.survey.layer import FIRST_OPACITY, SurveyLayer


@dataclass
class Legend:
    """A row for each class, with a switch; threshold, opacity, smoothing."""

    layer: SurveyLayer
    comparison: Comparison
    history: History
    _rows: "dict[int, _Row]" = field(default_factory=dict)

    def __post_init__(self):
        self._section = web.page["survey-result"]
        self._body = web.page.find("#legend tbody")[0]
        self._change = web.page.find("#legend .change")[0]
        self._sure = web.page["sure-from"]
        self._sure_said = web.page["sure-said"]
        self._opacity = web.page["opacity"]
        self._smooth = web.page["smooth"]
        self._opacity.value = FIRST_OPACITY
        on("input", self._sure, self._set_threshold)
        on("input", self._opacity, lambda: self.layer.fade(float(self._opacity.value)))
        on("change", self._smooth, self._set_smooth)
        on_any("change", self._body, "input", lambda switch: self._switch(int(switch.value)))
        self.layer.on_change(self._open)
        self.layer.on_paint(self._refresh)
        self.comparison.on_change(self._refresh)

    def _open(self) -> None:
        """Another survey lies on the map."""
        survey = self.layer.survey
        self._section.hidden = survey is None
        self._rows = {}
        self._body.replaceChildren()
        self._smooth.checked = False
        if survey is None:
            return
        self._sure.value = survey.model.threshold
        made_of = f"{survey.imagery.name}, {survey.imagery.credit}. {survey.model.title}."
        web.page["survey-imagery"].textContent = made_of

    def _refresh(self) -> None:
        """Count again."""
        survey, painter, look = self.layer.survey, self.layer.painter, self.layer.look
        if survey is None or painter is None:
            return
        self._sure_said.textContent = f"{look.threshold:.0%}"
        found, before = painter.legend(look), self.comparison.legend(look)
        self._change.hidden = before is None
        for class_id in sorted(found | (before or {}), key=_by_name(survey)):
            if class_id not in self._rows:
                self._add_row(survey, class_id)
        for class_id, row in self._rows.items():
            cells, hectares = found.get(class_id, (0, 0.0))
            change = None if before is None else hectares - before.get(class_id, (0, 0.0))[1]
            row.show(cells, hectares, class_id in look.hidden, change)

    def _add_row(self, survey: Survey, class_id: int) -> None:
        name = _name(survey, class_id)
        self._rows[class_id] = _Row(class_id, name)
        in_order = sorted(self._rows, key=_by_name(survey))
        self._body.replaceChildren(*(self._rows[each].element for each in in_order))

    def _switch(self, class_id: int) -> None:
        survey, look = self.layer.survey, self.layer.look
        if survey is not None:
            name = _name(survey, class_id)
            self.history.add(f"{name} on or off", lambda: self._flip(look, class_id))
            self._flip(look, class_id)

    def _flip(self, look: Look, class_id: int) -> None:
        look.hidden ^= {class_id}
        self.layer.repaint()

    def _set_threshold(self) -> None:
        self.layer.look.threshold = float(self._sure.value)
        self.layer.repaint()

    def _set_smooth(self) -> None:
        self.layer.look.smooth = self._smooth.checked
        self.layer.repaint()


def _by_name(survey: Survey) -> Callable[[int], tuple[bool, str]]:
    """Classes by name; what is not sure comes last."""
    return lambda class_id: (class_id == UNSURE, _name(survey, class_id))


def _name(survey: Survey, class_id: int) -> str:
    return "not sure" if class_id == UNSURE else survey.model.labels[class_id]


class _Row:
    """A class in the legend."""

    def __init__(self, class_id: int, name: str):
        switch = web.input_(type="checkbox", checked=True, value=class_id)
        swatch = web.span(classes=["swatch"])
        if class_id != UNSURE:
            swatch._dom_element.style.background = f"rgb{colour(class_id)}"
        label = web.label(*([switch] if class_id != UNSURE else []), swatch, web.span(name))
        cells = [web.td(label), web.td(), web.td(), web.td()]
        self._switch = switch
        self._cells, self._hectares, self._change = (each._dom_element for each in cells[1:])
        self.element = web.tr(*cells)._dom_element

    def show(self, cells: int, hectares: float, off: bool, change: float | None) -> None:
        self._cells.textContent = f"{cells:,}"
        self._hectares.textContent = f"{hectares:,.1f}"
        self._change.hidden = change is None
        if change is not None:
            self._change.textContent = f"{change:+,.1f}"
        self.element.classList.toggle("off", off)
        self._switch.checked = not off

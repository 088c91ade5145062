"""What the colours of a survey mean, how much there is of each, and how it is shown."""

import numpy as np
from pyscript import web, when

from pyapp.bridge.database import Store
from pyapp.core.errors import StoreError
from pyapp.core.survey.paint import UNSURE, Look, Painter, colour
from pyapp.core.survey.survey import Survey
from pyapp.ui.shell.history import History
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.panel.layer import FIRST_OPACITY, SurveyMap


class Legend:
    """A row a class, with a switch; threshold, opacity, smoothing; comparison with another."""

    def __init__(self, survey_map: SurveyMap, store: Store, history: History, notice: Notice):
        self._shown = survey_map
        self._store = store
        self._history = history
        self._notice = notice
        self._rows: dict[int, _Row] = {}
        self._other: Survey | None = None
        self._other_painter: Painter | None = None
        self._section = web.page["survey-result"]
        self._body = web.page.find("#legend tbody")[0]
        self._change = web.page.find("#legend .change")[0]
        self._sure = web.page["sure-from"]
        self._sure_said = web.page["sure-said"]
        self._opacity = web.page["opacity"]
        self._smooth = web.page["smooth"]
        self._compare = web.page["compare"]
        self._compared = web.page["compare-said"]
        self._differing = web.page["differing"]
        self._opacity.value = FIRST_OPACITY
        when("input", self._sure)(lambda _event: self._set_threshold(float(self._sure.value)))
        when("input", self._opacity)(lambda _event: survey_map.fade(float(self._opacity.value)))
        when("change", self._smooth)(lambda _event: self._set_smooth())
        when("change", self._compare)(self._pick_other)
        when("change", self._differing)(lambda _event: self._show_differing())
        survey_map.on_change(self._open)
        survey_map.on_paint(self._refresh)

    def offer(self, kept: list) -> None:
        """Offer kept surveys of the same model to compare with."""
        survey = self._shown.survey
        others = [each for each in kept if survey is not None and each.id != survey.id
                  and each.model == survey.model.sha256]  # fmt: skip
        options = [web.option("nothing", value="")]
        options += [web.option(each.name, value=each.id) for each in others]
        if self._other is not None and self._other.id not in [each.id for each in others]:
            self._other = None
        self._compare.replaceChildren(*(each._dom_element for each in options))
        self._compare.value = self._other.id if self._other is not None else ""
        web.page["compare-row"].hidden = not others

    def _open(self) -> None:
        """Another survey lies on the map."""
        survey = self._shown.survey
        self._section.hidden = survey is None
        self._rows = {}
        self._body.replaceChildren()
        self._other = None
        self._differing.checked = self._smooth.checked = False
        self._compared.textContent = ""
        web.page["differing-row"].hidden = True
        self._change.hidden = True
        if survey is None:
            return
        self._sure.value = survey.model.threshold
        web.page[
            "survey-imagery"
        ].textContent = f"{survey.imagery.name}, {survey.imagery.credit}. {survey.model.title}."
        self._refresh()

    def _refresh(self) -> None:
        """Count again."""
        look = self._shown.look
        self._sure_said.textContent = f"{look.threshold:.0%}"
        found = self._shown.painter.legend(look)
        before = {}
        if self._other is not None:
            before = self._other_painter.legend(look)
        for class_id in sorted(found | before, key=_by_name(self._shown.survey)):
            if class_id not in self._rows:
                self._add_row(class_id)
        for class_id, row in self._rows.items():
            cells, hectares = found.get(class_id, (0, 0.0))
            change = hectares - before.get(class_id, (0, 0.0))[1] if self._other else None
            row.show(cells, hectares, class_id in look.hidden, change)

    def _add_row(self, class_id: int) -> None:
        labels = self._shown.survey.model.labels
        name = "not sure" if class_id == UNSURE else labels[class_id]
        row = _Row(name, None if class_id == UNSURE else colour(class_id))
        self._rows[class_id] = row
        in_order = sorted(self._rows, key=_by_name(self._shown.survey))
        self._body.replaceChildren(*(self._rows[each].element for each in in_order))
        if class_id != UNSURE:
            when("change", row.switch)(lambda _event: self._switch(class_id))

    def _switch(self, class_id: int) -> None:
        look, name = self._shown.look, self._shown.survey.model.labels[class_id]
        self._history.add(f"{name} on or off", lambda: self._flip(look, class_id))
        self._flip(look, class_id)

    def _flip(self, look: Look, class_id: int) -> None:
        look.hidden ^= {class_id}
        self._shown.repaint()

    def _set_threshold(self, threshold: float) -> None:
        self._shown.look.threshold = threshold
        self._shown.repaint()

    def _set_smooth(self) -> None:
        self._shown.look.smooth = self._smooth.checked
        self._shown.repaint()

    async def _pick_other(self, _event) -> None:
        chosen = self._compare.value
        self._other = None
        if chosen:
            try:
                self._other = await self._store.load(chosen)
                self._other_painter = Painter(self._other)
            except StoreError as error:
                self._notice.tell(error)
        self._change.hidden = self._other is None
        self._compared.textContent = "" if self._other is None else self._difference()
        self._show_differing()
        self._refresh()

    def _difference(self) -> str:
        differing = self._differing_cells()
        web.page["differing-row"].hidden = differing is None
        if differing is None:
            return "Another grid: only the hectares are compared."
        both = int((self._shown.survey.classified & self._other.classified).sum())
        return f"{int(differing.sum()):,} of {both:,} squares have another class."

    def _differing_cells(self) -> np.ndarray | None:
        one, other = self._shown.survey, self._other
        if other is None or one.grid.bounds != other.grid.bounds:
            return None
        if not np.array_equal(one.grid.cells, other.grid.cells):
            return None
        changed = one.scores.argmax(1) != other.scores.argmax(1)
        return changed & one.classified & other.classified

    def _show_differing(self) -> None:
        self._shown.show_only(self._differing_cells() if self._differing.checked else None)


def _by_name(survey: Survey):
    """Classes by name, what is not sure last."""
    return lambda class_id: (class_id == UNSURE, survey.model.labels[class_id])


class _Row:
    """A class in the legend."""

    def __init__(self, name: str, rgb: tuple[int, int, int] | None):
        self.switch = web.input_(type="checkbox", checked=True)
        swatch = web.span(classes=["swatch"])
        if rgb is not None:
            swatch._dom_element.style.background = f"rgb{rgb}"
        label = web.label(*([self.switch] if rgb else []), swatch, web.span(name))
        cells = [web.td(label), web.td(), web.td(), web.td()]
        self._cells, self._hectares, self._change = (each._dom_element for each in cells[1:])
        self.element = web.tr(*cells)._dom_element

    def show(self, cells: int, hectares: float, off: bool, change: float | None) -> None:
        self._cells.textContent = f"{cells:,}"
        self._hectares.textContent = f"{hectares:,.1f}"
        self._change.hidden = change is None
        if change is not None:
            self._change.textContent = f"{change:+,.1f}"
        self.element.classList.toggle("off", off)
        self.switch.checked = not off

"""What the colours of a survey mean, how much there is of each, and how it is shown."""

from dataclasses import dataclass, field

from pyscript import web

from pyapp.core.model.tree import Level, Tree
from pyapp.core.survey.colours import node_colours
from pyapp.core.survey.facts import made_of
from pyapp.core.survey.paint import UNSURE, LegendRow, Look
from pyapp.ui.shell.dom import on, on_any, worded
from pyapp.ui.shell.history import History
from pyapp.ui.survey.compare import Comparison
from pyapp.ui.survey.layer import FIRST_OPACITY, SurveyLayer
from pyapp.ui.survey.wording import thresholds

NOT_SURE = "not sure"


@dataclass
class Legend:
    """A row for each class and group, with a switch; threshold, opacity, smoothing."""

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
        self._sure_means = web.page["sure-means"]
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
        web.page["survey-imagery"].textContent = f"{made_of(survey.imagery)}. {survey.model.title}."

    def _refresh(self) -> None:
        """Count again."""
        survey, painter, look = self.layer.survey, self.layer.painter, self.layer.look
        if survey is None or painter is None:
            return
        self._sure_said.textContent = f"{look.threshold:.0%}"
        self._sure_means.textContent = thresholds(survey.model, look.threshold)
        self._sure_means.hidden = survey.model.tree.is_flat
        found = {each.node_id: each for each in painter.legend_rows(look)}
        before = self.comparison.legend_rows(look)
        self._change.hidden = before is None
        new = (found.keys() | (before or {}).keys()) - self._rows.keys()
        if new:
            self._add_rows(survey.model.tree, new)
        for node_id, row in self._rows.items():
            counted = found.get(node_id)
            hectares = counted.all_hectares if counted else 0.0
            change = None
            if before is not None:
                change = hectares - (before[node_id].all_hectares if node_id in before else 0.0)
            row.show(counted, hectares, node_id in look.hidden, change)

    def _add_rows(self, tree: Tree, node_ids: set[int]) -> None:
        colours = node_colours(tree)
        for node_id in node_ids:
            if node_id == UNSURE:
                self._rows[node_id] = _Row(node_id, NOT_SURE, None, "depth-0")
            else:
                node, depth = tree.nodes[node_id], f"depth-{tree.depth(node_id)}"
                kinds = f"{depth} class" if node.level == Level.CLASS else depth
                self._rows[node_id] = _Row(node_id, node.name, colours[node_id], kinds)
        in_order = [each for each in (*tree.order, UNSURE) if each in self._rows]
        self._body.replaceChildren(*(self._rows[each].element for each in in_order))

    def _switch(self, node_id: int) -> None:
        survey, look = self.layer.survey, self.layer.look
        if survey is not None:
            name = survey.model.tree.nodes[node_id].name
            self.history.add(f"{name} on or off", lambda: self._flip(look, node_id))
            self._flip(look, node_id)

    def _flip(self, look: Look, node_id: int) -> None:
        look.hidden ^= {node_id}
        self.layer.repaint()

    def _set_threshold(self) -> None:
        self.layer.look.threshold = float(self._sure.value)
        self.layer.repaint()

    def _set_smooth(self) -> None:
        self.layer.look.smooth = self._smooth.checked
        self.layer.repaint()


class _Row:
    """A class or a group in the legend; a group counts what is inside it as well."""

    def __init__(self, node_id: int, name: str, rgb: tuple[int, int, int] | None, kinds: str):
        switch = web.input_(type="checkbox", checked=True, value=node_id)
        swatch, self._coarse = web.span(classes=["swatch"]), web.small()
        if rgb is not None:
            swatch._dom_element.style.background = f"rgb{rgb}"
        text = worded(web.span(), name)
        text.append(self._coarse)
        label = web.label(*([] if rgb is None else [switch]), swatch, text)
        cells = [web.td(label), web.td(), web.td(), web.td()]
        self._switch = switch
        self._cells, self._hectares, self._change = (each._dom_element for each in cells[1:])
        self.element = web.tr(*cells, classes=kinds.split())._dom_element

    def show(
        self, counted: LegendRow | None, hectares: float, off: bool, change: float | None
    ) -> None:
        cells = counted.all_cells if counted else 0
        self._cells.textContent = f"{cells:,}"
        self._hectares.textContent = f"{hectares:,.1f}"
        # Of a group, how many squares have no finer answer.
        coarse = counted.cells if counted and counted.cells < counted.all_cells else 0
        self._coarse.textContent = f" {coarse:,} no finer" if coarse else ""
        self._change.hidden = change is None
        if change is not None:
            self._change.textContent = f"{change:+,.1f}"
        self.element.classList.toggle("off", off)
        self._switch.checked = not off

"""What changed, as it is shown: on the map, as a table, square by square, with a swipe."""

import re
from dataclasses import dataclass, field
from typing import Any

from pyscript import web

from pyapp.bridge import browser, canvas
from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.overlays import Marks, PictureOverlay
from pyapp.bridge.swipe import Swipe
from pyapp.core.accuracy.estimate import Figure
from pyapp.core.change.change import Change
from pyapp.core.change.files import to_csv, to_geojson
from pyapp.core.change.paint import paint
from pyapp.core.survey.colours import node_colours
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.shell.dom import fill, on, on_any, worded
from pyapp.ui.survey.change_wording import dated, lie, node_name, pair, reasons, summary
from pyapp.ui.survey.check_wording import area
from pyapp.work.change import Comparer
from pyapp.work.tasks import Tasks

# Of the colours while the two pictures are swiped.
FAINT = 0.35


@dataclass
class ChangeView:
    """What came out of a comparison, if there is one."""

    ground_map: GroundMap
    imagery: ImageryPanel
    tasks: Tasks
    _comparer: Comparer | None = None
    _cells: tuple[int, ...] = ()
    _at: int = 0
    # What a check says: facts for the file, and the area of each transition.
    checked: "dict[str, Any] | None" = None
    _areas: dict[tuple[int, int], Figure] = field(default_factory=dict)

    def __post_init__(self):
        self._slider = web.page["change-swipe"]
        self._rows = web.page.find("#change-table tbody")[0]
        self._picture = PictureOverlay(self.ground_map, "change-picture")
        self._marks = Marks(self.ground_map)
        self._swipe = Swipe(self.ground_map)
        on("input", self._slider, self._pull)
        on("click", web.page["change-back"], lambda: self._go(-1))
        on("click", web.page["change-next"], lambda: self._go(1))
        on("click", web.page["change-csv"], lambda: self._save("csv"))
        on("click", web.page["change-geojson"], lambda: self._save("geojson"))
        on_any("click", self._rows, "button", lambda each: self._choose(each.value))

    def show(self, comparer: Comparer) -> None:
        """Show what a comparison says by now."""
        self._comparer = comparer
        change = comparer.change
        web.page["change-said"].textContent = summary(change)
        web.page["change-pair"].textContent = pair(change)
        web.page["change-lie"].textContent = lie(comparer.apart, comparer.corrects)
        web.page["change-correct-row"].hidden = comparer.apart is None or not comparer.apart.matters
        web.page["change-correct"].checked = comparer.corrects
        fill(web.page["change-reasons"], [worded(web.li(), each) for each in reasons(change)])
        self.tell_areas({})
        self._picture.show(paint(change), change.before.grid.bounds)
        self._choose("")

    def tell_areas(self, areas: dict[tuple[int, int], Figure]) -> None:
        """List what has changed, with what a check says of the area of each transition."""
        self._areas = areas
        if self._comparer is None:
            return
        change = self._comparer.change
        rows = [self._row(change, *each) for each in change.transitions()]
        fill(self._rows, rows)
        web.page["change-table"].hidden = not rows

    def clear(self) -> None:
        """Take everything off the map."""
        self._comparer = None
        self._cells = ()
        self._picture.clear()
        self._marks.show([])
        self.end_swipe()

    def end_swipe(self) -> None:
        """Show one imagery only."""
        self._swipe.clear()
        self._slider.value = 1
        self._picture.fade(1.0)

    def open(self, number: int) -> bool:
        """Show a square on both dates; whether it is one that has changed."""
        if self._comparer is None:
            return False
        cells = tuple(self._comparer.change.changed())
        if number not in cells:
            return False
        self._cells, self._at = cells, cells.index(number)
        self._show_square()
        return True

    def _row(self, change: Change, before: int, after: int, count: int, hectares: float):
        colours = node_colours(change.before.model.tree)
        parts = []
        for node in (before, after):
            swatch = web.span(classes=["swatch"])
            swatch._dom_element.style.background = f"rgb{colours[node]}"
            parts.append(web.span(swatch, worded(web.span(), node_name(change, node))))
        arrow = worded(web.i(), "→")
        button = web.button(parts[0], arrow, parts[1], type="button", value=f"{before} {after}")
        button.title = "Show these squares, one by one"
        last = worded(web.td(), f"{hectares:,.1f}")
        figure = self._areas.get((before, after))
        if figure is not None:
            last.append(worded(web.small(), area(figure)))
        return web.tr(web.td(button), worded(web.td(), f"{count:,}"), last)

    def _choose(self, value: str) -> None:
        """Show the squares of a row, or with an empty value none yet."""
        if self._comparer is None:
            return
        nodes = [int(each) for each in value.split()]
        self._cells = tuple(self._comparer.change.changed(*nodes)) if nodes else ()
        self._at = 0
        self._show_square()

    def _go(self, step: int) -> None:
        if self._cells:
            self._at = (self._at + step) % len(self._cells)
            self._show_square()

    def show_cell(self, number: int | None, says: bool) -> None:
        """Show one square on both dates, or none; with what is said of it, or without."""
        self._cells, self._at = () if number is None else (number,), 0
        self._show_square(says)

    def _show_square(self, says: bool = True) -> None:
        web.page["change-square"].hidden = not self._cells
        if not self._cells or self._comparer is None:
            self._marks.show([])
            return
        change, number = self._comparer.change, self._cells[self._at]
        before, after = change.nodes[number].tolist()
        web.page["change-steps"].hidden = len(self._cells) < 2
        self._marks.show([change.before.grid.bounds_of(number)])
        self.ground_map.include(change.before.grid.centre(number))
        for name, node, survey in (
            ("before", before, change.before), ("after", after, change.after)
        ):  # fmt: skip
            web.page[f"change-{name}-said"].textContent = node_name(change, node) if says else ""
            web.page[f"change-{name}-date"].textContent = dated(survey.imagery)
        web.page["change-place"].textContent = f"{self._at + 1:,} of {len(self._cells):,}"
        self.tasks.start(self._draw_square(number))

    async def _draw_square(self, number: int) -> None:
        comparer = self._comparer
        if comparer is None:
            return
        pictures = await comparer.pictures(number)
        if comparer is self._comparer and self._cells and self._cells[self._at] == number:
            for name, pixels in zip(("before", "after"), pictures, strict=True):
                canvas.draw(web.page[f"change-{name}"]._dom_element, pixels)

    def _pull(self) -> None:
        """Show the later imagery over the right part of the map, the earlier one on the left."""
        if self._comparer is None:
            return
        if not self._swipe.is_on:
            before, after = self._comparer.sources
            if self.imagery.source.url != before.url:
                self.imagery.pick(before)
            self._swipe.show(after, self.imagery.draw_of(after))
        share = float(self._slider.value)
        self._swipe.pull(share)
        self._picture.fade(FAINT if share < 1 else 1.0)

    def _save(self, kind: str) -> None:
        comparer = self._comparer
        if comparer is None:
            return
        name = re.sub(r"[^\w.-]+", "-", comparer.change.before.name).strip("-.") or "survey"
        if kind == "csv":
            text, media = to_csv(comparer.change), "text/csv"
        else:
            text = to_geojson(comparer.change, comparer.shift_m, self.checked)
            media = "application/geo+json"
        browser.save_file(f"{name}-change.{kind}", text.encode(), media)

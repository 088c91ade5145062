"""The table of plots: sorted by a column, a page at a time, and a way to each on the map."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pyscript import web, when

from pyapp.bridge import browser
from pyapp.core.plots.listing import COLUMN, ROW, sorted_rows, telling_column, text_of
from pyapp.core.plots.run import PlotRun
from pyapp.ui.plots.wording import answer_said
from pyapp.ui.shell.dom import fill, on, on_any, option

# Rows that are shown at a time.
PAGE = 50
CELLS = 4
STEPS = {"ArrowDown": 1, "ArrowUp": -1}


@dataclass
class PlotTable:
    """Shows the rows of plots.

    Attributes
    ----------
    on_choose : callable taking int
        Called with the number of a row that the person chose.
    """

    on_choose: Callable[[int], object]
    _run: PlotRun | None = None
    _order: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    _page: int = 0
    _key: str = ROW
    _descending: bool = False
    _column: int | None = None
    _chosen: int | None = None

    def __post_init__(self):
        self._table = web.page["plots-table"]
        self._heads = list(self._table.find("th"))
        self._body = self._table.find("tbody")[0]
        self._choice = web.page["plots-column"]
        self._pages = web.page["plots-pages"]
        self._before, self._after = self._pages.find("button")
        self._said = self._pages.find("span")[0]
        self._rows: list[Any] = []
        self._cells: list[list[Any]] = []
        self._shown: list[tuple[str, ...]] = []
        self._head_names = [each.find("span")[0] for each in self._heads]
        on("click", self._before, lambda: self._turn(-1))
        on("click", self._after, lambda: self._turn(1))
        on("change", self._choice, self._choose_column)
        on_any("click", self._table, "th button", lambda each: self._sort(each.dataset.sort))
        on_any("click", self._body, "tr", lambda each: self._choose(int(each.dataset.row)))
        when("keydown", self._body)(self._on_key)

    def show(self, run: PlotRun | None) -> None:
        """Show other plots."""
        self._run, self._page, self._chosen = run, 0, None
        self._key, self._descending = ROW, False
        if run is None:
            return
        self._column = telling_column(run.plots)
        names = [option(each or f"Column {number + 1}", str(number), number == self._column)
                 for number, each in enumerate(run.plots.columns)]  # fmt: skip
        fill(self._choice, names)
        web.page["plots-column-row"].hidden = len(names) < 2
        self.renew()

    def renew(self) -> None:
        """Show what has changed, in the order that was chosen."""
        if self._run is None:
            return
        self._order = sorted_rows(self._run, self._key, self._descending, self._column)
        self._show_heads()
        self._show_page()

    def _show_heads(self) -> None:
        assert self._run is not None
        names = self._run.plots.columns
        title = "" if self._column is None else names[self._column]
        for head, name in zip(self._heads, self._head_names, strict=True):
            key = head.find("button")[0].dataset.sort
            if key == COLUMN:
                name.textContent = title or "Plot"
            sorting = "descending" if self._descending else "ascending"
            head.setAttribute("aria-sort", sorting if key == self._key else "none")

    def _show_page(self) -> None:
        first = self._page * PAGE
        rows = self._order[first : first + PAGE].tolist()
        self._make_rows(len(rows))
        for place, row in enumerate(rows):
            self._show_row(place, row)
        for place in range(len(rows), len(self._rows)):
            self._rows[place].hidden = True
        self._pages.hidden = len(self._order) <= PAGE
        self._said.textContent = f"{first + 1:,} to {first + len(rows):,} of {len(self._order):,}"
        self._before.disabled = self._page == 0
        self._after.disabled = first + PAGE >= len(self._order)

    def _show_row(self, place: int, row: int) -> None:
        assert self._run is not None
        title = ""
        if self._column is not None:
            title = text_of(self._run.plots.rows[row][self._column])
        texts = (str(row + 1), title, *answer_said(self._run, row), str(row == self._chosen))
        if self._shown[place] == texts and not self._rows[place].hidden:
            return
        self._shown[place] = texts
        element, cells = self._rows[place], self._cells[place]
        element.hidden = False
        element.dataset.row = str(row)
        element.setAttribute("aria-current", "true" if row == self._chosen else "false")
        for cell, text in zip(cells, texts[:CELLS], strict=True):
            cell.textContent = text
        cells[0].setAttribute("aria-label", f"Row {row + 1}: show it on the map")

    def _make_rows(self, count: int) -> None:
        while len(self._rows) < count:
            button = web.button(type="button")
            cells = [web.td() for _ in range(CELLS - 1)]
            element = web.tr(web.td(button), *cells)
            self._body.append(element)
            self._rows.append(element)
            self._cells.append([button, *cells])
            self._shown.append(())

    def _sort(self, key: str) -> None:
        self._descending = not self._descending if key == self._key else False
        self._key, self._page = key, 0
        self.renew()

    def _choose_column(self) -> None:
        self._column = int(self._choice.value)
        self.renew()

    def _turn(self, pages: int) -> None:
        self._page += pages
        self._show_page()

    def _choose(self, row: int) -> None:
        self._chosen = row
        self._show_page()
        self.on_choose(row)

    def _on_key(self, event) -> None:
        """The arrows go to the next row, and to the next page behind the last one."""
        element = browser.closest(event, "tr")
        if event.key not in STEPS or element is None:
            return
        event.preventDefault()
        event.stopPropagation()
        rows = self._order.tolist()
        place = rows.index(int(element.dataset.row)) + STEPS[event.key]
        if not 0 <= place < len(rows):
            return
        self._page = place // PAGE
        self._choose(rows[place])
        self._cells[place % PAGE][0].focus()

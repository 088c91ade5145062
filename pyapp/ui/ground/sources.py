"""The list of imagery that is offered: what covers the middle of the map comes first."""

from collections.abc import Callable
from typing import Any

from pyscript import web

from pyapp.core.ground.geo import LngLat
from pyapp.core.imagery.choice import by_place, facts_at, permission
from pyapp.core.imagery.source import FILE_ID, Source
from pyapp.ui.shell.dom import fill, on_any, option

HERE, ELSEWHERE = "In the middle of the map", "Elsewhere"
BUILT_IN = "Built in, works with no network"
OWN_FILE = "Your own file"


class SourceList:
    """Rows to choose from; the sources of a series share one row, which has a list of them.

    Parameters
    ----------
    sources : list of Source
        The first is built in.
    on_pick : callable taking Source
    """

    def __init__(self, sources: list[Source], on_pick: Callable[[Source], None]):
        self._on_pick = on_pick
        self._list = web.page["source-list"]
        self._terms = web.page["imagery-terms"]
        rows: dict[str, _Row] = {}
        for source in sources:
            name = source.series or source.id
            if name in rows:
                rows[name].add(source)
            else:
                rows[name] = _Row(name, source)
        self._rows = rows
        self._order: list[str] = []
        on_any("change", self._list, "input, select", self._changed)

    def put(self, source: Source) -> None:
        """Offer one more, in place of what has its id."""
        self._rows[source.id] = _Row(source.id, source)
        self._order = []

    def take_away(self, source: Source) -> None:
        """Offer one no more."""
        self._rows.pop(source.id, None)
        self._order = []

    def arrange(self, place: LngLat) -> None:
        """List first what covers a place, with what is known about it there."""
        groups = by_place((row.source for row in self._rows.values()), place)
        order: list[str] = []
        elements: list[Any] = []
        for heading, group in zip((HERE, ELSEWHERE), groups, strict=True):
            if group:
                order.append(heading)
                elements.append(web.p(heading, classes=["small"]))
            for source in group:
                row = self._rows[source.series or source.id]
                row.say(facts_at(source, place) if heading == HERE else "")
                order.append(row.name)
                elements.append(row.element)
        # What is being used stays in place.
        if order != self._order:
            self._order = order
            fill(self._list, elements)

    def show(self, source: Source) -> None:
        """Show which one is chosen, and what one may do with it."""
        for row in self._rows.values():
            row.choose(source)
        said: list[Any] = [web.span(f"{permission(source)} ")]
        if source.conditions:
            # What a service says is text, whatever it holds.
            conditions = web.span()
            conditions.textContent = f"{source.conditions} "
            said.append(conditions)
        if source.licence:
            said.append(web.a(source.licence, href=source.terms, target="_blank", rel="noopener"))
        fill(self._terms, said)

    def _changed(self, element) -> None:
        is_year = element.tagName == "SELECT"
        row = self._rows[element.name if is_year else element.value]
        if is_year:
            row.take_year(element.value)
        self._on_pick(row.source)


class _Row:
    """A source, or a series of them."""

    def __init__(self, name: str, source: Source):
        self.name = name
        self.source = source
        self._series = {source.id: source}
        self._radio = web.input_(type="radio", name="source", value=name)
        self._facts = web.small()
        here = OWN_FILE if source.id.startswith(FILE_ID) else BUILT_IN
        self._host = web.small(source.origin or here)
        title = web.span()
        # The name of a file is text, whatever it holds.
        title.textContent = source.series or source.name
        self.element = web.div(web.label(self._radio, title, self._facts, self._host))
        self._years: Any = None

    def add(self, source: Source) -> None:
        """One more of the series."""
        if self._years is None:
            self._years = web.select(option(self.source.date, self.source.id))
            self._years.setAttribute("name", self.name)
            self._years.setAttribute("aria-label", f"Year of {source.series}")
            self.element.append(self._years)
        self._series[source.id] = source
        self._years.append(option(source.date, source.id))

    def take_year(self, source_id: str) -> None:
        """Stand for another source of the series."""
        self.source = self._series[source_id]

    def choose(self, source: Source) -> None:
        """Show whether it is the one that is chosen."""
        chosen = source.id in self._series
        self._radio.checked = chosen
        if chosen and self._years is not None:
            self.take_year(source.id)
            self._years.value = source.id

    def say(self, facts: str) -> None:
        """Show what is known about it at the place."""
        self._facts.textContent = facts
        self._facts.hidden = not facts

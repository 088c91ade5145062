"""How good the taught classes are, what is taken for what, and what would help."""

import math
from dataclasses import dataclass

import numpy as np
from pyscript import web

from pyapp.core.teach.judge import Verdict
from pyapp.ui.shell.dom import fill, on_any, worded
from pyapp.ui.teach.examples import ExamplePictures, Examples
from pyapp.ui.teach.room import palette
from pyapp.ui.teach.wording import gains, how_good, how_good_aside
from pyapp.work.teach.teacher import Teacher

MOST_DOUBTFUL = 8


@dataclass
class Figures:
    """Shows what cross-validation says, and what squares that were kept aside say."""

    teacher: Teacher
    examples: Examples
    pictures: ExamplePictures
    _doubtful: tuple = ()

    def __post_init__(self):
        self._section = web.page["figures"]
        self._said = web.page["figures-said"]
        self._aside = web.page["figures-aside"]
        self._table = web.page["figures-table"]
        self._gain = web.page["figures-gain"]
        self._confusion = web.page["confusion"]
        self._strip = web.page["doubtful"]
        on_any("click", self._strip, "button", lambda button: self.examples.pick(button.value))
        self.teacher.on_change(self._show)

    def _show(self) -> None:
        learned, verdict = self.teacher.learned, self.teacher.verdict
        said = how_good(learned, verdict)
        self._section.hidden = not said
        self._said.textContent = said
        aside = self.teacher.aside
        fill(self._aside, [worded(web.p(), how_good_aside(each)) for each in aside])
        self._table.hidden = self._confusion.hidden = verdict is None
        curve = self.teacher.curve
        found = None if verdict is None or curve is None else curve.gains(verdict)
        self._gain.textContent = "" if found is None else gains(learned, found)
        if verdict is not None:
            fill(self._table.find("tbody")[0], self._rows(verdict))
            self._show_confusion(verdict)
        self._show_doubtful(verdict)

    def _rows(self, verdict: Verdict) -> list:
        rows = []
        counts = verdict.confusion.sum(1)
        found = zip(self.teacher.learned.taught, counts, verdict.recall, verdict.precision,
                    strict=True)  # fmt: skip
        for label, count, recall, precision in found:
            swatch = web.span(classes=["swatch"])
            swatch._dom_element.style.background = palette(
                self.teacher.learned, self.teacher.taught
            )[label]
            cells = [f"{count}", _share(recall), _share(precision)]
            rows.append(
                web.tr(web.td(swatch, worded(web.span(), f" {label}")), *map(web.td, cells))
            )
        return rows

    def _show_confusion(self, verdict: Verdict) -> None:
        labels = self.teacher.learned.taught
        head, body = self._confusion.find("thead")[0], self._confusion.find("tbody")[0]
        shown = [worded(web.th(scope="col"), each) for each in labels]
        fill(head, [web.tr(web.th("is \\ taken for", scope="col"), *shown)])
        rows = []
        for row, label in enumerate(labels):
            cells = []
            for column, count in enumerate(verdict.confusion[row].tolist()):
                kind = "hit" if row == column else "miss" if count else "none"
                cells.append(web.td(str(count), classes=[kind]))
            rows.append(web.tr(worded(web.th(scope="row"), label), *cells))
        fill(body, rows)

    def _show_doubtful(self, verdict: Verdict | None) -> None:
        learned = self.teacher.learned
        ids = {label: number for number, label in enumerate(learned.taught)}
        found = []
        if verdict is not None:
            classes = np.array([ids[each.label] for each in learned.fitted])
            found = verdict.doubtful(classes, MOST_DOUBTFUL).tolist()
        examples = [learned.fitted[each] for each in found]
        texts = [f"{each.label}?" for each in examples]
        web.page["doubtful-row"].hidden = not examples
        if tuple(examples) != self._doubtful:
            self._doubtful = tuple(examples)
            fill(self._strip, self.pictures.buttons(examples, texts))


def _share(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:.0%}"

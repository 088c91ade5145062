"""The answer: label, probability, the five best, the chip, and how it came about."""

from pyscript import web

from pyapp.bridge import canvas
from pyapp.core.model.prediction import Ranked
from pyapp.ui.answer.wording import (
    FACTS,
    doubt,
    exact_place,
    facts,
    is_coarse,
    likelihood,
    listed,
    path,
    percent,
    title,
)
from pyapp.work.classifier import Answer

SHOWN = 5


class ResultPanel:
    """Shows an answer.

    Its elements are made once; an answer only fills them, which is what keeps it quick.
    """

    def __init__(self):
        self._before = _elements("#hint, #places")
        self._result = web.page["result"]._dom_element
        self._chip = web.page["chip"]._dom_element
        self._said = _elements("#said > p")
        self._best = [_Bar() for _ in range(SHOWN)]
        self._facts = {name: _fact(name) for name in FACTS}

    def show(self, answer: Answer) -> None:
        """Show an answer in place of the last one."""
        canvas.draw(self._chip, answer.chip.pixels)
        prediction = answer.prediction
        for element, text in zip(
            self._said,
            (path(prediction), title(prediction), likelihood(prediction), doubt(prediction)),
            strict=True,
        ):
            element.textContent = text
            element.hidden = not text
        rows = listed(prediction)
        for place, bar in enumerate(self._best):
            bar.show(rows[place] if place < len(rows) else None)
        for element, text in zip(self._facts.values(), facts(answer), strict=True):
            element.textContent = text
        self._facts["Imagery"].className = "coarse" if is_coarse(answer) else ""
        self._facts["Place"].value = exact_place(answer)
        if self._result.hidden:
            self._result.hidden = False
            for each in self._before:
                each.hidden = True

    def fade(self, faded: bool) -> None:
        """Show whether the answer is for other ground than the square covers now."""
        self._result.classList.toggle("stale", faded)


class _Bar:
    """One of the most probable classes, as a row with a bar."""

    def __init__(self):
        name, share, length = web.span(), web.data(), web.i()
        row = web.li(name, share, web.div(length, classes=["bar"]))
        web.page["best"].append(row)
        self._row = row._dom_element
        self._name, self._share, self._length = (
            each._dom_element for each in (name, share, length)
        )

    def show(self, ranked: Ranked | None) -> None:
        self._row.hidden = ranked is None
        if ranked is None:
            return
        self._name.textContent = ranked.label
        self._share.textContent = percent(ranked.probability)
        self._share.value = f"{ranked.probability:.6f}"
        self._length.style.width = f"{ranked.probability * 100:.1f}%"


def _elements(selector: str) -> list:
    return [each._dom_element for each in web.page.find(selector)]


def _fact(name: str):
    """Add a row to the list of facts; the element that will hold its text."""
    value = web.data() if name == "Place" else web.span()
    web.page["facts"].append(web.dt(name), web.dd(value))
    return value._dom_element

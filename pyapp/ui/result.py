"""What the model said, as a person reads it."""

from pyscript import web

from pyapp.bridge import canvas
from pyapp.bridge.ground import GroundChip
from pyapp.core.model import Card, Prediction, Ranked

SHOWN = 5
# Imagery this much coarser than the chip is said to be so.
COARSE = 1.15


class ResultPanel:
    """The answer: label, probability, the five best, the chip, and how it came about."""

    def __init__(self):
        self._hint = web.page["hint"]
        self._result = web.page["result"]
        self._chip = web.page["chip"]
        self._said = web.page["said"]
        self._best = web.page["best"]
        self._facts = web.page["facts"]

    def show(
        self, card: Card, prediction: Prediction, chip: GroundChip, infer_ms: float, credit: str
    ) -> None:
        """Show an answer in place of the last one."""
        self._hint.hidden = True
        self._result.hidden = False
        self.fade(False)
        canvas.draw(self._chip._dom_element, chip.pixels)
        self._said.replaceChildren(*_dom(_said(prediction)))
        self._best.replaceChildren(*_dom(map(_bar, prediction.ranked[:SHOWN])))
        self._facts.replaceChildren(*_dom(_facts(card, chip, infer_ms, credit)))

    def fade(self, faded: bool) -> None:
        """Show whether the answer is for other ground than the square covers now."""
        self._result._dom_element.classList.toggle("stale", faded)


def _dom(elements):
    return [element._dom_element for element in elements]


def percent(probability: float) -> str:
    """A probability as a person reads it; never a rounded-up certainty.

    >>> percent(0.876), percent(0.9996), percent(0.0004)
    ('88 %', '> 99 %', '< 1 %')
    """
    if probability > 0.995:
        return "> 99 %"
    if probability < 0.005:
        return "< 1 %"
    return f"{probability * 100:.0f} %"


def _said(prediction: Prediction) -> list:
    best = prediction.best
    said = [
        web.p(best.label, classes=["label"]),
        web.p(f"{percent(best.probability)} probable", classes=["probability"]),
    ]
    if not prediction.sure:
        said.append(web.p("Not sure", classes=["unsure"]))
    return said


def _bar(ranked: Ranked):
    return web.li(
        web.span(ranked.label),
        web.span(percent(ranked.probability), classes=["share"]),
        web.div(
            web.i(style={"width": f"{ranked.probability * 100:.1f}%"}),
            classes=["bar"],
        ),
    )


def _facts(card: Card, chip: GroundChip, infer_ms: float, credit: str) -> list:
    coarse = chip.imagery_m > COARSE * card.resolution_m
    detail = f"{chip.imagery_m:.2f} m per pixel"
    if coarse:
        detail += f"; the model was trained at {card.resolution_m:.2f} m, so trust it less here"
    times = (
        f"read {chip.read_ms:.0f} ms, prepared {chip.prepare_ms:.0f} ms, inferred {infer_ms:.0f} ms"
    )
    return [
        web.dt("Imagery"),
        web.dd(detail, classes=["coarse"] if coarse else None),
        web.dt("Credit"),
        web.dd(credit),
        web.dt("Time"),
        web.dd(times),
        web.dt("Model"),
        web.dd(card.title),
    ]

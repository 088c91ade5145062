"""What the model said, as a person reads it."""

from dataclasses import dataclass

from pyscript import web

from pyapp.bridge import canvas
from pyapp.bridge.ground import GroundChip
from pyapp.core.geo import Footprint
from pyapp.core.model import Card, Prediction, Ranked
from pyapp.core.source import Source

SHOWN = 5
# Imagery this much coarser than the chip is said to be so.
COARSE = 1.15


@dataclass(frozen=True)
class Answer:
    """What was found under one square, and how.

    Attributes
    ----------
    footprint : Footprint
    source : Source
        Of the imagery.
    chip : GroundChip
    card : Card
        Of the model.
    prediction : Prediction
    infer_ms : float
        From handing the chip to the runtime until its outputs were there.
    """

    footprint: Footprint
    source: Source
    chip: GroundChip
    card: Card
    prediction: Prediction
    infer_ms: float


class ResultPanel:
    """The answer: label, probability, the five best, the chip, and how it came about."""

    def __init__(self):
        self._hint = web.page["hint"]
        self._result = web.page["result"]
        self._chip = web.page["chip"]
        self._said = web.page["said"]
        self._best = web.page["best"]
        self._facts = web.page["facts"]

    def show(self, answer: Answer) -> None:
        """Show an answer in place of the last one."""
        canvas.draw(self._chip._dom_element, answer.chip.pixels)
        self._said.replaceChildren(*_dom(_said(answer.prediction)))
        self._best.replaceChildren(*_dom(map(_bar, answer.prediction.ranked[:SHOWN])))
        self._facts.replaceChildren(*_dom(_facts(answer)))
        self._hint.hidden = True
        self._result.hidden = False

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
        web.data(percent(ranked.probability), value=f"{ranked.probability:.6f}"),
        web.div(web.i(style={"width": f"{ranked.probability * 100:.1f}%"}), classes=["bar"]),
    )


def _facts(answer: Answer) -> list:
    chip, card = answer.chip, answer.card
    (lng, lat), side_m = answer.footprint
    coarse = chip.imagery_m > COARSE * card.resolution_m
    detail = f"{chip.imagery_m:.2f} m per pixel"
    if coarse:
        detail += f", coarser than the {card.resolution_m:.2f} m of the model: trust it less"
    facts = {
        "Imagery": web.span(detail, classes=["coarse"] if coarse else None),
        "Place": web.data(f"{lat:.5f}, {lng:.5f}", value=f"{lat!r},{lng!r},{side_m!r}"),
        "Time": f"read {chip.read_ms:.0f}, prepare {chip.prepare_ms:.0f}, "
        f"infer {answer.infer_ms:.0f} ms",
        "Credit": answer.source.credit,
        "Model": card.title,
    }
    return [part for name, fact in facts.items() for part in (web.dt(name), web.dd(fact))]

"""What the model said, as a person reads it."""

from dataclasses import dataclass

from pyscript import web

from pyapp.bridge import canvas
from pyapp.core.ground.geo import Footprint
from pyapp.core.model.card import Card
from pyapp.core.model.prediction import Prediction, Ranked
from pyapp.work.ground import GroundChip

SHOWN = 5
# A label set of more classes than this says no more than "not sure".
MOST_NAMED = 3
FACTS = ("Imagery", "Place", "Time", "Credit", "Model")
# Imagery this much coarser than the chip is said to be so.
COARSE = 1.15


@dataclass(frozen=True)
class Answer:
    """What was found under one square, and how.

    Attributes
    ----------
    place : Footprint or None
        The ground; ``None`` for a picture of the person's own.
    credit : str
        Whose imagery it is.
    chip : GroundChip
    card : Card
        Of the model.
    prediction : Prediction
    infer_ms : float
        From handing the chip to the runtime until its outputs were there.
    """

    place: Footprint | None
    credit: str
    chip: GroundChip
    card: Card
    prediction: Prediction
    infer_ms: float


class ResultPanel:
    """The answer: label, probability, the five best, the chip, and how it came about.

    Its elements are made once; an answer only fills them, which is what keeps it quick.
    """

    def __init__(self):
        self._before = _elements("#hint, #places")
        self._result = web.page["result"]._dom_element
        self._chip = web.page["chip"]._dom_element
        self._said = _elements("#said .label, #said .probability, #said .doubt")
        self._best = [_Bar() for _ in range(SHOWN)]
        self._facts = {name: _fact(name) for name in FACTS}

    def show(self, answer: Answer) -> None:
        """Show an answer in place of the last one."""
        canvas.draw(self._chip, answer.chip.pixels)
        label, probability, doubt = self._said
        best = answer.prediction.best
        label.textContent = best.label
        probability.textContent = f"{percent(best.probability)} probable"
        doubt.textContent = doubt_of(answer.prediction)
        doubt.hidden = not doubt.textContent
        for bar, ranked in zip(self._best, answer.prediction.ranked, strict=False):
            bar.show(ranked)
        for element, text in zip(self._facts.values(), _facts(answer), strict=True):
            element.textContent = text
        self._facts["Imagery"].className = "coarse" if _is_coarse(answer) else ""
        self._facts["Place"].value = "" if answer.place is None else _exact(answer.place)
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
        web.page["best"].append(web.li(name, share, web.div(length, classes=["bar"])))
        self._name, self._share, self._length = (
            each._dom_element for each in (name, share, length)
        )

    def show(self, ranked: Ranked) -> None:
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


def doubt_of(prediction: Prediction) -> str:
    """What keeps the page from being sure, in a few words; nothing where it is."""
    unlike = "unlike anything I was trained on"
    if prediction.sure:
        return "" if prediction.familiar else unlike[0].upper() + unlike[1:]
    if not prediction.familiar:
        return f"Not sure: {unlike}"
    several = [each.label for each in prediction.likely]
    if 1 < len(several) <= MOST_NAMED:
        return f"Not sure: {', '.join(several[:-1])} or {several[-1]}, {prediction.coverage:.0%}"
    return "Not sure"


def _exact(footprint: Footprint) -> str:
    (lng, lat), side_m = footprint
    return f"{lat!r},{lng!r},{side_m!r}"


def _is_coarse(answer: Answer) -> bool:
    return (
        answer.chip.imagery_m is not None
        and answer.chip.imagery_m > COARSE * answer.card.resolution_m
    )


def _facts(answer: Answer) -> tuple[str, ...]:
    """The texts of `FACTS`, in their order."""
    chip, card, place = answer.chip, answer.card, answer.place
    if place is None:
        imagery = (
            f"its middle square, taken as {card.footprint_m:.0f} m of ground; "
            "with other ground, trust the answer less"
        )
        where = "not on the map"
    else:
        imagery = f"{chip.imagery_m:.2f} m per pixel"
        if _is_coarse(answer):
            imagery += f", coarser than the {card.resolution_m:.2f} m of the model: trust it less"
        where = f"{place.centre.lat:.5f}, {place.centre.lng:.5f}"
    return (
        imagery,
        where,
        f"read {chip.read_ms:.0f}, prepare {chip.prepare_ms:.0f}, infer {answer.infer_ms:.0f} ms",
        answer.credit,
        card.title,
    )

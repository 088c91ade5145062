"""What the page says about an answer; plain text, without a screen."""

from pyapp.core.model.prediction import Prediction
from pyapp.work.classifier import SIZES, Answer

# A label set of more classes than this says no more than "not sure".
MOST_LISTED = 3
# Imagery this much coarser than the chip is said to be so.
COARSE = 1.15
FACTS = ("Imagery", "Place", "Time", "Credit", "Model")


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


def doubt(prediction: Prediction) -> str:
    """What keeps the page from being sure, in a few words; empty if nothing does."""
    unlike = "unlike anything I was trained on"
    if prediction.sure:
        return "" if prediction.familiar else unlike[0].upper() + unlike[1:]
    if not prediction.familiar:
        return f"Not sure: {unlike}"
    several = [each.label for each in prediction.likely]
    if 1 < len(several) <= MOST_LISTED:
        return f"Not sure: {', '.join(several[:-1])} or {several[-1]}, {prediction.coverage:.0%}"
    return "Not sure"


def is_coarse(answer: Answer) -> bool:
    """Whether the imagery is coarser than what the model knows."""
    return (
        answer.chip.imagery_m is not None
        and answer.chip.imagery_m > COARSE * answer.card.resolution_m
    )


def exact_place(answer: Answer) -> str:
    """Latitude, longitude and side to the last digit, for whoever checks; empty for a picture."""
    if answer.place is None:
        return ""
    (lng, lat), side_m = answer.place
    return f"{lat!r},{lng!r},{side_m!r}"


def facts(answer: Answer) -> tuple[str, ...]:
    """How an answer came about: the texts of `FACTS`, in their order."""
    chip, card, place = answer.chip, answer.card, answer.place
    if place is None:
        imagery = (
            f"its middle square, taken as {card.footprint_m:.0f} m of ground; "
            "if it shows more or less, trust the answer less"
        )
        position = "not on the map"
    else:
        imagery = f"{chip.imagery_m:.2f} m per pixel"
        if is_coarse(answer):
            imagery += f", coarser than the {card.resolution_m:.2f} m of the model: trust it less"
        position = f"{place.centre.lat:.5f}, {place.centre.lng:.5f}"
    return (
        imagery,
        position,
        f"read {chip.read_ms:.0f}, prepare {chip.prepare_ms:.0f}, infer {answer.infer_ms:.0f} ms",
        answer.credit,
        card.title,
    )


def is_steady(found: list[Prediction]) -> bool:
    """Whether the best class is the same at all sizes."""
    return len({each.best.class_id for each in found}) == 1


def steadiness(found: list[Prediction], side_m: float) -> str:
    """What five sizes gave.

    Parameters
    ----------
    found : list of Prediction
        At `SIZES`.
    side_m : float
        The side of the square at size 1, in metres.
    """
    best = [each.best for each in found]
    if is_steady(found):
        least = min(each.probability for each in best)
        return (
            f"Steady: {best[0].label} at {SIZES[0] * side_m:.0f} to {SIZES[-1] * side_m:.0f} m, "
            f"{percent(least)} or more."
        )
    parts = [
        f"{share * side_m:.0f} m {each.label} ({percent(each.probability)})"
        for share, each in zip(SIZES, best, strict=True)
    ]
    return "Unsteady: " + ", ".join(parts) + "."

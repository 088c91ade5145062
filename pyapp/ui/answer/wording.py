"""What the page says about an answer; plain text, without a screen."""

from pyapp.core.imagery.date import in_words
from pyapp.core.model.prediction import Prediction, Ranked, common
from pyapp.core.model.tree import Tree
from pyapp.work.classifier import SIZES, Answer

# A label set of more classes than this says no more than "not sure".
MOST_LISTED = 3
# Imagery this much coarser than the chip is said to be so.
COARSE = 1.15
# What is said of a model that nobody judged.
UNKNOWN = "how often it is right is unknown"
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


def title(prediction: Prediction) -> str:
    """The answer, as fine as the model can vouch for."""
    return "not sure" if prediction.answer is None else prediction.answer.name


def path(prediction: Prediction) -> str:
    """The groups that the answer is in, from the top down; empty without any."""
    return " › ".join(prediction.path[:-1])


def likelihood(prediction: Prediction) -> str:
    """How probable the answer is; without one, what comes nearest."""
    if prediction.answer is None:
        best = prediction.best
        return f"most likely {best.label}, {percent(best.probability)}"
    return f"{percent(prediction.answer_probability)} probable"


def doubt(prediction: Prediction) -> str:
    """What keeps the page from saying more, in a few words; empty if nothing does."""
    if not prediction.familiar:
        return "Unlike anything I was trained on"
    if prediction.coarse:
        best = prediction.inside[0]
        return f"Which kind is unclear: most likely {best.label}, {percent(best.probability)}"
    several = [each.label for each in prediction.likely]
    if not prediction.sure and 1 < len(several) <= MOST_LISTED:
        between = f"{', '.join(several[:-1])} or {several[-1]}"
        return f"{between[0].upper()}{between[1:]}, {prediction.coverage:.0%}"
    return ""


def listed(prediction: Prediction) -> tuple[Ranked, ...]:
    """The classes to list under the answer: those inside a group, else all; best first."""
    return prediction.inside if prediction.coarse else prediction.ranked


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
            f"the square on it, taken as {card.footprint_m:.0f} m of ground; "
            "if it shows more or less, trust the answer less"
        )
        position = "not on the map"
    else:
        imagery = f"{chip.imagery_m:.2f} m per pixel"
        if answer.date:
            imagery += f", taken {in_words(answer.date)}"
        if is_coarse(answer):
            imagery += f", coarser than the {card.resolution_m:.2f} m of the model: trust it less"
        position = f"{place.centre.lat:.5f}, {place.centre.lng:.5f}"
    return (
        imagery,
        position,
        f"read {chip.read_ms:.0f}, prepare {chip.prepare_ms:.0f}, infer {answer.infer_ms:.0f} ms",
        answer.credit,
        card.title if card.judged else f"{card.title}: {UNKNOWN}",
    )


def beside_facts(answer: Answer) -> str:
    """How another model's answer came about."""
    imagery, *_ = facts(answer)
    said = (
        f"Its square has {answer.card.footprint_m:.0f} m and the same centre: the blue one on the "
        f"map. {imagery}."
    )
    return said if answer.card.judged else f"{said} {UNKNOWN[0].upper()}{UNKNOWN[1:]}."


def steadiness(found: list[Prediction], tree: Tree, side_m: float) -> str:
    """What five sizes gave.

    Parameters
    ----------
    found : list of Prediction
        At `SIZES`.
    tree : Tree
        Of the model.
    side_m : float
        The side of the square at size 1, in metres.
    """
    node = common(found, tree)
    if node is not None:
        shares = [
            sum(each.probability for each in one.ranked if each.class_id in node.classes)
            for one in found
        ]
        return (
            f"Steady: {node.name} at {SIZES[0] * side_m:.0f} to {SIZES[-1] * side_m:.0f} m, "
            f"{percent(min(shares))} or more."
        )
    parts = [
        f"{share * side_m:.0f} m {each.best.label} ({percent(each.best.probability)})"
        for share, each in zip(SIZES, found, strict=True)
    ]
    return "Unsteady: " + ", ".join(parts) + "."

"""What the page says about teaching; plain text, without a screen."""

from collections.abc import Sequence

from pyapp.core.teach.aside import AsideVerdict
from pyapp.core.teach.curve import Gain
from pyapp.core.teach.judge import FEWEST, Verdict
from pyapp.core.teach.probe import Fit
from pyapp.core.teach.project import Project

# Shares of squares with an answer: above the first the model fits, below the second it does not.
FITS, FAILS = 0.7, 0.4
MOST_NAMED = 3
# With fewer squares kept aside, or classes of more of the area missing, there is no figure.
FEWEST_ASIDE, MOST_MISSING = 5, 0.5
# With fewer examples, a curve that does not rise is no sign that more would not help.
ENOUGH_FOR_A_CURVE = 40
# Of the letters that keys can give: one key for each of the first classes.
KEYS = 9


def examples(count: int) -> str:
    """A number of examples.

    >>> examples(1), examples(1200)
    ('1 example', '1,200 examples')
    """
    return "1 example" if count == 1 else f"{count:,} examples"


def what_next(project: Project) -> str:
    """What to do next, in one sentence; empty once there is enough to learn from."""
    if not project.classes:
        return "Name the first thing that you want to tell apart, such as terrace."
    if len(project.classes) < 2:
        return "Name a second class: telling things apart takes two."
    if not project.examples:
        return "Put the square on something and press its class, or its number."
    empty = [each for each in project.classes if each not in project.taught]
    if len(project.taught) < 2:
        return f"Now give an example of {listed(empty)}."
    if empty:
        return f"Left out until there is an example: {listed(empty)}."
    return ""


def how_good(project: Project, verdict: Verdict | None) -> str:
    """How often the taught classes are right, or why that can't be told yet."""
    count = len(project.fitted)
    if len(project.taught) < 2:
        return ""
    if verdict is None:
        if count < FEWEST:
            return (
                f"{examples(count)}: I can't tell yet how good this is. "
                f"From {FEWEST} on, I can estimate it."
            )
        return (
            "All examples touch each other, so I can't tell how good this is elsewhere. "
            "Give examples from another place."
        )
    share, low, high = verdict.accuracy
    return (
        f"Right for {share:.0%} of squares at places it has not seen, between {low:.0%} and "
        f"{high:.0%}. Estimated from {examples(count)} at {verdict.places} places."
    )


def how_good_aside(found: AsideVerdict) -> str:
    """How often the taught classes are right on squares that were kept aside from a check."""
    spoilt = ""
    if found.overlapping:
        spoilt = (
            f" {found.overlapping:,} more overlap examples, so they don't count."
            if found.overlapping > 1
            else " 1 more overlaps an example, so it doesn't count."
        )
    few = found.squares < FEWEST_ASIDE or found.missing_share > MOST_MISSING
    if found.accuracy is None or few:
        many = "1 square" if found.squares == 1 else f"{found.squares:,} squares"
        none = f", and of {_small(found.missing_share)} of the area none" if found.missing else ""
        return (
            f"How good this is in the area of the survey {found.survey} can't be told yet. Of its "
            f"check, {many} kept aside can say it{none}.{spoilt} Judge more squares of each class, "
            "and teach from them."
        )
    share, low, high = found.accuracy
    where = f"the area of the survey {found.survey}"
    if found.missing:
        where += f" (less {listed(found.missing)}, {_small(found.missing_share)} of it)"
    return (
        f"Right on {share:.0%} of {where}, between {low:.0%} and {high:.0%}. Estimated from "
        f"{found.squares:,} squares of its check, drawn at random, kept aside and never learned "
        f"from; of other areas this says nothing.{spoilt}"
    )


def _small(share: float) -> str:
    """A small share.

    >>> _small(0.004), _small(0.04)
    ('less than 1%', '4%')
    """
    return f"{share:.0%}" if share >= 0.01 else "less than 1%"


def gains(project: Project, found: Sequence[Gain]) -> str:
    """What more labels would bring, in a sentence for each class that is worth it."""
    if not found:
        if len(project.fitted) < ENOUGH_FOR_A_CURVE:
            return "What more examples would bring can't be told yet."
        return "More examples of these classes would hardly change this."
    taught = project.taught
    parts = [
        f"{each.more} more of {taught[each.class_id]}: about +{max(100 * each.gain, 1):.0f} "
        f"{'point' if round(100 * each.gain) <= 1 else 'points'}"
        for each in found[:MOST_NAMED]
    ]
    return "; ".join(parts) + "."


def not_carried(count: int) -> str:
    """What becomes of corrections that the classes of the answers can't say; empty if of none.

    >>> not_carried(1)
    '1 correction names something else than these classes, so it shows with its own answers only.'
    """
    if not count:
        return ""
    if count == 1:
        return (
            "1 correction names something else than these classes, so it shows with its own "
            "answers only."
        )
    return (
        f"{count:,} corrections name something else than these classes, so they show with their "
        "own answers only."
    )


def listed(names: Sequence[str]) -> str:
    """Some names, with how many more there are.

    >>> listed(["a", "b"]), listed(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and 2 more')
    """
    shown = list(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        return f"{', '.join(shown)} and {len(names) - MOST_NAMED} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def fits_here(fit: Fit, title: str, left_out: int) -> str:
    """Whether a model fits a place, and what to do, in a sentence or two.

    Parameters
    ----------
    fit : Fit
    title : str
        Of the model.
    left_out : int
        Squares without imagery.
    """
    answered = (fit.named + fit.grouped) / fit.squares
    parts = [f"Of {fit.squares} squares here, {title} names {_of_ten(fit.named / fit.squares)}"]
    if fit.grouped:
        parts.append(f" and the kind of {_of_ten(fit.grouped / fit.squares)} more")
    if fit.unfamiliar:
        parts.append(f"; {_of_ten(fit.unfamiliar / fit.squares)} are unlike its training data")
    said = "".join(parts) + ". "
    if left_out:
        said += f"{left_out} more have no imagery. "
    if answered >= FITS and fit.unfamiliar <= fit.squares * (1 - FITS):
        return said + "It fits: go on with a survey."
    what = ""
    if fit.unclear:
        what = f", most of all those that look like {listed(fit.unclear[:MOST_NAMED])}"
    if answered >= FAILS:
        return said + f"A survey will have gaps; twenty labelled squares would help{what}."
    said += "It does not fit: use another model, or teach it. "
    return f"{said}Twenty labelled squares would help{what}."


def _of_ten(share: float) -> str:
    """A share as a person reads it.

    >>> _of_ten(0.38), _of_ten(0.0), _of_ten(0.02), _of_ten(1.0)
    ('4 in 10', 'none', 'fewer than 1 in 10', 'all')
    """
    if share in (0.0, 1.0):
        return "all" if share else "none"
    tenths = round(10 * share)
    if tenths == 10:
        return "more than 9 in 10"
    return f"{tenths} in 10" if tenths else "fewer than 1 in 10"

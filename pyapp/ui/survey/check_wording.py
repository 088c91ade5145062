"""What the page says about the check of a survey; plain text, without a screen."""

from collections.abc import Mapping
from typing import Protocol

from pyapp.core.accuracy.check import CANT_TELL, GROUPS, NOT_SURE_NAME, OTHER_NAME, Check
from pyapp.core.accuracy.estimate import Figure
from pyapp.core.accuracy.examples import Division
from pyapp.core.accuracy.findings import Findings
from pyapp.core.model.tree import NOT_SURE
from pyapp.core.survey.survey import Survey
from pyapp.ui.survey.wording import squares
from pyapp.ui.teach.wording import FEWEST_ASIDE, listed

# Keys of the classes, in their order; then X and 0.
KEYS = "123456789abcdefghijklmnopqrstuvwyz"
OTHER_KEY, CANT_TELL_KEY = "x", "0"
UNKNOWN_EXAMPLES = (
    "What ground this taught model learned from is not known here. If it is in this survey, those "
    "squares can't check the model, and the figures flatter it."
)


def share(figure: Figure) -> str:
    """A share with its interval.

    >>> share(Figure(0.946, 0.01, 0.924, 0.962, "Wilson"))
    '94.6% (92.4 to 96.2)'
    """
    return f"{figure.value:.1%} ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def area(figure: Figure) -> str:
    """The interval of an area.

    >>> area(Figure(12.04, 1.0, 9.7, 15.31, "Dirichlet posterior"))
    '9.7 to 15.3'
    """
    return f"{figure.low:,.1f} to {figure.high:,.1f}"


class Judged(Protocol):
    """A check of any kind."""

    @property
    def sample(self) -> list[int]:
        """Squares to judge."""

    @property
    def judgements(self) -> Mapping[int, int]:
        """What was said of them."""


def how_far(check: Judged) -> str:
    """How far the judging is."""
    unclear = sum(each == CANT_TELL for each in check.judgements.values())
    said = f"{len(check.judgements):,} of {squares(len(check.sample))} judged"
    return said + (f", {unclear:,} can't tell." if unclear else ".")


def before_the_draw(flat: bool, learned: int = 0, unknown: bool = False) -> str:
    """What a check is, and which squares are left out of it; see `Findings`."""
    by = "" if flat else " Fewer kinds need fewer squares: groups first, then classes."
    said = (
        "You judge a random sample of squares, one key each. From that follow how right the map "
        f"is, and the area of each class with its 95 % interval.{by}"
    )
    if learned:
        said += (
            f" {squares(learned).capitalize()} that the model learned from can't check it and are "
            "left out, so all figures will be of the rest."
        )
    return f"{said} {UNKNOWN_EXAMPLES}" if unknown else said


def accuracies(users: Figure | None, producers: Figure | None = None) -> str:
    """User's and producer's accuracy of a class, in words."""
    parts = []
    if users is not None:
        parts.append(f"user's accuracy {share(users)}")
    # Of what the map doesn't have, it finds nothing for certain.
    if producers is not None and producers.high > 0:
        parts.append(f"producer's {share(producers)}")
    return ", ".join(parts)


def notes(found: Findings, check: Check) -> list[str]:
    """What has to be said beside the figures."""
    result, said = found.estimate, left_out(found)
    if result is None:
        if found.unclear:
            said.append(
                "So far you couldn't tell of any square, so there are no figures. Squares that can "
                "be judged are needed, perhaps on imagery with more detail."
            )
        return said
    if found.unclear:
        said.append(
            f"You couldn't tell of {squares(found.unclear)} ({result.unclear:.0%} of the area). "
            "They are taken to be like the others of their class on the map; if the map had all of "
            f"them wrong, it would be {result.if_wrong:.1%} right, if all right, "
            f"{result.if_right:.1%}."
        )
    if result.left_out_ha:
        said.append(
            f"{result.left_out_ha:,.1f} ha are in no figure yet: no square of their classes on the "
            "map could be judged."
        )
    if found.corrections:
        said.append(
            f"Checked is the map with your {_corrections(found.corrections)}, not the bare answers "
            "of the model."
        )
    if found.corrected_since:
        said.append(
            f"{squares(found.corrected_since).capitalize()} of the sample were corrected after it "
            "was drawn, which flatters the map. Draw a new sample for an honest number."
        )
    if NOT_SURE in found.answers:
        said.append(
            "Where the map is not sure, it counts as not right: "
            f"{found.map_ha[found.answers.index(NOT_SURE)] / found.map_ha.sum():.0%} of the area."
        )
    kind = "group" if check.by == GROUPS else "class"
    if any(count == 1 for count in found.matrix.sum(0)) or found.judged < 50:
        said.append(f"With so few squares of a {kind}, its interval is rough.")
    said.append(
        "Estimated from the sample as in Olofsson et al. 2014. Intervals: Wilson for user's "
        "accuracy, draws from a Dirichlet posterior for the rest, as ± 1.96 standard errors would "
        "be too narrow for rare classes."
    )
    return said


def left_out(found: Findings) -> list[str]:
    """What the model learned from and is in no figure, or that nobody knows it."""
    if found.unknown_examples:
        return [UNKNOWN_EXAMPLES]
    if not found.learned:
        return []
    return [
        f"Left out: {squares(found.learned)} ({found.learned_ha:,.1f} ha) that the model learned "
        "from. They can't check it, so all figures are of the rest of the map."
    ]


def to_teach(division: Division) -> str:
    """How the judged squares will be divided.

    >>> from pyapp.core.accuracy.examples import JudgedSquare
    >>> squares = [JudgedSquare(each, ("field", "pond")[each % 2], each < 9) for each in range(27)]
    >>> to_teach(Division(tuple(squares), 0, 0, (), 0))
    '27 squares of 2 classes: 18 to learn from, 9 kept aside.'
    """
    count, aside = len(division.squares), division.aside
    kinds = len({each.label for each in division.squares})
    classes = "1 class" if kinds == 1 else f"{kinds} classes"
    return f"{squares(count)} of {classes}: {count - aside:,} to learn from, {aside:,} kept aside."


def teach_notes(
    division: Division, check: Check, survey: Survey, model: str, into: str
) -> list[str]:
    """What has to be said before squares are taught.

    Parameters
    ----------
    division : Division
    check : Check
    survey : Survey
    model : str
        Title of the model that will learn.
    into : str
        Name of the project that takes them.
    """
    said, labels = [], {each.label.casefold() for each in division.squares}
    if division.unclear:
        said.append(f"{squares(division.unclear).capitalize()} of which you couldn't tell are left "
                    "out.")  # fmt: skip
    if division.known:
        said.append(
            f"{squares(division.known).capitalize()} with ground of examples that {into} has "
            "already are left out."
        )
    if division.none_aside:
        said.append(f"Too few squares to keep any aside: {listed(division.none_aside)}.")
    if division.overlapping:
        said.append(
            "This survey's squares overlap each other. Of those kept aside, "
            f"{division.overlapping:,} overlap squares to learn from, so they won't count."
        )
    if division.aside - division.overlapping < FEWEST_ASIDE:
        said.append(
            "With so few kept aside, hardly anything can be said of the new model: judge more "
            "squares of each class first."
        )
    if check.by == GROUPS and not survey.model.tree.is_flat:
        said.append(
            "You judged by groups, so groups become the classes. What is learned won't tell the "
            "classes inside them apart."
        )
    if OTHER_NAME in labels:
        said.append(f"“{OTHER_NAME.capitalize()}” becomes a class like the others.")
    if survey.model.title != model:
        said.append(f"The survey is by {survey.model.title}; what learns is {model}, in use now.")
    return said


def reading(done: int, count: int) -> str:
    """How far it is with the pictures.

    >>> reading(0, 82)
    'Reading square 1 of 82.'
    """
    return f"Reading square {done + 1:,} of {count:,}."


def not_shown(missing: int) -> str:
    """That the imagery doesn't show some squares any more."""
    return (
        f"{squares(missing).capitalize()} of the check could not be read, as the imagery doesn't "
        "show that ground any more, so they were left out."
    )


def _corrections(count: int) -> str:
    return "correction" if count == 1 else f"{count:,} corrections"


def more_squares(count: int) -> str:
    """The button that draws more squares.

    >>> more_squares(60)
    'Judge about 60 more squares'
    """
    return f"Judge about {count:,} more {'square' if count == 1 else 'squares'}"


def survey_says(name: str) -> str:
    """The survey's answer, if it is wanted."""
    return f"The survey says: {name if name != NOT_SURE_NAME else 'not sure'}."

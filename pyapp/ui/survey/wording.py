"""What the page says about surveys; plain text, without a screen."""

from pyapp.core.model.tree import NOT_SURE, Level
from pyapp.core.state import CellState
from pyapp.core.survey.facts import ModelFacts
from pyapp.core.survey.survey import Survey
from pyapp.work.store import StoredSurvey

# What each level of a tree needs, as the slider of a survey says it.
NEEDS = {
    Level.TOP: "a group at the top needs",
    Level.GROUP: "a smaller group",
    Level.CLASS: "a class",
}
STEP_NAMES = {0.5: "half a square", 1.0: "one square"}
# States that the progress counts, together where a person sees no difference.
COUNTED = (
    ((CellState.MISSING, CellState.FAILED), "without imagery"),
    ((CellState.BLANK,), "with placeholder imagery"),
    ((CellState.BLURRED,), "with blurred imagery"),
    ((CellState.LEFT_OUT,), "left out"),
)


def duration(seconds: float) -> str:
    """A time as a person reads it.

    >>> duration(8.2), duration(200), duration(8000)
    ('8 s', '3 min', '2.2 h')
    """
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def squares(count: int) -> str:
    """A number of squares.

    >>> squares(1), squares(1200)
    ('1 square', '1,200 squares')
    """
    return "1 square" if count == 1 else f"{count:,} squares"


def step_name(step: float) -> str:
    """The way from one square to the next."""
    return STEP_NAMES.get(step, f"{step:g} squares")


def cost(count: int, square_ms: float | None, tiles: int) -> str:
    """What a survey takes.

    Parameters
    ----------
    count : int
        Of squares.
    square_ms : float or None
        Time for each; ``None`` while that is being measured.
    tiles : int
    """
    time = (
        "measuring the time" if square_ms is None else f"about {duration(count * square_ms / 1000)}"
    )
    return f"{squares(count)}, {time}, {tiles:,} tiles to read."


def progress(survey: Survey, goes_on: bool, rate: float) -> str:
    """How far a survey is.

    Parameters
    ----------
    survey : Survey
    goes_on : bool
        Whether it is at work.
    rate : float
        Squares per second; 0 if unknown.
    """
    count = len(survey.grid)
    left = survey.count(CellState.WAITING)
    if not left:
        parts = [f"{count:,} squares, done"]
    else:
        parts = [f"{count - left:,} of {count:,} squares"]
        if goes_on and rate:
            parts += [f"{rate:.0f} per second", f"{duration(left / rate)} left"]
        elif not goes_on:
            parts.append("paused")
    for states, name in COUNTED:
        found = survey.count(*states)
        if found:
            parts.append(f"{found:,} {name}")
    return ", ".join(parts)


def without_answer(state: CellState) -> str:
    """Why a cell has no answer, as the page says it when the cell is clicked."""
    return {
        CellState.WAITING: "This square has not been classified yet.",
        CellState.MISSING: "There is no imagery of this square.",
        CellState.FAILED: "The imagery of this square did not arrive. Retry to ask for it again.",
        CellState.BLANK: "The imagery of this square is a placeholder, so it has no class.",
        CellState.BLURRED: "The imagery of this square is stretched too far to be classified.",
        CellState.LEFT_OUT: "This square was left out when the survey was ended.",
    }[state]


def answer_name(survey: Survey, number: int) -> str:
    """The answer for a cell, as fine as the model can vouch for."""
    node_id = int(survey.answers()[number])
    return "not sure" if node_id == NOT_SURE else survey.model.tree.nodes[node_id].name


def thresholds(model: ModelFacts, threshold: float) -> str:
    """What the slider of a survey does to groups of classes; empty without any.

    Parameters
    ----------
    model : ModelFacts
    threshold : float
        Where the slider stands.
    """
    levels, there = model.levels.at(threshold), {each.level for each in model.tree.nodes}
    parts = [f"{NEEDS[level]} {levels[level]:.0%}" for level in Level if level in there]
    if len(parts) == 1:
        return ""
    said = f"To be the answer, {', '.join(parts[:-1])} and {parts[-1]}"
    if threshold < model.levels.cls:
        said += f", less than the {model.levels.cls:.0%} that the model vouches for"
    return said + "."


def stored_state(stored: StoredSurvey) -> str:
    """When a stored survey was made and how far it is."""
    day = stored.made.replace("T", " ")[:16]
    if stored.done == stored.cells:
        return f"{day}, {squares(stored.cells)}"
    return f"{day}, {stored.done:,} of {squares(stored.cells)}"

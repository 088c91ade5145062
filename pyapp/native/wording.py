"""What the command says of answers and surveys, in plain lines."""

from collections.abc import Iterator

from pyapp.core.model.prediction import Prediction
from pyapp.core.model.tree import PATH_SIGN
from pyapp.core.state import LABELS, CellState
from pyapp.core.survey.paint import UNSURE, Look, Painter
from pyapp.core.survey.survey import Survey

MOST_INSIDE = 3


def answer_line(found: Prediction) -> str:
    """An answer with its place in the tree, or what the best guess is; and any doubt."""
    if found.answer is None:
        said = f"not sure (best: {found.best.label}, {_percent(found.best.probability)})"
    else:
        said = f"{PATH_SIGN.join(found.path)}, {_percent(found.answer_probability)}"
        if found.inside:
            said += f" ({_listed(found)})"
    return said if found.familiar else f"{said}; unlike the training data"


def _listed(found: Prediction) -> str:
    inside = found.inside[:MOST_INSIDE]
    return ", ".join(f"{each.label} {_percent(each.probability)}" for each in inside)


def _percent(share: float) -> str:
    """A share; never 100 % of what is not certain.

    >>> _percent(0.9996), _percent(0.5)
    ('99.9 %', '50.0 %')
    """
    return f"{min(100 * share, 99.9):.1f} %"


def survey_lines(survey: Survey) -> Iterator[str]:
    """What came out of a survey: squares and hectares of each answer, and what is without one."""
    tree = survey.model.tree
    painter = Painter(survey)
    rows = painter.legend(Look(survey.model.threshold, set()))
    for node_id, (count, hectares) in sorted(rows.items(), key=lambda each: -each[1][0]):
        name = "not sure" if node_id == UNSURE else PATH_SIGN.join(tree.path(node_id))
        yield f"{count:>8,} squares {hectares:>12,.1f} ha  {name}"
    for state in CellState:
        if state != CellState.CLASSIFIED and survey.count(state):
            yield f"{survey.count(state):>8,} squares  {LABELS[state]}"
    yield "These are counts of answers; what they are worth, only a check can tell."

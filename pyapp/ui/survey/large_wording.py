"""What the page says about large surveys; plain text, without a screen."""

from pyapp.core.model.tree import NOT_SURE, PATH_SIGN
from pyapp.core.pyramid.facts import PyramidFacts
from pyapp.core.pyramid.row import Row
from pyapp.core.state import CellState
from pyapp.core.survey.facts import ModelFacts, made_of
from pyapp.ui.survey.wording import COUNTED, squares, without_answer

HASH_DIGITS = 12


def counted(facts: PyramidFacts) -> str:
    """How large it is, and how much of it has no answer."""
    said = [f"{squares(facts.cells)} of {facts.side_m:g} m"]
    for states, name in COUNTED:
        found = sum(facts.without.get(each, 0) for each in states)
        said += [f"{found:,} {name}"] if found else []
    return ", ".join(said) + "."


def made_with(facts: PyramidFacts) -> str:
    """Of which imagery, by which model, and when."""
    return f"{made_of(facts.imagery)}. {facts.model.title}. Drawn {facts.made[:10]}."


def answer(row: Row | None, model: ModelFacts) -> str:
    """What the data set says of a square."""
    if row is None:
        return "This square lies outside the surveyed area."
    if row.state != CellState.CLASSIFIED:
        return without_answer(row.state)
    if row.node_id == NOT_SURE:
        return f"Not sure; {row.best[0][0]} comes nearest, {row.best[0][1]:.0%}."
    path = PATH_SIGN.join(model.tree.path(row.node_id)[:-1])
    inside = f", in {path}" if path else ""
    return f"{model.tree.nodes[row.node_id].name} {row.score:.0%}{inside}."


def evidence(row: Row | None) -> str:
    """The other classes that come near, and what the answer was made from."""
    if row is None or not row.best:
        return ""
    best = ", ".join(f"{label} {share:.0%}" for label, share in row.best if share >= 0.005)
    return f"{best}. Zoom {row.zoom}, chip {row.chip[:HASH_DIGITS]}…"

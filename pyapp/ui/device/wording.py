"""What the page says about the device; plain text, without a screen."""

from typing import NamedTuple

from pyapp.core.model.backend import Backend
from pyapp.core.model.card import Card
from pyapp.core.model.listing import ListedModel
from pyapp.ui.answer.wording import UNKNOWN
from pyapp.work.runner import Runner

AUTOMATIC = "Fastest correct backend that leaves a core free for the page"
# What takes room on the device, part by part of a release.
PARTS = {
    "python": "Page, Python and map",
    "packages": "Its packages",
    "answer": "Model and its runtime",
    "rest": "Imagery and the rest",
    "extra": "GPU runtime, other models",
}


def backend_note(runner: Runner, backend: Backend) -> str:
    """What was measured of a backend."""
    trials = {trial.backend: trial for trial in runner.record.trials}
    trial = trials.get(backend)
    if backend in runner.gave_up:
        return "Gave up during this visit"
    if trial is None:
        return "Not measured"
    if not trial.right:
        return "Wrong or no answers"
    core = "" if runner.device.leaves_a_core(backend) else ", no core left for the page"
    return f"{trial.time_ms:.0f} ms per square{core}"


def megabytes(size_bytes: int) -> str:
    """The size of a file.

    >>> megabytes(2_656_951)
    '2.7 MB'
    """
    return f"{size_bytes / 1e6:.1f} MB"


def arrival(title: str, size: int, size_bytes: int) -> str:
    """How far a model has arrived."""
    if not size_bytes:
        return f"Fetching {title}: {megabytes(size)}"
    return f"Fetching {title}: {size / 1e6:.1f} of {megabytes(size_bytes)}"


NO_EMBEDDING = (
    "This model gives no embeddings, so it can't be taught, its squares can't be searched for "
    "what looks alike, and its surveys can't be recoloured. Choose another model for that."
)


def takes(listed: ListedModel, is_kept: bool) -> str:
    """The ground and the room that a model takes, as far as that is known.

    >>> wide = ListedModel("wide", "Wide", footprint_m=400.0, classes=30, size_bytes=2_000_000)
    >>> takes(wide, is_kept=False)
    '400 m of ground per square, 30 classes, 2.0 MB to fetch'
    """
    facts = []
    if listed.footprint_m is not None:
        facts.append(f"{listed.footprint_m:.0f} m of ground per square")
    if listed.classes is not None:
        facts.append(f"{listed.classes} classes")
    size = "" if listed.size_bytes is None else megabytes(listed.size_bytes)
    if is_kept:
        facts.append(f"{size} kept on this device".strip())
    elif size:
        facts.append(f"{size} to fetch")
    said = ", ".join(facts)
    return said[:1].upper() + said[1:]


def use_of(use: str) -> str:
    """What to mind about a model whose pictures were published for one use only.

    >>> use_of("research")
    'Learned from pictures published for research: check whether your use is research.'
    """
    return f"Learned from pictures published for {use}: check whether your use is {use}."


class Note(NamedTuple):
    """A sentence about a model; ``kind`` is ``fact``, or ``mind`` for what a person must check."""

    text: str
    kind: str


def notes(listed: ListedModel, card: Card | None) -> list[Note]:
    """Where a model comes from and what it may be used for, as far as that is known.

    Parameters
    ----------
    listed : ListedModel
    card : Card or None
        Of the model, if it is the one in use: it knows what the model learned from.
    """
    licence = listed.licence or (card.licence if card else "")
    use = listed.use or (card.use if card else "")
    found = [Note(f"Licence: {licence}", "fact")] if licence else []
    if use:
        found.append(Note(use_of(use), "mind"))
    if card is not None and not card.judged:
        found.append(Note(f"Opened by you: {UNKNOWN}", "mind"))
    if card is not None and not card.embeds:
        found.append(Note(NO_EMBEDDING, "fact"))
    if card is not None and card.training_data:
        found.append(Note(f"Learned from {card.training_data}", "fact"))
    return found


def suited(footprint_m: float) -> str:
    """Why another model is offered."""
    return f"This imagery suits squares of {footprint_m:.0f} m:"

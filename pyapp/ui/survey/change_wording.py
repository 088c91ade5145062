"""What the page says about what changed; plain text, without a screen."""

from pyapp.core.change.change import Change, Outcome
from pyapp.core.change.check import ChangeCheck, ChangeFindings, Said
from pyapp.core.change.files import REASONS
from pyapp.core.imagery.date import in_words
from pyapp.core.model.tree import NOT_SURE
from pyapp.core.survey.facts import ImageryFacts
from pyapp.ui.survey.check_wording import area, how_far, share
from pyapp.ui.survey.wording import squares
from pyapp.work.change import HARMLESS_PX, Apart

BEFORE_THE_START = (
    "The same squares on imagery of another date. A square counts as changed only if no class fits "
    "both dates and both answers hold at other sizes; of the rest, what can't be told is said."
)
NOTHING_TO_COMPARE = (
    "There is no other imagery of this place in the list, and no other survey of the same squares. "
    "Open imagery of another date under Imagery first."
)


def dated(imagery: ImageryFacts) -> str:
    """Imagery with its date.

    >>> dated(ImageryFacts("ign", "IGN France", "", 0, 19, "© IGN", "2012"))
    'IGN France (2012)'
    >>> dated(ImageryFacts("town", "Town", "", 0, 19, "us"))
    'Town (date unknown)'
    """
    return f"{imagery.name} ({in_words(imagery.date) if imagery.date else 'date unknown'})"


def pair(change: Change) -> str:
    """Which dates are compared."""
    before, after = change.before.imagery, change.after.imagery
    said = f"From {dated(before)} to {dated(after)}."
    if not (before.date and after.date):
        said += " Which is the earlier one is for you to say: Swap turns it round."
    return said


def summary(change: Change) -> str:
    """How much has changed."""
    changed, changed_ha = change.count(Outcome.CHANGED)
    same, same_ha = change.count(Outcome.SAME)
    unknown = sum(change.count(each)[0] for each in REASONS)
    unknown_ha = sum(change.count(each)[1] for each in REASONS)
    said = f"{squares(changed)} changed ({changed_ha:,.1f} ha), {same:,} are the same "
    said += f"({same_ha:,.1f} ha)"
    return said + (f"; of {unknown:,} it can't be told ({unknown_ha:,.1f} ha)." if unknown else ".")


def reasons(change: Change) -> list[str]:
    """Why something can't be told, and of how many squares."""
    counts = [(change.count(each)[0], REASONS[each]) for each in REASONS]
    return [f"{count:,}: {reason}" for count, reason in counts if count]


def lie(apart: Apart | None, corrects: bool) -> str:
    """How the two pictures lie."""
    if apart is None:
        return "How far the two pictures lie apart can't be told: no square could be read on both."
    if not apart.shift.is_clear:
        return (
            "The two pictures have too little in common to tell how far they lie apart. "
            "Look at some squares on both before you trust a change."
        )
    if not apart.matters:
        return f"The two pictures lie on each other within {HARMLESS_PX:g} pixels."
    way = f"{apart.metres:.1f} m ({apart.shift.apart_px:.1f} pixels)"
    if corrects:
        return f"The later picture lies {way} off, which is corrected."
    return f"The later picture lies {way} off. What changed may be that alone."


def answers_for(called: bool) -> list[tuple[str, Said, str]]:
    """Keys, what they mean, and what stands on the buttons, for a square that is judged.

    >>> [key for key, _, _ in answers_for(False)]
    ['2', '3', '0']
    """
    yes = [("1", Said.AS_SAID, "Changed as said")] if called else []
    otherwise = "Changed otherwise" if called else "Changed"
    return [
        *yes,
        ("2", Said.OTHERWISE, otherwise),
        ("3", Said.NOT_CHANGED, "Not changed"),
        ("0", Said.CANT_TELL, "Can't tell"),
    ]


def judged(check: ChangeCheck | None, found: ChangeFindings | None) -> str:
    """What the judgements say so far."""
    if check is None or found is None:
        return "Nobody has checked this: hectares are counts of squares called changed."
    said = how_far(check)
    said += (
        f" Changed: {found.changed.value:,.1f} ha ({area(found.changed)}), with what was missed."
    )
    if found.called_right is not None:
        said += f" Of what is called changed, {share(found.called_right)} has changed as said."
    return said


def node_name(change: Change, node_id: int) -> str:
    """The name of a node."""
    return "not sure" if node_id == NOT_SURE else change.before.model.tree.nodes[node_id].name


def progress(what: str, done: int, count: int) -> str:
    """How far it is.

    >>> progress("Looking at five sizes", 3, 12)
    'Looking at five sizes: 3 of 12 squares'
    """
    return f"{what}: {done:,} of {squares(count)}"

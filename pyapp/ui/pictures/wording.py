"""What the page says about pictures of one's own; plain text, without a screen."""

from pyapp.core.imagery.part import Part
from pyapp.core.imagery.photo import PhotoFacts
from pyapp.ui.answer.wording import likelihood, title
from pyapp.work.pictures import SeenPicture

NO_PHOTO = (
    "No photo arrived: it was cancelled, or this device has no camera that the page may use. "
    "Choose a picture instead."
)


def about(name: str, facts: PhotoFacts, part: Part) -> str:
    """What is open, and which part of it is asked about.

    >>> about("roof.jpg", PhotoFacts(4000, 3000), Part(500.0, 0.0, 3000.0))
    'roof.jpg, 4000 × 3000. The square: 3000 px.'
    """
    taken = f", taken {facts.taken}" if facts.taken else ""
    return f"{name}, {facts.width} × {facts.height}{taken}. The square: {part.side:.0f} px."


def said_of(seen: SeenPicture) -> str:
    """The answer about a picture in a list, or why there is none."""
    if seen.answer is None:
        return seen.problem
    prediction = seen.answer.prediction
    named = title(prediction)
    return f"{named[:1].upper()}{named[1:]}, {likelihood(prediction)}"


def progress(done: int, count: int, failed: int) -> str:
    """How far a list is.

    >>> progress(2, 5, 0), progress(5, 5, 1), progress(5, 5, 0)
    ('2 of 5 pictures', '5 pictures, 1 without an answer', '5 pictures')
    """
    if done < count:
        return f"{done} of {count} pictures"
    without = f", {failed} without an answer" if failed else ""
    return f"{count} pictures{without}"

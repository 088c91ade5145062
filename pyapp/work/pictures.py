"""Many pictures of one's own: each classified, listed, and saved as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyapp.core.errors import LookdownError
from pyapp.core.imagery.part import middle_part
from pyapp.core.model.tree import PATH_SIGN
from pyapp.work.classifier import Answer, Classifier
from pyapp.work.ground import Ground

if TYPE_CHECKING:
    import numpy as np

    from pyapp.core.imagery.part import Part
    from pyapp.core.imagery.photo import PhotoFacts

# The longer side of the small picture in a list, in pixels: sharp on a screen with dense pixels.
THUMB_PX = 144
COLUMNS = ("file", "class", "score", "path", "best_class", "best_score", "lng", "lat", "taken",
           "width_px", "height_px", "square_left_px", "square_top_px", "square_side_px",
           "model", "model_sha256", "problem")  # fmt: skip
# A spreadsheet takes a text that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class SeenPicture:
    """What was found in one picture, or why nothing was.

    Attributes
    ----------
    name : str
        Of its file.
    problem : str
        The sentence for the person; empty if there is an answer.
    facts : PhotoFacts or None
    part : Part or None
        The square that was classified.
    thumb : ndarray of uint8, shape (rows, columns, 3), or None
    answer : Answer or None
    """

    name: str
    problem: str = ""
    facts: PhotoFacts | None = None
    part: Part | None = None
    thumb: np.ndarray | None = None
    answer: Answer | None = None


class Pictures:
    """Classifies the middle squares of pictures, one after the other.

    Parameters
    ----------
    ground : Ground
    classifier : Classifier
    """

    def __init__(self, ground: Ground, classifier: Classifier):
        self._ground = ground
        self._classifier = classifier

    async def look(self, name: str, read: Callable[[], Awaitable[bytes]]) -> SeenPicture:
        """Classify one; what is wrong with it is noted, so that the others go on."""
        try:
            photo = await self._ground.photo(await read())
            part = middle_part(photo.facts.width, photo.facts.height)
            answer = await self._classifier.part(photo, part)
        except LookdownError as error:
            return SeenPicture(name, str(error))
        return SeenPicture(name, "", photo.facts, part, photo.preview(THUMB_PX), answer)


def pictures_to_csv(pictures: Iterable[SeenPicture]) -> str:
    """A table (CSV) with one line per picture."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for each in pictures:
        table.writerow([_harmless(value) for value in _row(each)])
    return out.getvalue()


def _row(seen: SeenPicture) -> tuple[object, ...]:
    answer, facts, part = seen.answer, seen.facts, seen.part
    if answer is None or facts is None or part is None:
        return (seen.name, *[""] * (len(COLUMNS) - 2), seen.problem)
    said = answer.prediction
    named = ("", "", "") if said.answer is None else (
        said.answer.name, round(float(said.answer_probability), 4), PATH_SIGN.join(said.path),
    )  # fmt: skip
    lng, lat = ("", "") if facts.place is None else (round(each, 7) for each in facts.place)
    return (
        seen.name, *named, said.best.label, round(float(said.best.probability), 4), lng, lat,
        facts.taken, facts.width, facts.height, *(round(each) for each in part),
        answer.card.name, answer.card.sha256, "",
    )  # fmt: skip


def _harmless(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value

"""Two surveys of the same squares compared: first how the pictures lie, then what has changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pyapp.core.change.change import Change, Outcome, Verdict, begin, judge
from pyapp.core.change.errors import ApartError, OtherModelError
from pyapp.core.change.registration import Shift, shift_between
from pyapp.core.errors import MissingTileError, ModelError, OutsideImageryError
from pyapp.core.ground.geo import Footprint, moved
from pyapp.core.imagery.source import Source
from pyapp.core.model.card import Card
from pyapp.core.model.prediction import Prediction
from pyapp.core.survey.survey import Survey
from pyapp.work.busy import Busy
from pyapp.work.classifier import Classifier
from pyapp.work.ground import Ground
from pyapp.work.models import Models

# Squares by which it is found how far the pictures lie apart.
REGISTERED = 16
# A shift up to this many pixels of a chip makes no difference to the answers.
HARMLESS_PX = 2.0
# A larger one than this share of a square's side can't be corrected: another square would be seen.
MOST_APART = 0.15
COMPARING = "comparison"


@dataclass(frozen=True)
class Apart:
    """How far the pictures of two dates lie apart.

    Attributes
    ----------
    east_m, north_m : float
        By how much the later one lies too far to the east and north.
    shift : Shift
        The same in pixels of the chips.
    squares : int
        By how many squares that was found.
    """

    east_m: float
    north_m: float
    shift: Shift
    squares: int

    @property
    def metres(self) -> float:
        """Distance, in metres."""
        return math.hypot(self.east_m, self.north_m)

    @property
    def matters(self) -> bool:
        """Whether it is enough to change answers."""
        return self.shift.is_clear and self.shift.apart_px > HARMLESS_PX


class Comparer:
    """Compares two surveys of the same squares with the model in use.

    Parameters
    ----------
    before, after : Survey
        The earlier and the later one.
    sources : tuple of Source
        The imagery of each.
    models : Models
    classifier : Classifier
    ground : Ground
    busy : Busy

    Attributes
    ----------
    change : Change
    sources : tuple of Source
        The imagery of each date.
    apart : Apart or None
        ``None`` before `register`.
    corrects : bool
        Whether the later picture is taken to be where it should be.

    Raises
    ------
    ModelError
        If no model is in use.
    ChangeError
        As `core.change.change.begin` does.
    """

    def __init__(
        self,
        before: Survey,
        after: Survey,
        sources: tuple[Source, Source],
        models: Models,
        classifier: Classifier,
        ground: Ground,
        busy: Busy,
    ):
        if models.card is None:
            raise models.error or ModelError("The model is still being loaded.")
        self.change: Change = begin(before, after, models.card)
        self.apart: Apart | None = None
        self.corrects = False
        self._models = models
        self._card: Card = models.card
        self.sources = sources
        self._classifier = classifier
        self._ground = ground
        self._busy = busy
        self._candidates = self.change.left
        self._stopping = False

    @property
    def candidates(self) -> int:
        """Squares that are looked at at five sizes."""
        return len(self._candidates)

    @property
    def shift_m(self) -> tuple[float, float]:
        """Metres by which the later picture is corrected to the west and south."""
        if not self.corrects or self.apart is None:
            return 0.0, 0.0
        return self.apart.east_m, self.apart.north_m

    async def register(self) -> Apart | None:
        """Find how far the two pictures lie apart; ``None`` if no square could be read.

        Raises
        ------
        TileError
            If imagery doesn't arrive.
        """
        both = np.flatnonzero(self.change.before.classified & self.change.after.classified)
        places = np.linspace(0, len(both) - 1, min(REGISTERED, len(both)))
        pairs = []
        with self._busy.doing(COMPARING):
            for each in both[places.round().astype(int)].tolist():
                footprint = self.change.before.grid.footprint(each)
                try:
                    chips = [
                        (await self._ground.chip(source, footprint, self._card)).pixels
                        for source in self.sources
                    ]
                except (MissingTileError, OutsideImageryError):
                    continue
                pairs.append((chips[0], chips[1]))
        if not pairs:
            return None
        shift = shift_between(pairs)
        pixel_m = self.change.before.grid.side_m / self._card.chip_px
        self.apart = Apart(shift.right_px * pixel_m, -shift.down_px * pixel_m, shift, len(pairs))
        return self.apart

    def correct(self, corrects: bool) -> None:
        """Take the later picture to be moved to where it should be, or as it is, and begin anew.

        Raises
        ------
        ApartError
            If the pictures lie too far apart.
        """
        most_m = MOST_APART * self.change.before.grid.side_m
        if corrects and self.apart is not None and self.apart.metres > most_m:
            raise ApartError(self.apart.metres, most_m)
        self.corrects = corrects
        for each in self._candidates:
            self.change.take(each, Verdict(Outcome.TO_LOOK_AT))

    def swap(self) -> None:
        """Take the later picture for the earlier one."""
        change, apart = self.change, self.apart
        self.change = Change(change.after, change.before, change.outcome, change.nodes[:, ::-1])
        self.sources = self.sources[::-1]
        if apart is not None:
            shift = Shift(-apart.shift.right_px, -apart.shift.down_px, apart.shift.is_clear)
            self.apart = Apart(-apart.east_m, -apart.north_m, shift, apart.squares)

    def stop(self) -> None:
        """End `look` after the square that is being looked at."""
        self._stopping = True

    async def look(self, looked: Callable[[], object]) -> None:
        """Look at the squares that may have changed, at five sizes on both dates.

        Begun again, it goes on where it was.

        Parameters
        ----------
        looked : callable
            Called after each square.

        Raises
        ------
        TileError, InferenceError
            If imagery doesn't arrive, or the model fails; what was found stays.
        """
        self._stopping = False
        with self._busy.doing(COMPARING):
            for each in self.change.left:
                if self._stopping:
                    return
                self.change.take(each, await self._look_at(each))
                looked()

    async def _look_at(self, number: int) -> Verdict:
        change = self.change
        if self._models.card is None or self._models.card.sha256 != self._card.sha256:
            raise OtherModelError(self._card.title)
        given = {
            date: survey.corrections[number]
            for date, survey in enumerate((change.before, change.after))
            if number in survey.corrections
        }
        found: list[list[Prediction]] = []
        for date, source in enumerate(self.sources):
            if date in given:
                found.append([])
                continue
            try:
                found.append(await self._classifier.sizes(self.footprint(number, date), source))
            except (MissingTileError, OutsideImageryError):
                return Verdict(Outcome.NO_IMAGERY)
        return judge(self._card.tree, found[0], found[1], given)

    async def pictures(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """A square on both dates, uint8 [S, S, 3] each.

        Raises
        ------
        TileError
        """
        before, after = [
            (await self._ground.chip(source, self.footprint(number, date), self._card)).pixels
            for date, source in enumerate(self.sources)
        ]
        return before, after

    def footprint(self, number: int, date: int) -> Footprint:
        """Where a square is in the picture of a date, 0 or 1."""
        centre, side_m = self.change.before.grid.footprint(number)
        if date == 1:
            centre = moved(centre, *self.shift_m)
        return Footprint(centre, side_m)

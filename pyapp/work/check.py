"""Checking a survey: its sample and judgements, kept; and pictures of squares before their turn."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pyapp.core.accuracy.check import MOST_SEED, Check, begin, map_answers
from pyapp.core.accuracy.findings import Findings, finding
from pyapp.core.errors import LookdownError, MissingTileError, OutsideImageryError
from pyapp.core.ground.geo import Footprint
from pyapp.core.imagery.source import Source
from pyapp.core.survey.survey import Survey
from pyapp.work import tasks as work
from pyapp.work.ground import Ground
from pyapp.work.ports import Clock
from pyapp.work.store import Store
from pyapp.work.teach.slices import in_slices

# Pictures that are read before they are wanted.
AHEAD = 6
# Sides of the ground around a square that is shown with it, and pixels of that, at most.
AROUND = 2.0
MOST_PX = 512


class Sight(NamedTuple):
    """How a square is cut to be looked at; see `work.ground.ChipSize`."""

    chip_px: int
    resolution_m: float


class Seen(NamedTuple):
    """A square as it is shown.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (S, S, 3)
    around : float
        Sides of the square that the picture shows; the square is in its middle.
    """

    pixels: np.ndarray
    around: float


@dataclass
class Pictures:
    """The squares of a survey, read ahead.

    Attributes
    ----------
    ground : Ground
    source : Source
        Of the survey.
    survey : Survey
    """

    ground: Ground
    source: Source
    survey: Survey

    def __post_init__(self) -> None:
        self._asked: dict[int, asyncio.Task[Seen]] = {}

    def ahead(self, cells: Sequence[int]) -> None:
        """Read the squares that come next, and let go of all others."""
        wanted = list(cells[:AHEAD])
        for cell in [each for each in self._asked if each not in wanted]:
            self._asked.pop(cell).cancel()
        for cell in wanted:
            if cell not in self._asked:
                self._asked[cell] = work.begin(self._see(cell))

    def at_once(self, cell: int) -> Seen | None:
        """A square that is there already."""
        task = self._asked.get(cell)
        if task is None or not task.done() or task.cancelled() or task.exception():
            return None
        return task.result()

    async def of(self, cell: int) -> Seen:
        """A square.

        Raises
        ------
        TileError
            If its imagery can't be read; asked for again, it is read again.
        """
        task = self._asked.get(cell)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._asked[cell] = work.begin(self._see(cell))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Read nothing any more."""
        await work.end(*self._asked.values())
        self._asked.clear()

    async def _see(self, cell: int) -> Seen:
        footprint, chip_px = self.survey.grid.footprint(cell), self.survey.model.chip_px
        wide = Footprint(footprint.centre, footprint.side_m * AROUND)
        sight = Sight(min(round(chip_px * AROUND), MOST_PX), footprint.side_m / chip_px)
        try:
            chip = await self.ground.chip(self.source, wide, sight)
            return Seen(chip.pixels, AROUND)
        except (MissingTileError, OutsideImageryError):
            # At the edge of the imagery there may be nothing around the square.
            sight = Sight(chip_px, footprint.side_m / chip_px)
            return Seen((await self.ground.chip(self.source, footprint, sight)).pixels, 1.0)


class Checker:
    """The check of one survey, kept beside it.

    Parameters
    ----------
    store : Store
    survey : Survey
        What is stored of its check is read.

    Attributes
    ----------
    check : Check or None
        ``None`` before a sample is drawn.
    damage : LookdownError or None
        What is wrong with the stored check.
    """

    def __init__(self, store: Store, survey: Survey):
        self._store = store
        self._saving = asyncio.Lock()
        self._saved = survey.check
        self._answers: tuple[int, str, np.ndarray] | None = None
        self.survey = survey
        self.check: Check | None = None
        self.damage: LookdownError | None = None
        if survey.check:
            try:
                self.check = Check.from_json(survey.check, survey)
            except LookdownError as error:
                self.damage = error

    def draw(self, by: str, total: int, allocation: str) -> Check:
        """Draw a new sample, in place of an earlier one.

        Raises
        ------
        NothingToCheckError
        """
        seed = secrets.randbelow(MOST_SEED)
        self.take(begin(self.survey, by, total, seed, allocation))
        assert self.check is not None
        return self.check

    def take(self, check: Check | None) -> None:
        """Go on with another check, or none."""
        self.check, self.damage = check, None
        self.note()

    def note(self) -> None:
        """Note that the check has changed; `save` stores it."""
        self.survey.check = "" if self.check is None else self.check.to_json(self.survey)

    async def save(self) -> None:
        """Store the check as it is now.

        Raises
        ------
        StoreError
        """
        async with self._saving:
            if self.survey.check != self._saved:
                text = self.survey.check
                await self._store.put_check(self.survey)
                self._saved = text

    async def find(self, clock: Clock) -> Findings | None:
        """What the judgements say; ``None`` without a sample.

        Worked out in slices, so that a key is never waited for.
        """
        if self.check is None:
            return None
        key = self.survey.version, self.check.by
        if self._answers is None or self._answers[:2] != key:
            self._answers = (*key, map_answers(self.survey, self.check.by))
        return await in_slices(finding(self.check, self.survey, self._answers[2]), clock)

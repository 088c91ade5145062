"""More like this: cells of surveys that look like a given square."""

import asyncio
from typing import NamedTuple

import numpy as np

from pyapp.core.errors import StoreError
from pyapp.core.ground.geo import Footprint, same_ground
from pyapp.core.survey.similar import ranked, similarity
from pyapp.core.survey.survey import Survey
from pyapp.work.library import Library
from pyapp.work.ports import Clock


class Found(NamedTuple):
    """A cell that looks like a wanted one."""

    likeness: float
    survey: Survey
    number: int

    @property
    def footprint(self) -> Footprint:
        """Its ground."""
        return self.survey.grid.footprint(self.number)


class Search:
    """Searches surveys for embeddings that are near a given one.

    Parameters
    ----------
    library : Library
    clock : Clock
    """

    def __init__(self, library: Library, clock: Clock):
        self._library = library
        self._clock = clock

    async def surveys(self, shown: Survey | None, network: str) -> list[Survey]:
        """The survey on the map and the stored ones, if they can be searched.

        Raises
        ------
        StoreError
            If none can be read at all.
        """
        found = [shown] if shown is not None else []
        try:
            for each in self._library.stored:
                other = shown is None or each.id != shown.id
                if each.network == network and each.done and other:
                    found.append(await self._library.load(each.id))
        except StoreError:
            if not found:
                raise
        return [each for each in found if can_be_searched(each, network)]

    async def find(
        self,
        surveys: list[Survey],
        shown: Survey | None,
        embedding: np.ndarray,
        place: Footprint | None,
        count: int,
    ) -> list[Found]:
        """The cells that look most like an embedding, the most alike first.

        Parameters
        ----------
        surveys : list of Survey
            From `surveys`.
        shown : Survey or None
            The one on the map: its own cells stand for the ground that it shares with others.
        embedding : ndarray of float32, shape (D,)
        place : Footprint or None
            Ground that is not to be found again.
        count : int
            How many at most.
        """
        found = []
        for survey in surveys:
            start_ms = self._clock.now_ms()
            assert survey.embedding is not None
            likeness = similarity(survey.embedding, embedding)
            likeness[~survey.classified] = -1
            # The same ground may be there several times, in surveys or by overlapping squares.
            best = ranked(likeness, 4 * count)
            self._clock.measure("lookdown:alike", start_ms, self._clock.now_ms())
            found += [
                Found(float(likeness[number]), survey, int(number))
                for number in best
                if not _is_shown(survey, int(number), shown)
            ]
            await asyncio.sleep(0)
        return _elsewhere(sorted(found, key=lambda each: -each.likeness), place)[:count]


def can_be_searched(survey: Survey | None, network: str) -> bool:
    """Whether a survey has embeddings, and from the network of this digest."""
    return survey is not None and survey.embedding is not None and survey.model.network == network


def _is_shown(survey: Survey, number: int, shown: Survey | None) -> bool:
    """Whether the survey on the map has its own cell there, and can point to it."""
    if survey is shown or shown is None:
        return False
    there = shown.grid.number_at(survey.grid.centre(number))
    return there is not None and bool(shown.classified[there])


def _elsewhere(found: list[Found], place: Footprint | None) -> list[Found]:
    """The first ones that show other ground than the place and than each other."""
    taken = [] if place is None else [place]
    different = []
    for each in found:
        if not any(same_ground(each.footprint, other) for other in taken):
            taken.append(each.footprint)
            different.append(each)
    return different

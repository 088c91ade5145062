"""A survey too large to be opened whole: its map, and one cell of its data set at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pyapp.core.imagery.pmtiles_reader import Pmtiles
from pyapp.core.pyramid.errors import DamagedPartError
from pyapp.core.pyramid.facts import MEMBER, Cell, PyramidFacts
from pyapp.core.pyramid.row import COLUMNS, Row
from pyapp.work.archive import Archive
from pyapp.work.ports import UnreachableError


class Parts(Protocol):
    """Reads rows of the Parquet files of a data set."""

    async def __call__(self, part: str, columns: Sequence[str], cell: int) -> str:
        """The row of a cell, as JSON; ``null`` if there is none.

        Raises
        ------
        NoPartsError
            If the file isn't where the map is.
        UnreachableError
            If it can't be read.
        """


@dataclass(frozen=True)
class LargeSurvey:
    """An open one.

    Parameters
    ----------
    archive : Archive
        Its map.
    facts : PyramidFacts
    parts : Parts
    """

    archive: Archive
    facts: PyramidFacts
    parts: Parts

    async def row(self, cell: Cell) -> Row | None:
        """What is known about a cell; ``None`` if it lies outside the area.

        Raises
        ------
        NoPartsError, DamagedPartError
        """
        try:
            found = json.loads(await self.parts(cell.part, COLUMNS, cell.number))
            return None if found is None else Row.from_stored(found, self.facts.model)
        except (UnreachableError, ValueError, KeyError, TypeError) as error:
            raise DamagedPartError(cell.part) from error


async def large_survey(archive: Archive, parts: Parts) -> LargeSurvey | None:
    """The survey whose map a file of tiles is; ``None`` if it is imagery.

    Raises
    ------
    DamagedPyramidError
    """
    if not isinstance(archive.file, Pmtiles):
        return None
    stored = (await archive.file.metadata()).get(MEMBER)
    if stored is None:
        return None
    return LargeSurvey(archive, PyramidFacts.from_stored(stored, archive.name), parts)

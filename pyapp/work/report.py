"""Reports of surveys: the pictures for them are read here, as far as they may be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyapp.core.accuracy.check import Check
from pyapp.core.accuracy.findings import Findings
from pyapp.core.errors import MissingTileError, OutsideImageryError, TileError
from pyapp.core.ground.geo import Tile, wrapped
from pyapp.core.imagery.source import Source
from pyapp.core.report.contents import gather, squares_of
from pyapp.core.report.html import to_html
from pyapp.core.report.picture import Base, Picture, base_of, lay_base, map_of, thumbnail
from pyapp.core.survey.survey import Survey
from pyapp.work.check import Sight
from pyapp.work.ground import Ground
from pyapp.work.tasks import gather as gather_all

if TYPE_CHECKING:
    import numpy as np

FORBIDDEN = "The terms of its imagery do not allow keeping pictures, so there are none here."
GONE = "Its imagery was not at hand, so there are no pictures of it here."
UNREAD = "Some of its imagery could not be read for this report."
LARGE = "The area is too large for its imagery to be shown in one picture."


class Reporter:
    """Writes the report of one survey.

    Parameters
    ----------
    survey : Survey
    source : Source or None
        Its imagery, if that can be read.
    ground : Ground
    """

    def __init__(self, survey: Survey, source: Source | None, ground: Ground):
        self._survey = survey
        self._source = source
        self._ground = ground
        self._mind = GONE
        self._base: np.ndarray | None = None
        self._chips: dict[int, Picture] = {}

    async def read(self, check: Check | None) -> None:
        """Read the pictures; what can't be read, or may not be kept, is left out and said.

        Parameters
        ----------
        check : Check or None
            Its squares are shown.
        """
        source = self._source
        if source is None:
            return
        self._mind = ""
        if not (source.allows.read and source.allows.keep):
            self._mind = FORBIDDEN
            return
        self._base = await self._read_base(source)
        for each in squares_of(self._survey, check):
            try:
                self._chips[each.cell] = await self._chip(source, each.cell)
            except (MissingTileError, OutsideImageryError):
                continue
            except TileError:
                # One that does not arrive would keep the person waiting for all others.
                self._mind = UNREAD
                break

    def write(self, check: Check | None, findings: Findings | None, made: str, version: str) -> str:
        """The report as one file; see `core.report.contents.gather` for what it takes."""
        contents = gather(self._survey, check, findings, made, version)
        return to_html(contents, map_of(self._survey, self._base), self._chips, self._mind)

    async def _read_base(self, source: Source) -> np.ndarray | None:
        wanted = base_of(self._survey.grid, source)
        if wanted is None:
            self._mind = LARGE
            return None
        try:
            found = await gather_all(*(self._tile(source, tile, wanted) for tile in wanted.tiles))
        except TileError:
            self._mind = UNREAD
            return None
        pixels = {tile: each for tile, each in zip(wanted.tiles, found, strict=True)
                  if each is not None}  # fmt: skip
        return lay_base(wanted, pixels) if pixels else None

    async def _tile(self, source: Source, tile: Tile, base: Base) -> np.ndarray | None:
        asked = wrapped(tile)
        if not source.may_have(asked):
            return None
        try:
            data = await self._ground.read_tile(source, asked)
        except MissingTileError:
            return None
        return base.shrunk(await self._ground.decode_tile(asked, data))

    async def _chip(self, source: Source, cell: int) -> Picture:
        chip_px = self._survey.model.chip_px
        footprint = self._survey.grid.footprint(cell)
        sight = Sight(chip_px, footprint.side_m / chip_px)
        return thumbnail((await self._ground.chip(source, footprint, sight)).pixels)

"""Reads the tiles of an area, a few at a time, and stores each as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import numpy as np

from pyapp.core.errors import (
    LookdownError,
    MissingTileError,
    RefusedTileError,
    SlowTileError,
    TileError,
    UnreachableTileError,
)
from pyapp.core.ground.geo import Tile
from pyapp.core.imagery.source import Source
from pyapp.core.pack.errors import (
    ForbiddenKeepError,
    HereAlreadyError,
    KeepingBusyError,
    KeepingStoppedError,
    KeptStoreError,
    NothingToKeepError,
)
from pyapp.core.pack.tiles import key_of, kind_of, spread
from pyapp.work.ground import Ground
from pyapp.work.kept import HeldArea, KeptAreas
from pyapp.work.ports import Clock
from pyapp.work.tasks import Tasks, gather

# Requests at a time: browsers allow six for each host of HTTP/1.1, and two are left for the map.
AT_ONCE = 4
# Tiles that are read beforehand to estimate the size of all.
SAMPLES = 4
# Seconds before a tile that failed is asked for again.
BACK_OFF_S = (0.5, 1.5, 4.0)
# So many failures in a row, tries included, end the work: the line or the server is down.
DOWN = 12
# Tiles between two notes of how many bytes an area takes.
NOTE_EVERY = 100


class NoPictureError(TileError):
    """What came is no picture, or is cut short; never shown as it is."""


class Keeper:
    """Keeps one area at a time.

    Parameters
    ----------
    areas : KeptAreas
    ground : Ground
    clock : Clock
    tasks : Tasks

    Attributes
    ----------
    held : HeldArea or None
        The area that is being kept.
    pausing : bool
        Whether what is on its way is waited for, and nothing more asked for.
    failed : dict of str to set of str
        For each area, keys of the tiles that did not arrive when they were asked for last.
    """

    def __init__(self, areas: KeptAreas, ground: Ground, clock: Clock, tasks: Tasks):
        self._areas = areas
        self._ground = ground
        self._clock = clock
        self._tasks = tasks
        self._work: asyncio.Task[None] | None = None
        self._in_a_row = 0
        self._since_note = 0
        # Why nothing more is to be asked for, as a part of a sentence.
        self._why = ""
        self._on_change: list[Callable[[], object]] = []
        self.held: HeldArea | None = None
        self.pausing = False
        self.failed: dict[str, set[str]] = {}

    def on_change(self, handler: Callable[[], object]) -> None:
        """Call ``handler()`` when work begins or ends."""
        self._on_change.append(handler)

    def check(self, source: Source) -> None:
        """Check that imagery may be kept and comes from a provider.

        Raises
        ------
        ForbiddenKeepError, HereAlreadyError
        """
        if "://" not in source.url or self._ground.makes(source):
            raise HereAlreadyError(source.name, self._ground.makes(source))
        if not source.allows.keep or not source.allows.read:
            raise ForbiddenKeepError(source.name)

    def check_free(self) -> None:
        """Check that no area is being kept.

        Raises
        ------
        KeepingBusyError
        """
        if self._work is not None:
            raise KeepingBusyError

    async def sample(self, source: Source, tiles: list[Tile]) -> dict[Tile, bytes]:
        """A few of the finest tiles, by which the size of all is estimated.

        Raises
        ------
        NothingToKeepError
            If none of them arrives.
        """
        found: dict[Tile, bytes] = {}
        reason = "there is no imagery at these zooms"
        for tile in spread(tiles, SAMPLES):
            try:
                found[tile] = await self._read_once(source, tile)
            except MissingTileError:
                continue
            except TileError as error:
                reason = _reason(error)
        if not found:
            raise NothingToKeepError(source.name, reason)
        return found

    def work_on(self, held: HeldArea, have: Mapping[Tile, bytes] | None = None) -> None:
        """Go on with an area.

        Parameters
        ----------
        held : HeldArea
        have : mapping of Tile to bytes, optional
            Tiles that have been read already.

        Raises
        ------
        KeepingBusyError
            If another one is being kept.
        ForbiddenKeepError, HereAlreadyError
        """
        self.check_free()
        self.check(held.area.source)
        self.held = held
        self.pausing = False
        self._in_a_row = self._since_note = 0
        self._why = ""
        self.failed[held.area.id] = set()
        self._work = self._tasks.start(self._keep(held, dict(have or {})))
        self._tell()

    async def pause(self) -> None:
        """Ask for nothing more, and wait until what is on its way is stored."""
        if self._work is not None:
            self.pausing = True
            self._tell()
            await asyncio.wait({self._work})

    async def cancel(self, held: HeldArea) -> None:
        """Give up an area and free what is stored of it.

        Raises
        ------
        KeptStoreError
        """
        if self.held is held:
            await self.pause()
        self.failed.pop(held.area.id, None)
        await self._areas.free(held.area.id)

    async def _keep(self, held: HeldArea, have: dict[Tile, bytes]) -> None:
        area = held.area
        left = iter(held.todo())
        try:
            await gather(*(self._take(held, left, have) for _ in range(AT_ONCE)))
            if self._why:
                raise KeepingStoppedError(area.name, self._why, held.done, area.total)
        finally:
            with suppress(KeptStoreError):
                await self._areas.note(held)
            self.held = self._work = None
            self.pausing = False
            self._tell()

    async def _take(self, held: HeldArea, left: Iterator[Tile], have: Mapping[Tile, bytes]) -> None:
        """Read and store tiles until there are no more, or no more are wanted."""
        for tile in left:
            if self.pausing or self._why:
                return
            try:
                data = have[tile] if tile in have else await self._read(held.area.source, tile)
            except MissingTileError:
                data = None
            except TileError as error:
                self.failed[held.area.id].add(key_of(tile))
                if self._in_a_row >= DOWN:
                    self._why = _reason(error)
                continue
            try:
                await self._areas.store(held, tile, data)
            except KeptStoreError as error:
                self._why = self._why or error.reason
                return
            self._since_note += 1
            if self._since_note >= NOTE_EVERY:
                self._since_note = 0
                with suppress(KeptStoreError):
                    await self._areas.note(held)

    async def _read(self, source: Source, tile: Tile) -> bytes:
        """A tile, asked for several times if it has to be."""
        for wait in (*BACK_OFF_S, None):
            try:
                data = await self._read_once(source, tile)
                self._in_a_row = 0
                return data
            except MissingTileError:
                self._in_a_row = 0
                raise
            except TileError as error:
                self._in_a_row += 1
                if wait is None or self._in_a_row >= DOWN or self.pausing or self._why:
                    raise
                # A server that refuses is given more time than a line that fails.
                refused = isinstance(error, RefusedTileError)
                await self._clock.sleep(wait * (2 if refused else 1))
        raise AssertionError("the last try returns or raises")

    async def _read_once(self, source: Source, tile: Tile) -> bytes:
        data = await self._ground.read_tile(source, tile)
        if isinstance(data, np.ndarray) or kind_of(data) is None:
            raise NoPictureError
        return data

    def _tell(self) -> None:
        for handler in self._on_change:
            handler()


def _reason(error: LookdownError) -> str:
    """Why a tile did not arrive, as a part of a sentence."""
    if isinstance(error, UnreachableTileError):
        return "its provider can't be reached"
    if isinstance(error, SlowTileError):
        return "its provider answers too slowly"
    if isinstance(error, NoPictureError):
        return "its provider sends something else than complete pictures"
    if isinstance(error, RefusedTileError):
        return f"its provider refuses them (HTTP {error.status})"
    return "its provider does not give them"

"""Areas of imagery in the database: their tiles are there without a network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pyapp.core.errors import LookdownError, MissingTileError
from pyapp.core.ground.geo import Tile, wrapped
from pyapp.core.imagery.source import Source
from pyapp.core.pack.area import KeptArea
from pyapp.core.pack.errors import KeptStoreError
from pyapp.core.pack.tiles import key_of, tile_of
from pyapp.work.ports import Records, RecordsRefusedError

# Tables: facts of each area; the tiles that were stored, and those that the provider hasn't, both
# under the area and the tile.
AREAS, TILES, MISSING = "areas", "tiles", "missing"
TABLES = (AREAS, TILES, MISSING)
DAMAGED = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
# Reads a tile of an area that is not in the database yet.
Lend = Callable[[Tile], Awaitable[bytes | None]]

T = TypeVar("T")


@dataclass
class HeldArea:
    """An area and how much of it is there.

    Attributes
    ----------
    area : KeptArea
    stored : set of str
        Keys of the tiles that are stored.
    missing : set of str
        Keys of those that the provider hasn't.
    size_bytes : int
        Of the stored tiles; after the browser was killed, about.
    arriving : bool
        Whether its tiles are being stored from a pack.
    """

    area: KeptArea
    stored: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    size_bytes: int = 0
    arriving: bool = False

    @property
    def done(self) -> int:
        """Tiles about which nothing more has to be asked."""
        return len(self.stored) + len(self.missing)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to be asked for."""
        return self.done >= self.area.total

    def todo(self) -> list[Tile]:
        """The tiles that are left, the coarsest first."""
        known = self.stored | self.missing
        return [tile for tile in self.area.tiles() if key_of(tile) not in known]


class KeptAreas:
    """The areas of this device.

    Each tile is a record of its own, so what is stored is how far an area is, whatever happens.

    Parameters
    ----------
    records : Records
        With the tables `TABLES`.

    Attributes
    ----------
    held : dict of str to HeldArea
        By their ids, the newest first; empty until `begin`.
    """

    def __init__(self, records: Records):
        self._records = records
        self._lent: dict[str, Lend] = {}
        self._listed: dict[str, Source] = {}
        self._on_change: list[Callable[[], object]] = []
        self.held: dict[str, HeldArea] = {}

    def on_change(self, handler: Callable[[], object]) -> None:
        """Call ``handler()`` when there is another area, or one less."""
        self._on_change.append(handler)

    async def begin(self, listed: Iterable[Source] = ()) -> None:
        """Read what there is, and finish freeing what was being freed.

        Parameters
        ----------
        listed : iterable of Source
            What the page knows of sources counts, not what was stored of them.

        Raises
        ------
        KeptStoreError
        """
        self._listed = {each.url: each for each in listed}
        found = []
        for record in await self._ask(self._records.all(AREAS)):
            if record.get("freed"):
                await self._delete(str(record.get("id")))
                continue
            try:
                area = KeptArea.from_json(record["json"])
                noted, size = int(record["noted"]), int(record["size"])
            except DAMAGED:
                continue
            stored = set(await self._keys(TILES, area.id))
            missing = set(await self._keys(MISSING, area.id))
            if noted:
                # After a kill there are more of them than were noted.
                size = size * len(stored) // noted
            found.append(HeldArea(self.known(area), stored, missing, size))
        found.sort(key=lambda each: each.area.made, reverse=True)
        self.held = {each.area.id: each for each in found}
        self.tell()

    def known(self, area: KeptArea) -> KeptArea:
        """An area with its imagery as the page describes that, if it does."""
        return area.of(self._listed.get(area.source.url, area.source))

    async def add(self, area: KeptArea) -> HeldArea:
        """Begin an area, of which nothing is stored yet.

        Raises
        ------
        KeptStoreError
        """
        held = HeldArea(area)
        await self.note(held)
        self.held = {area.id: held, **self.held}
        self.tell()
        return held

    async def note(self, held: HeldArea) -> None:
        """Store how many bytes an area takes by now.

        Raises
        ------
        KeptStoreError
        """
        record = {
            "id": held.area.id, "json": held.area.to_json(), "freed": False,
            "noted": len(held.stored), "size": held.size_bytes,
        }  # fmt: skip
        await self._ask(self._records.put(AREAS, held.area.id, record))

    async def store(self, held: HeldArea, tile: Tile, data: bytes | None) -> None:
        """Store a tile; ``None`` says that the provider has none.

        Raises
        ------
        KeptStoreError
            If there is no room.
        """
        key = key_of(tile)
        table = MISSING if data is None else TILES
        record: dict[str, Any] = {} if data is None else {"data": data}
        await self._ask(self._records.put(table, [held.area.id, key], record))
        if data is None:
            held.missing.add(key)
        elif key not in held.stored:
            held.stored.add(key)
            held.size_bytes += len(data)

    def lend(self, area_id: str, lend: Lend | None) -> None:
        """Have tiles of an area that are not stored yet read from elsewhere; ``None`` ends it."""
        if lend is None:
            self._lent.pop(area_id, None)
        else:
            self._lent[area_id] = lend

    async def tile(self, source: Source, tile: Tile) -> bytes | None:
        """A tile of a source, if it is kept; ``None`` if not.

        Raises
        ------
        MissingTileError
            If it is known that the provider has none.
        """
        tile = wrapped(tile)
        key = key_of(tile)
        missing = False
        for held in list(self.held.values()):
            if held.area.source.url != source.url:
                continue
            data = await self._read(held.area.id, tile) if key in held.stored else None
            if data is None and held.area.id in self._lent:
                with suppress(LookdownError):
                    # A file may be gone, as on a memory stick.
                    data = await self._lent[held.area.id](tile)
            if data is not None:
                return data
            missing = missing or key in held.missing
        if missing:
            raise MissingTileError(tile)
        return None

    async def all_tiles(self, held: HeldArea) -> list[Tile]:
        """The tiles that are stored of an area."""
        return sorted(map(tile_of, held.stored), key=lambda tile: (tile.z, tile.y, tile.x))

    async def read(self, held: HeldArea, tile: Tile) -> bytes | None:
        """A stored tile; ``None`` if it is not there or damaged."""
        return await self._read(held.area.id, tile)

    async def look_again(self, held: HeldArea) -> None:
        """Forget which tiles the provider hasn't: it may have them by now.

        Raises
        ------
        KeptStoreError
        """
        await self._ask(self._records.delete_all(MISSING, held.area.id))
        held.missing.clear()

    async def free(self, area_id: str) -> None:
        """Delete an area; if that is interrupted, the next visit goes on with it.

        Raises
        ------
        KeptStoreError
        """
        self._lent.pop(area_id, None)
        self.held.pop(area_id, None)
        self.tell()
        await self._ask(self._records.put(AREAS, area_id, {"id": area_id, "freed": True}))
        await self._delete(area_id)

    def holds(self, source: Source) -> bool:
        """Whether any area is of this imagery."""
        return any(each.area.source.url == source.url for each in self.held.values())

    def tell(self) -> None:
        """Say that something changed."""
        for handler in self._on_change:
            handler()

    async def _read(self, area_id: str, tile: Tile) -> bytes | None:
        try:
            record = await self._records.get(TILES, [area_id, key_of(tile)])
        except RecordsRefusedError:
            return None
        data = None if record is None else record.get("data")
        return data if isinstance(data, bytes) else None

    async def _keys(self, table: str, area_id: str) -> list[str]:
        return [str(key[1]) for key in await self._ask(self._records.keys(table, area_id))]

    async def _delete(self, area_id: str) -> None:
        for table in (TILES, MISSING):
            await self._ask(self._records.delete_all(table, area_id))
        await self._ask(self._records.delete(AREAS, area_id))

    async def _ask(self, asking: Awaitable[T]) -> T:
        try:
            return await asking
        except RecordsRefusedError as error:
            raise KeptStoreError(str(error)) from error

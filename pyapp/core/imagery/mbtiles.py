"""MBTiles: tiles in a SQLite database, read by look-ups in its index.

The specification is https://github.com/mapbox/mbtiles-spec/blob/master/1.3/spec.md.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyapp.core.ground.geo import Bounds, Tile
from pyapp.core.imagery.archive_errors import (
    DamagedArchiveError,
    EmptyArchiveError,
    NotAnArchiveError,
    UnfinishedArchiveError,
    VectorArchiveError,
)
from pyapp.core.imagery.archive_facts import ArchiveFacts, Read, archive_facts, is_ground
from pyapp.core.imagery.pmtiles import FINEST_ZOOM
from pyapp.core.imagery.sqlite import MAGIC, DamagedDatabaseError, Database
from pyapp.core.imagery.sqlite_finder import Finder, Key
from pyapp.core.imagery.sqlite_schema import Table
from pyapp.core.imagery.template import bounds_of_tile

PLACE = ("zoom_level", "tile_column", "tile_row")
DATA = "tile_data"
# Tiles of the coarsest zoom that are looked at to see where they lie.
MOST_COARSEST = 4000
MOST_METADATA = 1000
VECTORS = ("pbf", "mvt")


class Mbtiles:
    """An open file.

    Parameters
    ----------
    name : str
        As the person knows it.
    places : Finder
        Of tiles by zoom, column and row.
    pictures : Finder or None
        Of pictures by their ids, if they are stored apart from the places.
    said : dict
        Its metadata.
    """

    def __init__(
        self, name: str, places: Finder, pictures: Finder | None, said: dict[str, str]
    ) -> None:
        self._name = name
        self._places = places
        self._pictures = pictures
        self._said = said

    @classmethod
    async def open(cls, read: Read, name: str) -> Mbtiles:
        """Read what all tiles are found by.

        Raises
        ------
        NotAnArchiveError, UnsupportedArchiveError, VectorArchiveError, DamagedArchiveError
        """
        if await read(0, len(MAGIC)) != MAGIC:
            raise NotAnArchiveError(name, "MBTiles")
        try:
            return await cls._open(await Database.open(read, name), name)
        except DamagedDatabaseError as error:
            raise DamagedArchiveError(name) from error

    @classmethod
    async def _open(cls, database: Database, name: str) -> Mbtiles:
        tables = _tables(database)
        if tables is None:
            if database.is_wal:
                raise UnfinishedArchiveError(name)
            raise NotAnArchiveError(name, "MBTiles")
        said = await _metadata(database)
        if said.get("format", "").lower() in VECTORS:
            raise VectorArchiveError(name)
        placed, pictured = tables
        finders = [Finder(database, placed, PLACE)]
        if pictured is not None:
            (shared,) = set(placed.columns) & set(pictured.columns)
            finders.append(Finder(database, pictured, (shared,)))
        for each in finders:
            if each.needs_all:
                await each.look_at_all(name)
        return cls(name, finders[0], finders[1] if pictured is not None else None, said)

    async def facts(self) -> ArchiveFacts:
        """What it says about itself; zooms are those that it has."""
        try:
            zooms = await self._zooms()
            coarsest = await self._places.keys_of(zooms[0], MOST_COARSEST)
            first = await self._first_place()
        except DamagedDatabaseError as error:
            raise DamagedArchiveError(self._name) from error
        bounds = _bounds_from(self._said.get("bounds", ""))
        if bounds is None and coarsest:
            bounds = _around(_tile(each) for each in coarsest)
        return archive_facts(self._said, bounds, (zooms[0], zooms[-1]), first)

    async def first(self) -> tuple[Tile, bytes]:
        """One of its coarsest tiles.

        Raises
        ------
        EmptyArchiveError, DamagedArchiveError
        """
        try:
            tile = await self._first_place()
        except DamagedDatabaseError as error:
            raise DamagedArchiveError(self._name) from error
        data = await self.tile(tile)
        if data is None:
            raise DamagedArchiveError(self._name)
        return tile, data

    async def tile(self, tile: Tile) -> bytes | None:
        """An encoded tile; ``None`` if there is none.

        Raises
        ------
        DamagedArchiveError
            If it, or what says where it lies, can't be read.
        """
        # Rows are counted from the south.
        key = (tile.z, tile.x, (1 << tile.z) - 1 - tile.y)
        try:
            row = await self._places.row(key)
            if row is not None and self._pictures is not None:
                row = await self._pictures.row((row.get(self._pictures.columns[0]),))
        except DamagedDatabaseError as error:
            raise DamagedArchiveError(self._name) from error
        data = None if row is None else row.get(DATA)
        return data if isinstance(data, bytes) and data else None

    async def _first_place(self) -> Tile:
        keys = await self._places.keys((0,))
        if not keys:
            raise EmptyArchiveError(self._name)
        return _tile(keys[0])

    async def _zooms(self) -> list[int]:
        """The zooms that have tiles."""
        found: list[int] = []
        while found[-1:] != [FINEST_ZOOM]:
            keys = await self._places.keys((found[-1] + 1 if found else 0,))
            if not keys:
                break
            found.append(_tile(keys[0]).z)
        if not found:
            raise EmptyArchiveError(self._name)
        return found


def _tables(database: Database) -> tuple[Table, Table | None] | None:
    """The table of tiles; or those of places and pictures, which a view joins; or ``None``."""
    tables = database.schema.tables
    single = tables.get("tiles")
    if single is not None and {*PLACE, DATA} <= set(single.columns):
        return single, None
    view = database.schema.views.get("tiles", "").lower()
    named = [each for name, each in tables.items() if name in view]
    for placed in (each for each in named if set(PLACE) <= set(each.columns)):
        for pictured in (each for each in named if DATA in each.columns):
            if placed is pictured:
                return placed, None
            if len(set(placed.columns) & set(pictured.columns)) == 1:
                return placed, pictured
    return None


async def _metadata(database: Database) -> dict[str, str]:
    """Names and values; those that can't be read are left out."""
    table = database.schema.tables.get("metadata")
    if table is None or table.key or not {"name", "value"} <= set(table.columns):
        return {}
    found: dict[str, str] = {}
    try:
        async for _, row in database.rows(table):
            pair = dict(zip(table.columns, row, strict=False))
            found[str(pair.get("name"))] = str(pair.get("value"))
            if len(found) >= MOST_METADATA:
                break
    except DamagedDatabaseError:
        # The tiles may be there all the same.
        return found
    return found


def _tile(key: Key) -> Tile:
    """The tile of a row of the database.

    Raises
    ------
    DamagedDatabaseError
    """
    if not _is_place(key):
        raise DamagedDatabaseError("a tile that lies nowhere")
    zoom, column, row = (each for each in key if isinstance(each, int))
    if not (0 <= zoom <= FINEST_ZOOM and 0 <= column < 1 << zoom and 0 <= row < 1 << zoom):
        raise DamagedDatabaseError("a tile that lies nowhere")
    return Tile(column, (1 << zoom) - 1 - row, zoom)


def _is_place(key: Key) -> bool:
    return len(key) == len(PLACE) and all(isinstance(each, int) for each in key)


def _bounds_from(text: str) -> Bounds | None:
    """Bounds as the metadata have them, west, south, east, north; ``None`` if they are none."""
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        return None
    bounds = Bounds(west, south, east, north)
    return bounds if is_ground(bounds) else None


def _around(tiles: Iterable[Tile]) -> Bounds:
    boxes = [bounds_of_tile(each) for each in tiles]
    return Bounds(
        min(each.west for each in boxes), min(each.south for each in boxes),
        max(each.east for each in boxes), max(each.north for each in boxes),
    )  # fmt: skip

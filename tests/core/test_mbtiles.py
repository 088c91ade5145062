"""MBTiles and the SQLite below them, against files that SQLite itself wrote."""

import random
import re
import shutil
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.core.errors import LookdownError
from pyapp.core.ground.geo import Bounds, Tile
from pyapp.core.imagery.archive_errors import (
    ArchiveError,
    DamagedArchiveError,
    EmptyArchiveError,
    NotAnArchiveError,
    UnfinishedArchiveError,
    UnsupportedArchiveError,
    VectorArchiveError,
)
from pyapp.core.imagery.archive_facts import is_picture, plain_text
from pyapp.core.imagery.mbtiles import Mbtiles
from pyapp.core.imagery.sqlite import Database
from pyapp.core.imagery.sqlite_schema import schema_from
from pyapp.core.imagery.template import bounds_of_tile
from tests.work.fakes import run

PLAIN = (
    "CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)"
)
INDEX = "CREATE UNIQUE INDEX tile_index ON tiles (zoom_level, tile_column, tile_row)"
SHARED = """
CREATE TABLE images (tile_data blob, tile_id text);
CREATE UNIQUE INDEX images_id ON images (tile_id);
CREATE TABLE map (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER,
  tile_id TEXT, grid_id TEXT);
CREATE UNIQUE INDEX map_index ON map (zoom_level, tile_column, tile_row);
CREATE VIEW tiles AS SELECT map.zoom_level AS zoom_level, map.tile_column AS tile_column,
  map.tile_row AS tile_row, images.tile_data AS tile_data
  FROM map JOIN images ON images.tile_id = map.tile_id;
"""
SHALLOW = """
CREATE TABLE tiles_shallow (zoom_level integer, tile_column integer, tile_row integer,
  tile_data_id integer, primary key (zoom_level, tile_column, tile_row)) without rowid;
CREATE TABLE tiles_data (tile_data_id integer primary key, tile_data blob);
CREATE VIEW tiles AS select tiles_shallow.zoom_level as zoom_level,
  tiles_shallow.tile_column as tile_column, tiles_shallow.tile_row as tile_row,
  tiles_data.tile_data as tile_data
  from tiles_shallow join tiles_data on tiles_shallow.tile_data_id = tiles_data.tile_data_id;
"""
# How programs lay out their tiles: with an index, without, by a key, without rowids, joined.
LAYOUTS = {
    "index": f"{PLAIN}; {INDEX};",
    "none": f"{PLAIN};",
    "other order": f"{PLAIN}; CREATE INDEX t ON tiles (zoom_level, tile_row, tile_column);",
    "descending": f"{PLAIN}; {INDEX.replace('tile_row)', 'tile_row DESC)')};",
    "partial": f"{PLAIN}; {INDEX} WHERE zoom_level > 3;",
    "key": PLAIN.replace("blob)", "blob, PRIMARY KEY (zoom_level, tile_column, tile_row));"),
    "constraint": """CREATE TABLE [tiles] ( -- by a "program", with (brackets)
        "zoom_level" INTEGER NOT NULL, tile_column int CHECK (tile_column >= 0), `tile_row` INTEGER,
        tile_data BLOB DEFAULT (x'00'), id INTEGER PRIMARY KEY AUTOINCREMENT,
        CONSTRAINT place UNIQUE (zoom_level, tile_column, tile_row) ON CONFLICT REPLACE);""",
    "without rowid": PLAIN.replace(
        "blob)", "blob, PRIMARY KEY (zoom_level, tile_column, tile_row)) WITHOUT ROWID;"
    ),
    "shared": SHARED,
    "shared without index": re.sub("CREATE UNIQUE INDEX [^;]*;", "", SHARED),
    "shallow": SHALLOW,
}
SAID = {"name": "Town", "format": "png", "bounds": "85.3,27.5,85.7,27.9",
        "attribution": '&copy; <a href="javascript:alert(1)">Survey</a>',
        "date": "2023-05"}  # fmt: skip


def tiles_of(count=300, least=20, most=30_000):
    """Tiles of several zooms, small ones and ones on many pages; one in ten is as another."""
    chance = random.Random(15)
    found = {Tile(13, 6, 4): b"\x89PNG\r\n" + b"coarse"}
    while len(found) < count:
        zoom = chance.choice((9, 14, 15))
        tile = Tile((48_000 >> (16 - zoom)) + chance.randrange(40),
                    (27_000 >> (16 - zoom)) + chance.randrange(40), zoom)  # fmt: skip
        data = chance.randbytes(int(least * (most / least) ** chance.random()))
        found[tile] = chance.choice(list(found.values())) if chance.random() < 0.1 else data
    return found


def write(path, layout="index", tiles=None, said=SAID, page=4096, before=""):
    """An MBTiles."""
    tiles = tiles_of() if tiles is None else tiles
    with closing(sqlite3.connect(path)) as database:
        database.executescript(f"PRAGMA page_size = {page}; {before}")
        database.executescript(LAYOUTS.get(layout, layout))
        database.execute("CREATE TABLE metadata (name text, value text)")
        database.executemany("INSERT INTO metadata VALUES (?, ?)", said.items())
        rows = [(z, x, (1 << z) - 1 - y, data) for (x, y, z), data in tiles.items()]
        put(database, layout, rows)
        database.commit()
    return path


def put(database, layout, rows):
    if not layout.startswith("sha"):
        names = "zoom_level, tile_column, tile_row, tile_data"
        database.executemany(f"INSERT INTO tiles ({names}) VALUES (?, ?, ?, ?)", rows)
        return
    numbers = {data: at for at, data in enumerate(dict.fromkeys(row[3] for row in rows))}
    name = (lambda at: at + 5) if layout == "shallow" else (lambda at: f"{at * 7919 % 10007:032x}")
    if layout == "shallow":
        pictures, places = "tiles_data", "tiles_shallow"
    else:
        pictures, places = (
            "images (tile_id, tile_data)",
            ("map (zoom_level, tile_column, tile_row, tile_id)"),
        )
    database.executemany(
        f"INSERT INTO {pictures} VALUES (?, ?)", [(name(at), data) for data, at in numbers.items()]
    )
    database.executemany(
        f"INSERT INTO {places} VALUES (?, ?, ?, ?)",
        [(*row[:3], name(numbers[row[3]])) for row in rows],
    )


class File:
    """A file that notes what is read of it."""

    def __init__(self, path):
        self.data = path.read_bytes()
        self.reads = []

    async def __call__(self, offset, length):
        assert offset >= 0 and length > 0
        self.reads.append(length)
        return self.data[offset : offset + length]


def opened(path):
    return run(Mbtiles.open(File(path), path.name))


def read(path, wanted):
    async def each():
        archive = await Mbtiles.open(File(path), path.name)
        return {tile: await archive.tile(tile) for tile in wanted}

    return run(each())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_tile_is_read_as_it_was_written(tmp_path, layout):
    tiles = tiles_of()
    path = write(tmp_path / "town.mbtiles", layout, tiles)
    assert read(path, tiles) == tiles
    missing = [Tile(0, 0, 0), Tile(1, 1, 9), Tile(40_000, 27_000, 16), Tile(13, 9, 4)]
    assert set(read(path, missing).values()) == {None}
    facts = run(opened(path).facts())
    assert (facts.min_zoom, facts.max_zoom) == (4, 15)
    assert run(opened(path).first()) == (Tile(13, 6, 4), tiles[Tile(13, 6, 4)])


@pytest.mark.parametrize("page", [512, 1024, 65536])
@pytest.mark.parametrize("layout", ["index", "without rowid", "shared", "none"])
def test_pages_of_any_size_are_read(tmp_path, page, layout):
    tiles = tiles_of(120)
    assert read(write(tmp_path / "town.mbtiles", layout, tiles, page=page), tiles) == tiles


def test_rows_that_were_deleted_and_moved_are_no_trouble(tmp_path):
    """Freed pages are used again, so those of a picture no longer follow one another."""
    tiles = tiles_of()
    path = write(tmp_path / "town.mbtiles", "index", tiles)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM tiles WHERE rowid % 3 = 0")
        rows = [(z, x, (1 << z) - 1 - y, data) for (x, y, z), data in tiles.items()]
        random.Random(1).shuffle(rows)
        database.executemany("INSERT OR IGNORE INTO tiles VALUES (?, ?, ?, ?)", rows)
        database.execute("ALTER TABLE tiles ADD COLUMN more text")
        database.commit()
    assert read(path, tiles) == tiles


def test_rows_are_counted_from_the_south(tmp_path):
    path = tmp_path / "town.mbtiles"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(LAYOUTS["index"])
        database.execute("INSERT INTO tiles VALUES (2, 3, 0, x'ffd8ff')")
        database.commit()
    assert read(path, [Tile(3, 3, 2)]) == {Tile(3, 3, 2): b"\xff\xd8\xff"}


def test_a_tile_of_a_large_file_takes_few_reads(tmp_path):
    tiles = {Tile(x, y, 16): random.Random(x).randbytes(9000) for x in range(90) for y in range(90)}
    path = write(tmp_path / "large.mbtiles", "index", tiles)
    file = File(path)

    async def one():
        archive = await Mbtiles.open(file, "large.mbtiles")
        await archive.facts()
        file.reads.clear()
        return await archive.tile(Tile(77, 13, 16))

    assert run(one()) == tiles[Tile(77, 13, 16)]
    assert len(file.reads) <= 6 and sum(file.reads) < 50_000 < len(file.data) / 1000


def test_what_it_says_about_itself_is_text(tmp_path):
    facts = run(opened(write(tmp_path / "town.mbtiles")).facts())
    assert facts.bounds == Bounds(85.3, 27.5, 85.7, 27.9)
    assert facts.credit == "© Survey"
    assert facts.date == "2023-05"
    assert facts.centre == pytest.approx((85.5, 27.7))
    assert plain_text("a <b\n> & &lt;i&gt;") == "a & <i>"
    assert plain_text(None) == "" and plain_text("x" * 5000) == "x" * 300


@pytest.mark.parametrize("bounds", [None, "", "1,2,3", "a,b,c,d", "9,9,1,1", "nan,nan,nan,nan"])
@pytest.mark.parametrize("layout", ["index", "none"])
def test_without_usable_bounds_the_tiles_say_where_it_is(tmp_path, bounds, layout):
    said = {} if bounds is None else {"bounds": bounds}
    tiles = {Tile(12, 6, 4): b"one", Tile(13, 6, 4): b"two", Tile(200, 100, 8): b"three"}
    facts = run(opened(write(tmp_path / "a.mbtiles", layout, tiles, said)).facts())
    west, east = bounds_of_tile(Tile(12, 6, 4)), bounds_of_tile(Tile(13, 6, 4))
    assert facts.bounds == Bounds(west.west, west.south, east.east, west.north)
    assert facts.credit == ""


def test_vectors_are_refused(tmp_path):
    path = write(tmp_path / "roads.mbtiles", said={"format": "pbf"})
    with pytest.raises(VectorArchiveError, match="hold vectors"):
        opened(path)


def test_a_database_without_tiles_is_no_mbtiles(tmp_path):
    path = tmp_path / "other.mbtiles"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE people (name text)")
    with pytest.raises(NotAnArchiveError, match="no MBTiles"):
        opened(path)
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(NotAnArchiveError, match="no MBTiles"):
        opened(path)


def test_an_mbtiles_without_any_tile_is_said(tmp_path):
    for layout in ("index", "none"):
        path = write(tmp_path / f"{layout}.mbtiles", layout, {})
        with pytest.raises(EmptyArchiveError, match="no tile in"):
            run(opened(path).first())
        with pytest.raises(EmptyArchiveError):
            run(opened(path).facts())


def test_a_log_that_was_not_yet_written_back_is_said(tmp_path):
    path = tmp_path / "town.mbtiles"
    tiles = tiles_of(40)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.executescript(LAYOUTS["index"])
        put(database, "index", [(z, x, (1 << z) - 1 - y, d) for (x, y, z), d in tiles.items()])
        database.commit()
        begun = tmp_path / "begun.mbtiles"
        shutil.copy(path, begun)
        with pytest.raises(UnfinishedArchiveError, match=r"begun\.mbtiles-wal beside it"):
            opened(begun)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert read(path, tiles) == tiles
    assert read(path, tiles) == tiles


def test_texts_as_utf_16_are_refused(tmp_path):
    path = write(tmp_path / "a.mbtiles", before="PRAGMA encoding = 'UTF-16le';")
    with pytest.raises(UnsupportedArchiveError, match="UTF-16"):
        opened(path)


def test_a_file_that_is_cut_short_says_so(tmp_path):
    tiles = tiles_of()
    path = write(tmp_path / "town.mbtiles", tiles=tiles)
    data = path.read_bytes()
    for length in (20, 99, 101, 4000):
        path.write_bytes(data[:length])
        with pytest.raises(DamagedArchiveError, match="cut short"):
            opened(path)
    path.write_bytes(data[: len(data) // 2])
    found = []
    for tile, expected in tiles.items():
        try:
            assert read(path, [tile]) in ({tile: expected}, {tile: None})
            found.append(True)
        except DamagedArchiveError:
            found.append(False)
    assert False in found


@pytest.mark.parametrize("layout", ["index", "none", "without rowid", "shared", "shallow"])
def test_damage_is_an_error_and_never_goes_on_for_ever(tmp_path, layout):
    tiles = tiles_of(60, most=2000)
    path = write(tmp_path / "town.mbtiles", layout, tiles, page=512)
    data = path.read_bytes()
    chance = random.Random(4)
    for _ in range(100):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 4, 40))):
            damaged[chance.randrange(16, len(damaged))] = chance.randrange(256)
        path.write_bytes(bytes(damaged))
        try:
            archive = opened(path)
            run(archive.facts())
            for tile in chance.sample(list(tiles), 5):
                run(archive.tile(tile))
        except LookdownError as error:
            assert isinstance(error, ArchiveError)


def test_a_tree_that_leads_in_circles_ends(tmp_path):
    tiles = {Tile(x, y, 12): b"tile" for x in range(60) for y in range(60)}
    path = write(tmp_path / "a.mbtiles", "index", tiles, page=512)
    with closing(sqlite3.connect(path)) as database:
        (root,) = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'tile_index'"
        ).fetchone()
    data = bytearray(path.read_bytes())
    at = (root - 1) * 512
    assert data[at] == 2
    cells = int.from_bytes(data[at + 3 : at + 5], "big")
    for cell in range(cells):
        place = at + int.from_bytes(data[at + 12 + 2 * cell :][:2], "big")
        data[place : place + 4] = root.to_bytes(4, "big")
    data[at + 8 : at + 12] = root.to_bytes(4, "big")
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedArchiveError):
        read(path, list(tiles)[:3])


VALUES = st.one_of(
    st.none(), st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    st.binary(max_size=700),
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), max_size=60, unique_by=lambda row: repr(row)))
def test_values_of_any_kind_come_back_in_the_order_of_sqlite(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("values") / "a.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript("PRAGMA page_size = 512; CREATE TABLE t (a, b);")
        database.executemany("INSERT INTO t VALUES (?, ?)", rows)
        database.execute("CREATE INDEX i ON t (a, b)")
        database.commit()
        in_order = list(database.execute("SELECT a, b, rowid FROM t ORDER BY a, b, rowid"))
        kept = list(database.execute("SELECT a, b FROM t"))

    async def check():
        database = await Database.open(File(path), "a.db")
        table = database.schema.tables["t"]
        assert [tuple(row) async for _, row in database.rows(table)] == kept
        index = database.schema.index(table, ("a",))
        assert [tuple(each) async for each in database.entries(index.root, ())] == in_order
        for a, b, _ in in_order:
            entry = await database.entry(index.root, (a, b))
            assert tuple(entry[:2]) == (a, b)

    run(check())


def test_sql_that_is_not_understood_is_left_out():
    rows = [
        ("table", "odd", "odd", 3, "CREATE VIRTUAL TABLE odd USING rtree"),
        ("table", "t", "t", 4, "CREATE TABLE t (a, b, UNIQUE (a), UNIQUE (b COLLATE NOCASE))"),
        ("index", "i", "t", 5, "CREATE INDEX i ON t (lower(a))"),
        ("index", "sqlite_autoindex_t_1", "t", 6, ""),
        ("index", "sqlite_autoindex_t_2", "t", 7, ""),
        ("index", "broken", "t", 8, "CREATE INDEX broken ON t (a"),
    ]
    schema = schema_from(rows)
    assert list(schema.tables) == ["t"]
    assert [each.root for each in schema.indexes] == [6]


def test_pictures_are_told_by_how_they_begin():
    assert is_picture(b"RIFF\0\0\0\0WEBPVP8 ") and is_picture(b"\0\0\0\x20ftypavif")
    assert not is_picture(b"\x1f\x8b\x08") and not is_picture(b"\x1a\x05layer")

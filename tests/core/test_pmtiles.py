"""PMTiles, read and written, against the package of the format's authors."""

import gzip
import io
import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pmtiles.reader import MemorySource, Reader, all_tiles
from pmtiles.tile import Compression as TheirCompression
from pmtiles.tile import TileType, zxy_to_tileid
from pmtiles.writer import Writer

from pyapp.core.ground.geo import Bounds, Tile
from pyapp.core.imagery.archive_errors import (
    DamagedArchiveError,
    NotAnArchiveError,
    UnsupportedArchiveError,
)
from pyapp.core.imagery.pmtiles import (
    Compression,
    Kind,
    directory_from_bytes,
    inflated,
    tile_id,
)
from pyapp.core.imagery.pmtiles_reader import Pmtiles
from pyapp.core.imagery.pmtiles_writer import PmtilesWriter, directory_to_bytes, written
from tests.work.fakes import run

BOUNDS = Bounds(85.3, 27.5, 85.7, 27.9)
SAID = {"name": "Panauti", "attribution": "© <b>someone</b>"}


class Bytes:
    """A file in memory that notes what is read of it."""

    def __init__(self, data):
        self.data = data
        self.reads = []

    async def __call__(self, offset, length):
        assert offset >= 0 and length > 0
        self.reads.append((offset, length))
        return self.data[offset : offset + length]


def square(zoom, left, top, side):
    """Tiles of a square, in the order of their ids."""
    found = [Tile(left + x, top + y, zoom) for y in range(side) for x in range(side)]
    return sorted(found, key=tile_id)


def ours(tiles, said=SAID):
    return b"".join(written(tiles, Kind.PNG, BOUNDS, said))


def theirs(tiles, header=None, said=SAID):
    file = io.BytesIO()
    writer = Writer(file)
    for tile, data in tiles:
        writer.write_tile(zxy_to_tileid(tile.z, tile.x, tile.y), data)
    west, south, east, north = (round(each * 1e7) for each in BOUNDS)
    facts = {
        "tile_type": TileType.PNG, "tile_compression": TheirCompression.NONE,
        "min_lon_e7": west, "min_lat_e7": south, "max_lon_e7": east, "max_lat_e7": north,
    } | (header or {})  # fmt: skip
    writer.finalize(facts, said)
    return file.getvalue()


def opened(data):
    return run(Pmtiles.open(Bytes(data), "a.pmtiles"))


def get(data, tile):
    async def read():
        return await (await Pmtiles.open(Bytes(data), "a.pmtiles")).tile(tile)

    return run(read())


def many(count=40_000):
    """More tiles than a root directory has room for, of sizes that do not compress."""
    random.seed(15)
    tiles = square(18, 100_000, 60_000, 200)[:count]
    return [(tile, b"%d" % at + b"." * random.randrange(900)) for at, tile in enumerate(tiles)]


@given(st.integers(0, 30).flatmap(lambda zoom: st.tuples(
    st.integers(0, (1 << zoom) - 1), st.integers(0, (1 << zoom) - 1), st.just(zoom))))  # fmt: skip
def test_tile_ids_are_those_of_the_format(place):
    tile = Tile(*place)
    assert tile_id(tile) == zxy_to_tileid(tile.z, tile.x, tile.y)


def test_tiles_that_others_wrote_are_read():
    tiles = [(tile, b"tile %d" % at) for at, tile in enumerate(square(12, 3000, 1700, 8))]
    data = theirs(tiles)
    for tile, expected in tiles:
        assert get(data, tile) == expected
    assert get(data, Tile(0, 0, 0)) is None
    assert get(data, Tile(2999, 1700, 12)) is None
    header = opened(data).header
    assert (header.min_zoom, header.max_zoom, header.kind) == (12, 12, Kind.PNG)
    assert header.bounds == pytest.approx(BOUNDS)


def test_what_others_say_about_their_tiles_is_read():
    data = theirs([(Tile(0, 0, 0), b"world")])
    assert run(opened(data).metadata()) == SAID


def test_what_we_write_is_read_by_others():
    tiles = [(tile, b"tile %d" % (at // 3)) for at, tile in enumerate(square(9, 300, 200, 8))]
    data = ours(tiles)
    reader = Reader(MemorySource(data))
    for tile, expected in tiles:
        assert reader.get(tile.z, tile.x, tile.y) == expected
    header = reader.header()
    assert header["clustered"]
    assert header["addressed_tiles_count"] == 64
    assert header["tile_contents_count"] == 22
    assert header["tile_type"] is TileType.PNG
    assert header["max_lat_e7"] == 279000000
    assert reader.metadata() == SAID


def test_both_write_the_same_tiles():
    tiles = [(tile, b"tile %d" % (at // 3)) for at, tile in enumerate(square(9, 300, 200, 8))]
    mine, other = ours(tiles), theirs(tiles)
    assert list(all_tiles(MemorySource(mine))) == list(all_tiles(MemorySource(other)))


@pytest.mark.parametrize("write", [ours, theirs])
def test_leaf_directories_are_written_and_read(write):
    tiles = many()
    data = write(tiles)
    assert opened(data).header.leaves[1] > 0
    assert opened(data).header.root[1] <= 16384 - 127
    theirs_read = dict(all_tiles(MemorySource(data)))
    assert theirs_read == {(tile.z, tile.x, tile.y): each for tile, each in tiles}
    for tile, expected in random.sample(tiles, 200):
        assert get(data, tile) == expected


def test_a_tile_takes_one_read_once_its_directory_is_known():
    tiles = many()
    file = Bytes(ours(tiles))

    async def read():
        archive = await Pmtiles.open(file, "a.pmtiles")
        for tile, _ in tiles[:50]:
            await archive.tile(tile)

    run(read())
    # Beginning, root, one leaf.
    assert len(file.reads) == 3 + 50
    assert sum(length for _, length in file.reads[3:]) == sum(len(data) for _, data in tiles[:50])


def test_equal_tiles_are_stored_once_and_runs_joined():
    sea = [(tile, b"sea") for tile in square(5, 0, 0, 4)]
    land = (square(5, 4, 0, 1)[0], b"land")
    data = ours([*sea, land, *[(tile, b"sea") for tile in square(6, 0, 0, 2)]])
    header = opened(data).header
    assert (header.addressed, header.entries, header.contents) == (21, 3, 2)
    assert header.data[1] == len(b"sealand")
    assert get(data, Tile(1, 1, 6)) == b"sea"


def test_tiles_out_of_order_are_refused():
    writer = PmtilesWriter(Kind.PNG)
    writer.add(Tile(1, 1, 1), b"one")
    with pytest.raises(ValueError, match="out of order"):
        writer.add(Tile(0, 0, 1), b"two")
    with pytest.raises(ValueError, match="out of order"):
        writer.add(Tile(1, 1, 1), b"again")
    with pytest.raises(ValueError, match="no tile"):
        PmtilesWriter(Kind.PNG).head(BOUNDS, SAID)


NUMBERS = (st.integers(1, 1 << 40), st.integers(0, 1 << 16), st.integers(1, 1 << 30),
           st.integers(0, 1 << 40))  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.tuples(*NUMBERS), min_size=1))
def test_directories_come_back_as_they_were_written(found):
    ids = np.cumsum([each[0] for each in found]).tolist()
    entries = [(number, *each[1:]) for number, each in zip(ids, found, strict=True)]
    back = directory_from_bytes(inflated(directory_to_bytes(entries), Compression.GZIP))
    columns = (back.ids, back.runs, back.lengths, back.offsets)
    assert list(zip(*(each.tolist() for each in columns), strict=True)) == entries


def test_compressed_tiles_and_uncompressed_directories_are_read():
    packed = theirs([(Tile(0, 0, 0), gzip.compress(b"tile"))],
                    {"tile_compression": TheirCompression.GZIP})  # fmt: skip
    assert get(packed, Tile(0, 0, 0)) == b"tile"
    header = opened(packed).header
    root = gzip.decompress(packed[header.root[0] :][: header.root[1]])
    data = packed[header.data[0] :]
    said = json.dumps(SAID).encode()
    plain = type(header)(**{
        **header.__dict__, "internal": Compression.NONE,
        "root": (127, len(root)), "metadata": (127 + len(root), len(said)),
        "data": (127 + len(root) + len(said), len(data)),
    }).to_bytes() + root + said + data  # fmt: skip
    assert get(plain, Tile(0, 0, 0)) == b"tile"
    assert run(opened(plain).metadata()) == SAID


def test_what_is_no_pmtiles_is_refused():
    for data in (b"", b"PMTile", b"<!doctype html>" * 40, b"SQLite format 3\0" + bytes(100)):
        with pytest.raises(NotAnArchiveError, match=r"a\.pmtiles is no PMTiles"):
            opened(data)


def test_another_version_is_refused():
    data = bytearray(theirs([(Tile(0, 0, 0), b"tile")]))
    data[7] = 2
    with pytest.raises(UnsupportedArchiveError, match="version 2"):
        opened(bytes(data))


@pytest.mark.parametrize("at", [97, 98])
def test_compressions_that_cannot_be_read_are_named(at):
    data = bytearray(theirs([(Tile(0, 0, 0), b"tile")]))
    data[at] = 4
    with pytest.raises(UnsupportedArchiveError, match="compressed by zstd"):
        opened(bytes(data))


def test_a_file_that_is_cut_short_says_so():
    tiles = many()
    data = ours(tiles)
    for length in (8, 100, 127, 126 + opened(data).header.root[1]):
        with pytest.raises(DamagedArchiveError, match="cut short"):
            opened(data[:length])
    header = opened(data).header
    with pytest.raises(DamagedArchiveError):
        get(data[: header.leaves[0] + 10], tiles[0][0])
    with pytest.raises(DamagedArchiveError):
        get(data[: header.data[0] + header.data[1] - 1], tiles[-1][0])
    assert get(data[: header.data[0] + header.data[1] - 1], tiles[0][0]) == tiles[0][1]


@settings(max_examples=200, deadline=None)
@given(st.integers(8, 2000), st.integers(0, 255))
def test_a_damaged_byte_is_an_error_or_changes_nothing_else(at, value):
    tiles = [(tile, b"tile %d" % at) for at, tile in enumerate(square(9, 300, 200, 8))]
    data = bytearray(ours(tiles))
    data[at % len(data)] = value
    try:
        get(bytes(data), tiles[17][0])
    except (DamagedArchiveError, NotAnArchiveError, UnsupportedArchiveError):
        return


def test_a_directory_that_would_fill_the_memory_is_refused():
    data = bytearray(theirs([(Tile(0, 0, 0), b"tile")]))
    bomb = gzip.compress(bytes(100 << 20))
    data[8:24] = (len(data)).to_bytes(8, "little") + len(bomb).to_bytes(8, "little")
    with pytest.raises(DamagedArchiveError):
        opened(bytes(data) + bomb)
    for length in (1 << 62, 1 << 40):
        data[16:24] = length.to_bytes(8, "little")
        with pytest.raises(DamagedArchiveError):
            opened(bytes(data))


def test_a_directory_that_leads_in_circles_ends():
    leaf = directory_to_bytes([(0, 0, 60, 0)])
    leaf = directory_to_bytes([(0, 0, len(leaf), 0)])
    header = opened(theirs([(Tile(0, 0, 0), b"tile")])).header
    head = type(header)(**{
        **header.__dict__, "root": (127, len(leaf)), "leaves": (127, len(leaf)),
        "metadata": (127, 0), "data": (127, 0),
    }).to_bytes()  # fmt: skip
    with pytest.raises(DamagedArchiveError):
        get(head + leaf, Tile(0, 0, 0))

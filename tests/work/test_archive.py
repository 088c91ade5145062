"""Files of tiles as imagery: the same chips as of the same tiles at an address."""

import asyncio
import io

import numpy as np
import pytest
from PIL import Image, features

from pyapp.core.errors import DamagedRasterError, MissingTileError
from pyapp.core.ground.cut import Cut
from pyapp.core.ground.geo import Bounds, Footprint, LngLat, Tile
from pyapp.core.imagery.archive_errors import (
    ArchiveAddressError,
    DamagedArchiveError,
    NotAnArchiveError,
    UnsupportedArchiveError,
    VectorArchiveError,
)
from pyapp.core.imagery.pmtiles import Kind, tile_id
from pyapp.core.imagery.pmtiles_writer import written
from pyapp.work.archive import SharedReads, open_archive
from pyapp.work.ground import Ground
from pyapp.work.ports import UnreachableError
from tests.core.test_mbtiles import write
from tests.work.fakes import FakeClock, FakeFetch, card, decode, run, source, tile_bytes

PLACE = Footprint(LngLat(85.52, 27.63), 78.0288)
BOUNDS = Bounds(85.4, 27.5, 85.6, 27.7)
SAID = {"name": "Town", "attribution": "<b>Survey</b> of 2024", "date": "2024-03-02"}


def picture(url, kind):
    with Image.open(io.BytesIO(tile_bytes(url))) as tile:
        out = io.BytesIO()
        tile.save(out, kind)
        return out.getvalue()


def tiles(kind="PNG", zoom=19):
    recipe = Cut.of(PLACE, source(zoom), card().resolution_m)
    return {tile: picture(f"{tile.z}/{tile.x}/{tile.y}", kind) for tile in recipe.tiles}


def pmtiles(found, kind=Kind.PNG, said=SAID):
    ordered = sorted(found.items(), key=lambda each: tile_id(each[0]))
    return b"".join(written(ordered, kind, BOUNDS, said))


def reading(data):
    async def read(offset, length):
        await asyncio.sleep(0)
        return data[offset : offset + length]

    return read


def opened(data, name="town.pmtiles", **facts):
    return run(open_archive(reading(data), name, "ab12", **facts))


def chip(ground, of):
    return run(ground.chip(of, PLACE, card())).pixels


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("form", ["pmtiles", "mbtiles"])
def test_chips_are_those_of_the_same_tiles_at_an_address(tmp_path, kind, form):
    found = tiles(kind)
    if form == "pmtiles":
        data = pmtiles(found, Kind[kind])
    else:
        said = SAID | {"bounds": ",".join(map(str, BOUNDS))}
        data = write(tmp_path / "town.mbtiles", tiles=found, said=said).read_bytes()
    archive = opened(data, f"town.{form}")
    xyz = {f"{tile.z}/{tile.x}/{tile.y}": each for tile, each in found.items()}
    ground = Ground(FakeFetch(xyz.__getitem__), decode, FakeClock(), 32 << 20)
    ground.offer(archive.source, archive.tile)
    at_address = source(19, bounds=(BOUNDS,))
    np.testing.assert_array_equal(chip(ground, archive.source), chip(ground, at_address))
    assert archive.source.min_zoom == archive.source.max_zoom == 19
    assert archive.source.bounds[0] == pytest.approx(BOUNDS)
    assert archive.source.credit == "Survey of 2024"
    assert archive.source.date == "2024-03-02"


@pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
def test_avif_is_a_picture():
    assert opened(pmtiles(tiles("AVIF"), Kind.AVIF)).source.name == "town.pmtiles"


def test_where_there_is_no_tile_that_is_said():
    archive = opened(pmtiles(tiles()))
    for tile in (Tile(0, 0, 19), Tile(0, -1, 19), Tile(0, 1 << 19, 19)):
        with pytest.raises(MissingTileError):
            run(archive.tile(tile))


def test_a_tile_that_is_no_picture_is_said():
    found = tiles()
    last = max(found, key=tile_id)
    archive = opened(pmtiles(found | {last: b"no picture"}))
    with pytest.raises(DamagedRasterError, match="can't be read"):
        run(archive.tile(last))


def test_a_name_is_the_credit_if_no_other_is_known_and_markup_is_text():
    archive = opened(pmtiles(tiles(), said={}), "<img src=x>.pmtiles")
    assert archive.source.credit == "<img src=x>.pmtiles"
    assert archive.source.attribution == "&lt;img src=x&gt;.pmtiles"


def test_bounds_that_are_the_world_do_not_hide_where_the_tiles_are():
    found = tiles()
    ordered = sorted(found.items(), key=lambda each: tile_id(each[0]))
    data = b"".join(written(ordered, Kind.PNG, Bounds(-180, -85, 180, 85), {}))
    centre = opened(data).facts.centre
    assert centre == pytest.approx(PLACE.centre, abs=1e-2)


@pytest.mark.parametrize("kind", [Kind.MVT, Kind.MLT, Kind.UNKNOWN])
def test_vectors_are_refused(kind):
    with pytest.raises(VectorArchiveError, match=r"roads\.pmtiles hold vectors"):
        opened(pmtiles({Tile(0, 0, 0): b"\x1f\x8b\x08vector"}, kind), "roads.pmtiles")


def test_vectors_in_an_mbtiles_that_does_not_say_so_are_refused(tmp_path):
    path = write(tmp_path / "a.mbtiles", tiles={Tile(0, 0, 0): b"\x1f\x8b\x08"}, said={})
    with pytest.raises(VectorArchiveError):
        opened(path.read_bytes(), "a.mbtiles")


def test_tiles_of_another_kind_are_refused():
    with pytest.raises(UnsupportedArchiveError, match="format that is not known"):
        opened(pmtiles({Tile(0, 0, 0): b"LERC2 heights"}))


def test_the_name_says_what_is_missed():
    for kind in ("PMTiles", "MBTiles"):
        with pytest.raises(NotAnArchiveError, match=f"no {kind}"):
            opened(b"<!doctype html>", f"a.{kind.lower()}")


def test_a_file_that_goes_away_is_said():
    data = pmtiles(tiles())
    there = True

    async def read(offset, length):
        if not there:
            raise UnreachableError("gone")
        return data[offset : offset + length]

    archive = run(open_archive(read, "town.pmtiles", "ab12"))
    there = False
    with pytest.raises(DamagedRasterError, match=r"A part of town\.pmtiles can't be read"):
        run(archive.tile(next(iter(tiles()))))
    with pytest.raises(DamagedArchiveError):
        run(open_archive(read, "town.pmtiles", "ab12"))
    with pytest.raises(ArchiveAddressError, match=r"https://a\.example doesn't let this page"):
        run(open_archive(read, "town.pmtiles", "ab12", "https://a.example"))


def test_what_is_read_at_the_same_time_is_read_once():
    asked = []

    async def read(offset, length):
        asked.append((offset, length))
        await asyncio.sleep(0.01)
        return b"x" * length

    async def both():
        shared = SharedReads(read)
        first = asyncio.create_task(shared(0, 5))
        others = [asyncio.create_task(shared(0, 5)) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        found = await asyncio.gather(*others, shared(5, 5))
        await shared(0, 5)
        return found

    assert run(both()) == [b"x" * 5] * 4
    assert asked == [(0, 5), (5, 5), (0, 5)]

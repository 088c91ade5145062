"""Tiles of files of one's own: real GeoTIFFs, whose blocks GDAL decompresses here."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasterio.windows import Window

from pyapp.core.errors import (
    DamagedRasterError,
    MissingTileError,
    NoGeoreferenceError,
    UnknownProjectionError,
    UnreadableRasterError,
)
from pyapp.core.ground.geo import Footprint, Tile, moved, tile_at
from pyapp.core.imagery.look import Look
from pyapp.work.ground import Ground
from pyapp.work.orthophoto import open_orthophoto
from pyapp.work.ports import UnreachableError
from tests.core.rasters import PLACE, facts_of, write
from tests.core.test_warp import gdal_chip, town
from tests.work.fakes import FakeClock, FakeFetch, card, decode, run


class GdalReader:
    """Fulfils `RasterReader` for a file of tiles that interleaves its bands."""

    def __init__(self, path: Path, **changed):
        self.path = path
        self.changed = changed
        self.asked: list[tuple[int, int, int]] = []
        self.broken = False

    async def describe(self):
        return facts_of(self.path, **self.changed)

    async def block(self, index, column, row, band):
        self.asked.append((index, column, row))
        await asyncio.sleep(0)
        if self.broken:
            raise UnreachableError("cut short")
        options = {} if index == 0 else {"overview_level": index - 1}
        with rasterio.open(self.path, **options) as file:
            height, width = file.block_shapes[0]
            window = Window(column * width, row * height, width, height)
            samples = file.read(window=window, boundless=True, fill_value=0)
        return np.moveaxis(samples, 0, 2).tobytes()


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "town.tif", town(1000), 32645, 0.3)


def opened(path, **changed):
    return run(open_orthophoto(GdalReader(path, **changed), "ab12"))


def finest_tile(orthophoto, place=PLACE):
    return tile_at(place, orthophoto.source.max_zoom)


def test_a_chip_of_a_file_is_cut_as_of_any_imagery(path):
    orthophoto = opened(path)
    ground = Ground(FakeFetch(), decode, FakeClock(), 32 << 20)
    ground.offer(orthophoto.source, orthophoto.opaque_tile)
    footprint = Footprint(PLACE, 78.0288)
    chip = run(ground.chip(orthophoto.source, footprint, card()))
    difference = np.abs(chip.pixels.astype(int) - gdal_chip(path, footprint))
    assert difference.mean() <= 2.0
    assert chip.imagery_m == pytest.approx(0.3, rel=5e-3), "of the file, not of finer tiles"


def test_each_block_is_read_once_however_many_tiles_need_it(path):
    reader = GdalReader(path)

    async def tiles():
        orthophoto = await open_orthophoto(reader, "ab12")
        x, y, z = finest_tile(orthophoto)
        near = [Tile(x + i, y + j, z) for i in range(4) for j in range(4)]
        await asyncio.gather(*(orthophoto.tile(each) for each in near))
        await asyncio.gather(*(orthophoto.tile(each) for each in near))

    run(tiles())
    assert len(reader.asked) == len(set(reader.asked)) > 4


def test_beside_the_file_there_is_no_tile(path):
    orthophoto = opened(path)
    with pytest.raises(MissingTileError):
        run(orthophoto.tile(finest_tile(orthophoto, moved(PLACE, 2000, 0))))


def test_a_file_that_is_cut_short_is_said_and_the_rest_goes_on(path):
    reader = GdalReader(path)
    orthophoto = run(open_orthophoto(reader, "ab12"))
    reader.broken = True
    with pytest.raises(DamagedRasterError, match=r"A part of town\.tif can't be read"):
        run(orthophoto.tile(finest_tile(orthophoto)))
    reader.broken = False
    assert run(orthophoto.tile(finest_tile(orthophoto)))[..., 3].all()


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_more_than_eight_bits_are_stretched_by_percentiles(tmp_path, dtype):
    pixels = town(600).astype(dtype) * 40 + 1000
    if dtype == "float32":
        pixels[:, :10] = np.nan
    path = write(tmp_path / "deep.tif", pixels.astype(dtype), 32645, 0.3)
    orthophoto = opened(path)
    expected = [np.nanpercentile(band, (2, 98)) for band in pixels]
    assert np.allclose(orthophoto.look.ranges, expected, rtol=0.02)
    tile = run(orthophoto.tile(finest_tile(orthophoto)))
    assert (tile[..., 3] == 255).all() and len(np.unique(tile[..., 0])) > 100


def test_bands_are_chosen_and_another_look_is_another_source(tmp_path):
    pixels = np.concatenate([town(600), 255 - town(600)[:1]])
    path = write(tmp_path / "four.tif", pixels, 32645, 0.3, photometric="rgb", alpha="no")
    orthophoto = opened(path, extra=[0])
    other = orthophoto.with_look(Look((3, 1, 2)))
    tile = finest_tile(orthophoto)
    ours, theirs = run(orthophoto.tile(tile)), run(other.tile(tile))
    assert np.abs(255 - ours[..., 0].astype(int) - theirs[..., 0]).max() <= 1
    assert np.array_equal(ours[..., 1:], theirs[..., 1:])
    assert orthophoto.source.url != other.source.url
    assert orthophoto.source.id == other.source.id


def test_an_alpha_band_is_clear_where_it_says_so(tmp_path):
    alpha = np.full((1, 600, 600), 255, np.uint8)
    alpha[:, :, 300:] = 0
    path = write(tmp_path / "alpha.tif", np.concatenate([town(600), alpha]), 32645, 0.3)
    with rasterio.open(path, "r+") as file:
        file.colorinterp = [*file.colorinterp[:3], ColorInterp.alpha]
    orthophoto = opened(path)
    assert orthophoto.facts.colours == (0, 1, 2)
    assert set(np.unique(run(orthophoto.tile(finest_tile(orthophoto)))[..., 3])) >= {0, 255}


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"keys": {}}, NoGeoreferenceError, "doesn't say where"),
        ({"matrix": None}, NoGeoreferenceError, "doesn't say where"),
        ({"matrix": [None] * 16}, NoGeoreferenceError, "doesn't say where"),
        ({"matrix": [0.0] * 16}, NoGeoreferenceError, "doesn't say where"),
        ({"keys": {"ProjectedCSTypeGeoKey": 28992}}, UnknownProjectionError, "EPSG:28992"),
        ({"keys": {"ProjectedCSTypeGeoKey": 32767}}, UnknownProjectionError, "one of its own"),
        ({"bits": [1]}, UnreadableRasterError, "1 bits"),
        ({"formats": [6]}, UnreadableRasterError, "complex"),
        ({"bits": [8, 16, 8]}, UnreadableRasterError, "several types"),
        ({"photometric": 8}, UnreadableRasterError, "colours of kind 8"),
    ],
)
def test_a_file_that_cannot_be_shown_is_explained(path, changed, error, said):
    with pytest.raises(error, match=said):
        opened(path, **changed)


def test_a_file_in_one_piece_that_is_too_large_is_refused(path):
    piece = {"width": 9000, "height": 9000, "block_width": 9000, "block_height": 9000,
             "kind": 0, "bands": 3}  # fmt: skip
    with pytest.raises(UnreadableRasterError, match="in one piece"):
        opened(path, images=[piece])

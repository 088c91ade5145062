"""Tiles of georeferenced pictures, and chips of them, against GDAL's warper."""

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT

from pyapp.core.ground.cut import Cut
from pyapp.core.ground.geo import EARTH_RADIUS_M, Footprint, moved, tile_at, world_px
from pyapp.core.imagery.chip import cut
from pyapp.core.imagery.look import Look, paint, usual_bands
from pyapp.core.imagery.raster import raster_from_json
from pyapp.core.imagery.source import Source
from pyapp.core.imagery.warp import level_for, net_of, warp, window_of
from tests.core.rasters import PLACE, facts_of, read, write

CHIP_M, CHIP_PX = 78.0288, 192
# Zone of the place, degrees, Web Mercator, and UTM where the grid turns by 2.4 degrees.
GRIDS = (32645, 4326, 3857, 32644)


def town(size: int, seed: int = 0) -> np.ndarray:
    """Bands like an orthophoto: sharp roofs and lines on ground that varies at all scales."""
    chance = np.random.default_rng(seed)
    ground = np.zeros((3, size, size))
    for step in (4, 16, 64):
        coarse = chance.normal(0, 3 * step**0.5, (3, size // step + 2, size // step + 2))
        ground += np.kron(coarse, np.ones((step, step)))[:, :size, :size]
    ground += 110 + chance.normal(0, 6, (3, size, size))
    for _ in range(size * size // 6000):
        x, y = chance.integers(0, size - 60, 2)
        w, h = chance.integers(8, 60, 2)
        ground[:, y : y + h, x : x + w] = chance.integers(30, 240, (3, 1, 1))
    return np.clip(ground, 0, 255).astype(np.uint8)


def source_of(facts) -> Source:
    coarsest, finest = facts.zooms(1024)
    return Source("file", "file", "{z}/{x}/{y}", coarsest, finest, "", "", None)


def tile_of(path, facts, look, tile) -> np.ndarray:
    level, net = level_for(facts, net_of(facts, tile))
    window = window_of(level, net)
    if window is None:
        return np.zeros((256, 256, 4), np.uint8)
    samples = read(path, facts.levels.index(level), window)
    return warp(paint(facts, look, samples), window, net)


def our_chip(path, facts, footprint) -> np.ndarray:
    recipe = Cut.of(footprint, source_of(facts), CHIP_M / CHIP_PX)
    look = Look(usual_bands(facts))
    tiles = {tile: tile_of(path, facts, look, tile)[..., :3] for tile in recipe.tiles}
    return cut(tiles, recipe.box, CHIP_PX)


def gdal_chip(path, footprint) -> np.ndarray:
    """The same ground, warped from the file to the chip in one step."""
    box = Cut.of(footprint, Source("", "", "", 20, 20, "", "", None), 0.01).box
    metre = 2 * np.pi * EARTH_RADIUS_M / world_px(20)
    half = np.pi * EARTH_RADIUS_M
    edges = (box.left * metre - half, half - box.bottom * metre,
             box.right * metre - half, half - box.top * metre)  # fmt: skip
    target = from_bounds(*edges, CHIP_PX, CHIP_PX)
    with rasterio.open(path) as file:
        options = {"crs": "EPSG:3857", "transform": target, "width": CHIP_PX, "height": CHIP_PX}
        with WarpedVRT(file, resampling=Resampling.bilinear, **options) as warped:
            return np.moveaxis(warped.read((1, 2, 3)), 0, 2)


@pytest.mark.parametrize("pixel_m", [0.12, 0.35, 0.8])
@pytest.mark.parametrize("epsg", GRIDS)
def test_chips_are_those_of_gdal(tmp_path, epsg, pixel_m):
    path = write(tmp_path / "town.tif", town(1600), epsg, pixel_m)
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4], Resampling.average)
    facts = raster_from_json(facts_of(path))
    for east, north in ((0, 0), (31.7, -18.3), (-22.9, 40.2)):
        footprint = Footprint(moved(PLACE, east, north), CHIP_M)
        ours, theirs = our_chip(path, facts, footprint), gdal_chip(path, footprint)
        difference = np.abs(ours.astype(int) - theirs)
        assert difference.mean() <= 2.0


def test_a_picture_that_is_turned_lies_as_gdal_lays_it(tmp_path):
    path = write(tmp_path / "turned.tif", town(1600), 32645, 0.35, turn=30.0)
    facts = raster_from_json(facts_of(path))
    footprint = Footprint(PLACE, CHIP_M)
    difference = np.abs(our_chip(path, facts, footprint).astype(int) - gdal_chip(path, footprint))
    assert difference.mean() <= 2.0


def test_what_lies_beside_the_picture_or_has_no_data_is_clear(tmp_path):
    pixels = town(512)
    pixels[:, :, 200:220] = 0
    path = write(tmp_path / "edge.tif", pixels, 32645, 0.3, nodata=0)
    facts = raster_from_json(facts_of(path))
    look = Look(usual_bands(facts))
    zoom = source_of(facts).max_zoom
    middle = tile_of(path, facts, look, tile_at(PLACE, zoom))[..., 3]
    assert {0, 255} <= set(np.unique(middle).tolist())
    beside = tile_at(moved(PLACE, 500, 0), zoom)
    assert not tile_of(path, facts, look, beside).any()


def test_the_coarsest_and_finest_zoom_follow_from_the_pyramid(tmp_path):
    path = write(tmp_path / "plain.tif", np.zeros((1, 64, 4096), np.uint8), 32645, 0.3)
    facts = raster_from_json(facts_of(path))
    assert facts.ground_m() == pytest.approx(0.3, rel=5e-3)
    assert facts.zooms(1024) == (17, 20)
    assert facts.zooms(4096) == (0, 20)

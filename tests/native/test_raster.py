"""Orthophotos as imagery of the command: the tiles, chips and addresses that the page has."""

import json
import zlib

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from PIL import Image

from pyapp.core.errors import MissingTileError, UnknownProjectionError, UnreadableRasterError
from pyapp.core.ground.geo import Footprint, moved, tile_at
from pyapp.native import errors
from pyapp.native.imagery import decode
from pyapp.native.raster import open_raster
from pyapp.work.ground import Ground
from tests.core.rasters import PLACE, write
from tests.core.test_warp import gdal_chip, town
from tests.native.conftest import area_file, features, lookdown
from tests.work.fakes import FakeClock, FakeFetch, card, run
from tests.work.test_orthophoto import GdalReader as PageReader
from tests.work.test_orthophoto import open_orthophoto

UTM = 32645


@pytest.fixture
def photo(tmp_path):
    return write(tmp_path / "town.tif", town(1000), UTM, 0.3)


@pytest.fixture
def area(tmp_path):
    """Nine squares on the picture."""
    west, south = moved(PLACE, -119, -119)
    east, north = moved(PLACE, 119, 119)
    return area_file(tmp_path / "area.geojson", west, south, east, north)


def opened(path):
    return run(open_raster(path, decode))


def chip_of(orthophoto, footprint):
    ground = Ground(FakeFetch(), decode, FakeClock(), 32 << 20)
    ground.offer(orthophoto.source, orthophoto.opaque_tile)
    return run(ground.chip(orthophoto.source, footprint, card())).pixels


def cog(path, out, **options):
    """A Cloud Optimized GeoTIFF with overviews, made by GDAL."""
    rasterio.shutil.copy(path, out, driver="COG", blocksize=256, overview_count=2, **options)
    with rasterio.open(out) as file:
        assert file.overviews(1)
    return out


def test_tiles_are_those_of_the_page(photo, tmp_path):
    path = cog(photo, tmp_path / "cog.tif")
    ours, theirs = opened(path), run(open_orthophoto(PageReader(path), "ab12"))
    source = ours.source
    assert (source.min_zoom, source.max_zoom) == (theirs.source.min_zoom, theirs.source.max_zoom)
    assert source.bounds == theirs.source.bounds and ours.look == theirs.look
    for zoom in (source.max_zoom, source.max_zoom - 1, source.max_zoom - 3):
        tile = tile_at(PLACE, zoom)
        assert np.array_equal(run(ours.tile(tile)), run(theirs.tile(tile)))
    with pytest.raises(MissingTileError):
        run(ours.tile(tile_at(moved(PLACE, 2000, 0), source.max_zoom)))


@pytest.mark.parametrize(
    "options",
    [{"blockxsize": 512, "blockysize": 512}, {"tiled": False, "blockysize": 16},
     {"interleave": "band"}, {"compress": "lzw", "predictor": 2}, {"bigtiff": "yes"}],
    ids=["large tiles", "strips", "planes", "lzw", "BigTIFF"],
)  # fmt: skip
def test_however_it_is_stored_the_chip_is_that_of_gdal(tmp_path, options):
    if options.get("tiled") is False:
        options |= {"blockxsize": None}
    path = write(tmp_path / "town.tif", town(1000), UTM, 0.3, **options)
    footprint = Footprint(PLACE, 78.0288)
    ours = chip_of(opened(path), footprint).astype(int)
    assert np.abs(ours - gdal_chip(path, footprint)).mean() <= 2.0


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_other_samples_than_bytes_are_stretched_as_on_the_page(tmp_path, dtype):
    pixels = (town(600).astype(np.float64) * 40 + 1000).astype(dtype)
    path = write(tmp_path / "deep.tif", pixels, UTM, 0.3, nodata=0)
    ours, theirs = opened(path), run(open_orthophoto(PageReader(path), "ab12"))
    assert ours.look == theirs.look and ours.look.ranges is not None
    tile = tile_at(PLACE, ours.source.max_zoom)
    assert np.array_equal(run(ours.tile(tile)), run(theirs.tile(tile)))


def test_grey_palettes_and_alpha(tmp_path):
    grey = write(tmp_path / "grey.tif", town(300)[:1], UTM, 0.3, photometric="miniswhite")
    tile = tile_at(PLACE, opened(grey).source.max_zoom)
    plain = write(tmp_path / "plain.tif", town(300)[:1], UTM, 0.3)
    white, black = run(opened(grey).tile(tile)), run(opened(plain).tile(tile))
    # What is interpolated is rounded either way.
    assert np.abs(255 - white[..., :3].astype(int) - black[..., :3]).max() <= 1
    colours = write(tmp_path / "colours.tif", town(300)[:1] // 64, UTM, 0.3, photometric="palette")
    with rasterio.open(colours, "r+") as file:
        file.write_colormap(1, {each: (each * 60, 9, 255 - each * 60) for each in range(4)})
    found = opened(colours)
    assert found.facts.palette[3].tolist() == [180, 9, 75]
    assert (run(found.tile(tile))[..., 1] == 9).all()
    alpha = np.full((1, 300, 300), 255, np.uint8)
    alpha[:, :, 150:] = 0
    clear = write(tmp_path / "clear.tif", np.concatenate([town(300), alpha]), UTM, 0.3,
                  photometric="rgb", alpha="yes")  # fmt: skip
    assert opened(clear).facts.alpha == 3


def test_what_is_no_imagery_is_told(tmp_path, photo):
    with pytest.raises(UnknownProjectionError, match="EPSG:28992"):
        opened(write(tmp_path / "dutch.tif", town(300), 28992, 0.3))
    (tmp_path / "cut.tif").write_bytes(photo.read_bytes()[:300])
    (tmp_path / "text.tif").write_text("a town")
    for name in ("cut.tif", "text.tif"):
        with pytest.raises(UnreadableRasterError, match=f"{name} can't be read as imagery"):
            opened(tmp_path / name)
    complex_ = write(tmp_path / "complex.tif", town(300).astype("complex64"), UTM, 0.3)
    with pytest.raises(UnreadableRasterError, match="complex"):
        opened(complex_)


def test_a_place_that_lies_beside_a_picture_counts(tmp_path, photo):
    with rasterio.open(photo) as file:
        pixels, profile = file.read(), file.profile
    bare = tmp_path / "bare.tif"
    with rasterio.open(bare, "w", **(profile | {"crs": None, "transform": None})) as out:
        out.write(pixels)
    with pytest.raises(errors.NoPlaceError, match=r"bare\.tif doesn't say where"):
        opened(bare)
    t = profile["transform"]
    world = "\n".join(map(str, (t.a, 0, 0, t.e, t.c + t.a / 2, t.f + t.e / 2)))
    (tmp_path / "bare.tfw").write_text(world)
    with pytest.raises(errors.NoPlaceError, match=r"a \.prj beside it"):
        opened(bare)
    (tmp_path / "bare.prj").write_text(profile["crs"].to_wkt())
    footprint = Footprint(PLACE, 78.0288)
    whole = chip_of(opened(photo), footprint)
    assert np.array_equal(chip_of(opened(bare), footprint), whole)


def test_a_picture_with_a_world_file_needs_no_gdal(tmp_path, photo, request):
    with rasterio.open(photo) as file:
        pixels, t, wkt = file.read(), file.transform, file.crs.to_wkt()
    footprint = Footprint(PLACE, 78.0288)
    whole = chip_of(opened(photo), footprint)
    Image.fromarray(np.moveaxis(pixels, 0, 2)).save(tmp_path / "plan.png")
    world = "\n".join(map(str, (t.a, 0, 0, t.e, t.c + t.a / 2, t.f + t.e / 2)))
    (tmp_path / "plan.pgw").write_text(world)
    (tmp_path / "plan.prj").write_text(wkt)
    request.getfixturevalue("without_gdal")
    found = chip_of(opened(tmp_path / "plan.png"), footprint)
    assert np.array_equal(found, whole)
    with pytest.raises(errors.NoGeoError, match=r"town\.tif is read by GDAL.*lookdown\[geo\]"):
        opened(photo)


def test_the_command_surveys_and_replays_a_file(photo, area, tmp_path):
    path, out = cog(photo, tmp_path / "cog.tif"), tmp_path / "town.geojson"
    done = lookdown("survey", area, "--out", out, "--imagery", path)
    assert done.returncode == errors.DONE, done.stderr
    survey = json.loads(out.read_text())["lookdown"]["survey"]
    assert survey["imagery"]["name"] == "cog.tif"
    assert survey["imagery"]["url"] == opened(path).source.url
    found = features(out)
    assert len(found) == 9 and "classified" in {each["properties"]["state"] for each in found}
    same = lookdown("replay", out, "--imagery", path)
    assert same.returncode == errors.DONE and "9 squares  same chip, same answer" in same.stdout
    needed = lookdown("replay", out)
    assert needed.returncode == errors.WRONG_INPUT and "no imagery named cog.tif" in needed.stderr
    report = tmp_path / "town.html"
    assert lookdown("report", out, "--out", report, "--imagery", path).returncode == errors.DONE
    assert "data:image/jpeg" in report.read_text()
    one = lookdown("classify", "--at", PLACE.lat, PLACE.lng, "--imagery", path, "--json")
    assert json.loads(one.stdout)["zoom"] == found[4]["properties"]["zoom"]


def test_workers_open_the_file_each(photo, area, tmp_path):
    pytest.importorskip("distributed", reason="needs Python 3.11")
    arrow = pytest.importorskip("pyarrow.parquet", reason="needs Python 3.11")
    whole, parts = tmp_path / "town.geojson", tmp_path / "town"
    assert lookdown("survey", area, "--out", whole, "--imagery", photo).returncode == errors.DONE
    done = lookdown(
        "survey", area, "--out", parts, "--imagery", photo, "--workers", 2, "--block", 2
    )
    assert done.returncode == errors.DONE, done.stderr
    chips = [each["properties"]["chip_sha256"] for each in features(whole)]
    rows = [row for file in parts.glob("part-*") for row in arrow.read_table(file).to_pylist()]
    assert [each["chip_sha256"] for each in sorted(rows, key=lambda row: row["cell"])] == chips


def test_what_the_command_can_not_open_is_one_sentence(tmp_path, area, photo):
    with rasterio.open(photo) as file:
        pixels, profile = file.read(), file.profile
    for name, lacking in (("bare", "crs"), ("lost", "transform")):
        path = tmp_path / f"{name}.tif"
        with rasterio.open(path, "w", **(profile | {lacking: None})) as out:
            out.write(pixels)
    (tmp_path / "damaged.tif").write_bytes(zlib.compress(b"town" * 99))
    for name, said in (("bare.tif", "coordinate system"), ("lost.tif", "doesn't say where"),
                       ("damaged.tif", "it is damaged"),
                       ("nowhere.tif", "can't be read")):  # fmt: skip
        done = lookdown("survey", area, "--out", tmp_path / "a.csv", "--imagery", tmp_path / name)
        assert done.returncode == errors.WRONG_INPUT, done.stderr
        assert said in done.stderr and len(done.stderr.strip().splitlines()) == 1

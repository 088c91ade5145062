"""Pictures with a world file are imagery as a GeoTIFF is."""

import io
import json

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.crs import CRS

from pyapp.core.errors import NotAPictureError, UnknownProjectionError
from pyapp.core.ground.geo import Footprint, LngLat
from pyapp.core.ground.wkt import epsg_of
from pyapp.core.imagery.file_errors import WorldFileError
from pyapp.core.imagery.picture import taken
from pyapp.core.imagery.raster import Affine
from pyapp.core.imagery.worldfile import (
    affine_of,
    is_companion,
    likely_epsg,
    placing_of,
    plain_epsg,
    stem,
)
from pyapp.work.ground import Ground
from pyapp.work.orthophoto import open_orthophoto
from pyapp.work.placed import PictureReader, PlacedReader, pixels_of
from tests.core.rasters import PLACE, write
from tests.core.test_warp import gdal_chip, town
from tests.work.fakes import FakeClock, FakeFetch, card, decode, run
from tests.work.test_orthophoto import GdalReader, finest_tile


def picture(pixels, kind="PNG", **options) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def world_of(path) -> bytes:
    """The world file that GDAL would write beside a picture of a file."""
    with rasterio.open(path) as file:
        t = file.transform
    x, y = t * (0.5, 0.5)
    return "\n".join(f"{each!r}" for each in (t.a, t.d, t.b, t.e, x, y)).encode()


@pytest.fixture(params=[(32645, 0.0), (4326, 0.0), (3857, 0.0), (32645, 12.0)], ids=str)
def ortho(request, tmp_path):
    epsg, turn = request.param
    return epsg, write(tmp_path / "town.tif", town(1000), epsg, 0.3, turn=turn)


def opened(path, epsg, kind="PNG"):
    with rasterio.open(path) as file:
        pixels = np.moveaxis(file.read(), 0, 2)
    placing = placing_of({"town.pgw": world_of(path)})
    decoded = run(pixels_of(picture(np.ascontiguousarray(pixels), kind), decode))
    reader = PictureReader("town.png", decoded, placing.affine, epsg)
    return run(open_orthophoto(reader, "ab12"))


def test_a_chip_of_a_picture_with_a_world_file_is_what_gdal_gives(ortho):
    epsg, path = ortho
    orthophoto = opened(path, epsg)
    ground = Ground(FakeFetch(), decode, FakeClock(), 32 << 20)
    ground.offer(orthophoto.source, orthophoto.opaque_tile)
    footprint = Footprint(PLACE, 78.0288)
    chip = run(ground.chip(orthophoto.source, footprint, card()))
    assert np.abs(chip.pixels.astype(int) - gdal_chip(path, footprint)).mean() <= 2.0
    assert orthophoto.source.name == "town.png"
    assert orthophoto.source.max_zoom > 0 and orthophoto.source.min_zoom == 0, "it has a pyramid"


def test_what_is_clear_in_a_png_is_clear_on_the_map(tmp_path):
    path = write(tmp_path / "town.tif", town(600), 32645, 0.3)
    rgba = np.dstack([np.moveaxis(town(600), 0, 2), np.full((600, 600), 255, np.uint8)])
    rgba[:, 300:, 3] = 0
    pixels = run(pixels_of(picture(rgba), decode))
    assert pixels.shape == (600, 600, 4)
    affine = affine_of("town.pgw", world_of(path))
    orthophoto = run(open_orthophoto(PictureReader("a", pixels, affine, 32645), "d"))
    assert set(np.unique(run(orthophoto.tile(finest_tile(orthophoto)))[..., 3])) >= {0, 255}


def test_a_tiff_without_georeference_takes_that_of_its_world_file(tmp_path):
    path = write(tmp_path / "town.tif", town(600), 32645, 0.3)
    bare = GdalReader(path, keys={}, matrix=None)
    affine = affine_of("town.tfw", world_of(path))
    placed = run(open_orthophoto(PlacedReader(bare, affine, 32645), "d"))
    plain = run(open_orthophoto(GdalReader(path), "d"))
    tile = finest_tile(plain)
    assert np.array_equal(run(placed.tile(tile)), run(plain.tile(tile)))


def test_what_lies_beside_a_picture_says_where_it_is():
    world = b"0,5\r\n0\r\n0\r\n-0,5\r\n349000,25\r\n3057000\r\n"
    wkt = CRS.from_epsg(32645).to_wkt(version="WKT1_ESRI").encode()
    placing = placing_of({"Town.PGW": world, "Town.prj": wkt})
    assert placing.epsg == 32645 and placing.affine.c == 349000.0
    pam = b"""<PAMDataset><SRS dataAxisToSRSAxisMapping="1,2">EPSG:3857</SRS>
      <GeoTransform> 9519000, 0.5, 0, 3202000, 0, -0.5</GeoTransform></PAMDataset>"""
    placing = placing_of({"town.png.aux.xml": pam})
    assert placing == (Affine(0.5, 0, 9519000, 0, -0.5, 3202000), 3857)
    assert placing_of({}) == (None, None)
    assert placing_of({"a.prj": b"nonsense"}) == (None, None)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.pgw", b"1\n2\n3", "six lines"),
        ("a.pgw", b"", "six lines"),
        ("a.pgw", b"one two three four five six", "six lines"),
        ("a.pgw", b"0\n0\n0\n0\n1\n1", "without a size"),
        ("a.pgw", b"nan\n0\n0\n-1\n1\n1", "without a size"),
        ("a.jgw", b"\xff\xd8\xff", "six lines"),
        ("a.aux.xml", b"<PAMDataset>", "no XML"),
        ("a.aux.xml", b'<!DOCTYPE a [<!ENTITY x "y">]><a/>', "entities"),
        ("a.aux.xml", b"<a><GeoTransform>1, 2</GeoTransform></a>", "six numbers"),
    ],
)
def test_a_damaged_world_file_is_explained(name, data, said):
    with pytest.raises(WorldFileError, match=said):
        placing_of({name: data})


@pytest.mark.parametrize("version", ["WKT1_GDAL", "WKT1_ESRI", "WKT2_2019"])
@pytest.mark.parametrize(
    "epsg", [32645, 32733, 25832, 26911, 3857, 4326, 4258, 2154, 3006, 2180, 28355]
)
def test_codes_in_what_proj_writes(epsg, version):
    assert epsg_of(CRS.from_epsg(epsg).to_wkt(version=version)) == epsg


@pytest.mark.parametrize(
    ("text", "epsg"),
    [("EPSG:25832", 25832), ("urn:ogc:def:crs:EPSG::3857", 3857), ("", None), ("[" * 9999, None),
     ('PROJCS["Town_Grid",GEOGCS["GCS_WGS_1984"]]', None),
     ('PROJCS["x",GEOGCS["y",AUTHORITY["EPSG","4326"]],UNIT["m",1]]', None),
     ('PROJCS["WGS_1984_UTM_Zone_99N"]', None), ('PROJCS["ETRS_1989_UTM_Zone_32S"]', None)],
)  # fmt: skip
def test_codes_are_not_made_up(text, epsg):
    assert epsg_of(text) == epsg


@pytest.mark.parametrize(
    ("affine", "epsg"),
    [
        (Affine(1e-6, 0, 85.5, 0, -1e-6, 27.6), 4326),
        (Affine(0.5, 0, 10.0, 0, -0.5, 20.0), None),
        (Affine(0.3, 0, -9_000_000, 0, -0.3, 3_200_000), 3857),
        (Affine(0.3, 0, 2_600_000, 0, -0.3, 1_200_000), None),
        (Affine(0.2, 0, 5_400_000, 0, -0.2, 5_700_000), None),
        (Affine(0.2, 0, 32_500_000, 0, -0.2, 5_700_000), None),
    ],
)
def test_coordinates_are_guessed_only_if_they_are_plain(affine, epsg):
    assert plain_epsg(affine, 1000, 1000) == epsg


def test_what_is_asked_is_suggested():
    grid = Affine(0.5, 0, 349_000, 0, -0.5, 6_000_000)
    assert likely_epsg(grid, 9, 9, LngLat(151.2, -33.9)) == 32756
    assert likely_epsg(Affine(0.5, 0, 2_600_000, 0, -0.5, 1e6), 9, 9, PLACE) == 3857


def test_an_unknown_system_is_said_as_of_a_geotiff():
    affine = Affine(0.5, 0, 2_600_000, 0, -0.5, 1_200_000)
    reader = PictureReader("a.png", np.zeros((9, 9, 3), np.uint8), affine, 2056)
    with pytest.raises(UnknownProjectionError, match="EPSG:2056"):
        run(open_orthophoto(reader, "d"))


def test_names_that_belong_together():
    together = ("Town.png", "town.PGW", "town.png.aux.xml", "town.prj", "town.wld", "town.aux.xml")
    assert {stem(each) for each in together} == {"town"}
    assert [is_companion(each) for each in together] == [False, *[True] * 5]


def test_a_picture_that_is_none_is_said():
    with pytest.raises(NotAPictureError):
        run(pixels_of(b"nothing", decode))
    assert (run(pixels_of(b"odd\x07", decode)) == 7).all(), "what only the browser knows"


def test_when_a_photograph_was_taken():
    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = "2023:06:01 10:00:00"
    pixels = np.zeros((8, 8, 3), np.uint8)
    assert taken(picture(pixels, "JPEG", exif=exif.tobytes())) == "2023-06-01"
    assert taken(picture(pixels)) == taken(b"nothing") == ""


def test_its_date_goes_into_the_facts():
    affine = Affine(1e-5, 0, 85.5, 0, -1e-5, 27.6)
    pixels = np.zeros((9, 9, 3), np.uint8)
    reader = PictureReader("a.jpg", pixels, affine, 4326, "2023-06-01")
    assert run(open_orthophoto(reader, "d")).source.date == "2023-06-01"
    assert json.loads(run(reader.describe()))["bands"] == 3

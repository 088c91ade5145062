"""The file beside a GeoTIFF, as GDAL itself reads it: the library that rasterio carries."""

import ctypes
import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio

from pyapp.core.survey.paint import Look
from pyapp.core.survey.pam import FIELDS, to_geotiff_zip
from pyapp.core.survey.rasters import NO_CLASS
from tests.core.test_survey_tree import a_survey

LIBRARIES = Path(rasterio.__file__).parent.parent / "rasterio.libs"


@pytest.fixture(scope="module")
def gdal():
    """GDAL by its C interface, of which rasterio shows no attribute tables."""
    found = sorted(LIBRARIES.glob("libgdal*.so*"))
    if not found:
        pytest.skip("rasterio's GDAL is not where its wheels for Linux have it")
    library = ctypes.CDLL(str(found[0]))
    library.GDALAllRegister()
    for name, result, *given in (
        ("GDALOpen", ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int),
        ("GDALClose", None, ctypes.c_void_p),
        ("GDALGetRasterBand", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int),
        ("GDALGetRasterCategoryNames", ctypes.POINTER(ctypes.c_char_p), ctypes.c_void_p),
        ("GDALGetDefaultRAT", ctypes.c_void_p, ctypes.c_void_p),
        ("GDALRATGetRowCount", ctypes.c_int, ctypes.c_void_p),
        ("GDALRATGetColumnCount", ctypes.c_int, ctypes.c_void_p),
        ("GDALRATGetNameOfCol", ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int),
        ("GDALRATGetUsageOfCol", ctypes.c_int, ctypes.c_void_p, ctypes.c_int),
        ("GDALRATGetTypeOfCol", ctypes.c_int, ctypes.c_void_p, ctypes.c_int),
        (
            "GDALRATGetValueAsString",
            ctypes.c_char_p,
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_int,
        ),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, given
    return library


@pytest.fixture
def survey():
    return a_survey()


def unpacked(survey, folder, name="survey", look=None):
    with zipfile.ZipFile(io.BytesIO(to_geotiff_zip(survey, look or shown(survey), name))) as found:
        assert sorted(found.namelist()) == [
            f"{name}.qml", f"{name}.tif", f"{name}.tif.aux.xml"
        ]  # fmt: skip
        found.extractall(folder)
    return folder / f"{name}.tif"


def shown(survey):
    return Look(survey.model.threshold, set())


def read(gdal, path):
    """Names of the categories, columns, and rows of the attribute table."""
    opened = gdal.GDALOpen(str(path).encode(), 0)
    band = gdal.GDALGetRasterBand(opened, 1)
    # Only this has GDAL look into the file beside a GeoTIFF.
    table = gdal.GDALGetDefaultRAT(band)
    names = gdal.GDALGetRasterCategoryNames(band)
    categories = []
    while names and names[len(categories)]:
        categories.append(names[len(categories)].decode())
    columns = [
        (
            gdal.GDALRATGetNameOfCol(table, each).decode(),
            gdal.GDALRATGetTypeOfCol(table, each),
            gdal.GDALRATGetUsageOfCol(table, each),
        )
        for each in range(gdal.GDALRATGetColumnCount(table))
    ]
    rows = [
        [gdal.GDALRATGetValueAsString(table, row, each).decode() for each in range(len(columns))]
        for row in range(gdal.GDALRATGetRowCount(table))
    ]
    gdal.GDALClose(opened)
    return categories, columns, rows


def test_gdal_names_the_classes_of_a_survey(gdal, survey, tmp_path):
    categories, columns, rows = read(gdal, unpacked(survey, tmp_path))
    nodes = survey.model.tree.nodes
    assert categories == [node.name for node in nodes]
    assert columns == list(FIELDS)
    assert [row[1] for row in rows] == categories
    assert [int(row[0]) for row in rows] == [node.id for node in nodes]


def test_the_table_counts_what_the_picture_shows(gdal, survey, tmp_path):
    path = unpacked(survey, tmp_path)
    _, _, rows = read(gdal, path)
    with rasterio.open(path) as raster:
        pixels, colours = raster.read(1), raster.colormap(1)
        assert raster.descriptions[0].startswith(survey.name)
    counts = np.bincount(pixels[pixels != NO_CLASS], minlength=len(rows))
    assert [int(row[7]) for row in rows] == counts.tolist() and counts.sum() > 0
    for row in rows:
        assert tuple(map(int, row[4:7])) == colours[int(row[0])][:3]
    answers = survey.answers()
    hectares = survey.grid.hectares[answers >= 0].sum()
    assert sum(float(row[8]) for row in rows) == pytest.approx(hectares, abs=1e-3 * len(rows))


def test_the_style_for_qgis_lists_what_the_picture_shows(survey, tmp_path):
    path = unpacked(survey, tmp_path)
    style = ElementTree.fromstring(path.with_suffix(".qml").read_text())
    (renderer,) = style.iter("rasterrenderer")
    assert (renderer.get("type"), renderer.get("band")) == ("paletted", "1")
    with rasterio.open(path) as raster:
        pixels, colours = raster.read(1), raster.colormap(1)
    entries = list(style.iter("paletteEntry"))
    values = [int(each.get("value")) for each in entries]
    assert sorted(values) == sorted(set(pixels[pixels != NO_CLASS].tolist()))
    tree = survey.model.tree
    assert values == [each for each in tree.order if each in values]
    for value, each in zip(values, entries, strict=True):
        assert each.get("label") == tree.nodes[value].name
        assert each.get("color") == "#" + "".join(f"{part:02x}" for part in colours[value][:3])


def test_what_is_hidden_is_not_counted(gdal, survey, tmp_path):
    counted = {int(row[0]) for row in read(gdal, unpacked(survey, tmp_path))[2] if row[7] != "0"}
    one = min(counted)
    look = Look(survey.model.threshold, {one})
    hidden = read(gdal, unpacked(survey, tmp_path, "hidden", look))[2]
    assert next(row for row in hidden if int(row[0]) == one)[7] == "0"


def test_names_with_markup_stay_names(gdal, survey, tmp_path):
    survey.name = "<b>A & B</b> \x01"
    path = unpacked(survey, tmp_path)
    read(gdal, path)
    with rasterio.open(path) as raster:
        assert raster.descriptions[0].startswith("<b>A & B</b>")

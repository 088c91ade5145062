"""Surveys as files, read back by what reads them elsewhere (GDAL, which QGIS is built on)."""

import csv
import dataclasses
import io
import json
import zipfile

import numpy as np
import pyogrio
import pytest
import rasterio

from pyapp.core.errors import NotASurveyError
from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import LngLat
from pyapp.core.state import CellState
from pyapp.core.survey.batch import Batch
from pyapp.core.survey.geojson import from_geojson, to_csv, to_geojson
from pyapp.core.survey.paint import Look, Painter, colour
from pyapp.core.survey.rasters import NO_CLASS, to_geotiff, to_png
from tests.core.surveys import classified_survey, survey_over

LOOK = Look(threshold=0.6, hidden=set())


@pytest.fixture
def survey():
    survey = classified_survey()
    survey.add(Batch.without_imagery([4], CellState.MISSING))
    survey.correct(9, 2)
    return survey


def on_the_ground(raster, number, survey):
    """Row and column of a cell's middle, by the raster's own reference system."""
    from rasterio.warp import transform

    lng, lat = survey.grid.centre(number)
    (x,), (y,) = transform("EPSG:4326", raster.crs, [lng], [lat])
    return raster.index(x, y)


def test_geotiff_lies_where_the_cells_are(survey, tmp_path):
    file = tmp_path / "survey.tif"
    file.write_bytes(to_geotiff(survey, LOOK))
    shown = Painter(survey).classes(LOOK)
    with rasterio.open(file) as raster:
        assert raster.crs.to_epsg() == 3857
        assert raster.nodata == NO_CLASS
        indices = raster.read(1)
        assert indices.shape == (survey.grid.rows, survey.grid.columns)
        assert raster.colormap(1)[2][:3] == colour(2)
        for number in (0, 4, 9, 33, len(survey.grid) - 1):
            wanted = shown[number] if shown[number] >= 0 else NO_CLASS
            assert indices[on_the_ground(raster, number, survey)] == wanted


def test_png_has_a_world_file_and_its_reference_system(survey, tmp_path):
    with zipfile.ZipFile(io.BytesIO(to_png(survey, LOOK, "valley"))) as archive:
        archive.extractall(tmp_path)
    picture = Painter(survey).paint(LOOK)
    with rasterio.open(tmp_path / "valley.png") as raster:
        assert raster.crs.to_epsg() == 3857
        rgba = np.moveaxis(raster.read(), 0, -1)
        assert np.array_equal(rgba, picture)
        row, column = divmod(int(survey.grid.cells[33]), survey.grid.columns)
        assert on_the_ground(raster, 33, survey) == (row, column)


def test_geojson_is_read_as_polygons_with_their_facts(survey, tmp_path):
    file = tmp_path / "survey.geojson"
    file.write_text(to_geojson(survey))
    meta, _, shapes, columns = pyogrio.raw.read(file)
    import shapely

    polygons = shapely.from_wkb(shapes)
    values = dict(zip(meta["fields"], columns, strict=True))
    assert len(polygons) == len(survey.grid)
    for number in (0, 9, 33):
        assert polygons[number].contains(shapely.Point(*survey.grid.centre(number)))
        assert polygons[number].exterior.is_ccw
        assert values["class_name"][number] == survey.model.labels[survey.scores[number].argmax()]
    assert values["state"][4] == "no imagery"
    assert values["class"][4] is None
    assert bool(values["corrected"][9])
    assert set(values["credit"]) == {"OpenAerialMap, CC BY 4.0"}
    facts = json.loads(file.read_text())["features"][33]["properties"]
    assert len(facts["best"]) == 4 and len(facts["chip_sha256"]) == 64
    assert facts["model_sha256"] == "ab" * 32
    assert facts["footprint"]["side_m"] == survey.grid.side_m


def without_familiarity(survey):
    """Its model, if the card said nothing of familiarity, and for which use it is."""
    about = {
        "licence": "research use",
        "training_data": "pictures of elsewhere",
        "use": "research",
        "judges_familiarity": False,
    }
    return dataclasses.replace(survey.model, **about)


def test_files_name_the_licence_of_the_model(survey):
    survey.model = without_familiarity(survey)
    facts = json.loads(to_geojson(survey))["lookdown"]["survey"]["model"]
    assert facts["licence"] == "research use"
    assert facts["training_data"] == "pictures of elsewhere"
    assert facts["use"] == "research"
    table = csv.DictReader(io.StringIO(to_csv(survey)))
    assert {row["model_licence"] for row in table} == {"research use"}


def test_nothing_is_written_of_familiarity_if_the_card_is_silent(survey):
    """And the file is read again, with nothing made up."""
    assert json.loads(to_geojson(survey))["features"][0]["properties"]["familiarity"] is not None
    survey.model = without_familiarity(survey)
    written = to_geojson(survey)
    rows = [each["properties"] for each in json.loads(written)["features"]]
    assert {row["familiarity"] for row in rows} == {None}
    again = from_geojson(written)
    assert again.model == survey.model
    rows = [each["properties"] for each in json.loads(to_geojson(again))["features"]]
    assert {row["familiarity"] for row in rows} == {None}
    assert "unlike" not in written.lower()
    # Of any other model a missing value is damage.
    claimed = json.loads(written)
    del claimed["lookdown"]["survey"]["model"]["judges_familiarity"]
    with pytest.raises(NotASurveyError, match="None is not a number"):
        from_geojson(json.dumps(claimed))


def test_geojson_over_the_date_line_is_cut_there():
    area = rectangle(LngLat(179.999, -16.999), LngLat(180.0035, -17.002))
    features = json.loads(to_geojson(classified_survey(area=area)))["features"]
    kinds = {each["geometry"]["type"] for each in features}
    assert kinds == {"Polygon", "MultiPolygon"}
    lngs = [
        lng
        for each in features
        for part in (
            each["geometry"]["coordinates"]
            if each["geometry"]["type"] == "Polygon"
            else [rings[0] for rings in each["geometry"]["coordinates"]]
        )
        for lng, _ in part
    ]
    assert -180 <= min(lngs) < -179 and 179 < max(lngs) <= 180


def test_a_table_has_a_line_a_cell_and_shapes(survey, tmp_path):
    file = tmp_path / "survey.csv"
    file.write_text(to_csv(survey))
    rows = list(csv.DictReader(file.open()))
    assert len(rows) == len(survey.grid)
    assert rows[9]["class"] == "road" and rows[9]["corrected"] == "1"
    assert rows[4]["class"] == "" and rows[4]["state"] == "no imagery"
    assert float(rows[33]["lat"]) == pytest.approx(survey.grid.centre(33).lat, abs=1e-6)
    assert float(rows[33]["score_1"]) >= float(rows[33]["score_2"])
    _, _, shapes, _ = pyogrio.raw.read(file, GEOM_POSSIBLE_NAMES="wkt")
    assert len(shapes) == len(survey.grid)


def test_geojson_comes_back(survey):
    again = from_geojson(to_geojson(survey))
    assert again.name == survey.name and again.imagery == survey.imagery
    assert np.array_equal(again.state, survey.state)
    assert np.array_equal(again.digest[survey.classified], survey.digest[survey.classified])
    assert np.array_equal(again.scores.argmax(1)[survey.classified],
                          survey.scores.argmax(1)[survey.classified])  # fmt: skip
    assert np.array_equal(from_geojson(to_geojson(survey_over())).waiting,
                          np.arange(len(survey.grid)))  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: "no JSON", "it is damaged"),
        (lambda text: '{"type": "FeatureCollection", "features": []}', "it lacks Lookdown's mark"),
        (lambda text: "[1]", "it is damaged"),
        (lambda text: text.replace('"cell": 33', '"cell": 9999'), "no cell 9999"),
        (lambda text: text.replace('"area": [[', '"area": [["x", 1], ['), "it is damaged"),
        (lambda text: text.replace('"step": 1.0', '"step": 0.001'), "its area is damaged"),
        (lambda text: text.replace('"class": "river"', '"class": "moon"'), "it is damaged"),
        (lambda text: text[: len(text) // 2], "it is damaged"),
    ],
)
def test_a_file_that_is_not_ours_is_told_so(survey, spoil, words):
    with pytest.raises(NotASurveyError, match=words):
        from_geojson(spoil(to_geojson(survey)))

"""The date of the imagery goes from the source into every file."""

import csv
import dataclasses
import io
import json
import zipfile

import pytest
import rasterio

from pyapp.core.imagery.choice import facts_at
from pyapp.core.imagery.date import day_of
from pyapp.core.imagery.raster import raster_from_json
from pyapp.core.survey.geojson import from_geojson, to_csv, to_geojson
from pyapp.core.survey.paint import Look
from pyapp.core.survey.rasters import to_geotiff, to_png
from pyapp.core.survey.survey import Survey
from tests.core.rasters import PLACE, facts_of, write
from tests.core.surveys import classified_survey
from tests.core.test_choice import BERN, SWISS
from tests.core.test_warp import town

LOOK = Look(threshold=0.6, hidden=set())


@pytest.fixture
def dated():
    survey = classified_survey()
    credit = 'Flying "Club" <b>& Söhne</b>'
    survey.imagery = dataclasses.replace(
        survey.imagery, credit=credit, date="2024-09-06/2024-09-08"
    )
    return survey


def test_the_date_stands_in_every_file_of_a_survey(dated, tmp_path):
    features = json.loads(to_geojson(dated))["features"]
    assert {each["properties"]["imagery_date"] for each in features} == {"2024-09-06/2024-09-08"}
    rows = list(csv.DictReader(io.StringIO(to_csv(dated))))
    assert {each["imagery_date"] for each in rows} == {"2024-09-06/2024-09-08"}
    file = tmp_path / "survey.tif"
    file.write_bytes(to_geotiff(dated, LOOK))
    with rasterio.open(file) as raster:
        tags = raster.tags()
    assert tags["IMAGERY_DATE"] == "2024-09-06/2024-09-08"
    assert tags["IMAGERY_CREDIT"] == dated.imagery.credit, "markup and letters are kept"
    assert "taken 2024-09-06 to 2024-09-08" in tags["TIFFTAG_IMAGEDESCRIPTION"]
    with zipfile.ZipFile(io.BytesIO(to_png(dated, LOOK, "valley"))) as archive:
        assert "taken 2024-09-06 to 2024-09-08" in archive.read("valley-legend.txt").decode()


def test_the_date_is_stored_with_the_survey(dated):
    assert Survey.from_json(dated.to_json()).imagery == dated.imagery
    assert from_geojson(to_geojson(dated)).imagery.date == dated.imagery.date


def test_of_imagery_without_a_date_none_is_made_up(tmp_path):
    survey = classified_survey()
    assert {each["imagery_date"] for each in csv.DictReader(io.StringIO(to_csv(survey)))} == {""}
    file = tmp_path / "survey.tif"
    file.write_bytes(to_geotiff(survey, LOOK))
    with rasterio.open(file) as raster:
        assert "IMAGERY_DATE" not in raster.tags()


def test_a_period_is_said_in_words():
    swiss = dataclasses.replace(SWISS, date="2023-05-01/2023-06-30")
    assert facts_at(swiss, BERN) == "0.20 m per pixel, 2023-05-01 to 2023-06-30"


def test_a_geotiff_tells_when_it_was_made(tmp_path):
    path = write(tmp_path / "town.tif", town(300), 32645, 0.3, place=PLACE)
    assert raster_from_json(facts_of(path, made="2015:03:10 11:59:00\0")).date == "2015-03-10"
    assert raster_from_json(facts_of(path)).date == ""


@pytest.mark.parametrize(
    "text", [None, "", 2015, "1001", "2015:13:40 00:00:00", "0206-01-01T00:00:00Z", "yesterday"]
)
def test_what_is_no_date_is_none(text):
    assert day_of(text) == ""

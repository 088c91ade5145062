"""Surveys as GeoParquet, read as other programs read it, and as an item of a STAC catalogue."""

import io
import json

import numpy as np
import pytest

from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import LngLat
from pyapp.core.model.tree import NOT_SURE
from pyapp.core.state import CellState
from pyapp.core.survey import parquet
from pyapp.core.survey.batch import Batch
from pyapp.core.survey.geojson import from_geojson, to_geojson
from pyapp.core.survey.geoparquet import to_geoparquet
from pyapp.core.survey.parquet import Column
from pyapp.core.survey.stac import to_stac
from tests.core.surveys import TREE, batch_of, classified_survey, survey_over

arrow = pytest.importorskip("pyarrow.parquet", reason="needs Python 3.11")


def read(data: bytes):
    return arrow.read_table(io.BytesIO(data))


@pytest.fixture(scope="module")
def survey():
    """A survey with some of everything."""
    survey = survey_over(**TREE)
    count = len(survey.grid)
    survey.add(batch_of(survey, range(count - 30)))
    survey.add(Batch.without_imagery(range(count - 30, count - 20), CellState.MISSING))
    survey.correct(4, 2)
    return survey


def test_it_says_what_the_geojson_says(survey):
    table = read(to_geoparquet(survey))
    rows = [each["properties"] for each in json.loads(to_geojson(survey))["features"]]
    assert table.num_rows == len(rows) == len(survey.grid) - 20
    for name in ("cell", "state", "class", "class_id", "level", "corrected", "zoom", "chip_sha256"):
        assert table[name].to_pylist() == [each[name] for each in rows], name
    assert table["path"].to_pylist() == [" > ".join(each["path"]) or None for each in rows]
    scores = [each["score"] for each in rows]
    assert table["score"].to_pylist() == pytest.approx(scores, abs=1e-4, nan_ok=True)
    assert NOT_SURE in survey.answers()[survey.classified], "some have no answer"
    hectares = sum(table["hectares"].to_pylist())
    assert hectares == pytest.approx(survey.grid.hectares[:-20].sum())


def test_it_has_all_probabilities_and_embeddings_in_half_precision(survey):
    table = read(to_geoparquet(survey))
    seen = survey.classified
    assert str(table.schema.field("embedding").type.value_type) == "halffloat"
    for name, expected in (
        ("probability", survey.probability[seen]),
        ("embedding", survey.embedding[seen] * survey.length[seen, np.newaxis]),
    ):
        found = table[name].to_pylist()
        assert found[-10:] == [None] * 10
        given = np.array(found[:-10], np.float32)
        assert np.array_equal(given, expected.astype(np.float16).astype(np.float32))
    again = read(to_geoparquet(from_geojson(to_geojson(survey))))
    assert "embedding" not in again.column_names
    labels = json.loads(table.schema.metadata[b"lookdown"])["survey"]["model"]["labels"]
    assert labels == list(survey.model.labels)


def test_shapely_reads_its_shapes_and_geoparquet_knows_them(survey):
    shapely = pytest.importorskip("shapely")
    table = read(to_geoparquet(survey))
    geo = json.loads(table.schema.metadata[b"geo"])
    assert geo["version"] == "1.1.0" and geo["primary_column"] == "geometry"
    column = geo["columns"]["geometry"]
    assert column["encoding"] == "WKB" and column["geometry_types"] == ["Polygon"]
    shapes = [shapely.from_wkb(each) for each in table["geometry"].to_pylist()]
    assert all(each.is_valid and each.exterior.is_ccw for each in shapes)
    west, south, east, north = column["bbox"]
    box = shapely.union_all(shapes).bounds
    assert box[0] >= west - 1e-6 and box[3] <= north + 1e-6
    assert (west, south) < (east, north)
    place = survey.grid.centre(7)
    assert shapes[7].contains(shapely.Point(place.lng, place.lat))


def test_squares_over_the_date_line_are_cut_in_two():
    area = rectangle(LngLat(179.997, 10.003), LngLat(180.003, 10.0))
    table = read(to_geoparquet(classified_survey(area=area)))
    column = json.loads(table.schema.metadata[b"geo"])["columns"]["geometry"]
    assert "MultiPolygon" in column["geometry_types"]
    west, _, east, _ = column["bbox"]
    assert west > 179 and east < -179


def test_an_empty_survey_is_a_table_without_rows():
    assert read(to_geoparquet(survey_over())).num_rows == 0


@pytest.mark.parametrize("rows", [0, 1, 7, 9, 3000])
def test_columns_of_every_kind_come_back(rows):
    chance = np.random.default_rng(rows)
    there = chance.random(rows) < 0.5
    count = int(there.sum())
    columns = [
        Column("i", parquet.INT32, chance.integers(-(2**31), 2**31, rows)),
        Column("b", parquet.BOOLEAN, chance.random(rows) < 0.5),
        Column("b?", parquet.BOOLEAN, chance.random(count) < 0.5, there),
        Column("d", parquet.DOUBLE, chance.normal(size=rows)),
        Column("f?", parquet.FLOAT, chance.normal(size=count).astype(np.float32), there),
        Column("t", parquet.TEXT, [f"é{each}" * (each % 5) for each in range(rows)]),
        Column("y?", parquet.BYTES, [bytes([each % 256]) for each in range(count)], there),
        Column("l", parquet.FLOAT, chance.normal(size=(rows, 3)).astype(np.float32)),
        Column("l1?", parquet.HALF, chance.normal(size=(count, 1)).astype(np.float16), there),
        Column("l?", parquet.DOUBLE, chance.normal(size=(count, 300)), there),
    ]
    about = {"a": "b", "long": "x" * 5000}
    table = read(parquet.write(columns, rows, about, "tests"))
    assert table.num_rows == rows
    assert table.schema.metadata == {key.encode(): text.encode() for key, text in about.items()}
    for column in columns:
        given = [each.tolist() if isinstance(each, np.ndarray | np.generic) else each
                 for each in column.values]  # fmt: skip
        if column.there is not None:
            filled = iter(given)
            given = [next(filled) if each else None for each in column.there]
        assert table[column.name].to_pylist() == given, column.name


def test_the_item_is_valid_stac(survey):
    pystac = pytest.importorskip("pystac", reason="needs Python 3.11")
    from pystac.validation.stac_validator import JsonSchemaSTACValidator

    item = json.loads(to_stac(survey, "valley"))
    check = JsonSchemaSTACValidator().validate_core
    check(item, pystac.STACObjectType.ITEM, item["stac_version"])
    found = pystac.Item.from_dict(item)
    assert found.assets["geotiff"].href == "./valley.tif"
    classes = item["assets"]["geotiff"]["classification:classes"]
    assert [each["value"] for each in classes] == list(range(len(survey.model.tree.nodes)))
    assert classes[2]["description"] == "open land > field"
    assert all(each["name"].replace("_", "a").isalnum() for each in classes)
    assert item["properties"]["lookdown:imagery_date"] is None
    assert "not known" in item["properties"]["description"]
    date_line = classified_survey(
        area=rectangle(LngLat(179.997, 10.003), LngLat(180.003, 10.0))
    )  # fmt: skip
    item = json.loads(to_stac(date_line, "line"))
    assert item["geometry"]["type"] == "MultiPolygon"
    assert item["bbox"][0] > 179 and item["bbox"][2] < -179

"""Outlines of areas in GeoJSON files, and what can be wrong with them."""

import json

import pytest
import shapely

from pyapp.core.errors import AreaFileError
from pyapp.core.ground.area_file import MOST_CORNERS, area_from_geojson, holds_geojson

SQUARE = [[[8.0, 46.0], [9.0, 46.0], [9.0, 47.0], [8.0, 47.0], [8.0, 46.0]]]
POLYGON = {"type": "Polygon", "coordinates": SQUARE}


def feature(geometry):
    return {"type": "Feature", "properties": {"name": "<script>"}, "geometry": geometry}


@pytest.mark.parametrize(
    "found",
    [
        POLYGON,
        {"type": "MultiPolygon", "coordinates": [SQUARE]},
        feature(POLYGON),
        {"type": "FeatureCollection", "features": [feature(None), feature(POLYGON)]},
        {"type": "GeometryCollection",
         "geometries": [{"type": "Point", "coordinates": [8, 46]}, POLYGON]},
    ],
    ids=lambda each: each["type"],
)  # fmt: skip
def test_the_one_polygon_of_a_file_is_the_area(found):
    assert holds_geojson(json.dumps(found))
    area = area_from_geojson(json.dumps(found))
    assert shapely.equals(shapely.Polygon(area.corners), shapely.Polygon(SQUARE[0]))
    assert len(area.corners) == 4


def polygon(ring):
    return {"type": "Polygon", "coordinates": [ring]}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"type": "Point", "coordinates": [8, 46]}, "no polygon"),
        ({"type": "FeatureCollection", "features": []}, "no polygon"),
        ({"type": "MultiPolygon", "coordinates": [SQUARE, SQUARE]}, "2 polygons"),
        ({"type": "Polygon", "coordinates": SQUARE * 2}, "holes"),
        ({"type": "Polygon", "coordinates": []}, "no outline"),
        (polygon([[46.0, 118.0], [47.0, 118.0], [47.0, 119.0]]), "swapped"),
        (polygon([[2600000, 1200000], [2600100, 1200000], [2600100, 1200100]]), "not degrees"),
        (polygon([[8, 46]] * (MOST_CORNERS + 2)), f"room for {MOST_CORNERS}"),
        (polygon([[8, None], [9, 46], [9, 47]]), "damaged"),
        (polygon([[8], [9, 46], [9, 47]]), "damaged"),
        (polygon([[8, float("nan")], [9, 46], [9, 47]]), "no numbers"),
        ({"type": "Feature"}, "damaged"),
        ({"type": "FeatureCollection", "features": [7]}, "damaged"),
    ],
)
def test_a_file_without_an_area_is_explained(found, said):
    with pytest.raises(AreaFileError, match=said):
        area_from_geojson(json.dumps(found))


def test_collections_that_are_nested_too_deep_are_refused():
    found = POLYGON
    for _ in range(30):
        found = {"type": "GeometryCollection", "geometries": [found]}
    with pytest.raises(AreaFileError, match="too deep"):
        area_from_geojson(json.dumps(found))


@pytest.mark.parametrize("text", ["{", "[]", '{"type": "Topology"}', "{" * 100_000, "7"])
def test_other_texts_are_no_geojson(text):
    assert not holds_geojson(text)


def test_a_survey_of_ours_is_no_outline():
    assert not holds_geojson('{"type": "FeatureCollection", "lookdown": {}, "features": []}')

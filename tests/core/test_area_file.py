"""Outlines of areas in GeoJSON files, and what can be wrong with them."""

import json

import numpy as np
import pytest
import shapely
from rasterio.warp import transform

from pyapp.core.errors import AreaFileError
from pyapp.core.ground.area import Area
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


def named(crs):
    return {"type": "name", "properties": {"name": crs}}


def polygon(ring):
    return {"type": "Polygon", "coordinates": [ring]}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"type": "Point", "coordinates": [8, 46]}, "no polygon"),
        ({"type": "FeatureCollection", "features": []}, "no polygon"),
        ({"type": "Polygon", "coordinates": []}, "no outline"),
        ({"type": "MultiPolygon", "coordinates": [[], [[]]]}, "no outline"),
        (polygon([[170, 80], [-70, 80], [50, 80]]), "goes around a pole"),
        (POLYGON | {"crs": {"type": "link", "properties": {"href": "x"}}}, "know its coordinates"),
        (POLYGON | {"crs": named("EPSG:2056")}, r"know its coordinates \(EPSG:2056\)"),
        (polygon([[1e12, 0], [9, 46], [9, 47]]) | {"crs": named("EPSG:25832")}, "not those of the"),
        (POLYGON | {"crs": 7}, "damaged"),
        (polygon([[46.0, 118.0], [47.0, 118.0], [47.0, 119.0]]), "swapped"),
        (polygon([[2600000, 1200000], [2600100, 1200000], [2600100, 1200100]]), "not degrees"),
        (polygon([[8, 46]] * (MOST_CORNERS + 2)), f"room for {MOST_CORNERS:,}"),
        (polygon([[8, None], [9, 46], [9, 47]]), "no numbers"),
        (polygon([[8], [9, 46], [9, 47]]), "damaged"),
        (polygon([[8, float("nan")], [9, 46], [9, 47]]), "no numbers"),
        ({"type": "Feature"}, "damaged"),
        ({"type": "FeatureCollection", "features": [7]}, "damaged"),
    ],
)
def test_a_file_without_an_area_is_explained(found, said):
    with pytest.raises(AreaFileError, match=said):
        area_from_geojson(json.dumps(found))


HOLE = [[8.2, 46.2], [8.8, 46.2], [8.8, 46.8], [8.2, 46.8], [8.2, 46.2]]
FAR = [[[10.0, 46.0], [11.0, 46.0], [10.5, 47.0], [10.0, 46.0]]]


def shape_of(area: Area) -> shapely.Geometry:
    return shapely.unary_union([shapely.Polygon(one, holes) for one, *holes in area.polygons])


@pytest.mark.parametrize(
    "found",
    [
        {"type": "Polygon", "coordinates": [*SQUARE, HOLE]},
        {"type": "MultiPolygon", "coordinates": [[*SQUARE, HOLE], FAR]},
        {"type": "GeometryCollection",
         "geometries": [POLYGON, {"type": "Polygon", "coordinates": FAR}]},
    ],
    ids=["hole", "two", "collection"],
)  # fmt: skip
def test_holes_and_several_polygons_are_taken(found):
    area = area_from_geojson(json.dumps(feature(found)))
    assert shapely.equals(
        shape_of(area), shapely.union_all(shapely.from_geojson(json.dumps(found)))
    )


@pytest.mark.parametrize(
    ("code", "name"),
    [(25832, "urn:ogc:def:crs:EPSG::25832"), (3857, "EPSG:3857"), (4326, "EPSG:4326"),
     (4326, "urn:ogc:def:crs:OGC:1.3:CRS84")],
)  # fmt: skip
def test_the_old_member_crs_says_what_coordinates_are(code, name):
    x, y = transform("EPSG:4326", f"EPSG:{code}", *zip(*SQUARE[0], strict=True))
    ring = list(zip(x, y, strict=True))
    area = area_from_geojson(json.dumps(polygon(ring) | {"crs": named(name)}))
    assert np.allclose(area.corners, SQUARE[0][:-1], rtol=0, atol=1e-8)


WEST_PART = [[[179.0, -17.0], [180.0, -17.0], [180.0, -16.0], [179.0, -16.0]]]
EAST_PART = [[[-180.0, -17.0], [-179.0, -17.0], [-179.0, -16.0], [-180.0, -16.0]]]
OVER = shapely.box(179.0, -17.0, 181.0, -16.0)


@pytest.mark.parametrize(
    "found",
    [
        {"type": "MultiPolygon", "coordinates": [WEST_PART, EAST_PART]},
        {"type": "MultiPolygon", "coordinates": [EAST_PART, WEST_PART]},
        polygon([[179, -17], [181, -17], [181, -16], [179, -16]]),
        polygon([[179, -17], [-179, -17], [-179, -16], [179, -16], [179, -17]]),
    ],
    ids=["RFC 7946", "the other way round", "beyond 180", "jumping"],
)
def test_an_area_over_the_date_line_is_one_piece(found):
    area = area_from_geojson(json.dumps(found))
    assert shapely.equals(shape_of(area), OVER) and area.bounds == OVER.bounds


def test_a_hole_follows_its_outline_over_the_date_line():
    found = polygon([[179, -17], [-179, -17], [-179, -16], [179, -16]])
    found["coordinates"].append([[-179.8, -16.8], [-179.2, -16.8], [-179.5, -16.2]])
    (hole,) = area_from_geojson(json.dumps(found)).holes
    assert hole[0] == pytest.approx((180.2, -16.8))


def test_what_only_touches_the_edges_of_the_map_is_left_as_it_is():
    bounds = shapely.box(-180, -60, 180, 60)
    assert area_from_geojson(shapely.to_geojson(bounds)).bounds == bounds.bounds


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

"""Areas and points in KML, GPX and zipped Shapefiles, as GDAL writes them; and what is wrong."""

import io
import json
import struct
import zipfile

import numpy as np
import pyogrio.raw
import pytest
import shapely

from pyapp.core.errors import AreaFileError
from pyapp.core.ground.area_file import area_from
from pyapp.core.ground.geo import EARTH_RADIUS_M
from pyapp.core.ground.markup import FEW_CORNERS, from_markup
from pyapp.core.ground.projection import projection_of
from pyapp.core.ground.shapefile import HEADER_BYTES, projection_from_wkt
from pyapp.core.ground.vector import holds_features, read_features

FIELD = shapely.Polygon([(8.0, 47.0), (8.01, 47.0), (8.012, 47.01), (8.0, 47.01)])


def written(folder, driver, geometry, crs="EPSG:4326", names=("a & b",), layer="field", **options):
    """Files that GDAL writes, by their names."""
    path = folder / f"{layer}.{driver[1]}"
    shapes = np.array([geometry] if isinstance(geometry, shapely.Geometry) else geometry)
    pyogrio.raw.write(
        path, shapely.to_wkb(shapes), [np.array(names, object)], ["name"], driver=driver[0],
        geometry_type=options.pop("kind", "Polygon"), crs=crs, layer=layer, **options,
    )  # fmt: skip
    return path.read_bytes(), sorted(folder.iterdir())


def zipped(files, *without):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in files:
            if each.suffix not in without:
                archive.write(each, f"inside/{each.name}")
    return out.getvalue()


def area_of(data):
    return shapely.Polygon(area_from(read_features(data).found).corners)


def projected(geometry, epsg):
    return shapely.transform(
        geometry, lambda points: np.stack(projection_of(epsg).forward(*points.T), 1)
    )


def test_kml_that_gdal_writes_is_an_area(tmp_path):
    data, _ = written(tmp_path, ("KML", "kml"), FIELD)
    assert holds_features(data)
    assert shapely.equals(area_of(data), FIELD)
    (feature,) = read_features(data).found["features"]
    assert feature["properties"]["name"] == "a & b"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("doc.kml", data)
    assert holds_features(out.getvalue()) and shapely.equals(area_of(out.getvalue()), FIELD)


def test_gpx_tracks_are_outlines_and_waypoints_are_points(tmp_path):
    line = shapely.LineString(FIELD.exterior.coords)
    data, _ = written(
        tmp_path, ("GPX", "gpx"), line, kind="LineString", layer="tracks",
        layer_options={"FORCE_GPX_TRACK": "YES"},
    )  # fmt: skip
    assert holds_features(data) and shapely.equals(area_of(data), FIELD)
    data, _ = written(
        tmp_path, ("GPX", "gpx"), [shapely.Point(8, 47), shapely.Point(9, 46.5)], kind="Point",
        layer="waypoints", names=("Oak", "<b>Elm</b>"),
    )  # fmt: skip
    found = read_features(data).found["features"]
    assert [each["properties"]["name"] for each in found] == ["Oak", "<b>Elm</b>"]
    assert [each["geometry"]["coordinates"] for each in found] == [[8, 47], [9, 46.5]]


@pytest.mark.parametrize("epsg", [4326, 4258, 3857, 32632, 25832, 32756, 2154, 2193, 3006])
def test_zipped_shapefiles_of_gdal_are_areas_in_their_projection(tmp_path, epsg):
    away = [145, -80] if epsg == 32756 else [0, 0]
    field = shapely.transform(FIELD, lambda each: each + np.array(away))
    shape = projected(field, epsg)
    _, files = written(tmp_path, ("ESRI Shapefile", "shp"), shape, f"EPSG:{epsg}")
    data = zipped(files)
    assert holds_features(data) and read_features(data).note == ""
    found = area_of(data)
    # GDAL orders corners by its own rule.
    assert shapely.hausdorff_distance(found, field) < 1e-7
    assert len(found.exterior.coords) == 5


def test_a_shapefile_without_prj_is_degrees_only_if_it_looks_like_them(tmp_path):
    (tmp_path / "one").mkdir()
    _, files = written(tmp_path / "one", ("ESRI Shapefile", "shp"), FIELD)
    data = zipped(files, ".prj")
    assert "no .prj" in read_features(data).note
    assert shapely.equals(area_of(data), FIELD)
    (tmp_path / "two").mkdir()
    shape = projected(FIELD, 32632)
    _, files = written(tmp_path / "two", ("ESRI Shapefile", "shp"), shape, "EPSG:32632")
    with pytest.raises(AreaFileError, match=r"no \.prj file"):
        read_features(zipped(files, ".prj"))


def test_holes_and_several_polygons_are_kept_apart(tmp_path):
    hole = shapely.Polygon(FIELD.exterior.coords, [FIELD.buffer(-0.002).exterior.coords])
    other = shapely.transform(FIELD, lambda each: each + 1)
    _, files = written(tmp_path, ("ESRI Shapefile", "shp"), [hole, other], names=("a", "b"))
    features = read_features(zipped(files)).found["features"]
    assert [len(each["geometry"]["coordinates"][0]) for each in features] == [2, 1]
    assert shapely.equals(
        shapely.from_geojson(json.dumps(features[0]["geometry"])), shapely.MultiPolygon([hole])
    )


@pytest.mark.parametrize("epsg", [27700, 28992, 2056, 4807, 2225])
def test_other_datums_and_units_are_refused(tmp_path, epsg):
    _, files = written(tmp_path, ("ESRI Shapefile", "shp"), FIELD, f"EPSG:{epsg}")
    with pytest.raises(AreaFileError, match="doesn't know its coordinates"):
        read_features(zipped(files))


@pytest.mark.parametrize("wkt", ["", "GEOGCS", 'GEOGCS["a",SPHEROID["b",c,d]]', "[" * 10_000])
def test_text_that_is_no_projection_is_refused(wkt):
    with pytest.raises(AreaFileError, match="doesn't know its coordinates"):
        projection_from_wkt(wkt)


@pytest.mark.parametrize("at", [4, 28, 60, 99, 120, 150, -40, -3])
def test_a_shapefile_that_is_cut_short_is_damaged(tmp_path, at):
    data, files = written(tmp_path, ("ESRI Shapefile", "shp"), FIELD)
    path = next(each for each in files if each.suffix == ".shp")
    path.write_bytes(data[:at])
    with pytest.raises(AreaFileError, match="damaged"):
        read_features(zipped(files))


def test_a_shapefile_that_claims_too_much_is_damaged(tmp_path):
    data, files = written(tmp_path, ("ESRI Shapefile", "shp"), FIELD)
    path = next(each for each in files if each.suffix == ".shp")
    chance = np.random.default_rng(5)
    for _ in range(300):
        broken = bytearray(data)
        for place in chance.integers(HEADER_BYTES, len(data), 3):
            broken[place] = chance.integers(256)
        path.write_bytes(broken)
        try:
            area_from(read_features(zipped(files)).found)
        except AreaFileError:
            continue
    struct.pack_into("<i", (lying := bytearray(data)), HEADER_BYTES + 8 + 40, 2**30)
    path.write_bytes(lying)
    with pytest.raises(AreaFileError, match="damaged"):
        read_features(zipped(files))


def test_lines_and_several_shapefiles_are_said(tmp_path):
    (tmp_path / "one").mkdir()
    line = shapely.LineString(FIELD.exterior.coords)
    _, files = written(tmp_path / "one", ("ESRI Shapefile", "shp"), line, kind="LineString")
    with pytest.raises(AreaFileError, match="neither polygons nor points"):
        read_features(zipped(files))
    (tmp_path / "two").mkdir()
    written(tmp_path / "two", ("ESRI Shapefile", "shp"), FIELD, layer="a")
    _, files = written(tmp_path / "two", ("ESRI Shapefile", "shp"), FIELD, layer="b")
    with pytest.raises(AreaFileError, match="2 Shapefiles"):
        read_features(zipped(files))


BOMB = b"""<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<kml><Placemark><name>&b;</name></Placemark></kml>"""
OUTSIDE = b"""<!DOCTYPE kml SYSTEM "https://example.org/kml.dtd"><kml/>"""
LINK = b"<kml><NetworkLink><Link><href>https://example.org/a.kml</href></Link></NetworkLink></kml>"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (BOMB, "document type"),
        (OUTSIDE, "document type"),
        (LINK, "only links to other files, which are not fetched"),
        (b"<kml><Placemark>", "damaged in line 1"),
        (b"<kml><Point><coordinates>8,x 9,47</coordinates></Point></kml>", "damaged"),
        (b"<gpx><wpt lat='47'/></gpx>", "damaged"),
        (b"<kml encoding='x'>" + b"<a>" * 200, "too deep"),
        (b"<?xml version='1.0' encoding='klingon'?><kml/>", "damaged"),
        (b"<html><kml/></html>", "neither KML nor GPX"),
        (b"PK\x03\x04 and then nothing", "neither a Shapefile nor KML, or is damaged"),
        (b'{"type": "Poly', "damaged"),
        (b"", "damaged"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_explained(data, said):
    with pytest.raises(AreaFileError, match=said):
        read_features(data)


@pytest.mark.parametrize("data", [b"", b"PK", b"<svg/>", b"\x89PNG", b"<?xml?><rss>", b"lat,lng"])
def test_other_files_hold_no_features(data):
    assert not holds_features(data)


def test_links_beside_places_are_left_alone():
    data = b"<kml><Document>" + LINK[5:-6] + (
        b"<Placemark><ExtendedData><Data name='plot'><value>7</value></Data></ExtendedData>"
        b"<Point><coordinates>8,47,400</coordinates></Point></Placemark></Document></kml>"
    )  # fmt: skip
    (feature,) = from_markup(data)["features"]
    assert feature["properties"] == {"plot": "7"}
    assert feature["geometry"] == {"type": "Point", "coordinates": [8.0, 47.0]}


def test_a_zip_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr("pyapp.core.ground.vector.MOST_MB", 1)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", b"<kml>" + b" " * (3 << 20))
    with pytest.raises(AreaFileError, match="larger than 1 MB"):
        read_features(out.getvalue())
    with pytest.raises(AreaFileError, match="larger than 1 MB"):
        read_features(b"<kml>" + b" " * (2 << 20))


def test_a_long_track_keeps_its_shape_with_fewer_corners():
    turn = np.linspace(0, 2 * np.pi, 5000)
    wobble = 300 + 20 * np.sin(9 * turn) + np.random.default_rng(3).normal(0, 0.3, 5000)
    metre = np.degrees(1 / EARTH_RADIUS_M)
    lng, lat = 8 + wobble * np.cos(turn) * metre, wobble * np.sin(turn) * metre
    points = "".join(f'<trkpt lat="{y:.8f}" lon="{x:.8f}"/>' for x, y in zip(lng, lat, strict=True))
    area = area_of(f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>".encode())
    assert 20 < len(area.exterior.coords) <= FEW_CORNERS + 1
    walked = shapely.Polygon(np.stack([lng, lat], 1)).buffer(0)
    assert shapely.symmetric_difference(area.buffer(0), walked).area < 0.01 * walked.area

"""Areas as people have them: other formats and coordinates, many corners, and what is none."""

import json
import math
import zipfile

import numpy as np
import pyogrio
import pytest
import shapely
from rasterio.warp import transform

from pyapp.core.errors import AreaFileError, CrossedAreaError
from pyapp.core.ground.area import Area
from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.grid import plan
from pyapp.native.areas import read_area
from pyapp.native.errors import LayerError, NoGeoError, NoSuchFileError

FIELD = shapely.box(8.50, 47.00, 8.52, 47.02) - shapely.box(8.505, 47.005, 8.51, 47.01)
MEADOW = shapely.box(8.53, 47.00, 8.54, 47.01)
DRIVERS = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".shp": "ESRI Shapefile", ".gml": "GML",
           ".geojson": "GeoJSON"}  # fmt: skip


def saved(path, shapes, epsg=4326, layer=None):
    """A file of polygons in a coordinate system."""

    def project(points):
        return np.stack(transform("EPSG:4326", f"EPSG:{epsg}", *points.T), 1)

    pyogrio.raw.write(
        path, shapely.to_wkb(shapely.transform(np.array(shapes), project)), [], [],
        geometry_type="Polygon", crs=f"EPSG:{epsg}", driver=DRIVERS[path.suffix],
        layer=layer, append=path.exists(),
    )  # fmt: skip
    return path


def shape_of(area):
    return shapely.unary_union([shapely.Polygon(one, holes) for one, *holes in area.polygons])


@pytest.mark.parametrize("epsg", [4326, 25832, 3857, 2056, 27700, 2154])
@pytest.mark.parametrize("ending", [".gpkg", ".fgb", ".shp", ".gml", ".geojson"])
def test_an_area_of_any_format_and_coordinate_system_is_the_same_ground(tmp_path, ending, epsg):
    """Swiss and British coordinates have a datum of their own: PROJ knows it to a metre or so."""
    area = read_area(saved(tmp_path / f"area{ending}", [FIELD, MEADOW], epsg))
    off = shapely.hausdorff_distance(shape_of(area), shapely.union_all([FIELD, MEADOW]))
    assert off < (5e-5 if epsg == 27700 else 1e-6)
    assert len(area.holes) + sum(len(each) - 1 for each in area.others) == 1


def test_a_layer_is_named_if_there_are_several(tmp_path):
    file = saved(tmp_path / "area.gpkg", [FIELD], layer="fields")
    saved(file, [MEADOW], layer="meadows")
    with pytest.raises(LayerError, match="with --layer: fields, meadows"):
        read_area(file)
    assert shapely.equals(shape_of(read_area(file, "meadows")), MEADOW)
    with pytest.raises(LayerError, match="fields, meadows"):
        read_area(file, "woods")


def test_a_shapefile_in_a_zip_of_unknown_coordinates_is_read_by_gdal(tmp_path):
    shp = saved(tmp_path / "area.shp", [MEADOW], 2056)
    with zipfile.ZipFile(tmp_path / "area.zip", "w") as archive:
        for each in shp.parent.glob("area.*"):
            if each.suffix != ".zip":
                archive.write(each, each.name)
    off = shapely.hausdorff_distance(shape_of(read_area(tmp_path / "area.zip")), MEADOW)
    assert off < 1e-6


def test_without_gdal_it_says_how_to_get_it(tmp_path, request):
    gpkg = saved(tmp_path / "area.gpkg", [FIELD])
    swiss = saved(tmp_path / "swiss.geojson", [FIELD], 2056)
    utm = saved(tmp_path / "utm.shp", [FIELD], 25832)
    request.getfixturevalue("without_gdal")
    with pytest.raises(NoGeoError, match=r"area.gpkg is read by GDAL.*lookdown\[geo\]"):
        read_area(gpkg)
    with pytest.raises(NoGeoError, match=r"coordinate system \(.*2056.*lookdown\[geo\]"):
        read_area(swiss)
    assert shapely.hausdorff_distance(shape_of(read_area(utm)), FIELD) < 1e-6


def circle(corners):
    """A coast: a circle with bays of every size."""
    turns = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    far = 1 + sum(0.25 * 2.0 ** (-0.9 * k) * np.cos(2**k * turns + k) for k in range(1, 18))
    return np.stack([8.5 + 0.05 * far * np.cos(turns), 47 + 0.05 * far * np.sin(turns)], 1)


def test_a_million_corners_are_taken_as_they_are(tmp_path):
    corners = circle(1_000_000)
    file = tmp_path / "coast.geojson"
    file.write_text(json.dumps({"type": "Polygon", "coordinates": [corners.tolist()]}))
    area = read_area(file)
    assert len(area.corners) == 1_000_000
    grid = plan(area, 80.0, 1.0)
    shape = shapely.Polygon(corners)
    places = np.array([grid.centre(number) for number in range(len(grid))])
    clear = ~shapely.dwithin(shape.boundary, shapely.points(places[::50]), 1e-9)
    shapely.prepare(shape)
    assert shapely.contains_xy(shape, *places[::50].T)[clear].all()
    # One corner of the western coast is far in the east.
    moved = list(area.corners)
    moved[500_000] = LngLat(moved[500_000].lng + 0.2, moved[500_000].lat)
    with pytest.raises(CrossedAreaError):
        plan(Area(tuple(moved)), 80.0, 1.0)


BAD = {
    "empty.geojson": (b"", "it is empty"),
    "blank.kml": (b" \n", "it is empty"),
    "nothing.geojson": (b'{"type": "FeatureCollection", "features": []}', "no polygon"),
    "picture.gpkg": (b"\x89PNG\r\n\x1a\n", "GDAL can't read it"),
    "cut.gpkg": (b"SQLite format 3\0", "GDAL can't read it"),
    "text.txt": (b"somewhere in the north", "GDAL can't read it"),
    "cut.shp": (b"\0\0\x27\x0a", "damaged"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_area_is_told(tmp_path, name):
    data, said = BAD[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(AreaFileError, match=said):
        read_area(tmp_path / name)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_layers_without_shapes_or_without_coordinates_are_told(tmp_path):
    with pytest.raises(NoSuchFileError):
        read_area(tmp_path / "nowhere.gpkg")
    points = tmp_path / "points.gpkg"
    pyogrio.raw.write(points, shapely.to_wkb(np.array([shapely.Point(8, 47)])), [], [],
                      geometry_type="Point", crs="EPSG:4326", driver="GPKG")  # fmt: skip
    with pytest.raises(AreaFileError, match="no polygon"):
        read_area(points)
    lost = tmp_path / "lost.fgb"
    far = shapely.box(2_600_000, 1_200_000, 2_600_100, 1_200_100)
    pyogrio.raw.write(lost, shapely.to_wkb(np.array([far])), [], [], geometry_type="Polygon",
                      driver="FlatGeobuf", crs=None)  # fmt: skip
    with pytest.raises(AreaFileError, match="does not say what its coordinates mean"):
        read_area(lost)

"""Plots in tables and GeoJSON: every dialect that turns up, what is wrong, and what is saved."""

import csv
import inspect
import io
import json
import math

import numpy as np
import pyogrio.raw
import pytest
import shapely

from pyapp.core.errors import LookdownError
from pyapp.core.ground.geo import Bounds, LngLat, pixel_at
from pyapp.core.plots import errors
from pyapp.core.plots.errors import ManyPlotsError, PlotError, PlotFileError
from pyapp.core.plots.features import holds_plots, plots_from_features
from pyapp.core.plots.files import ADDED, to_csv, to_geojson
from pyapp.core.plots.outlines import geometry_from_wkt, middle_of
from pyapp.core.plots.places import Places
from pyapp.core.plots.plots import MOST_PLOTS, Plots
from pyapp.core.plots.run import NO_PLACE, PlotRun
from pyapp.core.plots.table import plots_from_csv
from pyapp.core.state import CellState
from pyapp.core.survey.batch import Batch
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from tests.work.fakes import card, source

TABLE = "name,lat,lon\nOak,47.5,8.25\nElm,46.25,7.5\n"


def places(plots):
    return [(round(lng, 6), round(lat, 6)) for lng, lat in zip(plots.lng, plots.lat, strict=True)]


@pytest.mark.parametrize(
    "data",
    [
        TABLE.encode(),
        TABLE.replace("\n", "\r\n").encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        TABLE.encode("utf-16-be"),
        TABLE.replace(",", "\t").encode(),
        TABLE.replace(",", ";").replace(".", ",").encode(),
        b'name,lat,lon\n"Oak","47,5","8,25"\n\n"Elm","46,25","7,5"\n',
        b"name,Latitude (deg),LONGITUDE [deg]\nOak,47.5,8.25\nElm,46.25,7.5",
        b"name,x,y\nOak,8.25,47.5\nElm,7.5,46.25\n",
        b"name;y;x\nOak;47,5;8,25\nElm;46,25;7,5\n",
        b"x,name,lng,lat\n9999999,Oak,8.25,47.5\n9999999,Elm,7.5,46.25\n",
        b"name;geom\nOak;POINT (8.25 47.5)\nElm;SRID=4326;point z(7.5 46.25 400)\n",
        b'name,WKT\nOak,"POLYGON ((8 47,8.5 47,8.5 48,8 48,8 47))"\nElm,POINT(7.5 46.25)\n',
        b"name|decimalLatitude|decimalLongitude\nOak|47.5|8.25\nElm|46.25|7.5\n",
    ],
)
def test_every_dialect_gives_the_same_plots(data):
    if b"SRID=4326;point" in data:
        data = data.replace(b"SRID=4326;point", b'"SRID=4326;point').replace(b"400)", b'400)"')
    plots = plots_from_csv(data, "trees.csv")
    assert places(plots) == [(8.25, 47.5), (7.5, 46.25)]
    at = plots.columns.index("name")
    assert [row[at] for row in plots.rows] == ["Oak", "Elm"]


def test_text_in_latin_1_is_read_as_it_was_meant():
    plots = plots_from_csv("Straße,lat,lon\nMühle,47,8\n".encode("latin-1"), "a.csv")
    assert plots.columns[0] == "Straße" and plots.rows[0][0] == "Mühle"


def test_rows_without_coordinates_stay_and_have_no_place():
    plots = plots_from_csv(b"name,lat,lon\na,47,8\nb,,\nc,x,8\nd,47,8,more\ne,89,8\n", "a.csv")
    assert len(plots) == 5 and plots.placed.tolist() == [0, 3]
    assert {len(each) for each in plots.rows} == {len(plots.columns)} == {4}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "names no columns"),
        (b"47.5,8.25\n47.6,8.26\n", "names no columns"),
        (b"lat,lon\n", "no rows"),
        (b"lat,lon\nx,y\n", "no row has coordinates"),
        (b"x,y\n2600000,1200000\n", "not degrees"),
        (b'lat,lon\n"47,8\n' + b"a" * (5 << 20), "damaged"),
        ((",".join(f"c{each}" for each in range(600)) + ",lat,lon\n" + "," * 600 + "47,8").encode(),
         "602 columns"),
        (b"\x00\xff" * 50, "names no columns"),
    ],
)  # fmt: skip
def test_a_table_that_is_wrong_is_explained(data, said):
    with pytest.raises(PlotFileError, match=said):
        plots_from_csv(data, "a.csv")


def test_a_million_rows_are_counted_and_refused():
    data = b"lat,lon\n" + b"47.5,8.25\n" * 1_000_000
    with pytest.raises(ManyPlotsError, match=f"1,000,001.*room for {MOST_PLOTS:,}"):
        plots_from_csv(data, "a.csv")


def test_swapped_coordinates_are_noticed_and_exchanged():
    far = plots_from_csv(b"lat,lon\n147.5,-8.25\n146,-7\n", "a.csv")
    assert far.seem_swapped(source())
    assert places(far.exchanged()) == [(147.5, -8.25), (146.0, -7.0)]
    swiss = plots_from_csv(b"lat,lon\n8.25,47.5\n7,46\n", "a.csv")
    survey = source(bounds=(Bounds(5.9, 45.8, 10.5, 47.8),))
    assert swiss.seem_swapped(survey) and not swiss.exchanged().seem_swapped(survey)
    assert not swiss.seem_swapped(source()), "without any bounds, who knows"
    outline = plots_from_csv(b'wkt\n"POLYGON((47 8,48 8,48 9,47 8))"\n', "a.csv").exchanged()
    assert outline.geometries[0]["coordinates"][0][0] == [8.0, 47.0]


def test_middles_lie_inside_of_polygons_of_any_shape():
    chance = np.random.default_rng(1)
    for _ in range(60):
        turn = np.sort(chance.uniform(0, 2 * np.pi, 12))
        reach = chance.uniform(0.05, 1, 12)
        shape = shapely.Polygon(np.stack([8 + reach * np.cos(turn), 47 + reach * np.sin(turn)], 1))
        if not shape.is_valid or shape.area < 1e-3:
            continue
        shape = shape.difference(shape.centroid.buffer(0.02))
        geometry = json.loads(shapely.to_geojson(shape))
        assert shape.contains(shapely.Point(middle_of(geometry)))
        again = middle_of(geometry_from_wkt(shapely.to_wkt(shape, rounding_precision=12)))
        assert np.allclose(again, middle_of(geometry))


@pytest.mark.parametrize(
    "text",
    ["", "POINT EMPTY", "LINESTRING (8 47, 9 48)", "POINT (8)", "POINT (a b)", "POINT (8 47",
     "POINT", "SRID=2056;POINT (8 47)", "POLYGON (8 47, 9 48)", "POLYGON ((8 47, 9 48))",
     "POINT (nan 4)",
     "POINT (" + "(" * 5000 + ")" * 5000 + ")", "POINT (__import__ os)"],
)  # fmt: skip
def test_other_text_is_no_geometry(text):
    assert geometry_from_wkt(text) is None


def feature(geometry, number=None, **properties):
    made = {"type": "Feature", "properties": properties, "geometry": geometry}
    return made if number is None else made | {"id": number}


OAK = {"type": "Point", "coordinates": [8.25, 47.5, 400]}
FIELD = {"type": "Polygon", "coordinates": [[[8, 47], [8.5, 47], [8.5, 48], [8, 48], [8, 47]]]}


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


def test_geojson_that_gdal_writes_gives_plots(tmp_path):
    path = tmp_path / "a.geojson"
    pyogrio.raw.write(
        path, shapely.to_wkb(np.array([shapely.Point(8.25, 47.5), shapely.Point(7.5, 46.25)])),
        [np.array(["Oak", "Elm"], object), np.array([1.5, 2.0])], ["name", "height"],
        driver="GeoJSON", geometry_type="Point", crs="EPSG:4326",
    )  # fmt: skip
    found = json.loads(path.read_text())
    assert holds_plots(found)
    plots = plots_from_features(found, "a.geojson")
    assert places(plots) == [(8.25, 47.5), (7.5, 46.25)]
    assert plots.columns == ("name", "height") and plots.rows[0] == ("Oak", 1.5)


@pytest.mark.parametrize(
    ("found", "plots"),
    [
        (FIELD, False), (collection(feature(FIELD)), False), (OAK, True),
        (collection(feature(FIELD), feature(OAK)), False),
        (collection(feature(FIELD), feature(FIELD)), True),
        ({"type": "MultiPoint", "coordinates": [[8, 47], [9, 47]]}, True),
        ({"type": "LineString", "coordinates": [[8, 47], [9, 47]]}, False),
        (collection(), False), ({"type": "Feature"}, False), (collection(7), False),
    ],
)  # fmt: skip
def test_one_polygon_is_an_area_and_points_or_several_are_plots(found, plots):
    assert holds_plots(found) == plots


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (collection(), "no rows"),
        (collection(feature(None), feature(None)), "no row has coordinates"),
        (collection(feature({"type": "Point", "coordinates": [2600000, 1200000]})), "not degrees"),
        (collection(feature({"type": "Point", "coordinates": ["a", None]})), "no row has"),
        (collection(7), "damaged"),
        ({"type": "FeatureCollection"}, "damaged"),
    ],
)
def test_geojson_without_plots_is_explained(found, said):
    with pytest.raises(PlotFileError, match=said):
        plots_from_features(found, "a")


def run_of(plots, classified=None, **imagery):
    """Plots of which some are classified."""
    run = PlotRun("p1", "2026-11-25T12:00:00", plots, 78.0288, ModelFacts.of(card()),
                  ImageryFacts.of(source(**imagery)))  # fmt: skip
    cells = range(len(run.grid)) if classified is None else classified
    chances = np.random.default_rng(2).dirichlet([0.2] * 4, len(cells)).astype(np.float16)
    run.add(
        Batch(
            numbers=np.array(cells, np.int32),
            state=np.full(len(cells), CellState.CLASSIFIED, np.uint8),
            zoom=np.full(len(cells), 18, np.uint8),
            probability=chances,
            embedding=np.zeros((len(cells), 0), np.float16),
            familiarity=np.zeros(len(cells), np.float32),
            digest=np.zeros((len(cells), 32), np.uint8),
        )
    )
    return run


def test_a_saved_table_keeps_what_came_and_adds_no_formula():
    rows = ['=HYPERLINK("http://x")', "+1+1", "-7,5", "@SUM(A1)", "\t=1", "oak", " =2"]
    text = "name;label;lat;lon\n" + "".join(f'"{each.replace(chr(34), chr(34) * 2)}";x;47,5;8,{k}\n'
                                            for k, each in enumerate(rows))  # fmt: skip
    run = run_of(plots_from_csv(text.encode("utf-8-sig"), "a.csv"), classified=range(5))
    data = to_csv(run)
    assert data.startswith(b"\xef\xbb\xbf")
    saved = list(csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=";"))
    assert saved[0][:4] == ["name", "label", "lat", "lon"]
    assert saved[0][4:] == ["lookdown_label", *ADDED[1:]]
    for row, given in zip(saved[1:], rows, strict=True):
        assert row[0] == (given if given in ("-7,5", "oak") else f"'{given}")
    assert all(each[:1] not in "=+@" or not each for row in saved for each in row)
    done = [row for row in saved[1:] if row[9] == "classified"]
    assert len(done) == 5 and all(0 < float(row[7].replace(",", ".")) <= 1 for row in done)
    assert [row[9] for row in saved[1:]].count("waiting") == 2


def test_a_saved_table_can_be_opened_again():
    run = run_of(plots_from_csv(TABLE.encode(), "a.csv"))
    again = plots_from_csv(to_csv(run), "a.csv")
    assert places(again) == places(run.plots)
    assert again.columns[:3] == run.plots.columns


def test_saved_geojson_keeps_outlines_properties_and_ids():
    found = collection(
        feature(FIELD, 7, name="=a", nested={"deep": [1]}), feature(OAK, "b"), feature(None, 9)
    )
    run = run_of(plots_from_features(found, "a"), date="2024-06")
    saved = json.loads(to_geojson(run))["features"]
    assert [each["id"] for each in saved] == [7, "b", 9]
    assert [each["geometry"] for each in saved] == [FIELD, OAK, None]
    one = saved[0]["properties"]
    assert one["name"] == "=a" and one["nested"] == {"deep": [1]}
    assert one["date"] == "2024-06" and one["source"] == "Valley, Nepal" and one["zoom"] == 18
    assert saved[2]["properties"]["state"] == NO_PLACE
    table = list(csv.DictReader(io.StringIO(to_csv(run).decode())))
    assert table[0]["nested"] == '{"deep": [1]}' and table[0]["name"] == "'=a"
    assert (float(table[0]["lng"]), float(table[0]["lat"])) == (8.25, 47.5)
    read = shapely.from_geojson(to_geojson(run_of(plots_from_csv(TABLE.encode(), "a.csv"))))
    assert [(each.x, each.y) for each in read.geoms] == [(8.25, 47.5), (7.5, 46.25)]


def test_answers_are_those_of_the_model_and_say_when_there_is_none():
    run = run_of(plots_from_csv(TABLE.encode() + b"Ash,,\n", "a.csv"))
    run.state[run.cell_of[1]] = CellState.MISSING
    run.version += 1
    said = [run.answer(each) for each in range(3)]
    assert [each.state for each in said] == ["classified", "no imagery", NO_PLACE]
    chances = run.probability[run.cell_of[0]]
    assert math.isclose(said[0].probability, chances.max())
    assert said[0].label == (said[0].best if chances.max() >= 0.6 else "")
    assert run.look_again() == 1 and len(run.waiting) == 1


def test_stored_plots_are_the_same_again():
    for plots in (
        plots_from_csv(TABLE.encode() + b"Ash,,\n", "a.csv").exchanged(),
        plots_from_features(collection(feature(FIELD, 1, a=None), feature(OAK, 2)), "a"),
    ):
        again = Plots.from_json(plots.to_json())
        assert again.to_json() == plots.to_json()
        run = run_of(plots)
        assert PlotRun.from_json(run.to_json(), plots).to_json() == run.to_json()
    for broken in ("{}", "[]", plots.to_json().replace('"rows": [[', '"rows": [[3, ')):
        with pytest.raises((ValueError, KeyError, TypeError, PlotError)):
            Plots.from_json(broken)


def test_neighbours_follow_each_other():
    chance = np.random.default_rng(4)
    rows = "".join(f"{47 + y},{8 + x}\n" for x, y in chance.uniform(0, 0.1, (400, 2)))
    grid = Places.of(plots_from_csv(f"lat,lon\n{rows}".encode(), "a.csv"), 78.0)
    assert sorted(grid.rows.tolist()) == list(range(400))
    x, y = grid.middles
    ordered = np.hypot(np.diff(x), np.diff(y)).sum()
    shuffled = chance.permutation(400)
    assert ordered < 0.15 * np.hypot(np.diff(x[shuffled]), np.diff(y[shuffled])).sum()
    assert np.allclose([x[0], y[0]], pixel_at(LngLat(grid.lng[0], grid.latitudes[0]), 0))
    # A grid of places in this order never jumps: Hilbert's curve itself.
    side = 16
    cells = [(each % side, each // side) for each in range(side * side)]
    lng = [360 * (column + 0.5) / side - 180 for column, _ in cells]
    lat = [math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * (row + 0.5) / side))))
           for _, row in cells]  # fmt: skip
    rows = "".join(f"{one},{other}\n" for one, other in zip(lat, lng, strict=True))
    grid = Places.of(plots_from_csv(f"lat,lon\n{rows}".encode(), "a.csv"), 78.0)
    steps = np.hypot(*(np.diff(each) for each in grid.middles)) / (256 / side)
    assert np.allclose(steps, 1)


def test_messages_say_what_happened_and_what_to_do():
    facts = {"reason": "it is broken", "count": 30_000, "most": 20_000}
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if (
            issubclass(kind, LookdownError)
            and "__init__" in vars(kind)
            and kind.__module__ == errors.__name__
        ):
            names = inspect.signature(kind).parameters
            text = str(kind(*(facts[name] for name in names)))
            assert text[0].isupper() and text.endswith(".") and ". " in text
            assert all(
                f"{facts[name]:,}" in text if name != "reason" else facts[name] in text
                for name in names
            )

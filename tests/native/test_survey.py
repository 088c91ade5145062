"""Surveys by the command: real tiles from a real server, the shipped model, and every bad end."""

import json
import random
import signal
import subprocess
import time

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.warp import transform

from pyapp.core.survey.geojson import from_geojson
from pyapp.native import errors
from tests.native.conftest import EAST, NORTH, ROOT, SOUTH, WEST, area_file, command, features
from tests.native.conftest import lookdown as run_command

ZOOM = 18


@pytest.fixture
def lookdown(tile_server):
    """The command on the tile server."""

    def run(*arguments, imagery=True):
        named = ("--imagery", tile_server.template, "--finest-zoom", ZOOM) if imagery else ()
        return run_command(*arguments, *named)

    return run


@pytest.fixture(scope="module")
def whole(tiles, tmp_path_factory):
    """An unbroken survey of the area."""
    folder = tmp_path_factory.mktemp("whole")
    area = area_file(folder / "area.geojson", WEST, SOUTH, EAST, NORTH)
    out = folder / "whole.geojson"
    done = run_command(
        "survey", area, "--out", out, "--imagery", tiles.template, "--finest-zoom", ZOOM
    )
    assert done.returncode == errors.DONE, done.stderr
    return out


def test_a_survey_is_written_and_said(lookdown, tile_server, area, tmp_path):
    out = tmp_path / "town.geojson"
    done = lookdown("survey", area, "--out", out)
    assert done.returncode == errors.DONE, done.stderr
    assert "built-up" in done.stdout and "counts of answers" in done.stdout
    survey = from_geojson(out.read_text())
    assert len(survey.grid) == survey.count(1) == 42
    assert len(tile_server.asked) == len(set(tile_server.asked)), "a tile was read twice"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["area.geojson", "town.geojson"]


@pytest.mark.parametrize("ending", ["csv", "parquet", "tif", "zip"])
def test_other_files_are_written(lookdown, area, tmp_path, ending):
    out = tmp_path / f"town.{ending}"
    assert lookdown("survey", area, "--out", out).returncode == errors.DONE
    if ending == "tif":
        with rasterio.open(out) as raster:
            assert raster.crs.to_epsg() == 3857 and (raster.read(1) < 255).any()
            assert "Imagery: " in raster.descriptions[0]
        assert out.with_suffix(".qml").exists()
    assert out.stat().st_size > 500


def test_a_saved_survey_becomes_a_report(whole, tile_server, tmp_path):
    out = tmp_path / "town-report.html"
    done = run_command("report", whole, "--out", out)
    assert done.returncode == errors.DONE, done.stderr
    text = out.read_text()
    assert "Nobody has checked these answers" in text and text.count("data:image/jpeg") == 13
    assert run_command("report", whole, "--out", out).returncode == errors.NO_OUTPUT
    facts = tmp_path / "town.json"
    assert run_command("report", whole, "--out", facts).returncode == errors.DONE
    digest = json.loads(facts.read_text())["evidence_sha256"]
    assert digest in text
    wrong = run_command("report", whole, "--out", tmp_path / "town.pdf")
    assert wrong.returncode == errors.NO_OUTPUT and ".html" in wrong.stderr
    damaged = tmp_path / "damaged.geojson"
    damaged.write_text("{}")
    assert run_command("report", damaged, "--out", facts, "--overwrite").returncode == (
        errors.WRONG_INPUT
    )
    # Imagery that only the person had: the report has no pictures, and says so.
    survey = json.loads(whole.read_text())
    survey["lookdown"]["survey"]["imagery"]["url"] = "file-1/{z}/{x}/{y}"
    damaged.write_text(json.dumps(survey))
    assert run_command("report", damaged, "--out", out, "--overwrite").returncode == errors.DONE
    assert "not at hand" in out.read_text() and "data:image/jpeg" not in out.read_text()


def test_a_dry_run_reads_no_tile(lookdown, tile_server, area, tmp_path):
    done = lookdown("survey", area, "--out", tmp_path / "town.geojson", "--dry-run")
    assert done.returncode == errors.DONE
    assert "42 squares of 80 m" in done.stdout and "tiles of 127.0.0.1" in done.stdout
    assert tile_server.asked == [] and not (tmp_path / "town.geojson").exists()


def test_killed_at_random_it_ends_as_an_unbroken_one(lookdown, tile_server, area, tmp_path, whole):
    """SIGKILL: nothing can be done about that, but to have kept what came out."""
    out = tmp_path / "town.geojson"
    chance = random.Random(7)
    named = ("--imagery", tile_server.template, "--finest-zoom", ZOOM)
    begun = ["--rate", "25", "survey", area, "--out", out, *named, "--quiet"]
    for kill in range(4):
        tile_server.asked.clear()
        resume = ["--resume"] if (tmp_path / "town.geojson.part").exists() else []
        with subprocess.Popen(command(*begun, *resume), cwd=ROOT) as running:
            while running.poll() is None and len(tile_server.asked) < 8 + 4 * kill:
                time.sleep(0.02)
            time.sleep(chance.random())
            running.kill()
    assert lookdown("survey", area, "--out", out, "--resume").returncode == errors.DONE
    assert features(out) == features(whole)
    assert not (tmp_path / "town.geojson.part").exists()


def test_ctrl_c_pauses_and_it_goes_on(lookdown, tile_server, area, tmp_path, whole):
    out = tmp_path / "town.geojson"
    named = ("--imagery", tile_server.template, "--finest-zoom", ZOOM)
    slowly = command("--rate", "15", "survey", area, "--out", out, *named)
    with subprocess.Popen(slowly, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
        while running.poll() is None and len(tile_server.asked) < 20:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
    assert running.returncode == errors.PAUSED and "go on with --resume" in said
    assert not out.exists()
    again = lookdown("survey", area, "--out", out)
    assert again.returncode == errors.NO_OUTPUT and "was begun" in again.stderr
    other = area_file(tmp_path / "other.geojson", WEST, SOUTH, EAST, NORTH + 0.001)
    differs = lookdown("survey", other, "--out", out, "--resume")
    assert differs.returncode == errors.NO_OUTPUT and "another area" in differs.stderr
    assert lookdown("survey", area, "--out", out, "--resume").returncode == errors.DONE
    assert features(out) == features(whole)


def test_an_output_that_exists_is_kept(lookdown, area, tmp_path):
    out = tmp_path / "town.geojson"
    out.write_text("precious")
    done = lookdown("survey", area, "--out", out)
    assert done.returncode == errors.NO_OUTPUT and "exists" in done.stderr
    assert out.read_text() == "precious"
    complete = lookdown("survey", area, "--out", out, "--resume")
    assert complete.returncode == errors.DONE and "nothing to go on with" in complete.stdout
    assert lookdown("survey", area, "--out", out, "--overwrite").returncode == errors.DONE
    assert len(features(out)) == 42


def test_a_place_without_imagery_is_said(lookdown, tile_server, area, tmp_path):
    tile_server.mood = "missing"
    done = lookdown("survey", area, "--out", tmp_path / "town.geojson")
    assert done.returncode == errors.DONE and "42 squares  no imagery" in done.stdout


def test_a_server_that_refuses_leaves_squares_to_look_at_again(
    lookdown, tile_server, area, tmp_path, whole
):
    tile_server.mood = "refusing"
    out = tmp_path / "town.geojson"
    done = lookdown("survey", area, "--out", out)
    assert done.returncode == errors.NO_IMAGERY
    assert "The imagery of 42 squares failed" in done.stderr
    tile_server.mood = "well"
    assert lookdown("survey", area, "--out", out, "--resume").returncode == errors.DONE
    assert features(out) == features(whole)


def test_a_server_that_sends_a_page_gives_no_answers(lookdown, tile_server, area, tmp_path):
    tile_server.mood = "html"
    done = lookdown("survey", area, "--out", tmp_path / "town.geojson")
    assert done.returncode == errors.NO_IMAGERY and "failed" in done.stderr


def polygon(*rings):
    return json.dumps({"type": "Polygon", "coordinates": rings})


SQUARE = [[0, 0], [5, 0], [5, 5], [0, 5]]
BAD = {
    "damaged": ("{", "damaged"),
    "no polygon": ('{"type": "Point", "coordinates": [85.5, 27.6]}', "no polygon"),
    "crossed": (polygon([[0, 0], [0.1, 0.1], [0.1, 0], [0, 0.08]]), "crosses itself"),
    "around a pole": (polygon([[170, 80], [-70, 80], [50, 80]]), "around a pole"),
    "empty": ("", "it is empty"),
    "too large": (polygon(SQUARE), "20,000"),
    "too small": (polygon([[0, 0], [1e-5, 0], [1e-5, 1e-5], [0, 1e-5]]), "smaller"),
}


@pytest.mark.parametrize("kind", BAD)
def test_an_area_that_can_not_be_surveyed_is_told(lookdown, tmp_path, kind):
    text, said = BAD[kind]
    (tmp_path / "bad.geojson").write_text(text)
    done = lookdown("survey", tmp_path / "bad.geojson", "--out", tmp_path / "town.geojson")
    assert done.returncode == errors.WRONG_INPUT
    assert said in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_two_polygons_and_a_hole_are_surveyed_and_gone_on_with(lookdown, tile_server, tmp_path):
    """As one feature each, in UTM: what a GIS exports. The rest of the area is not looked at."""
    middle, half = (WEST + EAST) / 2, (SOUTH + NORTH) / 2
    west = shapely.box(WEST, SOUTH, middle - 0.0005, NORTH)
    west -= shapely.box(WEST + 0.0008, SOUTH + 0.0012, WEST + 0.0018, SOUTH + 0.0026)
    shapes = [west, shapely.box(middle + 0.0005, half, EAST, NORTH)]
    utm = [shapely.transform(each, lambda points: np.stack(
        transform("EPSG:4326", "EPSG:32645", *points.T), 1)) for each in shapes]  # fmt: skip
    area, out = tmp_path / "area.geojson", tmp_path / "town.geojson"
    area.write_text(json.dumps({
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32645"}},
        "features": [{"type": "Feature", "properties": {},
                      "geometry": shapely.geometry.mapping(each)} for each in utm],
    }))  # fmt: skip
    tile_server.mood = "refusing"
    assert lookdown("survey", area, "--out", out).returncode == errors.NO_IMAGERY
    tile_server.mood = "well"
    assert lookdown("survey", area, "--out", out, "--resume").returncode == errors.DONE
    survey = from_geojson(out.read_text())
    assert len(survey.area.holes) == 1 and len(survey.area.others) == 1
    union = shapely.union_all(shapes)
    places = [survey.grid.centre(number) for number in range(len(survey.grid))]
    assert 10 < len(places) < 42
    assert all(shapely.dwithin(union, shapely.Point(*each), 1e-6) for each in places)


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        (("--imagery", "esri"), errors.FORBIDDEN, "do not allow analysing it in bulk"),
        (("--imagery", "nowhere"), errors.WRONG_INPUT, "no imagery named nowhere"),
        (("--imagery", "ftp://example.org/{z}/{x}/{y}"), errors.WRONG_INPUT, "https://"),
        (("--imagery", "missing.pmtiles"), errors.WRONG_INPUT, "missing.pmtiles can't be read"),
        (("--model", "nobody"), errors.NO_MODEL, "Use one of world"),
        (("--out", "town.docx"), errors.NO_OUTPUT, ".geojson, .csv"),
        (("--out", "/nowhere/town.csv"), errors.NO_OUTPUT, "can't be written"),
    ],
)
def test_what_is_asked_for_and_is_not_there_is_told(area, tmp_path, more, status, said):
    done = run_command("survey", area, "--out", tmp_path / "town.geojson", *more)
    assert done.returncode == status, done.stderr
    assert said in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_a_site_that_is_none_is_told(area, tmp_path):
    done = run_command("--site", tmp_path, "survey", area, "--out", tmp_path / "town.geojson")
    assert done.returncode == errors.NO_MODEL and "--site" in done.stderr


def test_a_file_of_tiles_is_surveyed_as_its_tiles_are(area, tmp_path, whole, tiles):
    from pyapp.core.ground.geo import Bounds, Tile
    from pyapp.core.imagery.pmtiles import Kind, tile_id
    from pyapp.core.imagery.pmtiles_writer import written

    found = [
        (Tile(int(file.parent.name), int(file.stem), ZOOM), file.read_bytes())
        for file in (tiles.folder / str(ZOOM)).rglob("*.jpg")
    ]
    found.sort(key=lambda each: tile_id(each[0]))
    bounds = Bounds(WEST - 1, SOUTH - 1, EAST + 1, NORTH + 1)
    pack = tmp_path / "town.pmtiles"
    pack.write_bytes(b"".join(written(found, Kind.JPEG, bounds, {"name": "town"})))
    out = tmp_path / "town.geojson"
    done = run_command("survey", area, "--out", out, "--imagery", pack)
    assert done.returncode == errors.DONE, done.stderr
    ours, theirs = ([each["properties"] for each in features(path)] for path in (out, whole))
    for name in ("class", "score", "best", "chip_sha256"):
        assert [each[name] for each in ours] == [each[name] for each in theirs], name


def test_a_replay_finds_what_was_and_what_has_changed(lookdown, tile_server, tmp_path, whole):
    same = run_command("replay", whole)
    assert same.returncode == errors.DONE
    assert same.stdout.split() == ["42", "squares", "same", "chip,", "same", "answer"]
    changed = json.loads(whole.read_text())
    changed["features"][3]["properties"]["chip_sha256"] = "00" * 32
    changed["features"][5]["properties"] |= {"class": "airplane", "class_id": 0, "score": 0.99}
    (tmp_path / "changed.geojson").write_text(json.dumps(changed))
    table = tmp_path / "changed.csv"
    done = run_command("replay", tmp_path / "changed.geojson", "--out", table)
    assert done.returncode == errors.DIFFERENT
    rows = [line.split(",") for line in table.read_text().splitlines()]
    differing = {row[0]: row[1] for row in rows[1:] if not row[1].startswith('"same chip')}
    assert list(differing) == ["3"]
    assert "1 squares  same chip, other answer" in done.stdout
    changed["lookdown"]["survey"]["corrections"] = [[5, 0]]
    del changed["features"][3]
    (tmp_path / "changed.geojson").write_text(json.dumps(changed))
    corrected = run_command("replay", tmp_path / "changed.geojson")
    assert corrected.returncode == errors.DONE
    assert "41 squares  same chip; its answer follows from corrections" in corrected.stdout
    tile_server.mood = "missing"
    gone = run_command("replay", whole)
    assert gone.returncode == errors.DIFFERENT and "42 squares  imagery not there" in gone.stdout


def test_a_replay_of_another_model_says_so(tmp_path, whole):
    changed = json.loads(whole.read_text())
    changed["lookdown"]["survey"]["model"]["sha256"] = "ab" * 32
    (tmp_path / "other.geojson").write_text(json.dumps(changed))
    done = run_command("replay", tmp_path / "other.geojson")
    assert done.returncode == errors.NO_MODEL and "abababababab" in done.stderr
    (tmp_path / "none.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    assert run_command("replay", tmp_path / "none.geojson").returncode == errors.WRONG_INPUT

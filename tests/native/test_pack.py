"""Packs by the command: what the page opens, in parts that outlast whatever ends a run."""

import json
import signal
import subprocess
import time
import zipfile

import pytest

from pyapp.native import errors
from pyapp.native.packed import DiskFile
from pyapp.work.packs import opened
from tests.native.conftest import EAST, NORTH, ROOT, SOUTH, WEST, area_file, command, features
from tests.native.conftest import lookdown as run_command
from tests.native.test_survey import whole  # noqa: F401  (a fixture)
from tests.work.fakes import run

ZOOM = "18"


def named(tile_server):
    return ("--imagery", tile_server.template, "--finest-zoom", ZOOM)


def pack(tile_server, area, out, *more):
    return run_command("pack", area, "--out", out, *named(tile_server), *more)


def manifest_of(path):
    return run(opened(DiskFile(path), lambda _done, _total: None)).manifest


def parts_of(path):
    """Name, size and digest of each part: what is the same for the same pack."""
    return [(each.name, each.size, each.sha256) for each in manifest_of(path).parts]


@pytest.fixture(scope="module")
def packed(tiles, tmp_path_factory):
    """A pack of the area, made without a break."""
    folder = tmp_path_factory.mktemp("packed")
    area = area_file(folder / "area.geojson", WEST, SOUTH, EAST, NORTH)
    out = folder / "town.pack"
    done = pack(tiles, area, out)
    assert done.returncode == errors.DONE, done.stderr
    return out


def test_a_pack_has_imagery_model_and_credits(packed, tiles):
    found = manifest_of(packed)
    assert found.area.name == "area" and found.area.zooms == (14, 18)
    assert {each.kind for each in found.parts} == {"imagery", "model", "card", "readme"}
    assert found.credits[0].of == "imagery"
    assert sorted(each.name for each in packed.parent.iterdir()) == ["area.geojson", "town.pack"]
    with zipfile.ZipFile(packed) as archive:
        assert archive.testzip() is None and archive.namelist()[0] == "manifest.json"


def test_a_survey_of_a_pack_asks_no_server(packed, tile_server, area, tmp_path, whole):  # noqa: F811
    out = tmp_path / "town.geojson"
    tile_server.asked.clear()
    done = run_command("survey", area, "--out", out, "--imagery", packed)
    assert done.returncode == errors.DONE, done.stderr
    assert tile_server.asked == []
    ours, theirs = ([each["properties"] for each in features(path)] for path in (out, whole))
    for name in ("class", "score", "best", "chip_sha256", "zoom"):
        assert [each[name] for each in ours] == [each[name] for each in theirs], name
    urls = [json.loads(path.read_text())["lookdown"]["survey"]["imagery"]["url"]
            for path in (out, whole)]  # fmt: skip
    assert urls[0] == urls[1], "it is the same imagery"


def test_a_pack_is_no_imagery_for_another(packed, area, tmp_path):
    done = run_command("pack", area, "--out", tmp_path / "b.pack", "--imagery", packed)
    assert done.returncode == errors.WRONG_INPUT and "is a file of your own" in done.stderr


def test_a_changed_pack_is_refused(packed, area, tmp_path):
    data = bytearray(packed.read_bytes())
    data[data.find(b"PMTiles") + 9000] ^= 1
    (tmp_path / "changed.pack").write_bytes(data)
    done = run_command(
        "survey", area, "--out", tmp_path / "a.csv", "--imagery", tmp_path / "changed.pack"
    )
    assert done.returncode == errors.WRONG_INPUT
    assert "its part imagery.pmtiles was changed" in done.stderr


def test_a_dry_run_reads_four_tiles_and_keeps_nothing(tile_server, area, tmp_path):
    done = pack(tile_server, area, tmp_path / "town.pack", "--dry-run")
    assert done.returncode == errors.DONE, done.stderr
    assert len(tile_server.asked) == 4
    assert "tiles of 127.0.0.1" in done.stdout and "MB, by 4 of them" in done.stdout
    assert "what you do with it is up to you" in done.stdout
    assert [each.name for each in tmp_path.iterdir()] == ["area.geojson"]


def test_paused_or_killed_it_goes_on_with_what_is_left(tile_server, area, tmp_path, packed):
    out = tmp_path / "town.pack"
    for end in (signal.SIGINT, signal.SIGKILL):
        resume = ["--resume"] if end == signal.SIGKILL else []
        slowly = command("--rate", "15", "pack", area, "--out", out, *named(tile_server), *resume)
        before = len(tile_server.asked)
        with subprocess.Popen(slowly, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
            while running.poll() is None and len(tile_server.asked) < before + 12:
                time.sleep(0.02)
            running.send_signal(end)
            said = running.stderr.read()
        assert not out.exists()
        if end == signal.SIGINT:
            assert running.returncode == errors.PAUSED and "go on with --resume" in said
    again = pack(tile_server, area, out)
    assert again.returncode == errors.NO_OUTPUT and "was begun" in again.stderr
    other = area_file(tmp_path / "other.geojson", WEST, SOUTH, EAST, NORTH + 0.01)
    differs = pack(tile_server, other, out, "--resume")
    assert differs.returncode == errors.NO_OUTPUT and "another area" in differs.stderr
    assert pack(tile_server, area, out, "--resume").returncode == errors.DONE
    # What was on its way when it was killed is asked for again; nothing else is.
    assert len(tile_server.asked) - len(set(tile_server.asked)) <= 4
    assert parts_of(out) == parts_of(packed)
    assert not (tmp_path / "town.pack.part").exists()
    complete = pack(tile_server, area, out, "--resume")
    assert "nothing to go on with" in complete.stdout
    assert pack(tile_server, area, out).returncode == errors.NO_OUTPUT


def test_what_a_server_has_not_is_noted_and_what_it_refuses_ends_it(tile_server, area, tmp_path):
    out = tmp_path / "town.pack"
    tile_server.mood = "missing"
    none = pack(tile_server, area, out)
    assert none.returncode == errors.NO_IMAGERY and "no imagery at these zooms" in none.stderr
    assert not out.exists() and not (tmp_path / "town.pack.part").exists()
    tile_server.mood = "refusing"
    stopped = pack(tile_server, area, out)
    assert stopped.returncode == errors.NO_IMAGERY
    assert "its provider refuses them" in stopped.stderr and "--resume" in stopped.stderr
    assert len(stopped.stderr.strip().splitlines()) == 1
    tile_server.mood = "well"
    assert pack(tile_server, area, out, "--resume").returncode == errors.DONE
    assert manifest_of(out).missing == ()


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        (("--imagery", "esri"), errors.FORBIDDEN, "do not allow keeping its pictures"),
        (("--imagery", "esri", "--dry-run"), errors.FORBIDDEN, "do not allow keeping"),
        (("--imagery", "sample"), errors.WRONG_INPUT, "without a network already"),
        (("--out", "town.geojson"), errors.NO_OUTPUT, ".pack, .zip"),
        (("--model", "nobody"), errors.NO_MODEL, "Use one of world"),
        (("--out", "/nowhere/town.pack"), errors.NO_OUTPUT, "can't be written"),
    ],
)
def test_what_can_not_be_packed_is_told(area, tmp_path, tile_server, more, status, said):
    known = () if "--imagery" in more else named(tile_server)
    done = run_command("pack", area, "--out", tmp_path / "town.pack", *known, *more)
    assert done.returncode == status, done.stderr
    assert said in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_an_area_that_is_too_large_to_keep_is_told(tile_server, tmp_path):
    area = area_file(tmp_path / "large.geojson", 80.0, 20.0, 85.0, 25.0)
    done = pack(tile_server, area, tmp_path / "town.pack")
    assert done.returncode == errors.WRONG_INPUT and "100,000 can be kept at once" in done.stderr

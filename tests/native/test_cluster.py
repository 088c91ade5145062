"""Surveys by workers of Dask: the same answers, in parts that outlast whatever ends a run."""

import json
import signal
import subprocess
import time

import pytest

from pyapp.core.survey.geojson import from_geojson
from pyapp.native import errors
from tests.native.conftest import ROOT, command, dask_cluster
from tests.native.conftest import lookdown as run_command
from tests.native.test_survey import whole  # noqa: F401  (a fixture)

pytest.importorskip("distributed", reason="needs Python 3.11")
arrow = pytest.importorskip("pyarrow.parquet", reason="needs Python 3.11")
ZOOM = "18"
BLOCK = ("--block", 3)
WORKERS = ("--workers", 2, *BLOCK)


def named(tile_server):
    return ("--imagery", tile_server.template, "--finest-zoom", ZOOM)


def rows(folder):
    """What a data set says of each cell: state, class, chip and the best probability."""
    found = {}
    for file in sorted(folder.glob("part-*.parquet")):
        table = arrow.read_table(file).to_pydict()
        columns = ("cell", "state", "class", "chip_sha256", "probability", "embedding")
        for cell, *said, probability, embedding in zip(*map(table.get, columns), strict=True):
            assert cell not in found, "a square is there twice"
            found[cell] = (*said, probability and max(probability), embedding and len(embedding))
    return found


def test_workers_say_what_one_process_says(area, tile_server, whole, tmp_path):  # noqa: F811
    out = tmp_path / "town"
    done = run_command("survey", area, "--out", out, *WORKERS, *named(tile_server))
    assert done.returncode == errors.DONE, done.stderr
    assert "42 squares in 6 blocks" in done.stdout and "Dask works at tcp://" in done.stderr
    assert len(list(out.glob("part-*.parquet"))) == 6
    survey, found = from_geojson(whole.read_text()), rows(out)
    assert sorted(found) == sorted(survey.grid.cells.tolist())
    features = json.loads(whole.read_text())["features"]
    scores = {each["id"]: each["properties"]["best"][0]["score"] for each in features}
    nodes = survey.model.tree.nodes
    answers = survey.answers()
    for number, cell in enumerate(survey.grid.cells.tolist()):
        state, name, chip, best, width = found[cell]
        node = int(answers[number])
        assert (state, name) == ("classified", None if node < 0 else nodes[node].name)
        assert chip == survey.digest[number].tobytes().hex()
        assert best == pytest.approx(scores[number], abs=1e-3)
        assert width == 1280
    # It is refused to be overwritten by chance, and goes on only with the same order.
    again = ("survey", area, "--out", out, *WORKERS, *named(tile_server))
    assert run_command(*again).returncode == errors.NO_OUTPUT
    done = run_command(*again, "--resume")
    assert done.returncode == errors.DONE and "0 squares in 0 blocks" in done.stdout
    other = run_command(*again, "--resume", "--step", "2")
    assert other.returncode == errors.NO_OUTPUT and "another step" in other.stderr
    other = run_command(*again, "--resume", "--block", "4")
    assert other.returncode == errors.NO_OUTPUT and "another block" in other.stderr


def test_killed_it_goes_on_and_ends_as_an_unbroken_one(area, tile_server, tmp_path):
    out, unbroken = tmp_path / "town", tmp_path / "unbroken"
    order = ("survey", area, *WORKERS, *named(tile_server))
    assert run_command(*order, "--out", unbroken).returncode == errors.DONE
    begun = command("--rate", "30", *order, "--out", out, "--quiet")
    with subprocess.Popen(begun, cwd=ROOT, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None and not list(out.glob("part-*.parquet")):
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
    done = run_command(*order, "--out", out, "--resume")
    assert done.returncode == errors.DONE, done.stderr
    assert rows(out) == rows(unbroken)


def test_squares_whose_tiles_fail_are_done_again(area, tile_server, tmp_path):
    out = tmp_path / "town"
    # In few blocks, as each waits for its tiles three times.
    order = ("survey", area, "--out", out, "--workers", 2, "--block", 6, *named(tile_server))
    tile_server.mood = "refusing"
    done = run_command(*order)
    assert done.returncode == errors.NO_IMAGERY
    assert "42 squares failed" in done.stderr
    assert len(list(out.glob("*.again"))) == 2
    tile_server.mood = "well"
    done = run_command(*order, "--resume")
    assert done.returncode == errors.DONE, done.stderr
    assert not list(out.glob("*.again"))
    assert {state for state, *_ in rows(out).values()} == {"classified"}


def test_a_tile_that_blocks_share_is_asked_for_once(area, tile_server, tmp_path):
    out = tmp_path / "town"
    order = ("survey", area, "--out", out, *named(tile_server), "--workers", 1, "--block", 2)
    # Squares of 80 m side by side, and overlapping ones that reach into the next block.
    for step in ("1", "0.5"):
        tile_server.asked.clear()
        done = run_command(*order, "--step", step, "--overwrite")
        assert done.returncode == errors.DONE, done.stderr
        assert len(tile_server.asked) == len(set(tile_server.asked)) > 20
        assert not (out / ".tiles").exists()


def test_a_scheduler_that_ends_is_said_and_its_work_is_gone_on_with(area, tile_server, tmp_path):
    out = tmp_path / "town"
    order = ("survey", area, "--out", out, *BLOCK, *named(tile_server))
    with dask_cluster(tmp_path, 1) as (scheduler, address):
        begun = command("--rate", "20", *order, "--scheduler", address, "--quiet")
        with subprocess.Popen(begun, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
            while running.poll() is None and not list(out.glob("part-*.parquet")):
                time.sleep(0.02)
            scheduler.kill()
            said = running.stderr.read()
    assert running.returncode == errors.NO_CLUSTER
    assert f"The Dask scheduler {address} is gone" in said and "Traceback" not in said
    done = run_command(*order, "--workers", 1, "--resume")
    assert done.returncode == errors.DONE and len(rows(out)) == 42


def test_a_cluster_of_another_version_is_refused(area, tmp_path):
    older = (
        "from distributed import versions; versions._version_cached = lambda _: '2020.1.0';"
        "from distributed.cli.dask_scheduler import main; main()"
    )
    with dask_cluster(tmp_path, 1, "-c", older) as (_, address):
        done = run_command("survey", area, "--out", tmp_path / "town", "--scheduler", address)
    assert done.returncode == errors.NO_CLUSTER
    assert "distributed is 2020.1.0 there" in done.stderr and address in done.stderr


def test_a_disk_that_refuses_is_said_and_nothing_is_cut_short(area, tile_server, tmp_path):
    resource = pytest.importorskip("resource", reason="needs a system with limits")
    out = tmp_path / "town"
    order = command("survey", area, "--out", out, *WORKERS, *named(tile_server), "--quiet")

    def small_files():
        # As on a disk without room: the parts are larger.
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(order, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
                          preexec_fn=small_files)  # fmt: skip
    assert done.returncode == errors.NO_OUTPUT
    assert "can't be written: File too large. Make room" in done.stderr
    # A part that is small enough may be there; what is there is complete.
    assert "Traceback" not in done.stderr and len(rows(out)) < 42
    done = run_command("survey", area, "--out", out, *WORKERS, *named(tile_server), "--resume")
    assert done.returncode == errors.DONE and len(rows(out)) == 42


def test_what_can_not_be_begun_says_why(area, tmp_path):
    out = tmp_path / "town"
    nowhere = run_command("survey", area, "--out", out, "--scheduler", "tcp://127.0.0.1:9")
    assert nowhere.returncode == errors.NO_CLUSTER and "127.0.0.1:9" in nowhere.stderr
    shown = next(
        each["id"] for each in json.loads((ROOT / "site/imagery.json").read_text())["providers"]
        if not each.get("allows", {}).get("bulk", True)
    )  # fmt: skip
    forbidden = run_command("survey", area, "--out", out, "--workers", 1, "--imagery", shown,
                            "--overwrite")  # fmt: skip
    assert forbidden.returncode == errors.FORBIDDEN
    many = run_command("survey", area, "--out", out, "--workers", "0")
    assert many.returncode == 2

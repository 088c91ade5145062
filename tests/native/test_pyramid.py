"""The map of a data set, as others read it too."""

import io
import json

import pytest
from PIL import Image

from pyapp.core.ground.geo import Tile
from pyapp.core.pyramid.facts import FILE
from pyapp.native import errors
from tests.native.conftest import lookdown as run_command

pytest.importorskip("distributed", reason="needs Python 3.11")
arrow = pytest.importorskip("pyarrow.parquet", reason="needs Python 3.11")
WORKERS = ("--workers", 1, "--block", 4)


def test_its_totals_are_those_of_the_files_and_its_tiles_those_of_others(area, tmp_path):
    from pmtiles.reader import MmapSource, Reader

    out = tmp_path / "town"
    order = ("survey", area, "--out", out, *WORKERS)
    done = run_command(*order)
    assert done.returncode == errors.DONE and not (out / FILE).exists()
    # For what is there already, too.
    done = run_command(*order, "--resume", "--tiles")
    assert done.returncode == errors.DONE, done.stderr
    assert "0 squares in 0 blocks" in done.stdout and f"The page opens {out / FILE}" in done.stdout
    rows = [row for file in out.glob("part-*") for row in arrow.read_table(file).to_pylist()]
    with (out / FILE).open("rb") as file:
        reader = Reader(MmapSource(file))
        said = reader.metadata()["lookdown"]
        for each in said["answers"]:
            found = [row for row in rows
                     if row["state"] == "classified" and row["class"] == each["class"]]  # fmt: skip
            assert each["squares"] == len(found)
            assert each["hectares"] == pytest.approx(
                sum(row["hectares"] for row in found), abs=1e-4
            )
        counted = sum(each["squares"] for each in said["answers"]) + sum(said["without"].values())
        assert counted == len(rows) == 42
        header = reader.header()
        bounds = [header[f"{name}_e7"] / 1e7 for name in ("min_lon", "min_lat", "max_lon")]
        assert bounds[0] < 85.521 < bounds[2] and bounds[1] < 27.63
        picture = Image.open(io.BytesIO(reader.get(0, 0, 0)))
        assert picture.format == "PNG" and picture.size == (256, 256)
        assert Tile(0, 0, 0).z == header["min_zoom"] and header["max_zoom"] > 10
    assert not [each for each in out.iterdir() if each.name.startswith(".")]

    # A file that is damaged is named, and surveyed again once it is gone.
    part = min(out.glob("part-*"))
    whole = part.read_bytes()
    part.write_bytes(whole[:500])
    done = run_command(*order, "--resume", "--tiles")
    assert done.returncode == errors.NO_OUTPUT and part.name in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    part.unlink()
    done = run_command(*order, "--resume", "--tiles", "--quiet")
    assert done.returncode == errors.DONE and arrow.read_table(part).num_rows
    # Begun again, the map of before goes with its squares.
    assert run_command(*order, "--overwrite").returncode == errors.DONE
    assert not (out / FILE).exists() and json.loads((out / "_lookdown.json").read_text())


def test_tiles_are_for_what_workers_survey(area, tmp_path):
    done = run_command("survey", area, "--out", tmp_path / "town.geojson", "--tiles")
    assert done.returncode == 2 and "add --workers" in done.stderr

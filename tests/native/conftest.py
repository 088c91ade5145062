"""The command as a process of its own, on the built-in imagery and on a real tile server."""

import importlib.abc
import json
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "site"))

from tests.browser.tile_server import TileServer  # noqa: E402
from tests.jpeg_tiles import jpeg_tiles  # noqa: E402

WEST, SOUTH, EAST, NORTH = 85.52, 27.6265, 85.5255, 27.6305


@pytest.fixture(scope="session")
def tiles():
    """A server with tiles of the built-in ground."""
    with TileServer(jpeg_tiles()) as server:
        yield server


@pytest.fixture
def tile_server(tiles):
    """The same, well behaved at first, with an empty list of what was asked."""
    tiles.mood = "well"
    tiles.asked.clear()
    yield tiles
    tiles.mood = "well"


@pytest.fixture
def area(tmp_path):
    """A file with an area of the built-in town: 7 by 6 squares."""
    return area_file(tmp_path / "area.geojson", WEST, SOUTH, EAST, NORTH)


def area_file(path, west, south, east, north):
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    return path


def command(*arguments):
    """What starts the command."""
    return [sys.executable, "-m", "pyapp", *map(str, arguments)]


def lookdown(*arguments):
    """Run the command to its end."""
    return subprocess.run(
        command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )


def features(path):
    """What a survey's file says of each square, without what differs between two runs."""
    return json.loads(path.read_text())["features"]


@contextmanager
def dask_cluster(folder, workers, *scheduler_program):
    """A scheduler and workers as processes of their own: the scheduler, and its address."""
    program = scheduler_program or ("-m", "distributed.cli.dask_scheduler")
    noted = folder / "scheduler.json"
    noted.unlink(missing_ok=True)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT}
    started = [sys.executable, *program, "--port", "0",
               "--no-dashboard", "--scheduler-file", str(noted)]  # fmt: skip
    working = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(noted),
              "--nworkers", str(workers), "--nthreads", "1", "--no-dashboard",
              "--death-timeout", "60"]  # fmt: skip
    with (
        subprocess.Popen(started, **quiet) as scheduler,
        subprocess.Popen(working, **quiet) as worked,
    ):
        try:
            while not noted.exists() or not noted.read_text().endswith("}"):
                time.sleep(0.1)
            yield scheduler, json.loads(noted.read_text())["address"]
        finally:
            # It comes with Dask.
            import psutil

            with suppress(psutil.NoSuchProcess):
                for each in psutil.Process(worked.pid).children(recursive=True):
                    each.kill()
            worked.kill()
            scheduler.kill()


class _Without(importlib.abc.MetaPathFinder):
    """As if the extra was not installed."""

    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("pyogrio", "rasterio"):
            raise ImportError(name)
        return None


@pytest.fixture
def without_gdal(monkeypatch):
    for name in [each for each in sys.modules if each.startswith(("pyogrio", "rasterio"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without(), *sys.meta_path])

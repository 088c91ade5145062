"""The command as a process of its own, on the built-in imagery and on a real tile server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "site"))

from tests.browser.tile_server import TileServer  # noqa: E402

WEST, SOUTH, EAST, NORTH = 85.52, 27.6265, 85.5255, 27.6305


@pytest.fixture(scope="session")
def tiles():
    """A server with the built-in imagery."""
    from assembly import imagery

    with TileServer(imagery.sample_tiles()) as server:
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

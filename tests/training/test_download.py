"""UC Merced from an address that gives it, one that gives another file, and one that is dead."""

import functools
import hashlib
import http.server
import threading
import zipfile

import pytest

from training.errors import TrainingError
from training.pictures import download


@pytest.fixture
def archive(tmp_path):
    """An archive of the shape of UC Merced's."""
    file = tmp_path / "served" / "UCMerced_LandUse.zip"
    file.parent.mkdir()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("UCMerced_LandUse/Images/harbor/harbor00.tif", b"one")
        out.writestr("UCMerced_LandUse/Images/river/river00.tif", b"two")
        out.writestr("UCMerced_LandUse/Images/../../escape.tif", b"no")
        out.writestr("UCMerced_LandUse/readme.txt", b"read me")
    return file


@pytest.fixture
def address(archive):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(archive.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("LOOKDOWN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "BESIDE", tmp_path / "not-there")


def test_a_folder_that_is_named_is_used_as_it_is(tmp_path):
    assert download.fetch(tmp_path / "mine") == tmp_path / "mine"


def test_it_is_fetched_checked_and_unpacked_once(archive, address):
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    addresses = (f"{address}/missing.zip", f"{address}/UCMerced_LandUse.zip")
    folder = download.fetch(None, addresses, sha256)
    found = {file.relative_to(folder).as_posix() for file in folder.rglob("*.tif")}
    assert found == {"harbor/harbor00.tif", "river/river00.tif"}
    archive.unlink()
    assert download.fetch(None, addresses, sha256) == folder


def test_another_file_is_refused_and_nothing_is_left(archive, address, tmp_path):
    with pytest.raises(TrainingError, match="not the file it should be"):
        download.fetch(None, (f"{address}/UCMerced_LandUse.zip",), "0" * 64)
    assert [*(tmp_path / "cache").iterdir()] == []


def test_no_address_answers():
    with pytest.raises(TrainingError, match="Name a folder of class folders with --data"):
        download.fetch(None, ("http://127.0.0.1:9/UCMerced_LandUse.zip",))

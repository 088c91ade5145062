"""What can go wrong while fetching: one sentence, and nothing half-done left behind."""

import ast
import functools
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.serve.conftest import ROOT

CACHE_ONE = """
import sys, time
sys.path.insert(0, sys.argv[1])
from assembly import cache
def make(folder):
    for number in range(20):
        (folder / str(number)).write_text("x")
        print("step", flush=True)
        time.sleep(float(sys.argv[2]))
print("done", cache.kept("thing", make), flush=True)
"""


@pytest.fixture
def cold(tmp_path, monkeypatch):
    """An empty cache."""
    place = tmp_path / "cache"
    monkeypatch.setenv("LOOKDOWN_CACHE", str(place))
    return place


def run_cold(tmp_path, **changes):
    """``serve.py --build`` with an empty cache."""
    environment = os.environ | {"LOOKDOWN_CACHE": str(tmp_path / "cache")} | changes
    command = [sys.executable, "serve.py", "--build", str(tmp_path / "out")]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def in_one_sentence(done) -> str:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def filling(pause):
    return subprocess.Popen(
        [sys.executable, "-c", CACHE_ONE, str(ROOT / "site"), str(pause)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_cache_is_where_it_is_told_to_be(cold):
    from assembly import cache

    made = cache.kept("thing", lambda folder: (folder / "a").write_text("1"))
    assert made == cold / "thing"
    assert cache.kept("thing", lambda folder: pytest.fail("made twice")) == made


def test_what_fails_leaves_nothing(cold):
    from assembly import cache

    def fail(folder):
        (folder / "half").write_text("1")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cache.kept("thing", fail)
    assert list(cold.iterdir()) == []


def test_what_is_killed_leaves_nothing_under_the_final_name(cold):
    process = filling(0.2)
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (cold / "thing").exists()
    after = filling(0)
    assert "done" in after.communicate()[0]
    assert len(list((cold / "thing").iterdir())) == 20


def test_two_at_once_both_get_the_whole(cold):
    both = [filling(0.02), filling(0.02)]
    assert all("done" in process.communicate()[0] for process in both)
    assert len(list((cold / "thing").iterdir())) == 20
    assert [each.name for each in cold.iterdir()] == ["thing"]


def test_the_name_in_the_cache_changes_with_what_it_is_made_of(tmp_path):
    from assembly.cache import key_of

    file = tmp_path / "lock"
    file.write_text("1")
    first = key_of(file, "a")
    file.write_text("2")
    assert key_of(file, "a") != first != key_of("a", file)


def test_a_file_with_another_hash_is_refused_and_deleted(tmp_path):
    from assembly.errors import SetupError
    from assembly.fetch import check

    file = tmp_path / "numpy.whl"
    file.write_bytes(b"something else")
    with pytest.raises(SetupError, match=r"numpy\.whl is not the expected file .* Start again"):
        check(file, "00" * 32)
    assert not file.exists()


@pytest.fixture
def mirror(tmp_path):
    """A local source of wheels: its folder and its address."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    handler.func.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def runtime_with(monkeypatch, data: bytes, *addresses):
    """``runtime.json`` with one small wheel from some addresses."""
    import hashlib

    from assembly import fetch

    facts = {"file": "small.whl", "sha256": hashlib.sha256(data).hexdigest()}
    sources = [{"address": each} for each in addresses]
    monkeypatch.setattr(fetch, "RUNTIME", {"wheels": {"small": facts}, "wheel_sources": sources})
    return fetch


def test_a_wheel_comes_from_the_next_source_where_the_first_is_down(cold, mirror, monkeypatch):
    folder, address = mirror
    (folder / "small.whl").write_bytes(b"wheel")
    fetch = runtime_with(monkeypatch, b"wheel", "http://127.0.0.1:9/", address)
    assert fetch.pyodide_wheel("small").read_bytes() == b"wheel"


def test_a_wheel_that_was_tampered_with_is_not_kept(cold, mirror, monkeypatch):
    from assembly.errors import SetupError

    folder, address = mirror
    (folder / "small.whl").write_bytes(b"evil")
    fetch = runtime_with(monkeypatch, b"wheel", address)
    with pytest.raises(SetupError, match="not the expected file"):
        fetch.pyodide_wheel("small")
    assert list(cold.iterdir()) == []


def test_no_source_at_all_is_said(cold, monkeypatch):
    from assembly.errors import SetupError

    fetch = runtime_with(monkeypatch, b"wheel", "http://127.0.0.1:9/")
    with pytest.raises(SetupError, match="Check the network and start again"):
        fetch.pyodide_wheel("small")


def test_no_pip_is_said(tmp_path):
    (tmp_path / "pip.py").write_text("raise SystemExit('No module named pip')")
    said = in_one_sentence(run_cold(tmp_path, PYTHONPATH=str(tmp_path)))
    assert "This Python has no pip" in said
    assert "start again" in said


def test_no_network_is_said(tmp_path):
    """pip is told to look nowhere, as if the network were gone."""
    said = in_one_sentence(
        run_cold(tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS="", PIP_CONFIG_FILE=os.devnull)
    )
    assert "pip could not fetch the parts of the page. Check the network" in said
    assert not (tmp_path / "out").exists()


def test_an_npm_that_fails_is_said(cold, tmp_path, monkeypatch):
    from assembly import fetch
    from assembly.errors import SetupError

    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("npm", "node"):
        (tools / name).write_text("#!/bin/sh\necho 'network is unreachable' >&2\nexit 1\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools) + os.pathsep + os.environ["PATH"])
    with pytest.raises(SetupError, match=r"(?s)npm could not fetch .* It said:.*unreachable"):
        fetch.npm_packages()
    assert list(cold.iterdir()) == []


def library_of_the_page() -> set[str]:
    """What our own Python imports of the standard library and of numpy."""
    found = set()
    for file in (ROOT / "pyapp").rglob("*.py"):
        if "native" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module)
    ours = {"js", "pyodide", "pyscript", "pyapp"}
    return {name for name in found if name.split(".")[0] not in ours}


def test_the_slim_python_still_has_what_the_page_may_import(tmp_path):
    from assembly import runtime

    script = tmp_path / "imports.py"
    script.write_text(
        """
import io, json
import numpy as np
import importlib
for name in ("asyncio zipfile csv base64 hashlib urllib.parse dataclasses pathlib logging "
             "importlib.metadata datetime html inspect random secrets gzip calendar fractions "
             "shutil tempfile textwrap traceback typing uuid WANTED").split():
    importlib.import_module(name)
from PIL import Image
pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
shapes = {}
for kind in ("JPEG", "PNG", "WEBP", "TIFF", "BMP"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    shapes[kind] = np.asarray(Image.open(io.BytesIO(file.getvalue())).convert("RGB")).shape
open("/work/shapes.json", "w").write(json.dumps(shapes))
""".replace("WANTED", " ".join(sorted(library_of_the_page())))
    )
    runtime.run_in_pyodide(script, tmp_path, "numpy", "pillow", pyodide=runtime.slim_pyodide())
    shapes = json.loads((tmp_path / "shapes.json").read_text())
    assert set(map(tuple, shapes.values())) == {(4, 4, 3)}


def test_a_warm_start_is_quick_enough_to_need_no_progress(tmp_path):
    """No time is asserted: it prints nothing but where the site is."""
    command = [sys.executable, "serve.py", "--build", str(tmp_path / "out")]
    start = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    print(f"a warm build took {time.monotonic() - start:.2f} s")
    assert done.stderr == ""

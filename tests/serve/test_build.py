"""The site as the real commands build it from the user's cache."""

import argparse
import ast
import gzip
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
import zipfile
from html.parser import HTMLParser

import pytest
from assembly import build

from pyapp.core.ground.geo import LngLat
from pyapp.core.imagery.choice import by_place
from pyapp.core.imagery.source import sources_from_json
from pyapp.core.survey.facts import BUILT_IN, BUILT_IN_ZOOM
from tests.serve.conftest import ROOT

sys.path.insert(0, str(ROOT))


def serve(*arguments, environment=None):
    command = [sys.executable, "serve.py", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build") / "public"
    done = serve("--build", folder)
    assert done.returncode == 0, done.stderr
    return folder


def contents(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_the_same_bytes_twice_and_the_second_time_nothing_is_fetched(built, tmp_path):
    """Without node, npm and pip in reach: what a warm cache is for."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "pip.py").write_text("raise SystemExit('no pip')")
    environment = os.environ | {"PATH": str(tmp_path / "empty"), "PYTHONPATH": str(tmp_path)}
    done = serve("--build", tmp_path / "again", environment=environment)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "again") == contents(built)


def test_the_listing_has_size_and_hash_of_every_file(built):
    files = contents(built)
    release = hashlib.sha256(files["files.json"]).hexdigest()
    listing = json.loads(files.pop("files.json"))
    # The service worker names the listing, so the listing cannot name the service worker.
    assert f'RELEASE = "{release}"' in files.pop("sw.js").decode()
    assert set(listing) == set(files)
    for path, data in files.items():
        assert listing[path]["size"] == len(data), path
        assert listing[path]["sha256"] == hashlib.sha256(data).hexdigest(), path
    parts = {path: facts["part"] for path, facts in listing.items()}
    assert parts["app.zip"] == "packages"
    assert parts["later.zip"] == "rest"
    assert parts["main.py"] == "python"
    default = json.loads(files["models/index.json"])["default"]
    assert parts[f"models/{default}/model.onnx"] == "answer"
    assert parts["runtime/ort/ort-wasm-simd-threaded.asyncify.wasm"] == "extra"
    assert parts["imagery/sources.json"] == "rest"


def test_of_other_models_only_the_facts_are_part_of_the_first_download():
    wanted = {
        "model.onnx": "extra", "card.json": "rest", "golden.json": "rest", "report.json": "extra",
        "report.md": "extra", "README.md": "extra", "stac-item.json": "extra",
    }  # fmt: skip
    assert {file: build._part(f"models/wide/{file}", "world") for file in wanted} == wanted
    assert build._part("models/world/model.onnx", "world") == "answer"
    assert build._part("models/world/report.json", "world") == "extra"
    assert build._part("models/index.json", "world") == "rest"


class References(HTMLParser):
    """What a page loads."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("src", "href", "config") and not value.startswith("#"):
                self.found.add(value)


def test_the_page_works_under_any_path(built):
    """Everything it refers to is relative and there."""
    page = References()
    page.feed((built / "index.html").read_text())
    toml = (built / "pyscript.toml").read_text()
    page.found |= {each for each in re.findall(r'"(\./[^"*]+)"', toml) if len(each) > 2}
    assert len(page.found) > 10
    for reference in page.found:
        assert "//" not in reference
        assert not reference.startswith("/")
        assert (built / reference).is_file(), reference


def test_our_own_files_name_no_other_site(built):
    ours = ["index.html", "style.css", "start.js", "sw.js", "pyscript.toml", "main.py"]
    own = {"https://example.org", "http://localhost", "http://127.0.0.1"}
    for name in ours:
        found = re.findall(r"https?://[\w.-]+", (built / name).read_text())
        assert set(found) <= own, name


def test_the_archive_holds_the_python_of_the_page(built):
    with zipfile.ZipFile(built / "app.zip") as archive:
        names = archive.namelist()
        compiled = archive.read("pyapp/core/ground/geo.pyc")
        assert b"EARTH_RADIUS_M" in compiled and b"WebMercatorQuad" not in compiled
    with zipfile.ZipFile(built / "later.zip") as archive:
        later = archive.namelist()
    files = {file.relative_to(ROOT).as_posix() for file in (ROOT / "pyapp").rglob("*.py")}
    command = {each for each in files if each.startswith("pyapp/native/")}
    # What draws the maps of large surveys, which only the command does.
    command.add("pyapp/core/pyramid/tiles.py")
    ours = files - command - {"pyapp/main.py", "pyapp/__main__.py"}
    assert command and sorted([*names, *later]) == sorted(f"{each}c" for each in ours)


def test_nothing_of_the_first_download_imports_what_comes_later():
    for file in (ROOT / "pyapp").rglob("*.py"):
        path = file.relative_to(ROOT).as_posix()
        if build.LATER.match(path) or build.ELSEWHERE.match(path):
            continue
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ImportFrom):
                names = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
                paths = [f"{each.replace('.', '/')}.py" for each in names]
                assert not list(filter(build.LATER.match, paths)), f"{file} imports {names}"


def test_the_sources_are_what_the_page_reads(built):
    sources = sources_from_json((built / "imagery/sources.json").read_text())
    sample, esri = sources[0], next(each for each in sources if each.id == "esri")
    assert sample.origin is None
    tiles = {
        tuple(map(int, file.with_suffix("").relative_to(built / "imagery/sample").parts))
        for file in (built / "imagery/sample").rglob("*.webp")
    }
    covered = {(zoom, x, y) for zoom, each in sample.coverage.items() for x, y in each}
    assert covered == tiles
    assert len(tiles) == 156
    assert {zoom for zoom, _, _ in tiles} == {18} == {sample.min_zoom, sample.max_zoom}
    assert sample.coarsest_view == 14
    # A survey of an earlier version's built-in imagery finds today's.
    assert (sample.url, sample.max_zoom) == (BUILT_IN, BUILT_IN_ZOOM)
    assert "{z}/{y}/{x}" in esri.url
    assert "Esri" in esri.credit
    assert (esri.allows.show, esri.allows.read, esri.allows.keep) == (True, False, False)


def test_every_survey_that_may_be_read_says_its_licence_and_where_it_is(built):
    sources = sources_from_json((built / "imagery/sources.json").read_text())
    assert len({each.id for each in sources}) == len(sources)
    for source in sources:
        assert source.licence and source.terms.startswith("https://"), source.id
        assert set(re.findall(r"\{(.*?)\}", source.url)) == {"x", "y", "z"}, source.id
        assert source.bounds or not source.allows.read or source.coverage, source.id
    years = [each for each in sources if each.series]
    assert [each.date for each in years] == [str(year) for year in range(2024, 1999, -1)]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (LngLat(7.447, 46.948), "swissimage"),
        (LngLat(4.895, 52.370), "pdok"),
        (LngLat(16.372, 48.208), "basemap-at"),
        (LngLat(2.294, 48.858), "ign"),
        (LngLat(-61.08, 14.6), "ign"),
        (LngLat(-95.37, 29.76), "usgs"),
        (LngLat(85.51832, 27.63392), "sample"),
    ],
)
def test_what_may_be_read_at_a_place_comes_first(built, place, expected):
    sources = sources_from_json((built / "imagery/sources.json").read_text())
    here, elsewhere = by_place(sources, place)
    assert here[0].id == expected
    assert here[-1].id == "esri", "it may be looked at only"
    assert len(here) + len(elsewhere) == len(sources)


def test_the_page_gets_the_version_of_the_project(built):
    from assembly.build import with_version

    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert with_version(b"<b>{version}</b>") == f"<b>{newest}</b>".encode()
    assert b"{version}" not in (built / "index.html").read_bytes()


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    done = serve("--build", tmp_path)
    assert done.returncode == 1
    assert "holds files that are not from an earlier build. Choose an empty folder." in done.stderr
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_an_earlier_build_is_replaced(built, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(built, out)
    (out / "left-over.js").write_text("old")
    assert serve("--build", out).returncode == 0
    assert contents(out) == contents(built)


def started(*arguments):
    """serve.py running, and the address that it prints."""
    command = [sys.executable, "-u", "serve.py", "--no-open", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        if found:
            return process, found[0], int(found[1])
    raise AssertionError("no address")


def test_it_serves_on_the_next_free_port():
    with socket.create_server(("127.0.0.1", 8790)):
        process, address, port = started("--port", "8790")
        try:
            assert port > 8790
            with urllib.request.urlopen(address) as reply:
                assert b"Lookdown" in reply.read()
        finally:
            process.terminate()
            process.communicate()


def test_no_free_port_is_said(built, monkeypatch):
    from assembly.errors import SetupError

    import serve as command

    monkeypatch.setattr(command, "TRIES", 1)
    options = argparse.Namespace(port=8791, verbose=False)
    with (
        socket.create_server(("127.0.0.1", 8791)),
        pytest.raises(SetupError, match="No port from 8791 to 8791 is free"),
    ):
        command.listen(built, options)


def test_a_site_without_a_service_worker_is_compressed_too(tmp_path):
    text = b"words " * 400
    (tmp_path / "page.html").write_bytes(text)
    facts = {"size": len(text), "sha256": hashlib.sha256(text).hexdigest()}
    (tmp_path / "files.json").write_text(json.dumps({"page.html": facts}))
    variants = build.compressed(tmp_path, 4)
    assert gzip.decompress(variants["page.html"]["gzip"].read_bytes()) == text


def test_compressed_variants_hold_the_same_bytes(built):
    from assembly import fetch
    from assembly.build import compressed

    variants = compressed(built)
    assert "runtime/pyodide/pyodide.asm.wasm" in variants
    assert not [path for path in variants if path.endswith((".jpg", ".png", ".webp"))]
    for path in ("style.css", "runtime/leaflet/leaflet.css", "files.json", "sw.js"):
        plain = (built / path).read_bytes()
        assert gzip.decompress(variants[path]["gzip"].read_bytes()) == plain
        undo = "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(process.argv[1])))"  # noqa: E501
        node = fetch.node_tools().node
        done = subprocess.run(
            [*node, "-e", undo, str(variants[path]["br"])], capture_output=True, check=True
        )
        assert done.stdout == plain


def test_the_same_bytes_where_all_is_compiled_anew(built, tmp_path):
    """On another machine: what was fetched is the same, what is made of it must be."""
    from assembly import cache

    fetched = ("npm-", "pypi-", "wheel-", "pyodide-stock-", "node")
    for place in cache.folder().iterdir():
        if place.name.startswith(fetched):
            (tmp_path / "cache").mkdir(exist_ok=True)
            (tmp_path / "cache" / place.name).symlink_to(place)
    environment = os.environ | {"LOOKDOWN_CACHE": str(tmp_path / "cache")}
    done = serve("--build", tmp_path / "anew", environment=environment)
    assert done.returncode == 0, done.stderr
    assert "Compiling" in done.stderr + done.stdout
    assert contents(tmp_path / "anew") == contents(built)


def test_several_at_once_build_the_same_folder(built, tmp_path):
    command = [sys.executable, "serve.py", "--build", str(tmp_path / "public")]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for each in running:
        _, said = each.communicate()
        assert each.returncode == 0, said.decode()
    assert contents(tmp_path / "public") == contents(built)
    assert [each.name for each in tmp_path.iterdir()] == ["public"]


def test_what_was_altered_in_an_earlier_build_is_put_right(built, tmp_path):
    again = tmp_path / "again"
    shutil.copytree(built, again)
    (again / "style.css").write_bytes(b"x" * (again / "style.css").stat().st_size)
    (again / "left.txt").write_text("from before")
    assert serve("--build", again).returncode == 0
    assert contents(again) == contents(built)

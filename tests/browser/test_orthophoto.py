"""An orthophoto of one's own: seen, classified and surveyed, and what can be wrong with it."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.warp import calculate_default_transform, reproject

from pyapp.core.ground.geo import EARTH_RADIUS_M, world_px
from tests.core.test_warp import gdal_chip
from tests.jpeg_tiles import jpeg_tiles

TOWN = "#map=18/27.63392/85.51832"
ZOOM, ACROSS = 18, 6


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """The built-in imagery around a crossing as an orthophoto in UTM, a COG with JPEG inside."""
    x0, y0 = 193343, 110118
    rows = []
    for y in range(y0, y0 + ACROSS):
        names = [jpeg_tiles() / f"{ZOOM}/{x}/{y}.jpg" for x in range(x0, x0 + ACROSS)]
        rows.append(np.hstack([np.asarray(Image.open(each).convert("RGB")) for each in names]))
    pixels = np.moveaxis(np.vstack(rows), 2, 0)
    metre = 2 * np.pi * EARTH_RADIUS_M / world_px(ZOOM)
    half = np.pi * EARTH_RADIUS_M
    source = from_origin(x0 * 256 * metre - half, half - y0 * 256 * metre, metre, metre)
    target, width, height = calculate_default_transform(
        "EPSG:3857", "EPSG:32645", pixels.shape[2], pixels.shape[1],
        *rasterio.transform.array_bounds(pixels.shape[1], pixels.shape[2], source),
        resolution=0.4,
    )  # fmt: skip
    turned = np.zeros((3, height, width), np.uint8)
    reproject(
        pixels, turned, src_transform=source, src_crs="EPSG:3857", dst_transform=target,
        dst_crs="EPSG:32645", resampling=Resampling.cubic,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("ortho") / "town <img src=x>.tif"
    profile = {"driver": "GTiff", "width": width, "height": height, "count": 3, "dtype": "uint8",
               "crs": "EPSG:32645", "transform": target, "tiled": True, "blockxsize": 256,
               "blockysize": 256, "compress": "deflate", "predictor": 2, "nodata": 0}  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.write(turned)
        out.build_overviews([2, 4, 8], Resampling.average)
    return path


def wait_drawn(page):
    page.tab.wait_for_function(
        "(all => all.length && all.every(each => each.hasAttribute('data-drawn')))"
        "([...document.querySelectorAll('.leaflet-tile-pane canvas')])"
    )


def forget(page):
    """Have `wait_drawn` wait for other tiles than those that are there."""
    page.tab.evaluate(
        "document.querySelectorAll('.leaflet-tile-pane canvas')"
        ".forEach(each => each.removeAttribute('data-drawn'))"
    )


def drop(page, path, name=None):
    page.wait_whole()
    page.drop(name or path.name, path.read_bytes())


def see(page, path):
    drop(page, path)
    page.tab.wait_for_selector(".leaflet-tile-pane canvas", state="attached")
    wait_drawn(page)


def test_a_dropped_orthophoto_is_seen_classified_and_surveyed(open_page, town):
    page = open_page(TOWN)
    see(page, town)
    assert page.tab.inner_text("#imagery-name") == town.name, "markup is text"
    shown = page.classify()
    ours, theirs = shown.chip.astype(int), gdal_chip(town, shown.footprint)
    assert np.abs(ours - theirs).mean() <= 2.0
    assert shown.facts["Credit"] == town.name
    page.tab.evaluate("location.hash = '#map=18/27.6335/85.5190'")
    page.survey_view()
    features = page.features()
    assert {each["properties"]["state"] for each in features} >= {"classified"}
    assert features[0]["properties"]["imagery"] == town.name
    assert "geotiff" not in page.tab.evaluate("location.search")


def test_a_chosen_file_and_its_look(open_page, town):
    page = open_page(TOWN)
    page.wait_whole()
    page.tab.click("#imagery summary")
    page.tab.set_input_files("#own-file", str(town))
    page.tab.wait_for_selector("#own-look:not([hidden])")
    wait_drawn(page)
    before = page.classify().chip
    for colour, band in (("red", "2"), ("blue", "0")):
        forget(page)
        page.tab.select_option(f"#own-{colour}", band)
        wait_drawn(page)
    swapped = page.classify().chip
    assert np.abs(before[..., ::-1].astype(int) - swapped).max() <= 1
    forget(page)
    page.tab.check("#own-stretch")
    wait_drawn(page)
    assert page.classify().chip.std() > swapped.std()


def altered(town, tmp_path, **changes):
    """A small copy of the picture with another profile."""
    with rasterio.open(town) as file:
        pixels, profile = file.read()[:, 300:812, 300:812], file.profile
    profile |= {"width": 512, "height": 512} | changes
    path = tmp_path / "altered.tif"
    with rasterio.open(path, "w", **profile) as out:
        out.write(pixels)
    return path


def test_sixteen_bits_are_stretched_to_be_seen(open_page, town, tmp_path):
    page = open_page(TOWN)
    with rasterio.open(town) as file:
        profile = file.profile | {"dtype": "uint16"}
        deep = file.read().astype(np.uint16) * 40 + 2000
    path = tmp_path / "deep.tif"
    with rasterio.open(path, "w", **profile) as out:
        out.write(deep)
    see(page, path)
    chip = page.classify().chip
    assert chip.std() > 40
    page.tab.click("#imagery summary")
    assert page.tab.is_checked("#own-stretch") and page.tab.is_disabled("#own-stretch")
    assert "0.40 m per pixel" in page.tab.inner_text("#source-list label >> nth=0")


def test_a_projection_that_is_not_known_is_said(open_page, town, tmp_path):
    page = open_page(TOWN)
    drop(page, altered(town, tmp_path, crs="EPSG:28992"))
    assert "EPSG:28992, which Lookdown doesn't know" in page.wait_notice()
    assert page.classify().label


def test_a_tiff_that_lies_nowhere_is_a_picture(open_page, town, tmp_path):
    page = open_page(TOWN)
    path = tmp_path / "picture.tif"
    with rasterio.open(town) as file:
        Image.fromarray(np.moveaxis(file.read(), 0, 2)[300:812, 300:812]).save(path)
    before = page._span_count()
    drop(page, path)
    page.wait_answer(before)
    assert page.shown().facts["Place"] == "not on the map"
    page.tab.click("#imagery summary")
    page.tab.set_input_files("#own-file", str(path))
    page.tab.wait_for_selector("#own-as-picture:not([hidden])")
    assert "doesn't say where on the earth it lies" in page.tab.inner_text("#own-file-said")


def test_a_file_that_is_cut_short_is_said_and_the_page_goes_on(open_page, town, tmp_path):
    page = open_page(TOWN)
    short = tmp_path / "short.tif"
    whole = town.read_bytes()
    short.write_bytes(whole[: len(whole) // 20])
    drop(page, short)
    said = page.wait_notice()
    assert re.search("cut short|no TIFF", said), said
    assert page.tab.is_visible("#classify")


class RangeServer:
    """Another site that serves one file, in ranges or not, to other sites or not.

    Of a folder, it serves all files.
    """

    def __init__(self, path):
        self.path, self.ranges, self.cors, self.sent = path, True, True, 0
        self.data = b"" if path.is_dir() else path.read_bytes()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_OPTIONS(self):
                self.send_response(204 if site.cors else 403)
                self._cors()
                self.end_headers()

            def do_HEAD(self):
                self.do_GET()

            def do_GET(self):
                found = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
                data = site.read(self.path)
                body, status = (b"", 404) if data is None else (data, 200)
                if found and site.ranges and status == 200:
                    start, stop = int(found[1]), min(int(found[2]), len(data) - 1)
                    body, status = data[start : stop + 1], 206
                self.send_response(status)
                self._cors()
                if status == 206:
                    self.send_header("Content-Range", f"bytes {start}-{stop}/{len(data)}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)
                    site.sent += len(body)

            def _cors(self):
                if site.cors:
                    self.send_header("Access-Control-Allow-Origin", "*")
                    self.send_header("Access-Control-Allow-Headers", "*")
                    self.send_header("Access-Control-Expose-Headers", "Content-Range")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def address(self):
        return f"{self.origin}/town.tif"

    def read(self, asked):
        """What lies at a path, or ``None``."""
        if self.data:
            return self.data
        file = self.path / asked.lstrip("/")
        return file.read_bytes() if file.is_file() else None


@pytest.fixture
def range_server(town):
    site = RangeServer(town)
    yield site
    site.server.shutdown()


def use_address(page, address):
    page.wait_whole()
    page.tab.click("#imagery summary")
    page.tab.fill("#own-url", address)
    page.tab.press("#own-url", "Enter")


def test_a_file_at_an_address_is_read_in_parts(open_page, range_server):
    page = open_page(TOWN)
    use_address(page, range_server.address)
    page.tab.wait_for_selector(".leaflet-tile-pane canvas", state="attached")
    wait_drawn(page)
    assert page.classify().facts["Credit"] == "town.tif"
    assert 0 < range_server.sent < len(range_server.data)


@pytest.mark.parametrize("lacking", ["ranges", "cors"])
def test_a_server_without_ranges_or_permission_is_said(open_page, range_server, lacking):
    setattr(range_server, lacking, False)
    page = open_page(TOWN)
    use_address(page, range_server.address)
    said = page.wait_notice()
    assert "doesn't let this page read parts of the file" in said
    assert page.classify().label

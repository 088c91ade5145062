"""Imagery in one file of tiles: the same chips as of the same tiles one by one."""

import numpy as np
import pytest

from pyapp.core.ground.geo import Bounds, Tile
from pyapp.core.imagery.pmtiles import Kind, tile_id
from pyapp.core.imagery.pmtiles_writer import written
from tests.browser.lookdown_page import LookdownPage
from tests.browser.native import jpeg_chip
from tests.browser.test_accessibility import violations
from tests.browser.test_orthophoto import RangeServer, forget, use_address
from tests.browser.test_own_pictures import PICKED, TOWN, put, wait_shown
from tests.core.test_mbtiles import write
from tests.jpeg_tiles import jpeg_tiles

BOUNDS = Bounds(85.508, 27.625, 85.532, 27.644)
SAID = {"name": "Town", "attribution": "&copy; <img src=x onerror=alert(1)>Survey", "format": "jpg",
        "date": "2021-11", "bounds": ",".join(map(str, BOUNDS))}  # fmt: skip


@pytest.fixture(scope="module")
def tiles():
    """The built-in ground, from zoom 14 on."""
    found = {}
    for path in jpeg_tiles().glob("*/*/*.jpg"):
        zoom, x, y = (int(each) for each in path.with_suffix("").parts[-3:])
        found[Tile(x, y, zoom)] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def pmtiles(tiles, tmp_path_factory):
    path = tmp_path_factory.mktemp("archives") / "town <img src=x>.pmtiles"
    ordered = sorted(tiles.items(), key=lambda each: tile_id(each[0]))
    path.write_bytes(b"".join(written(ordered, Kind.JPEG, BOUNDS, SAID)))
    return path


@pytest.fixture(scope="module")
def mbtiles(tiles, tmp_path_factory):
    return write(tmp_path_factory.mktemp("archives") / "town.mbtiles", "shared", tiles, SAID)


def see(page, path):
    forget(page)
    page.drop(path.name, path.read_bytes())
    wait_shown(page, path.name)


def test_files_of_tiles_are_seen_classified_and_remembered(open_page, pmtiles, mbtiles):
    page = open_page(TOWN, before=lambda context: context.add_init_script(PICKED))
    tab = page.tab
    tab.wait_for_selector("html[data-whole]", state="attached")
    for path in (pmtiles, mbtiles):
        see(page, path)
        shown = page.classify()
        np.testing.assert_array_equal(shown.chip, jpeg_chip(shown.footprint))
        assert shown.facts["Credit"] == "© Survey", "markup is left out"
    tab.click("#imagery summary")
    assert "2021-11" in tab.inner_text("#source-list")
    assert violations(page) == []

    # What can't be shown is said, and what is shown stays.
    page.drop("roads.pmtiles", b"".join(written([(Tile(0, 0, 0), b"\x1a")], Kind.MVT, BOUNDS, {})))
    assert "roads.pmtiles hold vectors" in page.wait_notice()
    page.drop("short.pmtiles", pmtiles.read_bytes()[:200])
    tab.wait_for_function("document.querySelector('#notice p').textContent.includes('cut short')")
    page.drop("page.mbtiles", b"<!doctype html>")
    tab.wait_for_function("document.querySelector('#notice p').textContent.includes('no MBTiles')")
    assert tab.inner_text("#imagery-name") == mbtiles.name

    # Picked by handle: there again at the next visit.
    put(page, {"kept.mbtiles": mbtiles.read_bytes()})
    tab.click("#own-file")
    wait_shown(page, "kept.mbtiles")
    tab.wait_for_selector("#own-earlier li")
    tab.reload()
    page.wait_ready()
    tab.click("#imagery summary")
    tab.wait_for_selector("#own-earlier li")
    tab.click("#own-earlier button >> nth=0")
    wait_shown(page, "kept.mbtiles")
    again = page.classify()
    np.testing.assert_array_equal(again.chip, jpeg_chip(again.footprint))


@pytest.mark.parametrize("form", ["pmtiles", "mbtiles"])
def test_a_file_of_tiles_at_an_address_is_read_in_parts(open_page, request, form):
    path = request.getfixturevalue(form)
    site = RangeServer(path)
    address = site.address.replace("town.tif", f"town.{form}")
    try:
        page = open_page(TOWN)
        use_address(page, address)
        wait_shown(page, f"town.{form}")
        shown = page.classify()
        np.testing.assert_array_equal(shown.chip, jpeg_chip(shown.footprint))
        assert 0 < site.sent < len(site.data) / 2
        for lacking in ("ranges", "cors"):
            site.ranges = site.cors = True
            setattr(site, lacking, False)
            page.tab.fill("#own-url", f"{address}?{lacking}")
            page.tab.press("#own-url", "Enter")
            assert "doesn't let this page read parts of the file" in page.wait_notice()
            page.tab.click("#notice button")
    finally:
        site.server.shutdown()


def test_what_reads_them_comes_once_and_is_there_without_a_network(chromium, host, pmtiles):
    file = host.site / "later.zip"
    kept = file.read_bytes()
    file.unlink()
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = LookdownPage(context.new_page(), host.address)
    page.open(TOWN)
    page.wait_whole()
    page.drop(pmtiles.name, pmtiles.read_bytes())
    assert "could not be fetched" in page.wait_notice()
    file.write_bytes(kept)
    see(page, pmtiles)

    page.tab.reload()
    page.wait_kept()
    host.stop()
    page.tab.reload()
    page.wait_ready()
    page.wait_whole()
    see(page, pmtiles)
    assert page.classify().facts["Credit"] == "© Survey"
    context.close()

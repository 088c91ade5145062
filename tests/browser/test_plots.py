"""Plots of a table classified one by one; where one stands; and areas in files of other formats."""

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np

from pyapp.core.ground.geo import LngLat
from tests.browser.test_accessibility import violations

PATIENCE_MS = 90_000
PLACE = "#map=16/27.6335/85.5185"
COUNT = 50


def table(count=COUNT) -> bytes:
    """Plots as an office in Central Europe saves them; markup and a formula are text."""
    places = np.random.default_rng(3).uniform([27.6315, 85.5172], [27.6355, 85.5205], (count, 2))
    rows = [f"{count - each};Baum {each};{lat:.7f};{lng:.7f}".replace(".", ",")
            for each, (lat, lng) in enumerate(places)]  # fmt: skip
    rows[0] = rows[0].replace("Baum 0", "<img src=x onerror=alert(1)>")
    rows[1] = rows[1].replace("Baum 1", "=1+1")
    return "\n".join(["höhe;name;lat;lon", *rows, "0;nirgends;;", ""]).encode("latin-1")


def said(page) -> str:
    return page.tab.text_content("#plots-said")


def rows(page, column: int) -> list[str]:
    cells = page.tab.locator(f"#plots-table tbody tr:visible td:nth-child({column})")
    return cells.all_inner_texts()


def save(page, kind: str) -> bytes:
    with page.tab.expect_download() as download:
        page.tab.click(f"#plots-{kind}")
    return Path(download.value.path()).read_bytes()


def wait_done(page, count=COUNT) -> None:
    page.tab.wait_for_function(
        "n => document.getElementById('plots-said').textContent.startsWith(`${n} plots, done`)",
        arg=count,
    )


def test_plots_of_a_table_are_classified_across_a_reload_and_saved(open_page, tile_server):
    address = f"?imagery={tile_server.template}&maxzoom=18{PLACE}"
    page = open_page(address, before=lambda context: context.set_default_timeout(PATIENCE_MS))
    page.tab.set_default_timeout(PATIENCE_MS)
    page.tab.click("#agree button[value=yes]")
    page.wait_whole()
    assert page.tab.is_hidden("#plots"), "the room stays hidden until there is a file"
    page.drop("wrong.csv", b"a;b\n1;2\n")
    assert page.wait_notice("names no columns lat and lon")
    page.tab.keyboard.press("Escape")

    page.drop("trees.csv", table())
    page.tab.wait_for_selector("#plots[open]")
    assert "1 row has no usable coordinates" in page.tab.inner_text("#plots-found")
    assert rows(page, 2)[:2] == ["<img src=x onerror=alert(1)>", "=1+1"], "markup is text"
    assert page.tab.is_hidden("#plots-doubt")
    page.tab.click("#plots-swap")
    assert "seem to be swapped" in page.tab.inner_text("#plots-doubt")
    page.tab.click("#plots-swap")
    assert page.tab.is_hidden("#plots-doubt")
    assert violations(page) == []

    # Closed in the middle, without a warning, it goes on where it was.
    page.tab.click("#plots-start")
    page.tab.wait_for_function("parseInt(document.getElementById('plots-said').textContent) >= 8")
    assert page.tab.inner_text("#plots-start") == "Pause"
    seen = int(said(page).split()[0])
    page.tab.reload()
    page.wait_ready()
    page.tab.wait_for_selector("#agree[open]")
    page.tab.click("#agree button[value=yes]")
    page.tab.wait_for_selector("#plots:not([hidden])")
    page.tab.click("#plots summary")
    again = int(said(page).split()[0])
    assert seen <= again < COUNT
    page.tab.click("#plots-start")
    wait_done(page)
    assert page.tab.is_hidden("#plots-start")

    # Sorted by each column; the keys go from row to row, and the square goes along.
    page.tab.click("[data-sort=probability]")
    page.tab.click("[data-sort=probability]")
    chances = [int(each.strip("<> %")) for each in rows(page, 4) if each]
    assert len(chances) == COUNT and chances == sorted(chances, reverse=True)
    page.tab.click("[data-sort=label]")
    assert page.tab.get_attribute("th:has([data-sort=label])", "aria-sort") == "ascending"
    page.tab.select_option("#plots-column", label="höhe")
    page.tab.click("[data-sort=column]")
    assert rows(page, 2) == [str(each) for each in range(COUNT)]
    page.tab.focus("#plots-table tbody tr:nth-child(3) button")
    before = page._span_count()
    page.tab.keyboard.press("ArrowDown")
    page.wait_answer(before)
    assert page.tab.evaluate("document.activeElement.textContent") == "48"
    best = page.shown().best[0][0]
    assert rows(page, 3)[3] in (page.shown().label, f"not sure ({best})")

    saved = save(page, "csv").decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(saved), delimiter=";"))
    assert [each["höhe"] for each in found] == [str(COUNT - each) for each in range(COUNT + 1)]
    assert found[1]["name"] == "'=1+1" and found[COUNT]["state"] == "no coordinates"
    assert {each["state"] for each in found[:COUNT]} == {"classified"}
    assert {each["source"] for each in found[:COUNT]} == {"127.0.0.1"}
    assert all("," in each["probability"] for each in found[:COUNT])
    line = found[47]
    assert line["best"] == best
    assert abs(float(line["lat"].replace(",", ".")) - page.shown().footprint.centre.lat) < 1e-5
    features = json.loads(save(page, "geojson"))["features"]
    assert features[COUNT]["geometry"] is None and features[1]["properties"]["name"] == "=1+1"

    page.tab.click("#plots-close")
    page.tab.wait_for_selector("#plots", state="hidden")
    page.tab.click("#undo")
    page.tab.wait_for_selector("#plots", state="visible")
    assert said(page).startswith(f"{COUNT} plots, done")


KML = b"""<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<NetworkLink><Link><href>https://example.org/more.kml</href></Link></NetworkLink><Placemark>
<name>&lt;b&gt;Town</name><Polygon><outerBoundaryIs><LinearRing><coordinates>
85.5165,27.6320 85.5205,27.6320 85.5205,27.6350 85.5165,27.6350 85.5165,27.6320
</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"""
GPX = b"""<gpx version="1.1"><trk><trkseg><trkpt lat="27.6320" lon="85.5165"/><trkpt lat="27.6320"
lon="85.5205"/><trkpt lat="27.6350" lon="85.5205"/></trkseg></trk></gpx>"""
BOMB = b'<!DOCTYPE kml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><kml>&b;</kml>'


def test_one_stands_on_the_map_and_areas_come_in_any_format(open_page):
    standing = {"latitude": 27.6335, "longitude": 85.5185, "accuracy": 45}

    def prepare(context):
        context.grant_permissions(["geolocation"])
        context.set_geolocation(standing)

    page = open_page("#map=15/27.62/85.52", before=prepare)
    page.tab.set_default_timeout(PATIENCE_MS)
    page.wait_whole()
    assert page.tab.is_visible("#locate") and page.tab.locator(".accuracy").count() == 0
    page.tab.click("#locate")
    page.tab.wait_for_selector("#located:not([hidden])")
    assert page.tab.inner_text("#located") == "You are within 50 m of here"
    assert page.tab.locator("path.accuracy").count() == 1
    shown = page.classify()
    at = LngLat(standing["longitude"], standing["latitude"])
    assert np.allclose(shown.footprint.centre, at, atol=1e-5)
    # Pressed again, the square follows, until the map is dragged or it is pressed once more.
    page.tab.click("#locate")
    assert page.tab.get_attribute("#locate", "aria-pressed") == "true"
    page.tab.context.set_geolocation(standing | {"latitude": 27.6345})
    page.tab.wait_for_function("document.getElementById('result').classList.contains('stale')")
    assert np.allclose(page.classify().footprint.centre, (85.5185, 27.6345), atol=1e-5)
    assert violations(page) == []
    page.tab.click("#locate")
    assert page.tab.locator(".accuracy").count() == 0 and page.tab.is_hidden("#located")
    page.tab.context.clear_permissions()
    page.tab.click("#locate")
    assert page.wait_notice("may not tell this page where you are")
    page.tab.keyboard.press("Escape")

    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("doc.kml", KML)
    page.tab.click("#survey summary")
    page.tab.set_input_files(
        "#area-file", {"name": "town.kml", "mimeType": "text/xml", "buffer": KML}
    )
    page.tab.wait_for_function("document.getElementById('plan').textContent.includes('tiles')")
    whole = int(page.tab.inner_text("#plan").split()[0])
    for name, data, share in (("a.gpx", GPX, 0.5), ("a.kmz", zipped.getvalue(), 1)):
        page.drop(name, data)
        page.tab.wait_for_function(
            "n => Math.abs(parseInt(document.getElementById('plan').textContent) - n) < 8",
            arg=share * whole,
        )
    page.drop("bomb.kml", BOMB)
    assert page.wait_notice("declares a document type")
    page.drop("cut.zip", zipped.getvalue()[:-60])
    page.tab.wait_for_function(
        "(text => text && !text.includes('document type'))"
        "(document.querySelector('#notice p').textContent)"
    )
    assert "project" in page.notice(), "no zip of anything else is known"
    assert page.classify().label

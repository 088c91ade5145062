"""Surveys too large to be opened whole: made by the command, their map and squares seen here."""

import re
import shutil

import pytest

from pyapp.core.ground.geo import Tile
from pyapp.core.imagery.pmtiles import Kind
from pyapp.core.imagery.pmtiles_writer import written
from pyapp.core.pyramid.facts import FILE
from tests.browser.test_accessibility import violations
from tests.browser.test_archives import BOUNDS
from tests.browser.test_orthophoto import RangeServer, use_address
from tests.native.conftest import area_file
from tests.native.conftest import lookdown as run_command

pytest.importorskip("distributed", reason="needs Python 3.11")
arrow = pytest.importorskip("pyarrow.parquet", reason="needs Python 3.11")
HERE = "#map=17/27.628500/85.522800"
FROM_AFAR = "#map=4/20.0/80.0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set of the built-in town with its map."""
    where = tmp_path_factory.mktemp("large")
    area = area_file(where / "area.geojson", 85.518, 27.6225, 85.5275, 27.6315)
    done = run_command("survey", area, "--out", where / "town", "--workers", 1, "--block", 4,
                       "--tiles")  # fmt: skip
    assert done.returncode == 0 and "The page opens" in done.stdout, done.stderr
    return where / "town"


@pytest.fixture
def served(folder):
    site = RangeServer(folder)
    yield site
    site.server.shutdown()


@pytest.fixture(scope="module")
def rows(folder):
    """What the data set says, by cell."""
    found = {}
    for file in folder.glob("part-*.parquet"):
        for row in arrow.read_table(file).to_pylist():
            found[row["cell"]] = row
    return found


def wait_large(page):
    page.tab.wait_for_selector("#large:not([hidden])")
    page.tab.wait_for_selector(".leaflet-large-pane canvas[data-drawn]", state="attached")


def click_square(page, right, down):
    """Click on the map; what the page says of the square, once it does."""
    x, y = page.map_middle()
    page.tab.mouse.click(x + right, y + down)
    page.tab.wait_for_function(
        "!/^(Reading|Click)/.test(document.querySelector('#large-square').textContent)"
    )
    return page.tab.inner_text("#large-square"), page.tab.inner_text("#large-evidence")


def cell_of_square(page, rows):
    """The row of the cell that the square stands on."""
    lat, lng = map(float, re.search(r"square=([-\d.]+)/([-\d.]+)", page.tab.url).groups())
    found = [row for row in rows.values() if _holds(row, lng, lat)]
    assert len(found) == 1
    return found[0]


def _holds(row, lng, lat):
    import shapely

    return shapely.from_wkb(row["geometry"]).contains(shapely.Point(lng, lat))


def test_its_map_totals_and_squares_are_read_from_an_address(open_page, served, rows):
    page = open_page(HERE)
    use_address(page, f"{served.origin}/{FILE}")
    wait_large(page)
    assert f"{len(rows)} squares of 80 m" in page.tab.inner_text("#large-counted")
    counted = dict(re.findall(r"^([a-z -]+)\n?\t([\d,]+)", page.tab.inner_text("#large-legend"),
                              re.MULTILINE))  # fmt: skip
    unsure = sum(row["state"] == "classified" and row["class"] is None for row in rows.values())
    assert int(counted["not sure"]) == unsure
    tops = {row["path"].split(" > ")[0].split(" › ")[0] for row in rows.values() if row["path"]}
    assert tops <= counted.keys()

    before = served.sent
    said, evidence = click_square(page, -60, 40)
    page.tab.wait_for_url(re.compile("square="))
    row = cell_of_square(page, rows)
    if row["class"] is None:
        assert said.startswith("Not sure") or "no imagery" in said
    else:
        assert said.startswith(f"{row['class']} {row['score']:.0%}")
    assert row["chip_sha256"] is None or row["chip_sha256"][:12] in evidence
    # What the page itself says of the square is the same.
    page.wait_answer()
    read = served.sent - before
    whole = (served.path / f"part-{0:06d}-{0:06d}.parquet").stat().st_size
    assert 0 < read < whole, "embeddings and polygons are not read"
    assert violations(page) == []

    page.tab.keyboard.press("o")
    assert page.tab.evaluate("document.querySelector('.leaflet-large-pane').style.opacity") == "0"
    page.tab.keyboard.press("o")
    page.tab.click("#large-close")
    page.tab.wait_for_selector("#large", state="hidden")
    assert page.tab.locator(".leaflet-large-pane canvas").count() == 0


def test_files_of_the_device_are_read_as_well(open_page, folder):
    page = open_page(HERE)
    page.wait_whole()
    # The map alone: all is there but what is known of a square.
    page.drop(FILE, (folder / FILE).read_bytes())
    wait_large(page)
    x, y = page.map_middle()
    page.tab.mouse.click(x - 60, y + 40)
    assert "drop it together with the files of its folder" in page.wait_notice()
    page.tab.click("#notice button")
    page.drop_all({each.name: each.read_bytes() for each in folder.glob("*.p*")})
    page.tab.wait_for_function(
        "document.querySelector('#large-square').textContent.startsWith('Click')"
    )
    said, _ = click_square(page, 60, 60)
    assert said and "lies outside" not in said
    # Far from it, a click moves the square as always.
    page.tab.evaluate("location.hash = '#map=16/27.70/85.52'")
    page.tab.wait_for_url(re.compile("map=16/27.70"))
    page.tab.mouse.click(x, y)
    page.tab.wait_for_url(re.compile(r"square=27\.[67]|map=16/27.70\d*/85.52\d*$"))
    assert page.tab.inner_text("#large-square") == said


def test_what_is_damaged_is_said(open_page, folder, tmp_path):
    copy = tmp_path / "town"
    shutil.copytree(folder, copy)
    for part in copy.glob("part-*.parquet"):
        part.write_bytes(part.read_bytes()[:-3000])
    site = RangeServer(copy)
    page = open_page(HERE)
    use_address(page, f"{site.origin}/{FILE}")
    wait_large(page)
    x, y = page.map_middle()
    page.tab.mouse.click(x - 60, y + 40)
    assert "can't be read: it is out of reach, damaged" in page.wait_notice()
    tile = [(Tile(0, 0, 0), b"\x89PNG\r\n\x1a\n")]
    for said in ({"format": "lookdown pyramid 9"}, {"format": "lookdown pyramid 1"}, []):
        data = b"".join(written(tile, Kind.PNG, BOUNDS, {"lookdown": said}))
        page.drop("other.pmtiles", data)
        page.wait_notice("made by a later version")
        page.tab.click("#notice button")
    assert page.tab.is_visible("#large"), "what lay on the map stays"
    site.server.shutdown()


def test_a_link_opens_it_from_another_site_only_if_agreed(open_page, served):
    page = open_page(f"?survey={served.origin}/{FILE}{FROM_AFAR}")
    page.tab.wait_for_selector("#agree-survey[open]")
    assert served.origin in page.tab.inner_text("#agree-survey")
    assert not served.sent
    page.tab.click("#agree-survey button[value=no]")
    page.tab.reload()
    page.tab.wait_for_selector("#agree-survey[open]")
    page.tab.click("#agree-survey button[value=yes]")
    wait_large(page)
    # It is shown where it lies.
    page.tab.wait_for_url(re.compile(r"map=1\d/27\.6"))
    page.tab.set_viewport_size({"width": 360, "height": 740})
    box = page.tab.locator("#large").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 360

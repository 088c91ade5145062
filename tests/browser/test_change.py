"""Two dates compared: on a place where some houses became fields, and what can go wrong."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.browser.test_accessibility import violations
from tests.browser.tile_server import TileServer
from tests.jpeg_tiles import jpeg_tiles

HERE = "#map=18/27.632900/85.523900"
FIELDS, ZOOM = (193343, 110128), 18
COLUMNS, ROWS = range(193347, 193351), range(110119, 110123)


def alone(_context) -> None:
    """For a page that shall have a browser's memory of its own."""


@pytest.fixture
def later(tmp_path):
    """A site with imagery of a later date: where there were houses are fields."""
    folder = tmp_path / "later"
    shutil.copytree(jpeg_tiles(), folder)
    fields = Image.open(folder / f"{ZOOM}/{FIELDS[0]}/{FIELDS[1]}.jpg")
    for x in COLUMNS:
        for y in ROWS:
            # Each is the mirror image of its neighbours, so that there are no seams.
            tile = ImageOps.mirror(fields) if x % 2 else fields
            tile = ImageOps.flip(tile) if y % 2 else tile
            file = folder / f"{ZOOM}/{x}/{y}.jpg"
            # The folder may share its files with others.
            file.unlink(missing_ok=True)
            file.parent.mkdir(exist_ok=True)
            tile.save(file, quality=92)
    with TileServer(folder) as server:
        yield server


def use(page, server) -> None:
    """Choose the imagery of a server."""
    page.tab.click("#imagery summary")
    page.tab.fill("#own-url", server.template)
    page.tab.fill("#own-zoom", "18")
    page.tab.click("#own button[type=submit]")
    page.open_survey_panel()


def wait_compared(page) -> None:
    """Wait until the comparison is done."""
    page.tab.wait_for_selector("#change-found:not([hidden])")
    page.tab.wait_for_selector("#change-work", state="hidden")


def said(page) -> str:
    return page.tab.text_content("#change-said")


def test_houses_that_became_fields_are_found_and_nothing_else(open_page, later):
    page = open_page(HERE, before=alone)
    tab = page.tab
    tab.wait_for_selector("html[data-whole]", state="attached")
    tab.keyboard.press("j")
    assert "There is no survey to compare yet" in page.wait_notice()
    page.survey_view()
    squares = page.legend_total()[0]
    tab.keyboard.press("j")
    tab.wait_for_selector("#changing:not([hidden])")
    assert "no other imagery of this place" in said(page)
    tab.keyboard.press("j")
    tab.wait_for_selector("#changing", state="hidden")
    use(page, later)
    tab.keyboard.press("j")
    tab.wait_for_selector("#change-plan:not([hidden])")
    tab.click("#change-start")
    wait_compared(page)

    assert "changed (" in said(page)
    assert "date unknown" in tab.text_content("#change-pair")
    assert "within 2 pixels" in tab.text_content("#change-lie")
    assert tab.is_hidden("#change-correct-row")
    rows = tab.locator("#change-table tbody tr").all_inner_texts()
    assert rows and all(row.split("→")[0].strip() == "built-up" for row in rows)
    assert {row.split("→")[1].split("\t")[0].strip() for row in rows} <= {
        "farmland", "open land", "grass or fields"
    }  # fmt: skip

    # Square by square, on both dates; and under the swipe the later picture.
    tab.locator("#change-table button").first.click()
    tab.wait_for_selector("#change-square:not([hidden])")
    tab.wait_for_function("document.getElementById('change-after').width === 192")
    before, after = (
        np.array(tab.evaluate(
            "id => [...document.getElementById(id).getContext('2d')"
            ".getImageData(0, 0, 192, 192).data]", f"change-{date}",
        )).reshape(192, 192, 4) for date in ("before", "after")
    )  # fmt: skip
    assert np.abs(before - after).mean() > 20
    # Fields are green.
    assert (after[..., 1] > after[..., 2]).mean() > 0.9
    tab.evaluate(
        "() => { const slider = document.getElementById('change-swipe'); slider.value = 0;"
        " slider.dispatchEvent(new Event('input')); }"
    )
    tab.wait_for_selector(".leaflet-swipe-pane .leaflet-tile-loaded", state="attached")
    assert "polygon" in tab.evaluate("document.querySelector('.leaflet-swipe-pane').style.clipPath")
    assert tab.text_content("#imagery-name") == "Banepa, Nepal"

    table = list(csv.DictReader(io.StringIO(page.save_by("#change-csv").decode())))
    changed = [row for row in table if row["change"] == "changed"]
    assert 0 < len(changed) < len(table) and len(table) >= squares
    west, east = (column / 2**ZOOM * 360 - 180 for column in (COLUMNS[0], COLUMNS[-1] + 1))
    assert all(west < float(row["lng"]) < east for row in changed)
    facts = json.loads(page.save_by("#change-geojson"))
    assert len(facts["features"]) == len(table)
    assert violations(page) == []

    # Judged on both dates by keys; the page's others rest meanwhile.
    assert "Nobody has checked this" in tab.text_content("#change-checked")
    tab.click("#change-check")
    tab.wait_for_selector("#change-says:not([hidden])")
    count = int(tab.text_content("#change-checked").split()[2])
    tab.keyboard.press("s")
    assert tab.evaluate("document.getElementById('survey').open")
    for _ in range(count - 1):
        called = tab.locator("#change-says button").count() == 4
        tab.keyboard.press("1" if called else "3")
    tab.keyboard.press("0")
    tab.wait_for_function(
        "document.getElementById('change-checked').textContent.includes('Changed: ')"
    )
    checked = tab.text_content("#change-checked")
    assert f"{count} of {count} squares judged, 1 can't tell" in checked
    assert "of what is called changed" in checked.lower()
    assert " to " in tab.locator("#change-table small").first.text_content()
    facts = json.loads(page.save_by("#change-geojson"))["lookdown"]["check"]
    assert facts["changed_ha"]["low"] <= facts["changed_ha"]["value"] <= facts["changed_ha"]["high"]
    tab.click("#change-turn")
    assert tab.text_content("#change-pair").endswith("turns it round.")
    rows = tab.locator("#change-table tbody tr").all_inner_texts()
    assert all(row.split("→")[1].split("\t")[0].strip() == "built-up" for row in rows)
    tab.keyboard.press("j")
    tab.wait_for_selector("#changing", state="hidden")
    assert tab.locator(".change-picture").count() == 0

    # Both surveys are kept: after a reload they are compared without surveying again.
    tab.reload()
    page.wait_ready()
    page.open_survey_panel()
    tab.locator("#survey-list button.open").last.click()
    page.wait_survey()
    tab.keyboard.press("j")
    tab.wait_for_selector("#change-plan:not([hidden])")
    assert tab.locator("#change-with option").count() == 1
    tab.click("#change-start")
    tab.wait_for_function(
        "document.getElementById('change-said').textContent.includes('is not in the list')"
    )
    use(page, later)
    tab.click("#change-start")
    wait_compared(page)
    assert "changed (" in said(page)
    assert tab.text_content("#change-checked") == checked


def test_pictures_that_lie_apart_are_said_and_corrected(open_page, tmp_path):
    """The later imagery lies eight pixels too far to the east."""
    folder = tmp_path / "shifted"
    shift = 8
    for file in (jpeg_tiles() / str(ZOOM)).glob("*/*.jpg"):
        left = file.parent.with_name(str(int(file.parent.name) - 1)) / file.name
        if not left.exists():
            continue
        joined = np.concatenate([np.asarray(Image.open(each)) for each in (left, file)], 1)
        out = folder / str(ZOOM) / file.parent.name / file.name
        out.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(joined[:, 256 - shift : 512 - shift]).save(out, quality=95)
    with TileServer(folder) as server:
        page = open_page(HERE, before=alone)
        tab = page.tab
        page.survey_view()
        use(page, server)
        tab.click("#change")
        tab.click("#change-start")
        wait_compared(page)
        said = tab.text_content("#change-lie")
        # Eight pixels of zoom 18 at this latitude are 4.2 m.
        assert "The later picture lies 4." in said and "What changed may be that alone" in said
        tab.check("#change-correct")
        tab.wait_for_function(
            "document.getElementById('change-lie').textContent.includes('which is corrected')"
        )
        wait_compared(page)
        assert "0 squares changed" in tab.text_content("#change-said")
        moved = json.loads(page.save_by("#change-geojson"))["lookdown"]["corrected_shift_m"]
        assert moved[0] == pytest.approx(4.2, abs=0.5) and abs(moved[1]) < 0.5


def test_imagery_that_disappears_in_the_middle(open_page, later):
    page = open_page(HERE, before=alone)
    tab = page.tab
    page.survey_view()
    use(page, later)
    tab.click("#change")
    later.mood = "refusing"
    tab.click("#change-start")
    tab.wait_for_function(
        "document.getElementById('change-said').textContent.includes('on both dates, so nothing')"
    )
    # Nothing is lost: it can be tried again.
    later.mood = "well"
    tab.click("#change-start")
    wait_compared(page)
    assert "changed (" in said(page)

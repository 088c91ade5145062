"""A survey is checked: squares judged by keys, figures, a reload in the middle, files."""

import csv
import io
import json

import pytest

HERE = "#map=18/27.629500/85.520000"
KEY_MS = 50


def alone(_context) -> None:
    """For a page that shall have a browser's memory of its own."""


@pytest.fixture
def surveyed(open_page):
    page = open_page(HERE, before=alone)
    page.survey_view()
    return page


def judged(page) -> int:
    """How many squares are judged, as the window says it."""
    return int(page.tab.text_content("#judge-said").split()[0])


def press(page, keys: str) -> None:
    """Judge squares, one key each, once each is shown."""
    for key in keys:
        page.tab.wait_for_selector("#judge figure:not(.waiting)")
        page.tab.keyboard.press(key)


def test_a_survey_is_checked(surveyed):
    page, tab = surveyed, surveyed.tab
    tab.keyboard.press("k")
    tab.wait_for_selector("#checking:not([hidden])")
    # Squares that a sample can't have are refused with a sentence.
    tab.fill("#check-count", "3")
    tab.click("#check-start")
    assert "Choose from 10 to 2,000 squares" in tab.text_content("#check-said")
    tab.fill("#check-count", "20")
    tab.click("#check-start")
    tab.wait_for_selector("#judge[open]")
    others = tab.locator("#judge-others button").all_inner_texts()
    assert "something else" in others[0] and "can't tell" in others[1]
    tab.wait_for_selector("#judge figure:not(.waiting)")
    assert tab.evaluate("document.getElementById('judge-picture').width") == 384
    # What the survey says is shown only if it is wanted, and the page's other keys rest.
    assert tab.text_content("#judge-answer") == ""
    tab.check("#judge-peek")
    assert tab.text_content("#judge-answer").startswith("The survey says: ")
    tab.uncheck("#judge-peek")
    tab.keyboard.press("s")
    assert tab.evaluate("document.getElementById('survey').open")
    tab.wait_for_timeout(1500)
    press(page, "1230x1")
    spans = tab.evaluate("performance.getEntriesByName('lookdown:judge').map(e => e.duration)")
    assert len(spans) == 6
    assert sorted(spans)[3] <= KEY_MS, spans
    tab.keyboard.press("Backspace")
    tab.wait_for_function("document.getElementById('judge-said').textContent.startsWith('5 of ')")
    assert "can't tell" in tab.text_content("#judge-said")
    tab.wait_for_function(
        "document.getElementById('judge-said').textContent.includes('The map is right on')"
    )
    tab.keyboard.press("Escape")
    tab.wait_for_selector("#judge", state="hidden")

    # A reload in the middle loses nothing.
    tab.reload()
    page.wait_ready()
    page.open_survey_panel()
    tab.click("#survey-list button.open")
    tab.click("#check")
    tab.wait_for_function("document.getElementById('check-said').textContent.startsWith('5 of ')")
    tab.click("#check-go-on")
    count = int(tab.text_content("#check-said").split()[2])
    press(page, "1" * (count - 5))
    tab.wait_for_selector("#judge", state="hidden")
    tab.wait_for_function(
        "n => document.getElementById('check-said').textContent.startsWith(`${n} of ${n}`)",
        arg=count,
    )
    assert "% (" in tab.text_content("#check-overall")
    rows = tab.locator("#check-table tbody tr").all_inner_texts()
    assert any(" to " in row for row in rows)
    assert "Olofsson" in tab.text_content("#check-notes")

    # Files: a table, the figures, and the survey itself.
    table = list(csv.DictReader(io.StringIO(page.save_by("#check-csv").decode())))
    assert len(table) == count and all(row["judged"] for row in table)
    facts = json.loads(page.save_by("#check-json"))
    assert 0 < facts["figures"]["overall"]["low"] < facts["figures"]["overall"]["high"] <= 1
    saved = page.save_survey("geojson")
    assert len(json.loads(saved)["lookdown"]["check"]["judgements"]) == count
    page.drop("again.geojson", saved)
    tab.wait_for_function("document.querySelectorAll('#survey-list li').length === 2")
    tab.click("#check")
    tab.wait_for_function(
        "n => document.getElementById('check-said').textContent.startsWith(`${n} of ${n}`)",
        arg=count,
    )


def test_imagery_that_disappears_in_the_middle(open_page, tile_server):
    page = open_page(f"?imagery={tile_server.template}&maxzoom=18{HERE}", before=alone)
    tab = page.tab
    tab.click("#agree button[value=yes]")
    page.wait_tiles()
    page.survey_view()
    # What was decoded of it is forgotten.
    tab.reload()
    page.wait_ready()
    tab.click("#agree button[value=yes]")
    page.open_survey_panel()
    tab.click("#survey-list button.open")
    tile_server.mood = "refusing"
    tab.click("#check")
    tab.click("#check-start")
    tab.wait_for_selector("#judge-wrong:not([hidden])")
    assert "403" in tab.text_content("#judge-wrong")
    tile_server.mood = "well"
    tab.click("#judge-again")
    tab.wait_for_selector("#judge figure:not(.waiting)")
    press(page, "1")
    tab.wait_for_function("document.getElementById('judge-said').textContent.startsWith('1 of ')")

"""What can go wrong with a survey: said in a sentence, nothing lost, the page goes on."""

import io
import json

import pytest
from PIL import Image, ImageDraw

from tests.browser.test_bad_input import spoil
from tests.browser.test_survey import NEAR, alone

# Where the built-in imagery ends.
GAP = "#map=19/27.634874/85.516205"


def open_on(open_page, tile_server):
    """Open the page near, on the tiles of another site, as a person who agrees to that."""
    page = open_page(f"?imagery={tile_server.template}&maxzoom=18{NEAR}")
    page.tab.click("#agree button[value=yes]")
    page.wait_tiles()
    return page


def test_tiles_that_fail_once_are_asked_for_again(open_page, tile_server):
    page = open_on(open_page, tile_server)
    tile_server.mood = "failing once"
    page.survey_view()
    assert "without imagery" not in page.survey_said()


def test_tiles_that_go_on_failing_are_marked_and_can_be_tried_again(open_page, tile_server):
    page = open_on(open_page, tile_server)
    tile_server.mood = "html"
    page.survey_view()
    assert "without imagery" in page.survey_said()
    states = {each["properties"]["state"] for each in page.features()}
    assert states == {"imagery failed"}
    tile_server.mood = "well"
    page.tab.click("#survey-retry")
    page.tab.wait_for_selector("#survey-retry", state="hidden")
    page.wait_survey()
    assert "without imagery" not in page.survey_said()
    assert sum(cells for cells, _ in page.legend().values()) > 0


def test_a_server_that_refuses_does_not_stop_the_survey(open_page, tile_server):
    page = open_on(open_page, tile_server)
    tile_server.mood = "refusing"
    page.survey_view()
    assert "without imagery" in page.survey_said()
    assert page.tab.is_visible("#survey-retry")


def test_placeholders_and_stretched_imagery_are_marked_and_not_classified(open_page, tile_server):
    page = open_on(open_page, tile_server)
    tile = Image.new("RGB", (256, 256), (204, 204, 204))
    ImageDraw.Draw(tile).text((50, 120), "Map data not yet available", fill=(120, 120, 120))
    tile_server.instead = encoded(tile)
    page.survey_view()
    assert "placeholder imagery" in page.survey_said()
    assert {each["properties"]["class"] for each in page.features()} == {None}
    photo = Image.open(next((tile_server.folder / "18").rglob("*.jpg"))).convert("RGB")
    part = photo.crop((96, 96, 128, 128)).resize((256, 256), Image.Resampling.BILINEAR)
    tile_server.instead = encoded(part)
    page.start_survey()
    page.tab.wait_for_function(
        "document.getElementById('survey-said').textContent.includes('blurred')"
    )


def encoded(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


def test_too_large_an_area_is_said_and_a_coarser_step_offered(open_page):
    page = open_page("#map=14/27.6295/85.52")
    page.survey_view("0.5", start=False)
    assert "there is room for 20,000" in page.tab.inner_text("#plan-error")
    assert page.tab.is_disabled("#survey-start")
    page.tab.click("#plan-coarser")
    assert page.tab.inner_text("#plan-error") == ""
    assert "squares" in page.tab.inner_text("#plan")


def test_an_outline_that_crosses_itself_or_holds_nothing_is_said(open_page):
    page = open_page(NEAR)
    page.open_survey_panel()
    page.tab.keyboard.press("p")
    for x, y in ((450, 150), (850, 600), (850, 150), (450, 600)):
        page.tab.mouse.click(x, y)
    page.tab.keyboard.press("Enter")
    assert "crosses itself" in page.tab.inner_text("#plan-error")
    page.tab.keyboard.press("r")
    page.tab.mouse.click(450, 150)
    page.tab.mouse.click(470, 160)
    page.tab.wait_for_selector("#drawing", state="hidden")
    assert "smaller than one square (" in page.tab.inner_text("#plan-error")
    page.tab.keyboard.press("r")
    page.tab.keyboard.press("Escape")
    assert not page.tab.is_visible("#drawing")
    assert page.classify().label


def test_a_survey_over_the_date_line(open_page, tile_server):
    page = open_page(f"?imagery={tile_server.template}&maxzoom=18#map=19/-17/180")
    page.tab.click("#agree button[value=yes]")
    tile_server.instead = next((tile_server.folder / "18").rglob("*.jpg")).read_bytes()
    page.survey_view()
    lngs = [each["properties"]["footprint"]["centre"][0] for each in page.features()]
    assert min(lngs) < -179.9 and max(lngs) > 179.9
    assert {each["properties"]["state"] for each in page.features()} == {"classified"}


def test_imagery_that_may_not_be_analysed_in_bulk_switches_surveys_off(open_page):
    def forbid(data: bytes) -> bytes:
        sources = json.loads(data)
        sources[0]["allows"]["bulk"] = False
        return json.dumps(sources).encode()

    page = open_page(NEAR, before=spoil("**/imagery/sources.json", forbid))
    page.survey_view(start=False)
    said = page.tab.inner_text("#plan-error")
    assert "do not allow analysing it in bulk" in said
    assert "No other imagery of this list covers this place" in said
    assert page.tab.is_disabled("#survey-start")
    assert page.classify().label


def test_where_nothing_may_be_kept_the_survey_runs_and_says_so(open_page):
    def forbid(context) -> None:
        context.add_init_script(
            """Object.defineProperty(window, "indexedDB", {configurable: true, value: {
              open() { throw new DOMException("no", "SecurityError"); }}});"""
        )

    page = open_page(NEAR, before=forbid)
    page.survey_view()
    assert "This survey is not kept" in page.wait_notice()
    assert len(page.features()) >= 9
    assert not page.tab.is_visible("#surveys")
    # A good answer takes away only what is about answers.
    page.classify()
    assert "This survey is not kept" in page.notice()
    page.tab.keyboard.press("Escape")
    assert page.notice() == ""


def test_a_click_on_a_square_without_imagery_says_so_quietly(open_page):
    page = open_page(GAP, before=alone)
    page.survey_view()
    assert "without imagery" in page.survey_said()
    places = shares(page.features())
    # The panel of the survey would lie over its eastern squares.
    page.tab.keyboard.press("Escape")
    page.click_on_survey(*places["classified"])
    page.wait_answer()
    shown = page.shown()
    page.click_on_survey(*places["no imagery"])
    assert page.wait_notice() == "There is no imagery of this square."
    assert page.shown().label == shown.label
    # The next square that has an answer takes the message away.
    page.click_on_survey(*places["classified"])
    page.tab.wait_for_selector("#notice", state="hidden")


def shares(features) -> dict[str, tuple[float, float]]:
    """Where a square of each state lies, as shares of the survey's width and height."""
    rings = [each["geometry"]["coordinates"][0] for each in features]
    lngs = [lng for ring in rings for lng, _ in ring]
    lats = [lat for ring in rings for _, lat in ring]
    found = {}
    for each in features:
        lng, lat = each["properties"]["footprint"]["centre"]
        right = (lng - min(lngs)) / (max(lngs) - min(lngs))
        down = (max(lats) - lat) / (max(lats) - min(lats))
        if 0.1 < down < 0.9:
            found[each["properties"]["state"]] = right, down
    return found


def test_a_full_storage_does_not_stop_a_survey(open_page):
    page = open_page(NEAR, before=alone)
    page.wait_kept()
    client = page.tab.context.new_cdp_session(page.tab)
    origin = page.tab.evaluate("location.origin")
    client.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 1_000})
    page.survey_view()
    assert "storage of this device is full" in page.wait_notice()
    assert len(page.features()) >= 9


DAMAGE = """(store) => new Promise((resolve, reject) => {
  const asked = indexedDB.open("lookdown surveys");
  asked.onerror = reject;
  asked.onsuccess = () => {
    const change = asked.result.transaction(store, "readwrite");
    const each = change.objectStore(store).openCursor();
    each.onsuccess = () => {
      if (!each.result) return;
      each.result.update(store === "facts" ? {json: "{", done: 1, count: 9}
                                           : {numbers: new Uint8Array(7)});
      each.result.continue();
    };
    change.oncomplete = () => { asked.result.close(); resolve(); };
  };
})"""


@pytest.mark.parametrize("store", ["batches", "facts"])
def test_a_damaged_database_costs_no_more_than_what_is_damaged(open_page, store):
    page = open_page(NEAR, before=alone)
    page.survey_view()
    page.tab.wait_for_selector("#survey-list li")
    count = len(page.features())
    page.tab.evaluate(DAMAGE, store)
    page.tab.reload()
    page.wait_ready()
    page.open_survey_panel()
    if store == "batches":
        page.tab.locator("#survey-list").get_by_text("Open").click()
        page.tab.wait_for_selector("#survey-pause:has-text('Resume')")
        page.tab.click("#survey-pause")
    else:
        assert page.tab.locator("#survey-list li").count() == 0
        page.survey_view(start=False)
        page.start_survey()
    page.wait_survey()
    assert len(page.features()) == count

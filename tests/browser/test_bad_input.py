"""What goes wrong gets one sentence; the map goes on and the last answer stays."""

import contextlib
import json

import pytest
from playwright.sync_api import Error as PlaywrightError

from tests.browser.conftest import launch
from tests.browser.native import DEFAULT, MODELS

FACTS = json.loads((MODELS / DEFAULT / "card.json").read_text())

HOME = "#map=18/27.63220/85.52150"


def open_on(open_page, tile_server, **kwargs):
    """Open the page on the tiles of another site, as a person who agrees to that."""
    page = open_page(f"?imagery={tile_server.template}&maxzoom=18{HOME}", **kwargs)
    page.tab.click("#agree button[value=yes]")
    page.tab.wait_for_selector("#imagery-name:text('127.0.0.1')")
    return page


def assert_map_goes_on(page):
    before = page.tab.evaluate("location.hash")
    page.tab.click(".leaflet-control-zoom-out")
    page.tab.wait_for_function("before => location.hash !== before", arg=before)


@pytest.mark.parametrize(
    ("mood", "sentence"),
    [
        ("missing", "There is no imagery here (tile 18/"),
        ("refusing", "127.0.0.1 refused the request (HTTP 403)."),
        ("html", "is not a picture. Check the address of the imagery"),
        ("short", "is not a picture. Check the address of the imagery"),
        ("no-cors", "127.0.0.1 can't be read: it is out of reach, or it shows its pictures"),
    ],
)
def test_a_bad_tile_is_explained_and_the_last_answer_stands(open_page, tile_server, mood, sentence):
    page = open_on(open_page, tile_server)
    good = page.classify()
    tile_server.mood = mood
    page.tab.evaluate("location.hash = '#map=18/27.62600/85.52400'")
    page.tab.click("#here")
    page.tab.click("#classify")
    assert sentence in page.wait_notice()
    assert page.shown().label == good.label
    assert page.shown().footprint == good.footprint
    assert_map_goes_on(page)
    tile_server.mood = "well"
    page.classify()
    assert page.notice() == ""


def test_a_slow_tile_ends_at_the_time_limit(open_page, tile_server):
    page = open_on(open_page, tile_server)
    good = page.classify()
    tile_server.mood = "slow"
    page.tab.evaluate("location.hash = '#map=18/27.62600/85.52400'")
    page.tab.click("#here")
    page.tab.click("#classify")
    assert page.wait_notice().startswith("The imagery did not arrive within 15 seconds.")
    assert page.shown().label == good.label
    assert page.tab.inner_text("#classify span") == "Classify"


def test_a_slow_tile_can_be_cancelled(open_page, tile_server):
    page = open_on(open_page, tile_server)
    # A tile that the map itself waits for would hold up the next request for it.
    page.wait_tiles()
    tile_server.mood = "slow"
    page.tab.click("#classify")
    page.tab.wait_for_selector("#classify:has-text('Cancel')")
    page.tab.keyboard.press("Escape")
    page.tab.wait_for_selector("#classify:has-text('Classify')")
    assert page.notice() == ""
    tile_server.mood = "well"
    assert page.classify().label


def test_imagery_without_cors_is_still_shown_and_said_to_be_unreadable(open_page, tile_server):
    tile_server.mood = "no-cors"
    page = open_on(open_page, tile_server)
    assert "without letting a page read them (no CORS)" in page.wait_notice()
    page.tab.wait_for_function(
        "[...document.querySelectorAll('.leaflet-tile-loaded')].some(tile => tile.naturalWidth > 1)"
    )


def test_a_link_to_another_site_is_followed_only_after_agreeing(open_page, tile_server):
    page = open_page(f"?imagery={tile_server.template}{HOME}")
    assert page.tab.inner_text("#agree-origin") == tile_server.origin
    assert tile_server.asked == []
    page.tab.click("#agree button[value=no]")
    page.tab.wait_for_function("!location.search.includes('imagery=')")
    assert page.classify().label
    assert tile_server.asked == []


def test_an_address_that_cannot_work_is_explained_where_it_is_typed(ready):
    ready.tab.click("#imagery summary")
    ready.tab.fill("#own-url", "https://tiles.example/{z}/{x}.jpg")
    ready.tab.press("#own-url", "Enter")
    assert "The address has no {y}" in ready.tab.inner_text("#own-error")
    assert ready.classify().label


def test_a_link_with_an_address_that_cannot_work_is_explained(open_page):
    page = open_page("?imagery=nowhere")
    assert "does not begin with https://" in page.wait_notice()
    assert page.classify().label


def test_where_the_built_in_imagery_ends_there_is_a_way_back(open_page):
    page = open_page("#map=18/10.0/10.0")
    page.tab.click("#classify")
    assert "There is no imagery here" in page.wait_notice()
    page.tab.click("#elsewhere button")
    page.tab.click("#here")
    assert page.classify().label


def test_past_the_edge_of_the_map(open_page):
    page = open_page("#map=18/85.0511/10")
    page.drag_square(0, -400)
    page.tab.click("#classify")
    assert "reaches past the edge of the map" in page.wait_notice()


def spoil(part, body):
    """Let a part of the site arrive altered, as from a host that serves it wrong."""

    def before(context):
        def answer(route):
            # A page that is closed meanwhile wants no answer.
            with contextlib.suppress(PlaywrightError):
                reply = route.fetch()
                data = body(reply.body())
                route.fulfill(status=404 if data is None else 200, body=data or b"")

        context.route(part, answer)

    return before


def without_class(card: bytes) -> bytes:
    """A card that lacks a class which stands directly under a top group."""
    facts = json.loads(card)
    facts["labels"].remove("harbour")
    facts["tree"]["water and shore"].remove("harbour")
    return json.dumps(facts).encode()


@pytest.mark.parametrize(
    ("part", "body", "sentence"),
    [
        ("**/model.onnx", lambda data: None, f"The model {DEFAULT} could not be loaded"),
        ("**/model.onnx", lambda data: data[:100_000], "is damaged or incomplete"),
        ("**/card.json", lambda data: None, f"The model {DEFAULT} could not be loaded"),
        ("**/card.json", lambda data: data[:40], f"The card of the model {DEFAULT} can't be used"),
        ("**/card.json", lambda data: without_class(data),
         f"its card names {len(FACTS['labels']) - 1} classes"),
        ("**/card.json", lambda data: data.replace(b'"tile_size": 192', b'"tile_size": 200'),
         "it does not take a chip of 200 pixels"),
        ("**/models/index.json", lambda data: None, "The list of models could not be loaded"),
        ("**/models/index.json", lambda data: data[:9], "The list of models can't be read"),
    ],
    ids=["missing", "cut", "no card", "cut card", "wrong classes", "wrong shape", "no list",
         "cut list"],
)  # fmt: skip
def test_a_model_that_cannot_be_used_leaves_the_map_usable(open_page, part, body, sentence):
    page = open_page(before=spoil(part, body), ready=False)
    assert sentence in page.wait_notice()
    assert page.tab.is_disabled("#classify")
    page.wait_map()
    assert_map_goes_on(page)
    # A picture that nothing can name is answered with the reason, not with silence.
    page.tab.click("#notice button")
    page.drop("picture.jpg", b"any")
    assert sentence in page.wait_notice()


def test_a_browser_without_simd_is_told_so(playwright, open_page):
    """The processor's SSE 4.1, which V8 needs for WebAssembly SIMD, is switched off."""
    browser = launch(playwright, "--js-flags=--no-enable-sse4-1")
    page = open_page(browser=browser, ready=False)
    assert "it lacks WebAssembly SIMD" in page.wait_notice()
    page.wait_map()
    assert_map_goes_on(page)
    browser.close()


@pytest.mark.parametrize(
    ("part", "body"),
    [
        ("**/pyodide.asm.wasm", lambda data: None),
        ("**/core.js", lambda data: None),
        ("**/app.zip", lambda data: None),
        ("**/main.py", lambda data: None),
        ("**/numpy*.whl", lambda data: data[:-100]),
        ("**/leaflet.esm.js", lambda data: None),
    ],
)
def test_a_runtime_that_does_not_arrive_is_told_on_the_start_screen(open_page, part, body):
    page = open_page(before=spoil(part, body), ready=False)
    page.may_crash = True
    page.tab.wait_for_selector("#start.failed")
    assert "Check the connection and reload the page" in page.tab.inner_text("#start-what")

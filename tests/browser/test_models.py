"""Several models: what is said of them, which one the imagery suits, and how they come and stay.

One more model than is shipped is `ucmerced` under another name, with another card: squares of
400 m, a tree.
"""

import json

import pytest

from tests.browser.lookdown_page import LookdownPage
from tests.browser.native import DEFAULT, MODELS

FACTS = json.loads((MODELS / DEFAULT / "card.json").read_text())
HERE = "#map=18/27.63392/85.51832"
SENTENCE = (
    "Far is not kept on this device and could not be fetched, so "
    f"{FACTS['title']} is used. Check the connection and choose it again."
)
MIND = "Learned from pictures published for research: check whether your use is research."


@pytest.fixture
def two(host):
    """A host with one more model than is shipped."""
    host.add_far()
    return host


@pytest.fixture
def visit(chromium, two):
    """Call it to open the page on a device that was never there."""
    device = chromium.new_context(viewport={"width": 1280, "height": 800})
    opened = []

    def open_one(address=""):
        page = LookdownPage(device.new_page(), two.address)
        opened.append(page)
        page.open(address)
        return page

    yield open_one
    device.close()
    assert [page.crashes for page in opened if page.crashes] == []


def row(page, name):
    return page.tab.locator("#model-list label").filter(has=page.tab.locator(f"[value={name}]"))


def choose(page, name):
    """Choose a model under "This device"."""
    if not page.tab.evaluate("document.getElementById('device').open"):
        page.tab.click("#device summary")
    page.tab.click(f"#model-list input[value={name}]")


def wait_used(page, side="400 m"):
    page.tab.wait_for_function(
        "side => document.getElementById('square').getAttribute('aria-label')"
        ".startsWith(`Square of ${side}`)",
        arg=side.replace(" m", ""),
    )


def wait_kept(page, name="far"):
    row(page, name).get_by_text("kept on this device").wait_for()


def onnx(host):
    """The models whose files were asked for."""
    return [path.split("/")[-2] for path in host.asked if path.endswith(".onnx")]


def test_only_the_default_is_fetched_at_first_and_each_says_what_it_is(visit, two):
    page = visit()
    page.wait_kept()
    page.tab.click("#device summary")
    wait_kept(page, DEFAULT)
    assert set(onnx(two)) == {DEFAULT}
    said = row(page, "far").inner_text()
    assert "For coarse imagery." in said
    assert "400 m of ground per square, 21 classes, 2.7 MB to fetch" in said
    assert "Licence: research use only" in said
    assert MIND in said
    default = row(page, DEFAULT).inner_text()
    side, classes = round(FACTS["footprint_m"]), len(FACTS["labels"])
    assert f"{side} m of ground per square, {classes} classes, 2.7 MB kept on this dev" in default
    assert (MIND in default) == ("use" in FACTS)
    assert f"Learned from {FACTS['training_data'][:30]}" in default
    assert f"Licence: {FACTS['licence'][:30]}" in default
    assert "Learned from pictures of elsewhere" not in said


def test_another_model_comes_with_progress_stays_and_works_without_a_network(visit, two):
    page = visit()
    page.wait_kept()
    two.slow_s = 5
    choose(page, "far")
    page.tab.wait_for_selector("#fetching p:has-text('of 2.7 MB')")
    assert page.tab.inner_text("#fetching p").startswith("Fetching Far: ")
    assert 0 < page.tab.evaluate("document.querySelector('#fetching progress').value") < 1
    wait_used(page)
    wait_kept(page)
    assert page.tab.is_hidden("#fetching")
    assert "Learned from pictures of elsewhere" in row(page, "far").inner_text()
    assert page.classify().footprint.side_m == 400
    # A newer release does not fetch it again.
    two.asked.clear()
    two.release("style.css", (two.site / "style.css").read_bytes() + b"/* newer */")
    page.tab.reload()
    page.tab.click("#newer button.primary")
    page.tab.wait_for_selector("#newer", state="hidden")
    page.wait_ready()
    two.stop()
    page.tab.reload()
    page.wait_ready()
    assert onnx(two) == []
    shown = page.classify()
    assert shown.facts["Model"] == "Far"
    assert shown.footprint.side_m == 400
    assert len(page.tab.evaluate("caches.keys()")) == 1


def test_a_model_that_cannot_be_fetched_is_said_and_the_one_in_use_stays(visit, two):
    page = visit()
    page.wait_kept()
    two.stop()
    choose(page, "far")
    assert page.wait_notice() == SENTENCE
    page.tab.wait_for_selector(f"#model-list input[value={DEFAULT}]:checked")
    assert page.tab.evaluate("location.search") == ""
    assert page.classify().facts["Model"].startswith(FACTS["title"])
    # A link that names it, without a network.
    page.tab.goto(two.address + "?model=far")
    page.wait_ready()
    assert page.wait_notice() == SENTENCE
    assert page.tab.evaluate("location.search") == ""
    assert page.classify().footprint.side_m == pytest.approx(FACTS["footprint_m"])
    two.start()
    choose(page, "far")
    wait_used(page)
    assert page.notice() == ""


def test_a_model_that_arrives_damaged_is_not_used_nor_kept(visit, two):
    two.release("models/far/model.onnx", b"spoilt", sha256="ab" * 32)
    page = visit()
    page.wait_kept()
    choose(page, "far")
    assert page.wait_notice() == SENTENCE
    # Told a moment after the sentence.
    row(page, "far").filter(has_text="2.7 MB to fetch").wait_for()
    assert page.classify().facts["Model"].startswith(FACTS["title"])


def test_fetching_can_be_cancelled(visit, two):
    page = visit()
    page.wait_kept()
    two.slow_s = 60
    choose(page, "far")
    page.tab.click("#fetching button")
    page.tab.wait_for_selector("#fetching", state="hidden")
    page.tab.wait_for_selector(f"#model-list input[value={DEFAULT}]:checked")
    assert page.tab.evaluate("location.search") == ""
    choose(page, "far")
    page.tab.wait_for_selector("#fetching:not([hidden])")
    page.tab.keyboard.press("Escape")
    page.tab.wait_for_selector("#fetching", state="hidden")
    assert page.notice() == ""
    assert page.classify().facts["Model"].startswith(FACTS["title"])


def test_a_model_that_a_link_names_is_kept_at_the_first_visit(visit, two):
    page = visit("?model=far" + HERE)
    # The square fits the map, which shows more ground for it.
    assert page.square_box()["height"] < 700
    page.wait_kept()
    page.tab.click("#device summary")
    wait_kept(page)
    two.stop()
    page.tab.reload()
    page.wait_ready()
    assert page.classify().facts["Model"] == "Far"


def test_the_model_that_suits_coarse_imagery_is_offered_beside_the_answer(visit, tile_server):
    page = visit(f"?imagery={tile_server.template}&maxzoom=16#map=16/27.63000/85.52000")
    page.tab.click("#agree button[value=yes]")
    page.tab.wait_for_selector("#suited:not([hidden])")
    assert page.tab.inner_text("#suited p") == "This imagery suits squares of 400 m:"
    first = page.classify()
    assert "trust it less" in first.facts["Imagery"]
    before = page._span_count()
    page.tab.focus("#suited button")
    assert page.tab.inner_text("#suited button") == "Use Far"
    page.tab.keyboard.press("Enter")
    page.wait_answer(before)
    shown = page.shown()
    assert shown.facts["Model"] == "Far"
    assert shown.footprint.side_m == 400
    assert "trust it less" not in shown.facts["Imagery"]
    assert page.tab.is_hidden("#suited")
    # Fine imagery is no reason to leave it.
    page.tab.click("#imagery summary")
    page.tab.check("#source-list input[value=sample]")
    page.classify()
    assert page.tab.is_hidden("#suited")
    choose(page, DEFAULT)
    wait_used(page, f"{round(FACTS['footprint_m'])} m")
    assert page.tab.is_hidden("#suited")


def test_without_a_limit_of_familiarity_nothing_is_called_unlike(visit):
    page = visit("?model=far#map=16/27.62950/85.52000")
    shown = page.classify()
    assert "unlike" not in shown.text.lower()
    page.survey_view()
    page.tab.wait_for_selector("#sure-means:not([hidden])")
    page.tab.fill("#sure-from", "0.4")
    assert page.tab.inner_text("#sure-means") == (
        "To be the answer, a group at the top needs 40%, a smaller group 40% and a class 40%, "
        "less than the 80% that the model vouches for."
    )
    written = json.loads(page.save_survey("geojson"))
    model = written["lookdown"]["survey"]["model"]
    assert (model["licence"], model["use"]) == ("research use only", "research")
    rows = [each["properties"] for each in written["features"]]
    named = [each for each in rows if each["state"] == "classified"]
    assert named and {each["familiarity"] for each in named} == {None}


def test_a_list_of_an_earlier_version_still_opens(open_page):
    def shorten(context):
        older = {"default": DEFAULT, "models": [{"name": DEFAULT, "title": "The old one"}]}
        context.route("**/models/index.json", lambda route: route.fulfill(json=older))

    page = open_page(before=shorten)
    page.tab.click("#device summary")
    page.tab.wait_for_selector("#model-list input:checked")
    assert row(page, DEFAULT).inner_text().startswith("The old one")
    assert page.classify().label

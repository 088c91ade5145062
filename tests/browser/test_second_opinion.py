"""Another model is asked about the square of an answer: its own ground, and the first one stays."""

import json

import onnxruntime
import pytest

from pyapp.core.ground.geo import Footprint
from pyapp.core.model.card import Card
from tests.browser.lookdown_page import LookdownPage
from tests.browser.native import DEFAULT, MODELS, Zooms, native_answer, native_chip, title

HERE = "#map=18/27.63392/85.51832"
BLUE = "path.second-square[stroke='#6cc6ff']"
OTHER = "wide"


@pytest.fixture
def answered(open_page):
    page = open_page(HERE)
    page.classify()
    page.tab.wait_for_selector("#another:not([hidden])")
    return page


def ask(page, name=OTHER):
    page.tab.click("#another > button")
    page.tab.click(f"#another-list button[value={name}]")
    page.tab.wait_for_selector("#second:not([hidden])")


def test_the_other_model_answers_for_its_own_ground_and_the_first_stays(answered, dist):
    page = answered
    before = page.shown()
    page.tab.click("#another > button")
    page.tab.wait_for_selector("#another-list:not([hidden])")
    listed = page.tab.locator("#another-list button").evaluate_all("all => all.map(e => e.value)")
    index = json.loads((MODELS / "index.json").read_text())
    assert listed == [each["name"] for each in index["models"] if each["name"] != DEFAULT]
    assert "400 m of ground per square" in page.tab.inner_text(f"#another-list [value={OTHER}]")
    page.tab.click(f"#another-list button[value={OTHER}]")
    page.tab.wait_for_selector("#second:not([hidden])")
    said = page.tab.inner_text("#second")
    card = Card.from_json(OTHER, (MODELS / OTHER / "card.json").read_text())
    place = Footprint(before.footprint.centre, card.footprint_m)
    chip = native_chip(dist / "imagery/sample", place, card, Zooms(18, 18))
    session = onnxruntime.InferenceSession(MODELS / OTHER / "model.onnx")
    wanted = native_answer(card, session, chip)
    assert said.startswith(card.title)
    assert title(wanted).casefold() in said.casefold()
    assert "Its square has 400 m and the same centre" in said
    assert "check whether your use is research" in said
    assert page.tab.locator(BLUE).count() == 1
    # The one in use is what it was, and its answer stands.
    shown = page.shown()
    assert (shown.label, shown.best) == (before.label, before.best)
    assert (shown.footprint, shown.facts["Model"]) == (before.footprint, before.facts["Model"])
    assert f"model={OTHER}" not in page.tab.url
    assert page.classify().facts["Model"] == before.facts["Model"]


def test_a_new_answer_a_moved_square_and_its_button_take_it_away(answered):
    page = answered
    ask(page)
    page.drag_square(60, 0)
    assert page.tab.locator(BLUE).count() == 0
    page.classify()
    assert page.tab.is_hidden("#second")
    ask(page)
    page.tab.click("#second > button")
    assert page.tab.is_hidden("#second")
    assert page.tab.locator(BLUE).count() == 0
    page.tab.keyboard.press("x")
    page.tab.wait_for_selector("#another-list:not([hidden])")
    assert page.tab.get_attribute("#another > button", "aria-expanded") == "true"


def test_it_is_not_there_before_an_answer_and_says_what_did_not_come(chromium, host):
    device = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = LookdownPage(device.new_page(), host.address)
    page.open(HERE)
    page.wait_kept()
    assert page.tab.is_hidden("#another")
    page.classify()
    before = page.shown().label
    host.stop()
    page.tab.click("#another > button")
    page.tab.click(f"#another-list button[value={OTHER}]")
    assert f"The model {OTHER}" in page.wait_notice()
    assert page.tab.is_hidden("#second") and page.tab.is_hidden("#another-said")
    assert page.classify().label == before
    host.start()
    ask(page)
    # Now it is here, so it is asked without a network, and is said to be here.
    host.stop()
    page.tab.click("#second > button")
    page.tab.click("#another > button")
    page.tab.wait_for_selector(f"#another-list [value={OTHER}] >> text=kept on this device")
    page.tab.click(f"#another-list button[value={OTHER}]")
    page.tab.wait_for_selector("#second:not([hidden])")
    assert page.crashes == []
    device.close()


def test_on_a_phone_it_fits(open_page):
    page = open_page(HERE, width=360, height=760)
    page.classify()
    page.tab.wait_for_selector("#another:not([hidden])")
    ask(page)
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= 360
    box = page.tab.locator("#second").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 360

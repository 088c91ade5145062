"""The way of one square, from the ground to the answer."""

import re

import numpy as np
import onnxruntime
import pytest

from pyapp.core.address import view_from
from pyapp.core.ground.geo import Pixel, pixel_at, place_at
from pyapp.core.model.card import Card
from tests.browser.conftest import launch
from tests.browser.native import DEFAULT, Zooms, listed, native_answer, native_chip, title

# On a tile, over an edge, over a corner of four tiles, and at other zooms of the map.
VIEWS = [
    "#map=18/27.63220/85.52150",
    "#map=18/27.63000/85.51600",
    "#map=17/27.62700/85.52400",
    "#map=20/27.62950/85.52620",
    "#map=15/27.63100/85.51900",
]


@pytest.fixture(scope="module")
def model(dist):
    """The shipped model, run by native onnxruntime."""
    folder = dist / "models" / DEFAULT
    card = Card.from_json(DEFAULT, (folder / "card.json").read_text())
    return card, onnxruntime.InferenceSession(folder / "model.onnx")


def assert_same_as_native(shown, model, dist):
    chip = native_chip(dist / "imagery/sample", shown.footprint, model[0], Zooms(18, 18))
    assert np.array_equal(shown.chip, chip), "the chip differs from the native one"
    answer = native_answer(*model, chip)
    assert shown.label == title(answer)
    by_label = {ranked.label: ranked.probability for ranked in answer.ranked}
    assert ("unlike anything i was trained on" in shown.text.lower()) == (not answer.familiar)
    assert [label for label, _ in shown.best] == [each.label for each in listed(answer)[:5]]
    for label, probability in shown.best:
        assert probability == pytest.approx(by_label[label], abs=0.001)


@pytest.mark.parametrize("view", VIEWS)
def test_the_page_says_what_native_onnxruntime_says(open_page, model, dist, view):
    shown = open_page(view).classify()
    centre = view_from(view).centre
    assert shown.footprint.centre == pytest.approx(centre, abs=1e-5)
    assert_same_as_native(shown, model, dist)


def test_a_dragged_square_is_classified_where_it_was_dropped(ready, model, dist):
    first = ready.classify()
    view = view_from(ready.tab.evaluate("location.hash"))
    ready.drag_square(130, -75)
    shown = ready.classify()
    start = pixel_at(first.footprint.centre, view.zoom)
    place = place_at(Pixel(start.x + 130, start.y - 75), view.zoom)
    assert shown.footprint.centre == pytest.approx(place, abs=2e-6)
    assert shown.footprint != first.footprint
    assert_same_as_native(shown, model, dist)


def test_the_answer_says_everything(ready):
    shown = ready.classify()
    assert shown.label.lower() in shown.text.lower()
    assert "%" in shown.text
    assert ready.tab.get_attribute("#said", "role") == "status"
    assert "0.53 m per pixel, coarser than the 0.42 m" in shown.facts["Imagery"]
    assert "HOTOSM" in shown.facts["Credit"]
    assert all(word in shown.facts["Time"] for word in ("read", "prepare", "infer", "ms"))
    probabilities = [probability for _, probability in shown.best]
    assert probabilities == sorted(probabilities, reverse=True)


def test_a_label_set_is_named_where_the_model_hesitates(open_page, model, dist):
    """If it isn't sure and two or three classes are likely, it names them and how often so."""
    for view in VIEWS:
        shown = open_page(view).classify()
        chip = native_chip(dist / "imagery/sample", shown.footprint, model[0], Zooms(18, 18))
        answer = native_answer(*model, chip)
        hesitates = answer.familiar and answer.answer is None and 1 < len(answer.likely) <= 3
        assert (" or " in shown.text) == hesitates
        if hesitates:
            assert all(each.label in shown.text.lower() for each in answer.likely)
            assert shown.text.endswith(f"{answer.coverage:.0%}")


def test_an_answer_is_as_fine_as_the_card_vouches_for(open_page, model, dist):
    """Its level's threshold is reached by what is answered, and by nothing finer."""
    card = model[0]
    for view in VIEWS:
        shown = open_page(view).classify()
        chip = native_chip(dist / "imagery/sample", shown.footprint, card, Zooms(18, 18))
        answer = native_answer(*model, chip)
        assert shown.label == title(answer)
        if answer.answer is not None:
            assert answer.answer_probability >= card.levels[answer.answer.level]
        if not answer.sure:
            assert answer.best.probability < card.levels.cls
        if answer.coarse:
            assert "which kind is unclear" in shown.text.lower() or not answer.familiar
            assert shown.text.lower().startswith(" › ".join(answer.path).lower()[:8])


def test_the_square_stays_the_same_ground_at_every_zoom(ready, model):
    at_18 = ready.square_box()
    ready.tab.click(".leaflet-control-zoom-in")
    ready.tab.wait_for_function("location.hash.startsWith('#map=19/')")
    ready.tab.wait_for_timeout(400)
    at_19 = ready.square_box()
    assert at_19["width"] == pytest.approx(2 * at_18["width"], abs=1.5)
    assert ready.classify().footprint.side_m == pytest.approx(model[0].footprint_m)


def test_the_square_follows_the_map_on_request(ready):
    ready.tab.check("#follow")
    ready.tab.mouse.move(900, 600)
    ready.tab.mouse.down()
    ready.tab.mouse.move(800, 500, steps=5)
    ready.tab.mouse.up()
    ready.tab.wait_for_timeout(800)
    box = ready.square_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(ready.map_middle()[0], abs=2)
    assert box["y"] + box["height"] / 2 == pytest.approx(400, abs=2)
    ready.drag_square(60, 0)
    assert not ready.tab.is_checked("#follow")


def test_a_click_and_the_button_bring_the_square(ready):
    ready.tab.mouse.click(900, 300)
    box = ready.square_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(900, abs=2)
    ready.tab.click("#here")
    box = ready.square_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(ready.map_middle()[0], abs=2)


def test_an_answer_for_other_ground_is_faded(ready):
    ready.classify()
    assert "stale" not in (ready.tab.get_attribute("#result", "class") or "")
    ready.drag_square(40, 0)
    assert "stale" in ready.tab.get_attribute("#result", "class")
    ready.classify()
    assert "stale" not in ready.tab.get_attribute("#result", "class")


def test_a_click_between_two_rows_of_the_five_best_does_nothing(ready):
    """It once ended in an error that no one caught, which `open_page` would find."""
    ready.classify()
    first, second = (ready.tab.locator("#best li").nth(each).bounding_box() for each in (0, 1))
    gap = (first["y"] + first["height"] + second["y"]) / 2
    assert first["y"] + first["height"] < gap < second["y"]
    ready.tab.mouse.click(first["x"] + 20, gap)
    assert ready.tab.locator("canvas.heat").count() == 0
    ready.tab.mouse.click(first["x"] + 20, first["y"] + 5)
    ready.tab.wait_for_selector("canvas.heat")


EMPTY = """() => {
  const map = document.getElementById("map").getBoundingClientRect();
  return [...document.querySelectorAll(".leaflet-tile")].filter((tile) => {
    const box = tile.getBoundingClientRect();
    const inside = box.right > map.left + 1 && box.left < map.right - 1
      && box.bottom > map.top + 1 && box.top < map.bottom - 1;
    return inside && tile.src.startsWith("data:");
  }).length;
}"""


@pytest.mark.parametrize("size", [(1280, 800), (1440, 900), (360, 740)])
def test_the_first_view_is_full_of_imagery_and_nothing_covers_the_square(open_page, size):
    page = open_page(width=size[0], height=size[1])
    page.wait_tiles()
    assert page.tab.evaluate(EMPTY) == 0
    box = page.square_box()
    for x, y in ((0.05, 0.05), (0.5, 0.5), (0.95, 0.95)):
        at = [box["x"] + x * box["width"], box["y"] + y * box["height"]]
        assert page.tab.evaluate(
            "([x, y]) => !!document.elementFromPoint(x, y)?.closest('#square')", at
        )


def test_a_place_to_try_is_gone_to_and_named(open_page, model):
    page = open_page("#map=17/27.6300/85.5200")
    page.tab.get_by_role("button", name="a river").click()
    page.wait_answer()
    shown = page.shown()
    assert shown.label == "river"
    assert shown.best[0][1] > model[0].levels.cls
    assert shown.footprint.centre == pytest.approx((85.52503, 27.62535), abs=1e-5)
    assert not page.tab.is_visible("#places")


def test_all_by_keyboard(ready):
    """Tab to the square, move it with arrows, press Enter."""
    ready.tab.focus("#square")
    before = ready.square_box()
    ready.tab.keyboard.press("ArrowRight")
    ready.tab.keyboard.press("Shift+ArrowDown")
    after = ready.square_box()
    assert after["x"] - before["x"] == pytest.approx(before["width"] / 10, abs=2)
    assert after["y"] - before["y"] == pytest.approx(before["height"], abs=2)
    ready.tab.keyboard.press("Enter")
    ready.wait_answer()
    assert ready.shown().label
    ready.tab.keyboard.press("c")
    box = ready.square_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(ready.map_middle()[0], abs=2)
    ready.tab.keyboard.press("f")
    assert ready.tab.is_checked("#follow")


def test_keys_do_nothing_while_typing(ready):
    ready.tab.click("#imagery summary")
    ready.tab.fill("#own-url", "")
    ready.tab.type("#own-url", "ficc")
    assert not ready.tab.is_checked("#follow")
    assert ready.tab.input_value("#own-url") == "ficc"
    ready.tab.keyboard.press("Escape")
    assert not ready.tab.is_visible("#own-url")


def test_the_address_holds_the_map_and_is_kept_up_to_date(open_page):
    page = open_page("?lang=en#map=16/27.6300/85.5200")
    page.tab.click(".leaflet-control-zoom-in")
    page.tab.wait_for_function("location.hash.startsWith('#map=17/27.630')")
    assert page.tab.evaluate("location.search") == "?lang=en"
    page.tab.evaluate("location.hash = '#map=15/27.6280/85.5180'")
    page.tab.wait_for_function(
        "document.querySelector('#square').getBoundingClientRect().width < 25"
    )
    assert page.tab.evaluate("location.hash").startswith("#map=15/27.628")


@pytest.mark.parametrize("address", ["#map=99/0/0", "#map=oh/no", "#nothing"])
def test_a_broken_address_opens_at_home(open_page, address):
    page = open_page(address)
    assert page.tab.evaluate("location.hash").startswith("#map=18/27.6")


def test_it_works_on_a_phone(open_page):
    page = open_page(width=360, height=740)
    shown = page.classify()
    assert shown.label
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= 360
    button, square = page.tab.locator("#classify").bounding_box(), page.square_box()
    assert button["width"] > 300
    assert square["y"] + square["height"] < button["y"], "the panel hides the square"


def test_it_works_without_webgl(playwright, open_page):
    browser = launch(playwright, "--disable-gpu", "--disable-3d-apis")
    page = open_page(browser=browser)
    assert page.tab.evaluate("document.createElement('canvas').getContext('webgl')") is None
    assert page.classify().label
    browser.close()


def test_nothing_is_written_to_the_console(open_page):
    said = []
    page = open_page(
        before=lambda context: context.on(
            "console", lambda message: said.append(message.text) if message.type != "debug" else 0
        )
    )
    page.classify()
    assert said == []


def test_a_screen_reader_finds_its_way(ready):
    """Landmarks, and a name for everything that can be operated."""
    for role in ("main", "complementary", "navigation"):
        assert ready.tab.get_by_role(role).count() == 1
    assert ready.tab.get_by_role("heading", level=1).inner_text() == "Lookdown"
    ready.tab.click("#imagery summary")
    for role in ("button", "radio", "checkbox", "textbox", "spinbutton"):
        found = ready.tab.get_by_role(role)
        assert found.count() == ready.tab.get_by_role(role, name=re.compile(r"\S")).count() > 0
    ready.classify()
    status = ready.tab.get_by_role("status")
    assert status.count() == 1
    assert ready.shown().label in status.inner_text().lower()


def test_the_first_visit_asks_no_other_site_and_nothing_twice_in_vain(ready):
    ready.classify()
    assert all(url.startswith(ready.site) for url in ready.asked if url.startswith("http"))
    answered = ready.tab.evaluate(
        "performance.getEntriesByType('resource').filter(e => e.responseStatus >= 400).length"
    )
    assert answered == 0

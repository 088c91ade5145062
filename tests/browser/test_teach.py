"""Teaching on the page: classes of one's own, given, judged, used, kept and taken home."""

import hashlib
import io
import json
import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest

MARKUP = "<img src=x onerror=document.title='hacked'>"
# Fields in the east, houses in the middle: inside the built-in imagery, with no gap in sight.
HERE = "#map=17/27.630800/85.521000"
# Of the map's middle, in pixels: beside the panel, and none touches another.
SPOTS = [(-330, -260), (-200, -260), (-70, -260), (-330, 240), (-200, 240), (-70, 240)]


def alone(_context) -> None:
    """For pages that shall have a browser's memory of their own."""


@pytest.fixture
def room(open_page):
    """The page with the room open and two classes, one of which is named to do harm."""
    page = open_page(HERE, before=alone)
    page.open_teach_room()
    page.name_classes("terrace", MARKUP)
    return page


def teach(page, count) -> None:
    """Give squares to two classes, in turn."""
    for number, (right, down) in enumerate(SPOTS[:count]):
        page.give(1 + number % 2, right, down)
    page.wait_learned()


def test_what_to_do_is_said_until_there_is_enough(open_page):
    page = open_page(HERE, before=alone)
    page.open_teach_room()
    assert page.tab.inner_text("#teach-hint").startswith("Name the first thing")
    page.name_classes("terrace")
    assert page.tab.inner_text("#teach-hint").startswith("Name a second class")
    page.name_classes("houses")
    assert page.tab.inner_text("#teach-hint").startswith("Put the square on something")
    page.tab.keyboard.press("1")
    page.wait_examples(1)
    assert page.tab.inner_text("#teach-hint") == "Now give an example of houses."
    page.tab.click("#model-save")
    assert page.wait_notice().startswith("There is no model to download yet.")
    page.tab.fill("#class-name", "Terrace")
    page.tab.press("#class-name", "Enter")
    page.tab.wait_for_function(
        "document.querySelector('#notice p').textContent.includes('a class “Terrace” already')"
    )


def test_squares_are_given_learned_and_used_at_once(room, dist):
    tab = room.tab
    assert tab.title() != "hacked" and tab.locator("#class-list img").count() == 0
    teach(room, 4)
    assert room.counts() == {"terrace": 2, MARKUP: 2}
    assert "I can't tell yet how good this is" in tab.inner_text("#figures-said")
    assert tab.locator("path.example").count() == 8
    shown = room.classify()
    assert {label for label, _ in shown.best} == {"terrace", MARKUP}
    assert "taught on" in shown.facts["Model"]
    assert tab.is_disabled("#why")
    # The model that is taken home says the same of the same chip, natively.
    made = room.save_by("#model-save")
    onnx.checker.check_model(onnx.load_model_from_string(made), full_check=True)
    session = onnxruntime.InferenceSession(made)
    names = [each.name for each in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"image": shown.chip[np.newaxis]}), strict=True))
    facts = {each.key: each.value for each in onnx.load_model_from_string(made).metadata_props}
    labels = json.loads(facts["labels"])
    native = dict(zip(labels, found["probability"][0].tolist(), strict=True))
    assert native == pytest.approx(dict(shown.best), abs=1e-5)
    # So does its twin for QGIS, of every pixel, from what the plugin would hand over.
    twin = onnxruntime.InferenceSession(room.save_by("#model-save-qgis"))
    tile = np.float32(shown.chip[np.newaxis] * 1.0 / 255.0).transpose(0, 3, 1, 2)
    (shares,) = twin.run(None, {"tile": tile})
    for number, label in enumerate(labels, 1):
        assert shares[0, number] == pytest.approx(dict(shown.best)[label], abs=1e-5)
    # Back to the model's own classes: the answer follows by itself.
    spans = len(tab.evaluate("performance.getEntriesByName('lookdown:show')"))
    tab.click("#answers-original")
    room.wait_answer(spans)
    assert room.shown().facts["Model"].startswith("World")
    assert not tab.is_disabled("#why")


def test_steps_are_undone_and_examples_moved_and_removed(room):
    tab = room.tab
    teach(room, 3)
    tab.keyboard.press("z")
    room.wait_examples(2)
    assert room.counts() == {"terrace": 1, MARKUP: 1}
    tab.click("#class-list .count >> nth=0")
    tab.click("#example-strip button >> nth=0")
    tab.select_option("#example-class", MARKUP)
    tab.wait_for_function("document.querySelector('#class-list .count').textContent === '0'")
    tab.click("#undo")
    room.wait_learned()
    assert room.counts() == {"terrace": 1, MARKUP: 1}
    tab.click("#class-list .remove >> nth=1")
    room.wait_examples(1)
    tab.click("#undo")
    room.wait_examples(2)
    assert tab.locator("#example-strip canvas").count() >= 1


def test_a_survey_is_taught_and_seen_with_either_answers(room):
    tab = room.tab
    teach(room, 4)
    tab.click("#answers-original")
    room.survey_view(step="2")
    original = room.legend()
    assert not {"terrace", MARKUP} & set(original)
    room.open_teach_room()
    tab.click("#answers-taught")
    tab.wait_for_function(
        "document.getElementById('survey-imagery').textContent.includes('taught on')"
    )
    taught = {name for name, (cells, _) in room.legend().items() if cells}
    assert taught <= {"terrace", MARKUP, "not sure"}
    room.open_survey_panel()
    file = json.loads(room.save_survey("geojson"))
    model = file["lookdown"]["survey"]["model"]
    assert model["labels"] == ["terrace", MARKUP] and model["network"] != model["sha256"]
    named = [each["properties"] for each in file["features"] if each["properties"]["class"]]
    assert {each["model_sha256"] for each in named} == {model["sha256"]}
    room.open_teach_room()
    tab.click("#answers-original")
    tab.wait_for_function(
        "!document.getElementById('survey-imagery').textContent.includes('taught on')"
    )
    assert room.legend() == original


def test_new_classes_are_put_into_groups_of_the_model(open_page):
    page = open_page("?model=world" + HERE, before=alone)
    tab = page.tab
    page.open_teach_room()
    page.name_classes("terrace", "river")
    assert tab.is_hidden("#kind-row"), "the model knows rivers"
    teach(page, 4)
    page.classify()
    tab.click("#class-list .count >> nth=0")
    assert tab.inner_text("#kind-class") == "terrace"
    tab.select_option("#kind", "grass or fields")
    page.wait_learned()
    facts = {
        each.key: json.loads(each.value)
        for each in onnx.load_model_from_string(page.save_by("#model-save")).metadata_props
    }
    assert facts["tree"] == {"open land": {"grass or fields": ["terrace"]},
                             "water and shore": ["river"]}  # fmt: skip
    assert set(facts["levels"]) == {"top", "group", "class"} and "familiar" not in facts
    tab.keyboard.press("z")
    tab.wait_for_function("document.getElementById('kind').value === ''")


def test_a_project_is_kept_saved_and_opened_elsewhere(room, open_page):
    tab = room.tab
    teach(room, 4)
    tab.fill("#project-name", "Banepa")
    tab.press("#project-name", "Enter")
    saved = room.save_by("#project-save")
    with zipfile.ZipFile(io.BytesIO(saved)) as archive:
        facts = json.loads(archive.read("project.json"))
        for each in facts["examples"]:
            png = archive.read(f"pictures/{each['sha256']}.png")
            assert hashlib.sha256(png).hexdigest() == each["sha256"]
            assert each["place"]["side_m"] == pytest.approx(80.0, abs=0.01)
            assert "OpenAerialMap" in each["credit"]
    assert facts["name"] == "Banepa" and facts["classes"] == ["terrace", MARKUP]
    # The address names the project in use.
    address = tab.evaluate("location.search + location.hash")
    assert "project=" in address
    tab.reload()
    room.wait_ready()
    room.open_teach_room()
    room.wait_examples(4)
    room.wait_learned()
    assert tab.input_value("#project-name") == "Banepa"
    assert {label for label, _ in room.classify().best} == {"terrace", MARKUP}
    # On another device
    other = open_page(address, before=alone)
    assert "is not on this device" in other.wait_notice()
    other.open_teach_room()
    other.drop("Banepa.zip", saved)
    other.wait_examples(4)
    other.wait_learned()
    assert other.tab.input_value("#project-name") == "Banepa"
    assert other.save_by("#project-save")[:2] == b"PK"


def test_squares_to_label_come_as_a_strip_with_keys(room):
    tab = room.tab
    teach(room, 2)
    tab.keyboard.press("n")
    tab.wait_for_selector("#next-strip button")
    first = room.square_box()
    tab.uncheck("#teach-click")
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press("0")
    tab.wait_for_selector("#next-strip button:nth-child(2)[aria-current=true]")
    assert room.square_box() != first
    tab.keyboard.press("2")
    room.wait_examples(3)
    tab.wait_for_selector("#next-strip button:nth-child(3)[aria-current=true]")
    assert room.counts()[MARKUP] == 2


def test_whether_the_model_fits_is_said_in_a_sentence(open_page):
    page = open_page(HERE)
    page.open_survey_panel()
    page.tab.click("#fit-check")
    page.tab.wait_for_function("document.getElementById('fit-said').textContent.startsWith('Of ')")
    said = page.tab.inner_text("#fit-said")
    assert "squares here, World" in said and "unlike its training data" in said
    assert said.count(".") <= 5

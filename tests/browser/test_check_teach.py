"""Judged squares are taught from: what is kept aside, the figure, undo, files, the next check."""

import io
import json
import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest

from pyapp.core.teach.archive import from_archive, from_png
from pyapp.core.teach.aside import judge_aside
from pyapp.core.teach.steps import finished
from pyapp.ui.teach.wording import how_good_aside
from tests.browser.test_check import alone, press

# Some 120 squares with imagery.
HERE = "#map=17/27.630800/85.521000"


@pytest.fixture
def judged(open_page):
    """The page with a survey of which all squares of a sample were judged."""
    page = open_page(HERE, before=alone)
    page.survey_view()
    judge(page, "30")
    return page


def judge(page, count, keys="123"):
    """Judge a sample with some keys in turn."""
    tab = page.tab
    if not tab.is_visible("#checking"):
        tab.click("#check")
    tab.wait_for_selector("#check-said:not(:empty)")
    if tab.is_visible("#check-start"):
        tab.fill("#check-count", count)
        tab.click("#check-start")
    else:
        tab.click("#check-go-on")
    tab.wait_for_selector("#judge[open]")
    number = 0
    while tab.is_visible("#judge[open]"):
        press(page, keys[number % len(keys)])
        number += 1
    tab.wait_for_selector("#check-teach:visible")
    return number


def teach(page, into=None) -> str:
    """Teach from the judged squares; how they are divided, as the page says it."""
    tab = page.tab
    tab.click("#check-teach")
    tab.wait_for_selector("#teach-from[open]")
    if into is not None:
        tab.select_option("#teach-into", into)
    said = tab.inner_text("#teach-from-said")
    tab.click("#teach-from-yes")
    tab.wait_for_selector("#teach-from", state="hidden")
    tab.wait_for_selector("#teach[open]")
    page.wait_learned()
    tab.wait_for_selector("#figures-aside p")
    return said


def native_figure(page) -> str:
    """What is to be said of the squares kept aside, from the saved project and the saved model."""
    project, pictures = finished(from_archive(page.save_by("#project-save")))
    model = page.save_by("#model-save")
    facts = {each.key: each.value for each in onnx.load_model_from_string(model).metadata_props}
    labels, session = json.loads(facts["labels"]), onnxruntime.InferenceSession(model)
    said = {}
    for each in project.aside:
        image = from_png(pictures[each.sha256])[np.newaxis]
        (shares,) = session.run(["probability"], {"image": image})
        said[each.sha256] = labels[int(shares[0].argmax())]
    (found,) = judge_aside(project, said)
    return how_good_aside(found)


def project_of(page) -> dict:
    with zipfile.ZipFile(io.BytesIO(page.save_by("#project-save"))) as archive:
        return json.loads(archive.read("project.json"))


def test_judged_squares_are_taught_and_a_part_of_them_judges_it(judged, open_page):
    page, tab = judged, judged.tab
    # It is said before anything happens, and Escape leaves all as it is; keys are enough.
    tab.focus("#check-teach")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#teach-from[open]")
    assert "can’t check that model any more" in tab.inner_text("#teach-from")
    assert "groups become the classes" in tab.inner_text("#teach-from-notes")
    tab.keyboard.press("t")
    tab.keyboard.press("Escape")
    tab.wait_for_selector("#teach-from", state="hidden")
    assert not tab.evaluate("document.getElementById('teach').open")

    said = teach(page)
    count, learned, aside = (int(said.split()[each]) for each in (0, 5, 9))
    assert learned + aside == count and abs(aside - count / 3) <= 1.5
    assert sum(page.counts().values()) == count
    figure = tab.inner_text("#figures-aside")
    assert f"from {aside} squares of its check, drawn at random, kept aside" in figure
    assert "of other areas this says nothing" in figure
    # The model that is taken home, run natively on what was kept aside, gives the same figure.
    assert figure == native_figure(page)
    assert tab.input_value("#project-name").startswith("Judged: Banepa")
    shown = {label for label, _ in page.classify().best}
    assert shown == set(page.counts())

    # The mark is in the file, and outlasts a reload.
    facts = project_of(page)
    marks = {each["sha256"]: each["judged"]["aside"] for each in facts["examples"]}
    assert sum(marks.values()) == aside and facts["format"] == "lookdown project 2"
    tab.reload()
    page.wait_ready()
    page.open_teach_room()
    page.wait_examples(count)
    page.wait_learned()
    tab.wait_for_selector("#figures-aside p")
    assert tab.inner_text("#figures-aside") == figure
    # On another device it is the same.
    saved = page.save_by("#project-save")
    other = open_page(HERE, before=alone)
    other.open_teach_room()
    other.drop("judged.zip", saved)
    other.wait_examples(count)
    other.wait_learned()
    other.tab.wait_for_selector("#figures-aside p")
    assert other.tab.inner_text("#figures-aside") == figure
    assert {
        each["sha256"]: each["judged"]["aside"] for each in project_of(other)["examples"]
    } == marks


def test_a_survey_by_what_was_taught_is_checked_by_other_squares(judged):
    page, tab = judged, judged.tab
    teach(page)
    page.survey_view()
    tab.click("#check")
    tab.wait_for_selector("#checking:not([hidden])")
    tab.wait_for_function(
        "document.getElementById('check-said').textContent.includes('the model learned from')"
    )
    judge(page, "20", keys="12")
    tab.wait_for_function(
        "document.getElementById('check-notes').textContent.includes('Left out: ')"
    )
    facts = json.loads(page.save_by("#check-json"))
    assert facts["figures"]["learned_squares_left_out"] > 0
    assert not set(facts["check"]["learned"]) & set(facts["check"]["sample"])


def test_it_is_undone_and_own_classes_are_never_touched(open_page):
    page = open_page(HERE, before=alone)
    tab = page.tab
    page.open_teach_room()
    page.name_classes("terrace", "houses")
    page.give(1, -330, -260)
    page.give(2, -200, -260)
    page.wait_learned()
    tab.uncheck("#teach-click")
    tab.click("#answers-original")
    page.survey_view()
    judge(page, "20")
    teach(page)
    assert "terrace" not in page.counts()
    # The project before is still there; undone, it is in use again, and the other one is gone.
    assert tab.locator("#project option").count() == 2
    tab.click("#undo")
    page.wait_examples(2)
    assert page.counts() == {"terrace": 1, "houses": 1}
    tab.wait_for_function("document.querySelectorAll('#project option').length === 1")
    # The judgements are still there as well, and can join the own classes.
    tab.click("#answers-original")
    page.open_survey_panel()
    if not tab.is_visible("#check-teach"):
        tab.click("#check")
    said = teach(page, "add")
    assert page.counts()["terrace"] == 1
    assert sum(page.counts().values()) == 2 + int(said.split()[0])
    tab.click("#undo")
    page.wait_examples(2)


def test_what_can_not_be_taught_is_said(open_page):
    page = open_page(HERE, before=alone)
    tab = page.tab
    page.survey_view()
    tab.click("#check")
    tab.fill("#check-count", "20")
    tab.click("#check-start")
    press(page, "00")
    tab.keyboard.press("Escape")
    tab.wait_for_selector("#check-teach:visible")
    tab.click("#check-teach")
    assert "could you tell" in page.wait_notice("nothing to teach")
    tab.click("#check-go-on")
    press(page, "11")
    tab.keyboard.press("Escape")
    tab.click("#check-teach")
    page.wait_notice("There are 2 squares to teach from, and it takes 15")
    judge(page, "20", keys="1")
    tab.click("#check-teach")
    page.wait_notice("it takes two classes to tell apart")
    assert tab.is_hidden("#teach-from")


def test_another_size_of_squares_is_refused(judged):
    page, tab = judged, judged.tab
    tab.goto(f"{page.site}?model=wide{HERE}")
    page.wait_ready()
    page.open_survey_panel()
    tab.click("#survey-list button.open")
    tab.click("#check")
    tab.wait_for_selector("#check-teach:visible")
    tab.click("#check-teach")
    assert "Choose the survey's model, World" in page.wait_notice("squares of this survey are 80 m")


def test_imagery_that_is_gone_or_fails_changes_nothing(open_page, tile_server):
    own = f"?imagery={tile_server.template}&maxzoom=18{HERE}"
    page = open_page(own, before=alone)
    tab = page.tab
    tab.click("#agree button[value=yes]")
    page.wait_tiles()
    page.survey_view()
    judge(page, "20")
    # What was decoded of it is forgotten, and then it can't be read.
    tab.reload()
    page.wait_ready()
    tab.click("#agree button[value=yes]")
    page.open_survey_panel()
    tab.click("#survey-list button.open")
    tile_server.mood = "refusing"
    tab.click("#check")
    tab.wait_for_selector("#check-teach:visible")
    tab.click("#check-teach")
    tab.click("#teach-from-yes")
    tab.wait_for_function("document.getElementById('teach-from-said').textContent.includes('403')")
    tab.click("#teach-from-no")
    assert not tab.evaluate("document.getElementById('teach').open")
    # Not chosen at all
    page.open(HERE)
    page.open_survey_panel()
    tab.click("#survey-list button.open")
    tab.click("#check")
    tab.wait_for_selector("#check-teach:visible")
    tab.click("#check-teach")
    assert "Choose that imagery first" in page.wait_notice("which is not chosen now")
    page.open_teach_room()
    assert page.counts() == {}

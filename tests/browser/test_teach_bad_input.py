"""What can go wrong while teaching: one clear sentence, and nothing is lost."""

import contextlib
import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import TimeoutError

from tests.browser.test_teach import HERE, alone


@pytest.fixture
def room(open_page):
    """The page with the room open and two classes with an example each."""
    page = open_page(HERE, before=alone)
    page.open_teach_room()
    page.name_classes("terrace", "houses")
    page.give(1, -330, -200)
    page.give(2, -330, 200)
    return page


def png(side, seed=0):
    chance = np.random.default_rng(seed)
    out = io.BytesIO()
    Image.fromarray(chance.integers(0, 256, (side, side, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


def ask(tab):
    """Give the square the first class, as soon as the page has done with what was before."""
    for _ in range(5):
        tab.keyboard.press("1")
        with contextlib.suppress(TimeoutError):
            tab.wait_for_selector("#which[open]", timeout=12_000)
            return
    raise AssertionError("nothing was asked")


def test_the_same_square_in_two_classes_is_asked_about(room):
    tab = room.tab
    tab.uncheck("#teach-click")
    tab.evaluate("document.activeElement.blur()")
    ask(tab)
    assert "“houses” already" in tab.inner_text("#which-said")
    tab.click("#which button[value=before]")
    assert room.counts() == {"terrace": 1, "houses": 1}
    ask(tab)
    tab.click("#which button[value=after]")
    tab.wait_for_function("document.querySelector('#class-list .count').textContent === '2'")
    assert room.counts() == {"terrace": 2, "houses": 0}
    tab.keyboard.press("z")
    tab.wait_for_function("document.querySelector('#class-list .count').textContent === '1'")


BAD_PROJECTS = {
    "no zip": (b"PK\x03\x04 and then nothing", "no zip file"),
    "a zip of something else": (None, "lacks"),
}


@pytest.mark.parametrize("kind", BAD_PROJECTS)
def test_files_that_are_no_projects(room, kind):
    data, reason = BAD_PROJECTS[kind]
    if data is None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("notes.txt", "hello")
        data = out.getvalue()
    room.drop("project.zip", data)
    said = room.wait_notice()
    assert said.startswith("This file is not a project saved by Lookdown") and reason in said
    assert room.counts() == {"terrace": 1, "houses": 1}


def test_pictures_are_examples_and_what_is_none_is_left_out(room):
    tab = room.tab
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    tab.click("#class-list .give >> nth=1")
    files = [("a.png", png(300)), ("b.txt", b"no picture"), ("c.png", bomb.getvalue()),
             ("d.png", png(250, 1))]  # fmt: skip
    tab.set_input_files(
        "#project-pictures",
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files],
    )
    assert room.wait_notice().startswith("2 of 4 files can't be read as pictures")
    room.wait_examples(4)
    assert room.counts() == {"terrace": 1, "houses": 3}
    room.drop("e.png", png(200, 2))
    room.wait_examples(5)


def test_a_place_without_imagery_gives_no_example(open_page):
    page = open_page("#map=17/27.60/85.40", before=alone)
    page.open_teach_room()
    page.name_classes("terrace")
    page.tab.keyboard.press("1")
    assert "There is no imagery here" in page.wait_notice()
    assert page.counts() == {"terrace": 0}
    page.open_survey_panel()
    page.tab.click("#fit-check")
    page.tab.wait_for_function(
        "document.getElementById('fit-said').textContent.includes('no imagery')"
    )


def test_storage_that_is_refused_is_said_once(open_page):
    page = open_page(
        HERE,
        before=lambda context: context.add_init_script(
            "IDBObjectStore.prototype.put = () => { "
            "throw new DOMException('full', 'QuotaExceededError'); }"
        ),
    )
    page.open_teach_room()
    page.name_classes("terrace", "houses")
    assert "the storage of this device is full" in page.wait_notice()
    page.give(1, -330, -200)
    page.give(2, -330, 200)
    page.wait_learned()
    assert {label for label, _ in page.classify().best} == {"terrace", "houses"}
    assert page.save_by("#project-save")[:2] == b"PK"

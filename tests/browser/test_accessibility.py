"""axe-core on every panel and state of the page: no violations."""

import pytest
from axe_playwright_python.sync_playwright import Axe


def violations(page) -> list[str]:
    found = Axe().run(page.tab).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


@pytest.mark.parametrize("width", [1280, 360])
def test_no_panel_has_a_violation(open_page, width):
    page = open_page(width=width)
    page.wait_kept()
    assert violations(page) == []
    page.classify()
    assert violations(page) == []
    page.tab.click("#imagery summary")
    page.tab.fill("#own-url", "nowhere")
    page.tab.press("#own-url", "Enter")
    assert violations(page) == []
    page.tab.click("#device summary")
    page.tab.wait_for_selector("#stored dt")
    assert violations(page) == []
    page.tab.click("#remove")
    assert violations(page) == []
    page.tab.click("#sure button[value=no]")
    page.survey_view(start=False)
    assert violations(page) == []
    page.start_survey()
    page.wait_survey()
    assert violations(page) == []
    page.tab.keyboard.press("Escape")
    page.classify()
    page.tab.click("#why")
    page.tab.click("#steady")
    page.tab.click("#alike")
    page.tab.wait_for_selector("#strip:not([hidden])")
    page.tab.wait_for_selector("#steady-said:not([hidden])")
    assert violations(page) == []
    page.tab.click("#another > button")
    page.tab.wait_for_selector("#another-list:not([hidden])")
    assert violations(page) == []
    page.tab.click("#another-list [value=wide]")
    page.tab.wait_for_selector("#second:not([hidden])")
    assert violations(page) == []
    page.open_teach_room()
    assert violations(page) == []
    page.name_classes("terrace", "houses")
    page.tab.keyboard.press("1")
    page.wait_examples(1)
    page.tab.keyboard.press("n")
    page.tab.wait_for_selector("#next-strip button")
    page.tab.keyboard.press("2")
    page.wait_examples(2)
    page.tab.click("#example-strip button >> nth=0")
    assert violations(page) == []
    page.tab.keyboard.press("?")
    assert violations(page) == []
    page.tab.keyboard.press("Escape")
    page.tab.keyboard.press("p")
    assert violations(page) == []


def test_messages_and_questions_have_none(open_page):
    page = open_page("?imagery=nowhere&model=nowhere")
    page.tab.evaluate("document.getElementById('newer').hidden = false")
    assert page.wait_notice()
    assert violations(page) == []


def test_the_question_before_another_site_is_read_has_none(open_page, tile_server):
    page = open_page(f"?imagery={tile_server.template}")
    assert violations(page) == []


def test_the_start_screen_has_none(open_page):
    page = open_page(
        before=lambda context: context.route("**/main.py", lambda route: None), ready=False
    )
    page.tab.wait_for_selector("#start-parts li")
    assert violations(page) == []

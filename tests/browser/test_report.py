"""A report is saved, opened from the disk, printed, and asks for nothing."""

import json
import re

import pytest

from tests.browser.test_accessibility import violations
from tests.browser.test_check import press

HERE = "#map=18/27.629500/85.520000"


class Opened:
    """What `violations` looks at."""

    def __init__(self, tab):
        self.tab = tab


def alone(_context) -> None:
    """For a page that shall have a browser's memory of its own."""


def test_the_report_of_a_survey(open_page, tmp_path):
    page = open_page(HERE, before=alone)
    tab = page.tab
    tab.wait_for_selector("html[data-whole]", state="attached")
    tab.keyboard.press("y")
    assert "nothing to report yet" in page.wait_notice()
    page.survey_view()
    plain = page.save_by("#report-html").decode()
    assert "Nobody has checked these answers" in plain

    tab.keyboard.press("k")
    tab.wait_for_selector("#checking:not([hidden])")
    tab.fill("#check-count", "20")
    tab.click("#check-start")
    tab.wait_for_selector("#judge[open]")
    press(page, "1230x")
    tab.keyboard.press("Escape")
    tab.wait_for_selector("#judge", state="hidden")
    with tab.expect_download() as download:
        tab.keyboard.press("y")
    file = tmp_path / "report.html"
    download.value.save_as(file)
    assert download.value.suggested_filename.endswith("-report.html")
    assert file.stat().st_size < 2_000_000
    facts = json.loads(page.save_by("#report-json"))
    assert facts["figures"]["overall"]["low"] <= facts["figures"]["overall"]["high"]

    # Opened from the disk, without a network.
    other = tab.context.browser.new_context(viewport={"width": 360, "height": 740}, offline=True)
    reading = other.new_page()
    asked, said = [], []
    reading.on("request", lambda request: asked.append(request.url))
    reading.on("console", lambda message: said.append(message.text))
    reading.goto(file.as_uri())
    assert all(each.startswith(("file:", "data:")) for each in asked) and said == []
    # A finger never has to push the page to and fro: wide tables scroll by themselves.
    assert reading.evaluate("document.documentElement.scrollWidth") <= 360
    assert reading.locator(".squares img").count() == 5
    assert reading.evaluate(
        "[...document.images].every(each => each.complete && each.naturalWidth > 0)"
    )
    overall = reading.text_content(".lead")
    assert f"{100 * facts['figures']['overall']['value']:.1f} %" in overall
    assert violations(Opened(reading)) == []
    other.close()


@pytest.mark.parametrize(("paper", "width_pt"), [("A4", 595), ("Letter", 612)])
def test_it_prints(open_page, tmp_path, paper, width_pt):
    page = open_page(HERE, before=alone)
    page.survey_view()
    file = tmp_path / "report.html"
    file.write_bytes(page.save_by("#report-html"))
    printing = page.tab.context.new_page()
    printing.goto(file.as_uri())
    data = printing.pdf(format=paper)
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ", data)
    assert 2 <= len(sizes) <= 4
    assert all(abs(float(each) - width_pt) < 1 for each in sizes)
    printing.close()

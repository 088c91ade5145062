"""``python -m tests.bench`` finds what it needs in a fresh clone, whichever Python starts it."""

import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import sync_playwright

from pyapp.core.imagery.mosaic import decode
from pyapp.core.imagery.quality import flaw
from tests.__main__ import BROWSER, inside
from tests.bench import __main__ as bench
from tests.bench import run
from tests.bench.survey import ZOOM, RepeatedTiles
from tests.browser.conftest import chromium_path, launch
from tests.jpeg_tiles import jpeg_tiles
from training.figures.measure import find_browser
from training.site_tools import fetch


def test_the_survey_reads_the_built_in_imagery_anywhere():
    with RepeatedTiles(jpeg_tiles()) as server:
        for x, y in ((0, 0), (1, 0), (386591, 219871)):
            address = server.template.format(z=ZOOM, x=x, y=y)
            with urllib.request.urlopen(address) as reply:
                pixels = decode(reply.read())
            assert pixels.shape == (256, 256, 3)
            assert flaw(pixels) is None


@pytest.mark.skipif(not inside(), reason="this Python is not that of .venv")
def test_a_bench_started_inside_the_environment_finds_the_browser(monkeypatch, capsys):
    """The measurement itself takes minutes: here it only starts the browser it would use."""
    monkeypatch.setenv(BROWSER, "unset at the end")
    monkeypatch.delenv(BROWSER)
    monkeypatch.setattr(sys, "argv", ["python -m tests.bench", "kills"])
    monkeypatch.setattr(run, "_long", lambda _options: in_a_thread(started_browser))
    assert bench.main() == 0
    assert "Chrom" in capsys.readouterr().out


def test_what_can_not_be_fetched_is_said_in_one_sentence(monkeypatch, capsys):
    def measured(_options):
        raise fetch.SetupError("npm could not fetch the browser libraries.")

    monkeypatch.setattr(sys, "argv", ["python -m tests.bench", "runtimes", "--anyway"])
    monkeypatch.setattr(run, "measured", measured)
    assert run.main() == 1
    assert capsys.readouterr().err == "npm could not fetch the browser libraries.\n"


def in_a_thread(work):
    """Do it where no other test's Playwright has a loop running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def started_browser() -> str:
    """Start the browser of the tests; its path and version."""
    assert chromium_path() == find_browser()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        name, version = browser.browser_type.name, browser.version
        browser.close()
    return f"{name.title()} {version}"

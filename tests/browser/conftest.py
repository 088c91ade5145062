"""A real browser on the real page, as ``python serve.py`` serves it.

Every request that would leave this machine is refused (the browser resolves no other name) and
counted, and the count must be zero.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.host import Host
from tests.browser.lookdown_page import LookdownPage
from tests.browser.tile_server import TileServer
from tests.jpeg_tiles import jpeg_tiles

ROOT = Path(__file__).resolve().parents[2]
LOCAL = {"127.0.0.1", "localhost", None}  # None: data: and blob: addresses
FLAGS = [
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def site():
    """The address of the page, served by ``python serve.py``."""
    command = [sys.executable, "-u", "serve.py", "--no-open", "--port", "8700"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            for line in server.stdout:
                found = re.search(r"http://127\.0\.0\.1:\d+/", line)
                if found:
                    yield found[0]
                    break
            else:
                pytest.fail("python serve.py ended without an address")
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def dist(site):
    """The folder that is being served."""
    return ROOT / "dist"


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as running:
        yield running


def chromium_path() -> str | None:
    """The Chromium that the set-up found; ``None`` for Playwright's own."""
    found = os.environ.get("LOOKDOWN_CHROMIUM", "playwright")
    return None if found == "playwright" else found


def launch(playwright, *flags):
    """Start Chromium."""
    return playwright.chromium.launch(executable_path=chromium_path(), args=[*FLAGS, *flags])


def launch_profile(playwright, profile: Path, *flags, **screen):
    """Start Chromium on a profile's folder, which lasts; with a screen other than 1280 x 800."""
    return playwright.chromium.launch_persistent_context(
        str(profile),
        executable_path=chromium_path(),
        args=[*FLAGS, *flags],
        **({"viewport": {"width": 1280, "height": 800}} | screen),
    )


@pytest.fixture(scope="session")
def chromium(playwright):
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def context(chromium):
    """Where most tests open their tab: what the browser caches helps the next one."""
    return chromium.new_context()


@pytest.fixture
def open_page(context, site):
    """Call it to open the page: ``open_page("#map=18/27.63/85.52", width=360)``.

    With another ``browser``, or with ``before(context)`` to prepare it, the page gets a context
    of its own.
    """
    opened = []

    def open_one(address="", width=1280, height=800, browser=None, before=None, ready=True):
        own = browser is not None or before is not None
        place = (browser or context.browser).new_context() if own else context
        if before is not None:
            before(place)
        tab = place.new_page()
        tab.set_viewport_size({"width": width, "height": height})
        page = LookdownPage(tab, site)
        opened.append((page, place if own else tab))
        page.open(address, ready)
        return page

    yield open_one
    for page, closable in opened:
        closable.close()
        left = [url for url in page.asked if urlsplit(url).hostname not in LOCAL]
        assert left == [], "requests left this machine"
        assert page.may_crash or page.crashes == [], "an error that no one caught"


@pytest.fixture
def ready(open_page):
    """The page, open on the built-in imagery."""
    return open_page()


@pytest.fixture
def host(dist, tmp_path):
    """The built site on a bare file server, below a path: what GitHub Pages is."""
    running = Host(dist, tmp_path)
    yield running
    running.stop()


@pytest.fixture
def tile_server():
    """Another site that serves tiles of the built-in ground, well or badly: see `TileServer`."""
    with TileServer(jpeg_tiles()) as server:
        yield server

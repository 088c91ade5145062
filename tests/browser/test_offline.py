"""Without a network: the page as its service worker keeps it, and how it changes its release.

The host is a bare file server, as GitHub Pages is; it is stopped, or gives out other files.
"""

import functools
import hashlib
import http.server
import json
import re
import shutil
import threading

import pytest

from tests.browser.lookdown_page import LookdownPage

KEPT = "#kept[data-kept=whole]"
MARK = "/* the newer release */"


class Host:
    """A bare file server for a copy of the built site, below a path."""

    def __init__(self, dist, folder):
        self.site = folder / "some" / "where"
        shutil.copytree(dist, self.site)
        handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": _silent})
        self._handler = functools.partial(handler, directory=str(folder))
        self._port = 0
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}/some/where/"

    def start(self) -> None:
        address = ("127.0.0.1", self._port)
        self._server = http.server.ThreadingHTTPServer(address, self._handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def release(self, path: str, contents: bytes, sha256: str | None = None) -> None:
        """Publish a newer release in which one file differs; ``sha256`` for one that lies."""
        (self.site / path).write_bytes(contents)
        listing = json.loads((self.site / "files.json").read_text())
        listing[path]["sha256"] = sha256 or hashlib.sha256(contents).hexdigest()
        listing[path]["size"] = len(contents)
        text = json.dumps(listing, indent=0)
        (self.site / "files.json").write_text(text)
        worker = self.site / "sw.js"
        new = f'RELEASE = "{hashlib.sha256(text.encode()).hexdigest()}"'
        worker.write_text(re.sub(r'RELEASE = "[0-9a-f]{64}"', new, worker.read_text()))


def _silent(*_):
    """Say nothing."""


@pytest.fixture
def host(dist, tmp_path):
    running = Host(dist, tmp_path)
    yield running
    running.stop()


@pytest.fixture
def context(chromium):
    own = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield own
    own.close()


@pytest.fixture
def visited(context, host):
    """The page after a first visit, kept on the device."""
    page = LookdownPage(context.new_page(), host.address)
    page.open()
    page.tab.wait_for_selector(KEPT, state="attached")
    return page


def style_of(page) -> str:
    return page.tab.evaluate("fetch('style.css').then(answer => answer.text())")


def test_it_says_what_is_kept(visited):
    visited.tab.wait_for_function("document.getElementById('kept').textContent.includes('MB')")
    assert re.search(r"Kept on this device \(\d+ MB\)", visited.tab.inner_text("#kept"))


def test_without_a_network_it_starts_and_classifies(visited, host, context):
    first = visited.classify()
    host.stop()
    failed = []
    visited.tab.on("requestfailed", lambda request: failed.append(request.url))
    visited.tab.reload()
    visited.wait_ready()
    again = visited.classify()
    # With threads, which the second visit has, sums come out in another order.
    assert dict(again.best) == pytest.approx(dict(first.best), abs=1e-4)
    visited.tab.click(".leaflet-control-zoom-in")
    visited.tab.wait_for_function("document.querySelectorAll('.leaflet-tile-loaded').length > 3")
    other = LookdownPage(context.new_page(), host.address)
    other.open("#map=17/27.63392/85.51832")
    assert other.classify().label
    assert failed == []
    assert visited.crashes == other.crashes == []
    host.start()


def test_the_second_visit_has_threads_where_the_host_sends_no_headers(visited):
    assert visited.tab.evaluate("crossOriginIsolated") is False
    visited.tab.reload()
    visited.wait_ready()
    assert visited.tab.evaluate("crossOriginIsolated") is True


def test_a_newer_release_waits_until_the_person_takes_it(visited, host):
    style = (host.site / "style.css").read_bytes()
    host.release("style.css", style + MARK.encode())
    visited.tab.reload()
    visited.wait_ready()
    visited.tab.wait_for_selector("#newer:not([hidden])")
    assert MARK not in style_of(visited)
    visited.tab.evaluate("window.before = true")
    visited.tab.click("#newer button.primary")
    visited.tab.wait_for_function("window.before === undefined")
    visited.wait_ready()
    assert MARK in style_of(visited)
    assert len(visited.tab.evaluate("caches.keys()")) == 1
    assert visited.classify().label


def test_later_means_later(visited, host):
    style = (host.site / "style.css").read_bytes()
    host.release("style.css", style + MARK.encode())
    visited.tab.reload()
    visited.tab.wait_for_selector("#newer:not([hidden])")
    visited.tab.click("#newer button:not(.primary)")
    assert visited.tab.is_hidden("#newer")
    visited.tab.reload()
    visited.tab.wait_for_selector("#newer:not([hidden])")
    assert MARK not in style_of(visited)


@pytest.mark.parametrize("damage", ["cut", "altered", "missing"])
def test_a_release_that_does_not_arrive_whole_changes_nothing(visited, host, damage):
    style = (host.site / "style.css").read_bytes()
    host.release("style.css", style + MARK.encode())
    if damage == "missing":
        (host.site / "style.css").unlink()
    else:
        spoilt = style[:100] if damage == "cut" else style + b"/* evil */"
        (host.site / "style.css").write_bytes(spoilt)
    visited.tab.reload()
    visited.wait_ready()
    visited.tab.wait_for_timeout(2000)
    assert visited.tab.is_hidden("#newer")
    assert style_of(visited) == style.decode()
    host.stop()
    visited.tab.reload()
    visited.wait_ready()
    assert visited.classify().label
    host.start()


def test_files_that_stayed_the_same_are_not_fetched_again(visited, host):
    asked = []

    def count(handler, *_):
        asked.append(handler.path)

    host._handler.func.log_message = count
    style = (host.site / "style.css").read_bytes()
    host.release("style.css", style + MARK.encode())
    visited.tab.reload()
    visited.tab.wait_for_selector("#newer:not([hidden])")
    names = {path.removeprefix("/some/where/").split("?")[0] for path in asked}
    assert "style.css" in names
    assert names <= {"style.css", "files.json", "sw.js"}

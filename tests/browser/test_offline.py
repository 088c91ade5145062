"""Without a network: the page as its service worker keeps it, and how it changes its release.

The host is a bare file server, as GitHub Pages is; it is stopped, or gives out other files.
"""

import json
import re
import shutil

import pytest

from tests.browser.conftest import launch_profile
from tests.browser.host import Host
from tests.browser.lookdown_page import LookdownPage
from tests.browser.native import DEFAULT
from tests.browser.tile_server import TileServer
from tests.jpeg_tiles import jpeg_tiles

MARK = "/* the newer release */"


@pytest.fixture(scope="module")
def first_visit(playwright, dist, tmp_path_factory):
    """A browser's profile after a first visit, with the application kept; the host's port."""
    profile = tmp_path_factory.mktemp("profile") / "first"
    host = Host(dist, tmp_path_factory.mktemp("host"))
    context = launch_profile(playwright, profile)
    page = LookdownPage(context.new_page(), host.address)
    page.open()
    page.wait_kept()
    context.close()
    host.stop()
    return profile, host.port


@pytest.fixture
def host(dist, tmp_path, first_visit):
    running = Host(dist, tmp_path, first_visit[1])
    yield running
    running.stop()


@pytest.fixture
def new_device(chromium):
    """A browser that was never here."""
    own = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield own
    own.close()


@pytest.fixture
def device(playwright, first_visit, tmp_path):
    """A browser that was here once, with the application kept."""
    profile = tmp_path / "profile"
    shutil.copytree(first_visit[0], profile, ignore=shutil.ignore_patterns("Singleton*"))
    context = launch_profile(playwright, profile)
    yield context
    context.close()


@pytest.fixture
def visited(device, host):
    """The page, on a device that keeps it."""
    page = LookdownPage(device.new_page(), host.address)
    page.open()
    page.wait_kept()
    return page


def style_of(page) -> str:
    return page.tab.evaluate("fetch('style.css').then(answer => answer.text())")


def test_without_a_network_it_starts_and_classifies(visited, host, device):
    first = visited.classify()
    host.stop()
    failed = []

    def note(request) -> None:
        # What the reload itself cuts short needs no network.
        if "ERR_ABORTED" not in (request.failure or ""):
            failed.append(request.url)

    visited.tab.on("requestfailed", note)
    visited.tab.reload()
    visited.wait_ready()
    again = visited.classify()
    # With threads, which the second visit has, sums come out in another order.
    assert dict(again.best) == pytest.approx(dict(first.best), abs=1e-4)
    visited.tab.click(".leaflet-control-zoom-in")
    visited.tab.wait_for_function("document.querySelectorAll('.leaflet-tile-loaded').length > 3")
    other = LookdownPage(device.new_page(), host.address)
    other.open("#map=17/27.63392/85.51832")
    assert other.classify().label
    assert failed == []
    assert visited.crashes == other.crashes == []


def test_the_second_visit_has_threads_where_the_host_sends_no_headers(new_device, host):
    page = LookdownPage(new_device.new_page(), host.address)
    page.open()
    assert page.tab.evaluate("crossOriginIsolated") is False
    page.wait_kept()
    page.tab.reload()
    page.wait_ready()
    assert page.tab.evaluate("crossOriginIsolated") is True


def test_a_newer_release_waits_until_the_person_takes_it(visited, host):
    host.asked.clear()
    style = (host.site / "style.css").read_bytes()
    host.release("style.css", style + MARK.encode())
    visited.tab.reload()
    visited.wait_ready()
    visited.tab.wait_for_selector("#newer:not([hidden])")
    # Files that stayed the same are not fetched again.
    names = {path.removeprefix("/some/where/").split("?")[0] for path in host.asked}
    assert "style.css" in names
    assert names <= {"style.css", "files.json", "sw.js"}
    visited.tab.click("#newer button:not(.primary)")
    assert visited.tab.is_hidden("#newer")
    assert MARK not in style_of(visited)
    visited.tab.reload()
    visited.tab.wait_for_selector("#newer:not([hidden])")
    assert MARK not in style_of(visited)
    visited.tab.evaluate("window.before = true")
    visited.tab.click("#newer button.primary")
    visited.tab.wait_for_function("window.before === undefined")
    visited.wait_ready()
    assert MARK in style_of(visited)
    assert len(visited.tab.evaluate("caches.keys()")) == 1
    assert visited.classify().label


def test_a_release_that_does_not_arrive_whole_changes_nothing(visited, host):
    style = (host.site / "style.css").read_bytes()
    for spoilt in (style[:100], style + b"/* evil */", None):
        host.release("style.css", style + MARK.encode())
        if spoilt is None:
            (host.site / "style.css").unlink()
        else:
            (host.site / "style.css").write_bytes(spoilt)
        visited.tab.reload()
        visited.wait_ready()
        visited.tab.wait_for_timeout(1500)
        assert visited.tab.is_hidden("#newer")
        assert style_of(visited) == style.decode()
    host.stop()
    visited.tab.reload()
    visited.wait_ready()
    assert visited.classify().label


def test_another_tab_is_told_and_goes_on(visited, host, device):
    other = LookdownPage(device.new_page(), host.address)
    other.open()
    style = (host.site / "style.css").read_bytes()
    host.release("style.css", style + MARK.encode())
    visited.tab.reload()
    visited.wait_ready()
    visited.tab.click("#newer button.primary")
    other.tab.wait_for_selector("#newer:has-text('updated in another tab')")
    assert other.classify().label
    other.tab.click("#newer button.primary")
    other.tab.wait_for_selector("#newer", state="hidden")
    other.wait_ready()
    assert MARK in style_of(other)
    assert visited.crashes == other.crashes == []


def test_a_newer_release_lets_a_classification_end(visited, host):
    style = (host.site / "style.css").read_bytes()
    host.release("style.css", style + MARK.encode())
    with TileServer(jpeg_tiles()) as tiles:
        visited.tab.goto(f"{host.address}?imagery={tiles.template}&maxzoom=18")
        visited.wait_ready()
        visited.tab.click("#agree button[value=yes]")
        visited.tab.wait_for_selector("#newer:not([hidden])")
        visited.wait_tiles()
        tiles.mood = "slow"
        visited.tab.click("#classify")
        visited.tab.evaluate("window.before = true")
        visited.tab.click("#newer button.primary")
        visited.tab.wait_for_timeout(1000)
        assert visited.tab.evaluate("window.before") is True
        visited.tab.keyboard.press("Escape")
        visited.tab.wait_for_function("window.before === undefined")
    visited.wait_ready()
    assert MARK in style_of(visited)


def test_without_room_it_works_with_a_network_and_says_so(new_device, host):
    tab = new_device.new_page()
    client = new_device.new_cdp_session(tab)
    origin = host.address.split("/some/")[0]
    client.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 5_000_000})
    page = LookdownPage(tab, host.address)
    page.open()
    tab.wait_for_selector("#kept[data-kept='no room']", state="attached")
    assert "there is no room" in tab.inner_text("#kept")
    assert tab.evaluate("caches.keys()") == []
    assert page.classify().label
    assert page.crashes == []


FORBIDDEN = """
for (const name of ["indexedDB", "localStorage", "sessionStorage", "caches"]) {
  Object.defineProperty(window, name, {
    get() { throw new DOMException("The operation is insecure.", "SecurityError"); }
  });
}
"""
CORRUPT = "localStorage.setItem('lookdown device', '{\"about\": [1, 2')"


@pytest.mark.parametrize("before", [FORBIDDEN, CORRUPT], ids=["refused", "corrupt"])
def test_storage_that_is_refused_or_corrupt_does_no_harm(new_device, host, before):
    new_device.add_init_script(before)
    page = LookdownPage(new_device.new_page(), host.address)
    page.open()
    assert page.classify().label
    page.tab.click("#device summary")
    assert "Processor" in page.tab.inner_text("#backend")
    assert page.crashes == []


WRONG_CLOCK = """
const off = Date.UTC(1999, 0, 1) - Date.now(), Real = Date;
Date = class extends Real {
  constructor(...all) { super(...(all.length ? all : [Real.now() + off])); }
  static now() { return Real.now() + off; }
};
"""


def test_a_clock_that_is_wrong_by_years_does_no_harm(new_device, host):
    new_device.add_init_script(WRONG_CLOCK)
    host.headers = {"Date": "Thu, 28 Jul 2061 00:00:00 GMT", "Expires": "0"}
    page = LookdownPage(new_device.new_page(), host.address)
    page.open()
    page.wait_kept()
    host.stop()
    page.tab.reload()
    page.wait_ready()
    assert page.tab.evaluate("new Date().getFullYear()") == 1999
    assert page.classify().label


def test_what_is_stored_is_told_and_can_be_removed(visited, host):
    assert re.search(r"Kept on this device \(\d+ MB\)", visited.tab.inner_text("#kept"))
    visited.tab.click("#device summary")
    visited.tab.wait_for_selector("#stored dt")
    told = dict(zip(visited.tab.locator("#stored dt").all_inner_texts(),
                    visited.tab.locator("#stored dd").all_inner_texts(), strict=True))  # fmt: skip
    listing = json.loads((host.site / "files.json").read_text())
    wanted = sum(facts["size"] for facts in listing.values() if facts["part"] == "answer")
    assert told["Model and its runtime"] == f"{wanted / 1e6:.1f} MB"
    visited.tab.click("#remove")
    visited.tab.click("#sure button[value=no]")
    assert visited.tab.evaluate("caches.keys()") != []
    visited.tab.click("#remove")
    visited.tab.click("#sure button[value=yes]")
    visited.tab.wait_for_selector("#for-good:has-text('Removed')")
    assert visited.tab.evaluate("caches.keys()") == []
    assert visited.classify().label


def test_a_picture_shared_by_another_application_is_classified(visited, host):
    tiles = sorted((jpeg_tiles() / "18").rglob("*.jpg"))
    picture = tiles[0].read_bytes()
    visited.tab.evaluate(
        """async bytes => {
          const form = new FormData();
          form.append("picture", new File([new Uint8Array(bytes)], "a.jpg", {type: "image/jpeg"}));
          await fetch("share", {method: "POST", body: form});
        }""",
        list(picture),
    )
    visited.tab.goto(host.address + "?shared")
    visited.wait_answer()
    shown = visited.shown()
    assert shown.facts["Credit"] == "a picture of your own"
    assert shown.footprint is None
    assert "shared" not in visited.tab.evaluate("location.search")
    # Taken once.
    visited.tab.goto(host.address + "?shared")
    visited.wait_ready()
    assert visited.tab.is_hidden("#result")


def test_another_model_is_fetched_when_chosen_and_works_without_a_network(visited, host):
    host.add_model("second", "The second")
    visited.tab.reload()
    visited.tab.click("#newer button.primary")
    visited.tab.wait_for_selector("#model-list input[value=second]", state="attached")
    visited.wait_ready()
    first = visited.classify()
    visited.tab.click("#device summary")
    visited.tab.check("#model-list input[value=second]")
    visited.tab.wait_for_function("location.search === '?model=second'")
    visited.tab.wait_for_function(
        "performance.getEntriesByName('lookdown:model').length === 2 && "
        "!document.getElementById('backend').textContent.includes('Loading')"
    )
    second = visited.classify()
    assert second.facts["Model"] == "The second"
    assert second.footprint.side_m != first.footprint.side_m
    host.stop()
    visited.tab.reload()
    visited.wait_ready()
    assert visited.classify().facts["Model"] == "The second"
    visited.tab.click("#device summary")
    visited.tab.check(f"#model-list input[value={DEFAULT}]")
    visited.tab.wait_for_function("location.search === ''")
    visited.tab.wait_for_function("performance.getEntriesByName('lookdown:model').length === 2")
    visited.tab.wait_for_timeout(300)
    assert visited.classify().facts["Model"] != "The second"
    visited.tab.goto(host.address + "?model=nowhere")
    visited.wait_ready()
    assert "There is no model nowhere here" in visited.wait_notice()

"""An area kept on the device is there without its provider: on the map and for the model."""

import re

from tests.browser.lookdown_page import LookdownPage

TOWN = "#map=18/27.63392/85.51832"
SHOWN = (
    "(all => all.length > 5 && all.every(each => each.hasAttribute('data-drawn')))"
    "([...document.querySelectorAll('canvas.leaflet-tile')])"
)


def on_tiles(open_page, tile_server, width=1280, height=800) -> LookdownPage:
    """The page, on the imagery of another site."""
    address = f"?imagery={tile_server.template}&maxzoom=18{TOWN}"
    page = open_page(address, width, height, before=lambda _context: None)
    page.tab.click("#agree button[value=yes]")
    page.tab.wait_for_selector("#keeping:not([hidden])", state="attached")
    return page


def keep_what_is_seen(page) -> str:
    """Keep what the map shows; what the page said that it takes."""
    if not page.tab.evaluate("document.getElementById('imagery').open"):
        page.tab.click("#imagery > summary")
    page.tab.click("#keep-area")
    page.tab.wait_for_selector("#keep-start:not([disabled])")
    said = page.tab.inner_text("#keep-said")
    page.tab.click("#keep-start")
    return said


def wait_complete(page) -> str:
    page.tab.wait_for_selector("#kept-areas li")
    page.tab.wait_for_function(
        "document.querySelector('#kept-areas progress').hidden"
        " && document.querySelector('#kept-areas [name=pause]').hidden"
    )
    return page.tab.inner_text("#kept-areas li small")


def drawn_share(page) -> float:
    """Which share of the tiles on the map shows anything."""
    return page.tab.evaluate(
        """(() => {
          const all = [...document.querySelectorAll("canvas.leaflet-tile")];
          const seen = all.filter(each => each.getContext("2d")
            .getImageData(0, 0, 256, 256).data.some(value => value > 0));
          return seen.length / all.length;
        })()"""
    )


def test_a_kept_area_is_seen_and_classified_without_its_provider(open_page, tile_server):
    page = on_tiles(open_page, tile_server)
    first = page.classify()
    said = keep_what_is_seen(page)
    assert re.fullmatch(r"[\d,]+ tiles, about [\d.]+ MB\.", said)
    done = wait_complete(page)
    assert "zooms 14 to 18" in done
    # Each was read once to be kept; those of the map and of the square are the page's own reading.
    page.tab.route(f"{tile_server.origin}/**", lambda route: route.abort())
    before = len(tile_server.asked)
    page.tab.reload()
    page.wait_ready()
    page.tab.click("#agree button[value=yes]")
    page.tab.wait_for_selector("#kept-areas li", state="attached")
    page.tab.wait_for_function(SHOWN)
    assert drawn_share(page) > 0.7
    again = page.classify()
    assert again.label == first.label and again.footprint == first.footprint
    assert len(tile_server.asked) == before
    # Finer than what is kept, it is drawn from what is there.
    page.tab.click(".leaflet-control-zoom-in")
    page.tab.wait_for_function(SHOWN)
    page.tab.wait_for_timeout(500)
    assert drawn_share(page) > 0.7
    # It stands under "This device", from where it can be freed.
    page.tab.click("#device summary")
    assert "MB" in page.tab.inner_text("#kept-room li")
    page.tab.click("#kept-room [name=free]")
    page.tab.click("#kept-room [name=free]:has-text('Really')")
    page.tab.wait_for_selector("#kept-room", state="hidden")


def test_keeping_is_paused_and_goes_on_after_a_reload(open_page, tile_server):
    page = on_tiles(open_page, tile_server, 360, 740)
    asked_for: list[str] = []

    def slow(route):
        asked_for.append(route.request.url)
        page.tab.wait_for_timeout(30)
        route.continue_()

    page.tab.evaluate("document.getElementById('imagery').open = true")
    page.tab.click("#keep-area")
    page.tab.wait_for_selector("#keep-start:not([disabled])")
    page.tab.route(f"{tile_server.origin}/**", slow)
    page.tab.click("#keep-start")
    page.tab.click("#kept-areas [name=pause]:not([hidden])")
    page.tab.wait_for_selector("#kept-areas [name=go]:not([hidden])")
    assert page.tab.inner_text("#kept-areas li small").startswith("Paused: ")
    page.tab.unroute(f"{tile_server.origin}/**")
    page.tab.reload()
    page.wait_ready()
    page.tab.click("#agree button[value=no]")
    page.tab.wait_for_selector("#kept-areas li", state="attached")
    page.tab.evaluate("document.getElementById('imagery').open = true")
    before = set(tile_server.asked)
    page.tab.click("#kept-areas [name=go]:not([hidden])")
    done = wait_complete(page)
    assert "zooms 14 to 18" in done
    assert before < set(tile_server.asked)


def test_imagery_that_is_here_already_is_not_kept_twice(ready):
    ready.tab.wait_for_selector("#keeping:not([hidden])", state="attached")
    ready.tab.keyboard.press("a")
    ready.tab.wait_for_selector("#keep-error:has-text('is part of this page')")
    assert ready.tab.is_hidden("#keep-start")


def test_a_pack_is_opened_without_a_network_on_a_device_that_never_saw_the_place(
    open_page, tile_server, chromium, tmp_path
):
    page = on_tiles(open_page, tile_server)
    page.survey_view("1")
    page.open_teach_room()
    page.name_classes("Roofs", "Grass")
    page.give(1, -200, 60)
    page.tab.evaluate("document.getElementById('imagery').open = true")
    page.tab.click("#keep-area")
    page.tab.wait_for_selector("#keep-start:not([disabled])")
    page.tab.click("#keep-start")
    wait_complete(page)
    first = page.classify()
    pack = tmp_path / "pack.zip"
    pack.write_bytes(page.save_by("#kept-areas [name=along]"))

    there = page.elsewhere(chromium)
    there.tab.wait_for_selector("#keeping:not([hidden])", state="attached")
    # Changed by a byte, it is refused with the name of the part.
    changed = bytearray(pack.read_bytes())
    changed[changed.find(b"PMTiles") + 9000] ^= 1
    there.drop("changed.zip", bytes(changed))
    assert "its part imagery.pmtiles was changed" in there.wait_notice()
    there.tab.click("#notice button")
    asked = len(tile_server.asked)
    there.tab.set_input_files("#pack-file", str(pack))
    there.tab.wait_for_selector("#pack-said:has-text('Opened: imagery of')")
    said = there.tab.inner_text("#pack-said")
    assert "the model" in said and "1 survey" in said and "the project" in said
    there.tab.wait_for_function(SHOWN)
    wait_complete(there)
    there.tab.fill("#go-to", f"{first.footprint.centre.lat}, {first.footprint.centre.lng}")
    there.tab.press("#go-to", "Enter")
    there.tab.wait_for_timeout(500)
    again = there.classify()
    assert again.label == first.label
    # It lasts: what came with it is there at the next visit too.
    there.tab.reload()
    there.wait_ready()
    there.tab.wait_for_selector("#kept-areas li", state="attached")
    # The address names the imagery now, and another site is asked only if the person agrees.
    there.tab.click("#agree button[value=yes]")
    there.tab.wait_for_selector("#survey-list li", state="attached")
    there.tab.evaluate("document.getElementById('imagery').open = true")
    there.tab.click("#kept-areas [name=show]")
    there.tab.wait_for_function(SHOWN)
    assert drawn_share(there) > 0.5
    assert len(tile_server.asked) == asked and there.crashes == []
    there.tab.context.close()

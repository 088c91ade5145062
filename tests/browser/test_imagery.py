"""Which imagery is offered for a place, and what its terms let the page do."""

import json
import re

from tests.browser.test_bad_input import spoil
from training.site_tools import fetch

HERE = "#map=18/27.63392/85.51832"
BERN = "#map=17/46.948/7.447"


def headings(page) -> list[str]:
    return page.tab.locator("#source-list > p").all_inner_texts()


def rows(page) -> list[str]:
    return page.tab.locator("#source-list label > span").all_inner_texts()


def serve_as(tile_server, source_id: str, **allows):
    """Have one of the listed sources stand for a local server, with other terms."""

    def change(data: bytes) -> bytes:
        sources = json.loads(data)
        for source in sources:
            if source["id"] == source_id:
                source |= {"url": tile_server.template, "origin": tile_server.origin}
                source |= {"max_zoom": 18, "bounds": []}
                source["allows"] |= allows
        return json.dumps(sources).encode()

    return spoil("**/imagery/sources.json", change)


def test_what_covers_the_middle_of_the_map_comes_first(open_page):
    page = open_page(BERN)
    page.tab.click("#imagery summary")
    assert headings(page) == ["In the middle of the map", "Elsewhere"]
    assert rows(page)[0] == "SWISSIMAGE (Switzerland)"
    assert "0.20 m per pixel, newest survey" in page.tab.inner_text("#source-list label >> nth=0")
    page.tab.evaluate("location.hash = '#map=17/48.858/2.294'")
    page.tab.wait_for_function(
        "document.querySelector('#source-list label > span').textContent.startsWith('IGN')"
    )
    years = page.tab.locator("#source-list select option").all_inner_texts()
    assert (years[0], years[-1]) == ("2024", "2000")


def test_imagery_that_may_be_looked_at_only_is_shown_and_never_read(open_page, tile_server):
    page = open_page(HERE, before=serve_as(tile_server, "esri"))
    page.tab.click("#imagery summary")
    page.tab.click("text=Esri World Imagery")
    said = page.wait_notice()
    assert "allow looking at it, but not classifying it" in said
    assert "Choose Banepa, Nepal instead, which covers this place" in said
    assert "but not classify it, survey it or keep it" in page.tab.inner_text("#imagery-terms")
    page.wait_tiles()
    shown = len(tile_server.asked)
    assert shown, "it is shown"
    page.tab.click("#notice button")
    page.tab.click("#classify")
    assert "not classifying it" in page.wait_notice()
    page.survey_view(start=False)
    assert "Choose Banepa, Nepal" in page.tab.inner_text("#plan-error")
    assert page.tab.is_disabled("#survey-start")
    assert len(tile_server.asked) == shown, "nothing was read"


def test_a_year_of_a_series_is_chosen_and_its_date_stands_with_the_answer(open_page, tile_server):
    page = open_page(HERE, before=serve_as(tile_server, "ign-2012"))
    page.tab.click("#imagery summary")
    page.tab.select_option("#source-list select", "ign-2012")
    page.tab.wait_for_function("location.search.includes('imagery=ign-2012')")
    assert page.tab.inner_text("#imagery-name") == "IGN France, 2012"
    assert "taken 2012" in page.classify().facts["Imagery"]


def test_what_may_not_be_kept_leaves_no_copy_in_the_browsers_cache(open_page, tile_server):
    tile_server.headers["Cache-Control"] = "max-age=3600"
    page = open_page(HERE, before=serve_as(tile_server, "usgs", keep=False))
    page.tab.click("#imagery summary")
    page.tab.click("text=USGS Imagery")
    page.wait_tiles()
    shown = set(tile_server.asked)
    page.classify()
    again = [path for path in shown if tile_server.asked.count(path) > 1]
    assert again, "read anew, although the map has just shown it"


def test_a_place_is_found_without_asking_anyone(open_page):
    page = open_page(HERE)
    page.wait_whole()
    page.tab.keyboard.press("/")
    page.tab.keyboard.type("https://www.openstreetmap.org/#map=16/27.6290/85.5200")
    page.tab.keyboard.press("Enter")
    page.tab.wait_for_function("location.hash.startsWith('#map=16/27.629')")
    page.tab.fill("#go-to", "<b>nowhere</b>")
    page.tab.press("#go-to", "Enter")
    assert "no place that can be found" in page.tab.inner_text("#go-error")
    page.tab.fill("#go-to", "27.63392 N, 85.51832 E")
    page.tab.press("#go-to", "Enter")
    page.tab.wait_for_function("location.hash.startsWith('#map=17/27.63392')")
    assert page.tab.inner_text("#go-error") == ""
    assert page.classify().label


def test_leaflet_is_small_and_exports_all_that_its_own_module_does(ready, dist):
    own = fetch.npm_packages() / "leaflet/dist/leaflet-src.esm.js"
    ours = dist / "runtime/leaflet/leaflet.esm.js"
    assert ours.stat().st_size < own.stat().st_size / 2
    assert "https://leafletjs.com" in ours.read_text() and "sourceMapping" not in ours.read_text()
    exported = re.search(r"^export \{(.*)\};$", own.read_text(), re.MULTILINE)[1]
    names = {each.split(" as ")[-1].strip() for each in exported.split(",")}
    found = ready.tab.evaluate(
        """async () => Object.entries(await import("./runtime/leaflet/leaflet.esm.js"))
                           .map(([name, each]) => [name, typeof each])"""
    )
    assert {name for name, _ in found} == names
    assert "undefined" not in {kind for _, kind in found}


def test_the_map_of_the_built_in_imagery_zooms_out_over_its_one_zoom(open_page):
    page = open_page("#map=14/27.63100/85.51900")
    page.wait_tiles()
    tiles = page.tab.locator("#map .leaflet-tile").evaluate_all("all => all.map(each => each.src)")
    shown = {each for each in tiles if each.startswith("http")}
    assert len(shown) == 156 and all("/imagery/sample/18/" in each for each in shown)
    # Beyond the imagery there is nothing, not thousands of small empty pictures.
    assert len(tiles) < 350
    page.tab.click(".leaflet-control-zoom-in")
    page.tab.wait_for_function("location.hash.startsWith('#map=15/')")
    page.tab.click(".leaflet-control-zoom-out")
    page.tab.wait_for_function("location.hash.startsWith('#map=14/')")
    disabled = page.tab.get_attribute(".leaflet-control-zoom-out", "aria-disabled")
    assert disabled == "true"

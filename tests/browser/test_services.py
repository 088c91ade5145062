"""A WMS, a WMTS and OpenAerialMap, from the address to an answer with its date."""

import csv
import io
import json

import pytest

from tests.browser.map_services import MapServices
from tests.browser.native import jpeg_chip
from tests.browser.test_accessibility import violations
from tests.browser.test_bad_input import spoil
from tests.jpeg_tiles import jpeg_tiles

HERE = "#map=18/27.63392/85.51832"


@pytest.fixture
def services():
    with MapServices(jpeg_tiles()) as server:
        yield server


def ask(page, address):
    if not page.tab.is_visible("#own-url"):
        page.tab.click("#imagery summary")
    page.tab.fill("#own-url", address)
    page.tab.press("#own-url", "Enter")


def wait_layers(page):
    page.tab.wait_for_selector("#service-choice:not([hidden])")


def own_error(page):
    page.tab.wait_for_function("document.getElementById('own-error').textContent")
    return page.tab.inner_text("#own-error")


def test_services_are_asked_shown_classified_and_remembered(open_page, services):
    page = open_page(
        HERE,
        before=spoil(
            "**/imagery/catalogue.json", lambda _: json.dumps(services.catalogue).encode()
        ),
    )
    tab = page.tab
    tab.wait_for_selector("html[data-whole]", state="attached")

    # A WMS: its layers, what is known of them, and the one that is shown.
    ask(page, f"{services.origin}/wms")
    wait_layers(page)
    assert "2 layers, and 1 that can't" in tab.inner_text("#service-said")
    assert tab.locator("#service-layer option").all_inner_texts() == [
        "Orthophoto <img src=x>", "Orthophoto of 1950",
    ]  # fmt: skip
    assert "taken 2019-07-01, by © Town 2019, from 127.0.0.1" in tab.inner_text("#service-facts")
    assert "Name the <b>town" in tab.inner_text("#service-terms")
    assert violations(page) == []
    tab.click("#service-use")
    tab.wait_for_function("document.querySelector('.leaflet-tile')?.src.includes('GetMap')")
    shown = page.classify()
    assert (shown.chip == jpeg_chip(shown.footprint)).all(), "the same ground, to the byte"
    assert "taken 2019-07-01" in shown.facts["Imagery"]
    assert shown.facts["Credit"] == "© Town 2019"
    assert tab.inner_text("#imagery-name") == "Orthophoto <img src=x>"

    # The date goes into the files of a survey.
    tab.evaluate("location.hash = '#map=18/27.6335/85.5190'")
    page.survey_view()
    assert {each["properties"]["imagery_date"] for each in page.features()} == {"2019-07-01"}
    rows = list(csv.DictReader(io.StringIO(page.save_survey("csv").decode())))
    assert {each["credit"] for each in rows} == {"© Town 2019"}
    assert "taken 2019-07-01" in tab.inner_text("#survey-imagery")

    # A service that reports errors as XML or as pictures, with status 200.
    services.wms_says = "report"
    ask(page, f"{services.origin}/wms")
    wait_layers(page)
    tab.select_option("#service-layer", "1")
    tab.click("#service-use")
    tab.wait_for_function(
        "document.querySelector('#notice p').textContent.includes('layer <i>gone</i>')"
    )
    tab.wait_for_timeout(500)
    assert "layer <i>gone</i>" in page.notice(), "nothing less exact is said over it"
    services.wms_says = "blank"
    ask(page, f"{services.origin}/wms")
    wait_layers(page)
    tab.select_option("#service-layer", "1")
    tab.click("#service-use")
    tab.wait_for_function(
        "document.querySelector('#notice p').textContent.includes('nearly all one colour')"
    )
    services.wms_says = "pictures"

    # An older one, in degrees; a WMTS, whose tiles have a path each.
    ask(page, f"{services.origin}/old")
    wait_layers(page)
    tab.click("#service-use")
    tab.wait_for_function("location.search.includes('/old')")
    old = page.classify()
    assert "taken 2020" in old.facts["Imagery"]
    assert tab.inner_text("#imagery-name") == "DOP 20"
    ask(page, f"{services.origin}/wmts")
    wait_layers(page)
    tab.click("#service-use")
    tab.wait_for_function("location.search.includes('/wmts/ortho')")

    # Pictures of the place: nothing is asked for before the person asks.
    assert not any("/stac" in path for path in services.asked)
    tab.click("#imagery summary")
    tab.click("#aerial-look")
    tab.wait_for_selector("#aerial-list:not([hidden])")
    listed = tab.locator("#aerial-list button").all_inner_texts()
    assert "2025-05-20, 0.55 m per pixel, Mappers & Co, CC BY 4.0" in listed[0]
    assert "2016-05-01" in listed[1] and "CC BY-NC 4.0" in listed[1]
    assert violations(page) == []
    assert sum("/stac" in path for path in services.asked) == 1
    tab.click("#aerial-list button >> nth=0")
    tab.wait_for_function("location.search.includes('/items/newer/')")
    tab.evaluate("location.hash = '#map=18/27.63392/85.51832'")
    answer = page.classify()
    assert (answer.chip == jpeg_chip(answer.footprint)).all()
    assert "taken 2025-05-20" in answer.facts["Imagery"]
    assert "Mappers & Co" in answer.facts["Credit"] and "CC BY 4.0" in answer.facts["Credit"]

    # All of it is there at the next visit, and nothing of it is fetched before it is chosen.
    services.asked.clear()
    page.open(HERE)
    tab.wait_for_selector("html[data-whole]", state="attached")
    tab.click("#imagery summary")
    assert services.asked == []
    names = tab.locator("#source-list label > span").all_inner_texts()
    assert "Orthophoto <img src=x>" in names and "DOP 20" in names
    tab.click("#source-list label:has-text('Banepa <img')")
    assert "taken 2025-05-20" in page.classify().facts["Imagery"]
    tab.click("#imagery-forget")
    tab.wait_for_function(
        "!document.getElementById('source-list').textContent.includes('Banepa <img')"
    )
    assert tab.inner_text("#imagery-name") == "Banepa, Nepal"


def test_services_that_cannot_be_used_are_explained(open_page, services):
    page = open_page(
        HERE,
        before=spoil(
            "**/imagery/catalogue.json", lambda _: json.dumps(services.catalogue).encode()
        ),
    )
    tab = page.tab
    tab.wait_for_selector("html[data-whole]", state="attached")
    ask(page, f"{services.origin}/local")
    assert "its projections are EPSG:25832" in own_error(page)
    for mood, said in (("html", "a web page"), ("no-cors", "no CORS"), ("well", "")):
        services.mood = mood
        ask(page, f"{services.origin}/wms?{mood}")
        if said:
            tab.wait_for_function(
                "said => document.getElementById('own-error').textContent.includes(said)", arg=said
            )
    wait_layers(page)
    assert own_error_is_gone(page)
    tab.click("#service-close")
    for mood, said in (("html", "no list of pictures"), ("no-cors", "no CORS"),
                       ("refusing", "HTTP 503")):  # fmt: skip
        services.mood = mood
        tab.click("#aerial-look")
        tab.wait_for_function(
            "said => document.getElementById('aerial-said').textContent.includes(said)", arg=said
        )
    services.mood, services.items = "well", []
    tab.click("#aerial-look")
    tab.wait_for_function(
        "document.getElementById('aerial-said').textContent.includes('has no pictures')"
    )
    assert page.classify().label, "and the page goes on"


def own_error_is_gone(page):
    return page.tab.inner_text("#own-error") == ""

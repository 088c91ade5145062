import doctest
import json

import pytest

from pyapp.core import address
from pyapp.core.address import (
    ImageryRef,
    View,
    fragment_of,
    imagery_from,
    query_with_imagery,
    view_from,
)
from pyapp.core.errors import AddressError
from pyapp.core.ground.geo import LngLat, Tile
from pyapp.core.imagery.source import own_source, sources_from_json

HERE = "https://page.example"


def own(url, max_zoom=19, here=HERE):
    return own_source(url, max_zoom, here)


def test_examples_of_the_docstrings():
    assert doctest.testmod(address).failed == 0


def test_an_xyz_address_gives_the_address_of_a_tile():
    source = own(" https://tiles.example:8080/{z}/{x}/{y}.jpg?key=1 ")
    assert source.url_of(Tile(3, 4, 5)) == "https://tiles.example:8080/5/3/4.jpg?key=1"
    assert source.origin == "https://tiles.example:8080"
    assert source.name == "tiles.example"


def test_rows_from_the_south_mirrors_and_the_date_line():
    assert own("https://a.example/{z}/{x}/{-y}").url_of(Tile(3, 4, 5)).endswith("/5/3/27")
    assert (
        own("https://{s}.a.example/{z}/{x}/{y}")
        .url_of(Tile(0, 0, 1))
        .startswith("https://a.a.example/")
    )
    assert own("https://a.example/{z}/{x}/{y}").url_of(Tile(-1, 0, 2)).endswith("/2/3/0")


def test_our_own_origin_is_not_another_site():
    assert own(HERE + "/tiles/{z}/{x}/{y}").origin is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "does not begin with https://"),
        ("tiles/{z}/{x}/{y}", "does not begin with https://"),
        ("ftp://a.example/{z}/{x}/{y}", "does not begin with https://"),
        ("javascript:alert({z}{x}{y})", "does not begin with https://"),
        ("https://[::1/{z}/{x}/{y}", "does not begin with https://"),
        ("https://a.example:port/{z}/{x}/{y}", "does not begin with https://"),
        ("https://a.example/{z}/{x}", "no {y}"),
        ("https://a.example/", "no {z} or {x} or {y}"),
        ("https://a.example/{z}/{x}/{y}?k={key}", "{key}"),
        ("http://a.example/{z}/{x}/{y}", "https only"),
    ],
)
def test_an_address_that_cannot_work_is_explained(url, said):
    with pytest.raises(AddressError, match=said.replace("{", r"\{").replace("}", r"\}")):
        own(url)


def test_http_is_fine_on_this_machine_and_from_an_http_page():
    assert own("http://localhost:8000/{z}/{x}/{y}").origin == "http://localhost:8000"
    assert own("http://a.example/{z}/{x}/{y}", here="http://127.0.0.1:8000").origin


def test_a_zoom_out_of_range_is_explained():
    with pytest.raises(AddressError, match="0 to 24"):
        own("https://a.example/{z}/{x}/{y}", max_zoom=25)


def test_the_list_of_the_build_is_read():
    facts = {
        "id": "sample", "name": "Town", "url": "imagery/{z}/{x}/{y}.jpg", "min_zoom": 14,
        "max_zoom": 18, "attribution": "<b>me</b>", "attribution_text": "me", "origin": None,
        "home": [18, 27.6, 85.5], "tiles": {"18": ["3/4"]},
        "allows": {"show": True, "read": True, "bulk": False, "keep": False},
        "places": [{"name": "a river", "lat": 27.5, "lng": 85.25}],
    }  # fmt: skip
    (source,) = sources_from_json(json.dumps([facts]))
    assert source.home == (18, 27.6, 85.5)
    assert source.places == (("a river", (85.25, 27.5)),)
    assert not source.bulk
    assert source.may_have(Tile(3, 4, 18))
    assert not source.may_have(Tile(3, 5, 18))
    assert not source.may_have(Tile(3, 4, 17))


@pytest.mark.parametrize(
    "fragment", ["", "#", "#map=", "#map=1/2", "#map=a/b/c", "#map=19/91/0", "#map=-1/0/0",
                 "#map=nan/0/0", "#map=19/inf/0"],
)  # fmt: skip
def test_a_fragment_that_is_no_view_is_none(fragment):
    assert view_from(fragment) is None


def test_a_view_survives_the_address():
    view = View(LngLat(-122.419416, 37.774929), 19)
    back = view_from(fragment_of(view))
    assert back.zoom == 19
    assert back.centre == pytest.approx(view.centre, abs=1e-6)


def test_a_view_is_wrapped_at_the_date_line():
    assert view_from("#map=5/10/190").centre.lng == -170.0


def test_the_query_keeps_what_else_it_holds():
    imagery = ImageryRef("https://a.example/{z}/{x}/{y}.jpg", 18)
    query = query_with_imagery("?lang=en&imagery=esri", imagery)
    assert query == "?lang=en&imagery=https://a.example/{z}/{x}/{y}.jpg&maxzoom=18"
    assert imagery_from(query) == imagery
    assert query_with_imagery(query, None) == "?lang=en"
    assert query_with_imagery("?imagery=esri", None) == ""


def test_an_address_with_a_key_survives_the_query():
    imagery = ImageryRef("https://a.example/{z}/{x}/{y}.jpg?key=a&b=c#d")
    assert imagery_from(query_with_imagery("", imagery)) == imagery


def test_a_finest_zoom_that_is_no_number_is_left_out():
    assert imagery_from("?imagery=esri&maxzoom=deep") == ImageryRef("esri")

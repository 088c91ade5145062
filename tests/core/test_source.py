import json

import pytest

from pyapp.core.errors import AddressError
from pyapp.core.ground.geo import LngLat, Tile
from pyapp.core.imagery.source import Allows, own_source, sources_from_json

HERE = "https://page.example"


def own(url, max_zoom=19, here=HERE):
    return own_source(url, max_zoom, here)


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
        "licence": "free", "terms": "https://terms.example", "date": "2012",
        "home": [18, 27.6, 85.5], "tiles": {"18": ["3/4"]},
        "allows": {"show": True, "read": True, "bulk": False, "keep": False},
        "places": [{"name": "a river", "lat": 27.5, "lng": 85.25}],
    }  # fmt: skip
    (source,) = sources_from_json(json.dumps([facts]))
    assert source.home == (18, 27.6, 85.5)
    assert source.places == (("a river", (85.25, 27.5)),)
    assert source.allows == Allows(show=True, read=True, bulk=False, keep=False)
    assert (source.licence, source.date) == ("free", "2012")
    assert source.covers(LngLat(7.4, 46.9)) is False, "no tile is there"
    assert source.may_have(Tile(3, 4, 18))
    assert not source.may_have(Tile(3, 5, 18))
    assert not source.may_have(Tile(3, 4, 17))

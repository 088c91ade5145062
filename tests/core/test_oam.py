"""Pictures of a place from OpenAerialMap's catalogue, and sources that are remembered."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pyapp.core.ground.geo import Bounds, LngLat, Tile
from pyapp.core.imagery.choice import permission
from pyapp.core.imagery.known import MOST_KNOWN, known_from_json, known_to_json
from pyapp.core.imagery.oam import (
    catalogue_from_json,
    facts_of,
    pictures_from_json,
    search_address,
    source_of,
)
from tests.core.aerial import answer, item

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = catalogue_from_json(
    json.dumps(json.loads((ROOT / "site/imagery.json").read_text())["catalogue"])
)
PLACE = LngLat(85.518, 27.634)
HERE = "https://page.example"


def pictures(*items):
    return pictures_from_json(answer(*items), PLACE)


def picture(**changed):
    (found,) = pictures(item(**changed))
    return found


def test_what_covers_the_middle_comes_first_then_the_newest():
    far = [80.0, 27.0, 81.0, 28.0]
    found = pictures(
        item("old", "2016-05-01T00:00:00Z"),
        item("far", "2026-01-01T00:00:00Z", bbox=far),
        item("new", "2024-09-06T10:00:00Z"),
    )
    assert [each.item for each in found] == ["new", "old", "far"]


def test_a_picture_has_date_resolution_provider_and_licence():
    found = picture()
    assert facts_of(found) == "2025-05-20, 0.35 m per pixel, Mappers & Co, CC BY 4.0"
    assert found.title.startswith("Banepa <img"), "text, whatever it holds"
    assert "someone@example.org" not in repr(found), "addresses of people are not taken along"


@pytest.mark.parametrize(
    ("properties", "date"),
    [
        ({"end_datetime": "2025-05-22T00:00:00Z"}, "2025-05-20/2025-05-22"),
        ({"start_datetime": None, "end_datetime": None, "datetime": "2016-05-01T07:00:00Z"},
         "2016-05-01"),
        ({"oam:acquisition_source": "ingest", "oam:acquisition_time_estimated": True}, ""),
        ({"oam:acquisition_source": "file-tags"}, "2025-05-20"),
        ({"start_datetime": "0206-01-01T00:00:00Z", "end_datetime": None}, ""),
    ],
)  # fmt: skip
def test_the_date_is_that_of_the_flight_or_none(properties, date):
    assert picture(properties=properties).date == date


def test_a_resolution_in_degrees_is_worked_out_anew():
    visual = {"href": "a.tif", "proj:shape": [11_132, 9_000]}
    found = picture(properties={"gsd": 2.99e-7}, assets={"visual": visual})
    assert found.ground_m == pytest.approx(0.3, rel=0.01)
    assert picture(properties={"gsd": None}).ground_m is None
    assert "resolution not known" in facts_of(picture(properties={"gsd": None}))


def test_what_is_no_visible_picture_or_is_damaged_is_left_out():
    assert pictures(
        item(properties={"oam:product_type": "elevation"}), item(assets={"original": {}}),
        item(bbox=None), item(bbox=[1, 2, 3]), item(bbox=["a", 0, 1, 1]), item(bbox=[0, 5, 1, 4]),
    ) == []  # fmt: skip


@pytest.mark.parametrize("data", [b"<html>", b"[]", b'{"code": "down"}', b'{"features": [{}]}',
                                  b'{"features": 3}', b'{"features": [7]}', b"\xff"])  # fmt: skip
def test_something_else_is_no_list(data):
    with pytest.raises(ValueError):
        pictures_from_json(data, PLACE)


def test_over_the_date_line_there_are_two_rectangles():
    found = picture(bbox=[179.5, -16, -179.5, -15])
    assert found.bounds == (Bounds(179.5, -16, 180, -15), Bounds(-180, -16, -179.5, -15))
    assert picture(bbox=[1, 2, 0, 3, 4, 9]).bounds == (Bounds(1, 2, 3, 4),)


def test_a_picture_is_a_source_like_any_other():
    source = source_of(picture(), CATALOGUE, HERE)
    assert source.url_of(Tile(3, 4, 12)) == (
        "https://api.imagery.hotosm.org/raster/collections/openaerialmap/items/"
        "683060c4025981aa411253c8/tiles/WebMercatorQuad/12/3/4@1x?assets=visual&nodata=0"
    )
    assert source.credit == (
        "© Mappers & Co, contributors of Open Imagery Network, CC BY 4.0, via OpenAerialMap"
    )
    assert "Mappers &amp; Co" in source.attribution
    assert (source.date, source.max_zoom, source.ground_m) == ("2025-05-20", 19, 0.35)
    assert source.origin == "https://api.imagery.hotosm.org"
    assert permission(source).startswith("You may look at it, classify it")


@pytest.mark.parametrize(
    ("licence", "said"),
    [("CC-BY-NC-4.0", "Not for commercial use"), ("CC BY-NC 4.0", "Not for commercial use"),
     (None, "names no licence"), ("CC-BY-SA-4.0", "")],
)  # fmt: skip
def test_the_licence_of_each_picture_counts(licence, said):
    source = source_of(picture(properties={"license": licence}), CATALOGUE, HERE)
    assert said in source.conditions and bool(said) == bool(source.conditions)


def test_an_item_cannot_lead_elsewhere():
    source = source_of(picture(name="../../evil?x={y}"), CATALOGUE, HERE)
    assert "/items/..%2F..%2Fevil%3Fx%3D%7By%7D/tiles/" in source.url


def test_only_what_the_map_shows_is_asked_for():
    address = search_address(CATALOGUE, Bounds(540.1, -91.0, 540.2, 10.0))
    assert "bbox=-179.900000,-90.000000,-179.800000,10.000000" in address
    assert "bbox=-180.000000," in search_address(CATALOGUE, Bounds(-300, 0, 100, 1))
    assert address.startswith(
        "https://api.imagery.hotosm.org/stac/search?collections=openaerialmap"
    )


def test_sources_are_remembered_with_their_date_and_credit():
    source = source_of(picture(), CATALOGUE, HERE)
    assert known_from_json(known_to_json([source])) == [source]
    many = [replace(source, id=f"own-{number}") for number in range(30)]
    assert known_from_json(known_to_json(many)) == many[-MOST_KNOWN:]


@pytest.mark.parametrize(
    "changed",
    [{"url": "javascript:1"}, {"url": 3}, {"terms": "javascript:alert(1)"}, {"id": "sample"},
     {"zooms": [5, 99]}, {"zooms": [9, 3]}, {"bounds": [[1, 2]]}, {"ground_m": "x"}],
)  # fmt: skip
def test_what_was_tampered_with_is_left_out(changed):
    stored = json.loads(known_to_json([source_of(picture(), CATALOGUE, HERE)]))
    assert known_from_json(json.dumps([stored[0] | changed])) == []


@pytest.mark.parametrize("text", [None, "", "{", "3", '["a"]', "null"])
def test_nothing_remembered_is_nothing(text):
    assert known_from_json(text) == []

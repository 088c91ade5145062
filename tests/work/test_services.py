"""Services are asked what they offer and tried, whatever they answer."""

import io

import pytest
from PIL import Image, ImageDraw

from pyapp.core.errors import AddressError, ComplainingTileError, NotAnImageError
from pyapp.core.ground.geo import Bounds, LngLat
from pyapp.core.imagery import markup
from pyapp.core.imagery.service import source_of
from pyapp.core.imagery.service_errors import (
    NoImageryFoundError,
    NotAServiceError,
    PlainPictureError,
    RefusingServiceError,
    SlowServiceError,
    UnreachableServiceError,
    WebPageError,
    WrongCatalogueError,
)
from pyapp.work import services as module
from pyapp.work.ground import Ground
from pyapp.work.ports import UnreachableError
from pyapp.work.services import Services, capabilities_at, tried_tile
from tests.core import capabilities
from tests.core.aerial import answer, item
from tests.core.test_oam import CATALOGUE
from tests.work.fakes import FakeClock, FakeFetch, decode, run, source, tile_bytes

HERE = "https://page.example"
PLACE = LngLat(85.518, 27.634)
REPORT = (b"<?xml version='1.0'?><ServiceExceptionReport><ServiceException>No such layer."
          b"</ServiceException></ServiceExceptionReport>")  # fmt: skip


def services(answer):
    fetch, clock = FakeFetch(answer), FakeClock()
    return Services(fetch, clock, Ground(fetch, decode, clock, 8 << 20)), fetch


def read(answer, address="https://gis.example/wms"):
    asked, fetch = services(lambda _url: answer)
    return run(asked.read(address, HERE)), fetch


def test_the_capabilities_of_a_service_are_asked_for_once_and_not_kept():
    service, fetch = read(capabilities.wms_130(), "https://gis.example/ows?map=a&layers=x")
    assert service.kind == "WMS"
    assert fetch.asked == ["https://gis.example/ows?map=a&SERVICE=WMS&REQUEST=GetCapabilities"]
    assert fetch.not_kept == fetch.asked


def test_a_service_is_what_it_says_it_is_not_what_the_address_looks_like():
    service, fetch = read(capabilities.wmts())
    assert service.kind == "WMTS"
    assert "SERVICE=WMS" in fetch.asked[0]


def test_long_capabilities_do_not_hold_up_the_page(monkeypatch):
    monkeypatch.setattr(module, "PIECE_BYTES", 100)
    asked, _ = services(lambda _url: capabilities.wms_130())
    assert len(run(asked.read("https://gis.example/wms", HERE)).offers) == 2
    assert len(asked._clock.slept) > 10


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("https://a.example/wmts", "https://a.example/wmts?SERVICE=WMTS&REQUEST=GetCapabilities"),
        ("https://a.example/x?SERVICE=wmts&request=GetCapabilities",
         "https://a.example/x?SERVICE=WMTS&REQUEST=GetCapabilities"),
        ("https://a.example/WMTSCapabilities.xml", "https://a.example/WMTSCapabilities.xml"),
        ("https://a.example/wms?key=1&service=WMS&version=1.3.0&request=GetMap&bbox=1,2,3,4",
         "https://a.example/wms?key=1&SERVICE=WMS&REQUEST=GetCapabilities"),
    ],
)  # fmt: skip
def test_where_the_capabilities_are(address, asked):
    assert capabilities_at(address) == asked


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (UnreachableError("cors"), UnreachableServiceError, "no CORS"),
        (TimeoutError(), SlowServiceError, "30 seconds"),
        (401, RefusingServiceError, "HTTP 401"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", WebPageError, "is a web page"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", WebPageError, "is a web page"),
        (b"%PDF-1.7", NotAServiceError, "no XML"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', NotAServiceError, "entities"),
        (capabilities.wms_130()[:900], NotAServiceError, "no XML"),
        (REPORT, NotAServiceError, 'it says "No such layer."'),
        (b"<rss/>", NotAServiceError, "it is a rss"),
        (b"<Capabilities/>", NotAServiceError, "it is a Capabilities"),
    ],
)
def test_each_fault_of_a_service_is_a_sentence(answer, error, said):
    with pytest.raises(error, match=said):
        read(answer)


def test_more_than_anyone_would_read_is_given_up(monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    with pytest.raises(NotAServiceError, match="too long"):
        read(capabilities.wms_130())
    monkeypatch.setattr(markup, "MOST_ELEMENTS", 5)
    with pytest.raises(markup.MarkupError, match="too many parts"):
        markup.read(capabilities.wms_130())


def test_over_https_only_from_a_page_over_https():
    asked, fetch = services(lambda _url: capabilities.wms_130())
    with pytest.raises(AddressError, match="https only"):
        run(asked.read("http://gis.example/wms", HERE))
    assert fetch.asked == []


def layer():
    service, _ = read(capabilities.wms_130())
    return source_of(service, service.offers[0], 19, HERE)


def picture(draw=False):
    found = Image.new("RGB", (256, 256), "white")
    if draw:
        ImageDraw.Draw(found).text((5, 5), "msDrawMap(): Image handling error", fill="black")
    out = io.BytesIO()
    found.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (REPORT, ComplainingTileError, '"No such layer."'),
        (b"<html>Sign in</html>", NotAnImageError, "not a picture"),
        (picture(), PlainPictureError, "nearly all one colour"),
        (picture(draw=True), PlainPictureError, "how it reports an error"),
    ],
)
def test_a_layer_is_tried_before_it_is_believed(answer, error, said):
    asked, fetch = services(lambda _url: answer)
    with pytest.raises(error, match=said):
        run(asked.try_out(layer(), PLACE))
    assert len(fetch.asked) == 1


def test_a_layer_that_shows_ground_is_fine():
    asked, fetch = services(tile_bytes)
    run(asked.try_out(layer(), PLACE))
    assert "REQUEST=GetMap" in fetch.asked[0]


def test_it_is_tried_where_it_is():
    swiss = source(bounds=(Bounds(6.0, 46.0, 10.0, 47.0),))
    tile = tried_tile(swiss, PLACE)
    assert tile == tried_tile(swiss, LngLat(8.0, 46.5)) and tile.z == 17
    assert tried_tile(source(max_zoom=15), PLACE).z == 15


def test_a_report_in_place_of_a_tile_is_read_out_in_a_classification():
    """With status 200, which is how WMS reports."""
    fetch = FakeFetch(lambda _url: REPORT)
    ground = Ground(fetch, decode, FakeClock(), 8 << 20)
    tile = tried_tile(layer(), PLACE)
    data = run(ground.read_tile(layer(), tile))
    with pytest.raises(ComplainingTileError, match="No such layer"):
        run(ground.decode_tile(tile, data))


WINDOW = Bounds(85.51, 27.63, 85.52, 27.64)


def test_pictures_of_a_place_are_looked_up_once():
    asked, fetch = services(lambda _url: answer(item("new"), item("old", "2016-05-01T00:00:00Z")))
    found = run(asked.pictures(CATALOGUE, WINDOW, HERE))
    assert [each.item for each in found] == ["new", "old"]
    assert len(fetch.asked) == 1 and "bbox=85.51" in fetch.asked[0]


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (UnreachableError("cors"), UnreachableServiceError, "no CORS"),
        (503, RefusingServiceError, "HTTP 503"),
        (TimeoutError(), SlowServiceError, "30 seconds"),
        (b"<html>maintenance</html>", WrongCatalogueError, "no list of pictures"),
        (answer(), NoImageryFoundError, "has no pictures of what the map shows"),
        (answer(item(bbox=None)), NoImageryFoundError, "has no pictures"),
    ],
)
def test_each_fault_of_the_catalogue_is_a_sentence(given, error, said):
    asked, _ = services(lambda _url: given)
    with pytest.raises(error, match=said):
        run(asked.pictures(CATALOGUE, WINDOW, HERE))

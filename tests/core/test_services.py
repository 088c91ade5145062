"""What WMS and WMTS say about themselves, and the addresses that follow from it."""

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from rasterio.warp import transform_bounds

from pyapp.core.errors import AddressError
from pyapp.core.ground.geo import LngLat, Tile, tile_at
from pyapp.core.imagery import markup, wms, wmts
from pyapp.core.imagery.choice import permission
from pyapp.core.imagery.service import code_of, source_of, stated
from pyapp.core.imagery.service_errors import OldServiceError, UnsuitedServiceError
from pyapp.core.imagery.source import own_source
from pyapp.core.imagery.template import bounds_of_tile
from tests.core import capabilities

HERE = "https://page.example"
ASKED = "https://gis.example/wms"
PLACE = LngLat(85.518, 27.634)
TILE = tile_at(PLACE, 17)


def wms_of(data, asked=ASKED):
    return wms.service_of(markup.read(data), asked, "https://gis.example")


def wmts_of(**changed):
    return wmts.service_of(
        markup.read(capabilities.wmts(**changed)), "https://tiles.example/wmts", "tiles.example"
    )


def query_of(source, tile=TILE):
    return {name: value for name, (value,) in
            parse_qs(urlsplit(source.url_of(tile)).query, True).items()}  # fmt: skip


def test_a_wms_in_web_mercator():
    service = wms_of(capabilities.wms_130())
    assert (service.title, service.left_out) == ("Town & land", 1)
    assert service.conditions == "The service says: Access constraints: Name the <b>town"
    ortho, old = service.offers
    assert (ortho.title, ortho.credit) == ("Orthophoto <img src=x>", "© Town 2019")
    assert (ortho.min_zoom, ortho.max_zoom, ortho.date) == (14, 18, "2019-07-01")
    assert (old.max_zoom, old.date, old.credit) == (None, "", "Survey office")
    source = source_of(service, ortho, 21, HERE)
    query = query_of(source)
    box = [float(each) for each in query.pop("BBOX").split(",")]
    expected = transform_bounds("EPSG:4326", "EPSG:3857", *bounds_of_tile(TILE))
    assert np.allclose(box, expected, atol=1e-3)
    assert query == {
        "map": "town", "SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMap",
        "LAYERS": "ortho", "STYLES": "", "CRS": "EPSG:3857", "WIDTH": "256", "HEIGHT": "256",
        "FORMAT": "image/jpeg", "EXCEPTIONS": "XML",
    }  # fmt: skip
    assert source.max_zoom == 18 and source.date == "2019-07-01"
    assert source.attribution == source.credit == "© Town 2019"
    assert source.covers(PLACE) and not source.covers(LngLat(7, 47))
    assert source_of(service, old, 21, HERE).max_zoom == 21
    assert source.id != source_of(service, old, 21, HERE).id


@pytest.mark.parametrize(
    ("data", "order"),
    [
        (capabilities.wms_130(crs="<CRS>EPSG:4326</CRS>"), "lat"),
        (capabilities.wms_130(crs="<CRS>EPSG:4326</CRS><CRS>CRS:84</CRS>"), "lng"),
        (capabilities.wms_111(srs="EPSG:4326"), "lng"),
    ],
)
def test_degrees_come_in_the_order_of_the_version(data, order):
    service = wms_of(data)
    source = source_of(service, service.offers[0], 19, HERE)
    assert source.min_zoom >= 10, "coarser tiles would be bent"
    west, south, east, north = bounds_of_tile(TILE)
    expected = [south, west, north, east] if order == "lat" else [west, south, east, north]
    box = [float(each) for each in query_of(source)["BBOX"].split(",")]
    assert np.allclose(box, expected, atol=1e-9)


def test_a_wms_of_the_older_version():
    service = wms_of(capabilities.wms_111())
    (offer,) = service.offers
    assert service.title == "Grün" and service.fees == service.constraints == ""
    assert offer.date == "2020" and offer.max_zoom == 19
    assert "SRS=EPSG:900913" in offer.template and "CRS=" not in offer.template
    assert "FORMAT=image/png%3B%20mode%3D24bit" in offer.template.replace(";", "%3B")
    assert offer.template.startswith("https://gis.example/cgi?map=/a/town.map&"), "as it was asked"
    assert offer.bounds[0].west == 9.5


def test_what_a_service_states_replaces_what_was_asked_unless_it_is_nothing():
    assert stated("", ASKED) == ASKED
    assert stated("https://cdn.example/x", ASKED) == "https://cdn.example/x"
    assert stated("http://internal:8080/ows", ASKED) == ASKED
    plain = "http://gis.example/wms"
    service = wms_of(capabilities.wms_130(address="http://other.example/ows"), plain)
    with pytest.raises(AddressError, match="https only"):
        source_of(service, service.offers[0], 19, HERE)


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (capabilities.wms_130(crs="<CRS>EPSG:2056</CRS>"), UnsuitedServiceError,
         r"EPSG:2056, EPSG:25832"),
        (capabilities.wms_130(formats="<Format>image/tiff</Format>"), UnsuitedServiceError,
         "no JPEG, PNG or WebP"),
        (capabilities.wms_111().replace(b'version="1.1.1"', b'version="1.0.0"'), OldServiceError,
         "speaks WMS 1.0.0"),
    ],
)  # fmt: skip
def test_a_wms_that_cannot_be_shown_is_explained(data, error, said):
    with pytest.raises(error, match=said):
        wms_of(data)


def test_a_wmts_by_path_and_by_query():
    service = wmts_of()
    assert (service.kind, service.title, service.left_out) == ("WMTS", "Country", 1)
    assert service.conditions.endswith("Access constraints: https://terms.example")
    by_path, by_query = service.offers
    assert by_path.template == ("https://tiles.example/wmts/ortho/default/2021/wm/{z}/{y}/{x}.jpeg")
    assert (by_path.min_zoom, by_path.max_zoom) == (0, 19)
    assert (by_path.credit, by_path.date) == ("Land office", "2021")
    source = source_of(service, by_query, 24, HERE)
    assert query_of(source, Tile(3, 4, 5)) == {
        "SERVICE": "WMTS", "REQUEST": "GetTile", "VERSION": "1.0.0", "LAYER": "plain layer",
        "STYLE": "normal", "FORMAT": "image/png", "TILEMATRIXSET": "wm", "TILEMATRIX": "5",
        "TILEROW": "4", "TILECOL": "3",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "address"),
    [
        ({"set": capabilities.matrices(name="EPSG:3857:{}")}, "/wm/EPSG:3857:5/4/3.jpeg"),
        ({"set": capabilities.matrices(name="{:02}")}, "/wm/05/4/3.jpeg"),
        ({"crs": "EPSG:900913"}, "/wm/5/4/3.jpeg"),
    ],
)
def test_zooms_are_numbered_as_the_matrix_set_does(changed, address):
    offer = wmts_of(**changed).offers[0]
    assert own_source(offer.template, 19, HERE).url_of(Tile(3, 4, 5)).endswith(address)


def test_limits_of_a_layer_and_of_its_matrix_set():
    limits = "".join(
        f"<TileMatrixLimits><TileMatrix>{zoom}</TileMatrix></TileMatrixLimits>"
        for zoom in range(8, 18)
    )
    offer = wmts_of(limits=f"<TileMatrixSetLimits>{limits}</TileMatrixSetLimits>").offers[0]
    assert (offer.min_zoom, offer.max_zoom) == (8, 17)
    offer = wmts_of(set=capabilities.matrices(range(6, 15))).offers[0]
    assert (offer.min_zoom, offer.max_zoom) == (6, 14)


@pytest.mark.parametrize(
    "changed",
    [
        {"crs": "urn:ogc:def:crs:EPSG::25832"},
        {"set": capabilities.matrices(corner="420000 350000")},
        {"set": capabilities.matrices(side=512)},
        {"set": capabilities.matrices([3, 5, 7])},
        {"set": capabilities.matrices(name="level{}a")},
        {"set": ""},
        {"set": "<TileMatrix><ScaleDenominator>0</ScaleDenominator></TileMatrix>"},
    ],
)
def test_other_matrix_sets_are_refused_with_their_projections(changed):
    with pytest.raises(UnsuitedServiceError, match=r"EPSG:2056.*GoogleMapsCompatible"):
        wmts_of(**changed)


def test_a_template_with_an_unknown_place_is_left_for_the_query():
    path = '<ResourceURL format="image/jpeg" resourceType="tile" template="https://a/{Quadkey}"/>'
    assert "TILEROW={y}" in wmts_of(path=path).offers[0].template


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"not xml", "no XML"),
        (b"<a><b></a>", "no XML"),
        (b"<a>" * 200, "too many parts"),
        (b'<!DOCTYPE a [<!ENTITY x "boom">]><a>&x;</a>', "entities"),
        (b'<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><a/>', "entities"),
        (b"<a>&undeclared;</a>", "no XML"),
        (b"<?xml version='1.0' encoding='nowhere'?><a/>", "no XML"),
        (b"", "no XML"),
    ],
)
def test_xml_that_may_do_harm_or_is_none_is_refused(data, said):
    with pytest.raises(markup.MarkupError, match=said):
        markup.read(data)


def test_an_external_doctype_is_passed_over_and_never_read():
    assert markup.read(b'<!DOCTYPE a SYSTEM "https://evil.example/x.dtd"><a t="1"/>').name == "a"


def test_a_complaint_is_found_in_what_should_be_a_picture():
    report = b"""<?xml version='1.0'?><ServiceExceptionReport version="1.3.0">
      <ServiceException code="LayerNotDefined">\n No such   layer. </ServiceException>
      </ServiceExceptionReport>"""
    assert markup.complaint(report) == "No such layer."
    ows = b"<ExceptionReport><Exception exceptionCode='TileOutOfRange'/></ExceptionReport>"
    assert markup.complaint(ows) == "TileOutOfRange"
    assert markup.complaint(b"\x89PNG") == markup.complaint(b"<html>") == ""


def test_codes_however_they_are_written():
    assert {code_of(each) for each in (
        "EPSG:3857", "epsg:3857", "urn:ogc:def:crs:EPSG::3857", "urn:ogc:def:crs:EPSG:6.18.3:3857",
        "http://www.opengis.net/def/crs/EPSG/0/3857",
        "http://www.opengis.net/gml/srs/epsg.xml#3857",
    )} == {"EPSG:3857"}  # fmt: skip


def test_nobody_claims_to_know_the_terms_of_an_address():
    service = wms_of(capabilities.wms_130())
    assert "not known" in permission(source_of(service, service.offers[0], 19, HERE))
    assert "not known" in permission(own_source("https://a.example/{z}/{x}/{y}", 19, HERE))


@pytest.mark.parametrize(
    "address",
    ["https://a.example/?BBOX={bbox}", "https://a.example/?B={west},{south},{east},{north}"],
)
def test_the_address_of_a_layer_can_be_opened_again(address):
    source = own_source(address, 19, HERE)
    assert source.url == address and source.id == "own"
    assert source.min_zoom == (10 if "{west}" in address else 0)

"""What the page says about services and their layers."""

from pyapp.core.ground.geo import LngLat
from pyapp.core.imagery.markup import read
from pyapp.core.imagery.wms import service_of
from pyapp.ui.ground.wording import about_layer, about_service
from tests.core.capabilities import wms_130

HERE, ELSEWHERE = LngLat(85.518, 27.634), LngLat(7.4, 46.9)


def service(**changed):
    return service_of(read(wms_130(**changed)), "https://gis.example/ows", "gis.example")


def test_what_was_found_and_what_was_left_out():
    assert about_service(service()) == (
        "Town & land: 2 layers, and 1 that can't be laid on a web map (WMS)."
    )


def test_what_is_known_of_a_layer():
    ortho, old = service().offers
    assert about_layer(ortho, HERE) == (
        "As fine as 0.53 m per pixel here, taken 2019-07-01, by © Town 2019, from gis.example."
    )
    assert about_layer(old, ELSEWHERE) == (
        "Not here, its finest zoom is not stated, so the one above counts, by Survey office, "
        "from gis.example."
    )

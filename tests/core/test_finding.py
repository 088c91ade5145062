"""Places that a person writes."""

import pytest

from pyapp.core.errors import PlaceError
from pyapp.core.ground.finding import Found, find
from pyapp.core.ground.geo import LngLat

BERN = LngLat(7.4474, 46.948)


@pytest.mark.parametrize(
    "text",
    [
        "46.948, 7.4474",
        " 46.948 7.4474 ",
        "46.948;7.4474",
        "46,948; 7,4474",
        "46,948 7,4474",
        "46.948° N, 7.4474° E",
        "46.948N 7.4474E",
        "46°56'52.8\"N 7°26'50.64\"E",
        "46° 56.88' N 7° 26.844' E",
        "geo:46.948,7.4474",
        "https://www.openstreetmap.org/?mlat=46.948&mlon=7.4474",
        "https://maps.google.com/?q=46.948,7.4474",
        "https://maps.google.com/?q=46.948%2C7.4474",
        "https://maps.apple.com/?ll=46.948,7.4474",
        "https://www.bing.com/maps?cp=46.948~7.4474",
    ],
)
def test_coordinates_and_links_are_found(text):
    found = find(text, LngLat(0, 0))
    assert found.place == pytest.approx(BERN, abs=1e-9)
    assert found.zoom is None


@pytest.mark.parametrize(
    "text",
    [
        "https://www.openstreetmap.org/#map=18/46.948/7.4474",
        "https://www.google.com/maps/@46.948,7.4474,18z",
        "https://www.google.com/maps/place/Bern/@46.948,7.4474,17.6z/data=x",
        "geo:46.948,7.4474?z=18",
    ],
)
def test_the_zoom_of_a_link_is_kept(text):
    assert find(text, LngLat(0, 0)) == Found(BERN, 18)


def test_south_and_west_are_negative():
    assert find("33°52'S 151°12'W", BERN).place == pytest.approx((-151.2, -33.866667), abs=1e-6)


# Examples of the specification's own tests.
@pytest.mark.parametrize(
    ("code", "lat", "lng"),
    [
        ("7FG49Q00+", 20.375, 2.775),
        ("7FG49QCJ+2V", 20.3700625, 2.7821875),
        ("7FG49QCJ+2VX", 20.3701125, 2.782234375),
        ("8FVC2222+22", 47.0000625, 8.0000625),
        ("4VCPPQGP+Q9", -41.2730625, 174.7859375),
        ("62G20000+", 1.0 - 0.5 + 0.0, -179.5),
    ],
)
def test_plus_codes_are_their_middle(code, lat, lng):
    assert find(code, BERN).place == pytest.approx((lng, lat), abs=1e-9)


# From the specification's tests of short codes.
@pytest.mark.parametrize(
    ("short", "near", "complete"),
    [
        ("CJ+2VX", (51.3708675, -1.217765625), "9C3W9QCJ+2VX"),
        ("9QCJ+2VX", (51.3701125, -1.217765625), "9C3W9QCJ+2VX"),
    ],
)
def test_short_plus_codes_are_the_nearest(short, near, complete):
    place = LngLat(near[1], near[0])
    assert find(short, place).place == pytest.approx(find(complete, place).place, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no place"),
        ("Bern", "no place"),
        ("<script>", "no place"),
        ("118.2, 46.9", "Latitude comes first"),
        ("2600000, 1200000", "off the map"),
        ("89.9, 0", "off the map"),
        ("7FG49QCJ+2", "not complete"),
        ("7FG4900+", "no place|not complete"),
        ("7FG40000+22", "nothing after its plus"),
        ("1" * 400 + ", 7", "off the map"),
    ],
)
def test_what_is_no_place_is_explained(text, said):
    with pytest.raises(PlaceError, match=said):
        find(text, BERN)

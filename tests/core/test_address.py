"""The page's address: whatever it is given comes back, and anything else is ignored."""

import math
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pyapp.core.address import (
    ImageryRef,
    View,
    fragment_of,
    imagery_from,
    model_from,
    query_with_imagery,
    query_with_model,
    square_from,
    view_from,
)
from pyapp.core.ground.geo import LngLat, world_px, wrap_lng

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
PLACES = st.builds(LngLat, st.floats(-540.0, 540.0), st.floats(-85.0, 85.0))
VIEWS = st.builds(View, PLACES, st.integers(0, 24))
IMAGERY = st.builds(ImageryRef, TEXT, st.none() | st.integers(0, 24))


def apart(one, other):
    """Degrees between two places; the date line does not part them."""
    return max(abs(wrap_lng(one.lng - other.lng)), abs(one.lat - other.lat))


def digits_of(fragment):
    """How many digits after the point the centre of the map has."""
    return len(fragment.partition("&")[0].rpartition("/")[2].partition(".")[2])


@given(VIEWS)
@example(View(LngLat(179.9999999, 0.0), 0))
def test_a_view_comes_back_to_the_pixel(view):
    back = view_from(fragment_of(view))
    assert back.zoom == view.zoom
    pixel_degrees = 360 / world_px(view.zoom)
    assert apart(back.centre, view.centre) <= pixel_degrees / 2
    assert digits_of(fragment_of(view)) <= 8


@given(VIEWS, PLACES)
@example(View(LngLat(85.52, 27.63), 18), LngLat(85.520001, 27.630001))
@example(View(LngLat(-180.0, 27.63), 18), LngLat(180.000001, 27.63))
def test_a_square_comes_back_unless_it_is_in_the_middle(view, square):
    fragment = fragment_of(view, square)
    assert view_from(fragment) == view_from(fragment_of(view))
    back, distance = square_from(fragment), apart(square, view.centre)
    near = 2 * 10 ** -digits_of(fragment)
    assume(not math.isclose(distance, near))
    assert (back is None) == (distance < near)
    if back is not None:
        assert apart(back, square) < 1e-6
        assert -180 <= back.lng < 180


@given(st.text(max_size=40))
@example("#map=1e400/0/0")
@example("#map=19/nan/0&square=nan/0")
@example("#square=86/0")
@example("#square=0/inf")
@example("#map=24.4/0/0")
def test_any_fragment_is_a_view_or_none(text):
    view, square = view_from(text), square_from(text)
    if view is not None:
        assert 0 <= view.zoom <= 24 and -180 <= view.centre.lng < 180
        assert view_from(fragment_of(view)).zoom == view.zoom
    if square is not None:
        assert -180 <= square.lng < 180 and abs(square.lat) < 86


@given(st.lists(st.tuples(TEXT, TEXT), max_size=3), IMAGERY, TEXT)
def test_a_query_keeps_imagery_model_and_what_else_it_holds(others, imagery, model):
    assume(not {name for name, _ in others} & {"imagery", "maxzoom", "model"})
    query = "?" + urlencode(others)
    both = query_with_model(query_with_imagery(query, imagery), model)
    assert imagery_from(both) == imagery
    assert model_from(both) == model
    without = query_with_model(query_with_imagery(both, None), None)
    assert parse_qsl(without[1:]) == others
    assert imagery_from(without) is None and model_from(without) is None


@given(st.text(max_size=40).map("?imagery=x&".__add__))
@example("?imagery=x&maxzoom=" + "9" * 5000)
def test_any_query_is_read(text):
    assert imagery_from(text) is not None
    assert model_from(text + "&model=small") == "small"


@pytest.mark.parametrize("maxzoom", ["", "deep", "-1", "1.5", "²", "9" * 5000])
def test_a_finest_zoom_that_is_no_number_is_left_out(maxzoom):
    assert imagery_from(f"?imagery=esri&maxzoom={maxzoom}") == ImageryRef("esri")


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

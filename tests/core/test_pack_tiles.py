"""Which tiles an area takes: as mercantile has it, and as many as were counted."""

import random
from dataclasses import replace

import mercantile
import pytest

from pyapp.core.ground.geo import Bounds, LngLat, moved
from pyapp.core.imagery.source import own_source
from pyapp.core.pack.area import KeptArea
from pyapp.core.pack.errors import LargeKeepError
from pyapp.core.pack.tiles import (
    Zooms,
    count_of,
    estimate_bytes,
    key_of,
    kind_of,
    tiles_of,
    usual_zooms,
    widened,
)

SOURCE = own_source("https://a.org/{z}/{x}/{y}.jpg", 20, "https://b.org")


def test_the_tiles_are_those_of_mercantile_and_were_counted():
    chance = random.Random(0)
    for _ in range(200):
        corner = LngLat(chance.uniform(-179, 178), chance.uniform(-80, 79))
        other = moved(corner, chance.uniform(1, 20_000), chance.uniform(1, 20_000))
        bounds = Bounds(corner.lng, corner.lat, min(other.lng, 179.99), other.lat)
        zooms = Zooms(chance.randrange(8, 12), chance.randrange(12, 15))
        found = tiles_of(bounds, zooms, SOURCE)
        wanted = {(each.x, each.y, each.z) for each in mercantile.tiles(*bounds, zooms.each)}
        assert {tuple(each) for each in found} == wanted
        assert len(found) == count_of(bounds, zooms)


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(-180.0, -85.06, 180.0, 85.06),
        Bounds(-400.0, -10.0, 400.0, 10.0),
        Bounds(179.0, 0.0, 181.0, 1.0),
        Bounds(-181.0, -1.0, -179.0, 0.0),
        # Edges of tiles, to the bit.
        Bounds(0.0, 0.0, 90.0, 66.51326044311186),
    ],
)
def test_the_count_is_right_at_the_edges_of_the_map(bounds):
    for zoom in range(8):
        zooms = Zooms(0, zoom)
        found = tiles_of(bounds, zooms, SOURCE)
        assert len(found) == count_of(bounds, zooms) == len(set(map(key_of, found)))


def test_what_is_too_large_is_refused_before_it_is_listed():
    with pytest.raises(LargeKeepError, match="choose a coarser finest zoom"):
        tiles_of(Bounds(-180, -85, 180, 85), Zooms(0, 20), SOURCE)


def test_the_usual_zooms_are_those_that_the_model_reads():
    bounds = Bounds(8.5, 46.99, 8.51, 47.2)
    assert usual_zooms(bounds, SOURCE, 0.41) == Zooms(14, 18)
    # At 47.11 degrees the zoom changes, and the finer one is needed too.
    south = Bounds(8.5, 46.99, 8.51, 47.0)
    assert usual_zooms(south, SOURCE, 0.406).finest == 19
    coarse = replace(SOURCE, min_zoom=15, max_zoom=16)
    assert usual_zooms(bounds, coarse, 0.41) == Zooms(15, 16)


def test_a_margin_is_metres_on_every_side():
    bounds = Bounds(8.0, 60.0, 8.1, 60.1)
    wider = widened(bounds, 40.0)
    for edge, lat in ((bounds.west, 60.0), (bounds.west, 60.1)):
        assert wider.west <= moved(LngLat(edge, lat), -40.0, 0.0).lng
    assert wider.north > bounds.north and wider.south < bounds.south


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff" + bytes(100) + b"\xff\xd9", "jpeg"),
        (b"\xff\xd8\xff" + bytes(100), None),
        (b"\x89PNG\r\n\x1a\n" + bytes(50) + b"IEND\xaeB`\x82", "png"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), None),
        (b"RIFF" + (12).to_bytes(4, "little") + b"WEBPVP8 data", "webp"),
        (b"RIFF" + (99).to_bytes(4, "little") + b"WEBPVP8 data", None),
        (bytes(4) + b"ftypavif" + bytes(9), "avif"),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_kinds_of_pictures(data, kind):
    assert kind_of(data) == kind


def test_the_estimate_is_the_mean_of_the_samples():
    assert estimate_bytes([b"ab", b"abcd"], 10) == 30
    assert estimate_bytes([], 10) == 0


def test_an_area_comes_back_as_it_was_stored():
    bounds, zooms = Bounds(8.0, 47.0, 8.01, 47.01), Zooms(12, 14)
    source = replace(
        SOURCE, id="own-1", origin="https://a.org", credit="<b>us</b>",
        attribution="&lt;b&gt;us&lt;/b&gt;", terms="https://a.org/terms", date="2024",
    )  # fmt: skip
    area = KeptArea(
        "a", "<i>Here</i>", "2026-11-26", source, bounds, zooms, count_of(bounds, zooms)
    )
    assert KeptArea.from_json(area.to_json()) == area

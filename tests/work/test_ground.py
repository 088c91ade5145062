"""From a footprint to its chip, whatever the imagery does."""

import asyncio
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pyapp.core.errors import (
    ForbiddenReadingError,
    MissingTileError,
    NotAnImageError,
    NotAPictureError,
    OutsideImageryError,
    RefusedTileError,
    SlowTileError,
    UnreachableTileError,
)
from pyapp.core.ground.cut import Cut
from pyapp.core.ground.geo import Footprint, LngLat
from pyapp.core.imagery import mosaic
from pyapp.core.imagery.chip import cut
from pyapp.core.imagery.source import Allows
from pyapp.work.ground import Ground
from pyapp.work.ports import UnreachableError
from tests.work.fakes import FakeClock, FakeFetch, card, decode, run, source, tile_bytes

HERE = Footprint(LngLat(85.52, 27.63), 78.0288)


def ground(fetch, limit_bytes=32 << 20):
    return Ground(fetch, decode, FakeClock(), limit_bytes)


def test_a_chip_is_cut_by_the_recipe_and_each_tile_is_read_once():
    fetch = FakeFetch()
    reader = ground(fetch)
    recipe = Cut.of(HERE, source(), card().resolution_m)
    assert len(recipe.tiles) > 1
    first = run(reader.chip(source(), HERE, card()))
    again = run(reader.chip(source(), HERE, card()))
    tiles = {tile: mosaic.decode(tile_bytes(source().url_of(tile))) for tile in recipe.tiles}
    assert np.array_equal(first.pixels, cut(tiles, recipe.box, 192))
    assert np.array_equal(first.pixels, again.pixels)
    assert (first.zoom, first.imagery_m) == (recipe.zoom, recipe.imagery_m)
    assert sorted(fetch.asked) == sorted(source().url_of(tile) for tile in recipe.tiles)


def test_what_does_not_fit_into_the_cache_is_read_again():
    fetch = FakeFetch()
    reader = ground(fetch, limit_bytes=1000)
    run(reader.chip(source(), HERE, card()))
    count = len(fetch.asked)
    run(reader.chip(source(), HERE, card()))
    assert len(fetch.asked) == 2 * count


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (404, MissingTileError),
        (204, MissingTileError),
        (410, MissingTileError),
        (403, RefusedTileError),
        (500, RefusedTileError),
        (TimeoutError(), SlowTileError),
        (UnreachableError("no network"), UnreachableTileError),
        (b"<html>not a tile</html>", NotAnImageError),
    ],
)
def test_each_fault_of_a_tile_has_its_error(answer, error):
    with pytest.raises(error):
        run(ground(FakeFetch(lambda url: answer)).chip(source(), HERE, card()))


def test_two_tiles_that_fail_at_once_are_one_error():
    """The second failure is nobody's forgotten exception."""
    faults = iter([TimeoutError(), 500, 404, 404, 404, 404])

    async def work():
        strange = []
        asyncio.get_running_loop().set_exception_handler(lambda _, facts: strange.append(facts))
        with pytest.raises(SlowTileError):
            await ground(FakeFetch(lambda url: next(faults))).chip(source(), HERE, card())
        await asyncio.sleep(0)
        return strange

    assert run(work()) == []


def test_the_others_are_cancelled_when_one_fails():
    fetch = FakeFetch()
    fetch.open.clear()
    first = []

    class OneFails(FakeFetch):
        async def __call__(self, url, limit_s, keep=True):
            if not first:
                first.append(url)
                raise TimeoutError
            return await fetch(url, limit_s, keep)

    with pytest.raises(SlowTileError):
        run(ground(OneFails()).chip(source(), HERE, card()))
    assert sorted(fetch.cancelled) == sorted(fetch.asked)


def test_a_cancelled_chip_cancels_its_requests():
    fetch = FakeFetch()
    fetch.open.clear()

    async def work():
        task = asyncio.create_task(ground(fetch).chip(source(), HERE, card()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(work())
    assert fetch.asked
    assert sorted(fetch.cancelled) == sorted(fetch.asked)


def test_nothing_is_asked_for_where_the_source_ends():
    fetch = FakeFetch()
    empty = source(coverage={18: frozenset(), 19: frozenset()})
    with pytest.raises(MissingTileError):
        run(ground(fetch).chip(empty, HERE, card()))
    with pytest.raises(OutsideImageryError):
        run(ground(fetch).chip(source(), Footprint(LngLat(0, 85.051), 78.0), card()))
    assert fetch.asked == []


def test_what_pillow_cannot_decode_is_left_to_the_port():
    chip = run(ground(FakeFetch(lambda url: b"odd\x07")).chip(source(), HERE, card()))
    assert (chip.pixels == 7).all()


def test_what_has_too_many_pixels_is_decoded_by_nobody():
    async def no_one(data):
        raise AssertionError("the port was asked")

    large = io.BytesIO()
    Image.new("1", (8001, 8001)).save(large, "PNG")
    asking = Ground(FakeFetch(lambda url: large.getvalue()), no_one, FakeClock(), 8 << 20)
    with pytest.raises(NotAnImageError):
        run(asking.chip(source(), HERE, card()))


def test_a_picture_gives_its_middle_square():
    chip = run(ground(FakeFetch()).picture_chip(tile_bytes("a"), card()))
    assert chip.pixels.shape == (192, 192, 3)
    assert (chip.zoom, chip.imagery_m) == (None, None)
    with pytest.raises(NotAPictureError):
        run(ground(FakeFetch()).picture_chip(b"nothing", card()))


def test_imagery_that_may_be_looked_at_only_is_never_asked_for():
    fetch = FakeFetch()
    shown = replace(source(), allows=Allows(show=True, read=False, bulk=False, keep=False))
    with pytest.raises(ForbiddenReadingError, match="Valley, Nepal allow looking"):
        run(ground(fetch).chip(shown, HERE, card()))
    assert fetch.asked == []


@pytest.mark.parametrize("keep", [True, False])
def test_of_imagery_that_may_not_be_kept_no_copy_stays(keep):
    fetch = FakeFetch()
    run(ground(fetch).chip(replace(source(), allows=Allows(keep=keep)), HERE, card()))
    assert fetch.not_kept == ([] if keep else fetch.asked)

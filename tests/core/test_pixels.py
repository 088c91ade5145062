import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pyapp.core.ground.geo import Box, Tile
from pyapp.core.imagery.cache import PixelCache
from pyapp.core.imagery.chip import cut, resample
from pyapp.core.imagery.mosaic import UndecodableError, decode, doubled, lay

GRADIENT = np.linspace(0, 255, 256, dtype=np.uint8)


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def noise(rows=256, columns=256, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_lossless_pictures_come_back_as_they_were(kind):
    pixels = noise()
    assert np.array_equal(decode(encoded(Image.fromarray(pixels), kind, lossless=True)), pixels)


def test_grey_palette_and_transparent_pictures_become_rgb():
    grey = Image.fromarray(np.tile(GRADIENT, (256, 1)))
    assert np.array_equal(decode(encoded(grey, "PNG"))[..., 1], np.asarray(grey))
    red = Image.new("P", (8, 8), 3)
    red.putpalette([0, 0, 0] * 3 + [255, 0, 0])
    assert (decode(encoded(red, "PNG")) == (255, 0, 0)).all()
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert (decode(encoded(clear, "PNG")) == 255).all()


def test_16_bit_grey_is_scaled_to_8():
    deep = Image.fromarray((np.tile(GRADIENT, (4, 1)).astype(np.uint16) << 8) + 77)
    assert np.array_equal(decode(encoded(deep, "PNG"))[0, :, 0], GRADIENT)


def smooth(rows, columns) -> Image.Image:
    """A coloured picture in which JPEG loses little."""
    return Image.fromarray(noise(4, 4)).resize((columns, rows), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("subsampling", [0, 1, 2], ids=["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("size", [(256, 256), (255, 131), (64, 33)])
def test_a_jpeg_of_any_sampling_has_the_pixels_that_pillow_sees(size, subsampling):
    data = encoded(smooth(*size), "JPEG", quality=95, subsampling=subsampling)
    pixels = decode(data)
    assert pixels.shape == (*size, 3)
    plain = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert np.abs(pixels.astype(int) - plain).mean() < 2


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
@pytest.mark.parametrize("columns", [1, 2, 3, 17])
def test_a_tiny_jpeg_keeps_its_colour(rows, columns):
    data = encoded(Image.new("RGB", (columns, rows), (200, 80, 10)), "JPEG", quality=95)
    pixels = decode(data)
    assert pixels.shape == (rows, columns, 3)
    assert np.abs(pixels.astype(int) - (200, 80, 10)).max() <= 3


def test_a_jpeg_in_grey_cmyk_or_stored_as_rgb_is_read():
    picture = smooth(64, 64)
    for mode in ("L", "CMYK"):
        data = encoded(picture.convert(mode), "JPEG", quality=95)
        plain = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        assert np.array_equal(decode(data), plain)
    data = encoded(picture, "JPEG", quality=95, keep_rgb=True)
    assert np.abs(decode(data).astype(int) - np.asarray(picture)).mean() < 2


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>404</html>", encoded(Image.fromarray(noise()), "JPEG")[:4000]],
    ids=["empty", "html", "cut short"],
)
def test_what_is_not_a_complete_picture_is_refused(data):
    with pytest.raises(UndecodableError):
        decode(data)


def with_size(png: bytes, side: int) -> bytes:
    """A PNG whose header promises another size."""
    header = b"IHDR" + struct.pack(">II", side, side) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


# The first is within what Pillow itself would open.
@pytest.mark.parametrize("side", [8001, 20_000])
def test_a_picture_that_would_fill_the_memory_is_refused(side):
    with pytest.raises(UndecodableError, match="pixels"):
        decode(with_size(encoded(Image.new("1", (1, 1)), "PNG"), side))


def test_tiles_are_laid_where_they_belong():
    tiles = {Tile(x, y, 19): np.full((256, 256, 3), 10 * x + y, np.uint8)
             for x in (3, 4) for y in (7, 8)}  # fmt: skip
    mosaic = lay(tiles)
    assert (mosaic.left, mosaic.top, mosaic.zoom) == (3 * 256, 7 * 256, 19)
    assert mosaic.pixels[0, 0, 0] == 37
    assert mosaic.pixels[300, 0, 0] == 38
    assert mosaic.pixels[0, 300, 0] == 47
    assert mosaic.pixels.shape == (512, 512, 3)


def test_a_retina_tile_is_brought_to_256():
    mosaic = lay({Tile(0, 0, 1): np.full((512, 512, 3), 9, np.uint8)})
    assert mosaic.pixels.shape == (256, 256, 3)
    assert (mosaic.pixels == 9).all()


def test_a_part_of_the_tiles_is_laid_as_in_the_whole():
    tiles = {Tile(x, y, 19): noise(seed=2 * x + y) for x in (3, 4) for y in (7, 8)}
    whole = lay(tiles)
    for left, top, right, bottom in ((20, 30, 60, 70), (200, 250, 300, 512), (-5, -9, 520, 260)):
        box = Box(left + 768.3, top + 1792.3, right + 767.7, bottom + 1791.7)
        part = lay(tiles, box)
        visible = (slice(max(top, 0), bottom), slice(max(left, 0), right))
        assert (part.left, part.top) == (768 + max(left, 0), 1792 + max(top, 0))
        assert np.array_equal(part.pixels, whole.pixels[visible])


def test_a_chip_of_whole_pixels_is_just_cut():
    tiles = {Tile(x, y, 19): noise(seed=2 * x + y) for x in (3, 4) for y in (7, 8)}
    chip = cut(tiles, Box(778, 1812, 1002, 2036), 224)
    assert np.array_equal(chip, lay(tiles).pixels[20:244, 10:234])


@pytest.mark.parametrize("side_px", [40.0, 147.3, 192.0, 295.0, 700.5])
def test_a_chip_is_what_the_whole_mosaic_would_give(side_px):
    tiles = {Tile(x, y, 18): noise(seed=9 * x + y) for x in range(193_000, 193_003)
             for y in range(110_000, 110_003)}  # fmt: skip
    whole, chance = lay(tiles), np.random.default_rng(5)
    # The last one touches the edge of the tiles.
    for left, top in (*chance.uniform(0, 768 - side_px, (8, 2)), (0.0, 768 - side_px)):
        box = Box(
            whole.left + left, whole.top + top, whole.left + left + side_px,
            whole.top + top + side_px,
        )  # fmt: skip
        inside = Box(
            box.left - whole.left, box.top - whole.top, box.right - whole.left,
            box.bottom - whole.top,
        )  # fmt: skip
        assert np.array_equal(cut(tiles, box, 192), resample(whole.pixels, 192, inside))


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (1, 7), (65, 13), (128, 128)])
def test_chroma_is_doubled_as_pillow_doubles_it(shape):
    band = noise(*shape)[..., 0]
    size = (2 * shape[1], 2 * shape[0])
    by_pillow = Image.fromarray(band).resize(size, Image.Resampling.BILINEAR)
    assert np.array_equal(doubled(band), by_pillow)


def test_a_chip_averages_what_it_cannot_show():
    checks = np.zeros((448, 448, 3), np.uint8)
    checks[::2, ::2] = checks[1::2, 1::2] = 255
    chip = resample(checks, 224)
    assert abs(int(chip[112, 112, 0]) - 128) <= 1


def test_a_chip_moves_with_fractions_of_a_pixel():
    ramp = np.tile(np.arange(0, 256, 2, dtype=np.uint8)[:, None], (128, 1, 3))
    here = resample(ramp, 100, Box(10, 10, 110, 110)).astype(int)
    there = resample(ramp, 100, Box(10.5, 10, 110.5, 110)).astype(int)
    assert (there - here == 1).all()


def test_the_cache_forgets_the_longest_unused_first():
    cache = PixelCache(2 * noise().nbytes)
    cache.put("a", noise(seed=1))
    cache.put("b", noise(seed=2))
    assert cache.get("a") is not None
    cache.put("c", noise(seed=3))
    assert cache.get("b") is None
    assert cache.get("a") is not None
    assert cache.get("c") is not None


def test_the_cache_counts_a_replaced_picture_once():
    cache = PixelCache(2 * noise().nbytes)
    for seed in range(5):
        cache.put("a", noise(seed=seed))
    cache.put("b", noise())
    assert cache.get("a") is not None

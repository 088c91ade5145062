"""Pictures of one's own: upright, of any size and kind, and refused before they are decoded."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps, TiffImagePlugin

from pyapp.core.errors import NotAPictureError
from pyapp.core.imagery import mosaic
from pyapp.core.imagery.chip import resample
from pyapp.core.imagery.mosaic import UndecodableError
from pyapp.core.imagery.part import Part, limited, middle_part, moved, pulled, resized
from pyapp.core.imagery.photo import (
    GPS,
    ORIENTATION,
    TAKEN,
    open_photo,
    other_format,
    photo_facts,
    upright,
)
from pyapp.core.imagery.photo_errors import LargeFileError, LargePhotoError, UnknownFormatError

RNG = np.random.default_rng(3)


def picture(width, height):
    """Smooth noise, which survives JPEG."""
    small = RNG.integers(0, 255, (6, 8, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image, kind="JPEG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation=None, gps=None, taken=None):
    found = Image.Exif()
    if orientation is not None:
        found[ORIENTATION] = orientation
    if taken is not None:
        found[TAKEN] = taken
    if gps is not None:
        found[GPS] = gps
    return found


def rational(*values):
    return tuple(TiffImagePlugin.IFDRational(*each) for each in values)


def png_header(width, height):
    """A PNG that claims any size in 60 bytes."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_upright(orientation):
    data = encoded(picture(400, 300), exif=exif(orientation), quality=95, subsampling=0)
    photo = open_photo(data)
    assert (photo.facts.width, photo.facts.height) == photo.pixels.shape[1::-1]
    stored = Image.fromarray(mosaic.decode(data))
    tagged = Image.open(io.BytesIO(data)).getexif()
    stored.getexif().update(tagged)
    expected = np.asarray(ImageOps.exif_transpose(stored))
    assert (photo.pixels == expected).all()


def test_a_small_picture_is_decoded_as_tiles_are():
    data = encoded(picture(500, 400))
    photo = open_photo(data)
    assert photo.scale == 1
    part = Part(20.0, 30.5, 300.0)
    ours = photo.chip(part, 192)
    assert (ours == resample(mosaic.decode(data), 192, part.box)).all()


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_coarser_until_a_small_part_is_asked_for(orientation):
    data = encoded(picture(5001, 3999), exif=exif(orientation), quality=95)
    photo = open_photo(data)
    assert photo.scale == 4
    part = middle_part(photo.facts.width, photo.facts.height)
    full = upright(mosaic.decode(data), orientation)
    difference = photo.chip(part, 192).astype(int) - resample(full, 192, part.box)
    assert np.abs(difference).mean() < 1
    assert photo.finer(part, 192) is photo
    small = Part(1000.0, 900.0, 300.0)
    finer = photo.finer(small, 192)
    assert finer.scale == 1
    assert (finer.chip(small, 192) == resample(full, 192, small.box)).all()
    assert max(photo.preview(648).shape) == 648


def test_kinds_of_pictures():
    plain = picture(120, 90)
    deep = Image.fromarray(np.full((90, 120), 40_000, np.uint16))
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    for data, colour in (
        (encoded(Image.new("CMYK", (120, 90), (0, 255, 255, 0))), (255, 0, 0)),
        (encoded(deep, "PNG"), (156, 156, 156)),
        (encoded(deep, "TIFF"), (156, 156, 156)),
        (encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), (255, 0, 0)),
        (encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True),
         (255, 0, 0)),
        (encoded(Image.new("LA", (9, 9), (0, 0)), "PNG"), (255, 255, 255)),
    ):  # fmt: skip
        pixels = open_photo(data).pixels
        assert np.abs(pixels.reshape(-1, 3).mean(0) - colour).max() <= 4
    assert open_photo(encoded(plain, "MPO")).pixels.shape == (90, 120, 3)
    many = Image.new("CMYK", (3000, 2000), (0, 255, 255, 0))
    photo = open_photo(encoded(many))
    assert photo.scale == 2 and np.abs(photo.pixels[500, 500] - [255, 0, 0]).max() <= 4


def test_a_place_is_read():
    gps = {
        1: "S",
        2: rational((27, 1), (30, 1), (36, 1)),
        3: "W",
        4: rational((85, 1), (0, 1), (0, 1)),
    }
    facts = photo_facts(encoded(picture(40, 30), exif=exif(gps=gps, taken="2026:05:01 10:00:00")))
    assert facts.place is not None
    assert facts.place == pytest.approx((-85.0, -27.51))
    assert facts.taken == "2026:05:01 10:00:00"


@pytest.mark.parametrize(
    "gps",
    [
        {},
        {
            1: "N",
            2: rational((27, 0), (0, 0), (0, 0)),
            3: "E",
            4: rational((85, 1), (0, 1), (0, 1)),
        },
        {1: "N", 2: rational((0, 1), (0, 1), (0, 1)), 3: "E", 4: rational((0, 1), (0, 1), (0, 1))},
        {
            1: "N",
            2: rational((97, 1), (0, 1), (0, 1)),
            3: "E",
            4: rational((85, 1), (0, 1), (0, 1)),
        },
        {1: "N", 2: rational((27, 1)), 3: "E", 4: rational((85, 1), (0, 1), (0, 1))},
    ],
    ids=["nothing", "no numbers", "no fix", "off the earth", "too few"],
)
def test_a_place_that_makes_no_sense_is_none(gps):
    assert photo_facts(encoded(picture(40, 30), exif=exif(gps=gps))).place is None


def test_broken_exif_costs_no_picture():
    data = encoded(picture(40, 30), exif=exif(6))
    place = data.index(b"Exif")
    for broken in (
        b"Exif\0\0MM\0\x2a\xff\xff\xff\xff",
        b"Exif\0\0II\x2a\0\x08\0\0\0\xff\xff\x12\x01",
    ):
        spoilt = data[:place] + broken + data[place + len(broken) :]
        photo = open_photo(spoilt)
        assert photo.pixels.shape == (30, 40, 3)
    assert open_photo(encoded(picture(40, 30), exif=exif(77))).facts.orientation == 1


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (12_000, 9_000), (65_535, 65_535)])
def test_a_bomb_is_refused_by_its_header(monkeypatch, width, height):
    monkeypatch.setattr(Image.Image, "load", lambda _self: pytest.fail("it was decoded"))
    with pytest.raises(LargePhotoError, match=f"{width * height / 1e6:,.0f} megapixels"):
        open_photo(png_header(width, height))


def jpeg_of(width, height, progressive=False):
    """A JPEG whose header claims any size."""
    data = bytearray(encoded(picture(64, 48), progressive=progressive))
    frame = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def test_what_a_jpeg_may_have():
    assert photo_facts(jpeg_of(12_000, 9_000)).first_scale == 8
    with pytest.raises(LargePhotoError, match="200 megapixels, and there is room for 128"):
        photo_facts(jpeg_of(20_000, 10_000))
    with pytest.raises(LargePhotoError, match="108 megapixels, and there is room for 64"):
        photo_facts(jpeg_of(12_000, 9_000, progressive=True))
    assert photo_facts(jpeg_of(8_000, 6_000, progressive=True)).first_scale == 4


def test_what_is_no_picture():
    whole = encoded(picture(3000, 2000))
    for data in (
        b"",
        b"no picture",
        whole[: len(whole) // 2],
        encoded(picture(99, 99), "PNG")[:200],
    ):
        with pytest.raises(UndecodableError):
            open_photo(data)


def heic(brand, width, height):
    ispe = b"\0\0\0\x14ispe" + bytes(4) + struct.pack(">II", width, height)
    return b"\0\0\0\x18ftyp" + brand + bytes(12) + ispe


def test_formats_that_only_some_browsers_read_are_named():
    assert other_format(heic(b"heic", 4000, 3000)) == "HEIC"
    assert other_format(heic(b"avif", 4000, 3000)) == "AVIF"
    assert other_format(b"no picture") == ""
    with pytest.raises(LargePhotoError):
        other_format(heic(b"heic", 20_000, 10_000))
    for error in (UnknownFormatError("HEIC"), LargePhotoError(200.4, 64),
                  LargeFileError("a.jpg", 300_000_000, 256_000_000)):  # fmt: skip
        assert isinstance(error, NotAPictureError)
        assert str(error).count(". ") == 1 and str(error).endswith("try again.")


def test_the_square_stays_on_the_picture():
    for _ in range(500):
        width, height = RNG.integers(1, 300, 2).tolist()
        part = middle_part(width, height)
        for _ in range(6):
            right, down = RNG.normal(0, 100, 2)
            part = moved(part, right, down, width, height)
            part = resized(part, float(np.exp(RNG.normal())), width, height)
            corner = RNG.choice([-1, 1], 2).tolist()
            part = pulled(part, *corner, float(RNG.normal(0, 80)), width, height)
            assert part.side > 0
            assert part.left >= -1e-9 and part.left + part.side <= width + 1e-9
            assert part.top >= -1e-9 and part.top + part.side <= height + 1e-9
    assert limited(float("nan"), 40, 30) == 30
    assert resized(Part(0, 0, 30), float("nan"), 40, 30).side == 30

"""Pictures of one's own, as a person looks at them: one, many, and what can be wrong."""

import csv
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from pyapp.core.imagery import mosaic
from pyapp.core.imagery.chip import resample
from pyapp.core.imagery.part import middle_part
from tests.browser.test_accessibility import violations
from tests.jpeg_tiles import jpeg_tiles

ZOOM, X0, Y0, ACROSS = 18, 193343, 110118, 4
PLACE = (27.6339, 85.5183)
MARKUP = "<img src=x onerror=alert(1)>.jpg"


def rational(*values):
    return tuple(TiffImagePlugin.IFDRational(round(each * 1e6), 1_000_000) for each in values)


@pytest.fixture(scope="module")
def town():
    """The built-in imagery as a picture, 1024 x 768."""
    rows = []
    for y in range(Y0, Y0 + 3):
        names = [jpeg_tiles() / f"{ZOOM}/{x}/{y}.jpg" for x in range(X0, X0 + ACROSS)]
        rows.append(np.hstack([np.asarray(Image.open(each).convert("RGB")) for each in names]))
    return Image.fromarray(np.vstack(rows))


def jpeg(image, orientation=1, place=None):
    exif = Image.Exif()
    exif[0x0112] = orientation
    if place is not None:
        lat, lng = place
        exif[0x8825] = {1: "N", 2: rational(lat, 0, 0), 3: "E", 4: rational(lng, 0, 0)}
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92, exif=exif)
    return out.getvalue()


def bomb():
    """A PNG of a kilobyte that claims 900 megapixels."""

    def chunk(name, data):
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 999))


def square(page):
    """Left, top and side of the square on the picture, as shares of its width and height."""
    return page.tab.evaluate(
        """() => {
          const frame = document.getElementById("photo-frame").getBoundingClientRect();
          const box = document.getElementById("photo-square").getBoundingClientRect();
          return [(box.left - frame.left) / frame.width, (box.top - frame.top) / frame.height,
                  box.width / frame.width, box.height / frame.height];
        }"""
    )


def after(page, do):
    """Do something and wait for the next answer."""
    before = page._span_count()
    do()
    page.wait_answer(before)
    return page.shown()


def test_one_picture_and_the_square_on_it(open_page, town, tmp_path):
    page = open_page("#map=18/27.6400/85.5300")
    page.wait_whole()
    # Stored lying on its side: a person sees it upright.
    data = jpeg(town.transpose(Image.Transpose.ROTATE_90), 6, PLACE)
    shown = after(page, lambda: page.drop(MARKUP, data))
    assert shown.facts["Place"] == "not on the map"
    assert "the square on it, taken as 80 m" in shown.facts["Imagery"]
    assert MARKUP in page.tab.inner_text("#photo-said"), "markup is text"
    assert "1024 × 768" in page.tab.inner_text("#photo-said")
    stored = mosaic.decode(data)
    upright = np.ascontiguousarray(np.rot90(stored, -1))
    box = middle_part(1024, 768).box
    assert (shown.chip == resample(upright, shown.chip.shape[0], box)).all()
    assert violations(page) == []

    # By mouse, by its corner, by keys, by the wheel; and back.
    left, top, across, _ = square(page)
    assert (across, top) == (pytest.approx(0.75, abs=0.01), pytest.approx(0, abs=0.01))
    frame = page.tab.locator("#photo-frame").bounding_box()
    corner = (frame["x"] + (left + across) * frame["width"] - 6, frame["y"] + frame["height"] - 6)
    page.tab.mouse.move(*corner)
    page.tab.mouse.down()
    page.tab.mouse.move(corner[0] - frame["width"] / 4, corner[1] - 10, steps=4)
    smaller = after(page, page.tab.mouse.up)
    assert square(page)[2] == pytest.approx(0.5, abs=0.02)
    assert (smaller.chip != shown.chip).any()
    middle = (frame["x"] + frame["width"] * 0.4, frame["y"] + frame["height"] * 0.4)
    page.tab.mouse.move(*middle)
    page.tab.mouse.down()
    page.tab.mouse.move(middle[0] + 400, middle[1] + 400, steps=4)
    after(page, page.tab.mouse.up)
    at = square(page)
    assert at[0] + at[2] == pytest.approx(1, abs=0.01) and at[1] + at[3] == pytest.approx(
        1, abs=0.01
    )
    page.tab.focus("#photo-square")
    after(page, lambda: page.tab.keyboard.press("ArrowLeft"))
    assert square(page)[0] < at[0] - 0.02
    after(page, lambda: page.tab.keyboard.press("-"))
    assert square(page)[2] < at[2] - 0.02
    page.tab.mouse.move(*middle)
    after(page, lambda: page.tab.mouse.wheel(0, -100))
    assert "the square on the picture" in page.tab.inner_text("#undo")
    after(page, lambda: page.tab.click("#undo"))
    assert square(page)[2] == pytest.approx(0.75, abs=0.01)

    # Its place is offered and not followed by itself.
    assert "27.640" in page.tab.evaluate("location.hash")
    page.tab.click("#photo-go")
    page.tab.wait_for_function("location.hash.includes('/27.633')")
    assert page.tab.is_visible("#photo")
    # The map is asked again, so the panel is about the map.
    assert page.classify().footprint is not None
    assert page.tab.is_hidden("#photo")

    # What is wrong is said, and what was there stays.
    for name, broken, sentence in (
        ("bomb.png", bomb(), "900 megapixels, and there is room for 128"),
        ("short.jpg", data[: len(data) // 3], "may be damaged"),
        ("a.heic", b"\0\0\0\x18ftypheic" + bytes(64), "can't read HEIC pictures. JPEG, PNG"),
    ):
        page.tab.evaluate("document.querySelector('#notice button').click()")
        page.drop(name, broken)
        page.tab.wait_for_function(
            "said => document.querySelector('#notice p').textContent.includes(said)", arg=sentence
        )
    assert page.tab.is_hidden("#photo") and page.tab.text_content("#said .label")

    # A camera that is refused gives no file.
    page.tab.evaluate(
        "document.getElementById('picture-camera').dispatchEvent(new Event('cancel'))"
    )
    assert "No photo arrived" in page.wait_notice()


def test_many_pictures_are_a_list_that_is_saved(open_page, town, tmp_path):
    page = open_page(width=360, height=740)
    page.wait_whole()
    named = {"a.jpg": jpeg(town, place=PLACE), MARKUP: jpeg(town.crop((0, 0, 300, 300))),
             "bomb.png": bomb()}  # fmt: skip
    folder = tmp_path / "given"
    folder.mkdir()
    for name, data in named.items():
        (folder / name).write_bytes(data)
    page.tab.click("#imagery summary")
    page.tab.set_input_files("#picture-files", [str(folder / name) for name in named])
    page.tab.wait_for_selector("#pictures-said:has-text('3 pictures, 1 without an answer')")
    rows = page.tab.locator("#picture-list li").all_inner_texts()
    assert MARKUP in rows[1] and "%" in rows[1] and "megapixels" in rows[2]
    assert violations(page) == []
    with page.tab.expect_download() as download:
        page.tab.click("#pictures-save")
    table = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    assert [each["file"] for each in table] == list(named)
    assert float(table[0]["lat"]) == pytest.approx(PLACE[0], abs=1e-4)
    assert table[1]["best_class"] and "megapixels" in table[2]["problem"]
    shown = after(page, lambda: page.tab.click("#picture-list li:nth-child(2) button"))
    assert MARKUP in page.tab.inner_text("#photo-said")
    best = max(shown.best, key=lambda each: each[1])
    assert best[0] == table[1]["best_class"]
    page.tab.click("#photo-close")
    page.tab.click("#pictures-stop")
    assert page.tab.is_hidden("#pictures") and page.tab.is_hidden("#photo")


def test_forty_eight_megapixels(open_page, town, record_property):
    """From drop to answer; the time is recorded, and judged where nothing else runs."""
    page = open_page()
    page.wait_whole()
    big = jpeg(town.resize((8000, 6000), Image.Resampling.BICUBIC))
    (chosen := page.tab.locator("#picture-files")).set_input_files(
        {"name": "small.jpg", "mimeType": "image/jpeg", "buffer": jpeg(town)}
    )
    page.wait_answer()
    before = page._span_count()
    page.tab.evaluate(
        """document.getElementById("picture-files").addEventListener("change",
             () => performance.mark("chosen"), {capture: true})"""
    )
    chosen.set_input_files({"name": "big.jpg", "mimeType": "image/jpeg", "buffer": big})
    page.wait_answer(before)
    took_ms = page.tab.evaluate(
        """performance.getEntriesByName("lookdown:show").at(-1).startTime
           - performance.getEntriesByName("chosen").at(-1).startTime"""
    )
    record_property("took_ms", took_ms)
    print(json.dumps({"megapixels": 48, "bytes": len(big), "took_ms": took_ms}))
    assert "8000 × 6000" in page.tab.inner_text("#photo-said")
    assert page.crashes == []


def test_a_picture_dropped_before_the_page_is_whole_is_opened_once_it_is(open_page, town):
    held, dropped = [], []

    def hold(route):
        if dropped:
            route.continue_()
        else:
            held.append(route)

    page = open_page(before=lambda context: context.route("**/model.onnx", hold), ready=False)
    page.wait_map()
    page.drop("town.jpg", jpeg(town))
    dropped.append("town.jpg")
    for route in held:
        route.continue_()
    page.wait_answer()
    assert page.shown().facts["Place"] == "not on the map"

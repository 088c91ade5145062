"""Pictures with a world file, and files that are there again at the next visit."""

import base64

import numpy as np
import rasterio
from PIL import Image

from tests.browser.test_accessibility import violations
from tests.browser.test_orthophoto import (  # noqa: F401  (a fixture of that file)
    TOWN,
    town,
    wait_drawn,
)
from tests.core.test_warp import gdal_chip
from tests.work.test_placed import picture, world_of

# A file that the browser itself keeps stands for one that a person picks: both are handles that can
# be stored, only that nobody has to allow this one.
PICKED = """
globalThis.showOpenFilePicker = async () => {
  const home = await navigator.storage.getDirectory(), picked = [];
  for await (const handle of home.values()) picked.push(handle);
  return picked;
};
"""


def put(page, files):
    """Let the page's own folder hold files."""
    page.tab.evaluate(
        """async (files) => {
          const home = await navigator.storage.getDirectory();
          for (const [name, encoded] of files) {
            const handle = await home.getFileHandle(name, { create: true });
            const out = await handle.createWritable();
            await out.write(Uint8Array.from(atob(encoded), (each) => each.charCodeAt()));
            await out.close();
          }
        }""",
        [[name, base64.b64encode(data).decode()] for name, data in files.items()],
    )


def wait_shown(page, name):
    page.tab.wait_for_function(
        "name => document.getElementById('imagery-name').textContent === name", arg=name
    )
    wait_drawn(page)


def test_a_picture_with_a_world_file_is_seen_placed_and_remembered(open_page, town):  # noqa: F811
    with rasterio.open(town) as file:
        pixels = np.ascontiguousarray(np.moveaxis(file.read(), 0, 2))
        wkt = file.crs.to_wkt(version="WKT1_ESRI").encode()
    png, world = picture(pixels), world_of(town)
    page = open_page(TOWN, before=lambda context: context.add_init_script(PICKED))
    tab = page.tab
    tab.wait_for_selector("html[data-whole]", state="attached")

    # Dropped together: it lies where GDAL would lay it.
    name = "town <img src=x>.png"
    page.drop_all({"town <img src=x>.pgw": world, name: png, "town <img src=x>.prj": wkt})
    wait_shown(page, name)
    shown = page.classify()
    assert np.abs(shown.chip.astype(int) - gdal_chip(town, shown.footprint)).mean() <= 2.0
    assert shown.facts["Credit"] == name

    # Without a .prj, the person is asked; what they write is checked.
    page.drop_all({"asked.jpg": picture(pixels, "JPEG", quality=95), "asked.jgw": world})
    tab.wait_for_selector("#placing:not([hidden])")
    assert "asked.jpg" in tab.inner_text("#placing label")
    assert violations(page) == []
    assert tab.input_value("#placing-code") == "32645", "the zone of what the map shows"
    tab.fill("#placing-code", "nowhere")
    tab.press("#placing-code", "Enter")
    assert "no code of a coordinate system" in tab.inner_text("#placing-error")
    tab.fill("#placing-code", "EPSG:32645")
    tab.press("#placing-code", "Enter")
    wait_shown(page, "asked.jpg")
    again = page.classify()
    assert np.abs(again.chip.astype(int) - shown.chip).mean() < 3.0

    # What can't be placed is said; a picture without a place can be opened as one.
    page.drop("lonely.pgw", world)
    assert "the picture is not with it" in page.wait_notice()
    page.drop_all({"bad.png": png, "bad.pgw": b"1 2 3"})
    tab.wait_for_function("document.querySelector('#notice p').textContent.includes('six lines')")
    small = np.asarray(Image.fromarray(pixels).crop((600, 600, 1000, 1000)))
    tab.set_input_files(
        "#own-file", {"name": "plain.png", "mimeType": "image/png", "buffer": picture(small)}
    )
    tab.wait_for_selector("#own-as-picture:not([hidden])")
    assert "doesn't say where on the earth" in tab.inner_text("#own-file-said")
    tab.click("#own-as-picture")
    tab.wait_for_function("document.getElementById('facts').textContent.includes('not on the map')")

    # Picked by handle: there again at the next visit, and not read before it is clicked.
    put(page, {"kept.tif": town.read_bytes()})
    tab.click("#own-file")
    wait_shown(page, "kept.tif")
    tab.wait_for_selector("#own-earlier li")
    tab.reload()
    page.wait_ready()
    tab.click("#imagery summary")
    tab.wait_for_selector("#own-earlier li")
    assert tab.locator("#own-earlier li").all_inner_texts()[0].startswith("kept.tif")
    assert tab.inner_text("#imagery-name") == "Banepa, Nepal"
    assert violations(page) == []
    tab.click("#own-earlier button >> nth=0")
    wait_shown(page, "kept.tif")
    assert page.classify().facts["Credit"] == "kept.tif"

    # Gone meanwhile: said, and the row can be taken away.
    tab.evaluate("navigator.storage.getDirectory().then((home) => home.removeEntry('kept.tif'))")
    tab.click("#own-earlier button >> nth=0")
    assert "no longer where it was" in page.wait_notice()
    tab.click("#own-earlier button >> nth=1")
    tab.wait_for_selector("#own-earlier", state="hidden")

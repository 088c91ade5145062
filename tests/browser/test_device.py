"""The ways to run the model: measured, chosen, remembered, and left when one fails."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import launch

# Chromium's own software rendering as a graphics card: right, and slow.
SOFTWARE_GPU = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
# In pages of 64 KB. Python starts with this, the model does not.
TOO_LITTLE_FOR_THE_MODEL = 600
# With this both do, and a picture of 49 megapixels does not fit beside them.
TOO_LITTLE_FOR_A_PICTURE = 1200
CATCH_THE_CARD = """
const old = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...all) {
  window.card = await old.apply(this, all);
  return window.card;
};
"""
FEW_GB = "Object.defineProperty(navigator, 'deviceMemory', {value: 2})"


def ways(page) -> dict[str, str]:
    """What the panel says of each way."""
    rows = page.tab.locator("#backends label").all()
    return {row.locator("span").inner_text(): row.locator("small").inner_text() for row in rows}


def open_panel(page) -> None:
    page.tab.click("#device summary")
    page.tab.wait_for_selector("#backends label")


def test_the_quickest_right_way_is_found_unasked_and_remembered(open_page):
    page = open_page(before=lambda context: None)
    open_panel(page)
    page.tab.wait_for_selector("#backends label:has-text('ms per square')")
    found = ways(page)
    times = {
        way: float(note.split(" ")[0]) for way, note in found.items() if "ms per square" in note
    }
    assert len(times) == 2
    fair = [way for way in times if "no core left" not in found[way]]
    # Shown times are rounded: the quickest may share its number.
    assert times[page.tab.inner_text("#backend")] == min(times[way] for way in fair)
    assert page.classify().label
    before = page.tab.inner_text("#backend")
    page.tab.reload()
    page.wait_ready()
    open_panel(page)
    assert ways(page) == found
    assert page.tab.inner_text("#backend") == before


def test_the_person_can_choose_and_go_back_to_automatic(open_page):
    page = open_page(before=lambda context: None)
    open_panel(page)
    page.tab.click("#backends label:has-text('one thread')")
    page.tab.wait_for_selector("#backend:text-is('Processor, one thread')")
    one = page.classify()
    page.tab.reload()
    page.wait_ready()
    open_panel(page)
    assert page.tab.inner_text("#backend") == "Processor, one thread"
    assert page.tab.is_checked("#backends label:has-text('one thread') input")
    page.tab.click("#backends label:has-text('2 threads')")
    page.tab.wait_for_selector("#backend:text-is('Processor, 2 threads')")
    two = page.classify()
    assert dict(two.best) == pytest.approx(dict(one.best), abs=1e-4)
    page.tab.click("#backends label:has-text('Automatic')")
    page.tab.wait_for_selector("#backends label:has-text('Automatic') input:checked:enabled")


def test_a_backend_is_not_changed_while_an_answer_is_on_its_way(open_page, tile_server):
    page = open_page(f"?imagery={tile_server.template}&maxzoom=18", before=lambda context: None)
    page.tab.click("#agree button[value=yes]")
    page.wait_tiles()
    open_panel(page)
    first = page.tab.inner_text("#backend")
    other = "2 threads" if "one" in first else "one thread"
    tile_server.mood = "slow"
    page.tab.click("#classify")
    page.tab.wait_for_selector("#classify:has-text('Cancel')")
    page.tab.click(f"#backends label:has-text('{other}')")
    assert page.wait_notice() == (
        "The model is at work. Wait until it is done before you choose another backend."
    )
    assert page.tab.inner_text("#backend") == first
    page.tab.click("#classify")


def test_a_way_with_wrong_answers_is_not_taken(open_page):
    """The stored answers are altered, so that no way gives them."""

    def spoil(context):
        def answer(route):
            golden = json.loads(route.fetch().body())
            golden["probability"] = np.roll(golden["probability"], 1, axis=1).tolist()
            route.fulfill(json=golden)

        context.route("**/golden.json", answer)

    page = open_page(before=spoil)
    open_panel(page)
    first = page.tab.inner_text("#backend")
    page.tab.click("#measure")
    page.tab.wait_for_selector("#backends label:has-text('Wrong or no answers')")
    notes = set(ways(page).values()) - {
        "Fastest correct backend that leaves a core free for the page"
    }
    assert notes == {"Wrong or no answers"}
    assert page.tab.inner_text("#backend") == first
    assert page.classify().label


def test_a_small_phone_is_spared(open_page):
    page = open_page(before=lambda context: context.add_init_script(FEW_GB))
    open_panel(page)
    assert page.tab.inner_text("#backend") == "Processor, one thread"
    page.tab.wait_for_timeout(5000)
    assert "Not measured" in ways(page)["Processor, one thread"]
    assert page.classify().label


def test_a_graphics_card_answers_as_the_processor_and_its_loss_is_survived(playwright, open_page):
    browser = launch(playwright, *SOFTWARE_GPU)

    def prepare(context):
        context.add_init_script(CATCH_THE_CARD)

    page = open_page(browser=browser, before=prepare)
    on_processor = page.classify()
    open_panel(page)
    # Opening asks for a card, and software takes its time to answer.
    page.tab.wait_for_selector("#backends label:has-text('Graphics card (WebGPU)')")
    page.tab.click("#backends label:has-text('WebGPU')")
    page.tab.wait_for_selector("#backend:text-is('Graphics card (WebGPU)')")
    on_card = page.classify()
    assert dict(on_card.best) == pytest.approx(dict(on_processor.best), abs=1e-3)
    before = page._span_count()
    page.tab.click("#classify")
    page.tab.wait_for_selector("#classify:has-text('Cancel')")
    page.tab.evaluate("card.destroy()")
    page.wait_answer(before)
    assert page.shown().label == on_processor.label
    assert page.tab.inner_text("#backend").startswith("Processor")
    assert ways(page)["Graphics card (WebGPU)"] == "Gave up during this visit"
    browser.close()


def test_webnn_that_refuses_is_dropped_silently(playwright, open_page):
    """Chromium of Debian has it behind a flag, and then refuses: it is not offered."""
    browser = launch(playwright, "--enable-features=WebMachineLearningNeuralNetwork")
    page = open_page(browser=browser, before=lambda context: None)
    asked = page.tab.evaluate(
        "'ml' in navigator ? navigator.ml.createContext({deviceType: 'cpu'})"
        ".then(() => 'there', error => error.name) : 'missing'"
    )
    open_panel(page)
    page.tab.wait_for_selector("#backends label:has-text('ms per square')")
    assert any("WebNN" in way for way in ways(page)) == (asked == "there")
    assert page.classify().label
    browser.close()


def test_webnn_that_does_not_run_the_model_is_not_taken(open_page):
    """A context is promised, and no graph can be built in it."""
    promise = "Object.defineProperty(navigator, 'ml', {value: {createContext: async () => ({})}})"
    page = open_page(before=lambda context: context.add_init_script(promise))
    open_panel(page)
    page.tab.wait_for_selector("#backends label:has-text('WebNN')")
    page.tab.wait_for_selector("#backends label:has-text('ms per square')")
    page.tab.wait_for_selector("#measure:enabled")
    assert next(note for way, note in ways(page).items() if "WebNN" in way) == (
        "Wrong or no answers"
    )
    assert page.tab.inner_text("#backend").startswith("Processor, ")
    before = page.tab.inner_text("#backend")
    page.tab.click("#backends label:has-text('WebNN')")
    assert "WebNN" in page.wait_notice()
    assert page.tab.inner_text("#backend") == before
    assert page.classify().label


def test_too_little_memory_for_the_model_is_said_and_the_map_goes_on(playwright, open_page):
    browser = launch(playwright, f"--js-flags=--wasm-max-mem-pages={TOO_LITTLE_FOR_THE_MODEL}")
    page = open_page(browser=browser, ready=False)
    assert "too little memory for the model" in page.wait_notice()
    before = page.tab.evaluate("location.hash")
    page.tab.click(".leaflet-control-zoom-out")
    page.tab.wait_for_function("before => location.hash !== before", arg=before)
    browser.close()


def jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 60)).save(out, "JPEG")
    return out.getvalue()


def test_too_little_memory_for_a_picture_is_said_and_the_page_goes_on(playwright, open_page):
    browser = launch(playwright, f"--js-flags=--wasm-max-mem-pages={TOO_LITTLE_FOR_A_PICTURE}")
    page = open_page(browser=browser)
    page.drop("picture.jpg", jpeg(7000, 7000))
    assert "it may be damaged, too large" in page.wait_notice()
    assert page.classify().label
    browser.close()


def test_a_dropped_picture_is_classified(ready):
    ready.drop("picture.jpg", jpeg(400, 300))
    ready.wait_answer()
    shown = ready.shown()
    assert shown.facts["Place"] == "not on the map"
    assert np.ptp(shown.chip.reshape(-1, 3), axis=0).max() <= 3
    ready.drop("picture.jpg", b"no picture at all")
    assert "This picture can't be read" in ready.wait_notice()
    assert ready.shown().label == shown.label
    assert ready.classify().footprint is not None

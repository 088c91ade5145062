"""The main way in Firefox and WebKit: start, classify, go on without a network."""

import onnxruntime
import pytest

from pyapp.core.ground.geo import Footprint, LngLat
from pyapp.core.imagery.source import sources_from_json
from pyapp.core.model.card import Card
from tests.browser.native import DEFAULT, listed, native_answer, native_chip, title
from tests.browser.other_browsers import MISSING, Firefox, WebKit, wait_for

READY = "document.documentElement.hasAttribute('data-ready')"
KEPT = "document.querySelector('#kept[data-kept=complete]')"
ANSWERS = "performance.getEntriesByName('lookdown:show').length"


@pytest.fixture(params=[Firefox, WebKit], ids=["Firefox", "WebKit"])
def browser(request, tmp_path):
    if MISSING[request.param]:
        pytest.skip(MISSING[request.param])
    (tmp_path / "profile").mkdir()
    running = request.param(tmp_path / "profile")
    yield running
    running.close()


def classify(browser) -> tuple[str, dict[str, float], Footprint]:
    """Press Classify: the label, the five best, and the ground."""
    before = browser.get(ANSWERS)
    browser.get("document.getElementById('classify').click()")
    wait_for(browser, f"{ANSWERS} > {before}")
    label = browser.get("document.querySelector('#said .label').textContent")
    best = browser.get(
        "Object.fromEntries([...document.querySelectorAll('#best li')].map(row =>"
        " [row.querySelector('span').textContent, Number(row.querySelector('data').value)]))"
    )
    place = browser.get("document.querySelector('#facts data').value")
    lat, lng, side_m = map(float, place.split(","))
    return label, best, Footprint(LngLat(lng, lat), side_m)


def natively(dist, footprint):
    folder = dist / "models" / DEFAULT
    card = Card.from_json(DEFAULT, (folder / "card.json").read_text())
    source = sources_from_json((dist / "imagery/sources.json").read_text())[0]
    chip = native_chip(dist / "imagery/sample", footprint, card, source)
    return native_answer(card, onnxruntime.InferenceSession(folder / "model.onnx"), chip)


def test_start_classify_and_go_on_without_a_network(browser, host, dist):
    browser.open(host.address)
    wait_for(browser, READY)
    label, best, footprint = classify(browser)
    native = natively(dist, footprint)
    assert label == title(native)
    wanted = {each.label: each.probability for each in listed(native)[:5]}
    assert best == pytest.approx(wanted, abs=1e-3)
    wait_for(browser, KEPT)
    host.stop()
    browser.open(host.address + "#map=17/27.63392/85.51832")
    browser.get("location.reload()")
    wait_for(browser, f"!({READY})")
    wait_for(browser, READY)
    again, _, other = classify(browser)
    assert again == title(natively(dist, other))
    assert browser.get("document.getElementById('notice').hidden") is True

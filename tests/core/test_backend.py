"""Which backends are tried, and which one is used."""

import json

import numpy as np
import pytest

from pyapp.core.ground.geo import LngLat
from pyapp.core.model.backend import (
    WASM,
    WEBGPU,
    WEBNN,
    Backend,
    BackendRecord,
    Device,
    Golden,
    Trial,
    fastest,
)

ROOMY = Device(isolated=True, cores=8, memory_gb=8.0, gpu=True, slow_gpu=False)
ONE, FOUR, GPU = Backend(WASM, 1), Backend(WASM, 4), Backend(WEBGPU)
NATIVE = Backend(WEBNN)


def changed(**facts) -> Device:
    return Device(**{**ROOMY.__dict__, **facts})


@pytest.mark.parametrize(
    ("device", "backends"),
    [
        (ROOMY, (FOUR, ONE, GPU)),
        (changed(isolated=False), (ONE, GPU)),
        (changed(cores=1, gpu=False), (ONE,)),
        (changed(cores=4), (Backend(WASM, 3), ONE, GPU)),
        (changed(cores=3), (Backend(WASM, 2), ONE, GPU)),
        # With two cores, none is left free for the page.
        (changed(cores=2), (ONE, Backend(WASM, 2), GPU)),
        # With little memory, one thread comes first.
        (changed(memory_gb=2.0), (ONE, FOUR, GPU)),
        (changed(webnn=True), (FOUR, ONE, NATIVE, GPU)),
    ],
)
def test_the_backends_of_a_device(device, backends):
    assert device.backends == backends


@pytest.mark.parametrize(
    ("device", "backends"),
    [
        (ROOMY, (FOUR, ONE, GPU)),
        (changed(slow_gpu=True), (FOUR, ONE)),
        (changed(cores=1, gpu=False, webnn=True), (ONE, NATIVE)),
        (changed(memory_gb=2.0), ()),
        (changed(isolated=False, gpu=False), ()),
        (changed(memory_gb=float("inf"), gpu=False), (FOUR, ONE)),
    ],
)
def test_what_is_tried_unasked(device, backends):
    assert device.worth_trying == backends


def test_the_fastest_correct_backend_is_used():
    trials = [Trial(FOUR, True, 30.0), Trial(ONE, True, 50.0), Trial(GPU, False, 4.0)]
    assert fastest(trials) == FOUR
    assert fastest([Trial(GPU, False, 4.0)]) is None


def test_a_backend_that_leaves_the_page_no_core_is_used_only_if_a_person_chooses_it():
    two_cores, two = changed(cores=2, gpu=False), Backend(WASM, 2)
    record = BackendRecord.of(None, two_cores, "abc")
    assert record.best(two_cores) == ONE
    record.trials = (Trial(ONE, True, 30.0), Trial(two, True, 15.0))
    assert record.best(two_cores) == ONE
    record.wanted = two
    assert record.best(two_cores) == two


def test_a_record_is_void_once_device_or_model_change():
    record = BackendRecord.of(None, ROOMY, "abc")
    assert record.best(ROOMY) == FOUR
    record.trials = (Trial(FOUR, True, 30.0), Trial(GPU, True, 4.0))
    again = BackendRecord.of(record.to_json(), ROOMY, "abc")
    assert again.best(ROOMY) == GPU
    again.wanted = ONE
    assert BackendRecord.of(again.to_json(), ROOMY, "abc").best(ROOMY) == ONE
    assert BackendRecord.of(again.to_json(), ROOMY, "other model").best(ROOMY) == FOUR
    assert (
        BackendRecord.of(again.to_json(), changed(gpu=False), "abc").best(changed(gpu=False))
        == FOUR
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"about": 1}', '"x"'])
def test_a_record_that_cannot_be_read_is_void(text):
    assert BackendRecord.of(text, ROOMY, "abc") == BackendRecord.of(None, ROOMY, "abc")


def test_a_record_with_broken_parts_is_void():
    record = json.loads(BackendRecord.of(None, ROOMY, "abc").to_json())
    for broken in (
        {"trials": [[1]]},
        {"wanted": 3},
        {"trials": [[["wasm", 1], True, "soon"]]},
        {"trials": [[["wasm", 1], True, None], [["wasm", 4], True, 3.0]]},
    ):
        found = BackendRecord.of(json.dumps(record | broken), ROOMY, "abc")
        assert found == BackendRecord.of(None, ROOMY, "abc")
        assert found.best(ROOMY) == FOUR


def test_a_small_device_holds_fewer_decoded_tiles():
    assert changed(memory_gb=2.0).cache_bytes < ROOMY.cache_bytes


def test_golden_answers():
    stored = np.array([[0.9, 0.1], [0.25, 0.75]], np.float32)
    golden = Golden([LngLat(1.0, 2.0), LngLat(3.0, 4.0)], stored)
    again = Golden.from_json(golden.to_json())
    assert again.places == golden.places
    assert again.agrees(stored)
    assert again.agrees(stored + 0.001)
    assert not again.agrees(stored[:, ::-1])
    assert not again.agrees(stored[:1])
    assert not again.agrees(np.full_like(stored, np.nan))


def test_a_backend_has_a_name():
    assert [str(backend) for backend in (ONE, FOUR, GPU)] == [
        "Processor, one thread",
        "Processor, 4 threads",
        "Graphics card (WebGPU)",
    ]

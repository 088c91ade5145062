"""A model and the backends that run it: measured, chosen, and replaced when one fails."""

import asyncio
import dataclasses
import hashlib

import numpy as np
import pytest

from pyapp.core.errors import (
    BackendError,
    CardError,
    DamagedModelError,
    InferenceError,
    MissingModelError,
    NoMemoryError,
    NoSimdError,
    WrongModelError,
)
from pyapp.core.model.backend import WEBNN, Backend, Device
from pyapp.work.loading import grey_chip
from pyapp.work.ports import ModelRefusedError, RuntimeFailedError, UnreachableError
from pyapp.work.runner import RECORD, TIMES
from pyapp.work.tasks import gather
from tests.work.fakes import GPU, ONE, TWO, FakeHardware, answers, card, card_text, run, source
from tests.work.parts import Parts

TWO_CORES = Device(isolated=True, cores=2, memory_gb=8.0, gpu=False, slow_gpu=False)
THREE = Device(isolated=True, cores=3, memory_gb=8.0, gpu=False, slow_gpu=False)
WITH_GPU = Device(isolated=True, cores=4, memory_gb=8.0, gpu=True, slow_gpu=False)


def three_cores():
    return Parts(hardware=FakeHardware(THREE))


@pytest.mark.parametrize(
    ("instead", "error"),
    [
        ({"models/ours/card.json": UnreachableError("off")}, MissingModelError),
        ({"models/ours/card.json": b"{}"}, CardError),
        ({"models/ours/model.onnx": 404}, MissingModelError),
        ({"models/ours/model.onnx": TimeoutError()}, MissingModelError),
        ({"models/ours/model.onnx": b"another network"}, DamagedModelError),
    ],
)
def test_a_model_that_does_not_arrive_or_is_another_is_refused(instead, error):
    parts = three_cores()
    parts.instead = instead
    with pytest.raises(error):
        run(parts.load())
    assert parts.runtime.alive == []


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (ModelRefusedError("no ONNX"), DamagedModelError),
        (RuntimeFailedError("did not start"), BackendError),
        (NoMemoryError(), NoMemoryError),
    ],
)
def test_a_runtime_that_refuses_is_explained(refusal, error):
    parts = Parts(hardware=FakeHardware(TWO_CORES))
    parts.runtime.refused = {ONE: refusal}
    with pytest.raises(error):
        run(parts.load())


def test_a_browser_without_simd_is_told_so():
    parts = three_cores()
    parts.runtime.supported = False
    with pytest.raises(NoSimdError):
        run(parts.load())


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda parts: setattr(parts.runtime, "classes", 3), "its file has 3"),
        (lambda parts: parts.runtime.broken.add(TWO), "does not take a chip of 192 pixels"),
    ],
)
def test_a_network_that_breaks_the_contract_is_refused_and_closed(spoil, words):
    parts = three_cores()
    spoil(parts)
    with pytest.raises(WrongModelError, match=words):
        run(parts.load())
    assert parts.runtime.alive == []


def test_names_of_inputs_and_outputs_are_part_of_the_contract(monkeypatch):
    for name, value in (("inputs", ("input",)), ("outputs", ("probability",))):
        with monkeypatch.context() as patched:
            patched.setattr("tests.work.fakes.FakeNetwork." + name, value)
            with pytest.raises(WrongModelError):
                run(three_cores().load())


def test_what_did_best_here_is_used_and_a_refusal_is_forgotten():
    parts = three_cores()

    async def work():
        runner = await parts.load()
        await runner.use(ONE)
        again = Parts(hardware=FakeHardware(THREE), settings=parts.settings)
        assert (await again.load()).backend == ONE
        third = Parts(hardware=FakeHardware(THREE), settings=parts.settings)
        third.runtime.refused = {ONE: RuntimeFailedError("not today")}
        assert (await third.load()).backend == TWO
        assert third.models.runner.record.wanted is None

    run(work())


def test_a_backend_that_gives_up_is_replaced_by_a_safer_one():
    parts = three_cores()

    async def work():
        runner = await parts.load()
        parts.runtime.opened[0].fails = True
        outputs = await runner.run(grey_chip(card()))
        assert outputs["probability"].shape == (1, 4)
        assert (runner.backend, runner.gave_up) == (ONE, {TWO})
        assert [each.backend for each in parts.runtime.alive] == [ONE]

    run(work())


def test_two_batches_that_fail_at_once_load_one_safer_backend():
    """Both once loaded one: twice the memory just when it is short."""
    parts = three_cores()

    async def work():
        runner = await parts.load()
        parts.runtime.opened[0].fails = True
        await gather(*(runner.run(grey_chip(card())) for _ in range(3)))
        assert [each.backend for each in parts.runtime.opened] == [TWO, ONE]
        assert [each.closed > 0 for each in parts.runtime.opened] == [True, False]

    run(work())


def test_the_network_that_failed_goes_before_the_safer_one_comes():
    parts = three_cores()

    async def work():
        runner = await parts.load()
        parts.runtime.opened[0].fails = True
        parts.runtime.opening.clear()
        running = asyncio.create_task(runner.run(grey_chip(card())))
        for _ in range(20):
            await asyncio.sleep(0)
        assert parts.runtime.alive == []
        parts.runtime.opening.set()
        await running
        assert len(parts.runtime.alive) == 1

    run(work())


def test_if_the_safer_one_fails_too_it_is_said_and_can_be_tried_again():
    parts = three_cores()

    async def work():
        runner = await parts.load()
        parts.runtime.broken = {TWO, ONE}
        with pytest.raises((InferenceError, WrongModelError)):
            await runner.run(grey_chip(card()))
        parts.runtime.broken = set()
        await runner.run(grey_chip(card()))
        assert len(parts.runtime.alive) == 1

    run(work())


def test_after_the_gpu_comes_the_processor():
    parts = Parts(hardware=FakeHardware(WITH_GPU))

    async def work():
        runner = await parts.load()
        await runner.use(GPU)
        parts.runtime.opened[-1].fails = True
        await runner.run(grey_chip(card()))
        assert runner.backend == runner.device.backends[0] != GPU

    run(work())


def test_backends_are_measured_and_the_fastest_correct_one_is_kept():
    parts = three_cores()
    parts.runtime.takes_ms = {TWO: 9.0, ONE: 4.0}

    async def work():
        runner = await parts.load()
        told = []
        runner.on_change(lambda: told.append(runner.backend))
        await runner.measure(parts.ground, source(), runner.device.backends, lambda: False)
        assert runner.backend == ONE == told[-1]
        assert {trial.backend: round(trial.time_ms) for trial in runner.record.trials} == {
            TWO: 9,
            ONE: 4,
        }
        assert [each.backend for each in parts.runtime.alive] == [ONE]
        assert round(runner.square_ms) == 4
        assert RECORD in parts.settings.kept

    run(work())


def test_a_backend_with_wrong_answers_or_none_is_not_taken():
    parts = three_cores()
    parts.runtime.takes_ms = {TWO: 9.0, ONE: 4.0}
    parts.runtime.broken = {ONE}

    async def work():
        runner = await parts.load()
        await runner.measure(parts.ground, source(), runner.device.backends, lambda: False)
        assert runner.backend == TWO
        assert [trial.right for trial in runner.record.trials] == [True, False]
        assert len(parts.runtime.alive) == 1

    run(work())


def test_a_measurement_that_something_disturbs_concludes_nothing():
    parts = three_cores()
    parts.runtime.takes_ms = {TWO: 9.0, ONE: 4.0}

    async def work():
        runner = await parts.load()
        looks = []

        def disturbed():
            looks.append(len(parts.runtime.opened))
            return len(looks) > 2

        await runner.measure(parts.ground, source(), runner.device.backends, disturbed)
        assert (runner.backend, runner.record.trials) == (TWO, ())
        assert [each.backend for each in parts.runtime.alive] == [TWO]

    run(work())


def test_measuring_does_not_bring_back_a_network_that_failed_meanwhile():
    """The network in use once was put back although it had been closed."""
    parts = three_cores()

    async def work():
        runner = await parts.load()
        failed = parts.runtime.opened[0]
        parts.runtime.gate.clear()
        measuring = asyncio.create_task(
            runner.measure(parts.ground, source(), (TWO,), lambda: False)
        )
        for _ in range(100):
            await asyncio.sleep(0)
        assert failed.runs > 1
        failed.fails = True
        running = asyncio.create_task(runner.run(grey_chip(card())))
        parts.runtime.gate.set()
        await asyncio.gather(measuring, running)
        assert failed.closed
        assert runner.backend == ONE
        await runner.run(grey_chip(card()))
        assert len(parts.runtime.alive) == 1

    run(work())


def test_a_model_closed_while_it_is_measured_leaves_nothing_behind():
    parts = three_cores()

    async def work():
        runner = await parts.load()
        parts.runtime.gate.clear()
        measuring = asyncio.create_task(
            runner.measure(parts.ground, source(), runner.device.backends, lambda: False)
        )
        for _ in range(100):
            await asyncio.sleep(0)
        await runner.close()
        parts.runtime.gate.set()
        await measuring
        assert parts.runtime.alive == []
        with pytest.raises(InferenceError):
            await runner.run(grey_chip(card()))

    run(work())


@pytest.mark.parametrize("instead", [404, b"no JSON", b'{"places": []}'])
def test_without_golden_places_or_imagery_nothing_is_measured(instead):
    parts = three_cores()
    parts.instead = {"models/ours/golden.json": instead}

    async def work():
        runner = await parts.load()
        await runner.measure(parts.ground, source(), runner.device.backends, lambda: False)
        assert runner.record.trials == ()

    run(work())
    parts = three_cores()
    parts.tile = lambda url: 404
    run(work())


def test_the_person_chooses_and_goes_back_to_automatic():
    parts = three_cores()
    parts.runtime.takes_ms = {TWO: 4.0, ONE: 9.0}

    async def work():
        runner = await parts.load()
        await runner.measure(parts.ground, source(), runner.device.backends, lambda: False)
        await runner.use(ONE)
        assert (runner.backend, runner.record.wanted) == (ONE, ONE)
        parts.runtime.refused = {TWO: RuntimeFailedError("not today")}
        with pytest.raises(BackendError):
            await runner.use(TWO)
        assert (runner.backend, runner.record.wanted) == (ONE, ONE)
        parts.runtime.refused = {}
        await runner.use_best()
        assert (runner.backend, runner.record.wanted) == (TWO, None)
        assert len(parts.runtime.alive) == 1

    run(work())


def test_a_gpu_that_is_found_makes_what_was_measured_void():
    parts = Parts(hardware=FakeHardware(THREE, gpu=True))

    async def work():
        runner = await parts.load()
        await runner.measure(parts.ground, source(), runner.device.backends, lambda: False)
        assert runner.record.trials
        await runner.find_accelerators()
        assert runner.record.trials == ()
        assert GPU in runner.device.backends
        await runner.find_accelerators()

    run(work())


def test_webnn_takes_chips_one_by_one_and_webassembly_takes_over_when_it_fails():
    parts = Parts(hardware=FakeHardware(dataclasses.replace(THREE, webnn=True)))
    native = Backend(WEBNN)

    async def work():
        runner = await parts.load()
        assert native in runner.device.worth_trying
        parts.runtime.takes_ms = {native: 1.0}
        await runner.measure(parts.ground, source(), runner.device.worth_trying, lambda: False)
        assert runner.backend == native
        parts.runtime.batches.clear()
        chips = np.stack([np.full((192, 192, 3), each, np.uint8) for each in (10, 90, 200)])
        found = await runner.run(chips)
        assert parts.runtime.batches == [1, 1, 1]
        assert np.allclose(found["probability"], answers(chips)["probability"])
        parts.runtime.broken = {native}
        again = await runner.run(chips)
        assert np.allclose(again["probability"], found["probability"])
        assert runner.backend == TWO and runner.gave_up == {native}
        # One that does not take the model is no damaged model.
        parts.runtime.refused = {native: ModelRefusedError("no such operator")}
        with pytest.raises(BackendError):
            await runner.use(native)
        assert runner.backend == TWO

    run(work())


def test_the_time_of_a_square_is_measured_and_remembered_for_its_model_and_backend():
    parts = three_cores()
    parts.runtime.takes_ms = {TWO: 20.0}

    async def work():
        runner = await parts.load()
        assert runner.square_ms is None
        await runner.measure_square()
        assert runner.square_ms == pytest.approx(20, rel=0.1)
        runner.note_rate(40.0)
        assert runner.square_ms == pytest.approx(25)
        await runner.use(ONE)
        assert runner.square_ms is None
        parts.settings.kept[TIMES] = "[no JSON"
        assert runner.square_ms is None

    run(work())


def test_the_model_is_checked_by_the_hash_of_its_card():
    sha256 = hashlib.sha256(b"network of ours").hexdigest()
    assert sha256 in card_text(sha256=sha256)
    parts = three_cores()
    assert run(parts.load()).card.sha256 == sha256
    assert np.array_equal(grey_chip(card())[0, 0, 0], [128, 128, 128])

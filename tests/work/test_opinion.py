"""Another model is asked about the same place, and the model in use stays."""

import asyncio
import hashlib

import numpy as np
import pytest

from pyapp.core.errors import LookdownError, MissingModelError, ModelError
from pyapp.core.ground.geo import Footprint
from pyapp.work.opinion import SecondOpinion
from pyapp.work.ports import StatusError
from tests.work.fakes import SIDE_M, answers, card_text, run, source
from tests.work.parts import HERE, Parts


def asked(parts):
    return SecondOpinion(parts.models, parts.files, parts.ground, parts.clock)


def wide(parts):
    """Make the other model one of squares of 400 m."""
    sha256 = hashlib.sha256(b"network of other").hexdigest()
    parts.instead["models/other/card.json"] = card_text(
        "other", sha256=sha256, footprint_m=400.0
    ).encode()


def test_the_other_model_sees_its_own_ground_and_the_first_stays_in_use():
    parts = Parts()
    wide(parts)

    async def work():
        before = await parts.load()
        opinion = asked(parts)
        assert [each.name for each in opinion.others] == ["other"]
        answer = await opinion.ask("other", HERE, source())
        assert (answer.card.name, answer.place.side_m, answer.place.centre) == ("other", 400, HERE)
        said = answers(answer.chip.pixels[np.newaxis])["probability"][0]
        assert answer.prediction.best.probability == pytest.approx(float(said.max()))
        assert answer.chip.imagery_m < 400 / 192 * 1.2
        assert parts.models.runner is before
        first = await parts.classifier.square(Footprint(HERE, SIDE_M), source())
        assert first.card is before.card
        assert [each.closed for each in parts.runtime.opened] == [0, 1]

    run(work())


def test_the_one_in_use_is_not_another_one():
    parts = Parts(names=("ours",))

    async def work():
        assert asked(parts).others == []
        await parts.load()
        assert asked(parts).others == []

    run(work())


def test_a_model_that_does_not_come_is_said_to_be_missing_and_nothing_stays_open():
    parts = Parts()

    async def work():
        before = await parts.load()
        parts.instead["models/other/model.onnx"] = StatusError(404)
        with pytest.raises(MissingModelError):
            await asked(parts).ask("other", HERE, source())
        assert parts.models.runner is before
        assert len(parts.runtime.opened) == 1

    run(work())


def test_without_a_model_there_is_nothing_beside_which_to_ask():
    with pytest.raises(ModelError):
        run(asked(Parts()).ask("other", HERE, source()))


def opened_then(parts, monkeypatch, act):
    """Have ``act()`` called once the other model is open, before it is asked."""
    network = parts.files.network

    async def opened(*given):
        found = await network(*given)
        act()
        return found

    monkeypatch.setattr(parts.files, "network", opened)


def test_given_up_while_it_runs_it_is_closed(monkeypatch):
    parts = Parts()

    async def work():
        before = await parts.load()
        opened_then(parts, monkeypatch, parts.runtime.gate.clear)
        task = asyncio.create_task(asked(parts).ask("other", HERE, source()))
        while parts.runtime.gate.is_set():
            await asyncio.sleep(0)
        while parts.runtime.opened[1].runs < 2:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        parts.runtime.gate.set()
        assert [each.closed for each in parts.runtime.opened] == [0, 1]
        assert parts.models.runner is before

    run(work())


def test_one_that_fails_is_closed_and_the_first_still_answers(monkeypatch):
    parts = Parts()

    def fail():
        parts.runtime.opened[1].fails = True

    async def work():
        await parts.load()
        opened_then(parts, monkeypatch, fail)
        with pytest.raises(LookdownError):
            await asked(parts).ask("other", HERE, source())
        assert [each.closed for each in parts.runtime.opened] == [0, 1]
        await parts.classifier.square(Footprint(HERE, SIDE_M), source())

    run(work())

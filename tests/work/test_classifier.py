"""From a square to an answer, and at other sizes."""

import asyncio

import numpy as np
import pytest

from pyapp.core.errors import MissingModelError, ModelError
from pyapp.core.ground.geo import Footprint
from pyapp.work.classifier import SIZES
from tests.work.fakes import SIDE_M, answers, run, source
from tests.work.parts import HERE, Parts

SQUARE = Footprint(HERE, SIDE_M)


def test_an_answer_says_what_was_found_and_how():
    parts = Parts()

    async def work():
        await parts.load()
        answer = await parts.classifier.square(SQUARE, source())
        said = answers(answer.chip.pixels[np.newaxis])["probability"][0]
        assert answer.prediction.best.probability == pytest.approx(float(said.max()))
        assert (answer.place, answer.credit) == (SQUARE, "us")
        assert answer.infer_ms > 0

    run(work())
    assert {"lookdown:read", "lookdown:prepare", "lookdown:infer"} <= set(parts.clock.spans)


def test_five_sizes_are_one_batch():
    parts = Parts()

    async def work():
        await parts.load()
        parts.runtime.batches.clear()
        found = await parts.classifier.sizes(SQUARE, source())
        assert len(found) == len(SIZES)
        assert parts.runtime.batches == [len(SIZES)]

    run(work())


def test_an_answer_is_of_the_model_that_it_was_begun_with():
    parts = Parts()

    async def work():
        await parts.load()
        before = parts.models.runner.card
        parts.fetch.open.clear()
        asking = asyncio.create_task(parts.classifier.square(SQUARE, source()))
        await asyncio.sleep(0)
        runner = parts.models.runner
        parts.models.runner = None
        parts.fetch.open.set()
        answer = await asking
        assert answer.card is before
        parts.models.runner = runner

    run(work())


def test_without_a_model_the_reason_is_said():
    parts = Parts()
    with pytest.raises(ModelError, match="still being loaded"):
        run(parts.classifier.square(SQUARE, source()))
    parts.instead = {"models/index.json": 404}
    with pytest.raises(MissingModelError):
        run(parts.load())
    with pytest.raises(MissingModelError):
        run(parts.classifier.square(SQUARE, source()))

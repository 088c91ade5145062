"""Two surveys compared: how the pictures lie, what is looked at, and what interrupts it."""

import asyncio
import hashlib
import json

import numpy as np
import pytest

from pyapp.core.change.change import Outcome
from pyapp.core.change.errors import ApartError, OtherModelError
from pyapp.core.change.registration import Shift
from pyapp.core.errors import ModelError, RefusedTileError
from pyapp.core.imagery.source import Source
from pyapp.core.survey.facts import ModelFacts
from pyapp.work.change import Apart, Comparer
from tests.work.fakes import card_text, run, source, tile_bytes
from tests.work.parts import Parts

SETS = {"0.9": 0.5}


class TwoDates(Parts):
    """The parts, with a survey of each of two dates."""

    def __init__(self, later=None):
        super().__init__(names=("ours",))
        self.tile = lambda url: (later or tile_bytes)(url[6:]) if url[:6] == "later/" else (
            tile_bytes(url)
        )  # fmt: skip
        digest = hashlib.sha256(b"network of ours").hexdigest()
        facts = json.loads(card_text("ours", sha256=digest, sets=SETS, threshold=0.5))
        self.instead["models/ours/card.json"] = json.dumps(facts).encode()
        self.sources = (
            source(),
            Source("later", "Later", "later/{z}/{x}/{y}", 14, 19, "us", "us", None),
        )

    async def surveyed(self):
        """Both surveys, done."""
        await self.load()
        surveys = []
        for each in self.sources:
            survey = self.survey(imagery=each)
            survey.model = ModelFacts.of(self.models.card)
            self.session.work_on(survey, each)
            while self.session.goes_on:
                await asyncio.sleep(0)
            surveys.append(survey)
        return surveys

    async def comparer(self) -> Comparer:
        """What compares them."""
        before, after = await self.surveyed()
        return Comparer(before, after, self.sources, self.models, self.classifier, self.ground,
                        self.busy)  # fmt: skip


def darker(url):
    """Other ground: each tile is another picture."""
    return tile_bytes("other " + url)


def test_the_same_pictures_lie_on_each_other_and_nothing_changed():
    parts = TwoDates()

    async def work():
        comparer = await parts.comparer()
        apart = await comparer.register()
        assert apart.squares == 16 and apart.shift.is_clear and not apart.matters
        assert apart.metres < 0.1
        assert comparer.candidates == 0 == len(comparer.change.changed())
        await comparer.look(lambda: pytest.fail("there is nothing to look at"))
        assert not parts.busy

    run(work())
    assert parts.told == parts.logged == []


def test_what_differs_is_looked_at_five_times_on_both_dates():
    parts = TwoDates(darker)

    async def work():
        comparer = await parts.comparer()
        assert not (await comparer.register()).shift.is_clear
        count = comparer.candidates
        assert count > 3
        parts.runtime.batches.clear()
        looked = []
        await comparer.look(lambda: looked.append(parts.busy.is_doing("comparison")))
        assert looked == [True] * count
        assert parts.runtime.batches == [5] * 2 * count
        assert comparer.change.left == []
        done = comparer.change.count(Outcome.CHANGED, Outcome.UNSTEADY)[0]
        assert done == count
        before, after = await comparer.pictures(0)
        assert before.shape == after.shape and not np.array_equal(before, after)

    run(work())


def test_paused_and_resumed_it_goes_on_where_it_was():
    parts = TwoDates(darker)

    async def work():
        whole = await parts.comparer()
        await whole.look(lambda: None)
        comparer = await parts.comparer()
        looked = []

        def stop_after_two():
            looked.append(1)
            if len(looked) == 2:
                comparer.stop()

        await comparer.look(stop_after_two)
        assert len(comparer.change.left) == comparer.candidates - 2
        await comparer.look(lambda: None)
        assert np.array_equal(comparer.change.outcome, whole.change.outcome)
        assert np.array_equal(comparer.change.nodes, whole.change.nodes)

    run(work())


def test_imagery_that_disappears_is_said_and_what_was_found_stays():
    parts = TwoDates(darker)

    async def work():
        comparer = await parts.comparer()
        looked = []

        def refuse():
            looked.append(1)
            parts.tile = lambda _url: 403
            # Nothing that was decoded is remembered.
            parts.ground._decoded.__init__(1 << 10)

        with pytest.raises(RefusedTileError, match="refused the request"):
            await comparer.look(refuse)
        assert 0 < len(comparer.change.left) < comparer.candidates
        assert not parts.busy
        # A gap in the imagery is no failure: of such a square nothing is said.
        parts.tile = lambda _url: 404
        parts.ground._decoded.__init__(1 << 10)
        await comparer.look(lambda: None)
        assert comparer.change.left == []
        assert comparer.change.count(Outcome.NO_IMAGERY)[0] > 0
        assert await comparer.register() is None

    run(work())


def test_a_shift_is_corrected_on_request_and_one_too_far_is_refused():
    parts = TwoDates(darker)

    async def work():
        comparer = await parts.comparer()
        comparer.apart = Apart(3.0, -4.0, Shift(7.4, 9.8, True), 16)
        assert comparer.apart.matters and comparer.shift_m == (0.0, 0.0)
        await comparer.look(lambda: None)
        asked = comparer.footprint(0, 1)
        comparer.correct(True)
        assert len(comparer.change.left) == comparer.candidates
        assert comparer.shift_m == (3.0, -4.0)
        assert comparer.footprint(0, 0) == asked != comparer.footprint(0, 1)
        comparer.swap()
        assert comparer.shift_m == (-3.0, 4.0)
        comparer.apart = Apart(30.0, 40.0, Shift(74, -98, True), 16)
        comparer.correct(False)
        with pytest.raises(ApartError, match="50 m apart"):
            comparer.correct(True)
        assert not comparer.corrects

    run(work())


def test_swapped_it_says_the_same_the_other_way_round():
    parts = TwoDates(darker)

    async def work():
        comparer = await parts.comparer()
        await comparer.look(lambda: None)
        rows = {(each.before, each.after): each.squares for each in comparer.change.transitions()}
        comparer.swap()
        turned = {(each.after, each.before): each.squares for each in comparer.change.transitions()}
        assert rows == turned
        assert comparer.change.before.imagery.id == "later"
        assert comparer.sources[0].id == "later"

    run(work())


def test_another_model_in_the_middle_is_refused():
    parts = TwoDates(darker)

    async def work():
        comparer = await parts.comparer()
        runner, parts.models.runner = parts.models.runner, None
        with pytest.raises(OtherModelError):
            await comparer.look(lambda: None)
        with pytest.raises(ModelError):
            Comparer(comparer.change.before, comparer.change.after, parts.sources, parts.models,
                     parts.classifier, parts.ground, parts.busy)  # fmt: skip
        parts.models.runner = runner

    run(work())

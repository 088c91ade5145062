"""What the page says, word for word; no screen is needed for that."""

import dataclasses
import doctest

import numpy as np
import pytest

from pyapp.core.ground.geo import Footprint, LngLat
from pyapp.core.model.listing import ListedModel
from pyapp.core.model.prediction import common, predictions
from pyapp.core.state import CellState
from pyapp.core.survey.facts import ModelFacts
from pyapp.ui.answer import wording as answer_wording
from pyapp.ui.answer.wording import (
    doubt,
    exact_place,
    facts,
    is_coarse,
    likelihood,
    listed,
    path,
    steadiness,
    title,
)
from pyapp.ui.device import wording as device_wording
from pyapp.ui.device.wording import AUTOMATIC, arrival, backend_note, notes, takes
from pyapp.ui.survey import wording as survey_wording
from pyapp.ui.survey.wording import (
    cost,
    progress,
    step_name,
    stored_state,
    thresholds,
    without_answer,
)
from pyapp.work.classifier import SIZES, Answer
from pyapp.work.ground import GroundChip
from pyapp.work.store import StoredSurvey
from tests.core.surveys import batch_of, survey_over
from tests.work.fakes import ONE, SIDE_M, TWO, FakeHardware, card, run, source
from tests.work.parts import Parts
from tests.work.test_runner import THREE, TWO_CORES

PLACE = Footprint(LngLat(85.52, 27.63), SIDE_M)


@pytest.mark.parametrize("module", [answer_wording, device_wording, survey_wording])
def test_the_examples_hold(module):
    found = doctest.testmod(module)
    assert found.attempted and not found.failed


def prediction(*shares, familiar=True, **facts):
    """What a model says that gives these probabilities."""
    ours = card(sets={"0.9": 0.2}, familiar=0.0, **facts)
    activation = np.full((1, 4, 2, 2), 1.0 if familiar else -1.0, np.float32)
    outputs = {
        "probability": np.array([shares], np.float32),
        "embedding": np.ones((1, 8), np.float32),
        "activation": activation,
    }
    return predictions(ours, outputs)[0]


def answer(place=PLACE, imagery_m=0.4, **given):
    """An answer."""
    chip = GroundChip(np.zeros((192, 192, 3), np.uint8), 18, imagery_m, 12.0, 3.0)
    return Answer(place, "OpenAerialMap", chip, card(), prediction(0.7, 0.1, 0.1, 0.1), 40.0)


@pytest.mark.parametrize(
    ("shares", "familiar", "said"),
    [
        ((0.7, 0.1, 0.1, 0.1), True, ""),
        ((0.7, 0.1, 0.1, 0.1), False, "Unlike anything I was trained on"),
        ((0.5, 0.1, 0.1, 0.3), False, "Unlike anything I was trained on"),
        ((0.5, 0.1, 0.1, 0.3), True, "Field or town, 90%"),
        ((0.4, 0.3, 0.05, 0.25), True, "Field, river or town, 90%"),
        ((0.5, 0.18, 0.16, 0.16), True, ""),
        ((0.28, 0.24, 0.24, 0.24), True, ""),
    ],
)
def test_doubts_are_said_in_a_few_words(shares, familiar, said):
    assert doubt(prediction(*shares, familiar=familiar)) == said


def test_without_an_answer_the_page_is_not_sure_and_says_what_comes_nearest():
    unsure = prediction(0.5, 0.1, 0.1, 0.3)
    assert (title(unsure), path(unsure)) == ("not sure", "")
    assert likelihood(unsure) == "most likely field, 50 %"
    sure = prediction(0.7, 0.1, 0.1, 0.1)
    assert (title(sure), path(sure), likelihood(sure)) == ("field", "", "70 % probable")
    assert listed(sure) == sure.ranked


TREE = {"open land": {"farmed": ["field"], "water": ["river"]}, "built-up": ["road", "town"]}
LEVELS = {"top": 0.6, "group": 0.7, "class": 0.8}


def test_an_answer_that_is_a_group_says_what_is_inside_it():
    group = prediction(0.05, 0.05, 0.6, 0.3, tree=TREE, levels=LEVELS)
    assert (title(group), path(group)) == ("built-up", "")
    assert likelihood(group) == "90 % probable"
    assert doubt(group) == "Which kind is unclear: most likely road, 60 %"
    assert [each.label for each in listed(group)] == ["road", "town"]
    fine = prediction(0.9, 0.04, 0.03, 0.03, tree=TREE, levels=LEVELS)
    assert (title(fine), path(fine)) == ("field", "open land › farmed")


def test_without_a_limit_of_familiarity_there_is_no_doubt_of_it():
    silent = prediction(0.7, 0.1, 0.1, 0.1, familiar=False)
    assert doubt(silent) == "Unlike anything I was trained on"
    ours = card()
    assert not ours.judges_familiarity
    outputs = {
        "probability": np.array([[0.7, 0.1, 0.1, 0.1]], np.float32),
        "embedding": np.ones((1, 8), np.float32),
        "activation": np.full((1, 4, 2, 2), -1e9, np.float32),
    }
    assert doubt(predictions(ours, outputs)[0]) == ""


def test_the_slider_says_what_it_does_to_groups():
    flat = ModelFacts.of(card())
    assert thresholds(flat, 0.3) == ""
    grouped = ModelFacts.of(card(tree=TREE, levels=LEVELS))
    assert thresholds(grouped, 0.9) == (
        "To be the answer, a group at the top needs 60%, a smaller group 70% and a class 90%."
    )
    assert thresholds(grouped, 0.65) == (
        "To be the answer, a group at the top needs 60%, a smaller group 65% and a class 65%, "
        "less than the 80% that the model vouches for."
    )
    tops = ModelFacts.of(card(tree={"land": ["field", "river", "road", "town"]}, levels=LEVELS))
    assert thresholds(tops, 0.8) == (
        "To be the answer, a group at the top needs 60% and a class 80%."
    )


def test_a_model_says_what_it_takes_as_far_as_that_is_known():
    assert takes(ListedModel("old", "Old"), is_kept=False) == ""
    assert takes(ListedModel("old", "Old"), is_kept=True) == "Kept on this device"
    assert takes(ListedModel("new", "New", size_bytes=2_656_951), True) == (
        "2.7 MB kept on this device"
    )
    assert arrival("Wide", 1_200_000, 2_656_951) == "Fetching Wide: 1.2 of 2.7 MB"
    assert arrival("Wide", 1_200_000, 0) == "Fetching Wide: 1.2 MB"


def test_a_model_says_where_it_comes_from_and_for_which_use():
    listed = ListedModel("wide", "Wide", licence="research use", use="research")
    assert [each.text for each in notes(listed, None)] == [
        "Licence: research use",
        "Learned from pictures published for research: check whether your use is research.",
    ]
    assert [each.kind for each in notes(listed, None)] == ["fact", "mind"]
    # A list of an earlier version says nothing; the card of the model in use does.
    own = card(licence="MIT", training_data="pictures of our own")
    assert [each.text for each in notes(ListedModel("ours", "Ours"), own)] == [
        "Licence: MIT", "Learned from pictures of our own",
    ]  # fmt: skip
    assert notes(ListedModel("ours", "Ours"), card()) == []


def test_answers_at_five_sizes_agree_on_the_finest_group_around_them():
    road = prediction(0.05, 0.05, 0.6, 0.3, tree=TREE, levels=LEVELS)
    town = prediction(0.05, 0.05, 0.3, 0.6, tree=TREE, levels=LEVELS)
    field = prediction(0.9, 0.04, 0.03, 0.03, tree=TREE, levels=LEVELS)
    tree = card(tree=TREE, levels=LEVELS).tree
    said = steadiness([road, road, town, town, town], tree, 100.0)
    assert said == "Steady: built-up at 70 to 140 m, 90 % or more."
    assert steadiness([road, road, town, town, field], tree, 100.0).startswith("Unsteady: ")
    assert common([road, field], tree) is None


def test_an_answer_says_how_it_came_about():
    imagery, position, time, credit, model = facts(answer())
    assert imagery == "0.40 m per pixel"
    assert position == "27.63000, 85.52000"
    assert time == "read 12, prepare 3, infer 40 ms"
    assert (credit, model) == ("OpenAerialMap", "Ours")
    assert exact_place(answer()) == f"27.63,85.52,{SIDE_M}"


def test_the_date_of_the_imagery_stands_with_the_answer():
    dated = dataclasses.replace(answer(), date="2012")
    assert facts(dated)[0] == "0.40 m per pixel, taken 2012"


def test_imagery_that_is_too_coarse_is_not_trusted():
    assert not is_coarse(answer(imagery_m=0.45))
    coarse = answer(imagery_m=0.6)
    assert is_coarse(coarse)
    assert facts(coarse)[0].endswith("coarser than the 0.41 m of the model: trust it less")


def test_a_picture_has_no_place():
    picture = dataclasses.replace(
        answer(place=None), chip=GroundChip(np.zeros((192, 192, 3), np.uint8), None, None, 0, 1)
    )
    assert facts(picture)[0].startswith("the square on it, taken as 78 m of ground")
    assert facts(picture)[1] == "not on the map"
    assert exact_place(picture) == "" and not is_coarse(picture)


def test_steadiness_names_the_sizes():
    same = [prediction(0.7, 0.1, 0.1, 0.1)] * len(SIZES)
    assert steadiness(same, card().tree, 100.0) == "Steady: field at 70 to 140 m, 70 % or more."
    flips = [*same[:-1], prediction(0.1, 0.1, 0.1, 0.7)]
    assert steadiness(flips, card().tree, 100.0).startswith("Unsteady: 70 m field (70 %), ")
    assert steadiness(flips, card().tree, 100.0).endswith("140 m town (70 %).")


def test_the_cost_of_a_survey_is_said_before_it_begins():
    assert cost(1, 30.0, 4) == "1 square, about 1 s, 4 tiles to read."
    assert cost(10_000, 36.0, 2500) == "10,000 squares, about 6 min, 2,500 tiles to read."
    assert cost(10, None, 4) == "10 squares, measuring the time, 4 tiles to read."
    assert [step_name(each) for each in (0.5, 1.0, 4.0)] == [
        "half a square", "one square", "4 squares",
    ]  # fmt: skip


def test_progress_counts_what_is_done_and_what_has_no_answer():
    survey = survey_over()
    count = len(survey.grid)
    assert progress(survey, False, 0.0) == f"0 of {count} squares, paused"
    survey.add(batch_of(survey, range(100)))
    said = progress(survey, True, 20.0)
    assert said == f"100 of {count} squares, 20 per second, {(count - 100) / 20:.0f} s left"
    assert progress(survey, True, 0.0) == f"100 of {count} squares"
    survey.state[100:] = CellState.LEFT_OUT
    survey.state[100:103] = [CellState.MISSING, CellState.FAILED, CellState.BLANK]
    assert progress(survey, False, 0.0) == (
        f"{count} squares, done, 2 without imagery, 1 with placeholder imagery, "
        f"{count - 103} left out"
    )


def test_every_state_without_an_answer_has_its_sentence():
    said = {without_answer(each) for each in CellState if each != CellState.CLASSIFIED}
    assert len(said) == len(CellState) - 1
    assert all(each.endswith(".") for each in said)


def test_a_stored_survey_says_when_it_was_made_and_how_far_it_is():
    stored = StoredSurvey("s", "Valley", "2026-11-24T12:30:00", 12, 1200, "ab", "ab")
    assert stored_state(stored) == "2026-11-24 12:30, 12 of 1,200 squares"
    assert stored_state(stored._replace(done=1200)) == "2026-11-24 12:30, 1,200 squares"


def test_each_backend_says_what_was_measured_of_it():
    parts = Parts(hardware=FakeHardware(THREE))
    parts.runtime.takes_ms = {TWO: 9.0, ONE: 20.0}

    async def work():
        runner = await parts.load()
        assert backend_note(runner, TWO) == "Not measured"
        await runner.measure(parts.ground, source(), runner.device.backends, lambda: False)
        assert backend_note(runner, TWO) == "9 ms per square"
        parts.runtime.broken = {TWO}
        await runner.measure(parts.ground, source(), (TWO,), lambda: False)
        assert backend_note(runner, TWO) == "Wrong or no answers"
        runner.gave_up.add(TWO)
        assert backend_note(runner, TWO) == "Gave up during this visit"
        small = Parts(hardware=FakeHardware(TWO_CORES))
        both = await small.load()
        await both.measure(small.ground, source(), both.device.backends, lambda: False)
        assert backend_note(both, TWO).endswith("per square, no core left for the page")

    run(work())
    assert AUTOMATIC.startswith("Fastest correct backend")

"""A survey that is checked: what is drawn, judged, stored and found."""

import csv
import io
import json

import numpy as np
import pytest

from pyapp.core.accuracy.check import (
    CANT_TELL,
    CLASSES,
    GROUPS,
    NEYMAN,
    OTHER,
    Check,
    begin,
    grounds,
    map_answers,
    name_of,
)
from pyapp.core.accuracy.findings import find, to_csv, to_json
from pyapp.core.errors import DamagedCheckError, NothingToCheckError
from pyapp.core.model.tree import NOT_SURE
from pyapp.core.survey.geojson import from_geojson, to_geojson
from tests.core.surveys import TREE, classified_survey, survey_over


@pytest.fixture(scope="module")
def survey():
    return classified_survey(**TREE)


def judge_all(check, survey, say=None):
    """Judge each square as the map has it, or as ``say`` has it."""
    answers = map_answers(survey, check.by)
    for cell in check.left:
        own = int(answers[cell])
        check.judge(cell, (OTHER if own == NOT_SURE else own) if say is None else say(cell))


def test_the_strata_are_the_answers_and_hold_all_squares(survey):
    check = begin(survey, GROUPS, 60, seed=3)
    assert sum(each.squares for each in check.strata) == survey.classified.sum()
    assert sum(each.hectares for each in check.strata) == pytest.approx(
        survey.grid.hectares[survey.classified].sum()
    )
    names = {name_of(survey, each.node_id) for each in check.strata}
    assert {"built-up", "open land", "water"} <= names <= {"built-up", "open land", "water",
                                                          "not sure"}  # fmt: skip
    assert len(check.sample) == len(set(check.sample)) >= 60
    assert begin(survey, GROUPS, 60, seed=3).sample == check.sample
    assert begin(survey, GROUPS, 60, seed=4).sample != check.sample
    classes = begin(survey, CLASSES, 60, seed=3)
    assert len(classes.strata) > len(check.strata)
    assert grounds(survey, GROUPS)[-1] == OTHER and len(grounds(survey, GROUPS)) == 4
    assert len(grounds(survey, CLASSES)) == 10


def test_a_map_that_is_right_is_found_to_be(survey):
    check = begin(survey, GROUPS, 90, seed=3, allocation=NEYMAN)
    assert find(check, survey).estimate is None
    judge_all(check, survey)
    found = find(check, survey)
    sure = 1 - dict(zip(found.answers, found.map_ha, strict=True)).get(NOT_SURE, 0) / sum(
        found.map_ha
    )
    assert found.estimate.overall.value == pytest.approx(sure)
    assert found.left == found.unclear == 0 and found.judged == len(check.sample)
    for node, area in zip(found.grounds, found.estimate.areas, strict=True):
        if node != OTHER:
            on_the_map = found.map_ha[found.answers.index(node)]
            assert area.value == pytest.approx(on_the_map)
            assert area.low <= on_the_map <= area.high


def test_a_group_is_right_if_the_class_is_inside(survey):
    check = begin(survey, CLASSES, 120, seed=1)
    answers = map_answers(survey, CLASSES)
    tree = survey.model.tree
    judge_all(check, survey, lambda cell: OTHER if answers[cell] == NOT_SURE
              else tree.nodes[answers[cell]].classes[0])  # fmt: skip
    found = find(check, survey)
    for node, user in zip(found.answers, found.estimate.users, strict=True):
        assert user.value == (0 if node == NOT_SURE else 1)


def test_a_sample_larger_than_a_stratum_takes_all_of_it(survey):
    check = begin(survey, CLASSES, 10_000, seed=3)
    assert sorted(check.sample) == np.flatnonzero(survey.classified).tolist()
    judge_all(check, survey)
    overall = find(check, survey).estimate.overall
    assert overall.low == pytest.approx(overall.high, abs=1e-12)
    assert check.extend([10] * len(check.strata)) == 0


def test_more_squares_come_behind_those_that_are_there(survey):
    check = begin(survey, GROUPS, 40, seed=3)
    before = list(check.sample)
    judge_all(check, survey)
    more = find(check, survey).estimate.more[0]
    assert check.extend(more) == len(check.left) >= 25
    assert check.sample[: len(before)] == before


def test_judging_goes_back(survey):
    check = begin(survey, GROUPS, 40, seed=3)
    first, second = check.sample[:2]
    check.judge(first, 9)
    check.judge(second, CANT_TELL)
    assert check.take_back() == second
    assert check.left[0] == second
    assert check.take_back() == first
    assert check.take_back() is None


def test_all_cant_tell_gives_no_figures(survey):
    check = begin(survey, GROUPS, 40, seed=3)
    judge_all(check, survey, lambda _cell: CANT_TELL)
    found = find(check, survey)
    assert found.estimate is None
    assert found.unclear == len(check.sample)
    assert json.loads(to_json(check, survey))["figures"] is None


def test_one_class_only():
    survey = classified_survey(**TREE)
    for cell in range(len(survey.grid)):
        survey.correct(cell, 10 + 0 * cell)
    check = begin(survey, GROUPS, 30, seed=3)
    assert len(check.strata) == 1
    judge_all(check, survey)
    found = find(check, survey)
    assert found.estimate.overall.value == found.estimate.overall.high == 1
    assert found.estimate.areas[0].value == pytest.approx(survey.grid.hectares.sum())


def test_corrections_are_part_of_the_map_and_later_ones_are_counted():
    survey = classified_survey(**TREE)
    survey.correct(0, 7)
    check = begin(survey, GROUPS, 60, seed=3)
    judge_all(check, survey)
    assert find(check, survey).corrections == 1
    assert find(check, survey).corrected_since == 0
    wrong = check.sample[5]
    survey.correct(wrong, 2)
    found = find(check, survey)
    assert (found.corrections, found.corrected_since) == (2, 1)
    # The strata stay as they were drawn, the answers are those of now.
    assert found.matrix.sum() == len(check.sample)
    assert sum(each.squares for each in check.strata) == survey.classified.sum()


def test_nothing_to_check():
    with pytest.raises(NothingToCheckError, match="nothing to check"):
        begin(survey_over(), CLASSES, 30, seed=3)


def test_a_check_is_stored_and_read_again(survey):
    check = begin(survey, GROUPS, 40, seed=3)
    for cell in check.sample[:5]:
        check.judge(cell, OTHER)
    again = Check.from_json(check.to_json(survey), survey)
    assert (again.stratum_of == check.stratum_of).all()
    for name in ("by", "seed", "allocation", "strata", "sample", "judgements", "corrected"):
        assert getattr(again, name) == getattr(check, name)
    assert list(again.judgements) == list(check.judgements)


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts.clear(),
        lambda facts: facts.update(format="another"),
        lambda facts: facts.update(cells=3),
        lambda facts: facts.update(by="mood"),
        lambda facts: facts.update(stratum_of="AAAA"),
        lambda facts: facts.update(stratum_of="eJwDAAAAAAE="),
        lambda facts: facts["strata"].pop(),
        lambda facts: facts["sample"].append(10**6),
        lambda facts: facts["sample"].append(facts["sample"][0]),
        lambda facts: facts["judgements"].append([facts["sample"][0], 99, ""]),
        lambda facts: facts["judgements"].append([1, 2]),
        lambda facts: facts.update(seed=1.5),
        lambda facts: facts.update(judgements=None),
    ],
)
def test_a_damaged_check_is_refused(survey, change):
    facts = json.loads(begin(survey, GROUPS, 40, seed=3).to_json(survey))
    change(facts)
    with pytest.raises(DamagedCheckError, match="can't be read"):
        Check.from_json(json.dumps(facts), survey)
    with pytest.raises(DamagedCheckError):
        Check.from_json("no json", survey)


def test_the_files_say_what_was_judged(survey):
    check = begin(survey, GROUPS, 60, seed=3)
    judge_all(check, survey)
    check.judge(check.sample[0], CANT_TELL)
    rows = list(csv.DictReader(io.StringIO(to_csv(check, survey))))
    assert len(rows) == len(check.sample)
    assert rows[0]["judged"] == "can't tell"
    assert all(row["map"] == row["stratum"] for row in rows)
    told = json.loads(to_json(check, survey))
    assert told["figures"]["areas_ha"]["water"]["low"] < told["figures"]["areas_ha"]["water"]["map"]
    assert told["check"]["seed"] == 3
    assert sum(sum(row.values()) for row in told["figures"]["matrix"].values()) == len(rows) - 1


def test_a_check_travels_with_the_survey_in_its_geojson(survey):
    check = begin(survey, GROUPS, 60, seed=3)
    judge_all(check, survey)
    survey.check = check.to_json(survey)
    again = from_geojson(to_geojson(survey))
    survey.check = ""
    assert Check.from_json(again.check, again).judgements == check.judgements
    assert find(check, again).estimate.overall.value == pytest.approx(
        find(check, survey).estimate.overall.value, abs=0.02
    )
    assert from_geojson(to_geojson(survey)).check == ""

"""Judged squares as examples: what is learned from, what is kept aside, what is refused."""

from collections import Counter

import numpy as np
import pytest

from pyapp.core.accuracy.check import (
    CANT_TELL,
    CLASSES,
    GROUPS,
    NO_STRATUM,
    OTHER,
    Check,
    begin,
    grounds,
)
from pyapp.core.accuracy.errors import (
    AllLearnedError,
    AllTaughtError,
    FewJudgedError,
    MixedLevelsError,
    NothingToldError,
    OneClassError,
)
from pyapp.core.accuracy.examples import FEWEST_JUDGED, ONE_IN, divide, with_judged
from pyapp.core.accuracy.findings import figures, find
from pyapp.core.errors import (
    DamagedCheckError,
)
from pyapp.core.ground.geo import Footprint, moved
from pyapp.core.survey.geojson import from_geojson, to_geojson
from pyapp.core.survey.learned import cells_over
from pyapp.core.survey.survey import Survey
from pyapp.core.teach.aside import judge_aside
from pyapp.core.teach.example import Example
from pyapp.core.teach.project import Project, digest_of
from tests.core.surveys import TREE, TREE_IDS, classified_survey

EMPTY = Project("p1", "Mine", "2026-11-28T12:00:00")


@pytest.fixture(scope="module")
def survey():
    return classified_survey(**TREE)


def judged(survey, by=GROUPS, total=60, say=None):
    """A check with all squares judged: what each shows is drawn from what can be said."""
    check = begin(survey, by, total, seed=3)
    kinds = grounds(survey, by)
    for cell in check.sample:
        check.judge(cell, kinds[cell % len(kinds)] if say is None else say(cell))
    return check


def example_of(survey, square):
    return Example(digest_of(f"{square.cell}".encode()), square.label, 192,
                   survey.grid.footprint(square.cell), "us")  # fmt: skip


def taken(survey, check, project=EMPTY):
    division = divide(check, survey, project)
    given = {each: example_of(survey, each) for each in division.squares}
    return with_judged(project, check, survey, given)


def test_a_third_of_each_class_is_kept_aside_and_the_same_each_time(survey):
    check = judged(survey, CLASSES, 120)
    division = divide(check, survey, EMPTY)
    assert division == divide(check, survey, EMPTY)
    all_of = Counter(each.label for each in division.squares)
    aside = Counter(each.label for each in division.squares if each.aside)
    assert sum(all_of.values()) == len(check.sample) and "something else" in all_of
    for label, count in all_of.items():
        assert abs(aside[label] - count / ONE_IN) <= 0.5
    assert division.none_aside == () and division.aside == sum(aside.values())
    # Another seed, other squares.
    check.seed = 4
    assert {each.cell for each in divide(check, survey, EMPTY).squares if each.aside} != {
        each.cell for each in division.squares if each.aside
    }


def test_what_is_kept_aside_is_no_matter_of_how_early_a_square_was_drawn(survey):
    """Strata give other shares of their squares, so the order of the sample would favour some."""
    check = judged(survey, GROUPS, 80, lambda cell: cell % 2)
    early = []
    for seed in range(200):
        check.seed = seed
        aside = {each.cell for each in divide(check, survey, EMPTY).squares if each.aside}
        early.append(np.mean([cell in aside for cell in check.sample[:20]]))
    assert np.mean(early) == pytest.approx(1 / ONE_IN, abs=0.03)


def test_cant_tell_is_left_out_and_something_else_is_a_class(survey):
    few = begin(survey, GROUPS, 60, seed=3).sample[:7]
    check = judged(
        survey,
        say=lambda cell: CANT_TELL if cell in few else OTHER if cell % 2 else TREE_IDS["water"],
    )
    division = divide(check, survey, EMPTY)
    assert division.unclear == 7 and len(division.squares) == len(check.sample) - 7
    project = taken(survey, check)
    assert project.classes == ("water", "something else")
    # Each stands for its stratum's ground, shared among those that could be told.
    assert sum(each.judged.hectares for each in project.examples) == pytest.approx(
        survey.grid.hectares[survey.classified].sum()
    )


def test_few_squares_of_a_class_are_all_learned_from(survey):
    first = begin(survey, GROUPS, 60, seed=3).sample[0]
    check = judged(
        survey, say=lambda cell: OTHER if cell == first else cell % 2 + len(TREE["labels"])
    )
    division = divide(check, survey, EMPTY)
    assert division.none_aside == ("something else",)
    assert [each.aside for each in division.squares if each.cell == first] == [False]


def test_more_squares_are_added_and_what_was_kept_aside_stays_so(survey):
    check = judged(survey, total=40)
    project = taken(survey, check)
    with pytest.raises(AllTaughtError, match="already"):
        divide(check, survey, project)
    check.extend([8] * len(check.strata))
    for cell in check.left:
        check.judge(cell, grounds(survey, GROUPS)[cell % 4])
    more = taken(survey, check, project)
    assert len(more.examples) == len(check.sample) > len(project.examples)
    before = {each.sha256: each.aside for each in project.examples}
    assert all(each.aside == before.get(each.sha256, each.aside) for each in more.examples)
    assert len(more.aside) == pytest.approx(len(more.examples) / ONE_IN, abs=2)
    # All stand for as much ground as the survey has, the former ones for less than before.
    assert sum(each.judged.hectares for each in more.examples) == pytest.approx(
        survey.grid.hectares[survey.classified].sum()
    )


def test_ground_of_other_examples_is_left_out_and_stays_as_it_was(survey):
    check = judged(survey)
    cell = check.sample[0]
    place = Footprint(moved(survey.grid.centre(cell), 30, 0), survey.grid.side_m)
    own = EMPTY.with_class("Water").with_examples([Example("ab" * 32, "Water", 192, place, "us")])
    division = divide(check, survey, own)
    assert division.known >= 1 and cell not in {each.cell for each in division.squares}
    project = taken(survey, check, own)
    assert project.examples[0] == own.examples[0]
    assert project.classes[0] == "Water" and "water" not in project.classes


def test_what_looks_the_same_to_the_bit_is_taken_once(survey):
    check = judged(survey)
    division = divide(check, survey, EMPTY)
    given = {each: example_of(survey, each)._replace(sha256="ab" * 32) for each in division.squares}
    project = with_judged(EMPTY, check, survey, given)
    assert len(project.examples) == 1 and project.examples[0].aside


def test_a_project_that_names_classes_inside_groups_can_not_take_groups(survey):
    field = EMPTY.with_class("Field")
    with pytest.raises(MixedLevelsError, match="“Field” of the project Mine and “open land”"):
        divide(judged(survey), survey, field)
    divide(judged(survey, CLASSES, 90), survey, field)
    with pytest.raises(MixedLevelsError, match="Begin a new project"):
        divide(judged(survey, CLASSES, 90), survey, EMPTY.with_class("open land"))


def test_what_can_not_be_taught_is_refused(survey):
    with pytest.raises(NothingToldError, match="could you tell"):
        divide(begin(survey, GROUPS, 60, seed=3), survey, EMPTY)
    with pytest.raises(NothingToldError):
        divide(judged(survey, say=lambda _cell: CANT_TELL), survey, EMPTY)
    with pytest.raises(OneClassError, match="“water”"):
        divide(judged(survey, say=lambda _cell: TREE_IDS["water"]), survey, EMPTY)
    few = judged(survey, say=lambda _cell: CANT_TELL)
    for cell in few.sample[: FEWEST_JUDGED - 1]:
        few.judge(cell, grounds(survey, GROUPS)[cell % 2])
    with pytest.raises(FewJudgedError, match=r"14 squares .* takes 15"):
        divide(few, survey, EMPTY)
    # Another class of the project is enough.
    named = EMPTY.with_class("mine").with_examples([Example("ab" * 32, "mine", 192, None, "us")])
    assert divide(judged(survey, say=lambda _cell: TREE_IDS["water"]), survey, named).squares


def test_squares_that_overlap_are_counted_before():
    survey = classified_survey(step=0.5)
    check = judged(survey, CLASSES, 300)
    division = divide(check, survey, EMPTY)
    project = taken(survey, check)
    (found,) = judge_aside(project, {each.sha256: each.label for each in project.aside})
    assert 0 < division.overlapping == found.overlapping == division.aside - found.squares
    whole = classified_survey()
    assert divide(judged(whole, CLASSES, 300), whole, EMPTY).overlapping == 0


def test_a_flat_model_is_taught_by_its_classes():
    survey = classified_survey()
    project = taken(survey, judged(survey, CLASSES))
    assert project.classes == ("field", "river", "road", "town", "something else")


# The other way around: a survey by a taught model is not checked by what that learned from.


def learned_survey(count=12, **facts):
    survey = classified_survey(**(facts or TREE))
    survey.learned = tuple(range(5, 5 + count))
    return survey


def test_squares_that_the_model_learned_from_are_in_no_stratum_and_no_figure():
    survey = learned_survey()
    check = begin(survey, GROUPS, 10_000, seed=3)
    assert set(check.sample) == set(range(len(survey.grid))) - set(survey.learned)
    assert check.learned == set(survey.learned)
    assert (check.stratum_of[list(survey.learned)] == NO_STRATUM).all()
    for cell in check.sample:
        check.judge(cell, TREE_IDS["water"])
    found = find(check, survey)
    out = survey.grid.hectares[list(survey.learned)].sum()
    assert (found.learned, found.learned_ha) == (12, pytest.approx(out))
    assert found.map_ha.sum() == pytest.approx(survey.grid.hectares.sum() - out)
    assert figures(found, survey)["learned_squares_left_out"] == 12
    again = Check.from_json(check.to_json(survey), survey)
    assert again.learned == check.learned
    spoilt = check.to_json(survey).replace('"learned": [5', '"learned": [0, 5')
    with pytest.raises(DamagedCheckError):
        Check.from_json(spoilt, survey)


def test_what_a_model_learned_from_goes_with_the_survey_and_its_files():
    survey = learned_survey()
    assert Survey.from_json(survey.to_json()).learned == survey.learned
    assert from_geojson(to_geojson(survey)).learned == survey.learned
    plain = classified_survey(**TREE)
    assert "learned" not in plain.to_json() and Survey.from_json(plain.to_json()).learned is None
    with pytest.raises(ValueError, match="not between"):
        Survey.from_json(survey.to_json().replace('"learned": [5', '"learned": [-1'))


def test_a_survey_that_was_all_learned_from_can_not_be_checked():
    survey = learned_survey()
    survey.learned = tuple(range(len(survey.grid)))
    with pytest.raises(AllLearnedError, match="Survey more ground"):
        begin(survey, GROUPS, 60, seed=3)


def test_that_nobody_knows_what_was_learned_from_is_said():
    survey = classified_survey(**TREE)
    check = judged(survey)
    assert not find(check, survey).unknown_examples
    object.__setattr__(survey.model, "network", "cd" * 32)
    assert find(check, survey).unknown_examples
    survey.learned = ()
    assert not find(check, survey).unknown_examples


def test_cells_that_overlap_an_example_are_found():
    survey = classified_survey()
    grid = survey.grid
    assert cells_over(grid, [grid.footprint(7)]) == (7,)
    shifted = Footprint(moved(grid.centre(7), grid.side_m / 2, 0), grid.side_m)
    assert 7 in cells_over(grid, [shifted]) and len(cells_over(grid, [shifted])) == 2
    far = Footprint(moved(grid.centre(7), 50_000, 0), grid.side_m)
    around = grid.footprint(7)._replace(
        centre=grid.centre(7)._replace(lng=grid.centre(7).lng - 360)
    )
    assert cells_over(grid, [far]) == () and cells_over(grid, [around]) == (7,)

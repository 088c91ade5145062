"""How good a taught layer is on squares that were kept aside."""

import numpy as np
import pytest

from pyapp.core.ground.geo import Footprint, LngLat, moved
from pyapp.core.teach.archive import from_archive, to_archive, to_png
from pyapp.core.teach.aside import judge_aside, weighted_share
from pyapp.core.teach.example import Example, Judged
from pyapp.core.teach.judge import wilson
from pyapp.core.teach.project import Project, digest_of
from pyapp.core.teach.steps import finished

HERE = LngLat(85.52, 27.63)
SIDE_M = 78.0


def example(number, label, aside, hectares=1.0, check="s1:3", place=True):
    ground = Footprint(moved(HERE, 200 * number, 0), SIDE_M) if place else None
    return Example(digest_of(f"{check}{number}".encode()), label, 192, ground, "us",
                   Judged(check, "Valley", hectares, aside))  # fmt: skip


def project_of(*examples):
    made = Project("p1", "Mine", "2026-11-28T12:00:00")
    for label in dict.fromkeys(each.label for each in examples):
        made = made.with_class(label)
    return made.with_examples(examples)


def said_of(project, wrong=()):
    """What a layer says of the squares kept aside: all right but some."""
    return {each.sha256: "another" if number in wrong else each.label
            for number, each in enumerate(project.aside)}  # fmt: skip


def test_shares_of_classes_come_from_all_and_what_is_right_from_those_aside():
    # Nine tenths of the ground are fields, of which all are found; of ponds one in two.
    examples = [example(each, "field", each < 4, 9.0) for each in range(12)]
    examples += [example(20 + each, "pond", each < 4, 1.0) for each in range(12)]
    project = project_of(*examples)
    (found,) = judge_aside(project, said_of(project, wrong=(4, 5)))
    assert found.accuracy.share == pytest.approx(0.9 + 0.1 * 0.5)
    assert found.accuracy.low < 0.95 < found.accuracy.high <= 1
    assert (found.survey, found.squares, found.overlapping) == ("Valley", 8, 0)
    assert (found.missing, found.missing_share) == ((), 0)


def test_equal_weights_give_wilsons_interval():
    right = np.arange(40) < 30
    found = weighted_share(right, np.full(40, 2.5))
    # The variance of a sample has one degree of freedom less.
    assert found == pytest.approx(wilson(0.75, 39), abs=1e-9)
    assert weighted_share(np.ones(9, bool), np.ones(9)) == wilson(1.0, 9)
    # A square that stands for half of the ground is worth few.
    assert weighted_share(np.ones(9, bool), np.array([8.0] + [1] * 8)).low < wilson(1.0, 4).low


def test_classes_of_which_none_is_aside_are_said():
    examples = [example(each, "field", each < 4) for each in range(12)]
    project = project_of(*examples, example(30, "pond", False, 4.0))
    (found,) = judge_aside(project, said_of(project))
    assert found.missing == ("pond",) and found.missing_share == pytest.approx(4 / 16)


def test_squares_that_overlap_what_was_learned_from_say_nothing():
    examples = [example(each, ("field", "pond")[each % 2], each < 6) for each in range(18)]
    project = project_of(*examples)
    given = Example("ab" * 32, "field", 192, Footprint(moved(HERE, 30, 10), SIDE_M), "us")
    touching = Example(
        "cd" * 32, "field", 192, Footprint(moved(HERE, 200 + SIDE_M, 0), SIDE_M), "us"
    )
    (found,) = judge_aside(project.with_examples([given, touching]), said_of(project))
    assert (found.squares, found.overlapping) == (5, 1)


def test_if_all_overlap_there_is_no_figure():
    examples = [example(each, ("field", "pond")[each % 2], True) for each in range(4)]
    over = [each._replace(sha256=f"{number:064d}", judged=None)
            for number, each in enumerate(examples)]  # fmt: skip
    project = project_of(*examples).with_examples(over)
    (found,) = judge_aside(project, said_of(project))
    assert (found.accuracy, found.squares, found.overlapping) == (None, 0, 4)
    assert found.missing == ("field", "pond") and found.missing_share == 1


def test_each_check_is_judged_by_itself_and_none_without_squares_aside():
    examples = [example(each, ("field", "pond")[each % 2], each < 6) for each in range(18)]
    others = [example(50 + each, ("field", "pond")[each % 2], each < 4, check="s2:5")
              for each in range(12)]  # fmt: skip
    project = project_of(*examples, *others)
    assert [each.squares for each in judge_aside(project, said_of(project))] == [6, 4]
    assert judge_aside(project_of(*[each for each in examples if not each.aside]), {}) == ()
    assert judge_aside(project_of(Example("ab" * 32, "field", 192, None, "us")), {}) == ()


def test_ground_that_stands_for_nothing_is_no_figure():
    project = project_of(*(example(each, "field", each < 4, 0.0) for each in range(9)))
    assert judge_aside(project, said_of(project)) == ()


def test_intervals_hold_the_truth_as_often_as_they_say():
    """A thousand checks of maps with rare classes, a third kept aside as `examples` does it."""
    chance = np.random.default_rng(7)
    held = []
    for _ in range(1000):
        # Strata are what a map says; the ground differs; a layer is right by class.
        sizes, judged_of = np.array([7000, 2500, 500]), np.array([70, 25, 15])
        ground = np.array([[0.9, 0.07, 0.03], [0.1, 0.85, 0.05], [0.15, 0.1, 0.75]])
        recall = np.array([0.93, 0.75, 0.6])
        truth = float(sizes @ ground @ recall) / sizes.sum()
        label = np.concatenate([chance.choice(3, n, p=row)
                                for n, row in zip(judged_of, ground, strict=True)])  # fmt: skip
        weight = np.repeat(sizes / judged_of, judged_of)
        aside = np.zeros(len(label), bool)
        for each in range(3):
            there = chance.permutation(np.flatnonzero(label == each))
            aside[there[: round(len(there) / 3)]] = True
        right = chance.random(len(label)) < recall[label]
        area = np.bincount(label, weight, 3)
        kept = np.bincount(label[aside], weight[aside], 3)
        scaled = weight[aside] * (area / np.maximum(kept, 1e-9))[label[aside]]
        _, low, high = weighted_share(right[aside], scaled)
        held.append(low <= truth <= high)
    assert np.mean(held) >= 0.94


def test_what_is_kept_aside_stays_so_in_the_file():
    chips = [np.full((16, 16, 3), each, np.uint8) for each in range(6)]
    pictures = {digest_of(to_png(each)): to_png(each) for each in chips}
    given = [Example(sha256, ("field", "pond")[number % 2], 16, None, "us",
                     Judged("s1:3", "Valley", 1.5, number < 2))
             for number, sha256 in enumerate(pictures)]  # fmt: skip
    project = project_of(*given)
    again, _ = finished(from_archive(to_archive(project, pictures)))
    assert again == project and len(again.aside) == 2 and len(again.fitted) == 4
    assert again.moved(given[0].sha256, "pond").find(given[0].sha256).aside
    # An earlier version, which would learn from them, refuses it; a project without any is as ever.
    assert '"lookdown project 2"' in project.to_json()
    assert (
        '"lookdown project 1"'
        in project.without(given[0].sha256).without(given[1].sha256).to_json()
    )
    plain = project_of(given[0]._replace(judged=None)).to_json()
    assert "judged" not in plain and Project.from_json(plain).examples[0].judged is None

"""Accuracy and area from a sample: the paper's worked example, small strata, zeros, coverage."""

import random
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pyapp.core.accuracy.estimate import POSTERIOR, WILSON, Tally, estimate
from pyapp.core.accuracy.intervals import gammas
from pyapp.core.accuracy.sample import allocate, draw, shuffled
from tests.bench.coverage import PLAUSIBLE, simulate

ROOT = Path(__file__).resolve().parents[2]
# Olofsson et al. 2014, section 5: table 8, strata in pixels of 30 m.
PIXELS = (200_000, 150_000, 3_200_000, 6_450_000)
CONFUSION = ((66, 0, 5, 4), (0, 55, 8, 12), (1, 0, 153, 11), (2, 1, 9, 313))


def tally(confusion, squares, hectares=None, unclear=None, right=None) -> Tally:
    """Strata that are the map's classes, which are those of the ground."""
    confusion = np.array(confusion)
    count = len(confusion)
    counts = np.zeros((count, count, confusion.shape[1]), np.int64)
    counts[range(count), range(count)] = confusion
    return Tally(
        np.array(squares),
        np.array(squares if hectares is None else hectares, float),
        counts,
        np.zeros(count, np.int64) if unclear is None else np.array(unclear),
        np.eye(count, confusion.shape[1], dtype=bool) if right is None else right,
    )


@pytest.fixture(scope="module")
def example():
    return estimate(tally(CONFUSION, PIXELS, np.array(PIXELS) * 0.09))


def test_every_printed_digit_of_the_worked_example(example):
    assert f"{example.overall.value:.2f} ± {example.overall.half_width:.2f}" == "0.95 ± 0.02"
    assert [f"{each.value:.2f} ± {each.half_width:.2f}" for each in example.users] == [
        "0.88 ± 0.07", "0.73 ± 0.10", "0.93 ± 0.04", "0.96 ± 0.02",
    ]  # fmt: skip
    assert [f"{each.value:.2f}" for each in example.producers] == ["0.75", "0.85", "0.93", "0.96"]
    deforestation = example.areas[0]
    # 235,086 pixels, of 900 square metres.
    assert f"{deforestation.value / 0.09:,.0f} ± {deforestation.half_width / 0.09:,.0f}" == (
        "235,086 ± 68,418"
    )
    assert f"{deforestation.value:,.0f} ha ± {deforestation.half_width:,.0f} ha" == (
        "21,158 ha ± 6,158 ha"
    )


def test_producers_standard_error_is_equation_7(example):
    sizes, counts = np.array(PIXELS, float), np.array(CONFUSION, float)
    judged = counts.sum(1)
    users = counts.diagonal() / judged
    share = counts / judged[:, None]
    areas = sizes @ share
    for j, found in enumerate(example.producers):
        value = sizes[j] * users[j] / areas[j]
        own = sizes[j] ** 2 * (1 - value) ** 2 * users[j] * (1 - users[j]) / (judged[j] - 1)
        others = sum(
            sizes[i] ** 2 * share[i, j] * (1 - share[i, j]) / (judged[i] - 1)
            for i in range(4) if i != j
        )  # fmt: skip
        assert found.value == pytest.approx(value)
        assert found.standard_error == pytest.approx(
            np.sqrt(own + value**2 * others) / areas[j], rel=1e-9
        )


def test_zero_counts_and_small_strata_have_intervals(example):
    perfect = estimate(tally(((20, 0), (0, 12)), (9000, 1000)))
    assert perfect.overall.standard_error == 0
    assert perfect.overall.low < 0.97 and perfect.overall.high == 1
    assert perfect.users[0].low == pytest.approx(0.8389, abs=1e-4)
    assert perfect.users[0].method == WILSON
    assert perfect.areas[1].method == POSTERIOR
    assert perfect.areas[1].high > 1050
    # No find of a class anywhere: its area may be something, its accuracy is unknown.
    none = estimate(tally(((20, 0), (5, 0)), (9000, 1000)))
    assert none.producers[1] is None
    assert none.areas[1].value == none.areas[1].low == 0 < none.areas[1].high
    assert none.more[1] is None


def test_a_stratum_that_was_taken_completely_is_certain():
    everything = estimate(tally(((40, 0), (3, 1)), (40, 4)))
    assert everything.overall == (41 / 44, 0.0, 41 / 44, 41 / 44, POSTERIOR)
    assert everything.users[1].low == everything.users[1].high == 0.25
    assert everything.areas[0].low == pytest.approx(everything.areas[0].high) == 43
    assert everything.more == (None, None)


def test_cant_tell_is_neither_right_nor_wrong():
    found = estimate(tally(((30, 2), (1, 9)), (800, 200), unclear=(8, 0)))
    without = estimate(tally(((30, 2), (1, 9)), (800, 200)))
    assert found.overall.value == without.overall.value
    assert found.unclear == pytest.approx(0.8 * 0.2)
    assert found.if_wrong == pytest.approx(0.8 * 30 / 40 + 0.2 * 0.9)
    assert found.if_right == pytest.approx(0.8 * 38 / 40 + 0.2 * 0.9)


def test_a_stratum_that_nobody_could_judge_is_left_out_and_said():
    found = estimate(tally(((30, 2), (0, 0)), (800, 200), unclear=(0, 10)))
    assert found.left_out_ha == 200
    assert sum(each.value for each in found.areas) == pytest.approx(800)
    assert estimate(tally(((0, 0), (0, 0)), (800, 200), unclear=(9, 9))) is None


def test_one_class_only():
    found = estimate(tally(((25,),), (900,)))
    assert found.areas[0].value == found.areas[0].high == pytest.approx(900)
    assert found.overall.high == 1 > found.overall.low


def test_more_squares_halve_the_interval():
    counts = np.array(((66, 0, 5, 4), (0, 55, 8, 12), (1, 0, 153, 11), (2, 1, 9, 313)))
    first = estimate(tally(counts, PIXELS))
    four = estimate(tally(counts * 4, PIXELS))
    assert four.areas[0].half_width == pytest.approx(first.areas[0].half_width / 2, rel=0.02)
    # Where they help most, fewer are enough than three times as many everywhere.
    assert 0 < sum(first.more[0]) < 3 * 640
    assert first.more[0][3] > first.more[0][0]


def test_intervals_agree_with_the_normal_ones_where_those_hold():
    found = estimate(tally(np.array(((900, 100), (80, 920))), (500_000, 500_000)))
    for each in (found.overall, *found.users, *found.producers, *found.areas):
        assert each.high - each.low == pytest.approx(2 * each.half_width, rel=0.05)


def test_strata_that_are_not_the_answers():
    """As after corrections: one stratum, two answers in it."""
    counts = np.zeros((2, 2, 2), np.int64)
    counts[0, 0] = (30, 2)
    counts[0, 1] = (0, 6)
    counts[1, 1] = (1, 19)
    squares = np.array((600, 400))
    eye = np.eye(2, dtype=bool)
    found = estimate(Tally(squares, squares.astype(float), counts, np.zeros(2, np.int64), eye))
    assert found.overall.value == pytest.approx(0.6 * 36 / 38 + 0.4 * 19 / 20)
    assert found.users[1].value == pytest.approx(
        (0.6 * 6 / 38 + 0.4 * 19 / 20) / (0.6 * 6 / 38 + 0.4)
    )
    assert found.users[1].method == POSTERIOR
    assert found.users[0].method == POSTERIOR
    for each in (found.overall, *found.users, *found.producers):
        assert each.low < each.value < each.high


def test_allocation_has_a_minimum_and_an_end():
    assert allocate([9700, 200, 100], 200) == [180, 10, 10]
    assert allocate([9700, 200, 4], 200) == [186, 10, 4]
    assert allocate([30, 20], 500) == [30, 20]
    assert allocate([50_000], 100) == [100]
    neyman = allocate([5000, 5000], 100, [0.1, 0.3])
    assert neyman == [25, 75]
    assert sum(allocate([3333, 3333, 3334], 100)) == 100


def test_a_draw_can_be_repeated_and_extended():
    stratum_of = np.repeat(np.array([0, 1, 255], np.uint8), (900, 60, 40))
    sample = draw(stratum_of, [40, 10], seed=7)
    assert sample == draw(stratum_of, [40, 10], seed=7) != draw(stratum_of, [40, 10], seed=8)
    assert len(set(sample)) == 50
    assert (stratum_of[sample] == 1).sum() == 10
    more = draw(stratum_of, [5, 100], seed=7, drawn=sample)
    assert not set(more) & set(sample)
    assert len(more) == 5 + 50, "a stratum that has no more gives what it has"
    # The sample is the beginning of one order, whoever computes it.
    assert shuffled(np.arange(5), 7) == [4, 3, 2, 1, 0]
    # Each stratum gets its share at any time.
    assert 3 <= sum(stratum_of[each] == 1 for each in sample[:25]) <= 7


def test_intervals_cover_the_truth():
    """A short run of ``python -m tests.bench coverage``, which is the measurement."""
    found = simulate(PLAUSIBLE, 100, seed=5)
    for what, (cover, _) in found.items():
        assert 0.9 <= cover.share <= 0.99, (what, cover)
    # The usual interval is why there is another one.
    assert found["area, rare classes"][1].share < 0.92


def test_random_numbers_are_of_the_gamma_distribution():
    shapes = np.array([0.02, 0.4, 1.0, 3.5, 80.0])
    drawn = gammas(random.Random(1), shapes)
    assert (drawn == gammas(random.Random(1), shapes)).all()
    for shape, values in zip(shapes, drawn.T, strict=True):
        assert stats.kstest(values, stats.gamma(shape).cdf).pvalue > 0.01


def test_the_page_has_what_is_needed():
    """It has neither ``numpy.random`` nor ``numpy.linalg``."""
    for file in (ROOT / "pyapp/core/accuracy").glob("*.py"):
        assert "np.random" not in file.read_text() and "linalg" not in file.read_text()

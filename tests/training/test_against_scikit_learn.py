"""Our metrics against scikit-learn's and SciPy's, on random answers, ties among them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    log_loss,
    precision_recall_curve,
    precision_recall_fscore_support,
    roc_auc_score,
)

from training.figures import calibrate, metrics
from training.networks import predict
from training.steps import final

CLASSES = 5


def answers(seed: int, count: int, digits: int = 7):
    """Logits float32, probabilities and right classes; few digits make many ties."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (count, CLASSES)).round(digits).astype(np.float32)
    shares = np.exp(logits.astype(np.float64))
    probability = shares / shares.sum(1, keepdims=True)
    noisy = logits + random.normal(0, 2, logits.shape)
    classes = noisy.argmax(1)
    classes[:CLASSES] = np.arange(CLASSES)
    return torch.from_numpy(logits), probability, classes


samples = st.builds(
    answers,
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(CLASSES, 300),
    digits=st.sampled_from([0, 1, 7]),
)
quick = settings(max_examples=30, deadline=None)


@quick
@given(samples)
def test_accuracy(sample):
    logits, probability, classes = sample
    wanted = accuracy_score(classes, probability.argmax(1))
    assert predict.accuracy(logits, classes) == pytest.approx(wanted)
    assert final.score(probability, classes, 0.5)["accuracy"] == pytest.approx(wanted, abs=5e-5)


@quick
@given(samples)
def test_confusion_and_figures_per_class(sample):
    _, probability, classes = sample
    best, labels = probability.argmax(1), list(range(CLASSES))
    assert np.array_equal(
        metrics.confusion_counts(probability, classes),
        confusion_matrix(classes, best, labels=labels),
    )
    ours = metrics.per_class(probability, classes, [f"{each}" for each in labels])
    wanted = precision_recall_fscore_support(
        classes, best, labels=labels, zero_division=float("nan")
    )
    for name, values in zip(("precision", "recall", "f1", "images"), wanted, strict=True):
        assert [each[name] for each in ours] == pytest.approx(list(values), nan_ok=True), name


@quick
@given(samples)
def test_cross_entropy(sample):
    _, probability, classes = sample
    wanted = log_loss(classes, probability, labels=range(CLASSES))
    assert calibrate.cross_entropy(probability, classes) == pytest.approx(wanted, rel=1e-5)


@quick
@given(samples)
@example(answers(seed=0, count=215, digits=0))  # Five equal probabilities: one fifth is an edge.
def test_reliability_and_calibration_error(sample):
    _, probability, classes = sample
    best, correct = probability.max(1), probability.argmax(1) == classes
    bins = calibrate.reliability(probability, classes)
    right, sure = calibration_curve(correct, best, n_bins=calibrate.BINS, strategy="uniform")
    assert [each.right for each in bins] == pytest.approx(list(right))
    assert [each.sure for each in bins] == pytest.approx(list(sure))
    edges = np.linspace(0, 1, calibrate.BINS + 1)
    counts = np.bincount(np.digitize(best, edges, right=True))
    wanted = np.abs(right - sure) @ counts[counts > 0] / len(best)
    assert calibrate.calibration_error(probability, classes) == pytest.approx(wanted)


@pytest.mark.parametrize("seed", range(5))
def test_the_temperature_is_that_of_a_minimiser(seed):
    logits, _, classes = answers(seed, 300)

    def loss(temperature: float) -> float:
        return log_loss(classes, torch.softmax(logits.double() / temperature, 1).numpy())

    wanted = minimize_scalar(loss, bounds=(0.2, 5.0), method="bounded").x
    # Candidates are 0.8 % apart.
    assert calibrate.fit_temperature(logits, classes) == pytest.approx(wanted, rel=0.009)


@quick
@given(samples, st.sampled_from([0.5, 0.8, 0.9, 0.99]))
def test_the_threshold_is_the_lowest_of_enough_precision(sample, right):
    _, probability, classes = sample
    correct = probability.argmax(1) == classes
    if not correct.any():
        return
    precision, _, thresholds = precision_recall_curve(correct, probability.max(1))
    enough = thresholds[precision[:-1] >= right]
    lowest = enough.min() if len(enough) else 1.0
    wanted = max(0.5, math.floor(lowest * 100) / 100)
    assert calibrate.fit_threshold(probability, classes, right) == wanted


def test_a_probability_on_an_edge_belongs_to_the_lower_bin():
    # One fifth is an edge of 15 bins.
    below, on, above = [0.18] * 5 + [0.1], [0.2] * 5 + [0.0], [0.2] * 4 + [0.21, 0.01]
    classes = np.zeros(2, np.int64)
    assert len(calibrate.reliability(np.array([below, on]), classes)) == 1
    assert len(calibrate.reliability(np.array([on, above]), classes)) == 2


def test_answers_of_equal_probability_pass_together():
    probability = np.array([[0.9, 0.1]] * 2)
    assert calibrate.fit_threshold(probability, np.array([0, 1]), 0.99) == 1.0


@quick
@given(samples, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_label_sets_have_the_conformal_quantile(sample, coverage):
    _, probability, classes = sample
    count = len(classes)
    # Of scores 1 - p, the ceil((n + 1) coverage)-th smallest; exact by whole per cents.
    rank = -(-(count + 1) * round(100 * coverage) // 100)
    scores = np.sort(1 - probability[np.arange(count), classes])
    wanted = 1 - scores[rank - 1] if rank <= count else 0.0
    assert calibrate.fit_sets(probability, classes, coverage) == pytest.approx(wanted)


def test_the_conformal_rank_is_not_lost_to_rounding():
    # (1 - 0.9) * 10 is 0.9999999999999998.
    probability = np.column_stack([np.linspace(0.1, 0.9, 9), 1 - np.linspace(0.1, 0.9, 9)])
    level = calibrate.fit_sets(probability, np.zeros(9, np.int64), 0.9)
    assert level == pytest.approx(0.1)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 60), st.sampled_from([0, 6]))
def test_separation_is_the_area_under_the_roc_curve(seed, known, unknown, digits):
    random = np.random.default_rng(seed)
    scores = [random.normal(mean, 1, n).round(digits) for mean, n in ((1, known), (0, unknown))]
    wanted = roc_auc_score([1] * known + [0] * unknown, np.concatenate(scores))
    assert calibrate.separation(*scores) == pytest.approx(wanted)


def test_scores_that_are_all_equal_separate_nothing():
    assert calibrate.separation(np.ones(3), np.ones(4)) == 0.5


@quick
@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_wilsons(counts):
    right, count = counts
    wanted = binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert calibrate.wilson(right, count) == pytest.approx((wanted.low, wanted.high), abs=1e-7)

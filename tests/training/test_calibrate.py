import numpy as np
import pytest
import torch

from pyapp.core.model.prediction import familiarity
from training.figures.calibrate import (
    calibration_error,
    covered,
    fit_familiarity,
    fit_sets,
    fit_temperature,
    fit_threshold,
    reliability,
    separation,
    wilson,
)


def sample(scale, count=4000, classes=5, seed=0):
    """Logits that are right at temperature ``scale``, and classes drawn from them."""
    random = np.random.default_rng(seed)
    true = random.normal(0, 2, (count, classes))
    share = np.exp(true) / np.exp(true).sum(1, keepdims=True)
    drawn = np.array([random.choice(classes, p=row) for row in share])
    return torch.from_numpy((true * scale).astype(np.float32)), drawn


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5])
def test_the_temperature_is_found_again(scale):
    logits, classes = sample(scale)
    assert fit_temperature(logits, classes) == pytest.approx(scale, rel=0.06)


def test_calibrated_probabilities_have_a_small_error_and_others_a_large_one():
    logits, classes = sample(1.0)
    assert calibration_error(torch.softmax(logits, 1).numpy(), classes) < 0.03
    assert calibration_error(torch.softmax(4 * logits, 1).numpy(), classes) > 0.1


def test_a_perfectly_sure_and_right_model_has_no_error():
    assert calibration_error(np.eye(4), np.arange(4)) == 0


def test_the_threshold_keeps_the_promise_on_what_is_answered():
    logits, classes = sample(1.0)
    probability = torch.softmax(logits, 1).numpy()
    threshold = fit_threshold(probability, classes, 0.9)
    answered = probability.max(1) >= threshold + 0.01
    assert (probability.argmax(1) == classes)[answered].mean() >= 0.9
    assert 0.5 <= threshold < 1


def test_a_model_that_is_always_wrong_is_never_sure():
    assert fit_threshold(np.eye(4), np.array([1, 2, 3, 0]), 0.99) == 1.0


def test_wilson_interval_of_the_textbook():
    low, high = wilson(414, 420)
    assert (low, high) == (pytest.approx(0.9692, abs=2e-4), pytest.approx(0.9934, abs=2e-4))
    assert wilson(10, 10)[1] == pytest.approx(1.0)


@pytest.mark.parametrize("coverage", [0.9, 0.95, 0.99])
def test_label_sets_hold_the_right_class_as_often_as_promised(coverage):
    logits, classes = sample(1.0)
    probability = torch.softmax(logits, 1).numpy()
    level = fit_sets(probability[:2000], classes[:2000], coverage)
    held, size = covered(probability[2000:], classes[2000:], level)
    assert held == pytest.approx(coverage, abs=0.02)
    assert 1 <= size < 5


def test_too_few_pictures_for_a_promise_give_sets_of_all_classes():
    assert fit_sets(np.eye(4), np.arange(4), 0.99) == 0.0


def test_a_label_set_is_never_empty():
    assert covered(np.full((2, 4), 0.25), np.array([0, 3]), 0.9) == (0.5, 1.0)


def test_familiarity_is_the_largest_mean_of_the_maps():
    maps = np.zeros((2, 3, 2, 2))
    maps[1, 2] = [[4, 0], [0, 0]]
    assert familiarity(maps).tolist() == [0, 1]
    assert fit_familiarity(np.arange(101.0), 0.98) == pytest.approx(2)


def test_separation_of_scores():
    assert separation(np.array([3.0, 4]), np.array([1.0, 2])) == 1
    assert separation(np.array([1.0, 2]), np.array([3.0, 4])) == 0
    assert separation(np.array([1.0, 4]), np.array([2.0, 3])) == 0.5


def test_bins_hold_every_picture_once():
    logits, classes = sample(1.0)
    bins = reliability(torch.softmax(logits, 1).numpy(), classes)
    assert sum(each.share for each in bins) == pytest.approx(1)
    assert all(abs(each.right - each.sure) < 0.1 for each in bins if each.share > 0.02)

import numpy as np
import pytest
import torch

from training.calibrate import calibration_error, fit_temperature, fit_threshold, wilson


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

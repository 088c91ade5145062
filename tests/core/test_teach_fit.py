"""The fit of a taught layer, against scikit-learn, and what is said of how good it is."""

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pyapp.core.ground.geo import Footprint, LngLat, moved
from pyapp.core.teach.curve import learning_curve, part_of
from pyapp.core.teach.fit import PENALTY, Head, fit, head_of, softmax
from pyapp.core.teach.folds import folds_of, places_of
from pyapp.core.teach.gram import Gram
from pyapp.core.teach.judge import Lesson, accuracy_of, judge, temperature_of, threshold_of, wilson
from pyapp.core.teach.learn import learn, prior_head
from pyapp.core.teach.steps import finished
from pyapp.core.teach.suggest import next_to_label
from training.figures.calibrate import fit_threshold

HERE = LngLat(85.52, 27.63)


def examples(count=120, classes=4, width=40, apart=2.0, seed=0):
    """Embeddings around a place for each class, and the classes."""
    chance = np.random.default_rng(seed)
    middles = chance.normal(size=(classes, width)) * apart / math.sqrt(width) * 3
    ids = np.arange(count) % classes
    embedding = middles[ids] + chance.normal(size=(count, width)) + 5
    return embedding.astype(np.float32), ids


def gram_of(embedding):
    gram = Gram()
    finished(gram.renew(embedding, np.full(len(embedding), -1)))
    return gram


def nothing(classes, width):
    return Head(np.zeros((classes, width), np.float32), np.zeros(classes, np.float32))


@pytest.mark.parametrize("penalty", [PENALTY, 1.0])
def test_the_fit_is_that_of_scikit_learn(penalty):
    embedding, classes = examples()
    gram = gram_of(embedding)
    kernel = gram.kernel()
    fitted = finished(fit(kernel.products, np.zeros((120, 4)), classes, None, penalty, 1e-5))
    head = head_of(kernel, gram.embedding, fitted, nothing(4, 40), 1.0)
    features = np.hstack([(embedding - kernel.mean) / math.sqrt(kernel.spread), np.ones((120, 1))])
    model = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-10, max_iter=10_000)
    wanted = model.fit(features, classes).predict_proba(features)
    assert np.abs(softmax(head.logits(embedding).astype(float)) - wanted).max() < 1e-4


def test_the_fit_ends_in_the_same_place_wherever_it_begins():
    embedding, classes = examples()
    products = gram_of(embedding).kernel().products
    one = finished(fit(products, np.zeros((120, 4)), classes))
    begun = np.random.default_rng(1).normal(size=(120, 4))
    begun -= begun.mean(1, keepdims=True)
    other = finished(fit(products, np.zeros((120, 4)), classes, begun))
    said = [softmax(products @ each) for each in (one, other)]
    assert np.abs(said[0] - said[1]).max() < 0.01
    assert np.array_equal(one, finished(fit(products, np.zeros((120, 4)), classes)))


def test_without_examples_of_their_own_known_classes_stay_as_trained():
    """Far from the examples, the fit leaves the trained layer as it was."""
    embedding, classes = examples(classes=2)
    chance = np.random.default_rng(3)
    trained = Head(chance.normal(size=(3, 40)).astype(np.float32), np.zeros(3, np.float32))
    gram = gram_of(embedding)
    prior = prior_head(["Field", "terrace"], ["river", "field", "road"], trained, gram.embedding)
    assert np.array_equal(prior.weights[0], trained.weights[1])
    assert not prior.weights[1].any()
    head, _, _ = finished(learn(gram, prior, classes, np.arange(len(classes))))
    assert (head.logits(embedding).argmax(1) == classes).mean() > 0.9


def test_products_are_kept_as_examples_come_and_go():
    embedding, _ = examples()
    gram = gram_of(embedding[:100])
    order = np.array([*range(50, 120), 3])
    kept = np.where(order < 100, order, -1)
    finished(gram.renew(embedding[order], kept))
    rows = embedding[order].astype(float)
    assert np.allclose(gram.products, rows @ rows.T)


def test_squares_that_touch_are_one_place():
    def square(east_m, north_m):
        return Footprint(moved(HERE, east_m, north_m), 78.0)

    far = square(5000, 0)
    squares = [square(0, 0), square(160, 0), None, far, square(78, 0), None, square(100, 78)]
    assert places_of(squares).tolist() == [0, 0, 1, 2, 0, 3, 0]
    date_line = [Footprint(LngLat(lng, 0.0), 78.0) for lng in (179.9998, -179.9998)]
    assert places_of(date_line).tolist() == [0, 0]


def test_a_place_is_in_one_fold_and_classes_are_spread():
    chance = np.random.default_rng(0)
    places = chance.integers(0, 40, 200)
    places = np.unique(places, return_inverse=True)[1]
    classes = chance.integers(0, 4, 200)
    folds = finished(folds_of(places, classes))
    assert set(folds) == set(range(5))
    for place in range(places.max() + 1):
        assert len(set(folds[places == place])) == 1
    each = np.array([np.bincount(classes[folds == fold], minlength=4) for fold in range(5)])
    assert (each > 0).all()


def test_cross_validation_is_right_about_fresh_examples():
    """Over 20 draws, the accuracy on fresh examples lies in the interval at least 18 times."""
    inside = 0
    for seed in range(20):
        embedding, classes = examples(1060, 4, 40, 1.0, seed)
        some, fresh = slice(0, 60), slice(60, None)
        gram = gram_of(embedding[some])
        head, verdict, _ = finished(learn(gram, nothing(4, 40), classes[some], np.arange(60)))
        right = (head.logits(embedding[fresh]).argmax(1) == classes[fresh]).mean()
        inside += verdict.accuracy.low <= right <= verdict.accuracy.high
        assert verdict.confusion.sum() == 60
        assert 0.5 <= verdict.threshold <= 0.99
    assert inside >= 18


def test_examples_of_one_place_tell_less():
    """Copies of each example next to it neither raise the accuracy nor narrow the interval."""
    embedding, classes = examples(40, 4, 40, 1.0)
    zero = np.zeros((40, 4))
    products = gram_of(embedding).kernel().products
    fitted = finished(fit(products, zero, classes))
    alone = finished(judge(Lesson(products, zero, classes, np.arange(40)), fitted))
    four = np.repeat(np.arange(40), 4)
    products = gram_of(embedding[four]).kernel().products
    zero = np.zeros((160, 4))
    fitted = finished(fit(products, zero, classes[four]))
    copied = finished(judge(Lesson(products, zero, classes[four], four), fitted))
    assert copied.places == 40
    assert abs(copied.accuracy.share - alone.accuracy.share) < 0.1
    wide = [each.accuracy.high - each.accuracy.low for each in (alone, copied)]
    assert wide[1] > 0.85 * wide[0]


def test_too_few_examples_or_places_can_not_be_judged():
    embedding, classes = examples(9)
    products = gram_of(embedding).kernel().products
    zero = np.zeros((9, 4))
    assert finished(judge(Lesson(products, zero, classes, np.arange(9)), zero)) is None
    embedding, classes = examples(20)
    products = gram_of(embedding).kernel().products
    zero = np.zeros((20, 4))
    assert finished(judge(Lesson(products, zero, classes, np.zeros(20, int)), zero)) is None


def test_wilson_is_the_published_interval():
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20.
    for right, count, low, high in [
        (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)
    ]:  # fmt: skip
        found = wilson(right / count, count)
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_all_right_is_not_certain():
    found = accuracy_of(np.ones(12, bool), np.arange(12), 5)
    assert found.share == found.high == 1.0 and found.low < 0.7


def test_thresholds_are_those_of_training():
    chance = np.random.default_rng(0)
    for _ in range(20):
        logits = chance.normal(size=(80, 3)) * 2
        classes = chance.integers(0, 3, 80)
        logits[np.arange(80), classes] += 2
        probability = softmax(logits)
        ours = threshold_of(probability, classes)
        assert ours == min(fit_threshold(probability, classes, 0.9), 0.99)


def test_a_temperature_undoes_what_made_logits_too_sharp():
    chance = np.random.default_rng(0)
    logits = chance.normal(size=(4000, 3)) * 2
    chosen = (softmax(logits).cumsum(1) < chance.random((4000, 1))).sum(1)
    assert finished(temperature_of(3 * logits, chosen)) == pytest.approx(3.0, rel=0.1)


def test_the_curve_rises_and_tells_what_helps_most():
    embedding, classes = examples(80, 4, 40, 0.8)
    zero = np.zeros((80, 4))
    products = gram_of(embedding).kernel().products
    fitted = finished(fit(products, zero, classes))
    verdict = finished(judge(Lesson(products, zero, classes, np.arange(80)), fitted))
    curve = finished(learning_curve(Lesson(products, zero, classes, np.arange(80)), verdict))
    assert [each.examples for each in curve.points] == sorted(
        each.examples for each in curve.points
    )
    assert curve.points[0].accuracy < curve.points[-1].accuracy
    gains = curve.gains(verdict)
    assert gains and all(0 < each.gain < 1 for each in gains)
    assert [each.gain for each in gains] == sorted((each.gain for each in gains), reverse=True)


def test_a_part_holds_every_class():
    classes = np.array([0] * 30 + [1] * 3 + [2])
    some = part_of(np.arange(34), classes, 0.3, 5)
    assert np.bincount(classes[some]).tolist() == [9, 1, 1]
    assert np.array_equal(some, part_of(np.arange(34), classes, 0.3, 5))


def test_doubtful_examples_are_those_given_to_the_wrong_class():
    embedding, classes = examples(60, 3, 40, 4.0)
    wrong = classes.copy()
    wrong[7] = (wrong[7] + 1) % 3
    zero = np.zeros((60, 3))
    products = gram_of(embedding).kernel().products
    fitted = finished(fit(products, zero, wrong))
    verdict = finished(judge(Lesson(products, zero, wrong, np.arange(60)), fitted))
    assert verdict.doubtful(wrong, 3)[0] == 7


def test_next_are_uncertain_squares_far_from_each_other():
    chance = np.random.default_rng(0)
    middles = np.eye(5, 20) * 50
    kinds = np.arange(200) % 5
    embedding = (middles[kinds] + chance.normal(size=(200, 20))).astype(np.float32)
    probability = np.tile(np.array([0.5, 0.5], np.float32), (200, 1))
    probability[kinds == 4] = [1, 0]
    chosen = next_to_label(probability, embedding, embedding[kinds == 0][:3], 3)
    assert sorted(kinds[chosen]) == [1, 2, 3]

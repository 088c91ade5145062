"""Thresholds of levels, against counting by hand."""

import itertools
import math

import numpy as np
import pytest

from pyapp.core.model.tree import Levels, Tree
from training.figures import levels
from training.figures.calibrate import wilson
from training.figures.levels import ANY, HIGHEST, NEVER, Judged

LABELS = ("field", "wood", "house", "tower", "river")
TREE = Tree.from_json(
    LABELS, {"land": {"green": ["field", "wood"], "built": ["house", "tower"]}, "water": ["river"]}
)
WANTED = 0.8


def made(seed, count=400, sharp=4.0):
    """Chips whose probabilities are about as often right as they say, with uneven weights."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, len(LABELS), count)
    logits = random.normal(0, 1.5, (count, len(LABELS)))
    logits[np.arange(count), truth] += sharp * random.random(count)
    # The network takes fields for woods more often than for anything else.
    logits[truth == 0, 1] += 2
    probability = np.exp(logits)
    probability = (probability / probability.sum(1, keepdims=True)).astype(np.float32)
    right = np.array(
        [[TREE.is_inside(each, node.id) for node in TREE.nodes] for each in truth.tolist()]
    )
    return Judged(probability, right, random.choice([1.0, 2.0, 3.0], count))


def by_hand(chips, thresholds):
    """For each level the answers given: (right, weight) of each."""
    given = {"top": [], "group": [], "class": []}
    for row, right, weight in zip(chips.probability, chips.right, chips.weight, strict=True):
        summed = {node.id: row[list(node.classes)].sum() for node in TREE.nodes}
        ranks = [
            ("class", [0, 1, 2, 3, 4], thresholds[2]),
            ("group", [n.id for n in TREE.nodes if n.name in ("green", "built")], thresholds[1]),
            ("top", [n.id for n in TREE.nodes if n.name in ("land", "water")], thresholds[0]),
        ]
        for name, nodes, threshold in ranks:
            best = max(nodes, key=lambda each: summed[each])
            if summed[best] >= threshold:
                given[name].append((bool(right[best]), weight))
                break
    return given


def share_and_lower(answers):
    weight = np.array([each for _, each in answers])
    hit = sum(each for right, each in answers if right)
    effective = weight.sum() ** 2 / (weight**2).sum()
    return hit / weight.sum(), wilson(hit / weight.sum() * effective, effective)[0]


BITS = {"field": 5, "wood": 5, "house": 5, "tower": 5, "river": 5, "green": 2.5, "built": 2.5}
BITS |= {"land": 5 / 4, "water": 5}


def fit_by_hand(chips, candidates):
    """Try all thresholds with all others, and count the bits of what is kept."""
    best, chosen = 0.0, [NEVER] * 3
    for trial in itertools.product([*candidates, NEVER], repeat=3):
        given = by_hand(chips, trial)
        parts = [share_and_lower(each) for each in given.values() if each]
        kept = all(share >= WANTED and lower >= 2 * WANTED - 1 for share, lower in parts)
        everything = list(itertools.chain(*given.values()))
        if not (everything and kept and share_and_lower(everything)[1] >= WANTED):
            continue
        nodes = TREE.answers(chips.probability, Levels(*trial))
        right = chips.right[np.arange(len(nodes)), nodes] & (nodes >= 0)
        names = [TREE.nodes[each].name for each in nodes]
        bits = sum(
            weight * math.log2(BITS[name])
            for name, weight, good in zip(names, chips.weight, right, strict=True)
            if good
        )
        if bits > best + 1e-9:
            best, chosen = bits, list(trial)
    return best, [min(each, HIGHEST) for each in chosen]


@pytest.mark.parametrize("seed", range(3))
def test_the_fit_against_brute_force(seed, monkeypatch):
    monkeypatch.setattr(levels, "CANDIDATES", np.arange(50, 100, 12) / 100)
    chips = made(seed, 150, sharp=4.0 + seed)
    best, chosen = fit_by_hand(chips, levels.CANDIDATES)
    assert best > 0
    assert list(levels.fit(TREE, chips, WANTED)) == pytest.approx(chosen)


def test_the_promise_is_kept_at_every_level():
    chips = made(1, 2000, sharp=6.0)
    found = levels.judge(TREE, chips, levels.fit(TREE, chips, WANTED))
    assert found["class"].answers and found["top"].answers
    for figures in found.values():
        assert not figures.answers or figures.right >= WANTED


def test_judging_against_counting():
    chips, thresholds = made(2), Levels(0.6, 0.7, 0.8)
    found, given = levels.judge(TREE, chips, thresholds), by_hand(chips, thresholds)
    total = chips.weight.sum()
    for name, answers in given.items():
        assert found[name].answers == len(answers)
        assert found[name].share == pytest.approx(sum(each for _, each in answers) / total)
        assert found[name][2:] == pytest.approx(share_and_lower(answers))
    everything = list(itertools.chain(*given.values()))
    assert found[ANY][2:] == pytest.approx(share_and_lower(everything))


def test_no_candidate_keeps_the_promise():
    chips = made(3)
    wrong = Judged(chips.probability, np.zeros_like(chips.right), chips.weight)
    assert levels.fit(TREE, wrong, WANTED) == Levels(HIGHEST, HIGHEST, HIGHEST)


def test_a_bound_of_weighted_answers():
    right = np.array([True] * 9 + [False])
    equal = levels.share_right(right, np.full(10, 0.25))
    assert equal == pytest.approx((0.9, wilson(9, 10)[0]))
    # One answer that counts as much as a hundred says as little as two.
    assert levels.share_right(right, np.array([100.0] + [1.0] * 9))[1] < equal[1]


def test_labels_and_sources_count_the_same():
    weights = levels.equal_weights(np.array([0, 0, 0, 2]))
    assert weights.tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])
    together = levels.pooled([made(0, 10), made(1, 1000)])
    assert together.weight[:10].sum() == pytest.approx(together.weight[10:].sum())

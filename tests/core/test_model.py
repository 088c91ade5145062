import json

import numpy as np
import pytest

from pyapp.core.errors import CardError
from pyapp.core.model.card import MOST_CLASSES, Card
from pyapp.core.model.prediction import predictions

FACTS = {
    "title": "Three classes", "labels": ["river", "harbour", "runway"], "tile_size": 224,
    "footprint_m": 78.0288, "threshold": 0.7, "sha256": "00",
}  # fmt: skip


def card(**changes) -> Card:
    return Card.from_json("small", json.dumps(FACTS | changes))


def outputs(*rows):
    n = len(rows)
    return {
        "probability": np.array(rows, np.float32),
        "embedding": np.zeros((n, 5), np.float32),
        "activation": np.zeros((n, 3, 7, 7), np.float32),
    }


def test_a_card_knows_its_ground_resolution():
    assert card().resolution_m == pytest.approx(0.34834, abs=1e-5)


@pytest.mark.parametrize("fact", sorted(FACTS))
def test_a_card_that_lacks_a_fact_names_it(fact):
    facts = {key: value for key, value in FACTS.items() if key != fact}
    with pytest.raises(CardError, match=f"small.*it lacks {fact}"):
        Card.from_json("small", json.dumps(facts))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "null", json.dumps(FACTS | {"labels": []}), json.dumps(FACTS | {"labels": 3}),
     json.dumps(FACTS | {"labels": ["a", ""]}), json.dumps(FACTS | {"tile_size": 0}),
     json.dumps(FACTS | {"threshold": 2}), json.dumps(FACTS | {"sets": {"most": 1}}),
     json.dumps(FACTS | {"size_bytes": -1}), json.dumps(FACTS | {"footprint_m": "wide"}),
     json.dumps(FACTS | {"tile_size": 1e999}),
     json.dumps(FACTS | {"labels": [str(each) for each in range(MOST_CLASSES + 1)]})],
)  # fmt: skip
def test_a_card_that_cannot_be_used_is_refused(text):
    with pytest.raises(CardError, match="Export the model again"):
        Card.from_json("small", text)


def test_classes_are_ranked():
    (prediction,) = predictions(card(), outputs([0.1, 0.7, 0.2]))
    assert [ranked.label for ranked in prediction.ranked] == ["harbour", "runway", "river"]
    assert prediction.best.class_id == 1
    assert prediction.best.probability == pytest.approx(0.7)


def test_under_the_threshold_it_is_not_sure():
    sure, unsure = predictions(card(), outputs([0.75, 0.2, 0.05], [0.69, 0.3, 0.01]))
    assert sure.sure
    assert not unsure.sure


def test_a_label_set_holds_what_reaches_its_level():
    sets = {"0.9": 0.4, "0.99": 0.1}
    one, two = predictions(card(sets=sets), outputs([0.93, 0.06, 0.01], [0.6, 0.3, 0.1 - 1e-3]))
    assert [each.label for each in one.likely] == ["river"]
    assert [each.label for each in two.likely] == ["river", "harbour"]
    assert two.coverage == 0.99


def test_a_label_set_is_never_empty():
    (prediction,) = predictions(card(sets={"0.9": 0.8}), outputs([0.4, 0.35, 0.25]))
    assert [each.label for each in prediction.likely] == ["river"]


def test_a_card_without_label_sets_names_the_best_only():
    (prediction,) = predictions(card(), outputs([0.4, 0.35, 0.25]))
    assert len(prediction.likely) == 1
    assert prediction.coverage == 0
    assert prediction.familiar


def test_a_chip_whose_logits_are_all_small_is_not_familiar():
    given = outputs([0.9, 0.05, 0.05], [0.9, 0.05, 0.05])
    given["activation"][0, 2] = 3.0
    known, strange = predictions(card(familiar=2.5), given)
    assert known.familiar
    assert not strange.familiar


TREE = {
    "tree": {"water": ["river", "harbour"], "transport": ["runway"]},
    "levels": {"top": 0.9, "group": 0.8, "class": 0.7},
}


def test_the_answer_is_a_class_a_group_or_nothing():
    rows = [[0.8, 0.15, 0.05], [0.35, 0.6, 0.05], [0.5, 0.3, 0.2]]
    fine, coarse, unsure = predictions(card(**TREE), outputs(*rows))
    assert (fine.sure, fine.coarse, fine.path) == (True, False, ("water", "river"))
    assert fine.answer.id == fine.best.class_id == 0
    assert fine.answer_probability == pytest.approx(0.8)
    assert fine.inside == ()
    assert (coarse.sure, coarse.coarse, coarse.path) == (False, True, ("water",))
    assert coarse.answer_probability == pytest.approx(0.95)
    assert [each.label for each in coarse.inside] == ["harbour", "river"]
    assert coarse.inside[0] == coarse.best
    assert (unsure.sure, unsure.coarse, unsure.answer, unsure.path) == (False, False, None, ())
    assert (unsure.answer_probability, unsure.inside) == (0, ())


def test_label_sets_do_not_ask_for_the_tree():
    sets = {"0.99": 0.1}
    (plain,) = predictions(card(sets=sets), outputs([0.5, 0.3, 0.2]))
    (grouped,) = predictions(card(sets=sets, **TREE), outputs([0.5, 0.3, 0.2]))
    assert plain.likely == grouped.likely and plain.coverage == grouped.coverage


def test_a_card_without_familiarity_calls_nothing_unlike():
    assert card(familiar=2.5).judges_familiarity
    assert not card().judges_familiarity
    given = outputs([0.75, 0.2, 0.05])
    given["activation"] -= 1e6
    assert predictions(card(), given)[0].familiar


def test_a_card_says_whose_it_is_and_earlier_ones_say_nothing():
    facts = {"licence": "MIT", "training_data": "pictures", "use": "research", "size_bytes": 7}
    ours, earlier = card(**facts), card()
    assert {name: getattr(ours, name) for name in facts} == facts
    assert {name: getattr(earlier, name) for name in facts} == {
        "licence": "", "training_data": "", "use": "", "size_bytes": 0,
    }  # fmt: skip


def test_without_a_tree_the_answer_is_the_best_class_or_nothing():
    sure, unsure = predictions(card(), outputs([0.75, 0.2, 0.05], [0.69, 0.3, 0.01]))
    assert (sure.answer.name, sure.path, sure.coarse) == ("river", ("river",), False)
    assert sure.answer_probability == sure.best.probability
    assert (unsure.answer, unsure.coarse) == (None, False)


def test_equal_probabilities_keep_the_order_of_the_classes():
    (prediction,) = predictions(card(), outputs([1 / 3, 1 / 3, 1 / 3]))
    assert [ranked.class_id for ranked in prediction.ranked] == [0, 1, 2]

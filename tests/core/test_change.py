"""What changed between two surveys: what is said, what isn't, and how it is written."""

import csv
import dataclasses
import io
import json

import numpy as np
import pytest

from pyapp.core.change.change import (
    NOTHING_GIVEN,
    Change,
    Outcome,
    Transition,
    Verdict,
    begin,
    check_pair,
    judge,
)
from pyapp.core.change.check import ChangeCheck, Said, find, strata_of
from pyapp.core.change.check import begin as begin_check
from pyapp.core.change.errors import (
    NoLabelSetsError,
    NothingInCommonError,
    OtherGridError,
    OtherModelError,
    SameImageryError,
    UnfinishedError,
)
from pyapp.core.change.files import FORMAT, REASONS, to_csv, to_geojson
from pyapp.core.change.paint import CANT_TELL_RGBA, CELL_PX, paint
from pyapp.core.change.registration import shift_between
from pyapp.core.model.card import Card
from pyapp.core.model.prediction import predictions
from pyapp.core.model.tree import NOT_SURE
from pyapp.core.state import CellState
from pyapp.core.survey.batch import Batch
from pyapp.core.survey.colours import node_colours
from tests.core.surveys import NESTED, TREE, TREE_IDS, TREE_LABELS, survey_over

CARD = Card.from_json(
    "ours",
    json.dumps(
        {
            "title": "Ours", "labels": TREE_LABELS, "tile_size": 192, "footprint_m": 78.0,
            "threshold": 0.75, "sha256": "ab" * 32, "tree": NESTED,
            "sets": {"0.9": 0.4, "0.99": 0.1},
            "levels": {"top": 0.8, "group": 0.7, "class": 0.75},
        }
    ),
)  # fmt: skip
FIELD, FOREST, RIVER = (TREE_LABELS.index(each) for each in ("field", "forest", "river"))
DENSE, MEDIUM = (TREE_LABELS.index(each) for each in ("dense", "medium"))


def scores(*shares):
    """Probabilities, each share of which a class has; the rest is even."""
    given = dict(shares)
    others = [each for each in range(len(TREE_LABELS)) if each not in given]
    found = np.full(len(TREE_LABELS), (1 - sum(given.values())) / len(others))
    for class_id, share in given.items():
        found[class_id] = share
    return found


SURE_FIELD, SURE_RIVER = scores((FIELD, 0.97)), scores((RIVER, 0.97))
SURE_DENSE, SURE_HOUSES = scores((DENSE, 0.97)), scores((DENSE, 0.49), (MEDIUM, 0.48))
DOUBT = scores((FIELD, 0.3), (RIVER, 0.3))


def surveyed(rows, url="before", missing=()):
    """A survey whose cells have these probabilities, in turn."""
    survey = survey_over(**TREE)
    survey.imagery = dataclasses.replace(survey.imagery, url=url, name=url.title())
    survey.name = url.title()
    count = len(survey.grid)
    numbers = np.array([each for each in range(count) if each not in missing], np.int32)
    probability = np.array([rows[each % len(rows)] for each in numbers], np.float16)
    survey.add(
        Batch(
            numbers=numbers,
            state=np.full(len(numbers), CellState.CLASSIFIED, np.uint8),
            zoom=np.full(len(numbers), 18, np.uint8),
            probability=probability,
            embedding=np.empty((len(numbers), 0), np.float16),
            familiarity=np.zeros(len(numbers), np.float32),
            digest=np.zeros((len(numbers), 32), np.uint8),
        )
    )
    if missing:
        survey.add(Batch.without_imagery(missing, CellState.MISSING))
    return survey


def said(row):
    """What a model says of five footprints that look the same."""
    rows = [row] * 5
    count = len(TREE_LABELS)
    outputs = {
        "probability": np.array(rows, np.float32),
        "embedding": np.zeros((5, 4), np.float32),
        "activation": np.zeros((5, count, 2, 2), np.float32),
    }
    return predictions(CARD, outputs)


def test_most_squares_are_told_apart_by_the_surveys_alone():
    before = surveyed([SURE_FIELD, SURE_FIELD, SURE_DENSE, SURE_FIELD, SURE_HOUSES, SURE_FIELD])
    close = scores((RIVER, 0.78), (FIELD, 0.2))
    rows = [SURE_FIELD, SURE_RIVER, SURE_HOUSES, DOUBT, SURE_DENSE, close]
    after = surveyed(rows, "after", missing=(6,))
    change = begin(before, after, CARD)
    wanted = [Outcome.SAME, Outcome.TO_LOOK_AT, Outcome.SAME, Outcome.NOT_SURE, Outcome.SAME,
              Outcome.TOO_CLOSE, Outcome.NO_IMAGERY]  # fmt: skip
    assert [Outcome(each) for each in change.outcome[:7]] == wanted
    assert change.left[:2] == [1, 7]
    # One is inside the other: nothing says that anything changed.
    assert change.nodes[2].tolist() == [TREE_IDS["dense"], TREE_IDS["houses"]]
    assert change.nodes[1].tolist() == [NOT_SURE, NOT_SURE]


def test_a_square_has_changed_only_if_both_answers_are_steady():
    tree = CARD.tree
    assert judge(tree, said(SURE_FIELD), said(SURE_RIVER)) == Verdict(
        Outcome.CHANGED, TREE_IDS["field"], TREE_IDS["river"]
    )
    river, field, dense = said(SURE_RIVER), said(SURE_FIELD), said(SURE_DENSE)
    # An answer that another size contradicts.
    flips = [*field[:4], dense[0]]
    assert judge(tree, flips, river).outcome == Outcome.UNSTEADY
    siblings = [*dense[:4], said(scores((MEDIUM, 0.97)))[0]]
    assert judge(tree, siblings, river).outcome == Outcome.UNSTEADY
    # At the largest size a class fits both dates.
    close = [*river[:4], said(scores((RIVER, 0.78), (FIELD, 0.2)))[0]]
    assert judge(tree, field, close).outcome == Outcome.UNSTEADY
    # A coarser answer confirms, and no answer does not contradict; but three have to confirm.
    doubt, houses = said(DOUBT), said(SURE_HOUSES)
    assert judge(tree, [*dense[:3], houses[0], doubt[0]], river) == Verdict(
        Outcome.CHANGED, TREE_IDS["dense"], TREE_IDS["river"]
    )
    assert judge(tree, [*dense[:3], *doubt[:2]], river).outcome == Outcome.CHANGED
    assert judge(tree, [doubt[0], *dense[:2], *doubt[:2]], river).outcome == Outcome.UNSTEADY
    # That of the square itself has to be one of them.
    assert judge(tree, [*field[:2], doubt[0], *field[:2]], river).outcome == Outcome.UNSTEADY
    assert judge(tree, said(SURE_DENSE), said(SURE_HOUSES)).outcome == Outcome.UNSTEADY


def test_what_a_person_corrected_needs_no_footprint():
    tree, field = CARD.tree, TREE_IDS["field"]
    found = judge(tree, [], said(SURE_RIVER), {0: field})
    assert found == Verdict(Outcome.CHANGED, field, TREE_IDS["river"])
    both = judge(tree, [], [], {0: field, 1: TREE_IDS["water"]})
    assert both == Verdict(Outcome.CHANGED, field, TREE_IDS["water"])
    inside = judge(tree, [], [], {0: field, 1: TREE_IDS["open land"]})
    assert inside.outcome == Outcome.UNSTEADY
    before, after = surveyed([SURE_FIELD]), surveyed([SURE_FIELD], "after")
    after.correct(3, TREE_IDS["water"])
    change = begin(before, after, CARD)
    assert change.left == [3]
    assert NOTHING_GIVEN == {}


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda after: setattr(after, "grid", survey_over(step=2.0).grid), OtherGridError,
         "different squares"),
        (lambda after: setattr(after, "model", dataclasses.replace(after.model, sha256="cd" * 32)),
         OtherModelError, "one model"),
        (lambda after: setattr(after, "imagery", surveyed([SURE_FIELD]).imagery), SameImageryError,
         "nothing can have changed"),
        (lambda after: after.state.__setitem__(0, CellState.WAITING), UnfinishedError,
         "not finished"),
        (lambda after: after.state.__setitem__(slice(None), CellState.MISSING),
         NothingInCommonError, "covers the same ground"),
    ],
)  # fmt: skip
def test_surveys_that_cant_be_compared(spoil, error, words):
    before, after = surveyed([SURE_FIELD]), surveyed([SURE_RIVER], "after")
    spoil(after)
    with pytest.raises(error, match=words):
        begin(before, after, CARD)


def test_models_that_cant_compare():
    before, after = surveyed([SURE_FIELD]), surveyed([SURE_RIVER], "after")
    with pytest.raises(NoLabelSetsError, match="no label sets"):
        check_pair(before, after, dataclasses.replace(CARD, sets={}))
    with pytest.raises(OtherModelError):
        check_pair(before, after, dataclasses.replace(CARD, sha256="ef" * 32))


def compared() -> Change:
    """A comparison with some of everything."""
    before = surveyed([SURE_FIELD, SURE_FIELD, SURE_DENSE])
    after = surveyed([SURE_RIVER, SURE_FIELD, DOUBT], "after")
    change = begin(before, after, CARD)
    field, river, forest = (TREE_IDS[each] for each in ("field", "river", "forest"))
    for place, number in enumerate(change.left):
        if place % 3 == 0:
            change.take(number, Verdict(Outcome.UNSTEADY))
        else:
            one = field if place % 3 == 1 else forest
            change.take(number, Verdict(Outcome.CHANGED, one, river))
    return change


def test_transitions_add_up():
    change = compared()
    rows = change.transitions()
    assert sum(each.squares for each in rows) == len(change.changed()) > 0
    assert {each.before for each in rows} == {TREE_IDS["field"], TREE_IDS["forest"]}
    assert all(isinstance(each, Transition) for each in rows)
    assert sum(each.hectares for each in rows) == pytest.approx(change.count(Outcome.CHANGED)[1])
    first = rows[0]
    assert len(change.changed(first.before, first.after)) == first.squares
    counted = sum(change.count(each)[0] for each in Outcome)
    assert counted == len(change.before.grid)
    assert change.count(*Outcome)[0] == counted


def test_files_say_of_each_square_what_is_known():
    change = compared()
    rows = list(csv.DictReader(io.StringIO(to_csv(change))))
    assert len(rows) == len(change.before.grid)
    kinds = {(row["change"], row["reason"]) for row in rows}
    assert kinds == {
        ("changed", ""), ("same", ""), ("can't tell", REASONS[Outcome.UNSTEADY]),
        ("can't tell", REASONS[Outcome.NOT_SURE]),
    }  # fmt: skip
    changed = [row for row in rows if row["change"] == "changed"]
    assert {row["after"] for row in changed} == {"water > river"}
    facts = json.loads(to_geojson(change, (1.234, -2.0)))
    assert facts["lookdown"]["format"] == FORMAT
    assert facts["lookdown"]["corrected_shift_m"] == [1.23, -2.0]
    assert facts["lookdown"]["before"]["imagery"] == "Before"
    assert len(facts["features"]) == len(rows)
    ring = facts["features"][0]["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1] and len(ring) == 5


def test_the_picture_shows_both_colours():
    change = compared()
    picture = paint(change)
    grid = change.before.grid
    assert picture.shape == (grid.rows * CELL_PX, grid.columns * CELL_PX, 4)
    colours = node_colours(change.before.model.tree)
    number = change.changed()[0]
    row, column = divmod(int(grid.cells[number]), grid.columns)
    cell = picture[row * CELL_PX :, column * CELL_PX :][:CELL_PX, :CELL_PX]
    before, after = change.nodes[number]
    assert tuple(cell[0, 0]) == (*colours[before], 255)
    assert tuple(cell[-1, -1]) == (*colours[after], 255)
    number = int(np.flatnonzero(change.outcome == Outcome.UNSTEADY)[0])
    row, column = divmod(int(grid.cells[number]), grid.columns)
    assert tuple(picture[row * CELL_PX, column * CELL_PX]) == CANT_TELL_RGBA
    number = int(np.flatnonzero(change.outcome == Outcome.SAME)[0])
    row, column = divmod(int(grid.cells[number]), grid.columns)
    assert picture[row * CELL_PX, column * CELL_PX, 3] == 0


# How the pictures lie


def ground(seed, side=260):
    """A picture with contrast at every scale."""
    chance = np.random.default_rng(seed)
    pixels = np.full((side, side), 120.0)
    for scale in (2, 4, 10, 20):
        noise = chance.normal(0, 12, (side // scale + 1, side // scale + 1))
        pixels += noise.repeat(scale, 0).repeat(scale, 1)[:side, :side]
    return np.clip(pixels, 0, 255)


def chips(seed, right=0, down=0, gain=1.0, noise=0.0):
    """A chip, and the same ground moved to the right and down by so many pixels."""
    whole, start = ground(seed), 30
    later = whole * gain + np.random.default_rng(seed + 100).normal(0, noise, whole.shape)
    pair = [
        whole[start : start + 192, start : start + 192],
        later[start - down : start - down + 192, start - right : start - right + 192],
    ]
    before, after = (np.clip(np.stack([each] * 3, -1), 0, 255).astype(np.uint8) for each in pair)
    return before, after


@pytest.mark.parametrize(("right", "down"), [(0, 0), (3, -5), (-12, 7), (20, 20)])
def test_a_shift_is_found(right, down):
    pairs = [chips(seed, right, down, 0.8, 4.0) for seed in range(4)]
    found = shift_between(pairs)
    assert found.is_clear
    assert (found.right_px, found.down_px) == pytest.approx((right, down), abs=0.3)
    assert found.apart_px == pytest.approx(np.hypot(right, down), abs=0.4)


def test_one_square_that_changed_does_not_matter():
    pairs = [chips(seed, 4, 2, noise=3.0) for seed in range(5)]
    pairs[2] = pairs[2][0], chips(77)[0]
    found = shift_between(pairs)
    assert (found.right_px, found.down_px) == pytest.approx((4, 2), abs=0.3)


def test_pictures_of_other_ground_give_no_clear_shift():
    pairs = [(chips(seed)[0], chips(seed + 50)[0]) for seed in range(4)]
    assert not shift_between(pairs).is_clear
    flat = np.full((192, 192, 3), 90, np.uint8)
    assert not shift_between([(flat, flat)]).is_clear


# Checked


def test_the_strata_are_what_is_said():
    change = compared()
    pairs, strata = strata_of(change)
    assert pairs == [(each.before, each.after) for each in change.transitions()]
    sizes = np.bincount(strata[strata >= 0])
    assert sizes[: len(pairs)].tolist() == [each.squares for each in change.transitions()]
    assert sizes[len(pairs)] == change.count(Outcome.SAME)[0]
    check = begin_check(change, 60, seed=5)
    assert len(set(check.sample)) == len(check.sample) >= 60
    assert begin_check(change, 60, seed=5).sample == check.sample
    taken = np.bincount(strata[check.sample])
    assert all(count >= min(10, size) for count, size in zip(taken, sizes, strict=True))


def test_a_comparison_that_is_right_is_found_to_be():
    change = compared()
    check = begin_check(change, 80, seed=5)
    assert find(change, check) is None
    pairs, strata = strata_of(change)
    for cell in check.sample:
        called = strata[cell] < len(pairs)
        check.judgements[cell] = Said.AS_SAID if called else Said.NOT_CHANGED
    found = find(change, check)
    assert found.judged == len(check.sample) and found.unclear == 0
    assert found.called_right.value == 1.0 and found.called_right.low > 0.7
    changed_ha = change.count(Outcome.CHANGED)[1]
    assert found.changed.value == pytest.approx(changed_ha)
    assert found.changed.low <= changed_ha <= found.changed.high
    for transition in change.transitions():
        figure = found.transitions[transition.before, transition.after]
        assert figure.value == pytest.approx(transition.hectares)
        assert figure.low <= transition.hectares <= figure.high


def test_what_was_missed_and_what_was_called_wrongly_counts():
    change = compared()
    check = begin_check(change, 80, seed=5)
    pairs, strata = strata_of(change)
    for place, cell in enumerate(check.sample):
        called = strata[cell] < len(pairs)
        if place % 4 == 0:
            said = Said.NOT_CHANGED if called else Said.OTHERWISE
        else:
            said = Said.AS_SAID if called else Said.NOT_CHANGED
        check.judgements[cell] = said
    check.judgements[check.sample[0]] = Said.CANT_TELL
    found = find(change, check)
    assert found.unclear == 1
    assert 0.4 < found.called_right.value < 0.95
    assert found.changed.low < found.changed.value < found.changed.high
    assert check.take_back() is not None and len(check.left) == 1


def test_a_check_comes_back_only_to_its_own_comparison():
    change = compared()
    check = begin_check(change, 30, seed=5)
    check.judgements[check.sample[0]] = Said.OTHERWISE
    again = ChangeCheck.from_json(check.to_json(), change)
    assert again == check
    for wrong in ("", "[]", "{}", check.to_json().replace("check 1", "check 9"),
                  check.to_json().replace('"seed": 5', '"seed": -5'),
                  check.to_json().replace(str(check.sample[0]), "99999")):  # fmt: skip
        assert ChangeCheck.from_json(wrong, change) is None


def test_nothing_called_changed_can_be_checked_too():
    change = begin(surveyed([SURE_FIELD]), surveyed([SURE_FIELD], "after"), CARD)
    check = begin_check(change, 20, seed=1)
    for cell in check.sample:
        check.judgements[cell] = Said.NOT_CHANGED
    found = find(change, check)
    assert found.called_right is None and found.transitions == {}
    assert found.changed.value == 0 < found.changed.high

"""What a survey holds, how it is painted, corrected, searched."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pyapp.core.ground.area import Area, rectangle
from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.grid import plan
from pyapp.core.imagery.source import own_source
from pyapp.core.model.card import Card
from pyapp.core.model.heat import heat
from pyapp.core.state import CellState
from pyapp.core.survey.batch import Batch
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from pyapp.core.survey.paint import HIDDEN, NOTHING, UNSURE, Look, Painter, colour, smoothed
from pyapp.core.survey.refit import PRIOR, refit, softmax
from pyapp.core.survey.similar import REHEARSED, ranked, rehearse, similarity
from pyapp.core.survey.survey import Survey
from tests.core.surveys import batch_of, classified_survey, survey_over

BLANK, FAILED = CellState.BLANK, CellState.FAILED
MISSING, CLASSIFIED = CellState.MISSING, CellState.CLASSIFIED


def test_what_is_kept_of_a_batch_gives_the_same_survey():
    survey, again = survey_over(), survey_over()
    batch = batch_of(survey, range(0, 30, 2))
    survey.add(batch)
    again.add(Batch.from_bytes(batch.to_bytes()))
    for name in ("state", "probability", "embedding", "familiarity", "digest"):
        assert np.array_equal(getattr(survey, name), getattr(again, name))
    assert survey.count(CLASSIFIED) == 15
    assert len(survey.waiting) == len(survey.grid) - 15
    assert np.linalg.norm(survey.embedding[0]) == pytest.approx(1, abs=1e-4)


def test_batches_are_joined_with_those_that_saw_nothing():
    survey = survey_over()
    parts = [Batch.without_imagery([3, 4], MISSING), batch_of(survey, [5, 6])]
    joined = Batch.from_bytes(Batch.joined(parts).to_bytes())
    survey.add(joined)
    assert survey.state[3:7].tolist() == [
        MISSING,
        MISSING,
        CLASSIFIED,
        CLASSIFIED,
    ]
    nothing = Batch.joined([Batch.without_imagery([7], FAILED)] * 2)
    assert Batch.from_bytes(nothing.to_bytes()).state.tolist() == [
        FAILED,
        FAILED,
    ]


def test_a_survey_is_one_batch_as_well():
    survey, again = classified_survey(), survey_over()
    survey.add(Batch.without_imagery([3, 4], MISSING))
    again.add(Batch.from_bytes(survey.to_batch().to_bytes()))
    assert np.array_equal(survey.state, again.state)
    assert np.array_equal(
        survey.probability[survey.classified], again.probability[again.classified]
    )
    assert again.embedding[0] == pytest.approx(survey.embedding[0], abs=1e-3)
    survey.embedding = None
    again = survey_over()
    again.add(Batch.from_bytes(survey.to_batch().to_bytes()))
    assert again.embedding is None
    assert again.count(CLASSIFIED) == survey.count(CLASSIFIED)
    with pytest.raises(ValueError, match="digest of a batch is incomplete"):
        Batch.from_bytes(survey.to_batch().to_bytes() | {"digest": b"12345"})


def test_facts_come_back():
    survey = classified_survey()
    survey.corrections[3] = 2
    again = Survey.from_json(survey.to_json())
    assert (again.name, again.area, again.model, again.imagery, again.corrections) == (
        survey.name, survey.area, survey.model, survey.imagery, survey.corrections,
    )  # fmt: skip
    assert np.array_equal(again.grid.cells, survey.grid.cells)
    with pytest.raises((ValueError, KeyError, TypeError)):
        Survey.from_json(json.dumps({"id": "x"}))


def test_an_area_of_several_polygons_with_holes_comes_back():
    """And one without either is written as earlier versions read it."""
    survey = classified_survey()
    assert all(len(each) == 2 for each in json.loads(survey.to_json())["area"])
    west, south, east, north = survey.area.bounds
    hole = rectangle(LngLat(west + 0.004, north - 0.004), LngLat(west + 0.008, south + 0.002))
    other = rectangle(LngLat(east + 0.002, north), LngLat(east + 0.004, south))
    area = Area(survey.area.corners, (hole.corners,), (other.polygons[0],))
    grid = plan(area, survey.grid.side_m, 1.0)
    again = Survey.from_json(replace(survey, area=area, grid=grid, corrections={}).to_json())
    assert again.area == area and np.array_equal(again.grid.cells, grid.cells)
    damaged = json.loads(again.to_json()) | {"area": [[[[8, 46], [9, "x"]]]]}
    with pytest.raises((ValueError, TypeError)):
        Survey.from_json(json.dumps(damaged))


def test_facts_of_a_card_and_a_source_can_be_stored():
    card = {"title": "Small", "labels": ["a", "b"], "tile_size": 192, "footprint_m": 78.0,
            "threshold": 0.6, "sha256": "ab" * 32}  # fmt: skip
    model = ModelFacts.of(Card.from_json("small", json.dumps(card)))
    imagery = ImageryFacts.of(own_source("https://a.example/{z}/{x}/{y}", 19, "https://b.example"))
    assert (model.labels, model.threshold, model.chip_px) == (("a", "b"), 0.6, 192)
    assert (imagery.id, imagery.credit, imagery.max_zoom) == ("own", "a.example", 19)
    assert ModelFacts.from_stored(json.loads(json.dumps(model.to_stored()))) == model
    assert ImageryFacts.from_stored(json.loads(json.dumps(vars(imagery)))) == imagery


def test_failed_cells_can_wait_again():
    survey = classified_survey()
    survey.add(Batch.without_imagery([1, 2], FAILED))
    survey.add(Batch.without_imagery([3], BLANK))
    assert survey.look_again() == 2
    assert survey.waiting.tolist() == [1, 2]


def test_the_picture_has_a_pixel_a_cell_in_its_class_colour():
    survey = classified_survey(step=0.5)
    painter = Painter(survey)
    look = Look(threshold=0.0, hidden=set())
    picture, grid = painter.paint(look), survey.grid
    assert picture.shape == (grid.rows, grid.columns, 4)
    for number in (0, 5, len(grid) - 1):
        row, column = divmod(int(grid.cells[number]), grid.columns)
        best = int(survey.probability[number].argmax())
        assert tuple(picture[row, column]) == (*colour(best), 255)


def test_threshold_and_switched_off_classes_are_seen():
    survey = classified_survey()
    survey.add(Batch.without_imagery([0], MISSING))
    painter = Painter(survey)
    best, probability = painter.best(False)
    shown = painter.classes(Look(threshold=0.8, hidden={1}))
    assert shown[0] == NOTHING
    assert (shown[1:][probability[1:] < 0.8] == UNSURE).all()
    assert (shown[1:][(probability[1:] >= 0.8) & (best[1:] == 1)] == HIDDEN).all()
    legend = painter.legend(Look(threshold=0.8, hidden={1}))
    assert sum(cells for cells, _ in legend.values()) == len(survey.grid) - 1
    assert 1 in legend
    assert sum(ha for _, ha in legend.values()) == pytest.approx(survey.grid.hectares[1:].sum())


def test_smoothing_is_the_mean_of_the_neighbours_that_are_classified():
    survey = classified_survey()
    survey.add(Batch.without_imagery([0, 40], MISSING))
    means = smoothed(survey, survey.scores)
    laid = survey.grid.spread(survey.scores, 0)
    answered = survey.grid.spread(survey.classified, False)
    for number in (1, 20, 41, len(survey.grid) - 1):
        row, column = divmod(int(survey.grid.cells[number]), survey.grid.columns)
        total, count = laid[row, column].copy(), 1
        for y in range(max(row - 1, 0), row + 2):
            for x in range(max(column - 1, 0), column + 2):
                if y < survey.grid.rows and x < survey.grid.columns and answered[y, x]:
                    total, count = total + laid[y, x], count + 1
        assert means[number] == pytest.approx(total / count, abs=1e-5)
    assert not means[0].any()


def test_one_correction_recolours_those_alike_and_is_undone():
    survey = classified_survey()
    truth = survey.probability.argmax(1)
    before = survey.scores.copy()
    alike = np.flatnonzero(truth == 1)
    number = int(alike[0])
    survey.correct(number, 3)
    after = survey.scores
    assert after[number, 3] == 1
    turned = after.argmax(1) == 3
    assert turned[alike].mean() > 0.6
    assert (after.argmax(1) == truth)[truth != 1].mean() > 0.85
    assert after.sum(1) == pytest.approx(np.ones(len(after)), abs=1e-3)
    survey.correct(number, None)
    assert np.array_equal(survey.scores, before)


def test_the_fit_is_the_maximum_of_its_posterior():
    """Against the same problem solved by brute force in the space of the weights."""
    chance = np.random.default_rng(1)
    embedding = chance.normal(size=(40, 8)).astype(np.float32)
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    probability = softmax(chance.normal(size=(40, 3))).astype(np.float32)
    classified = np.ones(40, bool)
    corrections = {2: 0, 5: 1, 9: 1}
    allowed = {cell: (class_id,) for cell, class_id in corrections.items()}
    found = refit(embedding, probability, classified, allowed)
    mean = embedding.mean(0)
    features = (embedding - mean) * np.sqrt(PRIOR / (1 - mean @ mean))
    cells = list(corrections)
    wanted = np.eye(3)[[corrections[each] for each in cells]]
    weights = np.zeros((8, 3))
    for _ in range(20_000):
        guess = softmax(np.log(probability[cells]) + features[cells] @ weights)
        weights -= 0.01 * (features[cells].T @ (guess - wanted) + weights)
    wanted_all = softmax(np.log(probability) + features @ weights)
    others = [each for each in range(40) if each not in corrections]
    assert found[others] == pytest.approx(wanted_all[others], abs=0.01)


def partial_posterior(embedding, probability, allowed):
    """The maximum for partial labels by brute force, in the space of the weights."""
    mean = embedding.mean(0)
    features = (embedding - mean) * np.sqrt(PRIOR / (1 - mean @ mean))
    cells = list(allowed)
    mask = np.zeros((len(cells), probability.shape[1]))
    for row, cell in enumerate(cells):
        mask[row, list(allowed[cell])] = 1
    weights = np.zeros((embedding.shape[1], probability.shape[1]))
    for _ in range(20_000):
        guess = softmax(np.log(probability[cells]) + features[cells] @ weights)
        wanted = guess * mask / (guess * mask).sum(1, keepdims=True)
        weights -= 0.01 * (features[cells].T @ (guess - wanted) + weights)
    return softmax(np.log(probability) + features @ weights)


@pytest.mark.parametrize("seed", range(3))
def test_the_fit_to_groups_is_a_maximum_of_its_posterior_too(seed):
    chance = np.random.default_rng(seed)
    embedding = chance.normal(size=(40, 8)).astype(np.float32)
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    probability = softmax(chance.normal(size=(40, 5))).astype(np.float32)
    allowed = {2: (0, 3), 5: (1,), 9: (1, 2, 4), 20: (0, 1, 2, 3, 4)}
    found = refit(embedding, probability, np.ones(40, bool), allowed)
    wanted = partial_posterior(embedding, probability, allowed)
    others = [each for each in range(40) if each not in allowed]
    assert found[others] == pytest.approx(wanted[others], abs=0.005)
    for cell, classes in allowed.items():
        inside = wanted[cell, list(classes)]
        assert found[cell, list(classes)] == pytest.approx(inside / inside.sum(), abs=0.005)
        assert found[cell].sum() == pytest.approx(1)
        assert not np.delete(found[cell], list(classes)).any()


def test_no_small_step_makes_corrections_to_groups_more_probable():
    """The posterior is as high as around it, whichever way the weights go."""
    chance = np.random.default_rng(7)
    embedding = chance.normal(size=(30, 6))
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    probability = softmax(chance.normal(size=(30, 4)))
    allowed = {1: (0, 1), 4: (2, 3), 8: (3,)}
    single = embedding.astype(np.float32), probability.astype(np.float32)
    found = refit(*single, np.ones(30, bool), allowed)
    # The weights, from what they did to the cells that are not corrected.
    mean = embedding.mean(0)
    features = (embedding - mean) * np.sqrt(PRIOR / (1 - mean @ mean))
    others = [each for each in range(30) if each not in allowed]
    change = np.log(found[others]) - np.log(probability[others])
    change -= change.mean(1, keepdims=True)
    weights = np.linalg.lstsq(features[others], change, rcond=None)[0]

    def posterior(weights):
        after = softmax(np.log(probability) + features @ weights)
        fit = sum(np.log(after[cell, list(classes)].sum()) for cell, classes in allowed.items())
        return fit - (weights**2).sum() / 2

    best = posterior(weights)
    assert best > posterior(0 * weights) + 0.5
    for _ in range(200):
        assert posterior(weights + 0.05 * chance.normal(size=weights.shape)) < best + 1e-4


def test_the_most_alike_come_first():
    survey = classified_survey()
    likeness = similarity(survey.embedding, 3 * survey.embedding[7])
    best = ranked(likeness, 10)
    assert best[0] == 7
    assert likeness[7] == pytest.approx(1, abs=1e-4)
    assert list(likeness[best]) == sorted(likeness, reverse=True)[:10]
    assert len(ranked(likeness[:3], 10)) == 3


def test_a_heat_map_is_hottest_where_the_evidence_is():
    activation = np.zeros((2, 6, 6), np.float32)
    activation[1, 4, 1] = 7
    activation[0] = -1
    picture = heat(activation, 1)
    hot = np.unravel_index(picture[..., 3].argmax(), picture.shape[:2])
    assert hot[0] // 16 == 4 and hot[1] // 16 == 1
    assert picture[..., 3].max() > 200
    assert heat(activation, 0)[..., 3].max() == 0


def test_classes_beyond_the_palette_have_colours_of_their_own():
    assert len({colour(class_id) for class_id in range(60)}) == 60


def test_a_correction_of_a_cell_without_an_answer_changes_no_other():
    survey = classified_survey()
    survey.add(Batch.without_imagery([5], MISSING))
    before = survey.scores.copy()
    survey.correct(5, 2)
    assert np.array_equal(survey.scores, before)
    assert not smoothed(survey, survey.scores)[5].any()


def test_a_search_is_rehearsed_if_there_are_enough_cells():
    embedding = np.eye(4, dtype=np.float32)[np.zeros(REHEARSED, int)]
    assert rehearse(embedding, embedding[0])
    assert not rehearse(embedding[1:], embedding[0])
    assert len(ranked(np.empty(0, np.float32), 3)) == 0

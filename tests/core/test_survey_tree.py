"""Surveys whose answers are nodes of a tree: corrected, painted, counted, and as files."""

import copy
import csv
import io
import json

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.errors import NotASurveyError
from pyapp.core.model.nodes import Level
from pyapp.core.model.tree import NOT_SURE, Levels, Tree
from pyapp.core.state import CellState
from pyapp.core.survey.batch import Batch
from pyapp.core.survey.colours import HUES, colour, node_colours
from pyapp.core.survey.geojson import from_geojson, to_csv, to_geojson
from pyapp.core.survey.paint import HIDDEN, NOTHING, UNSURE, Look, Painter, smoothed
from pyapp.core.survey.rasters import NO_CLASS, to_geotiff, to_png
from pyapp.core.survey.survey import Survey
from tests.core.surveys import (
    NESTED,
    TREE,
    TREE_IDS,
    TREE_LABELS,
    batch_of,
    classified_survey,
    survey_over,
)
from tests.core.test_survey_damage import (
    SMALL,
    TREE_FILE,
    a_survey_with_a_tree,
    assert_usable,
    changed,
)

NODES = Tree.from_json(TREE_LABELS, NESTED)
HOUSES, RIVER, WATER = TREE_IDS["houses"], TREE_IDS["river"], TREE_IDS["water"]
LOOK = Look(0.75, set())


def of(survey):
    return survey.model.tree


def a_survey() -> Survey:
    """All cells classified but two; answers of all levels, some not sure, two corrected."""
    survey = classified_survey(**TREE)
    survey.add(Batch.without_imagery([4, 5], CellState.MISSING))
    survey.correct(9, HOUSES)
    survey.correct(11, RIVER)
    return survey


@pytest.fixture
def survey():
    return a_survey()


def test_a_survey_has_answers_of_all_levels(survey):
    answers = survey.answers()
    found = {of(survey).nodes[each].level for each in answers[answers != NOT_SURE].tolist()}
    assert found == set(Level)
    assert (answers[survey.classified] == NOT_SURE).any()
    assert (answers[[4, 5]] == NOT_SURE).all()
    free = survey.classified.copy()
    free[[9, 11]] = False
    wanted = of(survey).answers(survey.scores, survey.model.levels)
    assert np.array_equal(answers[free], wanted[free])


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_slider_never_makes_an_answer_finer_when_it_goes_up(one, other):
    survey = SLIDING
    low, high = survey.answers(min(one, other)), survey.answers(max(one, other))
    fineness = np.array([*(each.level for each in of(survey).nodes), -1])
    assert (fineness[high] <= fineness[low]).all()


SLIDING = a_survey()


def test_at_the_threshold_of_the_model_the_slider_changes_nothing(survey):
    assert np.array_equal(survey.answers(survey.model.threshold), survey.answers())
    free = survey.classified.copy()
    free[[9, 11]] = False
    assert (survey.answers(0.0)[free] == survey.scores.argmax(1)[free]).all()


def test_without_a_tree_answers_are_as_before():
    survey = classified_survey()
    survey.correct(9, 2)
    for threshold in (0.0, 0.6, 0.9):
        best = survey.scores.argmax(1)
        wanted = np.where(survey.scores.max(1) >= threshold, best, NOT_SURE)
        assert np.array_equal(survey.answers(threshold), wanted)


# Corrections


def test_a_cell_that_is_corrected_to_a_group_has_just_that_answer(survey):
    assert survey.answers()[9] == HOUSES
    assert survey.answers()[11] == RIVER
    inside = list(of(survey).nodes[HOUSES].classes)
    assert survey.scores[9, inside].sum() == pytest.approx(1)
    assert not np.delete(survey.scores[9], inside).any()
    for look in (LOOK, Look(0.0, set()), Look(1.0, set(), smooth=True)):
        assert Painter(survey).classes(look)[9] == HOUSES
    assert np.array_equal(smoothed(survey, survey.scores)[9], survey.scores[9])


def test_cells_alike_follow_a_correction_to_a_group():
    survey = classified_survey(**TREE)
    river = survey.probability.argmax(1) == RIVER
    before = survey.scores
    cells = np.flatnonzero(river)[:3].tolist()
    for cell in cells:
        survey.correct(cell, HOUSES)
    after = survey.scores
    inside = list(of(survey).nodes[HOUSES].classes)
    others = river.copy()
    others[cells] = False
    moved = after[:, inside].sum(1) - before[:, inside].sum(1)
    assert moved[others].mean() > 0.3
    assert abs(moved[~river].mean()) < 0.1
    for cell in cells:
        survey.correct(cell, None)
    assert np.array_equal(survey.scores, before)


def test_corrections_to_groups_come_back(survey):
    again = Survey.from_json(survey.to_json())
    assert again.corrections == {9: HOUSES, 11: RIVER}
    assert again.model == survey.model


def test_a_correction_to_no_node_changes_nothing(survey):
    before = survey.version
    for node_id in (len(of(survey).nodes), -1, NOT_SURE):
        with pytest.raises(ValueError, match="can't be corrected"):
            survey.correct(0, node_id)
    assert survey.version == before


def test_without_embeddings_only_the_corrected_cell_changes():
    survey = from_geojson(to_geojson(a_survey_with_a_tree()))
    assert survey.embedding is None
    before = survey.scores.copy()
    survey.correct(0, HOUSES)
    assert survey.answers()[0] == HOUSES
    assert survey.scores[0, list(of(survey).nodes[HOUSES].classes)].sum() == pytest.approx(1)
    assert np.array_equal(survey.scores[1:], before[1:])


# The picture


def test_the_picture_has_the_colour_of_each_node(survey):
    painter, grid, colours = Painter(survey), survey.grid, node_colours(of(survey))
    picture, shown = painter.paint(LOOK), painter.classes(LOOK)
    assert set(np.flatnonzero(shown >= 0)) == set(np.flatnonzero(survey.answers() >= 0))
    for number, node_id in enumerate(shown.tolist()):
        row, column = divmod(int(grid.cells[number]), grid.columns)
        if node_id >= 0:
            assert tuple(picture[row, column]) == (*colours[node_id], 255)
    assert shown[4] == NOTHING
    assert (shown[(survey.answers() == NOT_SURE) & survey.classified] == UNSURE).all()


def test_a_group_that_is_switched_off_hides_what_is_inside(survey):
    plain = Painter(survey).classes(LOOK)
    built = TREE_IDS["built-up"]
    shown = Painter(survey).classes(Look(0.75, {built, RIVER}))
    inside = np.array([each >= 0 and of(survey).is_inside(each, built) for each in plain.tolist()])
    assert (shown[inside] == HIDDEN).all() and inside.any()
    assert (shown[plain == RIVER] == HIDDEN).all()
    rest = ~inside & (plain != RIVER)
    assert np.array_equal(shown[rest], plain[rest])


def lightness(rgb):
    return (max(rgb) + min(rgb)) / 510


MANY = {
    f"top {top}": {
        f"group {top} {group}": [f"class {top} {group} {each}" for each in range(4)]
        for group in range(3)
    }
    for top in range(len(HUES) + 3)
}
MANY_LABELS = tuple(each for top in MANY.values() for group in top.values() for each in group)


def test_coarse_and_fine_can_be_distinguished_by_colour():
    for tree in (NODES, Tree.from_json(MANY_LABELS, MANY)):
        colours = np.array(node_colours(tree), int)
        groups = [lightness(colours[each.id]) for each in tree.groups]
        classes = [lightness(each) for each in colours[: len(tree.nodes) - len(tree.groups)]]
        assert min(groups) > max(classes) + 0.15
        for one in tree.nodes:
            for other in tree.nodes[: one.id]:
                apart = np.abs(colours[one.id] - colours[other.id]).sum()
                alike = tree.top_of(one.id) == tree.top_of(other.id)
                assert apart >= (20 if alike else 8), (one.name, other.name)


def test_without_a_tree_the_colours_are_those_of_the_classes():
    tree = Tree.flat(tuple(str(each) for each in range(40)))
    assert node_colours(tree) == tuple(colour(each) for each in range(40))


# The legend


def test_the_legend_counts_each_node_and_what_is_inside(survey):
    painter = Painter(survey)
    rows = painter.legend_rows(Look(0.75, {RIVER}))
    shown, hectares = painter.classes(LOOK), survey.grid.hectares
    places = [of(survey).order.index(each.node_id) for each in rows[:-1]]
    assert places == sorted(places)
    assert rows[-1].node_id == UNSURE
    own = painter.legend(LOOK)
    for each in rows:
        assert own.get(each.node_id, (0, 0.0)) == (each.cells, each.hectares)
        assert each.cells == (shown == each.node_id).sum()
        if each.node_id != UNSURE:
            inside = np.array(
                [node >= 0 and of(survey).is_inside(node, each.node_id) for node in shown.tolist()]
            )
            assert each.depth == of(survey).depth(each.node_id)
            assert each.all_cells == inside.sum() > 0
            assert each.all_hectares == pytest.approx(hectares[inside].sum())
    whole = [each for each in rows if each.depth == 0]
    assert sum(each.all_cells for each in whole) == survey.classified.sum()
    assert sum(each.all_hectares for each in whole) == pytest.approx(
        hectares[survey.classified].sum()
    )


def test_without_a_tree_the_rows_are_those_of_the_legend():
    survey = classified_survey()
    painter = Painter(survey)
    look = Look(0.8, set())
    rows = painter.legend_rows(look)
    assert {each.node_id: (each.cells, each.hectares) for each in rows} == painter.legend(look)
    assert all((each.cells, each.depth) == (each.all_cells, 0) for each in rows)


# Files


def test_geotiff_holds_nodes(survey, tmp_path):
    file = tmp_path / "survey.tif"
    file.write_bytes(to_geotiff(survey, LOOK))
    shown = Painter(survey).classes(LOOK)
    with rasterio.open(file) as raster:
        indices = raster.read(1).ravel()[survey.grid.cells]
        assert np.array_equal(indices, np.where(shown < 0, NO_CLASS, shown))
        assert raster.colormap(1)[HOUSES][:3] == node_colours(of(survey))[HOUSES]
        legend = raster.tags()["TIFFTAG_IMAGEDESCRIPTION"].splitlines()
    assert legend[2].startswith(f"{HOUSES} built-up > houses #")
    assert len(legend) == 1 + len(of(survey).nodes)


def test_properties_say_the_node_its_level_and_its_path(survey):
    features = json.loads(to_geojson(survey))["features"]
    lines = list(csv.DictReader(io.StringIO(to_csv(survey))))
    answers = survey.answers()
    for feature, line in zip(features, lines, strict=True):
        facts = feature["properties"]
        node_id = int(answers[facts["cell"]])
        assert len(facts["best"]) == (5 if facts["state"] == "classified" else 0)
        if node_id == NOT_SURE:
            assert [facts[name] for name in ("class", "class_name", "class_id", "score")] == (
                [None] * 4
            )
            assert (facts["level"], facts["path"]) == (None, [])
            assert [line[name] for name in ("class", "class_id", "score", "level", "path")] == (
                [""] * 5
            )
            continue
        node, path = of(survey).nodes[node_id], of(survey).path(node_id)
        assert (facts["class"], facts["class_id"]) == (node.name, node_id)
        assert facts["score"] == pytest.approx(
            survey.scores[facts["cell"], list(node.classes)].sum(), abs=1e-4
        )
        assert (facts["level"], facts["path"]) == (node.level.label, list(path))
        assert (line["class"], line["level"], line["path"]) == (
            node.name, node.level.label, " > ".join(path),
        )  # fmt: skip


def test_without_a_tree_the_best_class_is_written_even_if_it_is_not_sure():
    survey = classified_survey()
    features = json.loads(to_geojson(survey))["features"]
    for number, feature in enumerate(features):
        facts = feature["properties"]
        best = survey.model.labels[survey.scores[number].argmax()]
        assert (facts["class"], facts["level"], facts["path"]) == (best, "class", [best])


LEVELS = st.builds(Levels, *[st.floats(0.51, 0.99)] * 3)


@given(st.integers(0, 2**32), LEVELS)
def test_all_answers_come_back_from_geojson(seed, levels):
    survey = survey_over(**TREE | {"levels": levels})
    survey.add(batch_of(survey, range(0, len(survey.grid), 2), seed=seed))
    for cell, node_id in ((0, HOUSES), (2, RIVER), (4, WATER)):
        survey.correct(cell, node_id)
    again = from_geojson(to_geojson(survey))
    assert again.model == survey.model and again.corrections == survey.corrections
    assert np.array_equal(again.answers(), survey.answers())
    if seed % 4 == 0:
        assert_usable(again)


def test_what_a_file_says_of_the_best_classes_mostly_comes_back():
    survey = classified_survey(**TREE)
    again = from_geojson(to_geojson(survey))
    best = survey.probability.argmax(1)
    cells = np.arange(len(best))
    differ = np.abs(again.probability[cells, best] - survey.probability[cells, best])
    assert (differ < 1e-3).mean() > 0.95
    assert (again.probability.argmax(1) == best).all()


MODEL = ("lookdown", "survey", "model")


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ((*MODEL, "tree"), {"all": ["barn"]}, "lacks the class 'dense'"),
        ((*MODEL, "tree"), {"all": [*TREE_LABELS, "moon"]}, "'moon', which is none of its classes"),
        ((*MODEL, "tree"), "x", "not a mapping of groups"),
        ((*MODEL, "levels"), {"top": 0.5}, "its levels lack group"),
        ((*MODEL, "levels", "top"), 1.5, "the level top is 1.5"),
        (("lookdown", "survey", "corrections"), [[1, 14]], "14 is not between 0 and 13"),
        (("features", 2, "properties", "class"), "houses", "class 13 is water"),
        (("features", 2, "properties", "class_id"), 14, "14 is not between 0 and 13"),
        (("features", 2, "properties", "score"), 0.2, "water has a score of 0.2, under its"),
        (("features", 2, "properties", "score"), None, "None is not a number"),
    ],
)
def test_a_wrong_value_is_named(place, value, words):
    spoilt = changed(copy.deepcopy(TREE_FILE), place, lambda _: value)
    with pytest.raises(NotASurveyError, match=words):
        from_geojson(json.dumps(spoilt))


def test_levels_that_are_missing_are_refused():
    spoilt = copy.deepcopy(TREE_FILE)
    del spoilt["lookdown"]["survey"]["model"]["levels"]
    with pytest.raises(NotASurveyError, match="'levels' is missing"):
        from_geojson(json.dumps(spoilt))


def test_a_png_has_a_legend_of_nodes(survey):
    assert b"built-up > houses" in to_png(survey, LOOK, "valley")


def test_a_class_that_is_not_named_needs_a_tree():
    flat = json.loads(to_geojson(classified_survey(area=SMALL)))
    flat["features"][1]["properties"] |= {"class": None, "class_id": None}
    with pytest.raises(NotASurveyError, match="None is not a whole number"):
        from_geojson(json.dumps(flat))

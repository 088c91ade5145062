"""Surveys from elsewhere: one that is taken can be used, any other is refused as a whole."""

import base64
import copy
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.errors import AreaError, NotASurveyError
from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import LngLat
from pyapp.core.state import CellState
from pyapp.core.survey.batch import UNKNOWN_ZOOM, Batch
from pyapp.core.survey.facts import BUILT_IN, ImageryFacts
from pyapp.core.survey.geojson import from_geojson, to_csv, to_geojson
from pyapp.core.survey.paint import Look, Painter, smoothed
from pyapp.core.survey.rasters import to_geotiff, to_png
from pyapp.core.survey.survey import Survey
from tests.core.surveys import TREE, TREE_IDS, batch_of, classified_survey, survey_over

# Written by the version before cells had a zoom, when a classified cell was called "named".
FORMER = Path(__file__).parent / "data"
FORMER_CLASSES = [3, 2, 2, 1, 1]
SMALL = rectangle(LngLat(85.5141, 27.6320), LngLat(85.5165, 27.6306))


def a_survey() -> Survey:
    """Eight cells: six classified, one of them corrected, one without imagery, one waiting."""
    survey = survey_over(area=SMALL)
    survey.add(batch_of(survey, range(6)))
    survey.add(Batch.without_imagery([6], CellState.MISSING))
    survey.correct(2, 3)
    return survey


def a_survey_with_a_tree() -> Survey:
    """Seven of eight cells classified, one of them corrected to a group and one to a class."""
    survey = survey_over(area=SMALL, **TREE)
    survey.add(batch_of(survey, range(7), seed=3))
    survey.correct(2, TREE_IDS["water"])
    survey.correct(3, TREE_IDS["river"])
    return survey


FILE = json.loads(to_geojson(a_survey()))
TREE_FILE = json.loads(to_geojson(a_survey_with_a_tree()))
STORED = json.loads(a_survey().to_json())
TREE_STORED = json.loads(a_survey_with_a_tree().to_json())


def assert_usable(survey: Survey) -> None:
    """See that all that can be done with a survey can be done with this one."""

    def not_json(constant):
        raise AssertionError(f"{constant} is not JSON")

    json.loads(to_geojson(survey), parse_constant=not_json)
    again = from_geojson(to_geojson(survey))
    shown = survey.classified
    assert np.array_equal(again.state, survey.state)
    if survey.model.tree.is_flat:
        assert np.array_equal(again.scores.argmax(1)[shown], survey.scores.argmax(1)[shown])
    else:
        assert np.array_equal(again.answers(), survey.answers())
    for smooth in (False, True):
        look = Look(survey.model.threshold, {0}, smooth)
        painter = Painter(survey)
        assert painter.paint(look).any() or not shown.any()
        assert sum(cells for cells, _ in painter.legend(look).values()) == shown.sum()
        to_geotiff(survey, look)
        to_png(survey, look, "survey")
    to_csv(survey).encode()
    survey.add(batch_of(survey, survey.waiting))
    survey.correct(0, 1)
    survey.look_again()
    assert np.isfinite(smoothed(survey, survey.scores)).all()
    Survey.from_json(survey.to_json())


def paths(tree, at=()):
    """The path of each value in a JSON tree."""
    yield at
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from paths(value, (*at, key))


def changed(tree, path, change):
    """A tree in which the value at ``path`` is another one."""
    if not path:
        return change(tree)
    tree = copy.copy(tree)
    tree[path[0]] = changed(tree[path[0]], path[1:], change)
    return tree


STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(
        [10**400, -1, 0, 1, 99, 2**31, 255, 1e-300, 1e300, "", "x", "\ud800", "0" * 64]
    ),
    st.floats(),
    st.floats(0, 1),
    st.text(max_size=3),
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.sampled_from(["class", "score", "cell"]), st.integers(0, 3), max_size=2),
)


@st.composite
def damaged(draw, tree):
    """A tree with up to three values replaced, left out, doubled or swapped."""
    for _ in range(draw(st.integers(1, 3))):
        known = list(paths(tree))
        kind = draw(st.sampled_from(["replace", "replace", "copy", "drop", "double"]))
        path = draw(st.sampled_from(known))
        if kind == "replace":
            value = draw(STRANGE)
            tree = changed(tree, path, lambda _, value=value: value)
        elif kind == "copy":
            value = tree
            for key in draw(st.sampled_from(known)):
                value = value[key]
            tree = changed(tree, path, lambda _, value=value: copy.deepcopy(value))
        elif path and kind == "drop":
            tree = changed(tree, path[:-1], lambda each, key=path[-1]: without(each, key))
        elif path and isinstance(path[-1], int):
            tree = changed(tree, path[:-1], lambda each, key=path[-1]: [*each, each[key]])
    return tree


def without(tree, key):
    if isinstance(tree, dict):
        return {name: value for name, value in tree.items() if name != key}
    return [*tree[:key], *tree[key + 1 :]]


@pytest.mark.parametrize("file", [FILE, TREE_FILE], ids=["flat", "tree"])
@given(data=st.data())
def test_a_damaged_file_is_refused_or_can_be_used(file, data):
    facts = data.draw(damaged(file))
    try:
        survey = from_geojson(json.dumps(facts))
    except NotASurveyError:
        return
    assert_usable(survey)


@pytest.mark.parametrize("stored", [STORED, TREE_STORED], ids=["flat", "tree"])
@given(data=st.data())
def test_damaged_facts_are_refused_or_can_be_used(stored, data):
    facts = data.draw(damaged(stored))
    try:
        survey = Survey.from_json(json.dumps(facts))
    except (ValueError, KeyError, TypeError, AreaError):
        return
    survey.add(batch_of(survey, range(len(survey.grid))))
    assert_usable(survey)


@given(st.binary(max_size=200))
def test_any_bytes_are_no_survey(data):
    with pytest.raises(NotASurveyError):
        from_geojson(data.decode(errors="replace"))


def test_nested_without_end_is_no_survey():
    with pytest.raises(NotASurveyError):
        from_geojson("[" * 100_000)


def at(*path):
    """Changes the value at a path of the file."""
    return lambda value: changed(copy.deepcopy(FILE), path, lambda _: value)


FACTS = ("lookdown", "survey")
CELL = ("features", 1, "properties")


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ((*FACTS, "corrections"), [[1, 99]], "99 is not between 0 and 3"),
        ((*FACTS, "corrections"), [[99, 1]], "99 is not between 0 and 7"),
        ((*FACTS, "corrections"), [[1, True]], "True is not a whole number"),
        ((*FACTS, "corrections"), [[1.5, 1]], "1.5 is not a whole number"),
        ((*FACTS, "model", "threshold"), "x", "'x' is not a number"),
        ((*FACTS, "model", "threshold"), float("nan"), "nan is not between 0 and 1"),
        ((*FACTS, "model", "threshold"), 1.5, "1.5 is not between 0 and 1"),
        ((*FACTS, "model", "threshold"), True, "True is not a number"),
        ((*FACTS, "model", "chip_px"), 192.5, "not a whole number"),
        ((*FACTS, "model", "chip_px"), 0, "0 is not between 1"),
        ((*FACTS, "model", "title"), 3, "3 is not text"),
        ((*FACTS, "model", "title"), "\ud800", "surrogates not allowed"),
        ((*FACTS, "model", "labels"), ["field"], "1 classes"),
        ((*FACTS, "model", "labels"), ["field", "", "road", "town"], "without a name"),
        ((*FACTS, "model", "labels"), [str(each) for each in range(256)], "256 classes"),
        ((*FACTS, "imagery", "min_zoom"), -1, "-1 is not between 0 and 24"),
        ((*FACTS, "imagery", "max_zoom"), 3, "3 is not between 14 and 24"),
        ((*FACTS, "area"), [[0, 0], [0, 1], [1, 10**400]], "is not between -90 and 90"),
        ((*FACTS, "area"), [[0, 0], [0, 1], [float("inf"), 1]], "inf is not between"),
        ((*FACTS, "area"), [["85", 0], [0, 1], [1, 1]], "'85' is not a number"),
        ((*FACTS, "side_m"), float("nan"), "nan is not between"),
        ((*FACTS, "side_m"), 0, "0 is not between"),
        ((*FACTS, "step"), 1e-300, "is not between 0.001"),
        ((*CELL, "cell"), -1, "there is no cell -1"),
        ((*CELL, "cell"), 8, "there is no cell 8"),
        ((*CELL, "cell"), 2**40, "is not between"),
        ((*CELL, "cell"), 2, "the same cell twice"),
        ((*CELL, "cell"), "1", "'1' is not a whole number"),
        ((*CELL, "cell"), True, "True is not a whole number"),
        ((*CELL, "state"), "lost", "there is no state 'lost'"),
        ((*CELL, "score"), 1.01, "1.01 is not between 0.0001 and 1"),
        ((*CELL, "score"), float("inf"), "inf is not between 0.0001 and 1"),
        ((*CELL, "score"), None, "None is not a number"),
        ((*CELL, "best", 0, "score"), -0.1, "-0.1 is not between 0 and 1"),
        ((*CELL, "best", 0, "score"), float("nan"), "nan is not between 0 and 1"),
        ((*CELL, "best", 0, "class"), "moon", "not in tuple"),
        ((*CELL, "class"), "moon", "class . is "),
        ((*CELL, "class_id"), -1, "-1 is not between 0 and 3"),
        ((*CELL, "class_id"), 4, "4 is not between 0 and 3"),
        ((*CELL, "familiarity"), float("-inf"), "-inf is not between"),
        ((*CELL, "familiarity"), False, "False is not a number"),
        ((*CELL, "zoom"), 25, "25 is not between 0 and 24"),
        ((*CELL, "zoom"), True, "True is not a whole number"),
        ((*CELL, "chip_sha256"), "ab", "a chip_sha256 has 1 bytes"),
        ((*CELL, "chip_sha256"), "xy", "non-hexadecimal"),
        (CELL, {}, "'cell' is missing"),
        (FACTS, None, "it is damaged"),
        (("features",), 3, "it is damaged"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(place, value, words):
    with pytest.raises(NotASurveyError, match=words):
        from_geojson(json.dumps(at(*place)(value)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"licence": 3}, "3 is not text"),
        ({"use": None}, "None is not text"),
        ({"judges_familiarity": 0}, "0 is neither true nor false"),
    ],
)
def test_what_a_model_says_of_itself_is_checked(wrong, words):
    model = FILE["lookdown"]["survey"]["model"] | wrong
    with pytest.raises(NotASurveyError, match=words):
        from_geojson(json.dumps(at(*FACTS, "model")(model)))


def test_a_class_that_is_shown_with_a_score_of_nothing_is_refused():
    facts = at(*CELL, "best")([])
    facts["features"][1]["properties"]["score"] = 0
    with pytest.raises(NotASurveyError, match=r"0 is not between 0\.0001 and 1"):
        from_geojson(json.dumps(facts))


def test_a_class_leads_even_if_half_precision_rounds_its_score_to_that_of_another():
    facts = at(*CELL, "best")([
        {"class": "road", "score": 0.5001}, {"class": "field", "score": 0.5},
    ])  # fmt: skip
    facts["features"][1]["properties"] |= {"class": "road", "class_id": 2, "score": 0.5001}
    assert from_geojson(json.dumps(facts)).scores[1].argmax() == 2


def test_a_file_of_the_former_version_opens():
    survey = from_geojson((FORMER / "former-survey.geojson").read_text())
    assert survey.scores.argmax(1)[:5].tolist() == FORMER_CLASSES
    assert survey.state[5:].tolist() == [CellState.MISSING, CellState.BLURRED, CellState.WAITING]
    assert survey.corrections == {1: 2}
    assert (survey.zoom == UNKNOWN_ZOOM).all()
    assert_usable(survey)


def test_a_survey_of_the_former_built_in_imagery_is_one_of_todays():
    former = {"id": "sample", "name": "Banepa", "url": "imagery/sample/{z}/{x}/{y}.jpg",
              "min_zoom": 14, "max_zoom": 18, "credit": "OpenAerialMap"}  # fmt: skip
    facts = ImageryFacts.from_stored(former)
    assert facts.url == BUILT_IN == "imagery/sample/{z}/{x}/{y}.webp"
    assert (facts.min_zoom, facts.max_zoom, facts.name) == (18, 18, "Banepa")
    other = former | {"url": "https://a.org/imagery/sample/{z}/{x}/{y}.jpg"}
    assert vars(ImageryFacts.from_stored(other)) == other | {"date": ""}


def test_a_survey_stored_by_the_former_version_opens():
    stored = json.loads((FORMER / "former-stored.json").read_text())
    survey = Survey.from_json(stored.pop("json"))
    parts = {name: base64.b64decode(text) for name, text in stored.items()}
    assert "zoom" not in parts
    survey.add(Batch.from_bytes(parts))
    assert survey.scores.argmax(1)[:5].tolist() == FORMER_CLASSES
    assert survey.embedding is not None
    assert (survey.zoom == UNKNOWN_ZOOM).all()
    Survey.from_json(survey.to_json())
    assert_usable(from_geojson(to_geojson(survey)))


# Batches

UNFIT = {
    "other classes": lambda survey: batch_of(
        survey_over(area=SMALL, labels=("a", "b", "c")), range(5)
    ),
    "other embeddings": lambda survey: batch_of(survey, range(5), width=31),
    "a cell too many": lambda survey: batch_of(survey, [7, 8]),
    "a negative cell": lambda survey: batch_of(survey, [-1, 2]),
    "a strange state": lambda survey: with_parts(batch_of(survey, [0, 1]), state=[1, 7]),
    "fewer states": lambda survey: with_parts(batch_of(survey, [0, 1]), state=[1]),
    "fewer zooms": lambda survey: with_parts(batch_of(survey, [0, 1]), zoom=[18]),
    "one familiarity": lambda survey: with_parts(batch_of(survey, [0, 1]), familiarity=[1.0]),
    "short digests": lambda survey: with_parts(batch_of(survey, [0, 1]), digest=[[1], [2]]),
    "one digest": lambda survey: with_parts(batch_of(survey, [0, 1]), digest=[[1] * 32]),
    "flat embeddings": lambda survey: with_parts(batch_of(survey, [0, 1]), embedding=[1.0, 2.0]),
    "one probability": lambda survey: with_parts(
        batch_of(survey, [0, 1]), probability=[[0.25] * 4]
    ),
}


def with_parts(batch: Batch, **parts) -> Batch:
    facts = {name: np.asarray(value, getattr(batch, name).dtype) for name, value in parts.items()}
    return Batch(**{**vars(batch), **facts})


def contents(survey: Survey):
    names = ("state", "probability", "embedding", "zoom", "familiarity", "digest")
    return [getattr(survey, name).tobytes() for name in names] + [survey.version]


@pytest.mark.parametrize("unfit", UNFIT)
def test_a_batch_that_does_not_fit_changes_nothing(unfit):
    survey = a_survey()
    before = contents(survey)
    with pytest.raises(ValueError, match=r"\d|there is no"):
        survey.add(UNFIT[unfit](survey))
    assert contents(survey) == before


@given(st.data())
def test_damaged_records_are_refused_or_can_be_used(data):
    survey = survey_over(area=SMALL)
    stored = batch_of(survey, range(4), width=2).to_bytes()
    name = data.draw(st.sampled_from(sorted(stored)))
    part = bytearray(stored[name])
    if data.draw(st.booleans()):
        part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.integers(0, 255))
    else:
        part = part[: data.draw(st.integers(0, len(part)))] + data.draw(st.binary(max_size=8))
    try:
        survey.add(Batch.from_bytes(stored | {name: bytes(part)}))
    except ValueError:
        assert survey.version == 0
        assert not survey.classified.any()
        return
    Painter(survey).paint(Look(0.5, set(), smooth=True))
    survey.correct(0, 1)
    assert survey.scores.shape == (8, 4)


def test_a_correction_to_nothing_changes_nothing():
    survey = classified_survey(area=SMALL)
    before = contents(survey)
    for cell, class_id in ((0, 4), (0, -1), (8, 0), (-1, 0), (8, None)):
        with pytest.raises(ValueError, match="can't be corrected"):
            survey.correct(cell, class_id)
    assert contents(survey) == before and not survey.corrections

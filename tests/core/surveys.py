"""Surveys for tests: real grids, with what a network could have said of them."""

import numpy as np

from pyapp.core.ground.area import Area, rectangle
from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.grid import plan
from pyapp.core.model.tree import Levels, Tree
from pyapp.core.state import CellState
from pyapp.core.survey.batch import Batch
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from pyapp.core.survey.survey import Survey

SIDE_M = 78.0288
LABELS = ("field", "river", "road", "town")
LEVELS = Levels(0.6, 0.6, 0.6)
HERE = rectangle(LngLat(85.5141, 27.6385), LngLat(85.5293, 27.6282))


def survey_over(
    area: Area = HERE,
    step: float = 1.0,
    labels: tuple = LABELS,
    nested: dict | None = None,
    levels: Levels = LEVELS,
) -> Survey:
    """A survey with no cell classified yet."""
    tree = Tree.flat(labels) if nested is None else Tree.from_json(labels, nested)
    return Survey(
        id="s1",
        name="Valley",
        made="2026-11-24T12:00:00",
        area=area,
        grid=plan(area, SIDE_M, step),
        model=ModelFacts("ucmerced", "UC Merced", "ab" * 32, labels, 192, tree, levels),
        imagery=ImageryFacts(
            "sample", "Banepa", "{z}/{x}/{y}.jpg", 14, 18, "OpenAerialMap, CC BY 4.0"
        ),
    )


def batch_of(survey: Survey, numbers, seed: int = 0, width: int = 32) -> Batch:
    """Cells classified at random, each class around a place of its own among the embeddings."""
    chance = np.random.default_rng(seed)
    numbers = np.asarray(numbers, np.int32)
    classes = chance.integers(0, len(survey.model.labels), len(numbers))
    places = chance.normal(size=(len(survey.model.labels), width))
    embedding = places[classes] + 0.2 * chance.normal(size=(len(numbers), width)) + 1
    logits = chance.normal(size=(len(numbers), len(survey.model.labels)))
    logits[np.arange(len(numbers)), classes] += 3
    probability = np.exp(logits)
    probability /= probability.sum(1, keepdims=True)
    return Batch(
        numbers=numbers,
        state=np.full(len(numbers), CellState.CLASSIFIED, np.uint8),
        zoom=np.full(len(numbers), 18, np.uint8),
        probability=probability.astype(np.float16),
        embedding=embedding.astype(np.float16),
        familiarity=chance.normal(5, 1, len(numbers)).astype(np.float32),
        digest=chance.integers(0, 256, (len(numbers), 32)).astype(np.uint8),
    )


def classified_survey(**facts) -> Survey:
    """A survey with every cell classified."""
    survey = survey_over(**facts)
    survey.add(batch_of(survey, range(len(survey.grid))))
    return survey

"""A survey with the answers of a taught layer, from its embeddings; the network does not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pyapp.core.survey.facts import ModelFacts
from pyapp.core.survey.learned import cells_over
from pyapp.core.survey.refit import softmax
from pyapp.core.survey.survey import Survey
from pyapp.core.teach.carry import carried
from pyapp.core.teach.fit import Head
from pyapp.core.teach.steps import Steps
from pyapp.core.teach.taught import Taught

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Multiplications in one step: 10 ms in a browser, which needs 160 ms for 10,000 cells of 1,280
# features and 20 classes.
PRODUCTS = 16_000_000


def recoloured(taught: Taught, survey: Survey) -> Steps[Survey]:
    """A survey with the taught answers.

    It shares all but the answers with the survey that it is made of. A person's corrections hold
    in it too, as far as its classes can say them; see `carried`.

    Parameters
    ----------
    taught : Taught
    survey : Survey
        One that `Taught.can_show`.
    """
    card = taught.card
    seen = Survey(
        f"{survey.id}+{card.sha256[:16]}", survey.name, survey.made, survey.area, survey.grid,
        ModelFacts.of(card), survey.imagery,
    )  # fmt: skip
    for each in ("state", "zoom", "digest", "embedding", "length"):
        setattr(seen, each, getattr(survey, each))
    if taught.ground is not None:
        seen.learned = cells_over(survey.grid, taught.ground)
    seen.corrections = carried(survey.corrections, survey.model.tree, card.tree)
    assert survey.embedding is not None, "it has embeddings"
    head = taught.head if card.judges_familiarity else _against_last(taught.head)
    classified = np.flatnonzero(survey.classified)
    size = max(1, PRODUCTS // head.weights.size)
    for start in range(0, len(classified), size):
        some = classified[start : start + size]
        # In a browser, where numpy has no BLAS, this takes two thirds of the time of a product.
        logits = np.einsum("nd,cd->nc", survey.embedding[some], head.weights)
        logits *= survey.length[some, np.newaxis]
        logits += head.bias
        if card.judges_familiarity:
            seen.familiarity[some] = logits.max(1) * taught.temperature
        else:
            logits = np.concatenate([logits, np.zeros((len(some), 1), np.float32)], 1)
        seen.probability[some] = softmax(logits)
        yield
    return seen


def _against_last(head: Head) -> Head:
    """Logits less that of the last class, which is left out: the same probabilities."""
    weights: NDArray[np.float32] = head.weights[:-1] - head.weights[-1]
    return Head(weights, head.bias[:-1] - head.bias[-1])

"""Squares that could be labelled next, from a survey or from what was looked at in an area."""

from typing import NamedTuple

import numpy as np

from pyapp.core.ground.geo import Footprint, same_ground
from pyapp.core.survey.survey import Survey
from pyapp.core.teach.suggest import next_to_label
from pyapp.work.teach.probe import Probed
from pyapp.work.teach.teacher import Teacher

# How many more are chosen than wanted, as some may have been labelled already.
SPARE = 3


class Pool(NamedTuple):
    """Squares that are known by their embeddings.

    Attributes
    ----------
    footprints : list of Footprint
    embedding : ndarray of float32, shape (N, D)
    network : str
        Digest of the network.
    """

    footprints: list[Footprint]
    embedding: np.ndarray
    network: str


def pool_of(survey: Survey | None, probed: Probed | None, network: str) -> Pool | None:
    """The squares that there are to choose from: a survey's, else what was looked at."""
    if survey is not None and survey.embedding is not None and survey.model.network == network:
        numbers = np.flatnonzero(survey.classified)
        embedding = survey.embedding[numbers] * survey.length[numbers, np.newaxis]
        return Pool([survey.grid.footprint(int(each)) for each in numbers], embedding, network)
    if probed is not None and probed.network == network:
        return Pool(probed.footprints, probed.embedding, network)
    return None


def suggested(teacher: Teacher, pool: Pool, count: int) -> list[Footprint]:
    """Squares whose label would help most, the first to be labelled first.

    With nothing learned yet, squares that are spread out.
    """
    if not len(pool.footprints):
        return []
    taught = teacher.taught
    if taught is not None and taught.card.network == pool.network:
        logits = taught.head.logits(pool.embedding)
        powers = np.exp(logits - logits.max(1, keepdims=True))
        probability = powers / powers.sum(1, keepdims=True)
        labelled = teacher.embedding.astype(np.float32)
    else:
        probability = np.full((len(pool.footprints), 2), 0.5, np.float32)
        labelled = np.empty((0, pool.embedding.shape[1]), np.float32)
    chosen = next_to_label(probability, pool.embedding, labelled, SPARE * count)
    given = [each.place for each in teacher.project.examples if each.place is not None]
    squares = [pool.footprints[each] for each in chosen]
    return [each for each in squares if not any(same_ground(each, other) for other in given)][
        :count
    ]

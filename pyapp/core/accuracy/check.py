"""A survey that is being checked: the sample, what a person judged, and what follows from it."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pyapp.core.accuracy.errors import (
    AllLearnedError,
)
from pyapp.core.accuracy.sample import allocate, draw
from pyapp.core.errors import (
    DamagedCheckError,
    NothingToCheckError,
)
from pyapp.core.model.tree import NOT_SURE
from pyapp.core.survey.facts import as_number, as_text, as_whole
from pyapp.core.survey.survey import Survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = "lookdown check 1"
# What a person may say of a square besides a node of the model's tree.
CANT_TELL, OTHER = -1, -2
CANT_TELL_NAME, OTHER_NAME, NOT_SURE_NAME = "can't tell", "something else", "not sure"
# By what a survey is checked: the groups at the top of the model's tree, or its answers.
GROUPS, CLASSES = "groups", "classes"
PROPORTIONAL, NEYMAN = "proportional", "neyman"
NO_STRATUM = 255
MOST_SEED = 2**31 - 1


class Stratum(NamedTuple):
    """Squares with one answer when the sample was drawn.

    Attributes
    ----------
    node_id : int
        `NOT_SURE` for squares without an answer that the model vouches for.
    squares : int
    hectares : float
    """

    node_id: int
    squares: int
    hectares: float


@dataclass
class Check:
    """A stratified random sample of a survey's squares, and the judgements.

    Attributes
    ----------
    by : str
        `GROUPS` or `CLASSES`.
    seed : int
        Of the draw.
    allocation : str
        `PROPORTIONAL` or `NEYMAN`.
    strata : tuple of Stratum
    stratum_of : ndarray of uint8, shape (N,)
        Number of each cell's stratum; `NO_STRATUM` for cells without an answer.
    sample : list of int
        Cells, in the order of judging.
    judgements : dict of int to int
        What was said of a cell: a node, `CANT_TELL` or `OTHER`; in the order of judging.
    corrected : frozenset of int
        Cells that were corrected before the draw.
    learned : frozenset of int
        Cells in no stratum, as the model learned from their ground and can't be checked by them.
    """

    by: str
    seed: int
    allocation: str
    strata: tuple[Stratum, ...]
    stratum_of: NDArray[np.uint8]
    sample: list[int]
    judgements: dict[int, int] = field(default_factory=dict)
    corrected: frozenset[int] = frozenset()
    learned: frozenset[int] = frozenset()

    @property
    def left(self) -> list[int]:
        """Cells that are still to be judged."""
        return [each for each in self.sample if each not in self.judgements]

    def judge(self, cell: int, said: int) -> None:
        """Note what was said of a cell; said again, it becomes the last judgement."""
        self.judgements.pop(cell, None)
        self.judgements[cell] = said

    def take_back(self) -> int | None:
        """Forget the last judgement; its cell, or ``None`` if there is none."""
        return self.judgements.popitem()[0] if self.judgements else None

    def extend(self, counts: Sequence[int]) -> int:
        """Draw more squares.

        Parameters
        ----------
        counts : sequence of int
            How many of each stratum; if it has fewer left, all are taken.

        Returns
        -------
        int
            How many there were.
        """
        found = draw(self.stratum_of, counts, self.seed, self.sample)
        self.sample += found
        return len(found)

    def to_json(self, survey: Survey) -> str:
        """What `from_json` reads; the names are for people who read it elsewhere."""
        return json.dumps(
            {
                "format": FORMAT,
                "by": self.by,
                "seed": self.seed,
                "allocation": self.allocation,
                "strata": [
                    each._asdict() | {"name": name_of(survey, each.node_id)} for each in self.strata
                ],
                "cells": len(self.stratum_of),
                "stratum_of": base64.b64encode(zlib.compress(self.stratum_of.tobytes())).decode(),
                "sample": self.sample,
                "judgements": [
                    [cell, said, ground_name(survey, said)]
                    for cell, said in self.judgements.items()
                ],
                "corrected": sorted(self.corrected),
                "learned": sorted(self.learned),
            }
        )

    @classmethod
    def from_json(cls, text: str, survey: Survey) -> Check:
        """The check of a survey of which `to_json` gave the text.

        Raises
        ------
        DamagedCheckError
            If it is something else, or of another survey.
        """
        try:
            return cls._read(json.loads(text), survey)
        except KeyError as error:
            raise DamagedCheckError(f"{error} is missing") from error
        except (ValueError, TypeError, AttributeError, RecursionError, zlib.error) as error:
            raise DamagedCheckError(str(error)) from error

    @classmethod
    def _read(cls, facts: dict[str, Any], survey: Survey) -> Check:
        cells, nodes = len(survey.grid), len(survey.model.tree.nodes)
        if facts["format"] != FORMAT or facts["cells"] != cells:
            raise ValueError("they are of another survey")
        if facts["by"] not in (GROUPS, CLASSES):
            raise ValueError("nobody knows by what it is checked")
        strata = tuple(
            Stratum(
                as_whole(each["node_id"], NOT_SURE, nodes - 1),
                as_whole(each["squares"], 1, cells),
                as_number(each["hectares"], 0, 1e12),
            )
            for each in facts["strata"]
        )
        packed = base64.b64decode(as_text(facts["stratum_of"]), validate=True)
        # One more byte than wanted is enough to see that it is too long.
        unpacked = zlib.decompressobj().decompress(packed, cells + 1)
        stratum_of = np.frombuffer(unpacked, np.uint8).copy()
        sample = [as_whole(each, 0, cells - 1) for each in facts["sample"]]
        judgements = {
            as_whole(cell, 0, cells - 1): as_whole(said, OTHER, nodes - 1)
            for cell, said, _name in facts["judgements"]
        }
        sizes = np.bincount(stratum_of, minlength=NO_STRATUM)[: len(strata)].tolist()
        if len(stratum_of) != cells or sizes != [each.squares for each in strata]:
            raise ValueError("its strata are damaged")
        if len(set(sample)) != len(sample) or not judgements.keys() <= set(sample):
            raise ValueError("its sample is damaged")
        if (stratum_of[sample] >= len(strata)).any():
            raise ValueError("its sample is damaged")
        seed = as_whole(facts["seed"], 0, MOST_SEED)
        corrected, learned = (
            frozenset(as_whole(each, 0, cells - 1) for each in cells_of)
            # Earlier versions left none out.
            for cells_of in (facts["corrected"], facts.get("learned", []))
        )
        if (stratum_of[sorted(learned)] != NO_STRATUM).any():
            raise ValueError("its strata are damaged")
        return cls(facts["by"], seed, as_text(facts["allocation"]), strata, stratum_of, sample,
                   judgements, corrected, learned)  # fmt: skip


def begin(survey: Survey, by: str, total: int, seed: int, allocation: str = PROPORTIONAL) -> Check:
    """Draw a stratified random sample of a survey.

    Strata are what the survey answers. If a stratum has fewer squares than it should give, all of
    them are taken. Squares that the model learned from are in none: of them it knows the answer, so
    what is estimated is the rest of the map.

    Parameters
    ----------
    survey : Survey
    by : str
        `GROUPS` or `CLASSES`.
    total : int
        Squares to judge.
    seed : int
    allocation : str
        `PROPORTIONAL`, or `NEYMAN` by the model's own probabilities.

    Raises
    ------
    NothingToCheckError
        If no square has an answer.
    AllLearnedError
        If the model learned from all that have one.
    """
    answers = map_answers(survey, by)
    there = survey.classified.copy()
    learned = frozenset(each for each in survey.learned or () if there[each])
    there[list(learned)] = False
    if learned and not there.any():
        raise AllLearnedError
    nodes, sizes = np.unique(answers[there], return_counts=True)
    if not len(nodes):
        raise NothingToCheckError
    stratum_of = np.full(len(survey.grid), NO_STRATUM, np.uint8)
    stratum_of[there] = np.searchsorted(nodes, answers[there])
    hectares = np.bincount(stratum_of[there], survey.grid.hectares[there], len(nodes))
    strata = tuple(
        Stratum(int(node), int(size), float(ha))
        for node, size, ha in zip(nodes, sizes, hectares, strict=True)
    )
    spread = _spread(survey, answers, stratum_of, len(nodes)) if allocation == NEYMAN else None
    counts = allocate(sizes.tolist(), total, spread)
    sample = draw(stratum_of, counts, seed)
    corrected = frozenset(survey.corrections)
    return Check(
        by, seed, allocation, strata, stratum_of, sample, corrected=corrected, learned=learned
    )


def _spread(
    survey: Survey, answers: NDArray[np.int64], stratum_of: NDArray[np.uint8], count: int
) -> list[float]:
    """Standard deviation of "right or wrong" in each stratum, as the model's probabilities say."""
    shares = survey.model.tree.probabilities(survey.scores)
    sure = answers >= 0
    right = np.where(sure, shares[np.arange(len(answers)), np.maximum(answers, 0)], 0.5)
    means = [float(right[stratum_of == each].mean()) for each in range(count)]
    # What a model is sure of is wrong now and then, as a person finds who looks.
    return [float(np.sqrt(np.clip(each * (1 - each), 0.0475, 0.25))) for each in means]


def map_answers(survey: Survey, by: str) -> NDArray[np.int64]:
    """What the survey says of each cell, corrections included, shape (N,); see `Survey.answers`."""
    answers = survey.answers()
    if by == CLASSES:
        return answers
    tree = survey.model.tree
    # One more, which `NOT_SURE` indexes from the end.
    tops = np.array([*(tree.top_of(each.id) for each in tree.nodes), NOT_SURE])
    return np.asarray(tops[answers])


def grounds(survey: Survey, by: str) -> list[int]:
    """What a person can say that a square shows: nodes, in the order of the tree, and `OTHER`."""
    tree = survey.model.tree
    if by == GROUPS:
        return [*(each for each in tree.order if tree.depth(each) == 0), OTHER]
    return [*(each for each in tree.order if not tree.children(each)), OTHER]


def name_of(survey: Survey, node_id: int) -> str:
    """The name of a node of the map."""
    return NOT_SURE_NAME if node_id == NOT_SURE else survey.model.tree.nodes[node_id].name


def ground_name(survey: Survey, said: int) -> str:
    """The name of what a person said."""
    return {CANT_TELL: CANT_TELL_NAME, OTHER: OTHER_NAME}.get(said) or name_of(survey, said)

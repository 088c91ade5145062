"""What the judgements of a check say about its survey, and as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.accuracy.check import (
    CANT_TELL,
    NO_STRATUM,
    OTHER,
    Check,
    ground_name,
    grounds,
    map_answers,
    name_of,
)
from pyapp.core.accuracy.estimate import Estimate, Figure, Tally, estimating
from pyapp.core.model.tree import NOT_SURE
from pyapp.core.survey.survey import Survey
from pyapp.core.teach.steps import Steps, finished

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Findings:
    """What a check says so far.

    Attributes
    ----------
    answers : tuple of int
        Nodes that the map has: the rows of ``matrix``; `NOT_SURE` may be one.
    grounds : tuple of int
        What the ground may be: its columns.
    matrix : ndarray of int64, shape (I, K)
        Squares that were judged.
    map_ha : ndarray of float64, shape (I,)
        As the map says.
    estimate : Estimate or None
        ``None`` as long as no square was judged.
    judged, unclear, left : int
        Squares of which the person could tell, couldn't, and that are to be judged yet.
    corrections : int
        Corrections of the survey, which is checked as corrected.
    corrected_since : int
        Judged squares that were corrected after the draw: they flatter the map.
    learned : int
        Squares that were left out, as the model learned from their ground.
    learned_ha : float
        What they stand for, which is in no figure.
    unknown_examples : bool
        Whether there may be others, as nobody knows what ground the taught model learned from.
    """

    answers: tuple[int, ...]
    grounds: tuple[int, ...]
    matrix: NDArray[np.int64]
    map_ha: NDArray[np.float64]
    estimate: Estimate | None
    judged: int
    unclear: int
    left: int
    corrections: int
    corrected_since: int
    learned: int
    learned_ha: float
    unknown_examples: bool


def find(check: Check, survey: Survey) -> Findings:
    """Estimate what the judgements say about the survey as it is now, corrections included."""
    return finished(finding(check, survey, map_answers(survey, check.by)))


def finding(check: Check, survey: Survey, now: NDArray[np.int64]) -> Steps[Findings]:
    """What `find` does, in steps.

    Parameters
    ----------
    check : Check
    survey : Survey
    now : ndarray of int64, shape (N,)
        What `map_answers` gives.
    """
    inside = check.stratum_of != NO_STRATUM
    answers = _in_order(survey, {*now[inside].tolist()})
    said = {each for each in check.judgements.values() if each != CANT_TELL}
    # Only what is in the map or was found: of the rest, nothing is known but that it is rare.
    in_the_map = {*answers} & {*grounds(survey, check.by)}
    known = [*_in_order(survey, (said | in_the_map) - {OTHER}), *({OTHER} & said)]
    tree = survey.model.tree
    right = np.array(
        [
            [i >= 0 and k >= 0 and tree.is_inside(k, i) for k in known]
            for i in answers
        ],
        bool,
    ).reshape(len(answers), len(known))  # fmt: skip
    counts = np.zeros((len(check.strata), len(answers), len(known)), np.int64)
    unclear = np.zeros(len(check.strata), np.int64)
    for cell, each in check.judgements.items():
        stratum = int(check.stratum_of[cell])
        if each == CANT_TELL:
            unclear[stratum] += 1
        else:
            counts[stratum, answers.index(int(now[cell])), known.index(each)] += 1
    tally = Tally(
        squares=np.array([each.squares for each in check.strata]),
        hectares=np.array([each.hectares for each in check.strata]),
        counts=counts, unclear=unclear, right=right,
    )  # fmt: skip
    hectares = survey.grid.hectares
    result = yield from estimating(tally)
    return Findings(
        answers=tuple(answers),
        grounds=tuple(known),
        matrix=counts.sum(0),
        map_ha=np.array([hectares[inside & (now == each)].sum() for each in answers]),
        estimate=result,
        judged=int(counts.sum()),
        unclear=int(unclear.sum()),
        left=len(check.left),
        corrections=len(survey.corrections),
        corrected_since=len(
            (survey.corrections.keys() - check.corrected) & check.judgements.keys()
        ),
        learned=len(check.learned),
        learned_ha=float(hectares[sorted(check.learned)].sum()),
        unknown_examples=survey.unknown_examples,
    )


def _in_order(survey: Survey, nodes: Iterable[int]) -> list[int]:
    """Nodes as a list of contents has them; `NOT_SURE` comes last."""
    found = set(nodes)
    return [each for each in (*survey.model.tree.order, NOT_SURE) if each in found]


def to_csv(check: Check, survey: Survey) -> str:
    """The sample as a table (CSV): what each square is, what the map says, what was judged."""
    now = map_answers(survey, check.by)
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["cell", "lng", "lat", "side_m", "stratum", "map", "judged", "hectares"])
    for cell in check.sample:
        centre = survey.grid.centre(cell)
        said = check.judgements.get(cell)
        table.writerow(
            [cell, centre.lng, centre.lat, survey.grid.side_m,
             name_of(survey, check.strata[int(check.stratum_of[cell])].node_id),
             name_of(survey, int(now[cell])), "" if said is None else ground_name(survey, said),
             round(float(survey.grid.hectares[cell]), 6)]
        )  # fmt: skip
    return out.getvalue()


def to_json(check: Check, survey: Survey) -> str:
    """The sample, the judgements and the figures as JSON."""
    found = find(check, survey)
    return json.dumps(
        {
            "survey": {"id": survey.id, "name": survey.name, "made": survey.made},
            "model_sha256": survey.model.sha256,
            "imagery": vars(survey.imagery),
            "check": json.loads(check.to_json(survey)),
            "figures": figures(found, survey),
        },
        indent=1,
    )


def figures(found: Findings, survey: Survey) -> dict[str, Any] | None:
    """All figures, for a file; ``None`` as long as nothing is judged."""
    result = found.estimate
    if result is None:
        return None
    map_ha = dict(zip(found.answers, found.map_ha.tolist(), strict=True))
    return {
        "explained": "Olofsson et al., RSE 148, 2014; low and high: 95 % interval by the method "
        "named; standard_error: of the stratified estimator; areas in hectares",
        "overall": _said(result.overall),
        "overall_if_unclear_are_wrong": result.if_wrong,
        "overall_if_unclear_are_right": result.if_right,
        "unclear_share": result.unclear,
        "not_judged_ha": result.left_out_ha,
        "corrections": found.corrections,
        "judged_squares_corrected_since": found.corrected_since,
        "learned_squares_left_out": found.learned,
        "learned_left_out_ha": found.learned_ha,
        "learned_squares_unknown": found.unknown_examples,
        "users": {
            name_of(survey, node): _said(each)
            for node, each in zip(found.answers, result.users, strict=True)
        },
        "producers": {
            ground_name(survey, node): _said(each)
            for node, each in zip(found.grounds, result.producers, strict=True)
        },
        "areas_ha": {
            ground_name(survey, node): _said(area)
            | {"map": map_ha.get(node, 0.0), "squares_to_halve": sum(more or ())}
            for node, area, more in zip(found.grounds, result.areas, result.more, strict=True)
        },
        "matrix": {
            name_of(survey, node): {
                ground_name(survey, ground): int(count)
                for ground, count in zip(found.grounds, row, strict=True)
            }
            for node, row in zip(found.answers, found.matrix, strict=True)
        },
    }


def _said(figure: Figure | None) -> dict[str, Any]:
    return {} if figure is None else figure._asdict()

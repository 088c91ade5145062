"""What a report says, gathered; and as JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pyapp.core.accuracy.check import Check, ground_name
from pyapp.core.accuracy.findings import Findings, figures
from pyapp.core.accuracy.sample import shuffled
from pyapp.core.model.tree import NOT_SURE, PATH_SIGN
from pyapp.core.state import CellState
from pyapp.core.survey.paint import UNSURE, LegendRow, Look, Painter
from pyapp.core.survey.survey import Survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = "lookdown report 1"
# Squares that are shown, drawn at random.
SHOWN = 12
NOT_SURE_SAID = "not sure"
COUNTED_ONLY = (
    "Nobody has checked these answers, so hectares are counts of answers, not areas of the ground."
)


class Square(NamedTuple):
    """A square that a report shows.

    Attributes
    ----------
    cell : int
    answer : str
        Its path in the model's tree.
    probability : float
        Of the answer; of the best class if there is none.
    doubt : str
        What speaks against trusting it; empty if nothing does.
    judged : str
        What a person said of it; empty if nobody was asked.
    """

    cell: int
    answer: str
    probability: float
    doubt: str
    judged: str


@dataclass(frozen=True)
class Contents:
    """What a report says.

    Attributes
    ----------
    survey : Survey
    rows : list of LegendRow
        Of the survey at the model's own thresholds.
    squares : list of Square
    check : Check or None
    findings : Findings or None
        ``None`` without a check; its estimate may be too.
    made : str
        When, in ISO 8601.
    version : str
        Of Lookdown.
    """

    survey: Survey
    rows: list[LegendRow]
    squares: list[Square]
    check: Check | None
    findings: Findings | None
    made: str
    version: str

    @property
    def is_checked(self) -> bool:
        """Whether there are areas with intervals."""
        return self.findings is not None and self.findings.estimate is not None

    @property
    def evidence_sha256(self) -> str:
        """SHA-256 of the number and the chip's SHA-256 of each classified square, in order.

        Of each square 4 bytes, the least significant first, then 32.
        """
        digest = hashlib.sha256()
        for cell in np.flatnonzero(self.survey.classified).tolist():
            digest.update(int(cell).to_bytes(4, "little"))
            digest.update(self.survey.digest[cell].tobytes())
        return digest.hexdigest()


def gather(
    survey: Survey, check: Check | None, findings: Findings | None, made: str, version: str
) -> Contents:
    """Gather what a report of a survey says.

    Parameters
    ----------
    survey : Survey
        With its corrections.
    check : Check or None
    findings : Findings or None
        Of that check.
    made, version : str
        See `Contents`.
    """
    look = Look(survey.model.threshold, set())
    rows = Painter(survey).legend_rows(look)
    return Contents(survey, rows, squares_of(survey, check), check, findings, made, version)


def squares_of(survey: Survey, check: Check | None) -> list[Square]:
    """Squares to show, drawn at random: those of the check that were judged, or any."""
    judged = check is not None and [each for each in check.sample if each in check.judgements]
    cells = judged or shuffled(np.flatnonzero(survey.classified), 0)
    answers, scores = survey.answers(), survey.scores
    return [
        _square(survey, check, cell, int(answers[cell]), scores[cell]) for cell in cells[:SHOWN]
    ]


def _square(
    survey: Survey, check: Check | None, cell: int, node_id: int, scores: NDArray[np.float32]
) -> Square:
    tree, labels = survey.model.tree, survey.model.labels
    best = int(scores.argmax())
    doubts = []
    if node_id == NOT_SURE:
        answer, probability = NOT_SURE_SAID, float(scores[best])
    else:
        answer = PATH_SIGN.join(tree.path(node_id))
        probability = float(scores[list(tree.nodes[node_id].classes)].sum())
    if cell in survey.corrections:
        doubts.append("corrected by a person")
    elif best != node_id:
        doubts.append(f"best class {labels[best]} ({float(scores[best]):.0%})")
    said = None if check is None else check.judgements.get(cell)
    judged = "" if said is None else ground_name(survey, said)
    return Square(cell, answer, min(probability, 1.0), ", ".join(doubts), judged)


def to_json(contents: Contents) -> str:
    """The report for machines: the same facts and figures, without pictures."""
    survey = contents.survey
    facts = json.loads(survey.to_json())
    tree = survey.model.tree
    counts = {state.label: survey.count(state) for state in CellState if survey.count(state)}
    rows = [
        {
            "class": NOT_SURE_SAID if row.node_id == UNSURE else tree.nodes[row.node_id].name,
            "path": [] if row.node_id == UNSURE else list(tree.path(row.node_id)),
            "squares": row.all_cells,
            "hectares": round(row.all_hectares, 4),
            "squares_no_finer": row.cells,
        }
        for row in contents.rows
    ]
    found = contents.findings
    report: dict[str, Any] = {
        "format": FORMAT,
        "made": contents.made,
        "lookdown": contents.version,
        "survey": {key: value for key, value in facts.items() if key != "corrections"},
        "squares": counts,
        "corrected_squares": len(survey.corrections),
        "counted": rows,
        "counted_explained": "by answers, each with what is inside it" if contents.is_checked
        else COUNTED_ONLY,
        "figures": None if found is None else figures(found, survey),
        "check": None if contents.check is None else json.loads(contents.check.to_json(survey)),
        "shown": [
            each._asdict() | {"lng": place.lng, "lat": place.lat}
            for each in contents.squares
            for place in [survey.grid.centre(each.cell)]
        ],
        "evidence_sha256": contents.evidence_sha256,
        "evidence_explained": "SHA-256 over the classified squares in order: number (4 bytes, "
        "little endian), then SHA-256 of the chip's RGB bytes, row by row",
    }  # fmt: skip
    return json.dumps(report, indent=1)

"""``lookdown replay``: whether a saved survey can be had again, square by square."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pyapp.core.errors import ForbiddenSurveyError, NotASurveyError
from pyapp.core.imagery.source import Source
from pyapp.core.model.tree import NOT_SURE
from pyapp.core.state import LABELS, CellState
from pyapp.core.survey.geojson import from_geojson, written_answers
from pyapp.core.survey.survey import Survey
from pyapp.native.disk import read_whole, write_whole
from pyapp.native.errors import (
    DIFFERENT,
    DONE,
    OtherModelError,
    UnknownImageryError,
)
from pyapp.native.setup import Native
from pyapp.work.surveyor import Surveyor

# What can come out for a square, the best first.
SAME = "same chip, same answer"
OTHER_ANSWER = "same chip, other answer"
OTHER_CHIP_SAME = "other chip, same answer"
OTHER_CHIP = "other chip, other answer"
SAME_CHIP = "same chip; its answer follows from corrections"
OTHER_CHIP_ONLY = "other chip; its answer follows from corrections"
OTHER_STATE = "other state"
NOT_AGAIN = "imagery not there now"


@dataclass(frozen=True)
class Replayed:
    """What came out for one square.

    Attributes
    ----------
    cell : int
    outcome : str
    before, now : str
        The answers, or the states.
    """

    cell: int
    outcome: str
    before: str
    now: str


def read_survey(path: Path) -> Survey:
    """A survey that was saved as GeoJSON.

    Raises
    ------
    NoSuchFileError, NotASurveyError
    """
    try:
        text = read_whole(path).decode()
    except UnicodeDecodeError as error:
        raise NotASurveyError("it is not text") from error
    return from_geojson(text)


def source_of(survey: Survey, sources: list[Source], named: Source | None) -> Source:
    """The imagery to survey again.

    Raises
    ------
    UnknownImageryError
        As `imagery_of` does.
    ForbiddenSurveyError
    """
    source = imagery_of(survey, sources, named)
    if not source.allows.bulk:
        raise ForbiddenSurveyError(source.name, [])
    return source


def imagery_of(survey: Survey, sources: list[Source], named: Source | None) -> Source:
    """The imagery of a survey, with the zooms that it noted.

    Raises
    ------
    UnknownImageryError
        If it was imagery that only the person has, and none is named.
    """
    facts = survey.imagery
    source = named or next((each for each in sources if each.url == facts.url), None)
    if source is None and facts.url.startswith(("https://", "http://")):
        source = Source(
            facts.id, facts.name, facts.url, facts.min_zoom, facts.max_zoom, "", facts.credit, None
        )
    if source is None:
        raise UnknownImageryError(facts.name, [each.id for each in sources if each.allows.read])
    return replace(source, min_zoom=facts.min_zoom, max_zoom=facts.max_zoom)


async def replay(
    native: Native, before: Survey, source: Source, out: Path | None
) -> tuple[int, list[str]]:
    """Cut and classify each square again, and compare.

    Returns
    -------
    status : int
        `DONE` if every square came out as it was, as far as that can be compared.
    lines : list of str

    Raises
    ------
    OtherModelError
        If the survey's model is not here.
    InferenceError, NotWrittenError
    """
    if native.models.find(before.model.name) is None:
        raise OtherModelError(before.model.name, before.model.sha256)
    await native.use(before.model.name)
    runner = native.models.runner
    assert runner is not None, "a model is loaded"
    if runner.card.sha256 != before.model.sha256:
        raise OtherModelError(before.model.name, before.model.sha256)
    now = Survey.from_json(before.to_json())
    now.corrections.clear()
    surveyor = Surveyor(now, runner, source, native.ground, native.clock, lambda *_: None)
    await surveyor.run()
    found = list(compared(before, now))
    if out is not None:
        write_whole(out, _table(found).encode())
    counts = Counter(each.outcome for each in found)
    lines = [f"{count:>8,} squares  {outcome}" for outcome, count in counts.most_common()]
    return (DONE if set(counts) <= {SAME, SAME_CHIP} else DIFFERENT), lines


def compared(before: Survey, now: Survey) -> Iterator[Replayed]:
    """Each square that was looked at, as it was and as it is now.

    Of a survey with corrections only the chips are compared: every answer in its file may follow
    from them.
    """
    corrected = bool(before.corrections)
    answers = [written_answers(each) for each in (before, now)]
    same_chip = (before.digest == now.digest).all(1)
    same_zoom = (before.zoom == now.zoom) | (before.zoom == 0)
    for cell in np.flatnonzero(before.state != CellState.WAITING).tolist():
        states = [CellState(int(each.state[cell])) for each in (before, now)]
        if states[0] == states[1] == CellState.CLASSIFIED:
            names = [_name(now, int(each[cell])) for each in answers]
            same = None if corrected else names[0] == names[1]
            outcome = _outcome(bool(same_chip[cell]), same)
            if not same_zoom[cell]:
                outcome += ", other zoom"
            yield Replayed(cell, outcome, *names)
        elif states[0] == states[1] or states[0] == CellState.LEFT_OUT:
            yield Replayed(cell, SAME, *[LABELS[each] for each in states])
        else:
            gone = states[0] == CellState.CLASSIFIED
            outcome = NOT_AGAIN if gone else OTHER_STATE
            yield Replayed(cell, outcome, *[LABELS[each] for each in states])


def _outcome(same_chip: bool, same_answer: bool | None) -> str:
    if same_answer is None:
        return SAME_CHIP if same_chip else OTHER_CHIP_ONLY
    if same_chip:
        return SAME if same_answer else OTHER_ANSWER
    return OTHER_CHIP_SAME if same_answer else OTHER_CHIP


def _name(survey: Survey, node_id: int) -> str:
    return "not sure" if node_id == NOT_SURE else survey.model.tree.nodes[node_id].name


def _table(found: list[Replayed]) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["cell", "outcome", "before", "now"])
    table.writerows([each.cell, each.outcome, each.before, each.now] for each in found)
    return out.getvalue()

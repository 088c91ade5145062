"""Surveys as GeoJSON (RFC 7946), and back; and as a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.errors import AreaError, NotASurveyError
from pyapp.core.ground.geo import Bounds
from pyapp.core.ground.grid import MOST_CELLS
from pyapp.core.imagery.source import FINEST_ZOOM
from pyapp.core.model.tree import NOT_SURE, PATH_SIGN
from pyapp.core.state import CellState
from pyapp.core.survey.batch import DIGEST_BYTES, UNKNOWN_ZOOM, Batch
from pyapp.core.survey.facts import ModelFacts, as_number, as_whole
from pyapp.core.survey.restore import restored
from pyapp.core.survey.survey import Survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = "lookdown survey 1"
BEST = 5
DIGITS = 7  # of a degree: a centimetre
MOST_FAMILIAR = 1e30  # a logit; single precision holds it
# What is written about a cell without an answer.
NO_ANSWER: dict[str, Any] = {
    "class": None,
    "class_id": None,
    "score": None,
    "level": None,
    "path": [],
    "corrected": False,
    "familiarity": None,
    "best": [],
    "zoom": None,
    "chip_sha256": None,
}


def to_geojson(survey: Survey) -> str:
    """One feature per processed cell.

    A feature's ``class`` and ``score`` are those of the answer, after corrections; ``best`` is
    what the model said. With a tree, the answer may be a group, as ``level`` and ``path`` tell, or
    null if the model is not sure; without one, it is the best class, sure or not. ``familiarity``
    is null if the model's card doesn't say from where a chip is familiar. The collection's
    ``lookdown`` member holds what `from_geojson` needs.
    """
    lines = [
        '{"type": "FeatureCollection",',
        f'"lookdown": {json.dumps(survey_facts(survey))},',
        '"features": [',
    ]
    features = (json.dumps(_feature(survey, row)) for row in _rows(survey))
    return "\n".join([*lines, ",\n".join(features), "]}\n"])


def to_csv(survey: Survey) -> str:
    """A table (CSV) with one line per processed cell, its middle, and its outline as WKT."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    best = [f"{name}_{place}" for place in range(1, BEST + 1) for name in ("class", "score")]
    table.writerow(["cell", "lng", "lat", "side_m", "state", "class_id", "class", "score",
                    "level", "path", "corrected", *best, "chip_sha256", "model", "model_sha256",
                    "model_licence", "imagery", "imagery_date", "credit", "wkt"])  # fmt: skip
    for row in _rows(survey):
        pairs = [value for each in row["best"] for value in (each["class"], each["score"])]
        pairs += [""] * (2 * BEST - len(pairs))
        rings = ", ".join(
            "((" + ", ".join(f"{lng} {lat}" for lng, lat in ring) + "))" for ring in row["rings"]
        )
        centre = row["footprint"]["centre"]
        table.writerow(
            [row["cell"], *centre, survey.grid.side_m, row["state"],
             _or_empty(row["class_id"]), _or_empty(row["class"]), _or_empty(row["score"]),
             row["level"] or "", PATH_SIGN.join(row["path"]), int(row["corrected"]),
             *pairs, row["chip_sha256"] or "", survey.model.name, survey.model.sha256,
             survey.model.licence, survey.imagery.name, survey.imagery.date, survey.imagery.credit,
             f"MULTIPOLYGON ({rings})"]
        )  # fmt: skip
    return out.getvalue()


def _or_empty(value: str | float | None) -> str | float:
    return "" if value is None else value


def survey_facts(survey: Survey) -> dict[str, Any]:
    """What `from_geojson` needs besides the features."""
    check = {"check": json.loads(survey.check)} if survey.check else {}
    return check | {
        "format": FORMAT,
        "survey": json.loads(survey.to_json()),
        "explained": "class and score: after corrections; level and path: where the class or "
        "group is in the model's tree; best: as the model said; "
        "chip_sha256: of the chip's RGB bytes, row by row",
    }


def written_answers(survey: Survey) -> NDArray[np.int64]:
    """The answer for each cell as files have it, shape (N,); see `Survey.answers`.

    Without a tree, the best class is written even if it is under the threshold.
    """
    if survey.model.tree.is_flat:
        return np.asarray(survey.scores.argmax(1))
    return survey.answers()


def _rows(survey: Survey) -> Iterator[dict[str, Any]]:
    """What is written about each processed cell."""
    scores = survey.scores
    answers = written_answers(survey)
    for number in np.flatnonzero(survey.state != CellState.WAITING).tolist():
        state = CellState(int(survey.state[number]))
        centre = survey.grid.centre(number)
        answer = {}
        if state == CellState.CLASSIFIED:
            answer = _said(survey, number) | _answer(survey, scores[number], int(answers[number]))
        yield {
            "cell": number,
            "state": state.label,
            **NO_ANSWER,
            **answer,
            "corrected": number in survey.corrections,
            "footprint": {
                # With all digits: the chip can be cut again, byte for byte.
                "centre": [centre.lng, centre.lat],
                "side_m": survey.grid.side_m,
            },
            "rings": [ring(part) for part in within_the_world(survey.grid.bounds_of(number))],
        }


def _answer(survey: Survey, scores: NDArray[np.float32], node_id: int) -> dict[str, Any]:
    """What is written about the answer for a cell; nothing if it is not sure."""
    if node_id == NOT_SURE:
        return {}
    tree = survey.model.tree
    node = tree.nodes[node_id]
    return {
        "class": node.name,
        "class_id": node_id,
        "score": round(min(float(scores[list(node.classes)].sum()), 1), 4),
        "level": node.level.label,
        "path": list(tree.path(node_id)),
    }


def _said(survey: Survey, number: int) -> dict[str, Any]:
    """What is written about what the model said of a cell."""
    labels, probability = survey.model.labels, survey.probability[number]
    return {
        "familiarity": round(float(survey.familiarity[number]), 3)
        if survey.model.judges_familiarity
        else None,
        "best": [
            {"class": labels[each], "score": round(float(probability[each]), 4)}
            for each in np.argsort(-probability, kind="stable")[:BEST]
        ],
        "zoom": int(survey.zoom[number]) or None,
        "chip_sha256": survey.digest[number].tobytes().hex(),
    }


def _feature(survey: Survey, row: dict[str, Any]) -> dict[str, Any]:
    rings = row.pop("rings")
    one = len(rings) == 1
    return {
        "type": "Feature",
        "id": row["cell"],
        "geometry": {
            "type": "Polygon" if one else "MultiPolygon",
            "coordinates": rings if one else [[each] for each in rings],
        },
        "properties": row
        | {
            "class_name": row["class"],
            "model_sha256": survey.model.sha256,
            "imagery": survey.imagery.name,
            "imagery_date": survey.imagery.date or None,
            "credit": survey.imagery.credit,
        },
    }


def ring(bounds: Bounds) -> list[list[float]]:
    """The outline of a rectangle, counter-clockwise and closed, as RFC 7946 (3.1.6) requires.

    >>> ring(Bounds(8.0, 46.0, 9.0, 47.0))
    [[8.0, 46.0], [9.0, 46.0], [9.0, 47.0], [8.0, 47.0], [8.0, 46.0]]
    """
    west, south, east, north = (round(each, DIGITS) for each in bounds)
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def within_the_world(bounds: Bounds) -> list[Bounds]:
    """A rectangle with longitudes from -180 to 180, cut in two at the date line (3.1.9).

    >>> within_the_world(Bounds(179.0, 10.0, 182.0, 11.0))[1]
    Bounds(west=-180.0, south=10.0, east=-178.0, north=11.0)
    """
    west, south, east, north = bounds
    turns = 360 * ((west + 180) // 360)
    west, east = west - turns, east - turns
    if east <= 180:
        return [Bounds(west, south, east, north)]
    return [Bounds(west, south, 180.0, north), Bounds(-180.0, south, east - 360, north)]


def box_within_the_world(bounds: Bounds) -> Bounds:
    """A rectangle with longitudes from -180 to 180; over the date line, west is east of east (5.2).

    >>> box_within_the_world(Bounds(179.0, 10.0, 182.0, 11.0))
    Bounds(west=179.0, south=10.0, east=-178.0, north=11.0)
    """
    parts = within_the_world(bounds)
    return Bounds(parts[0].west, bounds.south, parts[-1].east, bounds.north)


def from_geojson(text: str) -> Survey:
    """The survey that `to_geojson` of this version or an earlier one wrote.

    Of the network's answers only the five best are known, and no embeddings; see `restored`.

    Raises
    ------
    NotASurveyError
        If it is something else, or any part of it is damaged.
    """
    try:
        facts = json.loads(text)
        if facts.get("lookdown", {}).get("format") != FORMAT:
            raise NotASurveyError("it lacks Lookdown's mark")
        survey = Survey.from_json(json.dumps(facts["lookdown"]["survey"]))
        survey.add(_batch(survey, [feature["properties"] for feature in facts["features"]]))
        check = facts["lookdown"].get("check")
        survey.check = "" if check is None else json.dumps(check)
    except KeyError as error:
        raise NotASurveyError(f"it is damaged: {error} is missing") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NotASurveyError(f"it is damaged: {error}") from error
    except AreaError as error:
        raise NotASurveyError("its area is damaged") from error
    return survey


def _batch(survey: Survey, rows: list[dict[str, Any]]) -> Batch:
    """What a file says about the cells."""
    numbers = [as_whole(row["cell"], -MOST_CELLS, MOST_CELLS) for row in rows]
    if len(set(numbers)) != len(numbers):
        raise ValueError("it has the same cell twice")
    states = [CellState.from_label(row["state"]) for row in rows]
    answers = [
        row for row, state in zip(rows, states, strict=True) if state == CellState.CLASSIFIED
    ]
    digests = b"".join(_digest(row["chip_sha256"]) for row in answers)
    return Batch(
        numbers=np.array(numbers, np.int32),
        state=np.array(states, np.uint8),
        zoom=np.array([_zoom(row.get("zoom")) for row in answers], np.uint8),
        probability=restored(survey.model, answers),
        embedding=np.empty((len(answers), 0), np.float16),
        familiarity=np.array(
            [_familiarity(row["familiarity"], survey.model) for row in answers], np.float32
        ),
        digest=np.frombuffer(digests, np.uint8).reshape(len(answers), DIGEST_BYTES),
    )


def _digest(text: str) -> bytes:
    digest = bytes.fromhex(text)
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"a chip_sha256 has {len(digest)} bytes")
    return digest


def _familiarity(value: object, model: ModelFacts) -> float:
    """How familiar a chip is; nothing is written of a model that can't judge that."""
    if value is None and not model.judges_familiarity:
        return 0.0
    return as_number(value, -MOST_FAMILIAR, MOST_FAMILIAR)


def _zoom(value: object) -> int:
    """The zoom of a cell's tiles, which earlier versions did not write."""
    return UNKNOWN_ZOOM if value is None else as_whole(value, 0, FINEST_ZOOM)

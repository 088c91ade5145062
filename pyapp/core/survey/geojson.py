"""Surveys as GeoJSON (RFC 7946) and as a table, and back."""

import csv
import io
import json

import numpy as np

from pyapp.core.errors import AreaError, NotASurveyError
from pyapp.core.ground.geo import Bounds
from pyapp.core.state import CellState
from pyapp.core.survey.batch import UNKNOWN_ZOOM, Batch
from pyapp.core.survey.survey import DIGEST_BYTES, Survey

FORMAT = "lookdown survey 1"
BEST = 5
DIGITS = 7  # of a degree: a centimetre


def to_geojson(survey: Survey) -> str:
    """A feature a cell that was looked at.

    A feature's ``class`` and ``score`` are what is shown, after corrections; ``best`` is what the
    model said. The collection's ``lookdown`` member holds what makes it replayable.
    """
    lines = [
        '{"type": "FeatureCollection",',
        f'"lookdown": {json.dumps(_facts(survey))},',
        '"features": [',
    ]
    features = (json.dumps(_feature(survey, row)) for row in _rows(survey))
    return "\n".join([*lines, ",\n".join(features), "]}\n"])


def to_csv(survey: Survey) -> str:
    """A line a cell that was looked at, with its middle and its outline as WKT."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    best = [f"{name}_{place}" for place in range(1, BEST + 1) for name in ("class", "score")]
    table.writerow(["cell", "lng", "lat", "side_m", "state", "class_id", "class", "score",
                    "corrected", *best, "chip_sha256", "model", "model_sha256", "imagery",
                    "credit", "wkt"])  # fmt: skip
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
             int(row["corrected"]), *pairs, row["chip_sha256"] or "", survey.model.name,
             survey.model.sha256, survey.imagery.name, survey.imagery.credit,
             f"MULTIPOLYGON ({rings})"]
        )  # fmt: skip
    return out.getvalue()


def _or_empty(value):
    return "" if value is None else value


def _facts(survey: Survey) -> dict:
    return {
        "format": FORMAT,
        "survey": json.loads(survey.to_json()),
        "explained": "class and score: after corrections; best: as the model said; "
        "chip_sha256: of the chip's RGB bytes, row by row",
    }


def _rows(survey: Survey):
    """The facts of each cell that was looked at."""
    labels, scores = survey.model.labels, survey.scores
    for number in np.flatnonzero(survey.state != CellState.WAITING):
        number = int(number)
        state = CellState(int(survey.state[number]))
        classified = state == CellState.CLASSIFIED
        class_id = int(scores[number].argmax()) if classified else None
        order = np.argsort(-survey.probability[number], kind="stable")[:BEST] if classified else ()
        centre = survey.grid.centre(number)
        yield {
            "cell": number,
            "state": state.label,
            "class": labels[class_id] if classified else None,
            "class_id": class_id,
            "score": round(float(scores[number, class_id]), 4) if classified else None,
            "corrected": number in survey.corrections,
            "familiarity": round(float(survey.familiarity[number]), 3) if classified else None,
            "best": [
                {"class": labels[each], "score": round(float(survey.probability[number, each]), 4)}
                for each in order
            ],
            "zoom": int(survey.zoom[number]) or None if classified else None,
            "chip_sha256": survey.digest[number].tobytes().hex() if classified else None,
            "footprint": {
                # To the last digit: the chip can be cut again, byte for byte.
                "centre": [centre.lng, centre.lat],
                "side_m": survey.grid.side_m,
            },
            "rings": [ring(part) for part in within_the_world(survey.grid.bounds_of(number))],
        }


def _feature(survey: Survey, row: dict) -> dict:
    rings = row.pop("rings")
    whole = len(rings) == 1
    return {
        "type": "Feature",
        "id": row["cell"],
        "geometry": {
            "type": "Polygon" if whole else "MultiPolygon",
            "coordinates": rings if whole else [[each] for each in rings],
        },
        "properties": row
        | {
            "class_name": row["class"],
            "model_sha256": survey.model.sha256,
            "imagery": survey.imagery.name,
            "credit": survey.imagery.credit,
        },
    }


def ring(bounds: Bounds) -> list[list[float]]:
    """The outline of a rectangle, counter-clockwise and closed, as RFC 7946 (3.1.6) has it."""
    west, south, east, north = (round(each, DIGITS) for each in bounds)
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def within_the_world(bounds: Bounds) -> list[Bounds]:
    """A rectangle with longitudes from -180 to 180: cut in two at the date line (3.1.9)."""
    west, south, east, north = bounds
    turns = 360 * ((west + 180) // 360)
    west, east = west - turns, east - turns
    if east <= 180:
        return [Bounds(west, south, east, north)]
    return [Bounds(west, south, 180.0, north), Bounds(-180.0, south, east - 360, north)]


def from_geojson(text: str) -> Survey:
    """The survey that `to_geojson` wrote; of the network's output, only the five best are known.

    Raises
    ------
    NotASurveyError
        If it is something else, or any part of it is damaged.
    """
    try:
        facts = json.loads(text)
        if facts.get("lookdown", {}).get("format") != FORMAT:
            raise NotASurveyError("it lacks our mark")
        survey = Survey.from_json(json.dumps(facts["lookdown"]["survey"]))
        survey.add(_batch(survey, [feature["properties"] for feature in facts["features"]]))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise NotASurveyError(f"it is damaged: {error}") from error
    except AreaError as error:
        raise NotASurveyError("its area is damaged") from error
    return survey


def _batch(survey: Survey, rows: list[dict]) -> Batch:
    """What a file says about the cells."""
    states = [CellState.from_label(row["state"]) for row in rows]
    answers = [row for row, state in zip(rows, states, strict=True) if state == state.CLASSIFIED]
    digests = [bytes.fromhex(row["chip_sha256"]) for row in answers]
    if any(len(each) != DIGEST_BYTES for each in digests):
        raise ValueError("a chip_sha256 that is none")
    numbers = [int(row["cell"]) for row in rows]
    if len(set(numbers)) != len(numbers):
        raise ValueError("the same cell twice")
    zooms = [row.get("zoom") or UNKNOWN_ZOOM for row in answers]
    return Batch(
        numbers=np.array(numbers, np.int32),
        state=np.array(states, np.uint8),
        zoom=np.array(zooms, np.uint8),
        probability=np.array([_shares(survey.model.labels, row) for row in answers], np.float16),
        embedding=np.empty((len(answers), 0), np.float16),
        familiarity=np.array([float(row["familiarity"]) for row in answers], np.float32),
        digest=np.frombuffer(b"".join(digests), np.uint8).reshape(len(answers), DIGEST_BYTES),
    )


def _shares(labels: tuple[str, ...], row: dict) -> np.ndarray:
    """Probabilities of the five best, with the class that was shown before all others.

    Corrections can't be fitted again without embeddings, so what they made of a cell is taken.
    """
    shares = np.zeros(len(labels))
    for each in row["best"]:
        shares[labels.index(each["class"])] = _share(each["score"])
    shown, score = int(row["class_id"]), _share(row["score"])
    if not 0 <= shown < len(labels):
        raise ValueError(f"there is no class {shown}")
    if shares.argmax() != shown:
        shares *= 0.9 * score / max(shares.max(), score)
        shares[shown] = score
    return shares


def _share(value: object) -> float:
    """A probability, as a file gives it."""
    share = float(value)
    if not 0 <= share <= 1:
        raise ValueError(f"a score of {value}")
    return share

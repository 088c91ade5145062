"""Surveys as GeoJSON (RFC 7946) and as a table, and back."""

import csv
import io
import json

import numpy as np

from pyapp.core.errors import AreaError, NotASurveyError
from pyapp.core.geo import Bounds
from pyapp.core.survey import NAMED, STATES, WAITING, Batch, Survey

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
    for number in np.flatnonzero(survey.state != WAITING):
        number = int(number)
        named = survey.state[number] == NAMED
        class_id = int(scores[number].argmax()) if named else None
        order = np.argsort(-survey.probability[number], kind="stable")[:BEST] if named else ()
        centre = survey.grid.centre(number)
        yield {
            "cell": number,
            "state": STATES[survey.state[number]],
            "class": labels[class_id] if named else None,
            "class_id": class_id,
            "score": round(float(scores[number, class_id]), 4) if named else None,
            "corrected": number in survey.corrections,
            "familiarity": round(float(survey.familiarity[number]), 3) if named else None,
            "best": [
                {"class": labels[each], "score": round(float(survey.probability[number, each]), 4)}
                for each in order
            ],
            "chip_sha256": survey.digest[number].tobytes().hex() if named else None,
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
    """The survey that `to_geojson` wrote; what the network gave is known of the five best only.

    Raises
    ------
    NotASurveyError
    """
    try:
        facts = json.loads(text)
        if facts.get("lookdown", {}).get("format") != FORMAT:
            raise NotASurveyError("it lacks our mark")
        survey = Survey.from_json(json.dumps(facts["lookdown"]["survey"]))
        survey.add(_batch(survey, [feature["properties"] for feature in facts["features"]]))
        if set(survey.corrections) - set(range(len(survey.grid))):
            raise ValueError("corrections of cells that are not there")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise NotASurveyError(f"it is damaged: {error}") from error
    except AreaError as error:
        raise NotASurveyError("its area is damaged") from error
    return survey


def _batch(survey: Survey, rows: list[dict]) -> Batch:
    """What a file says of the cells."""
    numbers = np.array([int(row["cell"]) for row in rows], np.int32)
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(survey.grid):
        raise ValueError(f"there is no cell {numbers.max()}")
    named = [row for row in rows if row["state"] == STATES[NAMED]]
    digests = b"".join(bytes.fromhex(row["chip_sha256"]) for row in named)
    return Batch(
        numbers=numbers,
        state=np.array([STATES.index(row["state"]) for row in rows], np.uint8),
        probability=np.array([_shares(survey.model.labels, row) for row in named], np.float16),
        embedding=np.empty((len(named), 0), np.float16),
        familiarity=np.array([row["familiarity"] for row in named], np.float32),
        digest=np.frombuffer(digests, np.uint8).reshape(len(named), -1 if named else 0),
    )


def _shares(labels: tuple[str, ...], row: dict) -> np.ndarray:
    """Probabilities of the five best, with the class that was shown before all others.

    Corrections can't be fitted again without embeddings, so what they made of a cell is taken.
    """
    shares = np.zeros(len(labels))
    for each in row["best"]:
        shares[labels.index(each["class"])] = each["score"]
    shown, score = int(row["class_id"]), float(row["score"])
    if shares.argmax() != shown:
        shares *= 0.9 * score / max(shares.max(), score)
        shares[shown] = score
    return shares

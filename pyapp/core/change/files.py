"""What changed, as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from pyapp.core.change.change import Change, Outcome
from pyapp.core.model.tree import NOT_SURE, PATH_SIGN
from pyapp.core.survey.geojson import ring, within_the_world
from pyapp.core.survey.survey import Survey

FORMAT = "lookdown change 1"
# What is written about a square, and why nothing can be said.
SAME, CHANGED, CANT_TELL = "same", "changed", "can't tell"
REASONS = {
    Outcome.TO_LOOK_AT: "not looked at yet",
    Outcome.NO_IMAGERY: "no answer on one of the dates",
    Outcome.NOT_SURE: "not sure on one of the dates",
    Outcome.TOO_CLOSE: "the answers differ, but a class fits both dates",
    Outcome.UNSTEADY: "the answers differ, but don't hold at other sizes",
}
EXPLAINED = (
    "changed: the model vouches for both answers, neither is inside the other, no class is in the "
    "label sets of both dates, and at each date three or more of five sizes of the square confirm "
    "the answer and none contradicts it. Where an answer is the same as the other, or inside it, "
    "the square is the same. Of all else nothing is said. Counted are squares, not the ground that "
    "changed inside them."
)


def to_geojson(
    change: Change, shift_m: tuple[float, float], checked: dict[str, Any] | None = None
) -> str:
    """A feature for each square.

    Parameters
    ----------
    change : Change
    shift_m : tuple of float
        Metres by which the later picture was taken to lie too far to the east and north.
    checked : dict, optional
        What `core.change.check.to_facts` gives.
    """
    facts = {
        "format": FORMAT,
        "explained": EXPLAINED,
        "model": change.before.model.name,
        "model_sha256": change.before.model.sha256,
        "before": _about(change.before),
        "after": _about(change.after),
        "corrected_shift_m": [round(each, 2) for each in shift_m],
        "check": checked,
    }
    grid = change.before.grid
    features = []
    for row in _rows(change):
        rings = [ring(part) for part in within_the_world(grid.bounds_of(row["cell"]))]
        one = len(rings) == 1
        geometry = {
            "type": "Polygon" if one else "MultiPolygon",
            "coordinates": rings if one else [[each] for each in rings],
        }
        features.append(
            json.dumps(
                {"type": "Feature", "id": row["cell"], "geometry": geometry, "properties": row}
            )
        )
    lines = [
        '{"type": "FeatureCollection",',
        f'"lookdown": {json.dumps(facts)},',
        '"features": [',
    ]
    return "\n".join([*lines, ",\n".join(features), "]}\n"])


def to_csv(change: Change) -> str:
    """A table (CSV) with a line for each square."""
    out = io.StringIO()
    rows = list(_rows(change))
    table = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return out.getvalue()


def _about(survey: Survey) -> dict[str, Any]:
    imagery = survey.imagery
    return {
        "survey": survey.name,
        "made": survey.made,
        "imagery": imagery.name,
        "imagery_date": imagery.date or None,
        "credit": imagery.credit,
        "url": imagery.url,
    }


def _rows(change: Change) -> Iterator[dict[str, Any]]:
    """What is written about each square."""
    tree, grid = change.before.model.tree, change.before.grid
    for cell, value in enumerate(change.outcome.tolist()):
        outcome = Outcome(value)
        said = {Outcome.SAME: SAME, Outcome.CHANGED: CHANGED}.get(outcome, CANT_TELL)
        paths = [
            "" if node == NOT_SURE else PATH_SIGN.join(tree.path(node))
            for node in change.nodes[cell].tolist()
        ]
        centre = grid.centre(cell)
        yield {
            "cell": cell,
            "lng": centre.lng,
            "lat": centre.lat,
            "side_m": grid.side_m,
            "hectares": round(float(grid.hectares[cell]), 6),
            "change": said,
            "reason": REASONS.get(outcome, ""),
            "before": paths[0],
            "after": paths[1],
            "imagery_before": change.before.imagery.name,
            "date_before": change.before.imagery.date,
            "imagery_after": change.after.imagery.name,
            "date_after": change.after.imagery.date,
            "chip_sha256_before": change.before.digest[cell].tobytes().hex(),
            "chip_sha256_after": change.after.digest[cell].tobytes().hex(),
        }

"""Surveys as GeoParquet (1.1), with embeddings: for geopandas, DuckDB, GDAL and their like."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.ground.geo import Bounds
from pyapp.core.model.tree import NOT_SURE, PATH_SIGN
from pyapp.core.state import CellState
from pyapp.core.survey import parquet
from pyapp.core.survey.geojson import (
    box_within_the_world,
    ring,
    survey_facts,
    within_the_world,
    written_answers,
)
from pyapp.core.survey.parquet import Column
from pyapp.core.survey.survey import Survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Types of well-known binary (OGC 06-103r4).
POLYGON, MULTIPOLYGON = 3, 6
WRITER = "Lookdown"


def to_geoparquet(survey: Survey, numbers: NDArray[np.int64] | None = None) -> bytes:
    """A row for each processed cell.

    Besides what the GeoJSON has, there are all probabilities of the network (``probability``, in
    the order of the labels in the metadata ``lookdown``) and its embedding, both in half precision;
    a survey that came from a file has no embeddings. Coordinates are longitude and latitude.

    Parameters
    ----------
    survey : Survey
    numbers : ndarray of int64, shape (N,), optional
        What ``cell`` says of each, if not its number in the survey.
    """
    cells = np.flatnonzero(survey.state != CellState.WAITING)
    classified = survey.classified[cells]
    answers = written_answers(survey)[cells]
    answered = classified & (answers != NOT_SURE)
    nodes = [survey.model.tree.nodes[each] for each in answers[answered].tolist()]
    scores = survey.scores[cells][answered]
    score = [
        min(float(row[list(node.classes)].sum()), 1.0)
        for row, node in zip(scores, nodes, strict=True)
    ]
    corrected = np.zeros(len(survey.grid), bool)
    corrected[list(survey.corrections)] = True
    seen = cells[classified]
    there: Any = classified
    paths = [PATH_SIGN.join(survey.model.tree.path(each.id)) for each in nodes]
    # An area of any size has more cells than 32 bits count.
    numbered = (parquet.INT32, cells) if numbers is None else (parquet.INT64, numbers[cells])
    columns = [
        Column("cell", *numbered),
        Column("state", parquet.TEXT, [CellState(int(each)).label for each in survey.state[cells]]),
        Column("class", parquet.TEXT, [each.name for each in nodes], answered),
        Column("class_id", parquet.INT32, answers[answered], answered),
        Column("level", parquet.TEXT, [each.level.label for each in nodes], answered),
        Column("path", parquet.TEXT, paths, answered),
        Column("score", parquet.FLOAT, np.array(score, np.float32), answered),
        Column("corrected", parquet.BOOLEAN, corrected[cells]),
        Column("hectares", parquet.DOUBLE, survey.grid.hectares[cells]),
        Column("zoom", parquet.INT32, survey.zoom[seen], there),
        Column("chip_sha256", parquet.TEXT, [each.tobytes().hex() for each in survey.digest[seen]],
               there),
        Column("probability", parquet.HALF, survey.probability[seen], there),
    ]  # fmt: skip
    if survey.embedding is not None:
        lengths = survey.length[seen, np.newaxis]
        columns.append(Column("embedding", parquet.HALF, survey.embedding[seen] * lengths, there))
    shapes = [within_the_world(survey.grid.bounds_of(int(each))) for each in cells]
    columns.append(Column("geometry", parquet.BYTES, [_wkb(each) for each in shapes]))
    about = {"geo": json.dumps(_geo(survey, shapes)), "lookdown": json.dumps(survey_facts(survey))}
    return parquet.write(columns, len(cells), about, WRITER)


def _geo(survey: Survey, shapes: list[list[Bounds]]) -> dict[str, Any]:
    """The metadata that makes it GeoParquet; without ``crs``, coordinates are OGC:CRS84."""
    bbox = list(box_within_the_world(survey.grid.bounds))
    kinds = sorted({"MultiPolygon" if len(each) > 1 else "Polygon" for each in shapes})
    column = {
        "encoding": "WKB", "geometry_types": kinds, "bbox": bbox, "orientation": "counterclockwise"
    }  # fmt: skip
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


def _wkb(parts: list[Bounds]) -> bytes:
    """Rectangles as well-known binary, little endian."""
    polygons = [_polygon(each) for each in parts]
    if len(polygons) == 1:
        return polygons[0]
    return struct.pack("<BII", 1, MULTIPOLYGON, len(polygons)) + b"".join(polygons)


def _polygon(bounds: Bounds) -> bytes:
    points = np.array(ring(bounds), "<f8")
    return struct.pack("<BIII", 1, POLYGON, 1, len(points)) + points.tobytes()

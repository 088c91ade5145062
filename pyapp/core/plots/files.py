"""Plots as files, with the columns that they came with and what the model says."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from typing import Any

from pyapp.core.model.tree import PATH_SIGN
from pyapp.core.plots.run import PlotRun
from pyapp.core.plots.table import number

ADDED = ("label", "level", "path", "probability", "best", "state", "source", "date", "model",
         "zoom", "side_m")  # fmt: skip
PLACE = ("lng", "lat")
DIGITS = 4
# What a spreadsheet takes as the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(run: PlotRun) -> bytes:
    """A table with a line for each row of the file, in its order and dialect.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    plots = run.plots
    with_place = bool(plots.geometries) or plots.swapped
    added = (*PLACE, *ADDED) if with_place else ADDED
    out = io.StringIO()
    table = csv.writer(out, delimiter=plots.delimiter, lineterminator="\n")
    table.writerow([*map(_safe, plots.columns), *_names(plots.columns, added)])
    for row, values in enumerate(plots.rows):
        place = [plots.lng[row], plots.lat[row]] if with_place else []
        said = [_number(each, plots.decimal) for each in (*place, *_said(run, row))]
        table.writerow([*(_safe(_cell(each)) for each in values), *map(_safe, said)])
    return out.getvalue().encode("utf-8-sig" if plots.bom else "utf-8", errors="replace")


def to_geojson(run: PlotRun) -> bytes:
    """A feature for each row of the file, with its outline if it has one."""
    plots = run.plots
    names = _names(plots.columns, ADDED)
    features = []
    for row, values in enumerate(plots.rows):
        if plots.geometries:
            geometry = plots.geometries[row]
        elif run.cell_of[row] < 0:
            geometry = None
        else:
            place = [float(plots.lng[row]), float(plots.lat[row])]
            geometry = {"type": "Point", "coordinates": place}
        feature = {"type": "Feature"} | ({"id": plots.ids[row]} if plots.ids else {})
        properties = dict(zip(plots.columns, values, strict=True))
        properties |= {
            name: None if each == "" else each
            for name, each in zip(names, _said(run, row), strict=True)
        }
        features.append(json.dumps(feature | {"properties": properties, "geometry": geometry}))
    joined = ",\n".join(features)
    return f'{{"type": "FeatureCollection", "features": [\n{joined}\n]}}\n'.encode()


def _said(run: PlotRun, row: int) -> tuple[Any, ...]:
    """What is said about a row, in the order of `ADDED`."""
    said = run.answer(row)
    if said.probability is None:
        return ("", "", "", "", "", said.state, *[""] * 5)
    return (
        said.label, said.level, PATH_SIGN.join(said.path), round(said.probability, DIGITS),
        said.best, said.state, run.imagery.name, run.imagery.date, run.model.title,
        said.zoom, round(run.side_m, 2),
    )  # fmt: skip


def _names(taken: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Names of columns that the file does not have yet."""
    there = {each.lower() for each in taken}
    found = []
    for name in wanted:
        while name in there:
            name = f"lookdown_{name}"
        there.add(name)
        found.append(name)
    return found


def _cell(value: Any) -> str:
    """A value of GeoJSON as a table has it; texts as they are."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: Any, decimal: str) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.10g}".replace(".", decimal)
    return str(value)


def _safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula; numbers stay as they are.

    >>> _safe("=1+1"), _safe("-7,5"), _safe("@a"), _safe("oak")
    ("'=1+1", '-7,5', "'@a", 'oak')
    """
    # Spreadsheets look past white space.
    begins = text.startswith(FORMULA) or text.lstrip().startswith(FORMULA)
    return f"'{text}" if begins and math.isnan(number(text)) else text

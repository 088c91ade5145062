"""Plots in a table (CSV), whatever its dialect."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pyapp.core.plots.errors import ManyPlotsError, PlotFileError
from pyapp.core.plots.outlines import geometry_from_wkt, middle_of
from pyapp.core.plots.plots import MOST_PLOTS, Plots

MOST_MB = 64
DELIMITERS = (",", ";", "\t", "|")
# Names of columns, the best first, as letters only.
LATITUDES = ("lat", "latitude", "decimallatitude", "latdd", "latwgs", "y", "ycoord", "pointy")
LONGITUDES = ("lng", "lon", "long", "longitude", "decimallongitude", "londd", "longdd", "lonwgs",
              "x", "xcoord", "pointx")  # fmt: skip
OUTLINES = ("wkt", "wktgeom", "geometry", "geom", "thegeom")
# A sample of lines, which shows the dialect.
SAMPLE = 50
_FIELD_LIMIT = 1 << 22


class _Axes(NamedTuple):
    """Numbers of the columns with the coordinates, or of the one with outlines."""

    lat: int = -1
    lng: int = -1
    wkt: int = -1


def plots_from_csv(data: bytes, name: str) -> Plots:
    """The plots of a table with a line of names.

    Parameters
    ----------
    data : bytes
        UTF-8, UTF-16 or Latin-1; fields separated by commas, semicolons, tabs or bars; decimals by
        points or commas.
    name : str
        Of the file.

    Raises
    ------
    PlotFileError
        If no columns are named as coordinates, or no row has any.
    ManyPlotsError

    Examples
    --------
    >>> plots = plots_from_csv(b"Baum;lat;lon\\nEiche;46,95;7,44\\n", "trees.csv")
    >>> plots.columns, plots.rows, plots.lat.tolist()
    (('Baum', 'lat', 'lon'), (('Eiche', '46,95', '7,44'),), [46.95])
    """
    if len(data) > MOST_MB << 20:
        raise PlotFileError(f"it is larger than {MOST_MB} MB")
    text, bom = decoded(data)
    csv.field_size_limit(_FIELD_LIMIT)
    delimiter, axes = _dialect(text)
    rows = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if any(each.strip() for each in row):
                rows.append(row)
            if len(rows) > MOST_PLOTS + 1:
                raise ManyPlotsError(max(text.count("\n"), len(rows)), MOST_PLOTS)
    except csv.Error as error:
        raise PlotFileError(f"the table is damaged ({error})") from error
    columns, *rows = _even(rows)
    geometries: tuple[dict[str, Any] | None, ...] = ()
    if axes.wkt >= 0:
        geometries = tuple(geometry_from_wkt(row[axes.wkt]) for row in rows)
        middles = [middle_of(each) for each in geometries]
    else:
        middles = [(number(row[axes.lng]), number(row[axes.lat])) for row in rows]
    lng, lat = np.array(middles, np.float64).reshape(-1, 2).T
    texts = [row[each] for row in rows for each in axes[:2] if each >= 0]
    return Plots(
        name=name,
        columns=tuple(columns),
        rows=tuple(map(tuple, rows)),
        lng=lng,
        lat=lat,
        geometries=geometries,
        delimiter=delimiter,
        decimal="," if any("," in each for each in texts) else ".",
        bom=bom,
    ).check()


def decoded(data: bytes) -> tuple[str, bool]:
    """The text of a file, and whether it needs a byte order mark to be read again.

    >>> decoded("\\ufeffGrün".encode("utf-16-le")), decoded("Grün".encode("latin-1"))
    (('Grün', True), ('Grün', True))
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace"), True
    if len(data) > 3 and 0 in data[:4]:
        name = "utf-16-be" if data[0] == 0 else "utf-16-le"
        return data.decode(name, errors="replace"), True
    try:
        return data.decode("utf-8-sig"), data[:3] == b"\xef\xbb\xbf"
    except UnicodeDecodeError:
        return data.decode("latin-1"), True


def number(text: str) -> float:
    """A number with a decimal point or comma; NaN if it is none.

    >>> number(" 46,95 "), number("-7.4°"), number("1,234.5"), number("47 N")
    (46.95, -7.4, nan, nan)
    """
    text = text.strip().rstrip("°").replace("\u2212", "-")
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        found = float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan
    return found if math.isfinite(found) else math.nan


def _dialect(text: str) -> tuple[str, _Axes]:
    """How fields are separated: so that columns are named as coordinates and hold some."""
    found = []
    for delimiter in DELIMITERS:
        rows = _sample(text, delimiter)
        if not rows:
            continue
        for axes in _axes(rows[0]):
            fit = sum(_fits(row, axes) for row in rows[1:])
            found.append((fit, len(rows[0]), delimiter, axes))
    if not found:
        raise PlotFileError("its first line names no columns lat and lon, x and y, or wkt")
    _, _, delimiter, axes = max(found, key=lambda each: each[:2])
    return delimiter, axes


def _sample(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if any(each.strip() for each in row):
                rows.append(row)
            if len(rows) > SAMPLE:
                break
    except csv.Error:
        # What is damaged further down is said once the dialect is known.
        pass
    return rows


def _axes(names: Sequence[str]) -> Iterable[_Axes]:
    """The columns that may hold coordinates, by their names."""
    short = [re.sub(r"\(.*?\)|\[.*?\]|[^a-z]", "", each.lower()) for each in names]
    lat, lng, wkt = (
        next((short.index(each) for each in wanted if each in short), -1)
        for wanted in (LATITUDES, LONGITUDES, OUTLINES)
    )
    if lat >= 0 and lng >= 0:
        yield _Axes(lat=lat, lng=lng)
    if wkt >= 0:
        yield _Axes(wkt=wkt)


def _fits(row: Sequence[str], axes: _Axes) -> bool:
    if axes.wkt >= 0:
        return axes.wkt < len(row) and geometry_from_wkt(row[axes.wkt]) is not None
    return max(axes) < len(row) and all(math.isfinite(number(row[each])) for each in axes[:2])


def _even(rows: list[list[str]]) -> list[list[str]]:
    """Rows that are all as long as the longest one; further columns have no name."""
    width = max(map(len, rows))
    return [[*row, *[""] * (width - len(row))] for row in rows]

"""Plots in the order that a person sorts them by, and as dots on the map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.ground.area import PLANE
from pyapp.core.ground.geo import Bounds, LngLat, pixel_at, world_px
from pyapp.core.model.tree import NOT_SURE
from pyapp.core.plots.plots import Plots
from pyapp.core.plots.run import PlotRun
from pyapp.core.plots.table import number
from pyapp.core.state import CellState
from pyapp.core.survey.colours import node_colours

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What rows can be sorted by, besides a column of the file.
ROW, COLUMN, LABEL, PROBABILITY = "row", "column", "label", "probability"
RADIUS_PX = 5
CASE = (14, 20, 27)
WAITING, WITHOUT, UNSURE = (255, 255, 255), (108, 123, 137), (154, 160, 166)
# Names of columns that tell a person which plot it is.
TELLING = ("name", "title", "label", "plot", "site", "id", "nr", "no", "number")


def telling_column(plots: Plots) -> int | None:
    """The column that tells plots apart best; ``None`` if there is none.

    >>> from pyapp.core.plots.table import plots_from_csv
    >>> telling_column(plots_from_csv(b"lat,lon,Name\\n47,8,Oak\\n", "trees.csv"))
    2
    """
    names = [each.lower().strip() for each in plots.columns]
    for name in TELLING:
        if name in names:
            return names.index(name)
    return 0 if names else None


def sorted_rows(
    run: PlotRun, key: str, descending: bool = False, column: int | None = None
) -> NDArray[np.int64]:
    """Numbers of all rows in order; those without a value come last either way.

    Parameters
    ----------
    run : PlotRun
    key : str
        `ROW`, `COLUMN`, `LABEL` or `PROBABILITY`.
    descending : bool
    column : int or None
        For `COLUMN`: its number.

    Returns
    -------
    ndarray of int64, shape (R,)
    """
    count = len(run.plots)
    values = np.arange(count, dtype=np.float64)
    if key == COLUMN and column is not None:
        values = _column_values(run.plots, column)
    elif key in (LABEL, PROBABILITY):
        values = np.full(count, np.nan)
        values[run.grid.rows] = _chances(run) if key == PROBABILITY else _label_values(run)
    return np.argsort(-values if descending else values, kind="stable")


def _chances(run: PlotRun) -> NDArray[np.float64]:
    _, chances = run.nodes()
    return np.where(run.state == CellState.CLASSIFIED, chances, np.nan)


def _label_values(run: PlotRun) -> NDArray[np.float64]:
    """The place of each label among all, in alphabetical order; then not sure, then no answer."""
    nodes, _ = run.nodes()
    names = [each.name.casefold() for each in run.model.tree.nodes]
    ranks = np.empty(len(names) + 1)
    ranks[np.array(sorted(range(len(names)), key=names.__getitem__))] = np.arange(len(names))
    ranks[NOT_SURE] = len(names)
    return np.where(run.state == CellState.CLASSIFIED, ranks[nodes], np.nan)


def _column_values(plots: Plots, column: int) -> NDArray[np.float64]:
    """Numbers if all values are some, else places in alphabetical order."""
    texts = [text_of(row[column]) for row in plots.rows]
    numbers = [number(each) for each in texts]
    if all(math.isfinite(each) or not text for each, text in zip(numbers, texts, strict=True)):
        return np.array(numbers)
    places = {each: place for place, each in enumerate(sorted({each.casefold() for each in texts}))}
    return np.array([places[each.casefold()] if each else np.nan for each in texts], np.float64)


def text_of(value: Any) -> str:
    """A value of the file as the table shows it.

    >>> text_of(None), text_of(1.5), text_of(" Oak ")
    ('', '1.5', 'Oak')
    """
    return "" if value is None else str(value).strip()


def dots(run: PlotRun, window: Bounds, width: int, height: int) -> NDArray[np.uint8]:
    """The plots as dots in the colours of their answers.

    Parameters
    ----------
    run : PlotRun
    window : Bounds
        Ground that the picture covers.
    width, height : int
        Of the picture, in pixels.

    Returns
    -------
    ndarray of uint8, shape (height, width, 4)
        RGBA.
    """
    left, top = pixel_at(LngLat(window.west, window.north), PLANE)
    right, bottom = pixel_at(LngLat(window.east, window.south), PLANE)
    x, y = run.grid.middles
    column = ((x - left) % world_px(PLANE)) / (right - left) * width
    row = (y - top) / (bottom - top) * height
    seen = (column < width) & (row >= 0) & (row < height)
    column, row = column[seen].astype(np.int64), row[seen].astype(np.int64)
    colours = _colours(run)[seen]
    # A margin takes the parts of dots that reach past the edge.
    edge = RADIUS_PX + 1
    picture = np.zeros((height + 2 * edge, width + 2 * edge, 4), np.uint8)
    for reach, paint in ((edge, np.array([*CASE, 255], np.uint8)), (RADIUS_PX - 1, colours)):
        for down in range(-reach, reach + 1):
            for across in range(-reach, reach + 1):
                if down * down + across * across <= reach * reach:
                    picture[row + down + edge, column + across + edge] = paint
    return picture[edge:-edge, edge:-edge]


def _colours(run: PlotRun) -> NDArray[np.uint8]:
    """Of each place, uint8 [N, 4]."""
    nodes, _ = run.nodes()
    table = np.array([*node_colours(run.model.tree), UNSURE], np.uint8)
    colours = table[nodes]
    colours[run.state == CellState.WAITING] = WAITING
    colours[run.state > CellState.CLASSIFIED] = WITHOUT
    return np.concatenate([colours, np.full((len(colours), 1), 255, np.uint8)], 1)

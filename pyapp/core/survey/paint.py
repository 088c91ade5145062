"""A survey as a picture: one pixel per cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.model.tree import NOT_SURE, Leaders, Tree
from pyapp.core.state import CellState
from pyapp.core.survey.colours import colour as colour
from pyapp.core.survey.colours import node_colours
from pyapp.core.survey.survey import Survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Stand for a node if a cell has none to show.
NOTHING, UNSURE, HIDDEN = -1, -2, -3
UNSURE_RGBA = (255, 255, 255, 105)
MARKS_RGBA = {
    CellState.WAITING: (0, 0, 0, 0),
    CellState.MISSING: (20, 20, 20, 150),
    CellState.FAILED: (255, 143, 125, 190),
    CellState.BLANK: (60, 60, 60, 150),
    CellState.BLURRED: (110, 90, 140, 150),
    CellState.LEFT_OUT: (0, 0, 0, 0),
}
# Weight of a cell when it is averaged with its neighbours, whose weight is 1.
OWN_WEIGHT = 2


@dataclass
class Look:
    """How a survey is shown.

    Attributes
    ----------
    threshold : float
        From which probability a class is the answer. Without a tree, all other cells are shown as
        unsure; with one, the thresholds of the groups follow as `Levels.at` says.
    hidden : set of int
        Classes and groups that are switched off; a group with all that is inside it.
    smooth : bool
        Whether the probabilities of each cell are averaged with those of its neighbours.
    """

    threshold: float
    hidden: set[int]
    smooth: bool = False


class LegendRow(NamedTuple):
    """How much of a survey a node covers, including what is switched off.

    Attributes
    ----------
    node_id : int
        `UNSURE` for what is not sure.
    depth : int
        Number of groups that it is in.
    cells : int
        Number of cells of which just this node is the answer.
    hectares : float
        That those cover.
    all_cells : int
        Number of cells of which this node, or one inside it, is the answer.
    all_hectares : float
        That those cover.
    """

    node_id: int
    depth: int
    cells: int
    hectares: float
    all_cells: int
    all_hectares: float


class Painter:
    """Paints a survey; intermediate results are reused until the survey changes.

    Parameters
    ----------
    survey : Survey
    """

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        # By whether they are smoothed: the survey's version, and the leaders.
        self._leaders: dict[bool, tuple[int, Leaders]] = {}

    def _leading(self, smooth: bool) -> Leaders:
        """See `Tree.leaders`."""
        version, leaders = self._leaders.get(smooth, (-1, None))
        if leaders is None or version != self._survey.version:
            scores = self._survey.scores
            if smooth:
                scores = smoothed(self._survey, scores)
            leaders = self._survey.model.tree.leaders(scores)
            self._leaders[smooth] = self._survey.version, leaders
        return leaders

    def best(self, smooth: bool) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The most probable class of each cell, and its probability, shape (N,) each.

        Parameters
        ----------
        smooth : bool
            See `Look`.
        """
        nodes, probability = self._leading(smooth)
        return nodes[:, -1], probability[:, -1]

    def classes(self, look: Look) -> NDArray[np.int64]:
        """What is shown for each cell, shape (N,).

        The id of a node, which is a class or a group; `NOTHING`, `UNSURE` or `HIDDEN`.
        """
        survey, tree = self._survey, self._survey.model.tree
        answers = survey.choose(self._leading(look.smooth), look.threshold)
        # One more, which `NOT_SURE` indexes from the end.
        meaning = np.arange(len(tree.nodes) + 1)
        meaning[NOT_SURE] = UNSURE
        for each in tree.nodes:
            if any(tree.is_inside(each.id, outer) for outer in look.hidden):
                meaning[each.id] = HIDDEN
        shown = meaning[answers]
        shown[~survey.classified] = NOTHING
        return shown

    def paint(self, look: Look) -> NDArray[np.uint8]:
        """The picture.

        Returns
        -------
        ndarray of uint8, shape (rows, columns, 4)
            Red, green, blue and opacity.
        """
        shown, state = self.classes(look), self._survey.state
        colours = node_colours(self._survey.model.tree)
        table = np.zeros((len(colours) + 3, 4), np.uint8)
        table[: len(colours)] = [(*each, 255) for each in colours]
        table[UNSURE] = UNSURE_RGBA
        rgba = table[shown]
        marks = np.zeros((len(CellState), 4), np.uint8)
        marks[list(MARKS_RGBA)] = list(MARKS_RGBA.values())
        without = state != CellState.CLASSIFIED
        rgba[without] = marks[state[without]]
        return self._survey.grid.spread(rgba, 0)

    def legend(self, look: Look) -> dict[int, tuple[int, float]]:
        """How much of the survey each answer covers, including those that are switched off.

        Returns
        -------
        dict of int to tuple (int, float)
            Number of cells, and hectares, of each node that is the answer somewhere, without what
            is inside it; and of `UNSURE`.
        """
        shown = self.classes(Look(look.threshold, set(), look.smooth))
        # Shifted so that the negative values, which are not classes, can be counted as well.
        cells = np.bincount(shown - UNSURE)
        hectares = np.bincount(shown - UNSURE, self._survey.grid.hectares)
        return {
            place + UNSURE: (int(cells[place]), float(hectares[place]))
            for place in np.flatnonzero(cells).tolist()
            if place + UNSURE != NOTHING
        }

    def legend_rows(self, look: Look) -> list[LegendRow]:
        """The legend as a list of contents: each group, then what is inside it.

        Returns
        -------
        list of LegendRow
            Of each node that is the answer somewhere, or one inside it; what is not sure comes
            last.
        """
        return rows_of(self.legend(look), self._survey.model.tree)


def rows_of(own: dict[int, tuple[int, float]], tree: Tree) -> list[LegendRow]:
    """The legend of what `Painter.legend` gives; see `Painter.legend_rows`."""
    rows = []
    for node_id in tree.order:
        inside = [own[each] for each in own if each >= 0 and tree.is_inside(each, node_id)]
        if inside:
            cells, hectares = own.get(node_id, (0, 0.0))
            total = (sum(each for each, _ in inside), sum(each for _, each in inside))
            rows.append(LegendRow(node_id, tree.depth(node_id), cells, hectares, *total))
    if UNSURE in own:
        rows.append(LegendRow(UNSURE, 0, *own[UNSURE], *own[UNSURE]))
    return rows


def smoothed(survey: Survey, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities averaged with those of the up to eight neighbours that are classified.

    Parameters
    ----------
    survey : Survey
    scores : ndarray of float32, shape (N, C)

    Returns
    -------
    ndarray of float32, shape (N, C)
        A corrected cell keeps its own; 0 for cells that are not classified.
    """
    grid = survey.grid
    classified = survey.classified
    weighted = np.zeros((grid.rows + 2, grid.columns + 2, scores.shape[1] + 1), np.float32)
    values = np.concatenate([scores, np.ones((len(scores), 1), np.float32)], 1)
    values[~classified] = 0
    weighted[1:-1, 1:-1] = grid.spread(values, 0)
    # The sum over 3 x 3 cells is the sum over 3 in each row, then over 3 in each column.
    along = weighted[:, :-2] + weighted[:, 1:-1] + weighted[:, 2:]
    total = along[:-2] + along[1:-1] + along[2:]
    total += (OWN_WEIGHT - 1) * weighted[1:-1, 1:-1]
    flat = total.reshape(-1, total.shape[-1])[grid.cells]
    means: NDArray[np.float32] = flat[:, :-1] / np.maximum(flat[:, -1:], 1)
    corrected = list(survey.corrections)
    means[corrected] = scores[corrected]
    means[~classified] = 0
    return means

"""A survey as a picture: one pixel per cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pyapp.core.state import CellState
from pyapp.core.survey.survey import Survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

# In the order of UC Merced's classes, so that water is blue and forest is green. Other models use
# them in the same order; further classes get hues that are a golden angle apart.
COLOURS = (
    "#e6c84c", "#b07aa1", "#d98c5f", "#f5e0a3", "#c0392b", "#9c8f45", "#e0524d",
    "#1f7a3d", "#5b6770", "#7fd14f", "#1b6ca8", "#8e99a3", "#f0817a", "#d64f9a",
    "#3f4850", "#b8c2cc", "#3fa9f5", "#4348c9", "#f7b2a9", "#7d3cae", "#2ec4b6",
)  # fmt: skip
GOLDEN_TURN = 0.381966
# Stand for a class if a cell has none to show.
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


def colour(class_id: int) -> tuple[int, int, int]:
    """Red, green and blue of a class, 0 to 255.

    >>> colour(7)
    (31, 122, 61)
    """
    if class_id < len(COLOURS):
        text = COLOURS[class_id]
        return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
    turn = class_id * GOLDEN_TURN % 1 * 6
    red, green, blue = (
        round(70 + 150 * min(max(abs((turn + shift) % 6 - 3) - 1, 0), 1)) for shift in (0, 4, 2)
    )
    return red, green, blue


@dataclass
class Look:
    """How a survey is shown.

    Attributes
    ----------
    threshold : float
        A cell whose best probability is below this is shown as unsure.
    hidden : set of int
        Classes that are switched off.
    smooth : bool
        Whether the probabilities of each cell are averaged with those of its neighbours.
    """

    threshold: float
    hidden: set[int]
    smooth: bool = False


class Painter:
    """Paints a survey; intermediate results are reused until the survey changes.

    Parameters
    ----------
    survey : Survey
    """

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        # By whether they are smoothed: the survey's version, and what `best` gave for it.
        self._best: dict[bool, tuple[int, NDArray[np.int64], NDArray[np.float32]]] = {}

    def best(self, smooth: bool) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The most probable class of each cell, and its probability, shape (N,) each.

        Parameters
        ----------
        smooth : bool
            See `Look`.
        """
        version, classes, probability = self._best.get(smooth, (-1, None, None))
        if classes is None or probability is None or version != self._survey.version:
            scores = self._survey.scores
            if smooth:
                scores = smoothed(self._survey, scores)
            classes = scores.argmax(1)
            probability = scores[np.arange(len(scores)), classes]
            self._best[smooth] = self._survey.version, classes, probability
        return classes, probability

    def classes(self, look: Look) -> NDArray[np.int64]:
        """What is shown for each cell, shape (N,): a class, `NOTHING`, `UNSURE` or `HIDDEN`."""
        classes, probability = self.best(look.smooth)
        shown = np.where(probability >= look.threshold, classes, UNSURE)
        if look.hidden:
            off = np.zeros(len(self._survey.model.labels), bool)
            off[list(look.hidden)] = True
            shown[off[classes] & (shown != UNSURE)] = HIDDEN
        shown[~self._survey.classified] = NOTHING
        return shown

    def paint(self, look: Look) -> NDArray[np.uint8]:
        """The picture.

        Returns
        -------
        ndarray of uint8, shape (rows, columns, 4)
            Red, green, blue and opacity.
        """
        shown, state = self.classes(look), self._survey.state
        table = np.zeros((len(self._survey.model.labels) + 3, 4), np.uint8)
        for class_id in range(len(self._survey.model.labels)):
            table[class_id] = (*colour(class_id), 255)
        table[UNSURE] = UNSURE_RGBA
        rgba = table[shown]
        marks = np.zeros((len(CellState), 4), np.uint8)
        marks[list(MARKS_RGBA)] = list(MARKS_RGBA.values())
        without = state != CellState.CLASSIFIED
        rgba[without] = marks[state[without]]
        return self._survey.grid.spread(rgba, 0)

    def legend(self, look: Look) -> dict[int, tuple[int, float]]:
        """How much of the survey each class covers, including those that are switched off.

        Returns
        -------
        dict of int to tuple (int, float)
            Number of cells, and hectares, of each class that occurs, and of `UNSURE`.
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


def smoothed(survey: Survey, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities averaged with those of the up to eight neighbours that are classified.

    Parameters
    ----------
    survey : Survey
    scores : ndarray of float32, shape (N, C)

    Returns
    -------
    ndarray of float32, shape (N, C)
        A corrected cell has probability 1 for its class; 0 for cells that are not classified.
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
    for cell, class_id in survey.corrections.items():
        means[cell] = 0
        means[cell, class_id] = 1
    means[~classified] = 0
    return means

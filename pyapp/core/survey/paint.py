"""A survey as a picture: a pixel a cell."""

from dataclasses import dataclass

import numpy as np

from pyapp.core.state import CellState
from pyapp.core.survey.survey import Survey

# In the order of UC Merced's classes, so that water is blue and forest green; classes of other
# models take them as they come, and further ones take hues a golden angle apart.
COLOURS = (
    "#e6c84c", "#b07aa1", "#d98c5f", "#f5e0a3", "#c0392b", "#9c8f45", "#e0524d",
    "#1f7a3d", "#5b6770", "#7fd14f", "#1b6ca8", "#8e99a3", "#f0817a", "#d64f9a",
    "#3f4850", "#b8c2cc", "#3fa9f5", "#4348c9", "#f7b2a9", "#7d3cae", "#2ec4b6",
)  # fmt: skip
GOLDEN_TURN = 0.381966
# Cells without a class to show.
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
# Weight of a cell among its neighbours' when they are averaged.
OWN_WEIGHT = 2


def colour(class_id: int) -> tuple[int, int, int]:
    """Red, green and blue of a class."""
    if class_id < len(COLOURS):
        text = COLOURS[class_id]
        return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
    turn = class_id * GOLDEN_TURN % 1 * 6
    ramp = [min(max(abs((turn + shift) % 6 - 3) - 1, 0), 1) for shift in (0, 4, 2)]
    return tuple(round(70 + 150 * each) for each in ramp)


@dataclass
class Look:
    """How a survey is to be shown.

    Attributes
    ----------
    threshold : float
        Probability under which a cell is shown as unsure.
    hidden : set of int
        Classes that are switched off.
    smooth : bool
        Whether a cell's probabilities are averaged with its neighbours'.
    """

    threshold: float
    hidden: set[int]
    smooth: bool = False


class Painter:
    """Paints a survey; what costs time is kept until the survey changes.

    Parameters
    ----------
    survey : Survey
    """

    def __init__(self, survey: Survey):
        self._survey = survey
        self._kept: dict[bool, tuple[int, np.ndarray, np.ndarray]] = {}

    def best(self, smooth: bool) -> tuple[np.ndarray, np.ndarray]:
        """Most probable class int [N] and its probability float32 [N] of every cell."""
        version = self._survey.version
        kept = self._kept.get(smooth)
        if kept is None or kept[0] != version:
            scores = self._survey.scores
            if smooth:
                scores = smoothed(self._survey, scores)
            classes = scores.argmax(1)
            kept = version, classes, scores[np.arange(len(scores)), classes]
            self._kept[smooth] = kept
        return kept[1:]

    def classes(self, look: Look) -> np.ndarray:
        """What is shown of each cell, int [N]: a class, `NOTHING`, `UNSURE` or `HIDDEN`."""
        classes, probability = self.best(look.smooth)
        shown = np.where(probability >= look.threshold, classes, UNSURE)
        if look.hidden:
            off = np.zeros(len(self._survey.model.labels), bool)
            off[list(look.hidden)] = True
            shown[off[classes] & (shown != UNSURE)] = HIDDEN
        shown[~self._survey.classified] = NOTHING
        return shown

    def paint(self, look: Look) -> np.ndarray:
        """The picture, uint8 [rows, columns, 4], red, green, blue and opacity."""
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
        """Cells and hectares of each class that is there, whether switched off or not; and of
        `UNSURE`.
        """
        shown = self.classes(Look(look.threshold, set(), look.smooth))
        # Counted with what is no class in front.
        cells = np.bincount(shown - UNSURE)
        hectares = np.bincount(shown - UNSURE, self._survey.grid.hectares)
        return {
            place + UNSURE: (int(cells[place]), float(hectares[place]))
            for place in np.flatnonzero(cells).tolist()
            if place + UNSURE != NOTHING
        }


def smoothed(survey: Survey, scores: np.ndarray) -> np.ndarray:
    """Probabilities averaged with those of the eight classified neighbours, float32 [N, C]."""
    grid = survey.grid
    classified = survey.classified
    weighted = np.zeros((grid.rows + 2, grid.columns + 2, scores.shape[1] + 1), np.float32)
    values = np.concatenate([scores, np.ones((len(scores), 1), np.float32)], 1)
    values[~classified] = 0
    weighted[1:-1, 1:-1] = grid.spread(values, 0)
    # A box of 3 x 3 is a box of 3 along the rows, then along the columns.
    along = weighted[:, :-2] + weighted[:, 1:-1] + weighted[:, 2:]
    total = along[:-2] + along[1:-1] + along[2:]
    total += (OWN_WEIGHT - 1) * weighted[1:-1, 1:-1]
    flat = total.reshape(-1, total.shape[-1])[grid.cells]
    means = flat[:, :-1] / np.maximum(flat[:, -1:], 1)
    for cell, class_id in survey.corrections.items():
        means[cell] = 0
        means[cell, class_id] = 1
    means[~classified] = 0
    return means

"""What changed as a picture: each square in the colours of what it was and what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pyapp.core.change.change import Change, Outcome
from pyapp.core.survey.colours import node_colours

if TYPE_CHECKING:
    from numpy.typing import NDArray

CANT_TELL_RGBA = (128, 128, 128, 110)
TO_LOOK_AT_RGBA = (255, 255, 255, 90)
# Pixels to a side of a square, so that it can be cut along its diagonal; if there are very many
# squares, each is one pixel in the colour of what it is.
CELL_PX, MANY = 12, 60_000


def paint(change: Change) -> NDArray[np.uint8]:
    """Paint a comparison.

    Above the diagonal of a changed square is the colour of what it was, below it of what it is.
    What is the same stays clear, and what can't be told is grey.

    Returns
    -------
    ndarray of uint8, shape (rows * k, columns * k, 4)
        k is `CELL_PX`, or 1 for more than `MANY` squares.
    """
    colours = np.array([(*each, 255) for each in node_colours(change.before.model.tree)], np.uint8)
    changed = change.outcome == Outcome.CHANGED
    was, is_now = (_plain(change) for _ in range(2))
    was[changed] = colours[change.nodes[changed, 0]]
    is_now[changed] = colours[change.nodes[changed, 1]]
    grid = change.before.grid
    laid = [grid.spread(each, 0) for each in (was, is_now)]
    if grid.rows * grid.columns > MANY:
        return laid[1]
    above = np.add.outer(np.arange(CELL_PX), np.arange(CELL_PX)) < CELL_PX - 1
    large = [each.repeat(CELL_PX, 0).repeat(CELL_PX, 1) for each in laid]
    mask = np.tile(above, (grid.rows, grid.columns))
    return np.where(mask[..., np.newaxis], *large)


def _plain(change: Change) -> NDArray[np.uint8]:
    """Colours of the squares of which it isn't said that they have changed."""
    table = np.full((len(Outcome), 4), CANT_TELL_RGBA, np.uint8)
    table[Outcome.SAME] = 0
    table[Outcome.TO_LOOK_AT] = TO_LOOK_AT_RGBA
    return table[change.outcome]

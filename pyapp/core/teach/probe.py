"""Does a model fit a place? What it says of some squares that are spread over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.grid import Grid
from pyapp.core.model.nodes import Level
from pyapp.core.model.prediction import Prediction

PROBES = 64
# Steps of the R2 sequence, which fills a plane evenly (M. Roberts 2018): the plastic number.
PLASTIC = 1.3247179572447460
TRIES = 40


class Fit(NamedTuple):
    """What a model says of some squares.

    Attributes
    ----------
    squares : int
        That were looked at.
    named : int
        That are answered with a class.
    grouped : int
        That are answered with a group of classes.
    unfamiliar : int
        That are unlike what the model was trained on.
    unclear : tuple of str
        Classes that come nearest in squares without an answer, the most frequent first.
    """

    squares: int
    named: int
    grouped: int
    unfamiliar: int
    unclear: tuple[str, ...]


def spread_cells(grid: Grid, count: int = PROBES) -> list[int]:
    """Numbers of cells that are spread evenly over a grid; the same each time."""
    if len(grid) <= count:
        return list(range(len(grid)))
    west, south, east, north = grid.bounds
    found: dict[int, None] = {}
    for step in range(1, TRIES * count):
        right, up = step / PLASTIC % 1, step / PLASTIC**2 % 1
        place = LngLat(west + right * (east - west), south + up * (north - south))
        number = grid.number_at(place)
        if number is not None:
            found[number] = None
        if len(found) == count:
            break
    return list(found)


def fit_of(predictions: Sequence[Prediction]) -> Fit:
    """Count what a model says of squares."""
    answers = [each.answer for each in predictions]
    unclear: dict[str, int] = {}
    for each in predictions:
        if each.answer is None:
            unclear[each.best.label] = unclear.get(each.best.label, 0) + 1
    return Fit(
        squares=len(predictions),
        named=sum(1 for each in answers if each is not None and each.level == Level.CLASS),
        grouped=sum(1 for each in answers if each is not None and each.level != Level.CLASS),
        unfamiliar=sum(1 for each in predictions if not each.familiar),
        unclear=tuple(sorted(unclear, key=lambda each: (-unclear[each], each))),
    )

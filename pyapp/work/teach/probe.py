"""Looks at some squares of an area: whether a model fits there, and which to label next."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pyapp.core.errors import LargeAreaError, ModelError, TileError
from pyapp.core.ground.area import Area
from pyapp.core.ground.geo import Footprint
from pyapp.core.ground.grid import plan
from pyapp.core.imagery.source import Source
from pyapp.core.model.prediction import EMBEDDING, Prediction, predictions
from pyapp.core.teach.probe import spread_cells
from pyapp.work.ground import Ground
from pyapp.work.models import Models

BATCH = 4


class Probed(NamedTuple):
    """What was found in some squares of an area.

    Attributes
    ----------
    footprints : list of Footprint
    embedding : ndarray of float32, shape (N, D)
    predictions : list of Prediction
        By the model's own classes, or the taught ones if they were in use.
    network : str
        Digest of the network.
    without_imagery : int
        Squares that could not be read.
    """

    footprints: list[Footprint]
    embedding: np.ndarray
    predictions: list[Prediction]
    network: str
    without_imagery: int


class Probe:
    """Looks at squares that are spread over an area.

    Parameters
    ----------
    models : Models
    ground : Ground
    """

    def __init__(self, models: Models, ground: Ground):
        self._models = models
        self._ground = ground

    async def look(
        self, area: Area, source: Source, progress: Callable[[int, int], None]
    ) -> Probed:
        """Look at squares of an area.

        Parameters
        ----------
        area : Area
        source : Source
        progress : callable taking int and int
            Called with how many are done, and how many there are.

        Raises
        ------
        AreaError, TileError, ModelError
            A single square without imagery is left out; if all are, the last reason is raised.
        """
        runner, taught = self._models.runner, self._models.taught
        if runner is None:
            raise self._models.error or ModelError("The model is still being loaded.")
        grid = plan(area, runner.card.footprint_m, coarse_step(area, runner.card.footprint_m))
        numbers = spread_cells(grid)
        chips, places, reason = [], [], None
        found: list[dict[str, np.ndarray]] = []
        for done, number in enumerate(numbers):
            progress(done, len(numbers))
            footprint = grid.footprint(number)
            try:
                chips.append((await self._ground.chip(source, footprint, runner.card)).pixels)
                places.append(footprint)
            except TileError as error:
                reason = error
            if len(chips) == BATCH or (chips and number == numbers[-1]):
                found.append(await runner.run(np.stack(chips)))
                chips = []
            await asyncio.sleep(0)
        if not found:
            raise reason or ModelError("There is no square to look at. Choose another area.")
        outputs = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
        said = (
            predictions(runner.card, outputs)
            if taught is None
            else predictions(taught.card, taught.outputs(outputs))
        )
        left_out = len(numbers) - len(places)
        return Probed(places, outputs[EMBEDDING], said, runner.card.sha256, left_out)


def coarse_step(area: Area, side_m: float) -> float:
    """The finest step with which the area has no more cells than a survey may have."""
    try:
        plan(area, side_m, 1.0)
    except LargeAreaError as error:
        return error.fitting or 16.0
    return 1.0

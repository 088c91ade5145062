"""From a square of ground, or a picture, to an answer."""

from dataclasses import dataclass, replace

import numpy as np

from pyapp.core.errors import ModelError
from pyapp.core.ground.geo import Footprint
from pyapp.core.imagery.source import Source
from pyapp.core.model.card import Card
from pyapp.core.model.prediction import Prediction, predictions
from pyapp.work.ground import Ground, GroundChip
from pyapp.work.models import Models
from pyapp.work.ports import Clock
from pyapp.work.runner import Runner

# Footprints around the model's own, as shares of its side.
SIZES = (0.7, 0.85, 1.0, 1.2, 1.4)
OWN_PICTURE = "a picture of your own"


@dataclass(frozen=True)
class Answer:
    """What was found under one square, and how.

    Attributes
    ----------
    place : Footprint or None
        The ground; ``None`` for a picture of the person's own.
    credit : str
        Whose imagery it is.
    chip : GroundChip
    card : Card
        Of the model.
    prediction : Prediction
    infer_ms : float
        From handing the chip to the runtime until its outputs were there.
    date : str
        When the imagery was taken, if that is known.
    """

    place: Footprint | None
    credit: str
    chip: GroundChip
    card: Card
    prediction: Prediction
    infer_ms: float
    date: str = ""


class Classifier:
    """Classifies with the model in use.

    Parameters
    ----------
    models : Models
    ground : Ground
    clock : Clock
    """

    def __init__(self, models: Models, ground: Ground, clock: Clock):
        self._models = models
        self._ground = ground
        self._clock = clock

    async def square(self, footprint: Footprint, source: Source) -> Answer:
        """What is in a square of ground.

        Raises
        ------
        TileError, InferenceError
        """
        runner = self._runner()
        start_ms = self._clock.now_ms()
        chip = await self._ground.chip(source, footprint, runner.card)
        self._clock.measure("lookdown:read", start_ms, start_ms + chip.read_ms)
        answer = await self._answer(runner, chip, footprint, source.credit)
        return replace(answer, date=source.date)

    async def picture(self, data: bytes) -> Answer:
        """What is in the middle of an encoded picture.

        Raises
        ------
        NotAPictureError, InferenceError
        """
        runner = self._runner()
        chip = await self._ground.picture_chip(data, runner.card)
        return await self._answer(runner, chip, None, OWN_PICTURE)

    async def sizes(self, footprint: Footprint, source: Source) -> list[Prediction]:
        """What is in squares of `SIZES` around a place.

        Raises
        ------
        TileError, InferenceError
        """
        runner = self._runner()
        centre, side_m = footprint
        chips = [
            (await self._ground.chip(source, Footprint(centre, share * side_m), runner.card)).pixels
            for share in SIZES
        ]
        return predictions(runner.card, await runner.run(np.stack(chips)))

    async def _answer(
        self, runner: Runner, chip: GroundChip, place: Footprint | None, credit: str
    ) -> Answer:
        start_ms = self._clock.now_ms()
        outputs = await runner.run(chip.pixels[np.newaxis])
        end_ms = self._clock.now_ms()
        (prediction,) = predictions(runner.card, outputs)
        self._clock.measure("lookdown:prepare", start_ms - chip.prepare_ms, start_ms)
        self._clock.measure("lookdown:infer", start_ms, end_ms)
        return Answer(place, credit, chip, runner.card, prediction, end_ms - start_ms)

    def _runner(self) -> Runner:
        if self._models.runner is None:
            raise self._models.error or ModelError("The model is still being loaded.")
        return self._models.runner

"""From a square of ground, or a picture, to an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from pyapp.core.imagery.part import Part
    from pyapp.core.imagery.photo import Photo
    from pyapp.core.teach.taught import Taught

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

    async def part(self, photo: Photo, part: Part) -> Answer:
        """What is in a square of a picture.

        Raises
        ------
        InferenceError
        """
        runner = self._runner()
        chip = self._ground.photo_chip(photo, part, runner.card)
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
        outputs = await runner.run(np.stack(chips))
        return predictions(*_said(runner, self._models.taught, outputs))

    async def again(self, answer: Answer) -> Answer:
        """What the model in use says of the chip of an earlier answer.

        Raises
        ------
        InferenceError
        """
        return await self._answer(self._runner(), answer.chip, answer.place, answer.credit)

    async def _answer(
        self, runner: Runner, chip: GroundChip, place: Footprint | None, credit: str
    ) -> Answer:
        start_ms = self._clock.now_ms()
        outputs = await runner.run(chip.pixels[np.newaxis])
        end_ms = self._clock.now_ms()
        card, outputs = _said(runner, self._models.taught, outputs)
        (prediction,) = predictions(card, outputs)
        self._clock.measure("lookdown:prepare", start_ms - chip.prepare_ms, start_ms)
        self._clock.measure("lookdown:infer", start_ms, end_ms)
        return Answer(place, credit, chip, card, prediction, end_ms - start_ms)

    def _runner(self) -> Runner:
        if self._models.runner is None:
            raise self._models.error or ModelError("The model is still being loaded.")
        return self._models.runner


def _said(
    runner: Runner, taught: Taught | None, outputs: dict[str, np.ndarray]
) -> tuple[Card, dict[str, np.ndarray]]:
    """What a network says by its own last layer or by a taught one, and the card for it."""
    if taught is None or taught.card.network != runner.card.sha256:
        return runner.card, outputs
    return taught.card, taught.outputs(outputs)

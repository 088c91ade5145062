"""What another model says of the same place; the model in use stays in use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyapp.core.errors import ModelError
from pyapp.core.ground.geo import Footprint, LngLat
from pyapp.core.imagery.source import Source
from pyapp.core.model.listing import ListedModel
from pyapp.core.model.prediction import predictions
from pyapp.work.classifier import Answer
from pyapp.work.ground import Ground
from pyapp.work.loading import ModelFiles
from pyapp.work.models import Models
from pyapp.work.ports import Arrived, Clock


@dataclass
class SecondOpinion:
    """Asks a model that is not in use: it is opened for the question, and closed after it."""

    models: Models
    files: ModelFiles
    ground: Ground
    clock: Clock

    @property
    def others(self) -> list[ListedModel]:
        """The models that can be asked besides the one in use."""
        runner = self.models.runner
        if runner is None:
            return []
        return [each for each in self.models.listed if each.name != runner.card.name]

    async def ask(
        self, name: str, centre: LngLat, source: Source, arrived: Arrived | None = None
    ) -> Answer:
        """What a model says of the square of its own side around a place.

        ``arrived(n)`` is called as its file arrives, with the number of bytes so far.

        Raises
        ------
        ModelError, TileError, InferenceError
        """
        runner = self.models.runner
        if runner is None:
            raise self.models.error or ModelError("The model is still being loaded.")
        card = await self.files.card(name)
        place = Footprint(centre, card.footprint_m)
        chip = await self.ground.chip(source, place, card)
        # Whether a faster backend runs this model correctly was never measured.
        network = await self.files.network(card, runner.device.backends[0], arrived)
        try:
            start_ms = self.clock.now_ms()
            outputs = await network.run(chip.pixels[np.newaxis])
            infer_ms = self.clock.now_ms() - start_ms
        finally:
            await network.close()
        (prediction,) = predictions(card, outputs)
        return Answer(place, source.credit, chip, card, prediction, infer_ms, source.date)

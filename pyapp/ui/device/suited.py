"""Another model, offered where the imagery is too coarse for the one in use."""

from dataclasses import dataclass

from pyscript import web

from pyapp.core.model.listing import ListedModel, better_suited
from pyapp.ui.device.model import ModelChoice
from pyapp.ui.device.wording import suited
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.dom import on
from pyapp.work.models import Models


@dataclass
class SuitedModel:
    """A sentence with a button beside the answer, while there is a reason for it."""

    models: Models
    square: Square
    imagery: ImageryPanel
    choice: ModelChoice

    def __post_init__(self):
        self._box = web.page["suited"]
        self._said = self._box.find("p")[0]
        self._button = self._box.find("button")[0]
        self._offered: ListedModel | None = None
        on("click", self._button, self._take)
        self.imagery.on_pick(self._look)
        self.square.on_move(self._look)
        self.models.on_change(self._model_changed)

    async def _model_changed(self) -> None:
        self._look()

    def _look(self) -> None:
        """See whether the imagery under the square is fine enough."""
        runner, found = self.models.runner, None
        if runner is not None:
            lat = self.square.footprint.centre.lat
            found = better_suited(
                self.models.listed, runner.card.resolution_m, self.imagery.source, lat
            )
        if found == self._offered:
            return
        self._offered = found
        if found is not None and found.footprint_m is not None:
            self._said.textContent = suited(found.footprint_m)
            self._button.textContent = f"Use {found.title}"
        self._box.hidden = found is None

    def _take(self) -> None:
        if self._offered is not None:
            self.choice.pick(self._offered.name, answer_anew=True)

"""Does the model fit here? 64 squares of the area are looked at, and one sentence says it."""

import asyncio
from dataclasses import dataclass

from pyscript import web

from pyapp.core.errors import LookdownError
from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import LngLat
from pyapp.core.teach.probe import fit_of
from pyapp.ui.answer.wording import UNKNOWN
from pyapp.ui.shell.dom import on
from pyapp.ui.survey.plan import Plan
from pyapp.ui.teach.wording import fits_here
from pyapp.work.busy import Busy
from pyapp.work.models import Models
from pyapp.work.tasks import Tasks
from pyapp.work.teach.probe import Probe, Probed


@dataclass
class FitCheck:
    """Looks at some squares of the survey's area, or of what the map shows."""

    probe: Probe
    plan: Plan
    models: Models
    busy: Busy
    tasks: Tasks
    probed: Probed | None = None
    _task: "asyncio.Task[None] | None" = None

    def __post_init__(self):
        self._button = web.page["fit-check"]
        self._said = web.page["fit-said"]
        on("click", self._button, self.ask)

    def ask(self) -> None:
        """Find out; pressed again, stop."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
        else:
            self._task = self.tasks.start(self._ask())

    async def _ask(self) -> None:
        card = self.models.card
        if card is not None and not card.judged:
            self._say(f"Whether {card.title} fits can't be told: {UNKNOWN}.")
            return
        self._button.textContent = "Stop"
        try:
            await self.look()
        except asyncio.CancelledError:
            self._said.hidden = True
            raise
        except LookdownError as error:
            self._say(str(error))
            return
        finally:
            self._button.textContent = "Does it fit here?"
        card = self.models.card
        if self.probed is not None and card is not None:
            fit = fit_of(self.probed.predictions)
            self._say(fits_here(fit, card.title, self.probed.without_imagery))

    async def look(self) -> None:
        """Look at squares; `probed` is what was found.

        Raises
        ------
        AreaError, TileError, ModelError
        """
        area = self.plan.area
        if area is None:
            west, south, east, north = self.plan.ground_map.window
            area = rectangle(LngLat(west, north), LngLat(east, south))
        with self.busy.doing("probe"):
            self.probed = await self.probe.look(
                area,
                self.plan.imagery.source,
                lambda done, count: self._say(f"Looking at square {done + 1} of {count}"),
            )
        self._said.hidden = True

    def _say(self, text: str) -> None:
        self._said.hidden = False
        self._said.textContent = text

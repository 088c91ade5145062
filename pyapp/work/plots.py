"""Plots at work: as a survey is, but stored with the file that they came in."""

import json
import uuid
from datetime import datetime

from pyapp.core.errors import LookdownError
from pyapp.core.imagery.source import Source
from pyapp.core.plots.errors import PlotStoreError
from pyapp.core.plots.plots import Plots
from pyapp.core.plots.run import PlotRun, slim
from pyapp.core.survey.batch import Batch
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from pyapp.work.batches import BATCHES, DAMAGED, FACTS, StoredBatches
from pyapp.work.ports import Records
from pyapp.work.session import Session

INPUT = "input"
TABLES = (FACTS, INPUT, BATCHES)


class PlotStore:
    """Plots in a database; one file of them is open at a time.

    Parameters
    ----------
    records : Records
    """

    def __init__(self, records: Records):
        self._records = records
        self._batches = StoredBatches(records, "closed", PlotStoreError, INPUT)
        self._ask = self._batches.ask
        self._there: set[str] = set()

    async def put(self, run: PlotRun) -> None:
        """Store the facts of plots, and once the file that they came in.

        Raises
        ------
        PlotStoreError
            If there is no room.
        """
        if run.id not in self._there:
            await self._ask(self._records.put(INPUT, run.id, {"json": run.plots.to_json()}))
            self._there.add(run.id)
        await self._ask(self._records.put(FACTS, run.id, {"json": run.to_json()}))

    async def add(self, run: PlotRun, batch: Batch) -> None:
        """Store what came out.

        Raises
        ------
        PlotStoreError
            If there is no room.
        """
        await self._batches.add(run.id, slim(batch))

    async def newest(self) -> PlotRun | None:
        """The plots that were open last, as far as they were stored; damaged parts wait again.

        Raises
        ------
        PlotStoreError
            If the database can't be read.
        """
        found = []
        for each in await self._ask(self._records.all(FACTS)):
            try:
                facts = json.loads(each["json"])
                if not each.get("closed"):
                    found.append((str(facts["made"]), str(facts["id"])))
            except DAMAGED:
                continue
        for _, run_id in sorted(found, reverse=True):
            run = await self._load(run_id)
            if run is not None:
                return run
        return None

    async def close(self, run_id: str, closed: bool) -> None:
        """Take plots as closed, or as open again; `sweep` deletes closed ones for good.

        Raises
        ------
        PlotStoreError
        """
        await self._batches.mark(run_id, closed)

    async def sweep(self) -> None:
        """Delete for good what was closed during an earlier visit.

        Raises
        ------
        PlotStoreError
        """
        await self._batches.sweep()

    async def _load(self, run_id: str) -> PlotRun | None:
        """Plots as they were stored; ``None`` if what is needed of them is damaged."""
        facts = await self._ask(self._records.get(FACTS, run_id))
        given = await self._ask(self._records.get(INPUT, run_id))
        try:
            plots = Plots.from_json((given or {})["json"])
            run = PlotRun.from_json((facts or {})["json"], plots)
        except (*DAMAGED, LookdownError):
            return None
        self._there.add(run_id)
        await self._batches.give(run_id, run)
        return run


class PlotSession(Session[PlotRun]):
    """The plots at work, if there are some."""

    def begin(self, plots: Plots, source: Source) -> PlotRun:
        """Plots with the model in use, nothing classified yet; `work_on` starts them."""
        card = self._models.card
        assert card is not None, "plots need a model"
        return PlotRun(
            id=uuid.uuid4().hex,
            made=datetime.now().isoformat(timespec="microseconds"),
            plots=plots,
            side_m=card.footprint_m,
            model=ModelFacts.of(card),
            imagery=ImageryFacts.of(source),
        )

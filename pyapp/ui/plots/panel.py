"""The room for plots: opened by a file, classified one by one, saved with their columns."""

import asyncio
import re
from dataclasses import dataclass
from functools import partial

from pyscript import web

from pyapp.bridge import browser
from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.overlays import PictureOverlay
from pyapp.core.address import View
from pyapp.core.errors import ForbiddenSurveyError, StoreError
from pyapp.core.plots.files import to_csv, to_geojson
from pyapp.core.plots.listing import dots
from pyapp.core.plots.plots import Plots
from pyapp.core.plots.run import PlotRun
from pyapp.core.state import CellState
from pyapp.core.survey.survey import AGAIN
from pyapp.ui.answer.classify import Classify
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square
from pyapp.ui.plots.table import PlotTable
from pyapp.ui.plots.wording import found_said, plots_said, progress, swapped_said
from pyapp.ui.shell.dom import on, toggle
from pyapp.ui.shell.history import History
from pyapp.ui.shell.notice import IMAGERY, Notice
from pyapp.work.models import Models
from pyapp.work.plots import PlotSession, PlotStore
from pyapp.work.tasks import Tasks

TICK_S = 0.5
CLOSE_ZOOM = 16
KINDS = {
    "csv": ("text/csv", to_csv),
    "geojson": ("application/geo+json", to_geojson),
}


@dataclass
class PlotPanel:
    """Plots of one file, and how far they are."""

    ground_map: GroundMap
    square: Square
    classify: Classify
    imagery: ImageryPanel
    models: Models
    session: PlotSession
    store: PlotStore
    history: History
    notice: Notice
    tasks: Tasks
    run: PlotRun | None = None

    def __post_init__(self):
        self._details = web.page["plots"]
        self._summary = self._details.find("summary span")[0]
        self._found = web.page["plots-found"]
        self._doubt = web.page["plots-doubt"]
        self._bar = web.page["plots-bar"]
        self._said = web.page["plots-said"]
        self._start = web.page["plots-start"]
        self._cancel = web.page["plots-cancel"]
        self._retry = web.page["plots-retry"]
        self._dots = PictureOverlay(self.ground_map, "plot-dots")
        self._table = PlotTable(self.go_to)
        on("click", self._start, self.press)
        on("click", self._cancel, self.cancel)
        on("click", self._retry, self._try_again)
        on("click", web.page["plots-swap"], self.swap)
        on("click", web.page["plots-close"], self.close)
        for kind in KINDS:
            on("click", web.page[f"plots-{kind}"], partial(self.save, kind))
        self.ground_map.on("moveend resize", lambda _event: self._paint())
        self.imagery.on_pick(self._show)
        self.models.on_change(self._model_changed)
        self.session.on_change(self._work_changed)
        browser.on_window(
            "pagehide", lambda _event: self.tasks.start(self.session.save(), now=True)
        )

    async def begin(self) -> None:
        """Show the plots that were open when the page was closed."""
        try:
            await self.store.sweep()
            run = await self.store.newest()
        except StoreError:
            # That is told when there is something to store.
            return
        if run is not None and self.run is None:
            self._put(run)

    def open(self, plots: Plots) -> None:
        """Show the plots of a file, in place of others, which undo brings back."""
        if self.session.goes_on:
            self.notice.say("Plots are being classified. Pause them before you open other ones.")
            return
        if self.models.runner is None:
            self.notice.say("The model is still being loaded. Open the file again in a moment.")
            return
        before = self.run
        if before is not None:
            self.tasks.start(self.store.close(before.id, True))
            self.history.add("other plots", lambda: self._bring_back(before))
        self._put(self.session.begin(plots, self.imagery.source))
        self._details.open = True
        self._go_there()

    def toggle(self) -> None:
        """Open or close the panel, once there are plots."""
        if self.run is not None:
            toggle(self._details)

    def fold(self) -> None:
        """Close the panel; the plots stay."""
        self._details.open = False

    def swap(self) -> None:
        """Exchange longitude and latitude, as long as nothing was classified."""
        if self.run is None or not self.run.is_new or self.session.goes_on:
            return
        self._put(self.session.begin(self.run.plots.exchanged(), self.imagery.source))
        self._go_there()

    def press(self) -> None:
        """Begin, pause or go on, whichever can be done."""
        if self.session.goes_on:
            self.tasks.start(self.session.pause())
        else:
            self._work()

    def cancel(self) -> None:
        """End the work where it is; what was classified stays."""
        if self.run is not None:
            self.tasks.start(self._end(self.run))

    def close(self) -> None:
        """Take the plots off the page; undo brings them back."""
        run = self.run
        if run is None:
            return
        self.tasks.start(self._close(run))
        self.history.add("removing the plots", lambda: self._bring_back(run))

    def save(self, kind: str) -> None:
        """Save the plots with what was found, as far as they are."""
        if self.run is None:
            return
        media, make = KINDS[kind]
        stem = re.sub(r"[^\w.-]+", "-", self.run.name.rpartition(".")[0] or self.run.name)
        name = f"{stem.strip('-.') or 'plots'}-classified.{kind}"
        browser.save_file(name, make(self.run), media)

    def go_to(self, row: int) -> None:
        """Put the square on a plot, and show what the model says there."""
        run = self.run
        if run is None or run.cell_of[row] < 0:
            self.notice.say(f"Row {row + 1:,} has no coordinates that lie on the map.")
            return
        before = self.square.footprint
        self.history.add("moving the square", lambda: self.square.cover(before), self.square)
        footprint = run.grid.footprint(int(run.cell_of[row]))
        if self.ground_map.view.zoom < CLOSE_ZOOM:
            self.ground_map.show(View(footprint.centre, CLOSE_ZOOM))
        else:
            self.ground_map.include(footprint.centre)
        self.square.cover(footprint)
        if run.state[run.cell_of[row]] == CellState.CLASSIFIED and not self.session.goes_on:
            self.classify.press_anew()

    def _work(self) -> None:
        """Work on the imagery and with the model that the plots began with, or those in use now."""
        run, runner = self.run, self.models.runner
        if run is None or runner is None:
            return
        if run.is_new:
            # Nothing is bound to another model or other imagery yet.
            source = self.imagery.source
            if not source.allows.bulk:
                place = self.ground_map.view.centre
                readable = self.imagery.readable(place, bulk=True)
                self.notice.tell(ForbiddenSurveyError(source.name, readable), IMAGERY)
                return
            self._put(self.session.begin(run.plots, source))
            assert self.run is not None
            self.session.work_on(self.run, source)
            return
        found = self.imagery.find(run.imagery)
        if found is None:
            self.notice.say(
                f"These plots were started on {run.imagery.name}, which is not chosen now. "
                "Choose that imagery to resume.",
                IMAGERY,
            )
        elif not self.models.can_continue(run.model.sha256):
            self.notice.say(
                f"These plots were started with the model {run.model.title}, which is not the one "
                "in use. Choose that model to resume, or open the file again."
            )
        else:
            self.session.work_on(run, found)

    def _try_again(self) -> None:
        if self.run is not None and not self.session.goes_on and self.run.look_again():
            self._work()

    async def _end(self, run: PlotRun) -> None:
        await self.session.cancel(run)
        self._show()

    async def _close(self, run: PlotRun) -> None:
        if self.session.survey is run:
            await self.session.pause()
        self._put(None)
        await self.store.close(run.id, True)

    def _bring_back(self, run: PlotRun) -> None:
        if self.session.goes_on:
            self.notice.say("Plots are being classified. Pause them before you bring others back.")
            return
        self.tasks.start(self.store.close(run.id, False))
        self._put(run)

    def _put(self, run: PlotRun | None) -> None:
        self.run = run
        self._details.hidden = run is None
        self._table.show(run)
        self._show()

    def _go_there(self) -> None:
        if self.run is not None and len(self.run.grid):
            if not self.ground_map.shows(self.run.grid.bounds):
                self.ground_map.fit(self.run.grid.bounds)
            self._paint()

    async def _model_changed(self) -> None:
        self._show()

    def _work_changed(self) -> None:
        """Plots began to be classified, are about to pause, or have stopped."""
        self._show()
        run = self.session.survey
        if run is not None and not self.session.pausing:
            self.tasks.start(self._keep_showing(run))

    async def _keep_showing(self, run: PlotRun) -> None:
        while self.session.survey is run:
            await asyncio.sleep(TICK_S)
            self._show()

    def _show(self) -> None:
        """Show how far the plots are."""
        run, goes_on = self.run, self.session.goes_on
        if run is None:
            self._summary.textContent = "Plots"
            self._dots.clear()
            return
        count, waiting = len(run.grid), run.count(CellState.WAITING)
        self._found.textContent = found_said(run)
        doubtful = run.is_new and run.plots.seem_swapped(self.imagery.source)
        self._doubt.hidden = not doubtful
        if doubtful:
            self._doubt.find("span")[0].textContent = swapped_said(run)
        web.page["plots-swap"].hidden = not run.is_new or goes_on
        self._bar.hidden = run.is_new or not waiting
        self._bar.value = (count - waiting) / max(count, 1)
        done = 100 * (count - waiting) // max(count, 1)
        self._summary.textContent = f"Plots {done} %" if waiting and not run.is_new else "Plots"
        self._said.textContent = progress(run, goes_on, self.session.rate)
        self._start.hidden = not waiting
        self._start.disabled = self.session.pausing or self.models.runner is None
        begin = f"Classify {plots_said(count)}" if run.is_new else "Resume"
        self._start.textContent = "Pause" if goes_on else begin
        self._cancel.hidden = not waiting or run.is_new
        failed = run.count(*AGAIN)
        self._retry.hidden = not failed or goes_on or bool(waiting)
        self._retry.textContent = f"Retry {plots_said(failed)}"
        self._table.renew()
        self._paint()

    def _paint(self) -> None:
        if self.run is None or not len(self.run.grid):
            return
        window = self.ground_map.window
        self._dots.show(dots(self.run, window, *self.ground_map.size_px), window)

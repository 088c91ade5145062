"""The parts of `pyapp.work` joined for this machine, as ``ui/page.py`` joins them for the page."""

from __future__ import annotations

import sys
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pyapp.core.errors import LookdownError
from pyapp.core.imagery.source import Source
from pyapp.native.device import Machine, NativeClock, NoSettings
from pyapp.native.errors import UnknownModelError
from pyapp.native.fetch import RATE, NativeFetch
from pyapp.native.home import files_of
from pyapp.native.imagery import decode, listed
from pyapp.native.runtime import NativeRuntime
from pyapp.work.busy import Busy
from pyapp.work.classifier import Classifier
from pyapp.work.ground import Ground
from pyapp.work.loading import ModelFiles
from pyapp.work.models import Models
from pyapp.work.ports import Fetch
from pyapp.work.tasks import Tasks

AGENT = "Lookdown (aerial scene classification, run by a person)"
MODELS = "models"


@dataclass
class Native:
    """What the commands work with; `told` are the errors of work that nobody waits for."""

    sources: list[Source]
    ground: Ground
    models: Models
    files: ModelFiles
    classifier: Classifier
    clock: NativeClock
    tasks: Tasks
    busy: Busy
    told: list[LookdownError]

    async def use(self, model: str | None) -> None:
        """Load a model; the default one, if none is named.

        Raises
        ------
        ModelError
        """
        if model is not None and self.models.listed and self.models.find(model) is None:
            raise UnknownModelError(model, [each.name for each in self.models.listed])
        await self.models.load_first(model)


@asynccontextmanager
async def opened(
    site: Path | None = None,
    rate: float = RATE,
    cores: int | None = None,
    through: Callable[[Fetch], Fetch] | None = None,
) -> AsyncIterator[Native]:
    """All parts; their connections and threads end with the context.

    Parameters
    ----------
    site : Path, optional
        See `files_of`.
    rate : float
        Requests a second to one host.
    cores : int, optional
        How many to use, if not all.
    through : callable, optional
        What all imagery is read through, made of what reads it otherwise.

    Raises
    ------
    HomeError
    """
    files = files_of(site)
    clock, machine, settings = NativeClock(), Machine(cores), NoSettings()
    told: list[LookdownError] = []
    async with NativeFetch(files, AGENT, rate) as fetch:
        model_files = ModelFiles(fetch, NativeRuntime(), MODELS)
        models = Models(model_files, machine, settings, clock)
        read = fetch if through is None else through(fetch)
        ground = Ground(read, decode, clock, machine.read().cache_bytes)
        tasks = Tasks(told.append, _log)
        await models.read_list()
        try:
            yield Native(
                listed(files), ground, models, model_files, Classifier(models, ground, clock),
                clock, tasks, Busy(clock), told,
            )  # fmt: skip
        finally:
            await tasks.finish()
            if models.runner is not None:
                await models.runner.close()


def _log(error: BaseException) -> None:
    traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)

"""The model in use: its one owner."""

import asyncio
from collections.abc import Awaitable, Callable

from pyapp.core.errors import ModelError, ModelListError
from pyapp.core.model.listing import ListedModel
from pyapp.work.loading import ModelFiles
from pyapp.work.ports import Clock, Hardware, Settings
from pyapp.work.runner import Runner


class Models:
    """The models there are, and the one in use.

    A load that a later choice has overtaken is ignored, and what it loaded is closed.

    Parameters
    ----------
    files : ModelFiles
    hardware : Hardware
    settings : Settings
    clock : Clock

    Attributes
    ----------
    listed : list of ListedModel
        The default first; empty until `read_list`.
    runner : Runner or None
        The model in use; ``None`` until it is there.
    chosen : str or None
        Name of the model that is in use or being loaded.
    error : ModelError or None
        Why there is no model in use.
    """

    def __init__(self, files: ModelFiles, hardware: Hardware, settings: Settings, clock: Clock):
        self._files = files
        self._hardware = hardware
        self._settings = settings
        self._clock = clock
        self._choice = 0
        self._taking = asyncio.Lock()
        self._on_change: list[Callable[[], Awaitable[None]]] = []
        self.listed: list[ListedModel] = []
        self.runner: Runner | None = None
        self.chosen: str | None = None
        self.error: ModelError | None = None

    def on_change(self, handler: Callable[[], Awaitable[None]]) -> None:
        """Await ``handler()`` once another model is in use, before the one before is closed."""
        self._on_change.append(handler)

    async def read_list(self) -> None:
        """Read the list of models; if that fails, `load_first` raises the reason."""
        try:
            self.listed = await self._files.list()
        except ModelError as error:
            self.error = error

    async def load_first(self, wanted: str | None) -> None:
        """Use the wanted model, or the default if there is no such model.

        Raises
        ------
        ModelError
            If it can't be loaded.
        """
        if not self.listed:
            raise self.error or ModelListError
        names = [each.name for each in self.listed]
        await self.choose(wanted if wanted in names else names[0])

    async def choose(self, name: str) -> None:
        """Load a model and use it from then on, unless another one is chosen meanwhile.

        Raises
        ------
        ModelError
            If it can't be loaded; then the one before stays.
        """
        self._choice += 1
        choice, before_name = self._choice, self.chosen
        self.chosen = name
        try:
            runner = Runner(
                await self._files.card(name), self._files, self._hardware, self._settings,
                self._clock,
            )  # fmt: skip
            await runner.open()
        except ModelError as error:
            if choice != self._choice:
                return
            self.chosen = self.runner.card.name if self.runner is not None else before_name
            if self.runner is None:
                self.error = error
            raise
        self._clock.mark("lookdown:model")
        async with self._taking:
            if choice != self._choice:
                await runner.close()
                return
            before, self.runner, self.error = self.runner, runner, None
            for handler in self._on_change:
                await handler()
            if before is not None:
                await before.close()

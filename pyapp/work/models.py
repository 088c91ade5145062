"""The model in use: its one owner."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from pyapp.core.errors import (
    MissingModelError,
    ModelError,
    ModelListError,
    NotFetchedModelError,
)
from pyapp.core.model.card import Card
from pyapp.core.model.listing import ListedModel
from pyapp.work.loading import ModelFiles
from pyapp.work.own_models import is_own
from pyapp.work.ports import Clock, Hardware, Settings
from pyapp.work.runner import Runner
from pyapp.work.tasks import begin

if TYPE_CHECKING:
    from pyapp.core.teach.taught import Taught


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
    taught : Taught or None
        What a person taught it, if answers are to be given by that.
    """

    def __init__(self, files: ModelFiles, hardware: Hardware, settings: Settings, clock: Clock):
        self._files = files
        self._hardware = hardware
        self._settings = settings
        self._clock = clock
        self._choice = 0
        self._taking = asyncio.Lock()
        self._on_change: list[Callable[[], Awaitable[None]]] = []
        self._on_arrival: list[Callable[[Card, int], None]] = []
        self.listed: list[ListedModel] = []
        self.runner: Runner | None = None
        self.chosen: str | None = None
        self.error: ModelError | None = None
        self.taught: Taught | None = None
        self._on_teach: list[Callable[[], None]] = []

    @property
    def card(self) -> Card | None:
        """The facts about what gives the answers; ``None`` without a model."""
        if self.taught is not None:
            return self.taught.card
        return None if self.runner is None else self.runner.card

    def can_continue(self, sha256: str) -> bool:
        """Whether the model in use, as it is or as it was taught, is the one of this digest."""
        cards = [self.card, None if self.runner is None else self.runner.card]
        return sha256 in [each.sha256 for each in cards if each is not None]

    def use(self, taught: Taught | None) -> None:
        """Answer with what a person taught the model in use, or with its own classes again."""
        network = None if self.runner is None else self.runner.card.sha256
        if taught is not None and taught.card.network != network:
            return
        self.taught = taught
        for handler in self._on_teach:
            handler()

    def on_teach(self, handler: Callable[[], None]) -> None:
        """Call ``handler()`` once answers are given by another last layer of the same network."""
        self._on_teach.append(handler)

    def on_change(self, handler: Callable[[], Awaitable[None]]) -> None:
        """Await ``handler()`` once another model is in use, before the one before is closed."""
        self._on_change.append(handler)

    def on_arrival(self, handler: Callable[[Card, int], None]) -> None:
        """Call ``handler(card, n)`` as the file of the chosen model arrives: n bytes so far."""
        self._on_arrival.append(handler)

    async def read_list(self) -> None:
        """Read the list of models; if that fails, `load_first` raises the reason."""
        try:
            self.listed = await self._files.list()
        except ModelError as error:
            self.error = error

    async def relist(self) -> None:
        """List anew which models the person has opened."""
        shipped = [each for each in self.listed if not is_own(each.name)]
        self.listed = [*shipped, *await self._files.own_listed()]

    async def load_first(self, wanted: str | None) -> None:
        """Use the wanted model, or the default if there is no such model.

        Raises
        ------
        NotFetchedModelError
            If the wanted model did not arrive; then the default is in use.
        ModelError
            If there is no model in use.
        """
        if not self.listed:
            raise self.error or ModelListError
        default, first = self.listed[0].name, self.first(wanted).name
        try:
            await self.choose(first)
        except MissingModelError as error:
            if first == default:
                raise
            await self.choose(default)
            raise self._not_fetched(first) from error

    def first(self, wanted: str | None) -> ListedModel:
        """The wanted model of those listed, or the default if there is no such model."""
        return self.find(wanted or "") or self.listed[0]

    def find(self, name: str) -> ListedModel | None:
        """What is listed of a model; ``None`` if there is no such model."""
        return next((each for each in self.listed if each.name == name), None)

    async def choose(self, name: str) -> None:
        """Load a model and use it from then on, unless another one is chosen meanwhile.

        If it is cancelled or fails, the one before stays.

        Raises
        ------
        NotFetchedModelError
            If it did not arrive, and there is one before.
        ModelError
            If it can't be loaded.
        """
        self._choice += 1
        choice, before_name = self._choice, self.chosen
        self.chosen = name
        try:
            runner = Runner(
                await self._files.card(name), self._files, self._hardware, self._settings,
                self._clock,
            )  # fmt: skip
            await runner.open(lambda size: self._tell_arrival(choice, runner.card, size))
        except asyncio.CancelledError:
            if choice == self._choice:
                self.chosen = before_name if self.runner is None else self.runner.card.name
            raise
        except ModelError as error:
            if choice != self._choice:
                return
            if self.runner is None:
                self.chosen, self.error = before_name, error
                raise
            self.chosen = self.runner.card.name
            if isinstance(error, MissingModelError):
                raise self._not_fetched(name) from error
            raise
        self._clock.mark("lookdown:model")
        # Once it is there, it is too late to cancel: the parts of the page must agree.
        await asyncio.shield(begin(self._take(runner, choice)))

    async def _take(self, runner: Runner, choice: int) -> None:
        """Use a model, unless another one was chosen meanwhile."""
        async with self._taking:
            if choice != self._choice:
                await runner.close()
                return
            before, self.runner, self.error = self.runner, runner, None
            self.taught = None
            for handler in self._on_change:
                await handler()
            if before is not None:
                await before.close()

    def _tell_arrival(self, choice: int, card: Card, size: int) -> None:
        if choice == self._choice:
            for handler in self._on_arrival:
                handler(card, size)

    def _not_fetched(self, name: str) -> NotFetchedModelError:
        listed = self.find(name)
        used = self.runner.card.title if self.runner is not None else ""
        return NotFetchedModelError(name if listed is None else listed.title, used)

"""A model, run by the backend that suits the device, and by another one if that fails."""

import asyncio
import json
from collections.abc import Callable

import numpy as np

from pyapp.core.errors import BackendError, InferenceError, LookdownError
from pyapp.core.ground.geo import Footprint
from pyapp.core.imagery.source import Source
from pyapp.core.model.backend import WASM, Backend, BackendRecord, Device, Golden, Trial
from pyapp.core.model.card import Card
from pyapp.core.model.prediction import PROBABILITY
from pyapp.work.ground import Ground
from pyapp.work.loading import ModelFiles, grey_chip
from pyapp.work.ports import Arrived, Clock, Hardware, Network, Settings

# Runs to get going, and runs of which the fastest counts.
WARM_UP, TIMED = 2, 6
# Names of settings: what was measured of backends, and what a square took in a survey.
RECORD, TIMES = "lookdown device", "lookdown times"


class Runner:
    """A model's network; which one it is may change between two runs.

    Attributes
    ----------
    card : Card
    device : Device
    record : BackendRecord
        What was measured, and what the person wants.
    gave_up : set of Backend
        Backends that failed in the middle of an inference.
    """

    def __init__(
        self, card: Card, files: ModelFiles, hardware: Hardware, settings: Settings, clock: Clock
    ):
        self.card = card
        self.device: Device = hardware.read()
        self._files = files
        self._hardware = hardware
        self._settings = settings
        self._clock = clock
        self.record = self._recalled()
        self.gave_up: set[Backend] = set()
        self._network: Network | None = None
        self._backend = self.device.backends[0]
        # Held while the network changes, so that it changes once for one reason.
        self._changing = asyncio.Lock()
        self._closed = False
        self._on_change: list[Callable[[], None]] = []

    async def open(self, arrived: Arrived | None = None) -> None:
        """Load the model on the backend that did best here so far.

        ``arrived(n)`` is called as its file arrives, with the number of bytes so far.

        Raises
        ------
        ModelError
            See `ModelFiles.network`.
        """
        async with self._changing:
            try:
                await self._load(self.record.best(self.device), arrived)
            except (BackendError, InferenceError):
                # What worked once may not work today: a driver changes, a GPU is lent out.
                self.forget()
                await self._load(self.device.backends[0])

    @property
    def backend(self) -> Backend:
        """What runs the model now."""
        return self._backend

    def on_change(self, handler: Callable[[], None]) -> None:
        """Call ``handler()`` after the backend, or what is known about backends, has changed."""
        self._on_change.append(handler)

    @property
    def square_ms(self) -> float | None:
        """Time that a square takes in a survey; ``None`` if that was not measured."""
        noted = self._noted_times().get(self._noted_as)
        times = [trial.time_ms for trial in self.record.trials if trial.backend == self.backend]
        return noted or (times[0] if times and times[0] else None)

    async def measure_square(self) -> None:
        """Measure what `square_ms` gives.

        Raises
        ------
        InferenceError
        """
        grey = grey_chip(self.card)
        start_ms = self._clock.now_ms()
        for _ in range(TIMED):
            await self.run(grey)
        self.note_rate(1000 * TIMED / max(self._clock.now_ms() - start_ms, 1e-3))

    def note_rate(self, rate: float) -> None:
        """Remember how many squares per second a survey made."""
        times = self._noted_times() | {self._noted_as: 1000 / rate}
        self._settings.remember(TIMES, json.dumps(times))

    async def run(self, chips: np.ndarray) -> dict[str, np.ndarray]:
        """Infer a batch as `Network.run` does; once more on a safer backend if one fails.

        Raises
        ------
        InferenceError
            If the safer one fails too.
        """
        failed = self._running()
        try:
            return await failed.run(chips)
        except InferenceError:
            async with self._changing:
                # Another batch may have failed at the same time, and seen to it.
                if self._network is failed and not self._closed:
                    self.gave_up.add(self.backend)
                    # Memory may be what is short, so the old network goes first.
                    await failed.close()
                    await self._load(self._safer())
            return await self._running().run(chips)

    async def use(self, backend: Backend) -> None:
        """Run on this backend from now on, because the person wants it.

        Raises
        ------
        BackendError, InferenceError
            If it can't; then all stays as it was.
        """
        async with self._changing:
            await self._load(backend)
        self.record.wanted = backend
        self._remember()

    async def use_best(self) -> None:
        """Run on the backend that did best."""
        self.record.wanted = None
        self._remember()
        async with self._changing:
            best = self.record.best(self.device)
            if best != self.backend:
                await self._load(best)

    async def close(self) -> None:
        """Give its memory back once nothing runs any more; it can't be run again."""
        self._closed = True
        async with self._changing:
            if self._network is not None:
                await self._network.close()

    async def find_accelerators(self) -> None:
        """Find out whether there is a GPU, or WebNN: what was measured without is void."""
        device = await self._hardware.find_accelerators(self.device)
        if device != self.device:
            self.device = device
            self.record = self._recalled()
            self._changed()

    def forget(self) -> None:
        """Take back what was measured and wanted."""
        self.record = BackendRecord(self.record.about)
        self._remember()

    async def measure(
        self,
        ground: Ground,
        source: Source,
        backends: tuple[Backend, ...],
        disturbed: Callable[[], bool],
    ) -> None:
        """Try backends on the model's golden places; keep the fastest correct one, and remember it.

        Parameters
        ----------
        ground : Ground
        source : Source
            The built-in imagery.
        backends : tuple of Backend
        disturbed : callable
            Whether something else has begun; then nothing is concluded from the measurement.
        """
        golden = await self._files.golden(self.card.name)
        if golden is None:
            return
        footprints = [Footprint(place, self.card.footprint_m) for place in golden.places]
        try:
            chips = [(await ground.chip(source, each, self.card)).pixels for each in footprints]
        except LookdownError:
            # Without the built-in imagery there is nothing to measure with; it stays as it is.
            return
        trials: list[Trial] = []
        opened: dict[Backend, Network] = {}
        try:
            for backend in backends:
                if disturbed() or self._closed:
                    return
                network = await self._on_trial(backend)
                if network is None:
                    trials.append(Trial(backend, False, 0.0))
                    continue
                if network is not self._network:
                    opened[backend] = network
                trials.append(await self._trial(backend, network, np.stack(chips), golden))
            if not (disturbed() or self._closed):
                await self._conclude(tuple(trials), opened)
        finally:
            for network in opened.values():
                await network.close()

    async def _conclude(self, trials: tuple[Trial, ...], opened: dict[Backend, Network]) -> None:
        """Use what did best; it is taken out of ``opened``."""
        async with self._changing:
            if self._closed:
                return
            self.record.trials = trials
            self._remember()
            best = self.record.best(self.device)
            if best in opened:
                before, self._network, self._backend = self._network, opened.pop(best), best
                if before is not None:
                    await before.close()
        self._changed()

    async def _on_trial(self, backend: Backend) -> Network | None:
        """A network on a backend: the one in use, or a new one; ``None`` if it does not start."""
        if backend == self.backend:
            return self._network
        try:
            return await self._files.network(self.card, backend)
        except LookdownError:
            return None

    async def _trial(
        self, backend: Backend, network: Network, chips: np.ndarray, golden: Golden
    ) -> Trial:
        """Whether the answers are correct, and the least time for one chip."""
        try:
            answers = [await network.run(chip[np.newaxis]) for chip in chips]
            right = golden.agrees(np.concatenate([each[PROBABILITY] for each in answers]))
            for _ in range(WARM_UP):
                await network.run(chips[:1])
            times = []
            for _ in range(TIMED):
                start_ms = self._clock.now_ms()
                await network.run(chips[:1])
                times.append(self._clock.now_ms() - start_ms)
        except InferenceError:
            return Trial(backend, False, 0.0)
        return Trial(backend, right, min(times))

    async def _load(self, backend: Backend, arrived: Arrived | None = None) -> None:
        """Open the model on a backend in place of the one in use; held by `_changing`."""
        network = await self._files.network(self.card, backend, arrived)
        before, self._network, self._backend = self._network, network, backend
        if before is not None:
            await before.close()
        self._changed()

    def _running(self) -> Network:
        if self._network is None or self._closed:
            raise InferenceError("the model was closed")
        return self._network

    def _safer(self) -> Backend:
        """WebAssembly after all else; after several threads one, which needs least memory."""
        return self.device.backends[0] if self.backend.kind != WASM else Backend(WASM, 1)

    def _recalled(self) -> BackendRecord:
        return BackendRecord.of(self._settings.recall(RECORD), self.device, self.card.sha256)

    def _remember(self) -> None:
        self._settings.remember(RECORD, self.record.to_json())

    def _noted_times(self) -> dict[str, float]:
        try:
            times = json.loads(self._settings.recall(TIMES) or "{}")
            return {name: float(time_ms) for name, time_ms in times.items()}
        except (ValueError, TypeError, AttributeError):
            return {}

    @property
    def _noted_as(self) -> str:
        return f"{self.card.sha256[:16]} {self.backend}"

    def _changed(self) -> None:
        for handler in self._on_change:
            handler()

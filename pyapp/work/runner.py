"""The model, run in the way that suits the device, and in another where that one fails."""

import json
from collections.abc import Callable

import numpy as np

from pyapp.bridge import onnx
from pyapp.bridge.browser import now_ms
from pyapp.bridge.device import MEMORY, look_for_card, read_device, recall, remember
from pyapp.core.errors import BackendError, InferenceError, LookdownError
from pyapp.core.ground.geo import Footprint
from pyapp.core.imagery.source import Source
from pyapp.core.model.backend import WASM, WEBGPU, Backend, BackendRecord, Device, Trial
from pyapp.core.model.card import Card
from pyapp.core.model.prediction import PROBABILITY
from pyapp.work.ground import Ground

# Runs to get going, and runs of which the quickest counts.
WARM_UP, TIMED = 2, 6
# Under this name the browser keeps what a square took in a survey, for each model and way.
TIMES = "lookdown times"


class Runner:
    """A model's network; which one it is may change between two runs.

    Attributes
    ----------
    card : Card
    device : Device
    memory : BackendRecord
        What was measured, and what the person wants.
    gave_up : set of Backend
        Ways that failed in the middle of an inference.
    """

    @classmethod
    async def open(cls, folder: str, name: str) -> "Runner":
        """Load a model in the way that did best here so far.

        Raises
        ------
        ModelError
            See `onnx.load_card` and `onnx.load`.
        """
        card = await onnx.load_card(folder, name)
        device = read_device()
        runner = cls(folder, card, device, BackendRecord.of(recall(MEMORY), device, card.sha256))
        try:
            await runner._load(runner.memory.best(device))
        except (BackendError, InferenceError):
            # What worked once may not work today: a driver changes, a card is lent out.
            runner.forget()
            await runner._load(device.ways[0])
        return runner

    def __init__(self, folder: str, card: Card, device: Device, memory: Memory):
        self.card = card
        self.device = device
        self.memory = memory
        self._folder = folder
        self._network: onnx.Network | None = None
        self._closed = False
        self.gave_up: set[Backend] = set()
        self._on_change: Callable[[], None] = lambda: None

    @property
    def way(self) -> Backend:
        """How the model runs now."""
        return self._network.way

    def on_change(self, handler: Callable[[], None]) -> None:
        """Call ``handler()`` after the way has changed."""
        self._on_change = handler

    @property
    def square_ms(self) -> float | None:
        """Time that a square takes in a survey, measured; ``None`` where it wasn't."""
        noted = _noted_times().get(self._noted_as)
        times = [trial.time_ms for trial in self.memory.trials if trial.way == self.way]
        return noted or (times[0] if times and times[0] else None)

    async def measure_square(self) -> None:
        """Measure what `square_ms` gives.

        Raises
        ------
        InferenceError
        """
        grey = np.full((1, self.card.chip_px, self.card.chip_px, 3), 128, np.uint8)
        start_ms = now_ms()
        for _ in range(TIMED):
            await self.run(grey)
        self.note_rate(1000 * TIMED / (now_ms() - start_ms))

    def note_rate(self, rate: float) -> None:
        """Remember how many squares a second a survey made."""
        remember(TIMES, json.dumps(_noted_times() | {self._noted_as: 1000 / rate}))

    @property
    def _noted_as(self) -> str:
        return f"{self.card.sha256[:16]} {self.way}"

    async def run(self, chips: np.ndarray) -> dict[str, np.ndarray]:
        """Infer a batch as `onnx.Network.run` does; once more in a safer way where one fails.

        Raises
        ------
        InferenceError
            When the safer way fails too.
        """
        failed = self._network
        try:
            return await failed.run(chips)
        except InferenceError:
            if self._network is failed:
                self.gave_up.add(failed.way)
                await self._load(self._safer(failed.way))
            return await self._network.run(chips)

    async def go(self, way: Backend) -> None:
        """Run in this way from now on, because the person wants it.

        Raises
        ------
        BackendError, InferenceError
            When it can't; all stays as it was.
        """
        await self._load(way)
        self.memory.wanted = way
        remember(MEMORY, self.memory.to_json())

    async def go_automatic(self) -> None:
        """Run in the way that did best."""
        self.memory.wanted = None
        remember(MEMORY, self.memory.to_json())
        best = self.memory.best(self.device)
        if best != self.way:
            await self._load(best)

    async def close(self) -> None:
        """Give its memory back, once nothing runs any more; it can't be run again."""
        self._closed = True
        await self._network.close()

    async def look_for_card(self) -> None:
        """Find out whether there's a graphics card: what was measured without one is void."""
        device = await look_for_card(self.device)
        if device != self.device:
            self.device = device
            self.memory = BackendRecord.of(recall(MEMORY), device, self.card.sha256)
            self._on_change()

    def forget(self) -> None:
        """Take back what was measured and wanted."""
        self.memory = BackendRecord(self.memory.about)
        remember(MEMORY, self.memory.to_json())

    async def measure(self, ground: Ground, source: Source, ways: tuple[Backend, ...]) -> None:
        """Try ways on the model's golden places, keep the right and quickest one, remember it.

        Parameters
        ----------
        ground, source
            Where the built-in imagery comes from.
        ways : tuple of Backend
        """
        golden = await onnx.load_golden(self._folder, self.card.name)
        if golden is None:
            return
        footprints = [Footprint(place, self.card.footprint_m) for place in golden.places]
        try:
            chips = [(await ground.chip(source, each, self.card)).pixels for each in footprints]
        except LookdownError:
            # Without the built-in imagery there's nothing to measure with; it stays as it is.
            return
        trials, networks = [], {}
        for way in ways:
            network = self._network if way == self.way else await self._try(way)
            if network is None:
                trials.append(Trial(way, False, 0.0))
                continue
            networks[way] = network
            trials.append(await _trial(network, np.stack(chips), golden))
        if self._closed:
            # Another model has taken its place meanwhile: what broke is no fault of a way.
            for network in networks.values():
                await network.close()
            return
        self.memory.trials = tuple(trials)
        remember(MEMORY, self.memory.to_json())
        before, best = self._network, self.memory.best(self.device)
        self._network = networks.get(best, before)
        for network in networks.values():
            if network is not self._network:
                await network.close()
        self._on_change()

    async def _try(self, way: Backend) -> onnx.Network | None:
        try:
            return await onnx.load(self._folder, self.card, way)
        except LookdownError:
            return None

    async def _load(self, way: Backend) -> None:
        before = self._network
        self._network = await onnx.load(self._folder, self.card, way)
        if before is not None:
            await before.close()
        self._on_change()

    def _safer(self, failed: Backend) -> Backend:
        """After the graphics card the processor, after several threads one, which needs least."""
        return self.device.ways[0] if failed.kind == WEBGPU else Backend(WASM, 1)


def _noted_times() -> dict[str, float]:
    try:
        times = json.loads(recall(TIMES) or "{}")
        return {name: float(time_ms) for name, time_ms in times.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


async def _trial(network: onnx.Network, chips: np.ndarray, golden) -> Trial:
    """Whether the answers are right, and the least time for one chip."""
    try:
        answers = [await network.run(chip[np.newaxis]) for chip in chips]
        right = golden.agrees(np.concatenate([each[PROBABILITY] for each in answers]))
        for _ in range(WARM_UP):
            await network.run(chips[:1])
        times = []
        for _ in range(TIMED):
            start_ms = now_ms()
            await network.run(chips[:1])
            times.append(now_ms() - start_ms)
    except InferenceError:
        return Trial(network.way, False, 0.0)
    return Trial(network.way, right, min(times))

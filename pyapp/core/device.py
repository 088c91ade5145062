"""Which way of running the model suits a device: chosen by right answers, then by time."""

import json
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from pyapp.core.geo import LngLat

WEBGPU, WASM = "webgpu", "wasm"
MOST_THREADS = 4
# Decoded tiles; a large window shows about 60 of 192 KB.
CACHE_BYTES = 32 << 20
# From this much memory on (navigator.deviceMemory, in GB) several runtimes may be tried.
ROOMY_GB = 4.0
# Largest difference of a probability from the stored one. Summing in another order makes 1e-5,
# half precision 1e-3; a wrong kernel far more.
TOLERANCE = 0.005


class Way(NamedTuple):
    """A way of running the model: on the graphics card, or in WebAssembly on so many threads."""

    kind: str
    threads: int = 1

    def __str__(self) -> str:
        if self.kind == WEBGPU:
            return "Graphics card (WebGPU)"
        return (
            "Processor, one thread" if self.threads == 1 else f"Processor, {self.threads} threads"
        )


@dataclass(frozen=True)
class Device:
    """What the browser says of the device.

    Attributes
    ----------
    isolated : bool
        Whether the page is cross-origin isolated, which threads need.
    cores : int
    memory_gb : float
        Rounded by the browser; infinite where it does not say.
    gpu : bool
        Whether WebGPU has a graphics card.
    slow_gpu : bool
        Whether that is the processor in disguise.
    """

    isolated: bool
    cores: int
    memory_gb: float
    gpu: bool
    slow_gpu: bool

    @property
    def is_small(self) -> bool:
        """Whether memory is so short that one runtime and one thread must do."""
        return self.memory_gb < ROOMY_GB

    @property
    def cache_bytes(self) -> int:
        """Room for decoded tiles."""
        return CACHE_BYTES // 4 if self.is_small else CACHE_BYTES

    @property
    def ways(self) -> tuple[Way, ...]:
        """All ways that can work here; the first is the one to begin with."""
        # A core is left to the page where there are more than two; with two the person may choose.
        threads = min(max(self.cores - 1, 2), self.cores, MOST_THREADS) if self.isolated else 1
        several = (Way(WASM, threads),) if threads > 1 else ()
        single = (Way(WASM, 1),)
        roomy = not self.is_small and all(map(self.leaves_a_core, several))
        cpu = several + single if roomy else single + several
        return cpu + ((Way(WEBGPU),) if self.gpu else ())

    def leaves_a_core(self, way: Way) -> bool:
        """Whether the page's thread has a core to itself while the model runs in this way.

        Without one, a survey is no quicker for more threads, and the page stutters: decoding
        tiles and preparing chips is a third of the work.
        """
        return way.kind == WEBGPU or way.threads == 1 or way.threads < self.cores

    @property
    def worth_trying(self) -> tuple[Way, ...]:
        """The ways to measure unasked; none where there is no choice or no room."""
        ways = tuple(way for way in self.ways if way.kind != WEBGPU or not self.slow_gpu)
        return () if self.is_small or len(ways) < 2 else ways


class Trial(NamedTuple):
    """How a way did: whether its answers were the stored ones, and the time for one chip."""

    way: Way
    right: bool
    time_ms: float


def quickest(trials) -> Way | None:
    """The quickest way whose answers are right; ``None`` where none is."""
    right = [trial for trial in trials if trial.right]
    return min(right, key=lambda trial: trial.time_ms).way if right else None


class Golden(NamedTuple):
    """Places of the built-in imagery, and what native onnxruntime says of them.

    Attributes
    ----------
    places : list of LngLat
        Centres of the footprints.
    probability : float32 [N, C]
    """

    places: list[LngLat]
    probability: np.ndarray

    def agrees(self, probability: np.ndarray) -> bool:
        """Whether answers, float32 [N, C], are these, to within `TOLERANCE`."""
        if probability.shape != self.probability.shape:
            return False
        difference = np.abs(probability - self.probability)
        # Not-a-number is no small difference.
        return bool((difference <= TOLERANCE).all())

    @classmethod
    def from_json(cls, text: str) -> "Golden":
        """Read ``golden.json``; raises ValueError or KeyError where it isn't one."""
        facts = json.loads(text)
        return cls(
            [LngLat(each["lng"], each["lat"]) for each in facts["places"]],
            np.array(facts["probability"], np.float32),
        )

    def to_json(self) -> str:
        """What `from_json` reads."""
        places = [place._asdict() for place in self.places]
        rows = [[round(float(each), 6) for each in row] for row in self.probability]
        return json.dumps({"places": places, "probability": rows}, indent=1) + "\n"


@dataclass
class Memory:
    """What was found out about a device, as it is kept between visits.

    Attributes
    ----------
    about : str
        The device and the model that it holds for: with another, it's void.
    trials : tuple of Trial
    wanted : Way or None
        What the person chose.
    """

    about: str
    trials: tuple[Trial, ...] = ()
    wanted: Way | None = None

    @classmethod
    def of(cls, text: str | None, device: Device, sha256: str) -> "Memory":
        """What ``text`` says of this device and the model with this hash; empty if it doesn't."""
        about = json.dumps([asdict(device), sha256])
        try:
            facts = json.loads(text)
            if facts["about"] != about:
                return cls(about)
            wanted = Way(*facts["wanted"]) if facts["wanted"] else None
            trials = tuple(Trial(Way(*way), right, ms) for way, right, ms in facts["trials"])
        except (TypeError, ValueError, KeyError):
            return cls(about)
        return cls(about, trials, wanted)

    def to_json(self) -> str:
        """What `of` reads."""
        return json.dumps(asdict(self))

    def best(self, device: Device) -> Way:
        """The way to use: what the person wants, else the quickest, else the first guess.

        The quickest of those that leave the page a core.
        """
        fair = [trial for trial in self.trials if device.leaves_a_core(trial.way)]
        for way in (self.wanted, quickest(fair)):
            if way in device.ways:
                return way
        return device.ways[0]

"""Which backend suits a device: chosen by correct answers, then by time."""

import json
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from pyapp.core.ground.geo import LngLat

WEBGPU, WASM = "webgpu", "wasm"
MOST_THREADS = 4
# Decoded tiles; a large window shows about 60 of 192 KB.
CACHE_BYTES = 32 << 20
# From this much memory on (navigator.deviceMemory, in GB) several runtimes may be tried.
ROOMY_GB = 4.0
# Largest difference of a probability from the stored one. Summing in another order makes 1e-5,
# half precision 1e-3; a wrong kernel far more.
TOLERANCE = 0.005


class Backend(NamedTuple):
    """What runs the model: the graphics card, or WebAssembly on one or more threads."""

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
    def backends(self) -> tuple[Backend, ...]:
        """All backends that can work here; the first is the one to begin with."""
        # A core is left to the page where there are more than two; with two the person may choose.
        threads = min(max(self.cores - 1, 2), self.cores, MOST_THREADS) if self.isolated else 1
        several = (Backend(WASM, threads),) if threads > 1 else ()
        single = (Backend(WASM, 1),)
        roomy = not self.is_small and all(map(self.leaves_a_core, several))
        cpu = several + single if roomy else single + several
        return cpu + ((Backend(WEBGPU),) if self.gpu else ())

    def leaves_a_core(self, backend: Backend) -> bool:
        """Whether the page's thread has a core to itself while this backend runs the model.

        Without one, a survey is no quicker for more threads, and the page stutters: decoding
        tiles and preparing chips is a third of the work.
        """
        return backend.kind == WEBGPU or backend.threads == 1 or backend.threads < self.cores

    @property
    def worth_trying(self) -> tuple[Backend, ...]:
        """The backends to measure unasked; none if there is no choice or too little memory."""
        backends = tuple(
            backend for backend in self.backends if backend.kind != WEBGPU or not self.slow_gpu
        )
        return () if self.is_small or len(backends) < 2 else backends


class Trial(NamedTuple):
    """How a backend did: whether its answers were the stored ones, and the time for one chip."""

    backend: Backend
    right: bool
    time_ms: float


def fastest(trials) -> Backend | None:
    """The fastest backend whose answers are correct; ``None`` if there is none."""
    right = [trial for trial in trials if trial.right]
    return min(right, key=lambda trial: trial.time_ms).backend if right else None


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
class BackendRecord:
    """What was found out about a device, as it is kept between visits.

    Attributes
    ----------
    about : str
        The device and the model that it holds for: with another, it's void.
    trials : tuple of Trial
    wanted : Backend or None
        What the person chose.
    """

    about: str
    trials: tuple[Trial, ...] = ()
    wanted: Backend | None = None

    @classmethod
    def of(cls, text: str | None, device: Device, sha256: str) -> "BackendRecord":
        """What ``text`` says of this device and the model with this hash; empty if it doesn't."""
        about = json.dumps([asdict(device), sha256])
        try:
            facts = json.loads(text)
            if facts["about"] != about:
                return cls(about)
            wanted = Backend(*facts["wanted"]) if facts["wanted"] else None
            trials = tuple(
                Trial(Backend(*backend), right, ms) for backend, right, ms in facts["trials"]
            )
        except (TypeError, ValueError, KeyError):
            return cls(about)
        return cls(about, trials, wanted)

    def to_json(self) -> str:
        """What `of` reads."""
        return json.dumps(asdict(self))

    def best(self, device: Device) -> Backend:
        """The backend to use: what the person wants, else the fastest, else the first guess.

        Only backends that leave the page a core count as fastest.
        """
        fair = [trial for trial in self.trials if device.leaves_a_core(trial.backend)]
        for backend in (self.wanted, fastest(fair)):
            if backend in device.backends:
                return backend
        return device.backends[0]

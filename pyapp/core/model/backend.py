"""Which backend to use on a device: the fastest of those whose answers are correct."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.ground.geo import LngLat

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEBGPU, WASM, WEBNN = "webgpu", "wasm", "webnn"
MOST_THREADS = 4
# For decoded tiles; a large window shows about 60 of them, 192 KB each.
CACHE_BYTES = 32 << 20
# With at least this much memory (navigator.deviceMemory, in GB) several runtimes may be tried.
ROOMY_GB = 4.0
# Largest accepted difference between a probability and the stored one. Summing in another order
# causes 1e-5, half precision 1e-3; a wrong kernel causes far more.
TOLERANCE = 0.005


class Backend(NamedTuple):
    """What runs the model: WebGPU, WebNN, or WebAssembly with one or more threads.

    Attributes
    ----------
    kind : str
        `WEBGPU`, `WEBNN` or `WASM`: the execution provider of onnxruntime-web.
    threads : int
        Number of threads of WebAssembly; 1 for all others.

    Examples
    --------
    >>> str(Backend(WASM, 4))
    'Processor, 4 threads'
    """

    kind: str
    threads: int = 1

    def __str__(self) -> str:
        if self.kind == WEBGPU:
            return "Graphics card (WebGPU)"
        if self.kind == WEBNN:
            return "Processor, the browser's own code (WebNN)"
        return (
            "Processor, one thread" if self.threads == 1 else f"Processor, {self.threads} threads"
        )


@dataclass(frozen=True)
class Device:
    """What the browser reveals about the device.

    Attributes
    ----------
    isolated : bool
        Whether the page is cross-origin isolated, which threads require.
    cores : int
        Number of logical processors.
    memory_gb : float
        Rounded by the browser; infinite if the browser does not tell.
    gpu : bool
        Whether WebGPU offers an adapter.
    slow_gpu : bool
        Whether that adapter is software, which runs on the processor.
    webnn : bool
        Whether WebNN offers a context for the processor.
    """

    isolated: bool
    cores: int
    memory_gb: float
    gpu: bool
    slow_gpu: bool
    webnn: bool = False

    @property
    def is_small(self) -> bool:
        """Whether there is memory for only one runtime with one thread."""
        return self.memory_gb < ROOMY_GB

    @property
    def cache_bytes(self) -> int:
        """Memory for decoded tiles."""
        return CACHE_BYTES // 4 if self.is_small else CACHE_BYTES

    @property
    def backends(self) -> tuple[Backend, ...]:
        """All backends that may work here; the first one is used before any is measured."""
        # With more than two cores one is left free for the page; with two the person may choose.
        threads = min(max(self.cores - 1, 2), self.cores, MOST_THREADS) if self.isolated else 1
        several = (Backend(WASM, threads),) if threads > 1 else ()
        single = (Backend(WASM, 1),)
        roomy = not self.is_small and all(map(self.leaves_a_core, several))
        cpu = several + single if roomy else single + several
        webnn = (Backend(WEBNN),) if self.webnn else ()
        return cpu + webnn + ((Backend(WEBGPU),) if self.gpu else ())

    def leaves_a_core(self, backend: Backend) -> bool:
        """Whether the page keeps a core for itself while this backend runs the model.

        Otherwise further threads make a survey no faster, and the page stutters: decoding tiles
        and preparing chips is a third of the work.
        """
        return backend.kind != WASM or backend.threads == 1 or backend.threads < self.cores

    @property
    def worth_trying(self) -> tuple[Backend, ...]:
        """Backends to measure without being asked.

        Empty if there is only one, or too little memory to try several.
        """
        backends = tuple(
            backend for backend in self.backends if backend.kind != WEBGPU or not self.slow_gpu
        )
        return () if self.is_small or len(backends) < 2 else backends


class Trial(NamedTuple):
    """The measurement of a backend.

    Attributes
    ----------
    backend : Backend
    right : bool
        Whether its answers agree with the stored ones.
    time_ms : float
        Time for one chip, in milliseconds.
    """

    backend: Backend
    right: bool
    time_ms: float


def fastest(trials: Iterable[Trial]) -> Backend | None:
    """The fastest backend whose answers are correct; ``None`` if there is none.

    >>> fastest([Trial(Backend(WASM, 1), True, 30.0), Trial(Backend(WEBGPU), False, 4.0)])
    Backend(kind='wasm', threads=1)
    """
    right = [trial for trial in trials if trial.right]
    return min(right, key=lambda trial: trial.time_ms).backend if right else None


class Golden(NamedTuple):
    """Places in the built-in imagery, and the answers of native onnxruntime for them.

    Attributes
    ----------
    places : list of LngLat
        Centres of the N footprints.
    probability : ndarray of float32, shape (N, C)
    """

    places: list[LngLat]
    probability: NDArray[np.float32]

    def agrees(self, probability: NDArray[np.float32]) -> bool:
        """Whether a backend's answers are correct.

        Parameters
        ----------
        probability : ndarray of float32, shape (N, C)

        Returns
        -------
        bool
            False if any differs by more than `TOLERANCE` or is not a number.
        """
        if probability.shape != self.probability.shape:
            return False
        difference = np.abs(probability - self.probability)
        # Written so that NaN fails: it is not less than anything.
        return bool((difference <= TOLERANCE).all())

    @classmethod
    def from_json(cls, text: str) -> Golden:
        """Read ``golden.json``.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is something else.
        """
        facts = json.loads(text)
        return cls(
            [LngLat(each["lng"], each["lat"]) for each in facts["places"]],
            np.array(facts["probability"], np.float32),
        )

    def to_json(self) -> str:
        """The text that `from_json` reads."""
        places = [place._asdict() for place in self.places]
        rows = [[round(float(each), 6) for each in row] for row in self.probability]
        return json.dumps({"places": places, "probability": rows}, indent=1) + "\n"


@dataclass
class BackendRecord:
    """What was measured of the backends of a device, as it is kept between visits.

    Attributes
    ----------
    about : str
        The device and the model that were measured; for any other the record is void.
    trials : tuple of Trial
    wanted : Backend or None
        The person's choice; ``None`` if the page chooses.
    """

    about: str
    trials: tuple[Trial, ...] = ()
    wanted: Backend | None = None

    @classmethod
    def of(cls, text: str | None, device: Device, sha256: str) -> BackendRecord:
        """The record in a stored text.

        Parameters
        ----------
        text : str or None
            What `to_json` gave, or ``None`` if nothing is stored.
        device : Device
        sha256 : str
            Hexadecimal digest of the model's file.

        Returns
        -------
        BackendRecord
            Empty if the text can't be read, or is about another device or model.
        """
        about = json.dumps([asdict(device), sha256])
        if text is None:
            return cls(about)
        try:
            facts = json.loads(text)
            if facts["about"] != about:
                return cls(about)
            wanted = Backend(*facts["wanted"]) if facts["wanted"] else None
            trials = tuple(
                Trial(Backend(*backend), bool(right), float(time_ms))
                for backend, right, time_ms in facts["trials"]
            )
        except (TypeError, ValueError, KeyError):
            return cls(about)
        return cls(about, trials, wanted)

    def to_json(self) -> str:
        """The text that `of` reads."""
        return json.dumps(asdict(self))

    def best(self, device: Device) -> Backend:
        """The backend to use: the person's choice, else the fastest correct one, else the first.

        Only backends that leave a core free for the page count as fastest.
        """
        fair = [trial for trial in self.trials if device.leaves_a_core(trial.backend)]
        for backend in (self.wanted, fastest(fair)):
            if backend in device.backends:
                return backend
        return device.backends[0]

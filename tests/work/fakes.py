"""The ports of `pyapp.work`, fulfilled in memory, with every fault that a test may want."""

import asyncio
import dataclasses
import functools
import io
import json
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from pyapp.core.errors import InferenceError
from pyapp.core.imagery.mosaic import UndecodableError
from pyapp.core.imagery.source import Source
from pyapp.core.model.backend import WASM, WEBGPU, Backend, Device
from pyapp.core.model.card import Card
from pyapp.work.ports import RecordsRefusedError, StatusError

LABELS = ("field", "river", "road", "town")
SIDE_M, CHIP_PX = 78.0288, 192
ONE, TWO, GPU = Backend(WASM, 1), Backend(WASM, 2), Backend(WEBGPU)
ROOMY = Device(isolated=True, cores=4, memory_gb=8.0, gpu=False, slow_gpu=False)
FOLDER = "models"


def source(max_zoom=19, **facts) -> Source:
    """A source whose addresses are ``z/x/y``."""
    return Source("sample", "Valley, Nepal", "{z}/{x}/{y}", 14, max_zoom, "us", "us", None, **facts)


@functools.cache
def tile_bytes(url: str) -> bytes:
    """A picture with contrast at every scale, as ground has; another one for each address."""
    chance = np.random.default_rng(zlib.crc32(url.encode()))
    pixels = np.full((256, 256), 120, np.int16)
    for scale in (1, 2, 4, 8, 16, 32):
        noise = chance.integers(-20, 21, (256 // scale, 256 // scale), np.int16)
        pixels += noise.repeat(scale, 0).repeat(scale, 1)
    out = io.BytesIO()
    rgb = np.clip(pixels[..., None] + [10, 0, -10], 0, 255).astype(np.uint8)
    Image.fromarray(rgb).save(out, "BMP")
    return out.getvalue()


class FakeClock:
    """Time that passes when someone sleeps, and a little with each look at it."""

    def __init__(self):
        self.now = 0.0
        self.slept: list[float] = []
        self.marks: list[str] = []
        self.spans: list[str] = []

    def now_ms(self):
        self.now += 0.01
        return self.now

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += 1000 * seconds
        await asyncio.sleep(0)

    def mark(self, name):
        self.marks.append(name)

    def measure(self, name, start_ms, end_ms):
        assert start_ms <= end_ms
        self.spans.append(name)


class FakeFetch:
    """Answers by a function of the address; a number is an HTTP status, an exception is raised."""

    def __init__(self, answer: Callable = tile_bytes):
        self.answer = answer
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.not_kept: list[str] = []
        self.now = self.most = 0
        # Not set: nothing arrives.
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, url, limit_s, keep=True, arrived=None):
        self.asked.append(url)
        if not keep:
            self.not_kept.append(url)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0)
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(url)
            raise
        finally:
            self.now -= 1
        answer = self.answer(url)
        if isinstance(answer, int):
            raise StatusError(answer)
        if isinstance(answer, Exception):
            raise answer
        if arrived is not None:
            arrived(len(answer) // 2)
            arrived(len(answer))
        return answer


async def decode(data):
    """Decodes what begins with ``odd``, as only a browser could."""
    if not data.startswith(b"odd"):
        raise UndecodableError("not even a browser knows it")
    return np.full((256, 256, 3), data[3], np.uint8)


class FakeNetwork:
    """Answers by the mean of a chip; fails when told to."""

    inputs = ("image",)
    outputs = ("probability", "embedding", "activation")

    def __init__(self, backend, runtime):
        self.backend = backend
        self.runtime = runtime
        self.fails = False
        self.closed = 0
        self.runs = 0

    async def run(self, chips):
        if self.closed:
            raise InferenceError("closed")
        self.runs += 1
        self.runtime.batches.append(len(chips))
        await asyncio.sleep(0)
        await self.runtime.gate.wait()
        if self.fails or self.backend in self.runtime.broken:
            raise InferenceError(f"{self.backend} gave up")
        self.runtime.clock.now += self.runtime.takes_ms.get(self.backend, 5.0)
        return answers(chips, self.runtime.classes)

    async def close(self):
        self.closed += 1


def answers(chips, classes=4) -> dict[str, np.ndarray]:
    """What the fake network says about chips."""
    means = chips.reshape(len(chips), -1).mean(1)
    logits = np.cos(means[:, None] * (1 + np.arange(classes)))
    probability = np.exp(3 * logits) / np.exp(3 * logits).sum(1, keepdims=True)
    embedding = np.stack([np.cos(means * k) for k in range(1, 9)], 1).astype(np.float32)
    activation = np.repeat(logits, 4).reshape(len(chips), classes, 2, 2).astype(np.float32)
    return {
        "probability": probability.astype(np.float32),
        "embedding": embedding,
        "activation": activation,
    }


class FakeRuntime:
    """Opens networks, unless a backend is refused; `opened` are all there ever were."""

    def __init__(self, clock):
        self.clock = clock
        self.classes = len(LABELS)
        self.supported = True
        self.refused: dict[Backend, Exception] = {}
        self.broken: set[Backend] = set()
        self.takes_ms: dict[Backend, float] = {}
        self.opened: list[FakeNetwork] = []
        self.batches: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.opening = asyncio.Event()
        self.opening.set()

    def is_supported(self):
        return self.supported

    async def open(self, model, backend):
        await asyncio.sleep(0)
        await self.opening.wait()
        if backend in self.refused:
            raise self.refused[backend]
        network = FakeNetwork(backend, self)
        self.opened.append(network)
        return network

    @property
    def alive(self) -> list[FakeNetwork]:
        """The networks that were not closed."""
        return [each for each in self.opened if not each.closed]


class FakeHardware:
    """A device; of its GPU one hears only when asking."""

    def __init__(self, device=ROOMY, gpu=False):
        self.device = device
        self.gpu = gpu

    def read(self):
        return self.device

    async def find_accelerators(self, device):
        return dataclasses.replace(device, gpu=self.gpu)


class FakeSettings:
    """Texts in memory."""

    def __init__(self):
        self.kept: dict[str, str] = {}

    def recall(self, name):
        return self.kept.get(name)

    def remember(self, name, text):
        self.kept[name] = text


class FakeRecords:
    """A database in memory; refuses when told to."""

    def __init__(self):
        self.tables: dict[str, dict] = {"facts": {}, "batches": {}}
        self.refuses = ""
        self.gate = asyncio.Event()
        self.gate.set()

    async def _enter(self):
        await asyncio.sleep(0)
        await self.gate.wait()
        if self.refuses:
            raise RecordsRefusedError(self.refuses)

    async def get(self, table, key):
        await self._enter()
        return self.tables[table].get(_key(key))

    async def all(self, table):
        await self._enter()
        return list(self.tables[table].values())

    async def keys(self, table, first=None):
        await self._enter()
        found = [key if isinstance(key, str) else list(key) for key in self.tables[table]]
        return sorted(key for key in found if first is None or key[0] == first)

    async def put(self, table, key, record):
        await self._enter()
        self.tables[table][_key(key)] = dict(record)

    async def delete(self, table, key):
        await self._enter()
        self.tables[table].pop(_key(key), None)

    async def delete_all(self, table, first):
        await self._enter()
        for key in [key for key in self.tables[table] if key[0] == first]:
            del self.tables[table][key]


def _key(key):
    return key if isinstance(key, str) else tuple(key)


def card_text(name="ours", **facts) -> str:
    """A card."""
    return json.dumps(
        {
            "name": name,
            "title": name.title(),
            "labels": LABELS,
            "tile_size": CHIP_PX,
            "footprint_m": SIDE_M,
            "threshold": 0.6,
            "sha256": "ab" * 32,
        }
        | facts
    )


def card(name="ours", **facts) -> Card:
    """The same, read."""
    return Card.from_json(name, card_text(name, **facts))


def run(work):
    """Run a coroutine to its end, in a thread of its own.

    Playwright, once started by another test of the same process, keeps a loop running in its.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()

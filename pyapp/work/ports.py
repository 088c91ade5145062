"""What the work needs from outside, as protocols; `bridge` fulfils them in a browser.

Their exceptions stand here as well, so that the work can tell what went wrong without knowing where
it runs.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from pyapp.core.model.backend import Backend, Device

Key = str | Sequence[str | int]
# Hears how many bytes have arrived so far.
Arrived = Callable[[int], None]


class StatusError(Exception):
    """A server answered, but not with what was asked for."""

    def __init__(self, status: int):
        super().__init__(f"HTTP {status}")
        self.status = status


class UnreachableError(Exception):
    """No answer that may be read: no network, no server, or no permission (CORS)."""


class RuntimeFailedError(Exception):
    """A runtime could not be started."""


class ModelRefusedError(Exception):
    """A runtime does not take a model's file."""


class RecordsRefusedError(Exception):
    """Nothing can be stored or read; the message is the reason, as a part of a sentence."""


class Clock(Protocol):
    """Time, and the performance timeline that developer tools show."""

    def now_ms(self) -> float:
        """Milliseconds since some moment."""

    async def sleep(self, seconds: float) -> None:
        """Let other work go on for so long."""

    def mark(self, name: str) -> None:
        """Note a moment on the timeline."""

    def measure(self, name: str, start_ms: float, end_ms: float) -> None:
        """Note a span on the timeline."""


class Fetch(Protocol):
    """Reads addresses."""

    async def __call__(
        self, url: str, limit_s: float, keep: bool = True, arrived: Arrived | None = None
    ) -> bytes:
        """The body of ``url``, which must arrive within ``limit_s`` seconds.

        Without ``keep``, no copy of it stays on the device. ``arrived(n)`` is called as it grows,
        with the number of bytes so far.

        Raises
        ------
        StatusError, UnreachableError, TimeoutError
        """


class Decode(Protocol):
    """Decodes pictures that Pillow cannot."""

    async def __call__(self, data: bytes) -> np.ndarray:
        """RGB pixels, uint8 [rows, columns, 3].

        Raises
        ------
        UndecodableError
        """


class RasterReader(Protocol):
    """A georeferenced file that is open, on the device or at an address."""

    async def describe(self) -> str:
        """What it says about itself, as `core.imagery.raster.raster_from_json` takes it."""

    async def block(self, index: int, column: int, row: int, band: int) -> bytes:
        """The samples of one of its tiles or strips, decompressed.

        Parameters
        ----------
        index : int
            Of the picture in the file.
        column, row : int
            Of the block in the picture.
        band : int
            If each band is stored on its own; else 0 gives all of them.

        Raises
        ------
        UnreachableError
            If it is not there or can't be decompressed.
        """


class Network(Protocol):
    """A model, opened by a runtime."""

    @property
    def inputs(self) -> Sequence[str]:
        """Names of the model's inputs."""

    @property
    def outputs(self) -> Sequence[str]:
        """Names of the model's outputs."""

    async def run(self, chips: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs of docs/design.md for a batch of chips, uint8 [N, S, S, 3].

        Raises
        ------
        InferenceError
            If the runtime gives up, mostly for lack of memory; the network is of no more use.
        """

    async def close(self) -> None:
        """Give its memory back once nothing runs any more."""


class Runtime(Protocol):
    """What runs models."""

    def is_supported(self) -> bool:
        """Whether it can run here at all."""

    async def open(self, model: bytes, backend: Backend) -> Network:
        """Open a model.

        Raises
        ------
        NoMemoryError
            If there is too little memory for it.
        RuntimeFailedError
            If the backend does not start.
        ModelRefusedError
            If it does not take the file.
        """


class Hardware(Protocol):
    """What the device can do."""

    def read(self) -> Device:
        """The device, as far as it can be told at once; of a GPU and WebNN, what is remembered."""

    async def find_accelerators(self, device: Device) -> Device:
        """The device with what is known about its GPU and WebNN now, which is remembered."""


class Settings(Protocol):
    """Short texts that are remembered between visits, if that is allowed."""

    def recall(self, name: str) -> str | None:
        """What was remembered under a name; ``None`` if nothing was."""

    def remember(self, name: str, text: str) -> None:
        """Remember a text until further notice."""


class Records(Protocol):
    """A database: tables of records, each a mapping of names to texts, numbers and bytes.

    Every method raises `RecordsRefusedError` if the database can't do it.
    """

    async def get(self, table: str, key: Key) -> Mapping[str, Any] | None:
        """The record under a key; ``None`` if there is none."""

    async def all(self, table: str) -> list[Mapping[str, Any]]:
        """All records of a table."""

    async def keys(self, table: str, first: str | None = None) -> list[Any]:
        """All keys of a table in their order; with ``first``, those that begin with it."""

    async def put(self, table: str, key: Key, record: Mapping[str, Any]) -> None:
        """Store a record under a key, in place of what was there."""

    async def delete(self, table: str, key: Key) -> None:
        """Delete the record under a key, if there is one."""

    async def delete_all(self, table: str, first: str) -> None:
        """Delete all records whose keys begin with ``first``."""

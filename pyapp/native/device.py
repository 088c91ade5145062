"""This machine: its clock, its cores, and settings that last as long as the process."""

import asyncio
import math
import os
import time

from pyapp.core.model.backend import Device


class NativeClock:
    """Time; there is no timeline to mark."""

    def now_ms(self) -> float:
        """Milliseconds since some moment."""
        return 1000 * time.perf_counter()

    async def sleep(self, seconds: float) -> None:
        """Let other work go on for so long."""
        await asyncio.sleep(seconds)

    def mark(self, name: str) -> None:
        """Note nothing."""

    def measure(self, name: str, start_ms: float, end_ms: float) -> None:
        """Note nothing."""


class Machine:
    """The cores of this machine; it has no browser that would hide any of them.

    Parameters
    ----------
    cores : int, optional
        How many of them to use.
    """

    def __init__(self, cores: int | None = None) -> None:
        self._cores = cores

    def read(self) -> Device:
        """The device."""
        cores = self._cores or _all_cores()
        return Device(isolated=True, cores=cores, memory_gb=math.inf, gpu=False, slow_gpu=False)

    async def find_accelerators(self, device: Device) -> Device:
        """The same device: models run on the processor here."""
        return device


class NoSettings:
    """Remembers until the process ends."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def recall(self, name: str) -> str | None:
        """What was remembered under a name; ``None`` if nothing was."""
        return self._texts.get(name)

    def remember(self, name: str, text: str) -> None:
        """Remember a text until the process ends."""
        self._texts[name] = text


def _all_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

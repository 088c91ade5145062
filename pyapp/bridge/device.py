"""What the browser says of the device, and what is remembered of it between visits."""

from contextlib import suppress

import js
from pyodide.ffi import JsException
from pyscript.ffi import is_none

from pyapp.core.device import Device

KEY = "lookdown device"


async def read_device() -> Device:
    """Ask the browser what there is to run a model on."""
    gpu, slow_gpu = await _gpu()
    return Device(
        isolated=bool(js.crossOriginIsolated),
        cores=int(js.navigator.hardwareConcurrency or 1),
        memory_gb=float(getattr(js.navigator, "deviceMemory", None) or "inf"),
        gpu=gpu,
        slow_gpu=slow_gpu,
    )


async def _gpu() -> tuple[bool, bool]:
    """Whether WebGPU has an adapter, and whether that is only software."""
    gpu = getattr(js.navigator, "gpu", None)
    if gpu is None:
        return False, False
    try:
        adapter = await gpu.requestAdapter()
        if is_none(adapter):
            return False, False
        return True, bool(getattr(adapter.info, "isFallbackAdapter", False))
    except (JsException, AttributeError):
        return False, False


def recall() -> str | None:
    """What `remember` kept; ``None`` where there's nothing, or the browser forbids it."""
    try:
        return js.localStorage.getItem(KEY) or None
    except (JsException, AttributeError):
        return None


def remember(text: str) -> None:
    """Keep a text until the next visit, where the browser allows that."""
    with suppress(JsException, AttributeError):
        js.localStorage.setItem(KEY, text)

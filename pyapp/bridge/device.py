"""What the browser says of the device, and what is remembered of it between visits."""

import json
from contextlib import suppress
from dataclasses import replace

import js
from pyodide.ffi import JsException
from pyscript.ffi import is_none

from pyapp.core.model.backend import Device

# What was measured, and whether there is a graphics card.
MEMORY, CARD = "lookdown device", "lookdown card"


def read_device() -> Device:
    """What the browser says there is to run a model on; of a graphics card, what is remembered.

    To ask for one takes time, and where there's none Chromium complains on the console.
    """
    try:
        gpu, slow_gpu = map(bool, json.loads(recall(CARD)))
    except (TypeError, ValueError):
        gpu = slow_gpu = False
    return Device(
        isolated=bool(js.crossOriginIsolated),
        cores=int(js.navigator.hardwareConcurrency or 1),
        memory_gb=float(getattr(js.navigator, "deviceMemory", None) or "inf"),
        gpu=gpu,
        slow_gpu=slow_gpu,
    )


async def look_for_card(device: Device) -> Device:
    """The device with what WebGPU says now, which is remembered."""
    gpu, slow_gpu = await _gpu()
    remember(CARD, json.dumps([gpu, slow_gpu]))
    return replace(device, gpu=gpu, slow_gpu=slow_gpu)


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


def recall(key: str) -> str | None:
    """What `remember` kept under a name; ``None`` where there is nothing or it is forbidden."""
    try:
        return js.localStorage.getItem(key) or None
    except (JsException, AttributeError):
        return None


def remember(key: str, text: str) -> None:
    """Keep a text until the next visit, where the browser allows that."""
    with suppress(JsException, AttributeError):
        js.localStorage.setItem(key, text)

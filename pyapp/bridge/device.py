"""What the browser says about the device, and what it remembers between visits."""

import json
from contextlib import suppress
from dataclasses import replace

import js
from pyodide.ffi import JsException
from pyscript.ffi import is_none, to_js

from pyapp.core.model.backend import Device

# Under this name is remembered whether there is a GPU, and WebNN.
ACCELERATORS = "lookdown accelerators"


class Browser:
    """Fulfils `Hardware` and `Settings`."""

    def read(self) -> Device:
        """What there is to run a model on; of a GPU and WebNN, what is remembered.

        To ask for them takes time, and if there is no GPU Chromium complains on the console.
        """
        try:
            gpu, slow_gpu, webnn = map(bool, json.loads(self.recall(ACCELERATORS) or "null"))
        except (TypeError, ValueError):
            gpu = slow_gpu = webnn = False
        return Device(
            isolated=bool(js.crossOriginIsolated),
            cores=int(js.navigator.hardwareConcurrency or 1),
            memory_gb=float(getattr(js.navigator, "deviceMemory", None) or "inf"),
            gpu=gpu,
            slow_gpu=slow_gpu,
            webnn=webnn,
        )

    async def find_accelerators(self, device: Device) -> Device:
        """The device with what WebGPU and WebNN say now, which is remembered."""
        (gpu, slow_gpu), webnn = await _gpu(), await _webnn()
        self.remember(ACCELERATORS, json.dumps([gpu, slow_gpu, webnn]))
        return replace(device, gpu=gpu, slow_gpu=slow_gpu, webnn=webnn)

    def recall(self, name: str) -> str | None:
        """What `remember` kept under a name; ``None`` if nothing, or if it is forbidden."""
        try:
            return js.localStorage.getItem(name) or None
        except (JsException, AttributeError):
            return None

    def remember(self, name: str, text: str) -> None:
        """Keep a text until the next visit, if the browser allows that."""
        with suppress(JsException, AttributeError):
            js.localStorage.setItem(name, text)


async def _gpu() -> tuple[bool, bool]:
    """Whether WebGPU has an adapter, and whether that is only software."""
    gpu = getattr(js.navigator, "gpu", None)
    if gpu is None or is_none(gpu):
        return False, False
    try:
        adapter = await gpu.requestAdapter()
        if is_none(adapter):
            return False, False
        return True, bool(getattr(adapter.info, "isFallbackAdapter", False))
    except (JsException, AttributeError):
        return False, False


async def _webnn() -> bool:
    """Whether WebNN gives a context on the processor; many a browser that has it refuses."""
    ml = getattr(js.navigator, "ml", None)
    if ml is None or is_none(ml):
        return False
    try:
        return not is_none(await ml.createContext(to_js({"deviceType": "cpu"})))
    except (JsException, AttributeError):
        return False

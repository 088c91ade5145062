"""Models run by onnxruntime-web: in WebAssembly in its own worker, on the GPU, or by WebNN."""

import asyncio
import itertools
import re
from contextlib import suppress
from typing import Any

import numpy as np
from pyodide.code import run_js
from pyodide.ffi import JsException
from pyscript.ffi import is_none, to_js

from pyapp.bridge import browser
from pyapp.core.errors import InferenceError, LostDeviceError, NoMemoryError
from pyapp.core.model.backend import WASM, WEBGPU, WEBNN, Backend
from pyapp.core.model.prediction import INPUT, OUTPUTS
from pyapp.work.ports import ModelRefusedError, RuntimeFailedError

CLOSING_S = 0.05
# How the runtime, Emscripten and browsers say it.
_NO_MEMORY = re.compile(r"bad_alloc|out of memory|memory allocation|OOM|could not allocate", re.I)
RUNTIME = "./runtime/ort/ort.{kind}.bundle.min.mjs"
_copies = itertools.count()
_import = run_js("(address) => import(new URL(address, document.baseURI))")
_unless = run_js("(running, lost) => Promise.race([running, lost.then(() => null)])")


class Network:
    """A session of onnxruntime-web; fulfils the port of this name.

    Attributes
    ----------
    inputs, outputs : list of str
        Names of the model's inputs and outputs.
    """

    def __init__(self, ort, session, lost):
        self.inputs: list[str] = list(session.inputNames)
        self.outputs: list[str] = list(session.outputNames)
        self._ort = ort
        self._session = session
        self._lost = lost
        self._runs = 0
        self._closed = False

    async def run(self, chips: np.ndarray) -> dict[str, np.ndarray]:
        """Infer a batch.

        Parameters
        ----------
        chips : uint8 [N, S, S, 3]
            RGB.

        Returns
        -------
        dict of str to float32 array
            Those that it has of ``probability`` [N, C], ``embedding`` [N, D] and
            ``activation`` [N, C, h, w].

        Raises
        ------
        LostDeviceError
            If the GPU goes away; the network is of no more use.
        InferenceError
            If the runtime gives up, mostly for lack of memory; the network is of no more use.
        """
        if self._closed:
            raise InferenceError("the network was closed")
        # The worker takes the buffer away, so each run gets a copy of its own.
        data = to_js(np.ascontiguousarray(chips).ravel().data)
        feeds = to_js({INPUT: self._ort.Tensor.new("uint8", data, to_js(list(chips.shape)))})
        self._runs += 1
        try:
            results = await self._answer(feeds)
        except JsException as error:
            raise InferenceError(str(error)) from error
        finally:
            self._runs -= 1
        return {name: _array(getattr(results, name)) for name in OUTPUTS if name in self.outputs}

    async def _answer(self, feeds):
        """What the session gives; a run on a GPU that is gone may never end."""
        if self._lost is None:
            return await self._session.run(feeds)
        results = await _unless(self._session.run(feeds), self._lost)
        if is_none(results):
            raise LostDeviceError
        return results

    async def close(self) -> None:
        """Give its memory back, as far as the runtime does that, once nothing runs any more."""
        if self._closed:
            return
        self._closed = True
        while self._runs:
            await asyncio.sleep(CLOSING_S)
        # One that broke has nothing to give back.
        with suppress(JsException):
            await self._session.release()


def _array(tensor) -> np.ndarray:
    return np.asarray(tensor.data.to_py()).reshape(tensor.dims.to_py())


class Onnx:
    """Fulfils `Runtime`.

    Each network has a copy of the runtime to itself: threads are settled once for each, and one
    that ran out of memory is of no more use.
    """

    def is_supported(self) -> bool:
        """Whether the browser runs WebAssembly with SIMD."""
        return browser.has_simd()

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
        ort = await _runtime(backend)
        try:
            options = to_js(_options(backend))
            session = await ort.InferenceSession.create(to_js(model), options)
            lost = await _lost(ort) if backend.kind == WEBGPU else None
        except JsException as error:
            if _NO_MEMORY.search(str(error)):
                raise NoMemoryError from error
            raise ModelRefusedError(str(error)) from error
        return Network(ort, session, lost)


def _options(backend: Backend) -> dict[str, Any]:
    """How a session is to be made."""
    if backend.kind != WEBNN:
        return {"executionProviders": [backend.kind]}
    # All shapes have to be settled; "n" is the number of chips in our contract.
    provider = {"name": WEBNN, "deviceType": "cpu"}
    return {"executionProviders": [provider], "freeDimensionOverrides": {"n": 1}}


async def _runtime(backend: Backend):
    """A copy of onnxruntime-web that no other network uses."""
    copy = next(_copies)
    try:
        # WebNN comes with the runtime for the GPU.
        kind = WASM if backend.kind == WASM else WEBGPU
        ort = await _import(RUNTIME.format(kind=kind) + (f"?copy={copy}" if copy else ""))
    except JsException as error:
        raise RuntimeFailedError(str(error)) from error
    # GPU and WebNN work beside the page's thread anyway, and can't be reached from the worker.
    ort.env.wasm.proxy = backend.kind == WASM
    ort.env.wasm.numThreads = backend.threads
    return ort


async def _lost(ort):
    """A promise that is kept when the GPU that a runtime uses is gone; ``None`` without one."""
    device = ort.env.webgpu.device
    # A promise in some releases of the runtime.
    device = await device if hasattr(device, "then") else device
    return None if is_none(device) else device.lost

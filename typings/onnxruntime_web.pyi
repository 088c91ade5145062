# What the page uses of onnxruntime-web, which it imports while it runs (`pyodide.code.run_js`). For
# annotations only: `if TYPE_CHECKING: from onnxruntime_web import Ort`.
from collections.abc import Awaitable, Iterable
from typing import Any

from pyodide.ffi import JsProxy

class Tensor:
    data: JsProxy
    dims: JsProxy
    @staticmethod
    def new(kind: str, data: JsProxy, dims: JsProxy) -> Tensor: ...

class InferenceSession:
    inputNames: Iterable[str]
    outputNames: Iterable[str]
    @staticmethod
    def create(model: JsProxy, options: JsProxy) -> Awaitable[InferenceSession]: ...
    def release(self) -> Awaitable[None]: ...
    # An attribute for each output of the model, a `Tensor`.
    def run(self, feeds: JsProxy) -> Awaitable[Any]: ...

class WebAssemblyFlags:
    numThreads: int
    proxy: bool

class WebGpuFlags:
    # In some releases a promise.
    device: Any

class Env:
    wasm: WebAssemblyFlags
    webgpu: WebGpuFlags

class Ort:
    InferenceSession: type[InferenceSession]
    Tensor: type[Tensor]
    env: Env

"""Models run by onnxruntime itself, each in a thread of its own."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime

from pyapp.core.errors import InferenceError, NoMemoryError
from pyapp.core.model.backend import Backend
from pyapp.work.ports import ModelRefusedError

PROVIDERS = ["CPUExecutionProvider"]
# Warnings about a graph are not for the person who runs the command.
ERRORS_ONLY = 3


class NativeNetwork:
    """An open model; see `pyapp.work.ports.Network`."""

    def __init__(self, session: onnxruntime.InferenceSession, thread: ThreadPoolExecutor):
        self._session = session
        self._thread = thread
        self.inputs: Sequence[str] = [each.name for each in session.get_inputs()]
        self.outputs: Sequence[str] = [each.name for each in session.get_outputs()]

    async def run(self, chips: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs for a batch of chips, uint8 [N, S, S, 3].

        Raises
        ------
        InferenceError
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._thread, self._infer, chips)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # onnxruntime's own have no common base
            raise InferenceError(str(error)) from error
        return dict(zip(self.outputs, found, strict=True))

    async def close(self) -> None:
        """Let the thread end once nothing runs in it any more."""
        self._thread.shutdown(wait=False)

    def _infer(self, chips: np.ndarray) -> list[np.ndarray]:
        found: list[np.ndarray] = self._session.run(None, {self.inputs[0]: chips})
        return found


class NativeRuntime:
    """Opens models; see `pyapp.work.ports.Runtime`."""

    def is_supported(self) -> bool:
        """Always: what can't be supported can't be installed."""
        return True

    async def open(self, model: bytes, backend: Backend) -> NativeNetwork:
        """Open a model with as many threads as the backend names.

        Raises
        ------
        NoMemoryError, ModelRefusedError
        """
        thread = ThreadPoolExecutor(1, "inference")
        loop = asyncio.get_running_loop()
        try:
            session = await loop.run_in_executor(thread, _session, model, backend.threads)
        except MemoryError as error:
            thread.shutdown(wait=False)
            raise NoMemoryError from error
        except Exception as error:  # onnxruntime's own have no common base
            thread.shutdown(wait=False)
            raise ModelRefusedError(str(error)) from error
        return NativeNetwork(session, thread)


def _session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    return onnxruntime.InferenceSession(model, options, providers=PROVIDERS)

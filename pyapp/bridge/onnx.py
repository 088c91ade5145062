"""The model, run by onnxruntime-web: in WebAssembly in its own worker, or on the graphics card."""

import asyncio
import hashlib
import itertools
import re
from contextlib import suppress

import numpy as np
from pyodide.code import run_js
from pyodide.ffi import JsException
from pyscript.ffi import is_none, to_js

from pyapp.bridge import browser, http
from pyapp.core.errors import (
    BackendError,
    DamagedModelError,
    InferenceError,
    LostDeviceError,
    MissingModelError,
    NoMemoryError,
    NoSimdError,
    WrongModelError,
)
from pyapp.core.model.backend import WEBGPU, Backend, Golden
from pyapp.core.model.card import Card, ModelName, models_from_json
from pyapp.core.model.prediction import INPUT, OUTPUTS, PROBABILITY

MODEL_LIMIT_S = 300.0
CARD_LIMIT_S = 30.0
CLOSING_S = 0.05
# How the runtime, Emscripten and browsers say it.
_NO_MEMORY = re.compile(r"bad_alloc|out of memory|memory allocation|OOM|could not allocate", re.I)
RUNTIME = "./runtime/ort/ort.{kind}.bundle.min.mjs"
_copies = itertools.count()
_import = run_js("(address) => import(new URL(address, document.baseURI))")


class Network:
    """A session of onnxruntime-web whose model fits the contract in docs/design.md.

    Attributes
    ----------
    way : Backend
        How it runs.
    """

    def __init__(self, ort, session, way: Backend, lost: asyncio.Future | None):
        self.way = way
        self._ort = ort
        self._session = session
        self._lost = lost
        self._runs = 0

    async def run(self, chips: np.ndarray) -> dict[str, np.ndarray]:
        """Infer a batch.

        Parameters
        ----------
        chips : uint8 [N, S, S, 3]
            RGB.

        Returns
        -------
        dict of str to float32 array
            ``probability`` [N, C], ``embedding`` [N, D], ``activation`` [N, C, h, w].

        Raises
        ------
        LostDeviceError
            When the graphics card goes away; the network is of no use any more.
        InferenceError
            When the runtime gives up, for want of memory as a rule; likewise.
        """
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
        return {name: _array(getattr(results, name)) for name in OUTPUTS}

    async def _answer(self, feeds):
        """What the session gives; a run on a graphics card that is gone may never end."""
        if self._lost is None:
            return await self._session.run(feeds)
        running = asyncio.ensure_future(self._session.run(feeds))
        try:
            await asyncio.wait((running, self._lost), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            running.cancel()
            raise
        if self._lost.done():
            running.add_done_callback(lambda each: each.cancelled() or each.exception())
            raise LostDeviceError
        return running.result()

    async def close(self) -> None:
        """Give its memory back, as far as the runtime does that, once nothing runs any more."""
        while self._runs:
            await asyncio.sleep(CLOSING_S)
        # One that broke has nothing to give.
        with suppress(JsException):
            await self._session.release()


def _array(tensor) -> np.ndarray:
    return np.asarray(tensor.data.to_py()).reshape(tensor.dims.to_py())


async def list_models(folder: str) -> list[ModelName]:
    """The models that ``index.json`` in ``folder`` lists, the default first.

    Raises
    ------
    MissingModelError, ModelListError
    """
    return models_from_json(await _text(f"{folder}/index.json", "The list of models"))


async def load_card(folder: str, name: str) -> Card:
    """Read the card of a model.

    Raises
    ------
    MissingModelError, CardError
    """
    return Card.from_json(name, await _text(f"{folder}/{name}/card.json", f"The model {name}"))


async def _text(url: str, what: str) -> str:
    try:
        return await http.fetch_text(url, CARD_LIMIT_S)
    except (http.StatusError, http.UnreachableError, TimeoutError) as error:
        raise MissingModelError(what) from error


async def load_golden(folder: str, name: str) -> Golden | None:
    """What native onnxruntime says of some places; ``None`` where the model has no such file."""
    try:
        text = await http.fetch_text(f"{folder}/{name}/golden.json", CARD_LIMIT_S)
        return Golden.from_json(text)
    except (http.StatusError, http.UnreachableError, TimeoutError, ValueError, KeyError, TypeError):
        return None


async def load(folder: str, card: Card, way: Backend) -> Network:
    """Fetch a model, check it against its card, and start it.

    Each network has a runtime of its own: threads are settled once for each, and one that ran out
    of memory is of no use any more.

    Parameters
    ----------
    folder : str
        Address of the folder of models.
    card : Card
    way : Backend
        How it shall run.

    Raises
    ------
    NoSimdError, MissingModelError, DamagedModelError, WrongModelError
    BackendError
        When the runtime does not start in this way.
    """
    if not browser.has_simd():
        raise NoSimdError
    try:
        data = await http.fetch_bytes(f"{folder}/{card.name}/model.onnx", MODEL_LIMIT_S)
    except (http.StatusError, http.UnreachableError, TimeoutError) as error:
        raise MissingModelError(f"The model {card.name}") from error
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise DamagedModelError(card.name)
    on_gpu = way.kind == WEBGPU
    ort = await _runtime(way)
    options = to_js({"executionProviders": [way.kind]})
    try:
        session = await ort.InferenceSession.create(to_js(data), options)
    except JsException as error:
        if _NO_MEMORY.search(str(error)):
            raise NoMemoryError from error
        # Whether it's the file or the runtime, only another way can tell.
        raise (BackendError(way, str(error)) if on_gpu else DamagedModelError(card.name)) from error
    network = Network(ort, session, way, await _lost(ort) if on_gpu else None)
    await _check(network, session, card)
    return network


async def _runtime(way: Backend):
    """A copy of onnxruntime-web that no other network uses."""
    copy = next(_copies)
    try:
        ort = await _import(RUNTIME.format(kind=way.kind) + (f"?copy={copy}" if copy else ""))
    except JsException as error:
        raise BackendError(way, str(error)) from error
    # The graphics card works beside the page's thread anyway, and can't be had from the worker.
    ort.env.wasm.proxy = way.kind != WEBGPU
    ort.env.wasm.numThreads = way.threads
    return ort


async def _lost(ort) -> asyncio.Future | None:
    """Done when the graphics card that a runtime uses is gone."""
    device = ort.env.webgpu.device
    # A promise in some releases of the runtime.
    device = await device if hasattr(device, "then") else device
    return None if is_none(device) else asyncio.ensure_future(device.lost)


async def _check(network: Network, session, card: Card) -> None:
    """Run one grey chip: proves the contract, and lets the first answer come quickly."""
    if list(session.inputNames) != [INPUT]:
        raise WrongModelError(card.name, f'it has no single input named "{INPUT}"')
    missing = set(OUTPUTS) - set(session.outputNames)
    if missing:
        raise WrongModelError(card.name, f'it has no output named "{min(missing)}"')
    grey = np.full((1, card.chip_px, card.chip_px, 3), 128, np.uint8)
    try:
        shape = (await network.run(grey))[PROBABILITY].shape
    except InferenceError as error:
        raise WrongModelError(
            card.name, f"it does not take a chip of {card.chip_px} pixels"
        ) from error
    if shape != (1, len(card.labels)):
        raise WrongModelError(
            card.name, f"its card names {len(card.labels)} classes, its file has {shape[-1]}"
        )

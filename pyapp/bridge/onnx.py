"""The model, run by onnxruntime-web in its own worker."""

import hashlib
import json

import js
import numpy as np
from pyodide.ffi import JsException
from pyscript.ffi import to_js
from pyscript.js_modules import ort

from pyapp.bridge import browser, http
from pyapp.core.errors import (
    DamagedModelError,
    InferenceError,
    MissingModelError,
    ModelListError,
    NoSimdError,
    WrongModelError,
)
from pyapp.core.model import INPUT, OUTPUTS, PROBABILITY, Card

MODEL_LIMIT_S = 300.0
CARD_LIMIT_S = 30.0
MOST_THREADS = 4


class Network:
    """A session of onnxruntime-web whose model fits the contract in docs/design.md."""

    def __init__(self, session):
        self._session = session

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
        InferenceError
            When the runtime gives up, for want of memory as a rule.
        """
        # The worker takes the buffer away, so each run gets a copy of its own.
        data = to_js(np.ascontiguousarray(chips).ravel().data)
        feeds = to_js({INPUT: ort.Tensor.new("uint8", data, to_js(list(chips.shape)))})
        try:
            results = await self._session.run(feeds)
        except JsException as error:
            raise InferenceError(str(error)) from error
        return {name: _array(getattr(results, name)) for name in OUTPUTS}


def _array(tensor) -> np.ndarray:
    return np.asarray(tensor.data.to_py()).reshape(tensor.dims.to_py())


async def default_model(folder: str) -> str:
    """The name of the model that ``index.json`` in ``folder`` puts first.

    Raises
    ------
    MissingModelError, ModelListError
    """
    text = await _text(f"{folder}/index.json", "The list of models")
    try:
        return str(json.loads(text)["default"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelListError from error


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


async def load(folder: str, card: Card) -> Network:
    """Fetch a model, check it against its card, and start it.

    Parameters
    ----------
    folder : str
        Address of the folder of models.
    card : Card

    Raises
    ------
    NoSimdError, MissingModelError, DamagedModelError, WrongModelError
    """
    if not browser.has_simd():
        raise NoSimdError
    try:
        data = await http.fetch_bytes(f"{folder}/{card.name}/model.onnx", MODEL_LIMIT_S)
    except (http.StatusError, http.UnreachableError, TimeoutError) as error:
        raise MissingModelError(f"The model {card.name}") from error
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise DamagedModelError(card.name)
    ort.env.wasm.proxy = True
    ort.env.wasm.numThreads = _threads()
    try:
        session = await ort.InferenceSession.create(to_js(data))
    except JsException as error:
        raise DamagedModelError(card.name) from error
    network = Network(session)
    await _check(network, session, card)
    return network


def _threads() -> int:
    """As many as there are cores, where the page is isolated; one elsewhere."""
    if not js.crossOriginIsolated:
        return 1
    return min(js.navigator.hardwareConcurrency or 1, MOST_THREADS)


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

"""Models as they are fetched: the list, a card, golden places, and a network that was checked."""

import hashlib

import numpy as np

from pyapp.core.errors import (
    BackendError,
    DamagedModelError,
    InferenceError,
    MissingModelError,
    NoSimdError,
    WrongModelError,
)
from pyapp.core.model.backend import WEBGPU, Backend, Golden
from pyapp.core.model.card import Card
from pyapp.core.model.listing import ListedModel, models_from_json
from pyapp.core.model.prediction import INPUT, OUTPUTS, PROBABILITY
from pyapp.work.ports import (
    Arrived,
    Fetch,
    ModelRefusedError,
    Network,
    Runtime,
    RuntimeFailedError,
    StatusError,
    UnreachableError,
)

MODEL_LIMIT_S = 300.0
CARD_LIMIT_S = 30.0
DID_NOT_ARRIVE = (StatusError, UnreachableError, TimeoutError)


def file_of(name: str) -> str:
    """The file of a model, in the folder of models.

    >>> file_of("wide")
    'wide/model.onnx'
    """
    return f"{name}/model.onnx"


class ModelFiles:
    """A folder of models.

    Parameters
    ----------
    fetch : Fetch
    runtime : Runtime
    folder : str
        Its address.
    """

    def __init__(self, fetch: Fetch, runtime: Runtime, folder: str):
        self._fetch = fetch
        self._runtime = runtime
        self._folder = folder

    async def list(self) -> list[ListedModel]:
        """The models that ``index.json`` lists, the default first.

        Raises
        ------
        MissingModelError, ModelListError
        """
        return models_from_json(await self._text("index.json", "The list of models"))

    async def card(self, name: str) -> Card:
        """The card of a model.

        Raises
        ------
        MissingModelError, CardError
        """
        return Card.from_json(name, await self._text(f"{name}/card.json", f"The model {name}"))

    async def golden(self, name: str) -> Golden | None:
        """What native onnxruntime says about some places; ``None`` if there is no such file."""
        try:
            data = await self._fetch(f"{self._folder}/{name}/golden.json", CARD_LIMIT_S)
            return Golden.from_json(data.decode())
        except (*DID_NOT_ARRIVE, ValueError, KeyError, TypeError):
            return None

    async def network(
        self, card: Card, backend: Backend, arrived: Arrived | None = None
    ) -> Network:
        """Fetch a model, check it against its card, and open it.

        ``arrived(n)`` is called as its file arrives, with the number of bytes so far.

        Raises
        ------
        NoSimdError, MissingModelError, DamagedModelError, WrongModelError, NoMemoryError
        BackendError
            If the backend does not start.
        """
        if not self._runtime.is_supported():
            raise NoSimdError
        try:
            data = await self._fetch(
                f"{self._folder}/{file_of(card.name)}", MODEL_LIMIT_S, arrived=arrived
            )
        except DID_NOT_ARRIVE as error:
            raise MissingModelError(f"The model {card.name}") from error
        if hashlib.sha256(data).hexdigest() != card.sha256:
            raise DamagedModelError(card.name)
        try:
            network = await self._runtime.open(data, backend)
        except RuntimeFailedError as error:
            raise BackendError(backend, str(error)) from error
        except ModelRefusedError as error:
            # Whether the file or the runtime is at fault, only another backend can tell.
            if backend.kind == WEBGPU:
                raise BackendError(backend, str(error)) from error
            raise DamagedModelError(card.name) from error
        try:
            await _check(network, card)
        except BaseException:
            await network.close()
            raise
        return network

    async def _text(self, path: str, what: str) -> str:
        try:
            return (await self._fetch(f"{self._folder}/{path}", CARD_LIMIT_S)).decode()
        except DID_NOT_ARRIVE as error:
            raise MissingModelError(what) from error


async def _check(network: Network, card: Card) -> None:
    """Run one grey chip: proves the contract, and lets the first answer come quickly."""
    if list(network.inputs) != [INPUT]:
        raise WrongModelError(card.name, f'it has no single input named "{INPUT}"')
    missing = set(OUTPUTS) - set(network.outputs)
    if missing:
        raise WrongModelError(card.name, f'it has no output named "{min(missing)}"')
    try:
        shape = (await network.run(grey_chip(card)))[PROBABILITY].shape
    except InferenceError as error:
        raise WrongModelError(
            card.name, f"it does not take a chip of {card.chip_px} pixels"
        ) from error
    if shape != (1, len(card.labels)):
        raise WrongModelError(
            card.name, f"its card names {len(card.labels)} classes, its file has {shape[-1]}"
        )


def grey_chip(card: Card) -> np.ndarray:
    """A batch of one chip without content, uint8 [1, S, S, 3]."""
    return np.full((1, card.chip_px, card.chip_px, 3), 128, np.uint8)

"""Models as they are fetched: the list, a card, golden places, and a network that was checked."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from pyapp.core.errors import (
    BackendError,
    DamagedModelError,
    InferenceError,
    MissingModelError,
    NoSimdError,
    WrongModelError,
)
from pyapp.core.model.backend import WASM, WEBNN, Backend, Golden
from pyapp.core.model.card import Card
from pyapp.core.model.listing import ListedModel, models_from_json
from pyapp.core.model.prediction import EMBEDDING, INPUT, OUTPUTS, PROBABILITY
from pyapp.work.own_models import OwnModels, is_own
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
from pyapp.work.tasks import begin

MODEL_LIMIT_S = 300.0
CARD_LIMIT_S = 30.0
# How far from 1 the probabilities of a model from elsewhere may add up.
NEARLY_ONE = 0.01
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

    Attributes
    ----------
    own : OwnModels or None
        Those that the person opened, once they are looked for.
    """

    def __init__(self, fetch: Fetch, runtime: Runtime, folder: str):
        self.own: OwnModels | None = None
        self._fetch = fetch
        self._runtime = runtime
        self._folder = folder
        self._ahead: dict[str, _Ahead] = {}
        self._on_opening: list[Callable[[], object]] = []

    def ask_ahead(self, name: str) -> None:
        """Ask for the card and the file of a model now, since it is needed soon."""
        if not is_own(name):
            for path, limit_s in ((_card_of(name), CARD_LIMIT_S), (file_of(name), MODEL_LIMIT_S)):
                self._ahead[path] = _Ahead(self._fetch, f"{self._folder}/{path}", limit_s)

    def on_opening(self, handler: Callable[[], object]) -> None:
        """Call ``handler()`` once, when the runtime is given a model and this thread has time."""
        self._on_opening.append(handler)

    async def list(self) -> list[ListedModel]:
        """The models that ``index.json`` lists, the default first.

        Raises
        ------
        MissingModelError, ModelListError
        """
        listed = models_from_json(await self._text("index.json", "The list of models"))
        return [*listed, *await self.own_listed()]

    async def own_listed(self) -> Sequence[ListedModel]:
        """The models that the person opened, as far as they are looked for."""
        return [] if self.own is None else await self.own.list()

    async def card(self, name: str) -> Card:
        """The card of a model.

        Raises
        ------
        MissingModelError, CardError
        """
        if self.own is not None and is_own(name):
            return await self.own.card(name)
        return Card.from_json(name, await self._text(_card_of(name), f"The model {name}"))

    async def golden(self, name: str) -> Golden | None:
        """What native onnxruntime says about some places; ``None`` if there is no such file."""
        if is_own(name):
            return None
        try:
            data = await self._fetch(f"{self._folder}/{name}/golden.json", CARD_LIMIT_S)
            return Golden.from_json(data.decode())
        except (*DID_NOT_ARRIVE, ValueError, KeyError, TypeError):
            return None

    async def file(self, card: Card, arrived: Arrived | None = None) -> bytes:
        """The file of a model, checked against its card.

        ``arrived(n)`` is called as it arrives, with the number of bytes so far.

        Raises
        ------
        MissingModelError, DamagedModelError
        """
        if self.own is not None and is_own(card.name):
            data = await self.own.data(card.name)
            if hashlib.sha256(data).hexdigest() != card.sha256:
                raise DamagedModelError(card.name)
            return data
        try:
            data = await self._get(file_of(card.name), MODEL_LIMIT_S, arrived)
        except DID_NOT_ARRIVE as error:
            raise MissingModelError(f"The model {card.name}") from error
        if hashlib.sha256(data).hexdigest() != card.sha256:
            raise DamagedModelError(card.name)
        return data

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
        data = await self.file(card, arrived)
        while self._on_opening:
            self._on_opening.pop()()
        try:
            network = await self._runtime.open(data, backend)
        except RuntimeFailedError as error:
            raise BackendError(backend, str(error)) from error
        except ModelRefusedError as error:
            # Whether the file or the runtime is at fault, only another backend can tell.
            if backend.kind != WASM:
                raise BackendError(backend, str(error)) from error
            raise DamagedModelError(card.name) from error
        # WebNN compiles a graph whose shapes are settled, so it takes one chip.
        one_at_a_time = card.one_at_a_time or backend.kind == WEBNN
        if not card.embeds or one_at_a_time:
            network = Adapted(network, one_at_a_time)
        try:
            await _check(network, card)
        except BaseException:
            await network.close()
            raise
        return network

    async def _text(self, path: str, what: str) -> str:
        try:
            return (await self._get(path, CARD_LIMIT_S)).decode()
        except DID_NOT_ARRIVE as error:
            raise MissingModelError(what) from error

    async def _get(self, path: str, limit_s: float, arrived: Arrived | None = None) -> bytes:
        ahead = self._ahead.pop(path, None)
        if ahead is not None:
            return await ahead.data(arrived)
        return await self._fetch(f"{self._folder}/{path}", limit_s, arrived=arrived)


class _Ahead:
    """A file that was asked for before it is needed."""

    def __init__(self, fetch: Fetch, url: str, limit_s: float):
        self._size = 0
        self._tell: Arrived | None = None
        self._task = begin(fetch(url, limit_s, arrived=self._arrived))

    def _arrived(self, size: int) -> None:
        self._size = size
        if self._tell is not None:
            self._tell(size)

    async def data(self, arrived: Arrived | None) -> bytes:
        """The file once it is there; from now on ``arrived(n)`` is called as it arrives."""
        self._tell = arrived
        if self._size:
            self._arrived(self._size)
        return await self._task


def _card_of(name: str) -> str:
    return f"{name}/card.json"


class Adapted:
    """A network without embeddings, or one that takes just one chip, as `Network`.

    Parameters
    ----------
    network : Network
    one_at_a_time : bool
    """

    def __init__(self, network: Network, one_at_a_time: bool):
        self._network = network
        self._one_at_a_time = one_at_a_time
        self.inputs, self.outputs = network.inputs, network.outputs

    async def run(self, chips: np.ndarray) -> dict[str, np.ndarray]:
        """What the network gives; an embedding that is missing has no features."""
        if self._one_at_a_time:
            parts = [await self._network.run(chip[np.newaxis]) for chip in chips]
            found = {name: np.concatenate([each[name] for each in parts]) for name in parts[0]}
        else:
            found = await self._network.run(chips)
        return {EMBEDDING: np.empty((len(chips), 0), np.float32), **found}

    async def close(self) -> None:
        """Give its memory back."""
        await self._network.close()


async def _check(network: Network, card: Card) -> None:
    """Run one grey chip: proves the contract, and lets the first answer come quickly."""
    if list(network.inputs) != [INPUT]:
        raise WrongModelError(card.name, f'it has no single input named "{INPUT}"')
    missing = set(OUTPUTS) - set(network.outputs) - ({EMBEDDING} if not card.embeds else set())
    if missing:
        raise WrongModelError(card.name, f'it has no output named "{min(missing)}"')
    try:
        said = (await network.run(grey_chip(card)))[PROBABILITY]
    except InferenceError as error:
        raise WrongModelError(
            card.name, f"it does not take a chip of {card.chip_px} pixels"
        ) from error
    if said.shape != (1, len(card.labels)):
        raise WrongModelError(
            card.name, f"its card names {len(card.labels)} classes, its file has {said.shape[-1]}"
        )
    if not card.judged and not (said.min() >= 0 and abs(float(said.sum()) - 1) <= NEARLY_ONE):
        raise WrongModelError(
            card.name, "what it gives are no probabilities that add up to 1, so they may be logits"
        )


def grey_chip(card: Card) -> np.ndarray:
    """A batch of one chip without content, uint8 [1, S, S, 3]."""
    return np.full((1, card.chip_px, card.chip_px, 3), 128, np.uint8)

"""A survey: what the model says of every cell of a grid, and what a person makes of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from pyapp.core.area import Area
from pyapp.core.geo import LngLat
from pyapp.core.grid import Grid, plan
from pyapp.core.model import Card
from pyapp.core.refit import Refit, refit
from pyapp.core.source import Source

# What became of a cell. Those of AGAIN can be looked at again.
WAITING, NAMED, MISSING, FAILED, BLANK, BLURRED, LEFT_OUT = range(7)
STATES = (
    "waiting", "named", "no imagery", "imagery failed", "placeholder", "blurred imagery",
    "left out",
)  # fmt: skip
AGAIN = (MISSING, FAILED, LEFT_OUT)
DIGEST_BYTES = 32


# How the parts of a batch are kept.
TYPES = {
    "numbers": np.int32,
    "state": np.uint8,
    "probability": np.float16,
    "embedding": np.float16,
    "familiarity": np.float32,
    "digest": np.uint8,
}


@dataclass(frozen=True)
class Batch:
    """What came out for some cells.

    Attributes
    ----------
    numbers : int32 [n]
        Of the cells, in the grid's order of work.
    state : uint8 [n]
    probability : float16 [m, C], embedding : float16 [m, D]
        Of the m cells that are `NAMED`, in their order. Half precision, as a survey is kept: what
        is shown is then the same before and after a reload.
    familiarity : float32 [m]
    digest : uint8 [m, 32]
        SHA-256 of the chips.
    """

    numbers: np.ndarray
    state: np.ndarray
    probability: np.ndarray
    embedding: np.ndarray
    familiarity: np.ndarray
    digest: np.ndarray

    @classmethod
    def without_imagery(cls, numbers: Iterable[int], state: int) -> "Batch":
        """Cells that the model does not get to see."""
        numbers = np.asarray(list(numbers), np.int32)
        nothing = {name: np.empty((0, 0), kind) for name, kind in TYPES.items()}
        nothing |= {"numbers": numbers, "state": np.full(len(numbers), state, np.uint8)}
        return cls(**nothing)

    @classmethod
    def joined(cls, batches: list["Batch"]) -> "Batch":
        """Several as one."""
        parts = {}
        for name in TYPES:
            arrays = [getattr(each, name) for each in batches]
            filled = [each for each in arrays if len(each)]
            parts[name] = np.concatenate(filled) if filled else arrays[0]
        return cls(**parts)

    def to_bytes(self) -> dict[str, bytes]:
        """What is kept of it."""
        return {name: getattr(self, name).tobytes() for name in TYPES}

    @classmethod
    def from_bytes(cls, kept: dict[str, bytes]) -> "Batch":
        """What `to_bytes` gave.

        Raises
        ------
        ValueError, KeyError
            When it is something else.
        """
        arrays = {name: np.frombuffer(kept[name], kind) for name, kind in TYPES.items()}
        named = int((arrays["state"] == NAMED).sum())
        for name in ("probability", "embedding", "digest"):
            width, rest = divmod(arrays[name].size, named or 1)
            if rest:
                raise ValueError(f"a batch whose {name} is cut short")
            arrays[name] = arrays[name].reshape(named, width)
        if len(arrays["numbers"]) != len(arrays["state"]) or len(arrays["familiarity"]) != named:
            raise ValueError("a batch whose parts do not fit each other")
        return cls(**arrays)


@dataclass(frozen=True)
class Model:
    """The facts of the model that a survey is kept with."""

    name: str
    title: str
    sha256: str
    labels: tuple[str, ...]
    threshold: float
    chip_px: int

    @classmethod
    def of(cls, card: Card) -> "Model":
        """Those of a card."""
        return cls(card.name, card.title, card.sha256, card.labels, card.threshold, card.chip_px)


@dataclass(frozen=True)
class Imagery:
    """The facts of the imagery that a survey is kept with."""

    id: str
    name: str
    url: str
    min_zoom: int
    max_zoom: int
    credit: str

    @classmethod
    def of(cls, source: Source) -> "Imagery":
        """Those of a source."""
        return cls(
            source.id, source.name, source.url, source.min_zoom, source.max_zoom, source.credit
        )


@dataclass
class Survey:
    """Cells, and what the model says of them.

    Attributes
    ----------
    id : str
    name : str
        As the person calls it.
    made : str
        Moment of its beginning, ISO 8601.
    area : Area
    grid : Grid
    model : Model
    imagery : Imagery
    corrections : dict of int to int
        Class that the person gave a cell.
    state : uint8 [N]
    probability : float32 [N, C]
        As the network gave it; 0 for cells that are not named.
    embedding : float32 [N, D]
        Of length 1; 0 likewise. ``None`` before the first batch, and for one that came as a file.
    familiarity : float32 [N]
    digest : uint8 [N, 32]
    """

    id: str
    name: str
    made: str
    area: Area
    grid: Grid
    model: Model
    imagery: Imagery
    corrections: dict[int, int] = field(default_factory=dict)

    def __post_init__(self):
        count, classes = len(self.grid), len(self.model.labels)
        self.state = np.full(count, WAITING, np.uint8)
        self.probability = np.zeros((count, classes), np.float32)
        self.familiarity = np.zeros(count, np.float32)
        self.digest = np.zeros((count, DIGEST_BYTES), np.uint8)
        self.embedding: np.ndarray | None = None
        self._length = np.zeros(count, np.float32)
        self._refit: Refit | None = None
        # Goes up with each change of what is to be shown.
        self.version = 0

    @property
    def waiting(self) -> np.ndarray:
        """Numbers of the cells that are still to be looked at, int [n]."""
        return np.flatnonzero(self.state == WAITING)

    @property
    def named(self) -> np.ndarray:
        """Whether the model named a cell, bool [N]."""
        return self.state == NAMED

    def count(self, *states: int) -> int:
        """How many cells are in any of some states."""
        return int(np.bincount(self.state, minlength=len(STATES))[list(states)].sum())

    def add(self, batch: Batch) -> None:
        """Take in what came out for some cells."""
        self.state[batch.numbers] = batch.state
        named = batch.numbers[batch.state == NAMED]
        if len(named):
            self.probability[named] = batch.probability
            self.familiarity[named] = batch.familiarity
            self.digest[named] = batch.digest
            if batch.embedding.shape[1]:
                self._take_embedding(named, batch.embedding.astype(np.float32))
        self._changed()

    def to_batch(self) -> Batch:
        """All cells that were looked at, as they are now."""
        numbers = np.flatnonzero(self.state != WAITING).astype(np.int32)
        named = self.named
        nothing = np.empty((int(named.sum()), 0), np.float16)
        return Batch(
            numbers=numbers,
            state=self.state[numbers],
            probability=self.probability[named].astype(np.float16),
            embedding=nothing if self.embedding is None else self.embedding[named].astype("f2"),
            familiarity=self.familiarity[named],
            digest=self.digest[named],
        )

    def look_again(self) -> int:
        """Let the cells without imagery, or left out, wait again; how many there are."""
        again = np.zeros(len(STATES), bool)
        again[list(AGAIN)] = True
        failed = again[self.state]
        self.state[failed] = WAITING
        self._changed()
        return int(failed.sum())

    def correct(self, number: int, class_id: int | None) -> None:
        """Give a cell another class, or take that back; the others follow by `refit`."""
        self.corrections.pop(number, None)
        if class_id is not None:
            self.corrections[number] = class_id
        self._changed()

    @property
    def scores(self) -> np.ndarray:
        """Probabilities after the person's corrections, float32 [N, C]."""
        if not self.corrections or self.embedding is None:
            return self.probability
        if self._refit is None:
            self._refit = refit(self.embedding, self.probability, self.named, self.corrections)
        return self._refit.probability

    def _take_embedding(self, numbers: np.ndarray, embedding: np.ndarray) -> None:
        if self.embedding is None:
            self.embedding = np.zeros((len(self.grid), embedding.shape[1]), np.float32)
        length = np.sqrt(np.einsum("nd,nd->n", embedding, embedding))
        self.embedding[numbers] = embedding / np.maximum(length, 1e-12)[:, np.newaxis]

    def _changed(self) -> None:
        self._refit = None
        self.version += 1

    def to_json(self) -> str:
        """Its facts, without what the model said."""
        facts = {
            "id": self.id,
            "name": self.name,
            "made": self.made,
            "area": self.area.corners,
            "side_m": self.grid.side_m,
            "step": self.grid.step,
            "model": vars(self.model),
            "imagery": vars(self.imagery),
            "corrections": list(self.corrections.items()),
        }
        return json.dumps(facts)

    @classmethod
    def from_json(cls, text: str) -> "Survey":
        """What `to_json` gave, with nothing named yet.

        Raises
        ------
        ValueError, KeyError, TypeError, AreaError
            When it is something else.
        """
        facts = json.loads(text)
        area = Area(tuple(LngLat(float(lng), float(lat)) for lng, lat in facts["area"]))
        model = facts["model"] | {"labels": tuple(facts["model"]["labels"])}
        return cls(
            id=str(facts["id"]),
            name=str(facts["name"]),
            made=str(facts["made"]),
            area=area,
            grid=plan(area, float(facts["side_m"]), float(facts["step"])),
            model=Model(**model),
            imagery=Imagery(**facts["imagery"]),
            corrections={int(cell): int(class_id) for cell, class_id in facts["corrections"]},
        )

"""A survey: what the model says about every cell of a grid, and what a person makes of it."""

import json
import math
from dataclasses import dataclass, field

import numpy as np

from pyapp.core.ground.area import Area
from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.grid import STEPS, Grid, plan
from pyapp.core.state import CellState
from pyapp.core.survey.batch import UNKNOWN_ZOOM, Batch
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from pyapp.core.survey.refit import refit

# States of cells that can be looked at again.
AGAIN = (CellState.MISSING, CellState.FAILED, CellState.LEFT_OUT)
DIGEST_BYTES = 32


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
    model : ModelFacts
    imagery : ImageryFacts
    corrections : dict of int to int
        Class that the person gave a cell.
    state : uint8 [N]
    probability : float32 [N, C]
        As the network gave it; 0 for cells without an answer.
    embedding : float32 [N, D]
        Of length 1; 0 likewise. ``None`` before the first batch, and for one that came as a file.
    zoom : uint8 [N]
        Zoom of the tiles that each chip was cut from.
    familiarity : float32 [N]
    digest : uint8 [N, 32]
    """

    id: str
    name: str
    made: str
    area: Area
    grid: Grid
    model: ModelFacts
    imagery: ImageryFacts
    corrections: dict[int, int] = field(default_factory=dict)

    def __post_init__(self):
        count, classes = len(self.grid), len(self.model.labels)
        self.state = np.full(count, CellState.WAITING, np.uint8)
        self.probability = np.zeros((count, classes), np.float32)
        self.zoom = np.full(count, UNKNOWN_ZOOM, np.uint8)
        self.familiarity = np.zeros(count, np.float32)
        self.digest = np.zeros((count, DIGEST_BYTES), np.uint8)
        self.embedding: np.ndarray | None = None
        self._refitted: np.ndarray | None = None
        # Goes up with each change of what is to be shown.
        self.version = 0

    @property
    def waiting(self) -> np.ndarray:
        """Numbers of the cells that are still to be looked at, int [n]."""
        return np.flatnonzero(self.state == CellState.WAITING)

    @property
    def classified(self) -> np.ndarray:
        """Whether a cell has an answer, bool [N]."""
        return self.state == CellState.CLASSIFIED

    def count(self, *states: int) -> int:
        """How many cells are in any of some states."""
        return int(np.bincount(self.state, minlength=len(CellState))[list(states)].sum())

    def add(self, batch: Batch) -> None:
        """Take in what came out for some cells.

        Raises
        ------
        ValueError
            If the batch does not fit; then nothing is changed.
        """
        width = None if self.embedding is None else self.embedding.shape[1]
        batch.check(len(self.grid), len(self.model.labels), width)
        self.state[batch.numbers] = batch.state
        cells = batch.classified
        if len(cells):
            self.probability[cells] = batch.probability
            self.zoom[cells] = batch.zoom
            self.familiarity[cells] = batch.familiarity
            self.digest[cells] = batch.digest
            if batch.embedding.shape[1]:
                self._take_embedding(cells, batch.embedding.astype(np.float32))
        self._changed()

    def to_batch(self) -> Batch:
        """All cells that were looked at, as they are now."""
        numbers = np.flatnonzero(self.state != CellState.WAITING).astype(np.int32)
        classified = self.classified
        nothing = np.empty((int(classified.sum()), 0), np.float16)
        return Batch(
            numbers=numbers,
            state=self.state[numbers],
            zoom=self.zoom[classified],
            probability=self.probability[classified].astype(np.float16),
            embedding=nothing
            if self.embedding is None
            else self.embedding[classified].astype("f2"),
            familiarity=self.familiarity[classified],
            digest=self.digest[classified],
        )

    def look_again(self) -> int:
        """Let the cells without imagery, or left out, wait again; how many there are."""
        again = np.zeros(len(CellState), bool)
        again[list(AGAIN)] = True
        failed = again[self.state]
        self.state[failed] = CellState.WAITING
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
        if self._refitted is None:
            self._refitted = refit(
                self.embedding, self.probability, self.classified, self.corrections
            )
        return self._refitted

    def _take_embedding(self, numbers: np.ndarray, embedding: np.ndarray) -> None:
        if self.embedding is None:
            self.embedding = np.zeros((len(self.grid), embedding.shape[1]), np.float32)
        length = np.sqrt(np.einsum("nd,nd->n", embedding, embedding))
        self.embedding[numbers] = embedding / np.maximum(length, 1e-12)[:, np.newaxis]

    def _changed(self) -> None:
        self._refitted = None
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
        """What `to_json` gave, with no cell classified yet.

        Raises
        ------
        ValueError, KeyError, TypeError, AreaError
            When it is something else.
        """
        facts = json.loads(text)
        area = Area(tuple(LngLat(float(lng), float(lat)) for lng, lat in facts["area"]))
        side_m, step = float(facts["side_m"]), float(facts["step"])
        if not all(math.isfinite(each) for corner in area.corners for each in corner):
            raise ValueError("a corner that is nowhere")
        if not (1 <= side_m <= 1e5 and 0 < step <= STEPS[-1]):
            raise ValueError(f"squares of {side_m} m, {step} apart")
        survey = cls(
            id=str(facts["id"]),
            name=str(facts["name"]),
            made=str(facts["made"]),
            area=area,
            grid=plan(area, side_m, step),
            model=ModelFacts.from_stored(facts["model"]),
            imagery=ImageryFacts.from_stored(facts["imagery"]),
            corrections={int(cell): int(class_id) for cell, class_id in facts["corrections"]},
        )
        for cell, class_id in survey.corrections.items():
            if not (0 <= cell < len(survey.grid) and 0 <= class_id < len(survey.model.labels)):
                raise ValueError(f"cell {cell} is corrected to class {class_id}")
        return survey

"""A survey: what the model says about every cell of a grid, and how a person corrects it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.ground.area import Area
from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.grid import STEPS, Grid, plan
from pyapp.core.model.tree import NOT_SURE, Leaders
from pyapp.core.state import CellState
from pyapp.core.survey.batch import DIGEST_BYTES, UNKNOWN_ZOOM, Batch
from pyapp.core.survey.facts import (
    ImageryFacts,
    ModelFacts,
    as_number,
    as_text,
    as_whole,
)
from pyapp.core.survey.refit import certain, refit

if TYPE_CHECKING:
    from numpy.typing import NDArray

# States of cells that can be processed again.
AGAIN = (CellState.MISSING, CellState.FAILED, CellState.LEFT_OUT)
# What a stored survey may have: longitudes continue past 180 degrees, up to some turns of the map.
MOST_LNG, MOST_LAT = 3600, 90
SIDES_M = (1, 100_000)
FINEST_STEP = 0.001


@dataclass
class Survey:
    """The N cells of a grid, and what the model says about them.

    Attributes
    ----------
    id : str
    name : str
        As the person calls it.
    made : str
        When it was begun, in ISO 8601.
    area : Area
    grid : Grid
    model : ModelFacts
    imagery : ImageryFacts
    corrections : dict of int to int
        For each cell that the person corrected, the node of the model's tree that they gave it:
        a class, or a group.
    state : ndarray of uint8, shape (N,)
        See `CellState`.
    probability : ndarray of float32, shape (N, C)
        What the network said; 0 for cells that are not classified.
    embedding : ndarray of float32, shape (N, D), or None
        Of length 1; 0 for cells without one. ``None`` before the first batch, and for a survey
        that came from a file.
    length : ndarray of float32, shape (N,)
        Of the embeddings as the network gave them.
    zoom : ndarray of uint8, shape (N,)
        Zoom of the tiles from which each chip was cut; `UNKNOWN_ZOOM` if there is none.
    familiarity : ndarray of float32, shape (N,)
    digest : ndarray of uint8, shape (N, 32)
        SHA-256 of the chips.
    version : int
        Increases with every change of what is shown.
    check : str
        How it is checked, as `core.accuracy.check` writes it; empty if it isn't.
    learned : tuple of int or None
        Cells that overlap squares from which a taught model learned, so they can't check it;
        ``None`` if nothing is known of that.
    """

    id: str
    name: str
    made: str
    area: Area
    grid: Grid
    model: ModelFacts
    imagery: ImageryFacts
    corrections: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count, classes = len(self.grid), len(self.model.labels)
        self.state: NDArray[np.uint8] = np.full(count, CellState.WAITING, np.uint8)
        self.probability = np.zeros((count, classes), np.float32)
        self.zoom: NDArray[np.uint8] = np.full(count, UNKNOWN_ZOOM, np.uint8)
        self.familiarity = np.zeros(count, np.float32)
        self.digest = np.zeros((count, DIGEST_BYTES), np.uint8)
        self.embedding: NDArray[np.float32] | None = None
        self.length = np.zeros(count, np.float32)
        self._corrected: NDArray[np.float32] | None = None
        self.version = 0
        self.check = ""
        self.learned: tuple[int, ...] | None = None

    @property
    def waiting(self) -> NDArray[np.int64]:
        """Numbers of the cells that are not processed yet, shape (n,)."""
        return np.flatnonzero(self.state == CellState.WAITING)

    @property
    def unknown_examples(self) -> bool:
        """Whether it is by a taught model of which nobody knows what ground it learned from."""
        return self.learned is None and self.model.network != self.model.sha256

    @property
    def classified(self) -> NDArray[np.bool_]:
        """Whether each cell has an answer, shape (N,)."""
        return np.asarray(self.state == CellState.CLASSIFIED)

    def count(self, *states: int) -> int:
        """Number of cells that are in one of some states."""
        return int(np.bincount(self.state, minlength=len(CellState))[list(states)].sum())

    def add(self, batch: Batch) -> None:
        """Take the results for some cells.

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
        """All processed cells as one batch."""
        numbers = np.flatnonzero(self.state != CellState.WAITING).astype(np.int32)
        classified = self.classified
        if self.embedding is None:
            embedding = np.empty((int(classified.sum()), 0), np.float16)
        else:
            lengths = self.length[classified, np.newaxis]
            embedding = (self.embedding[classified] * lengths).astype(np.float16)
        return Batch(
            numbers=numbers,
            state=self.state[numbers],
            zoom=self.zoom[classified],
            probability=self.probability[classified].astype(np.float16),
            embedding=embedding,
            familiarity=self.familiarity[classified],
            digest=self.digest[classified],
        )

    def look_again(self) -> int:
        """Let the cells in one of the states `AGAIN` wait again.

        Returns
        -------
        int
            How many there are.
        """
        again = np.zeros(len(CellState), np.bool_)
        again[list(AGAIN)] = True
        failed = again[self.state]
        self.state[failed] = CellState.WAITING
        self._changed()
        return int(failed.sum())

    def correct(self, number: int, node_id: int | None) -> None:
        """Correct a cell's answer; similar cells follow by `refit`.

        Parameters
        ----------
        number : int
            Number of the cell.
        node_id : int or None
            Of the class or the group. ``None`` takes an earlier correction back.

        Raises
        ------
        ValueError
            If there is no such cell or node; then nothing is changed.
        """
        nodes = range(len(self.model.tree.nodes))
        if number not in range(len(self.grid)) or node_id not in (None, *nodes):
            raise ValueError(f"cell {number} can't be corrected to node {node_id}")
        self.corrections.pop(number, None)
        if node_id is not None:
            self.corrections[number] = node_id
        self._changed()

    @property
    def scores(self) -> NDArray[np.float32]:
        """Probabilities of the classes after the person's corrections, shape (N, C)."""
        if not self.corrections:
            return self.probability
        if self._corrected is None:
            nodes = self.model.tree.nodes
            given = {cell: nodes[node_id].classes for cell, node_id in self.corrections.items()}
            if self.embedding is None:
                self._corrected = certain(self.probability, self.classified, given)
            else:
                self._corrected = refit(self.embedding, self.probability, self.classified, given)
        return self._corrected

    def answers(self, threshold: float | None = None) -> NDArray[np.int64]:
        """The answer for each cell, after corrections; see `Tree.answers`.

        Parameters
        ----------
        threshold : float, optional
            Of the classes, in place of the model's own; those of the groups follow it as
            `Levels.at` says.

        Returns
        -------
        ndarray of int64, shape (N,)
            Ids of nodes; `NOT_SURE` also for cells that are not classified. A corrected cell has
            the node that it was given, no finer one.
        """
        return self.choose(self.model.tree.leaders(self.scores), threshold)

    def choose(self, leaders: Leaders, threshold: float | None = None) -> NDArray[np.int64]:
        """What `answers` returns, from leaders at hand: of smoothed probabilities, for instance."""
        levels = self.model.levels if threshold is None else self.model.levels.at(threshold)
        answers = self.model.tree.choose(leaders, levels)
        answers[list(self.corrections)] = list(self.corrections.values())
        answers[~self.classified] = NOT_SURE
        return answers

    def _take_embedding(self, numbers: NDArray[np.int32], embedding: NDArray[np.float32]) -> None:
        if self.embedding is None:
            self.embedding = np.zeros((len(self.grid), embedding.shape[1]), np.float32)
        length = np.sqrt(np.einsum("nd,nd->n", embedding, embedding))
        self.embedding[numbers] = embedding / np.maximum(length, 1e-12)[:, np.newaxis]
        self.length[numbers] = length

    def _changed(self) -> None:
        self._corrected = None
        self.version += 1

    def to_json(self) -> str:
        """The facts about the survey, without the results."""
        facts: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "made": self.made,
            # As earlier versions read it, if one outline is all.
            "area": self.area.polygons if self.area[1:] != ((), ()) else self.area.corners,
            "side_m": self.grid.side_m,
            "step": self.grid.step,
            "model": self.model.to_stored(),
            "imagery": vars(self.imagery),
            "corrections": list(self.corrections.items()),
        }
        if self.learned is not None:
            facts["learned"] = self.learned
        return json.dumps(facts)

    @classmethod
    def from_json(cls, text: str) -> Survey:
        """The survey of which `to_json` gave the facts, with all cells waiting.

        Raises
        ------
        ValueError, KeyError, TypeError, AreaError
            If it is something else, or any fact is out of range.
        """
        facts = json.loads(text)
        area = _area_from(facts["area"])
        side_m = as_number(facts["side_m"], *SIDES_M)
        step = as_number(facts["step"], FINEST_STEP, STEPS[-1])
        survey = cls(
            id=as_text(facts["id"]),
            name=as_text(facts["name"]),
            made=as_text(facts["made"]),
            area=area,
            grid=plan(area, side_m, step),
            model=ModelFacts.from_stored(facts["model"]),
            imagery=ImageryFacts.from_stored(facts["imagery"]),
        )
        nodes, cells = len(survey.model.tree.nodes), len(survey.grid)
        survey.corrections = {
            as_whole(cell, 0, cells - 1): as_whole(node_id, 0, nodes - 1)
            for cell, node_id in facts["corrections"]
        }
        learned = facts.get("learned")
        if learned is not None:
            survey.learned = tuple(as_whole(each, 0, cells - 1) for each in learned)
        return survey


def _area_from(found: list[Any]) -> Area:
    """The area that `Survey.to_json` wrote: corners, or polygons of rings of them."""
    if isinstance(found[0][0], list):
        (corners, *holes), *others = ([_corners(ring) for ring in each] for each in found)
        return Area(corners, tuple(holes), tuple(map(tuple, others)))
    return Area(_corners(found))


def _corners(ring: list[Any]) -> tuple[LngLat, ...]:
    return tuple(
        LngLat(as_number(lng, -MOST_LNG, MOST_LNG), as_number(lat, -MOST_LAT, MOST_LAT))
        for lng, lat in ring
    )

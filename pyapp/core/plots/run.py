"""Plots at work: what the model says about each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.model.tree import NOT_SURE
from pyapp.core.plots.places import Places
from pyapp.core.plots.plots import Plots
from pyapp.core.state import CellState
from pyapp.core.survey.batch import UNKNOWN_ZOOM, Batch
from pyapp.core.survey.facts import ImageryFacts, ModelFacts, as_number, as_text
from pyapp.core.survey.survey import AGAIN, SIDES_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What a row without a place is called where others have a state.
NO_PLACE = "no coordinates"


class PlotAnswer(NamedTuple):
    """What is said about a row.

    Attributes
    ----------
    state : str
        Label of a `CellState`, or `NO_PLACE`.
    label : str
        Of the class or group; empty if there is no answer, or none is sure.
    level : str
    path : tuple of str
        Names from the top of the tree down to the label.
    probability : float or None
        Of the label; of the best class if none is sure.
    best : str
        The most probable class.
    zoom : int or None
        Of the tiles that were read.
    """

    state: str
    label: str = ""
    level: str = ""
    path: tuple[str, ...] = ()
    probability: float | None = None
    best: str = ""
    zoom: int | None = None


@dataclass
class PlotRun:
    """R rows of plots, and what the model says about the N of them that have a place.

    Attributes
    ----------
    id : str
    made : str
        When it was begun, in ISO 8601.
    plots : Plots
    side_m : float
        Side of a footprint, in metres.
    model : ModelFacts
    imagery : ImageryFacts
    grid : Places
        In the order of work.
    state : ndarray of uint8, shape (N,)
    probability : ndarray of float32, shape (N, C)
    zoom : ndarray of uint8, shape (N,)
    """

    id: str
    made: str
    plots: Plots
    side_m: float
    model: ModelFacts
    imagery: ImageryFacts
    version: int = field(default=0)

    def __post_init__(self) -> None:
        self.grid = Places.of(self.plots, self.side_m)
        count = len(self.grid)
        self.state: NDArray[np.uint8] = np.full(count, CellState.WAITING, np.uint8)
        self.probability = np.zeros((count, len(self.model.labels)), np.float32)
        self.zoom: NDArray[np.uint8] = np.full(count, UNKNOWN_ZOOM, np.uint8)
        self._answered = (-1, np.empty(0, np.int64), np.empty(0))

    @property
    def name(self) -> str:
        """Of the file."""
        return self.plots.name

    @property
    def waiting(self) -> NDArray[np.int64]:
        """Numbers of the places that are not processed yet, shape (n,)."""
        return np.flatnonzero(self.state == CellState.WAITING)

    @property
    def is_new(self) -> bool:
        """Whether nothing was processed yet."""
        return bool((self.state == CellState.WAITING).all())

    @cached_property
    def cell_of(self) -> NDArray[np.int64]:
        """Number of each row's place, shape (R,); -1 if it has none."""
        cells = np.full(len(self.plots), -1, np.int64)
        cells[self.grid.rows] = np.arange(len(self.grid))
        return cells

    def count(self, *states: int) -> int:
        """Number of places that are in one of some states."""
        return int(np.bincount(self.state, minlength=len(CellState))[list(states)].sum())

    def add(self, batch: Batch) -> None:
        """Take the results for some places.

        Raises
        ------
        ValueError
            If the batch does not fit; then nothing is changed.
        """
        batch.check(len(self.grid), len(self.model.labels), None)
        self.state[batch.numbers] = batch.state
        cells = batch.classified
        if len(cells):
            self.probability[cells] = batch.probability
            self.zoom[cells] = batch.zoom
        self.version += 1

    def look_again(self) -> int:
        """Let the places whose imagery was missing or failed wait again; how many there are."""
        again = np.zeros(len(CellState), np.bool_)
        again[list(AGAIN)] = True
        failed = again[self.state]
        self.state[failed] = CellState.WAITING
        self.version += 1
        return int(failed.sum())

    def nodes(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Node of each place's answer, and its probability, shape (N,) each.

        `NOT_SURE` for places without an answer; their probability is that of the best class, or 0.
        """
        if self._answered[0] != self.version:
            tree = self.model.tree
            nodes = tree.answers(self.probability, self.model.levels)
            nodes[self.state != CellState.CLASSIFIED] = NOT_SURE
            shown = np.where(nodes == NOT_SURE, self.probability.argmax(1), nodes)
            chances = tree.probabilities(self.probability)[np.arange(len(nodes)), shown]
            self._answered = (self.version, nodes, chances.astype(np.float64))
        return self._answered[1:]

    def answer(self, row: int) -> PlotAnswer:
        """What is said about a row."""
        cell = int(self.cell_of[row])
        if cell < 0:
            return PlotAnswer(NO_PLACE)
        state = CellState(int(self.state[cell]))
        if state != CellState.CLASSIFIED:
            return PlotAnswer(state.label)
        nodes, chances = self.nodes()
        best = self.model.labels[int(self.probability[cell].argmax())]
        said = PlotAnswer(
            state.label, probability=float(chances[cell]), best=best, zoom=int(self.zoom[cell])
        )
        if nodes[cell] == NOT_SURE:
            return said
        node = self.model.tree.nodes[int(nodes[cell])]
        path = self.model.tree.path(node.id)
        return said._replace(label=node.name, level=node.level.label, path=path)

    def to_json(self) -> str:
        """The facts, without the plots and the results."""
        return json.dumps(
            {
                "id": self.id,
                "made": self.made,
                "name": self.name,
                "side_m": self.side_m,
                "swapped": self.plots.swapped,
                "model": self.model.to_stored(),
                "imagery": vars(self.imagery),
            }
        )

    @classmethod
    def from_json(cls, text: str, plots: Plots) -> PlotRun:
        """The run of which `to_json` gave the facts, with all places waiting.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is something else.
        """
        facts = json.loads(text)
        if facts["swapped"] != plots.swapped:
            plots = plots.exchanged()
        return cls(
            id=as_text(facts["id"]),
            made=as_text(facts["made"]),
            plots=plots,
            side_m=as_number(facts["side_m"], *SIDES_M),
            model=ModelFacts.from_stored(facts["model"]),
            imagery=ImageryFacts.from_stored(facts["imagery"]),
        )


def slim(batch: Batch) -> Batch:
    """A batch as plots are stored: without embeddings, which only surveys need."""
    return replace(batch, embedding=np.empty((len(batch.classified), 0), np.float16))

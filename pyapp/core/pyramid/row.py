"""What a data set says of one cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyapp.core.model.tree import NOT_SURE
from pyapp.core.state import CellState
from pyapp.core.survey.facts import ModelFacts, as_number, as_text, as_whole

# Of a data set, what is read about a cell; the rest is polygons and embeddings.
COLUMNS = ("cell", "state", "class", "class_id", "score", "zoom", "chip_sha256", "probability")
BEST = 5
FINEST = 30


@dataclass(frozen=True)
class Row:
    """A cell's answer.

    Attributes
    ----------
    state : CellState
    node_id : int
        The answer; `NOT_SURE` if there is none.
    score : float
        Its probability; 0 without an answer.
    best : list of tuple (str, float)
        The most probable classes of the network, and their probabilities.
    zoom : int or None
        Of the tiles that the chip was cut from.
    chip : str
        SHA-256 of the chip, in hexadecimal; empty without a chip.
    """

    state: CellState
    node_id: int
    score: float
    best: list[tuple[str, float]]
    zoom: int | None
    chip: str

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any], model: ModelFacts) -> Row:
        """Check and take what stands in the file.

        Raises
        ------
        ValueError, KeyError, TypeError
            If a fact is missing, has another type, or contradicts the model.
        """
        state = CellState.from_label(as_text(stored["state"]))
        if state != CellState.CLASSIFIED:
            return cls(state, NOT_SURE, 0.0, [], None, "")
        node_id, score = NOT_SURE, 0.0
        if stored["class_id"] is not None:
            node_id = as_whole(stored["class_id"], 0, len(model.tree.nodes) - 1)
            if model.tree.nodes[node_id].name != stored["class"]:
                raise ValueError(f"class {node_id} is {model.tree.nodes[node_id].name}")
            score = as_number(stored["score"], 0, 1)
            if model.tree.is_flat and score < model.threshold:
                node_id = NOT_SURE
        shares = [as_number(each, 0, 1.001) for each in stored["probability"]]
        best = sorted(zip(model.labels, shares, strict=True), key=lambda pair: -pair[1])[:BEST]
        zoom = as_whole(stored["zoom"], 0, FINEST)
        return cls(state, node_id, score, best, zoom, as_text(stored["chip_sha256"]))

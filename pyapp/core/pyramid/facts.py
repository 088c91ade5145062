"""What a survey too large to be opened whole says about itself, in the metadata of its pyramid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyapp.core.ground.area import PLANE
from pyapp.core.ground.geo import (
    Bounds,
    Footprint,
    LngLat,
    Pixel,
    place_at,
    world_px,
    wrap_lng,
)
from pyapp.core.ground.grid import Lattice
from pyapp.core.pyramid.errors import DamagedPyramidError
from pyapp.core.state import CellState
from pyapp.core.survey.facts import ImageryFacts, ModelFacts, as_number, as_text, as_whole
from pyapp.core.survey.paint import UNSURE

FORMAT = "lookdown pyramid 1"
# The member of the metadata that holds it, and the file in the folder of the data set.
MEMBER, FILE = "lookdown", "map.pmtiles"
MOST_CELLS = 1 << 53


def part_of(row: int, column: int) -> str:
    """The name of a block's file, by the north-west cell of the block."""
    return f"part-{row:06d}-{column:06d}.parquet"


class Cell(NamedTuple):
    """A cell of a data set.

    Attributes
    ----------
    number : int
        ``row * columns + column``, as the data set has it.
    part : str
        Name of the file that it is in, if it is in any.
    footprint : Footprint
        The ground that the model saw.
    bounds : Bounds
    """

    number: int
    part: str
    footprint: Footprint
    bounds: Bounds


@dataclass(frozen=True)
class PyramidFacts:
    """A survey in many files.

    Attributes
    ----------
    name, made : str
        Its name, and when the pyramid was made (ISO 8601).
    lattice : Lattice
        Where its cells lie, used or not.
    side_m, step : float
        See `Grid`.
    block : int
        Cells to a side of the block that a file holds.
    model : ModelFacts
    imagery : ImageryFacts
    answers : dict of int to tuple (int, float)
        Cells and hectares of each node that is the answer somewhere, without what is inside it;
        and of `UNSURE`.
    without : dict of CellState to int
        Cells without an answer.
    """

    name: str
    made: str
    lattice: Lattice
    side_m: float
    step: float
    block: int
    model: ModelFacts
    imagery: ImageryFacts
    answers: dict[int, tuple[int, float]]
    without: dict[CellState, int]

    @property
    def cells(self) -> int:
        """Number of cells that were looked at."""
        return sum(cells for cells, _ in self.answers.values()) + sum(self.without.values())

    def cell_at(self, place: LngLat) -> Cell | None:
        """The cell of the lattice that covers a place; ``None`` if there is none."""
        at, found = self.lattice, self.lattice.at(place)
        if found is None:
            return None
        row, column = found
        left, top = at.left + column * at.pitch, at.top + row * at.pitch
        middle = place_at(Pixel(left + at.pitch / 2, top + at.pitch / 2), PLANE)
        return Cell(
            row * at.columns + column,
            part_of(row - row % self.block, column - column % self.block),
            Footprint(LngLat(wrap_lng(middle.lng), middle.lat), self.side_m),
            at.bounds_of(row, column),
        )

    def to_stored(self) -> dict[str, Any]:
        """What `from_stored` reads."""
        return {
            "format": FORMAT,
            "name": self.name,
            "made": self.made,
            "lattice": self.lattice._asdict(),
            "side_m": self.side_m,
            "step": self.step,
            "block": self.block,
            "model": self.model.to_stored(),
            "imagery": vars(self.imagery),
            # By name, for others; the ids are those of the tree.
            "answers": [
                {"id": None, "class": None, "squares": cells, "hectares": hectares}
                if node_id == UNSURE
                else {"id": node_id, "class": self.model.tree.nodes[node_id].name,
                      "squares": cells, "hectares": hectares}
                for node_id, (cells, hectares) in self.answers.items()
            ],
            "without": {state.label: cells for state, cells in self.without.items()},
        }  # fmt: skip

    @classmethod
    def from_stored(cls, stored: object, file: str) -> PyramidFacts:
        """Check and take what `to_stored` gave.

        Parameters
        ----------
        stored : object
        file : str
            Its name, for the person.

        Raises
        ------
        DamagedPyramidError
            If a fact is missing, has another type or is out of range.
        """
        try:
            if not isinstance(stored, Mapping) or stored["format"] != FORMAT:
                raise ValueError("another format")
            model = ModelFacts.from_stored(stored["model"])
            return cls(
                name=as_text(stored["name"]),
                made=as_text(stored["made"]),
                lattice=_lattice(stored["lattice"]),
                side_m=as_number(stored["side_m"], 1e-3, 1e6),
                step=as_number(stored["step"], 1e-3, 1e3),
                block=as_whole(stored["block"], 1, 1 << 20),
                model=model,
                imagery=ImageryFacts.from_stored(stored["imagery"]),
                answers=dict(_answer(each, model) for each in stored["answers"]),
                without={
                    CellState.from_label(label): as_whole(cells, 0, MOST_CELLS)
                    for label, cells in stored["without"].items()
                },
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedPyramidError(file) from error


def _lattice(stored: Mapping[str, Any]) -> Lattice:
    world = world_px(PLANE)
    return Lattice(
        as_number(stored["left"], -world, world),
        as_number(stored["top"], 0, world),
        as_number(stored["pitch"], 1e-9, world),
        as_whole(stored["columns"], 1, 1 << 31),
        as_whole(stored["rows"], 1, 1 << 31),
    )


def _answer(stored: Mapping[str, Any], model: ModelFacts) -> tuple[int, tuple[int, float]]:
    nodes, node_id = model.tree.nodes, UNSURE
    if stored["id"] is not None:
        node_id = as_whole(stored["id"], 0, len(nodes) - 1)
        if nodes[node_id].name != stored["class"]:
            raise ValueError(f"class {node_id} is {nodes[node_id].name}")
    cells = as_whole(stored["squares"], 0, MOST_CELLS)
    return node_id, (cells, as_number(stored["hectares"], 0, 1e12))

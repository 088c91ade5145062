"""A taught model in the form that Deepness, a plugin of QGIS, reads.

Deepness has no models that name a tile, so this is one that names pixels: all pixels of a tile
get the probabilities of the tile. It hands over RGB as float32, shape (N, 3, S, S), from 0 to 1,
and wants one output of shape (N, C, S, S). What is less probable than its threshold it sets to 0,
and then it takes the largest. So the first class is "not sure", with probability 0: of equal ones
the first is taken, which is that one if nothing else is left.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.errors import ForeignGraphError
from pyapp.core.model.foreign import (
    FLOAT,
    GRAPH,
    GRAPH_INPUT,
    GRAPH_OUTPUT,
    METADATA,
    NODE,
    UINT8,
    VALUE_INFO,
)
from pyapp.core.model.parts import OURS, chain, integer, integers, value
from pyapp.core.model.prediction import INPUT, PROBABILITY
from pyapp.core.teach.protobuf import BYTES, Field, message, read, text, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pyapp.core.model.card import Card

TAKEN, GIVEN = "tile", "classes"
NOT_SURE = "not sure"
CM = 100

Steps = Sequence[tuple[str, list["NDArray[Any]"], list[bytes]]]


def for_deepness(data: bytes, card: Card) -> bytes:
    """The file for Deepness.

    Parameters
    ----------
    data : bytes
        A file of the contract in docs/design.md, as `Graph.with_head` gives it.
    card : Card
        Of the same model.

    Raises
    ------
    ForeignGraphError
        If it is no such file.
    """
    try:
        model = read(data)
        (inside,) = (each.data for each in model if each.number == GRAPH)
        graph = read(inside)
    except ValueError as error:
        raise ForeignGraphError("its file can't be read as ONNX") from error
    side, count = card.chip_px, len(card.labels)
    before: Steps = [
        ("Mul", [np.array(255, np.float32)], []),
        # A float may have come out a little less than the whole number that it was.
        ("Round", [], []),
        ("Cast", [], [integer("to", UINT8)]),
        ("Transpose", [], [integers("perm", (0, 2, 3, 1))]),
    ]
    after: Steps = [
        ("Reshape", [np.array([0, count, 1, 1], np.int64)], []),
        ("Pad", [np.array([0, 1, 0, 0, 0, 0, 0, 0], np.int64)], []),
        ("Expand", [np.array([1, 1, side, side], np.int64)], []),
    ]
    parts = [Field(NODE, BYTES, each) for each in chain(f"{OURS}tile", TAKEN, INPUT, before)]
    parts += [each for each in graph if each.number == NODE]
    parts += [
        Field(NODE, BYTES, each) for each in chain(f"{OURS}pixels", PROBABILITY, GIVEN, after)
    ]
    parts.append(value(GRAPH_INPUT, TAKEN, FLOAT, ("n", 3, side, side)))
    parts.append(value(GRAPH_OUTPUT, GIVEN, FLOAT, ("n", count + 1, side, side)))
    others = (NODE, GRAPH_INPUT, GRAPH_OUTPUT, VALUE_INFO)
    parts += [each for each in graph if each.number not in others]
    kept = [each for each in model if each.number not in (GRAPH, METADATA)]
    said = [
        message(METADATA, (text(1, key), text(2, json.dumps(fact, ensure_ascii=False))))
        for key, fact in facts(card).items()
    ]
    return write([*kept, message(GRAPH, parts), *said])


def facts(card: Card) -> dict[str, Any]:
    """What Deepness reads of a model, by its keys; normalisation is in the graph."""
    names = (NOT_SURE, *card.labels)
    return {
        "model_type": "Segmentor",
        "class_names": {str(number): name for number, name in enumerate(names)},
        "resolution": round(CM * card.resolution_m, 4),
        "tile_size": card.chip_px,
        "tiles_overlap": 0,
        "seg_thresh": card.threshold,
        # Of the median that smooths the result; 0 leaves the squares as they are.
        "seg_small_segment": 0,
        "title": card.title,
        "training_data": card.training_data,
    }

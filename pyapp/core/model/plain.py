"""A plain classifier in the form of the contract: what comes before and after it, as ONNX.

The graph stays as it is. In front of it stand what turns uint8 NHWC chips into its input; behind
it what turns its output into ``probability`` and ``activation``. It has no ``embedding``.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.model.about import About
from pyapp.core.model.card import Card
from pyapp.core.model.foreign import (
    FLOAT,
    GRAPH,
    GRAPH_INPUT,
    GRAPH_OUTPUT,
    INITIALIZER,
    NODE,
    NODE_IN,
    NODE_OUT,
    UINT8,
    VALUE_INFO,
    OnnxFile,
    Plain,
)
from pyapp.core.model.parts import OURS, chain, constant, integer, integers, node, value
from pyapp.core.model.prediction import ACTIVATION, EMBEDDING, INPUT, PROBABILITY
from pyapp.core.model.tree import Levels, Tree
from pyapp.core.teach.protobuf import BYTES, Field, message, read, text, write
from pyapp.core.teach.tensors import NAME

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAKEN = (INPUT, PROBABILITY, EMBEDDING, ACTIVATION)


def wrapped(file: OnnxFile, plain: Plain, about: About) -> bytes:
    """The file with the contract's input and outputs, but without ``embedding``."""
    nodes = _before(plain, about) + [
        _renamed(each.data, NODE) for each in file.graph if each.number == NODE
    ]
    nodes += _after(plain, about)
    batch: int | str = 1 if plain.one_at_a_time else "n"
    side, classes = about.side_px, len(about.labels)
    graph = [Field(NODE, BYTES, each) for each in nodes]
    graph.append(value(GRAPH_INPUT, INPUT, UINT8, (batch, side, side, 3)))
    graph.append(value(GRAPH_OUTPUT, PROBABILITY, FLOAT, (batch, classes)))
    graph.append(value(GRAPH_OUTPUT, ACTIVATION, FLOAT, (batch, classes, 1, 1)))
    for each in file.graph:
        if each.number == GRAPH_INPUT:
            # In old files constants are inputs too.
            if _name(each.data) != plain.source.name:
                graph.append(Field(GRAPH_INPUT, BYTES, _renamed(each.data, GRAPH_INPUT)))
        elif each.number in (INITIALIZER, VALUE_INFO):
            graph.append(Field(each.number, BYTES, _renamed(each.data, each.number)))
        elif each.number not in (NODE, GRAPH_OUTPUT):
            graph.append(each)
    others = [each for each in file.model if each.number != GRAPH]
    return write([*others, message(GRAPH, graph)])


def plain_card(name: str, about: About, data: bytes, one_at_a_time: bool) -> Card:
    """The card of a wrapped classifier: it claims nothing.

    Parameters
    ----------
    name : str
    about : About
    data : bytes
        The wrapped file.
    one_at_a_time : bool
        Whether the file takes just one picture.
    """
    return Card(
        name=name, title=about.title, labels=about.labels, chip_px=about.side_px,
        footprint_m=about.footprint_m, tree=Tree.flat(about.labels), levels=Levels(0.0, 0.0, 0.0),
        sets={}, familiar=float("-inf"), sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data), embeds=False, judged=False, one_at_a_time=one_at_a_time,
    )  # fmt: skip


def _before(plain: Plain, about: About) -> list[bytes]:
    """Nodes from a chip, uint8 [N, S, S, 3], to the classifier's input."""
    steps: list[tuple[str, list[NDArray[Any]], list[bytes]]] = []
    if plain.channels_first:
        steps.append(("Transpose", [], [integers("perm", (0, 3, 1, 2))]))
    if not plain.takes_bytes:
        steps.append(("Cast", [], [integer("to", FLOAT)]))
        if about.offsets is not None:
            shape = (1, 3, 1, 1) if plain.channels_first else (1, 1, 1, 3)
            mean, std = (np.array(each, np.float64).reshape(shape) for each in about.offsets)
            steps.append(("Mul", [(1 / (255 * std)).astype(np.float32)], []))
            steps.append(("Sub", [(mean / std).astype(np.float32)], []))
        if plain.source.kind != FLOAT:
            steps.append(("Cast", [], [integer("to", plain.source.kind)]))
    if not steps:
        steps.append(("Identity", [], []))
    return chain(f"{OURS}before", INPUT, _free(plain.source.name), steps)


def _after(plain: Plain, about: About) -> list[bytes]:
    """Nodes from the classifier's output to ours."""
    steps: list[tuple[str, list[NDArray[Any]], list[bytes]]] = [
        ("Cast", [], [integer("to", FLOAT)]),
        ("Reshape", [np.array([0, len(about.labels)], np.int64)], []),
    ]
    said = f"{OURS}said"
    nodes = chain(f"{OURS}after", _free(plain.result.name), said, steps)
    last: tuple[str, list[bytes]] = (
        ("Softmax", [integer("axis", 1)]) if about.softmax else ("Identity", [])
    )
    nodes.append(node(last[0], [said], PROBABILITY, last[1]))
    shape = f"{OURS}shape"
    nodes.append(constant(shape, np.array([0, len(about.labels), 1, 1], np.int64)))
    nodes.append(node("Reshape", [said, shape], ACTIVATION))
    return nodes


def _free(name: str) -> str:
    """A name of the classifier's that none of ours takes."""
    return f"{OURS}given.{name}" if name in TAKEN or name.startswith(OURS) else name


def _name(info: bytes) -> str:
    return next((each.text for each in read(info) if each.number == 1), "")


def _renamed(data: bytes, number: int) -> bytes:
    """A node, constant or value of the graph under names that are free."""
    named = {NODE: (NODE_IN, NODE_OUT), INITIALIZER: (NAME,)}.get(number, (1,))
    fields = read(data)
    if not any(each.number in named and _free(each.text) != each.text for each in fields):
        return data
    return write(
        text(each.number, _free(each.text)) if each.number in named else each for each in fields
    )

"""ONNX files from elsewhere: what they take, what they give, and what they say about themselves.

Nothing of them is executed. Field numbers are those of onnx.proto3.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyapp.core.errors import CardError
from pyapp.core.model.card import MOST_CLASSES, Card
from pyapp.core.model.foreign_errors import ExternalDataError, ForeignModelError, NotOnnxError
from pyapp.core.model.prediction import INPUT, OUTPUTS
from pyapp.core.teach.protobuf import Field, numbers, read
from pyapp.core.teach.tensors import EXTERNAL, name_of

# Of ModelProto, GraphProto, NodeProto.
GRAPH, OPSET, METADATA = 7, 8, 14
NODE, INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT, VALUE_INFO = 1, 5, 11, 12, 13
NODE_IN, NODE_OUT, OPERATOR = 1, 2, 4
# TensorProto.DataType
FLOAT, UINT8, FLOAT16, DOUBLE = 1, 2, 10, 11
CHANNELS = 3
# Broadcasting as it is today came with this set of operators.
LEAST_OPSET = 7
MOST_SIDE_PX = 1024
MOST_GROUND_M = 100_000.0
ENDS_IN_PROBABILITIES = ("Softmax", "Sigmoid")
LONGEST_TEXT = 1_000_000


class Value(NamedTuple):
    """An input or output of a graph; a dimension is ``None`` if it isn't fixed."""

    name: str
    kind: int
    dims: tuple[int | None, ...]


@dataclass(frozen=True)
class OnnxFile:
    """What an ONNX file says about itself.

    Attributes
    ----------
    model, graph : list of Field
        The fields of the file, and of the graph in it.
    inputs, outputs : tuple of Value
    makers : dict of str to str
        What operator gives each value.
    opset : int
    metadata : dict of str to object
        Each value as JSON has it, or as the text it is.
    """

    model: list[Field]
    graph: list[Field]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    makers: Mapping[str, str]
    opset: int
    metadata: Mapping[str, Any]

    @property
    def fits(self) -> bool:
        """Whether it has the inputs and outputs of the contract in docs/design.md."""
        return [each.name for each in self.inputs] == [INPUT] and set(OUTPUTS) <= {
            each.name for each in self.outputs
        }


@dataclass(frozen=True)
class Plain:
    """A plain classifier: one picture in, one row of numbers out.

    Attributes
    ----------
    source, result : Value
    channels_first : bool
        NCHW; otherwise NHWC.
    side_px : int or None
        ``None`` if the graph takes any.
    classes : int or None
        ``None`` if the graph doesn't say.
    gives_probabilities : bool
        As far as its last operator tells.
    """

    source: Value
    result: Value
    channels_first: bool
    side_px: int | None
    classes: int | None
    gives_probabilities: bool

    @property
    def takes_bytes(self) -> bool:
        """Whether its input is uint8."""
        return self.source.kind == UINT8

    @property
    def one_at_a_time(self) -> bool:
        """Whether it takes just one picture."""
        return self.source.dims[0] == 1


def read_onnx(name: str, data: bytes) -> OnnxFile:
    """Read a file.

    Parameters
    ----------
    name : str
        As a person knows it.
    data : bytes

    Raises
    ------
    NotOnnxError, ExternalDataError
    """
    try:
        model = read(data)
        (graph,) = (read(each.data) for each in model if each.number == GRAPH)
        # One after the other, as each is a copy of its weights.
        constants = dict(_constant(each.data) for each in graph if each.number == INITIALIZER)
        inputs = _values(graph, GRAPH_INPUT)
        nodes = [read(each.data) for each in graph if each.number == NODE]
        makers = {
            out.text: next((each.text for each in node if each.number == OPERATOR), "")
            for node in nodes
            for out in node
            if out.number == NODE_OUT
        }
        found = OnnxFile(
            model, graph, tuple(each for each in inputs if each.name not in constants),
            tuple(_values(graph, GRAPH_OUTPUT)), makers, _opset(model), _metadata(model),
        )  # fmt: skip
    except (ValueError, UnicodeDecodeError) as error:
        raise NotOnnxError(name) from error
    if not found.outputs or not nodes:
        raise NotOnnxError(name)
    if any(constants.values()):
        raise ExternalDataError(name)
    return found


def card_of(name: str, file: OnnxFile, sha256: str, size_bytes: int, title: str) -> Card:
    """The card of a model that fits the contract, from its metadata.

    Raises
    ------
    CardError
        If a fact that the page needs is not in it.
    """
    facts = {"title": title, **file.metadata, "sha256": sha256, "size_bytes": size_bytes}
    card = Card.from_json(name, json.dumps(facts))
    if not card.title.strip():
        raise CardError(name, "it has no title")
    if card.chip_px > MOST_SIDE_PX or card.footprint_m > MOST_GROUND_M:
        raise CardError(name, "its tile_size or its footprint_m is out of range")
    return card


def plain_of(name: str, file: OnnxFile) -> Plain:
    """What a plain classifier takes and gives.

    Raises
    ------
    ForeignModelError
        If it is none, or takes other than square RGB pictures.
    """
    if file.opset < LEAST_OPSET:
        raise ForeignModelError(
            name, f"its operators are of set {file.opset}, which is too old",
            f"Export it with operators of set {LEAST_OPSET} or newer and try again.",
        )  # fmt: skip
    if len(file.inputs) != 1:
        raise ForeignModelError(name, f"it has {len(file.inputs)} inputs instead of one")
    (source,) = file.inputs
    channels_first, side_px = _layout(name, source)
    result = next((each for each in file.outputs if _is_row(each)), None)
    if result is None:
        raise ForeignModelError(name, "none of its outputs is one row of numbers per picture")
    classes = result.dims[1]
    if classes is not None and not 2 <= classes <= MOST_CLASSES:
        raise ForeignModelError(
            name, f"it tells {classes:,} classes apart, and there is room for 2 to {MOST_CLASSES}",
            "Fit a last layer with fewer classes and try again.",
        )  # fmt: skip
    ends = file.makers.get(result.name) in ENDS_IN_PROBABILITIES
    return Plain(source, result, channels_first, side_px, classes, ends)


def _constant(data: bytes) -> tuple[str, bool]:
    """The name of a tensor, and whether its values are in another file."""
    fields = read(data)
    return name_of(fields), any(each.number == EXTERNAL and each.value for each in fields)


def _layout(name: str, source: Value) -> tuple[bool, int | None]:
    """Whether the channels come first, and the side of the picture."""
    if source.kind not in (FLOAT, FLOAT16, UINT8):
        raise ForeignModelError(name, "its input is neither floating point nor bytes")
    if len(source.dims) != 4:
        raise ForeignModelError(
            name, f"its input has {len(source.dims)} dimensions, and a batch of pictures has 4"
        )
    batch, *rest = source.dims
    if batch not in (None, 1):
        raise ForeignModelError(name, f"it takes just {batch} pictures at once")
    channels_first = rest[0] == CHANNELS
    if not channels_first and rest[2] != CHANNELS:
        raise ForeignModelError(name, "its input does not have 3 channels, for red, green and blue")
    height, width = rest[1:] if channels_first else rest[:2]
    if height != width:
        sides = " × ".join("any" if each is None else str(each) for each in (height, width))
        raise ForeignModelError(name, f"it takes pictures of {sides} pixels, which are no squares")
    if height is not None and not 8 <= height <= MOST_SIDE_PX:
        raise ForeignModelError(name, f"it takes pictures of {height} pixels on a side")
    return channels_first, height


def _is_row(value: Value) -> bool:
    """Whether an output is a row of numbers per picture, perhaps with two dimensions of one."""
    return (
        value.kind in (FLOAT, FLOAT16, DOUBLE)
        and len(value.dims) in (2, 4)
        and all(each == 1 for each in value.dims[2:])
    )


def _values(graph: list[Field], number: int) -> list[Value]:
    """ValueInfoProto: name, and type (1) of tensor with its kind (1) and shape (2)."""
    found = []
    for each in graph:
        if each.number != number:
            continue
        info = read(each.data)
        name = next((field.text for field in info if field.number == 1), "")
        tensor = _inside(_inside(info, 2), 1)
        kind = next((int(field.value) for field in tensor if field.number == 1), 0)
        dims = [read(field.data) for field in _inside(tensor, 2) if field.number == 1]
        found.append(Value(name, kind, tuple(_size(dim) for dim in dims)))
    return found


def _size(dim: list[Field]) -> int | None:
    sizes = numbers(dim, 1)
    return sizes[0] if sizes and sizes[0] > 0 else None


def _inside(fields: list[Field], number: int) -> list[Field]:
    return next((read(each.data) for each in fields if each.number == number), [])


def _opset(model: list[Field]) -> int:
    """The version of ONNX's own operators."""
    for each in model:
        if each.number == OPSET:
            entry = read(each.data)
            domain = next((field.text for field in entry if field.number == 1), "")
            if domain in ("", "ai.onnx"):
                return next((int(field.value) for field in entry if field.number == 2), 0)
    return 0


def _metadata(model: list[Field]) -> dict[str, Any]:
    found = {}
    for each in model:
        if each.number == METADATA:
            entry = {field.number: field.text for field in read(each.data)}
            found[entry.get(1, "")] = _told(entry.get(2, ""))
    return found


def _told(text: str) -> Any:
    """A value as JSON has it, or as Python writes it (so do some exporters), or the text."""
    if len(text) <= LONGEST_TEXT:
        for parse in (json.loads, ast.literal_eval):
            try:
                return parse(text)
            except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
                continue
    return text

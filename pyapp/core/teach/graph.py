"""The last layer of a model's ONNX file: read, and replaced by a taught one.

Only what leads to ``probability`` and ``activation`` changes; all else is copied byte for byte.
Field numbers are those of onnx.proto3.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pyapp.core.errors import ForeignGraphError
from pyapp.core.model.prediction import ACTIVATION, PROBABILITY
from pyapp.core.teach.fit import Head
from pyapp.core.teach.protobuf import BYTES, VARINT, Field, message, numbers, read, text, write
from pyapp.core.teach.tensors import array_of, name_of, tensor_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRAPH, METADATA = 7, 14
NODE, INITIALIZER, OUTPUT, VALUE_INFO = 1, 5, 12, 13
IN, OUT, OPERATOR, ATTRIBUTE = 1, 2, 4, 5
WEIGHTS, BIAS, ONE, SHAPE = "taught.weights", "taught.bias", "taught.one", "taught.shape"
# What may stand between the layer and its output, besides what divides the logits.
PASSING = {"Softmax", "Reshape", "Squeeze", "Flatten", "Identity", "Cast"}
LONGEST_WAY = 12


class _Node(NamedTuple):
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    fields: tuple[Field, ...]


class _Layer(NamedTuple):
    """A linear layer, and the nodes between it and an output of the graph, from the layer on."""

    node: _Node
    way: tuple[_Node, ...]


class Graph:
    """An ONNX file whose last layer can be read and replaced.

    Parameters
    ----------
    data : bytes
        The file.

    Raises
    ------
    ForeignGraphError
        If it is no ONNX file, or does not end in a linear layer.

    Attributes
    ----------
    head : Head
        The layer, with the logits divided as the graph divides them.
    temperature : float
        By what it divides them.
    """

    def __init__(self, data: bytes) -> None:
        try:
            self._model = read(data)
            (graph,) = (each.data for each in self._model if each.number == GRAPH)
            self._graph = read(graph)
            self._nodes = [_node(each.data) for each in self._graph if each.number == NODE]
            tensors = [read(each.data) for each in self._graph if each.number == INITIALIZER]
            self._tensors = {name_of(each): each for each in tensors}
        except ValueError as error:
            raise ForeignGraphError("its file can't be read as ONNX") from error
        self._makers = {out: each for each in self._nodes for out in each.outputs}
        self._said = self._layer_before(PROBABILITY)
        self._shown = self._layer_before(ACTIVATION)
        self.head, self.temperature = self._read_head()

    def with_head(self, head: Head, facts: Mapping[str, Any]) -> bytes:
        """The file with another last layer.

        Parameters
        ----------
        head : Head
            Of as many features.
        facts : mapping
            For ``metadata_props``, in place of what is there under the same names; what is
            ``None`` is left out.
        """
        before, after = len(self.head.bias), len(head.bias)
        replaced: dict[int, _Node] = {}
        added = {ONE: np.ones((), np.float32), BIAS: head.bias}
        for number, layer in enumerate((self._said, self._shown)):
            name = f"{WEIGHTS}.{number}"
            added[name] = _laid_out(layer.node, head.weights)
            replaced[id(layer.node)] = _with_inputs(layer.node, (layer.node.inputs[0], name, BIAS))
            for node in layer.way:
                changed = self._passed_on(node, before, after, added)
                if changed is not None:
                    replaced[id(node)] = changed
        nodes = self._used([replaced.get(id(each), each) for each in self._nodes])
        return write(self._assembled(nodes, added, facts, before, after))

    def _assembled(
        self,
        nodes: list[_Node],
        added: Mapping[str, NDArray[np.generic]],
        facts: Mapping[str, Any],
        before: int,
        after: int,
    ) -> list[Field]:
        wanted = {each for node in nodes for each in node.inputs}
        graph = [Field(NODE, BYTES, write(each.fields)) for each in nodes]
        for each in self._graph:
            if each.number == OUTPUT:
                graph.append(Field(OUTPUT, BYTES, _resized(each.data, before, after)))
            elif each.number == INITIALIZER:
                if name_of(read(each.data)) in wanted:
                    graph.append(each)
            # Noted shapes of what is in between may be wrong now, and are not needed.
            elif each.number not in (NODE, VALUE_INFO):
                graph.append(each)
        graph += [
            Field(INITIALIZER, BYTES, tensor_of(name, each))
            for name, each in added.items()
            if name in wanted
        ]
        model = [each for each in self._model if each.number not in (GRAPH, METADATA)]
        model.append(message(GRAPH, graph))
        kept = {key: value for key, value in self._metadata().items() if key not in facts}
        kept |= {
            key: json.dumps(value, ensure_ascii=False)
            for key, value in facts.items()
            if value is not None
        }
        return model + [message(METADATA, (text(1, key), text(2, kept[key]))) for key in kept]

    def _metadata(self) -> dict[str, str]:
        found = {}
        for each in self._model:
            if each.number == METADATA:
                entry = {field.number: field.text for field in read(each.data)}
                found[entry.get(1, "")] = entry.get(2, "")
        return found

    # Reading

    def _layer_before(self, output: str) -> _Layer:
        """The linear layer that an output comes from."""
        way: list[_Node] = []
        name = output
        for _ in range(LONGEST_WAY):
            node = self._makers.get(name)
            if node is None:
                break
            if node.operator in ("Conv", "Gemm"):
                if len(node.inputs) < 3:
                    raise ForeignGraphError("its last layer has no bias")
                return _Layer(node, tuple(reversed(way)))
            if node.operator not in PASSING and node.operator not in ("Div", "Mul"):
                break
            way.append(node)
            name = node.inputs[0]
        raise ForeignGraphError(f'what gives its output "{output}" is no linear layer')

    def _read_head(self) -> tuple[Head, float]:
        layer = self._said
        weights = self._constant(layer.node.inputs[1])
        if layer.node.operator == "Conv":
            if weights.shape[2:] != (1, 1):
                raise ForeignGraphError("its last layer looks at more than one place")
            weights = weights[:, :, 0, 0]
        elif not _transposed(layer.node):
            weights = weights.T
        divisor = 1.0
        for node in layer.way:
            if node.operator in ("Div", "Mul"):
                value = self._constant(node.inputs[1])
                if value.size != 1:
                    raise ForeignGraphError("it scales each class differently")
                factor = float(value.reshape(-1)[0])
                divisor *= factor if node.operator == "Div" else 1 / factor
        bias = self._constant(layer.node.inputs[2])
        head = Head(
            (weights / divisor).astype(np.float32), (bias.ravel() / divisor).astype(np.float32)
        )
        return head, divisor

    def _constant(self, name: str, depth: int = 0) -> NDArray[np.float64]:
        """A constant, also one that is stored as integers with a scale."""
        if name in self._tensors:
            try:
                return array_of(self._tensors[name]).astype(np.float64)
            except (ValueError, OverflowError) as error:
                raise ForeignGraphError(str(error)) from error
        node = self._makers.get(name)
        if node is not None and depth < LONGEST_WAY:
            given = [self._constant(each, depth + 1) for each in node.inputs if each]
            if node.operator in ("Cast", "Identity"):
                return given[0]
            if node.operator == "Mul":
                return given[0] * given[1]
            if node.operator == "DequantizeLinear" and given[1].size == 1:
                zero = given[2] if len(given) > 2 else 0.0
                return np.asarray((given[0] - zero) * given[1])
        raise ForeignGraphError("its last layer is stored in a way that is not known here")

    # Replacing

    def _passed_on(
        self, node: _Node, before: int, after: int, added: dict[str, NDArray[Any]]
    ) -> _Node | None:
        """A node behind the layer, for another number of classes; ``None`` if it stays."""
        if node.operator in ("Div", "Mul"):
            return _with_inputs(node, (node.inputs[0], ONE))
        if node.operator == "Reshape":
            shape = self._constant(node.inputs[1]).astype(np.int64)
            name = f"{SHAPE}.{len(added)}"
            added[name] = np.where(shape == before, after, shape)
            return _with_inputs(node, (node.inputs[0], name))
        return None

    def _used(self, nodes: list[_Node]) -> list[_Node]:
        """Without nodes that nothing needs any more."""
        outputs = {
            field.text
            for each in self._graph
            if each.number == OUTPUT
            for field in read(each.data)
            if field.number == 1
        }
        while True:
            wanted = outputs | {each for node in nodes for each in node.inputs}
            left = [each for each in nodes if wanted.intersection(each.outputs)]
            if len(left) == len(nodes):
                return left
            nodes = left


def _node(data: bytes) -> _Node:
    fields = read(data)
    operator = next((each.text for each in fields if each.number == OPERATOR), "")
    return _Node(
        operator,
        tuple(each.text for each in fields if each.number == IN),
        tuple(each.text for each in fields if each.number == OUT),
        tuple(fields),
    )


def _with_inputs(node: _Node, inputs: tuple[str, ...]) -> _Node:
    others = [each for each in node.fields if each.number != IN]
    return node._replace(inputs=inputs, fields=(*(text(IN, each) for each in inputs), *others))


def _transposed(node: _Node) -> bool:
    """Whether a Gemm takes its weights class by class (attribute ``transB``)."""
    for each in node.fields:
        if each.number == ATTRIBUTE:
            attribute = read(each.data)
            if any(field.number == 1 and field.text == "transB" for field in attribute):
                return numbers(attribute, 3) == [1]
    return False


def _laid_out(node: _Node, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights as a node wants them, from shape (C, D)."""
    if node.operator == "Conv":
        return weights[:, :, np.newaxis, np.newaxis]
    return weights if _transposed(node) else np.ascontiguousarray(weights.T)


def _resized(output: bytes, before: int, after: int) -> bytes:
    """The description of an output whose second dimension is the number of classes."""
    info = read(output)
    if not any(each.number == 1 and each.text in (PROBABILITY, ACTIVATION) for each in info):
        return output
    return write([
        _inside(each, (2, 1, 2), lambda shape: _second(shape, before, after)) for each in info
    ])  # fmt: skip


def _inside(field: Field, path: tuple[int, ...], change: Any) -> Field:
    """A field with what lies at a path of field numbers in it changed."""
    if field.number != path[0]:
        return field
    if len(path) == 1:
        return message(field.number, change(read(field.data)))
    return message(field.number, [_inside(each, path[1:], change) for each in read(field.data)])


def _second(shape: list[Field], before: int, after: int) -> list[Field]:
    """Dimensions (TensorShapeProto) with another second one, if it was the number of classes."""
    if len(shape) > 1 and numbers(read(shape[1].data), 1) == [before]:
        shape[1] = message(1, [Field(1, VARINT, after)])
    return shape

"""Parts of an ONNX graph, written: nodes, constants, inputs and outputs (onnx.proto3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pyapp.core.model.foreign import NODE_IN, NODE_OUT
from pyapp.core.teach.protobuf import BYTES, VARINT, Field, message, text, write
from pyapp.core.teach.tensors import tensor_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Before the name of what is added to a graph.
OURS = "lookdown."
# AttributeProto: fields, and types.
ATTRIBUTE, INT_VALUE, TENSOR_VALUE, INTS_VALUE, KIND = 5, 3, 5, 8, 20
INT, TENSOR, INTS = 2, 4, 7


def chain(
    name: str,
    first: str,
    last: str,
    steps: Sequence[tuple[str, list[NDArray[Any]], list[bytes]]],
) -> list[bytes]:
    """Nodes one after the other; each may take constants besides."""
    nodes, at = [], first
    for number, (operator, constants, attributes) in enumerate(steps):
        given = []
        for place, values in enumerate(constants):
            given.append(f"{name}.{number}.{place}")
            nodes.append(constant(given[-1], values))
        out = last if number == len(steps) - 1 else f"{name}.{number}"
        nodes.append(node(operator, [at, *given], out, attributes))
        at = out
    return nodes


def node(operator: str, given: list[str], out: str, attributes: Sequence[bytes] = ()) -> bytes:
    """A node with one output (NodeProto)."""
    fields = [text(NODE_IN, each) for each in given]
    fields += [text(NODE_OUT, out), text(3, f"{OURS}{operator}:{out}"), text(4, operator)]
    return write([*fields, *(Field(ATTRIBUTE, BYTES, each) for each in attributes)])


def constant(name: str, values: NDArray[Any]) -> bytes:
    """A node that gives a constant."""
    # Files of an old kind would want an initializer to be an input as well.
    tensor = Field(TENSOR_VALUE, BYTES, tensor_of(name, values))
    attribute = write([text(1, "value"), tensor, Field(KIND, VARINT, TENSOR)])
    return node("Constant", [], name, [attribute])


def integer(name: str, number: int) -> bytes:
    """An attribute that is a whole number."""
    return write([text(1, name), Field(INT_VALUE, VARINT, number), Field(KIND, VARINT, INT)])


def integers(name: str, values: Sequence[int]) -> bytes:
    """An attribute of several whole numbers."""
    numbers = [Field(INTS_VALUE, VARINT, each) for each in values]
    return write([text(1, name), *numbers, Field(KIND, VARINT, INTS)])


def value(number: int, name: str, kind: int, dims: Sequence[int | str]) -> Field:
    """An input or output of the graph (ValueInfoProto)."""
    shape = [
        message(1, [text(2, each) if isinstance(each, str) else Field(1, VARINT, each)])
        for each in dims
    ]
    tensor = message(1, [Field(1, VARINT, kind), message(2, shape)])
    return message(number, [text(1, name), message(2, [tensor])])

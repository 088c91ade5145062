"""Constant tensors of an ONNX file, read and written (onnx.proto3, TensorProto)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from pyapp.core.teach.protobuf import BYTES, VARINT, Field, numbers, read, text, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIMS, TYPE, FLOATS, INT32S, INT64S, NAME, RAW, EXTERNAL = 1, 2, 4, 5, 7, 8, 9, 14
# TensorProto.DataType, as far as weights and shapes have it.
TYPES = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8", 10: "<f2", 11: "<f8"}
FLOAT, INT64 = 1, 7


def name_of(tensor: Iterable[Field]) -> str:
    """The name of a tensor."""
    return next((each.text for each in tensor if each.number == NAME), "")


def array_of(tensor: list[Field]) -> NDArray[np.generic]:
    """The values of a tensor.

    Raises
    ------
    ValueError
        If they are in another file, of a type that is not read here, or too few.
    """
    if any(each.number == EXTERNAL and each.value for each in tensor):
        raise ValueError("its weights are in another file")
    kind = next((each.value for each in tensor if each.number == TYPE), 0)
    if kind not in TYPES:
        raise ValueError(f"it has weights of type {kind!r}")
    shape = numbers(tensor, DIMS)
    raw = b"".join(each.data for each in tensor if each.number == RAW)
    if not raw:
        raw = _unpacked(tensor, int(kind))
    return np.frombuffer(raw, TYPES[int(kind)]).reshape(shape)


def _unpacked(tensor: list[Field], kind: int) -> bytes:
    """The values where they are not raw bytes."""
    if kind == FLOAT:
        return b"".join(each.data for each in tensor if each.number == FLOATS)
    values = numbers(tensor, INT64S if kind == INT64 else INT32S)
    if kind == 10:
        return np.array(values, "<u2").tobytes()
    return np.array(values).astype(TYPES[kind]).tobytes()


def tensor_of(name: str, values: NDArray[np.generic]) -> bytes:
    """A tensor of float32 or int64."""
    kind = INT64 if values.dtype.kind == "i" else FLOAT
    fields = [Field(DIMS, VARINT, int(each)) for each in values.shape]
    fields += [Field(TYPE, VARINT, kind), text(NAME, name)]
    data = np.ascontiguousarray(values).astype(TYPES[kind]).tobytes()
    return write([*fields, Field(RAW, BYTES, data)])


def parsed(data: bytes) -> list[Field]:
    """The fields of a tensor."""
    return read(data)

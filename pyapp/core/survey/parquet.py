"""A small writer of Apache Parquet: one row group, plain values, gzip.

It writes what a survey needs, in the browser and without it, and leaves out what only very large
files need (statistics, dictionaries, pages). The format is that of apache/parquet-format 2.12:
metadata is Thrift in its compact protocol, levels are run lengths.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = b"PAR1"
# Encodings and codecs of the format.
PLAIN, RLE = 0, 3
UNCOMPRESSED, GZIP = 0, 2
# Repetition of a schema's element.
REQUIRED, OPTIONAL, REPEATED = 0, 1, 2
UTF8, LIST_CONVERTED = 0, 3
# Of zlib: a gzip header and the largest window.
GZIP_WINDOW = 31


class Type(IntEnum):
    """Physical types."""

    BOOLEAN = 0
    INT32 = 1
    INT64 = 2
    FLOAT = 4
    DOUBLE = 5
    BYTE_ARRAY = 6
    FIXED_LEN_BYTE_ARRAY = 7


class Kind(NamedTuple):
    """What a column holds.

    Attributes
    ----------
    type : Type
    dtype : str
        Of numpy, little endian; empty for texts and bytes.
    logical : int
        Number of its logical type in the format's union; 0 if it has none.
    """

    type: Type
    dtype: str
    logical: int = 0


BOOLEAN = Kind(Type.BOOLEAN, "?")
INT32, INT64 = Kind(Type.INT32, "<i4"), Kind(Type.INT64, "<i8")
FLOAT, DOUBLE = Kind(Type.FLOAT, "<f4"), Kind(Type.DOUBLE, "<f8")
TEXT, BYTES = Kind(Type.BYTE_ARRAY, "", 1), Kind(Type.BYTE_ARRAY, "")
HALF = Kind(Type.FIXED_LEN_BYTE_ARRAY, "<f2", 15)


@dataclass(frozen=True)
class Column:
    """A column of N rows.

    Attributes
    ----------
    name : str
    kind : Kind
    values : ndarray or sequence
        Of the rows that have a value: numbers, shape (n,), or (n, D) if each row has a list of D
        numbers; texts or bytes.
    there : ndarray of bool, shape (N,), or None
        Which rows have a value; ``None`` if all have.
    """

    name: str
    kind: Kind
    values: Any
    there: NDArray[np.bool_] | None = None

    @property
    def is_list(self) -> bool:
        """Whether each row has a list."""
        return isinstance(self.values, np.ndarray) and self.values.ndim == 2


def write(columns: Sequence[Column], rows: int, about: Mapping[str, str], writer: str) -> bytes:
    """Write a file.

    Parameters
    ----------
    columns : sequence of Column
    rows : int
    about : mapping of str to str
        Metadata of the file.
    writer : str
        What wrote it.
    """
    out = bytearray(MAGIC)
    chunks = []
    for column in columns:
        start = len(out)
        page, size, count, codec = _page(column, rows)
        out += page
        chunks.append(_chunk(column, start, len(page), size, count, codec))
    group = {
        1: [_Struct(each) for each in chunks], 2: _I64(len(out) - len(MAGIC)), 3: _I64(rows)
    }  # fmt: skip
    facts = {
        1: 2,
        2: [_Struct(each) for each in _schema(columns)],
        3: _I64(rows),
        4: [_Struct(group)],
        5: [_Struct({1: name, 2: text}) for name, text in about.items()],
        6: writer,
    }
    footer = _compact(facts)
    out += footer + struct.pack("<I", len(footer)) + MAGIC
    return bytes(out)


def _schema(columns: Sequence[Column]) -> list[dict[int, Any]]:
    """The tree of columns, flattened depth first."""
    elements: list[dict[int, Any]] = [{4: "schema", 5: len(columns)}]
    for column in columns:
        optional = REQUIRED if column.there is None else OPTIONAL
        if column.is_list:
            logical = _Struct({3: _Struct({})})
            elements.append({3: optional, 4: column.name, 5: 1, 6: LIST_CONVERTED, 10: logical})
            elements.append({3: REPEATED, 4: "list", 5: 1})
            elements.append(_leaf(column.kind, "element", REQUIRED))
        else:
            elements.append(_leaf(column.kind, column.name, optional))
    return elements


def _leaf(kind: Kind, name: str, repetition: int) -> dict[int, Any]:
    element: dict[int, Any] = {1: int(kind.type), 3: repetition, 4: name}
    if kind.type == Type.FIXED_LEN_BYTE_ARRAY:
        element[2] = np.dtype(kind.dtype).itemsize
    if kind == TEXT:
        element[6] = UTF8
    if kind.logical:
        element[10] = _Struct({kind.logical: _Struct({})})
    return element


def _page(column: Column, rows: int) -> tuple[bytes, int, int, int]:
    """All values as one data page; with its size before compression, their number, the codec."""
    there = np.ones(rows, bool) if column.there is None else column.there
    levels = b""
    count = rows
    if column.is_list:
        length = column.values.shape[1]
        count = int(there.sum()) * length + int((~there).sum())
        deepest = 1 if column.there is None else 2
        levels = _runs([(0, 1), (1, length - 1)] if each else [(0, 1)] for each in there)
        levels += _runs([(deepest, length)] if each else [(0, 1)] for each in there)
    elif column.there is not None:
        levels = _runs([(int(each), 1)] for each in there)
    body = levels + _plain(column)
    codec = UNCOMPRESSED if column.is_list else GZIP
    packed = body
    if codec == GZIP:
        squeeze = zlib.compressobj(6, zlib.DEFLATED, GZIP_WINDOW)
        packed = squeeze.compress(body) + squeeze.flush()
    header = {1: 0, 2: len(body), 3: len(packed),
              5: _Struct({1: count, 2: PLAIN, 3: RLE, 4: RLE})}  # fmt: skip
    written = _compact(header)
    return written + packed, len(written) + len(body), count, codec


def _plain(column: Column) -> bytes:
    if column.kind.type == Type.BYTE_ARRAY:
        encoded = [each.encode() if isinstance(each, str) else each for each in column.values]
        return b"".join(struct.pack("<I", len(each)) + each for each in encoded)
    values = np.asarray(column.values)
    if column.kind.type == Type.BOOLEAN:
        return np.packbits(values.astype(bool), bitorder="little").tobytes()
    return values.astype(column.kind.dtype).tobytes()


def _runs(rows: Iterable[list[tuple[int, int]]]) -> bytes:
    """Levels, each with how often it comes, as run lengths behind their size in bytes."""
    out, last, count = bytearray(), -1, 0
    for row in rows:
        for level, times in row:
            if level != last:
                if count:
                    out += _varint(count << 1) + bytes([last])
                last, count = level, 0
            count += times
    if count:
        out += _varint(count << 1) + bytes([last])
    return struct.pack("<I", len(out)) + bytes(out)


def _chunk(
    column: Column, start: int, packed: int, size: int, count: int, codec: int
) -> dict[int, Any]:
    path = [column.name, "list", "element"] if column.is_list else [column.name]
    return {
        2: _I64(start),
        3: _Struct(
            {
                1: int(column.kind.type), 2: [PLAIN, RLE], 3: path, 4: codec, 5: _I64(count),
                6: _I64(size), 7: _I64(packed), 9: _I64(start),
            }
        ),
    }  # fmt: skip


# Thrift's compact protocol


class _I64(int):
    """A number of 64 bits; others have 32."""


class _Struct(dict[int, Any]):
    """Fields by their numbers."""


I32_TYPE, I64_TYPE, TEXT_TYPE, LIST_TYPE, STRUCT_TYPE = 5, 6, 8, 9, 12


def _compact(fields: Mapping[int, Any]) -> bytes:
    """A struct."""
    out, before = bytearray(), 0
    for number, value in sorted(fields.items()):
        kind = _kind(value)
        if number - before <= 15:
            out.append((number - before) << 4 | kind)
        else:
            out.append(kind)
            out += _varint(_zigzag(number))
        out += _value(value)
        before = number
    return bytes(out) + b"\0"


def _kind(value: Any) -> int:
    for base, kind in ((_I64, I64_TYPE), (int, I32_TYPE), (str, TEXT_TYPE), (dict, STRUCT_TYPE)):
        if isinstance(value, base):
            return kind
    return LIST_TYPE


def _value(value: Any) -> bytes:
    if isinstance(value, int):
        return _varint(_zigzag(value))
    if isinstance(value, str):
        return _varint(len(value.encode())) + value.encode()
    if isinstance(value, dict):
        return _compact(value)
    kind = _kind(value[0]) if value else STRUCT_TYPE
    size = bytes([len(value) << 4 | kind]) if len(value) < 15 else (
        bytes([0xF0 | kind]) + _varint(len(value))
    )  # fmt: skip
    return size + b"".join(map(_value, value))


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])

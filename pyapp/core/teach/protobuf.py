"""The few things of Protocol Buffers that changing an ONNX file takes: fields, numbers, lengths.

The wire format: https://protobuf.dev/programming-guides/encoding/. A message is read as the list
of its fields; what is not looked at is written back byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LENGTHS = {FIXED64: 8, FIXED32: 4}
LONGEST_VARINT = 10
SIGN, WORD = 1 << 63, 1 << 64


class Field(NamedTuple):
    """A field of a message.

    Attributes
    ----------
    number : int
    wire : int
        How it is written.
    value : int or bytes
    """

    number: int
    wire: int
    value: int | bytes

    @property
    def data(self) -> bytes:
        """The value of a field that holds bytes, a text or a message."""
        if not isinstance(self.value, bytes):
            raise ValueError(f"field {self.number} holds a number")
        return self.value

    @property
    def text(self) -> str:
        """The value of a field that holds a text."""
        return self.data.decode()


def read(data: bytes) -> list[Field]:
    """The fields of a message, in their order.

    Raises
    ------
    ValueError
        If it is not a message, or is cut short.

    Examples
    --------
    >>> read(bytes([8, 150, 1]))
    [Field(number=1, wire=0, value=150)]
    """
    found, at = [], 0
    while at < len(data):
        key, at = _number(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _number(data, at)
            found.append(Field(number, wire, value))
            continue
        if wire == BYTES:
            length, at = _number(data, at)
        elif wire in LENGTHS:
            length = LENGTHS[wire]
        else:
            raise ValueError(f"there is no wire type {wire}")
        if number == 0 or at + length > len(data):
            raise ValueError("it is cut short")
        found.append(Field(number, wire, data[at : at + length]))
        at += length
    return found


def write(fields: Iterable[Field]) -> bytes:
    """The message with these fields.

    >>> write([Field(1, VARINT, 150)]).hex()
    '089601'
    """
    parts = []
    for number, wire, value in fields:
        parts.append(_varint(number << 3 | wire))
        if isinstance(value, int):
            parts.append(_varint(value))
        else:
            if wire == BYTES:
                parts.append(_varint(len(value)))
            parts.append(value)
    return b"".join(parts)


def text(number: int, value: str) -> Field:
    """A field that holds a text."""
    return Field(number, BYTES, value.encode())


def message(number: int, fields: Iterable[Field]) -> Field:
    """A field that holds a message."""
    return Field(number, BYTES, write(fields))


def numbers(fields: Iterable[Field], number: int) -> list[int]:
    """The signed whole numbers of a repeated field, packed or not."""
    found: list[int] = []
    for each in fields:
        if each.number != number:
            continue
        if isinstance(each.value, int):
            found.append(_signed(each.value))
            continue
        at = 0
        while at < len(each.value):
            value, at = _number(each.value, at)
            found.append(_signed(value))
    return found


def _signed(value: int) -> int:
    return value - WORD if value >= SIGN else value


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = 0
    for place in range(LONGEST_VARINT):
        if at + place >= len(data):
            raise ValueError("it is cut short")
        byte = data[at + place]
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    raise ValueError("it has a number that is too long")


def _varint(value: int) -> bytes:
    value %= WORD
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)

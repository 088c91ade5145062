"""A pack as one zip file whose parts are stored as they are, so that each can be read in pieces."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pyapp.core.pack.errors import LargePackError, NotAPackError

# ``await read(offset, length)``: bytes of a file; fewer where it ends.
Read = Callable[[int, int], Awaitable[bytes]]

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
# The list of what a zip holds stands at its end, behind which a comment may follow.
END_BYTES = 1 << 20
MOST_PARTS = 2000
MOST_ZIP_BYTES = (1 << 32) - (1 << 24)
LOCAL_BYTES = 30
# Enough of a file to recognise it.
HEAD_BYTES = 128
MANIFEST = "manifest.json"
FORMAT = "lookdown pack"
# The first of all parts is the manifest, and this is how that begins.
BEGINNING = json.dumps({"format": FORMAT})[:-1].encode()


class Stored(NamedTuple):
    """Where a part lies in the file, in bytes, and its checksum as the zip has it."""

    offset: int
    size: int
    crc: int


def is_pack(head: bytes) -> bool:
    """Whether a file that begins like this is a pack, or what is left of one."""
    name = MANIFEST.encode()
    return head[:LOCAL_BYTES][:4] == b"PK\x03\x04" and head[LOCAL_BYTES:].startswith(
        name + BEGINNING
    )


def zipped(parts: Mapping[str, Sequence[bytes]]) -> list[bytes]:
    """A zip file in pieces; no part is copied.

    Parameters
    ----------
    parts : mapping of str to sequence of bytes
        Each in pieces, in the order of the file.

    Raises
    ------
    LargePackError

    Examples
    --------
    >>> made = b"".join(zipped({"a.txt": [b"one", b"two"]}))
    >>> zipfile.ZipFile(io.BytesIO(made)).read("a.txt")
    b'onetwo'
    """
    if sum(len(each) for pieces in parts.values() for each in pieces) > MOST_ZIP_BYTES:
        raise LargePackError
    sink = _Pieces()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, pieces in parts.items():
            with archive.open(zipfile.ZipInfo(name, FIXED_TIME), "w", force_zip64=False) as file:
                for each in pieces:
                    file.write(each)
    return sink.pieces


class _Pieces(io.RawIOBase):
    """A file that keeps what is written to it in pieces.

    Python's zipfile goes back to the header of a part once the part is complete; that is one
    write, as the header was.
    """

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self._starts: dict[int, int] = {}
        self._at = self._end = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset if whence == io.SEEK_SET else self._end + offset
        return self._at

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if self._at == self._end:
            self._starts[self._at] = len(self.pieces)
            self.pieces.append(data)
            self._end += len(data)
        else:
            number = self._starts[self._at]
            assert len(self.pieces[number]) == len(data), "a header keeps its length"
            self.pieces[number] = data
        self._at += len(data)
        return len(data)


class _End(io.RawIOBase):
    """A file of which only the end can be read."""

    def __init__(self, size: int, end: bytes) -> None:
        self._size, self._end, self._at = size, end, 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = base + offset
        if self._at < 0:
            raise OSError("before the beginning")
        return self._at

    def read(self, size: int = -1) -> bytes:
        start = self._at - (self._size - len(self._end))
        if start < 0:
            raise zipfile.BadZipFile("its list of parts is too long")
        data = self._end[start:] if size < 0 else self._end[start : start + size]
        self._at += len(data)
        return data


async def parts_of(read: Read, size: int, name: str) -> dict[str, Stored]:
    """Where each part of a zip file lies.

    Parameters
    ----------
    read : Read
    size : int
        Of the file, in bytes.
    name : str
        As the person knows it.

    Raises
    ------
    NotAPackError
        If it is no zip, cut short, or its parts are not stored as they are.
    """
    length = min(size, END_BYTES)
    end = await read(size - length, length)
    try:
        with zipfile.ZipFile(_End(size, end)) as archive:
            listed = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise NotAPackError(name, "it is cut short or damaged") from error
    if len(listed) > MOST_PARTS:
        raise NotAPackError(name, "it holds too many files")
    found: dict[str, Stored] = {}
    for each in listed:
        plain = each.compress_type == zipfile.ZIP_STORED and not each.flag_bits & 1
        if not plain or each.compress_size != each.file_size:
            raise NotAPackError(name, "it was packed anew, compressed or encrypted")
        if each.filename in found:
            raise NotAPackError(name, "it holds a file twice")
        local = await read(each.header_offset, LOCAL_BYTES)
        if len(local) < LOCAL_BYTES or local[:4] != b"PK\x03\x04":
            raise NotAPackError(name, "it is cut short or damaged")
        behind = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
        offset = each.header_offset + LOCAL_BYTES + behind
        if offset + each.file_size > size:
            raise NotAPackError(name, "it is cut short or damaged")
        found[each.filename] = Stored(offset, each.file_size, each.CRC)
    return found


def joined(pieces: Iterable[bytes], about: int) -> Iterator[bytes]:
    """The same bytes in fewer pieces, of about so many bytes each.

    >>> list(joined([b"a", b"b", b"cdef", b"g"], 3))
    [b'abcdef', b'g']
    """
    together: list[bytes] = []
    size = 0
    for each in pieces:
        together.append(each)
        size += len(each)
        if size >= about:
            yield b"".join(together)
            together, size = [], 0
    if together:
        yield b"".join(together)

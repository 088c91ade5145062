"""Decoded tiles, held while there is room."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PixelCache:
    """The most recently used pixels, up to a number of bytes.

    Parameters
    ----------
    limit_bytes : int
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._used_bytes = 0
        self._pixels: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()

    def get(self, key: str) -> NDArray[np.uint8] | None:
        """The pixels under ``key``; ``None`` if they are not held."""
        if key in self._pixels:
            self._pixels.move_to_end(key)
        return self._pixels.get(key)

    def put(self, key: str, pixels: NDArray[np.uint8]) -> None:
        """Hold ``pixels`` under ``key``, and drop those least recently used to make room."""
        former = self._pixels.get(key)
        self._used_bytes += pixels.nbytes - (0 if former is None else former.nbytes)
        self._pixels[key] = pixels
        self._pixels.move_to_end(key)
        while self._used_bytes > self._limit_bytes:
            _, dropped = self._pixels.popitem(last=False)
            self._used_bytes -= dropped.nbytes

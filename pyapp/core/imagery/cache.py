"""Decoded tiles, kept while there is room."""

from collections import OrderedDict

import numpy as np


class PixelCache:
    """The pixels used last, up to a number of bytes; the longest unused go first.

    Parameters
    ----------
    limit_bytes : int
    """

    def __init__(self, limit_bytes: int):
        self._limit_bytes = limit_bytes
        self._used_bytes = 0
        self._kept: OrderedDict[str, np.ndarray] = OrderedDict()

    def get(self, key: str) -> np.ndarray | None:
        """The pixels kept under ``key``, or ``None``."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: str, pixels: np.ndarray) -> None:
        """Keep ``pixels``, at the cost of the longest unused."""
        self._used_bytes += pixels.nbytes - (self._kept[key].nbytes if key in self._kept else 0)
        self._kept[key] = pixels
        self._kept.move_to_end(key)
        while self._used_bytes > self._limit_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._used_bytes -= dropped.nbytes

"""What came out for some cells of a survey, as it is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from pyapp.core.state import CellState

# How the parts of a batch are stored.
TYPES = {
    "numbers": np.int32,
    "state": np.uint8,
    "zoom": np.uint8,
    "probability": np.float16,
    "embedding": np.float16,
    "familiarity": np.float32,
    "digest": np.uint8,
}
# Parts that have several values for each classified cell.
WIDE = ("probability", "embedding", "digest")
# Stored where an earlier version did not note the zoom.
UNKNOWN_ZOOM = 0


@dataclass(frozen=True)
class Batch:
    """What came out for some cells.

    Attributes
    ----------
    numbers : ndarray of int32, shape (n,)
        Of the cells, in the grid's order of work.
    state : ndarray of uint8, shape (n,)
        See `CellState`.
    zoom : ndarray of uint8, shape (m,)
        Zoom of the tiles that the chips of the m classified cells were cut from, in their order;
        `UNKNOWN_ZOOM` if an earlier version did not note it.
    probability : ndarray of float16, shape (m, C)
    embedding : ndarray of float16, shape (m, D)
        Half precision, as a survey is stored: what is shown is then the same before and after a
        reload. D is 0 for a survey that came as a file.
    familiarity : ndarray of float32, shape (m,)
    digest : ndarray of uint8, shape (m, 32)
        SHA-256 of the chips.
    """

    numbers: np.ndarray
    state: np.ndarray
    zoom: np.ndarray
    probability: np.ndarray
    embedding: np.ndarray
    familiarity: np.ndarray
    digest: np.ndarray

    @classmethod
    def without_imagery(cls, numbers: Iterable[int], state: CellState) -> "Batch":
        """Cells that the model does not get to see."""
        cells = np.asarray(list(numbers), np.int32)
        parts = {
            name: np.empty((0, 0) if name in WIDE else 0, kind) for name, kind in TYPES.items()
        }
        parts |= {"numbers": cells, "state": np.full(len(cells), state, np.uint8)}
        return cls(**parts)

    @classmethod
    def joined(cls, batches: list["Batch"]) -> "Batch":
        """Several as one."""
        parts = {}
        for name in TYPES:
            arrays = [getattr(each, name) for each in batches]
            filled = [each for each in arrays if len(each)]
            parts[name] = np.concatenate(filled) if filled else arrays[0]
        return cls(**parts)

    @property
    def classified(self) -> np.ndarray:
        """The numbers of its classified cells, int32 [m]."""
        return self.numbers[self.state == CellState.CLASSIFIED]

    def check(self, cells: int, classes: int, width: int | None) -> None:
        """See that it fits a survey.

        Parameters
        ----------
        cells, classes : int
            How many the survey has.
        width : int or None
            Length of its embeddings; ``None`` if it has none yet.

        Raises
        ------
        ValueError
            If it does not fit, or its parts do not fit each other.
        """
        count = len(self.classified)
        if self.numbers.shape != self.state.shape:
            raise ValueError("a batch with other numbers than states")
        if len(self.numbers) and not 0 <= self.numbers.min() <= self.numbers.max() < cells:
            strange = self.numbers[(self.numbers < 0) | (self.numbers >= cells)]
            raise ValueError(f"there is no cell {strange[0]}")
        if len(self.state) and self.state.max() >= len(CellState):
            raise ValueError(f"there is no state {self.state.max()}")
        if len(self.zoom) != count or len(self.familiarity) != count:
            raise ValueError(f"a batch of {count} classified cells with other facts than that")
        if not count:
            return
        if self.probability.shape != (count, classes):
            raise ValueError(
                f"a batch with probabilities {self.probability.shape} for {classes} classes"
            )
        if len(self.embedding) != count or len(self.digest) != count:
            raise ValueError("a batch whose parts do not fit each other")
        if width is not None and self.embedding.shape[1] not in (0, width):
            raise ValueError(f"embeddings of {self.embedding.shape[1]} numbers, not {width}")

    def to_bytes(self) -> dict[str, bytes]:
        """What is stored of it."""
        return {name: getattr(self, name).tobytes() for name in TYPES}

    @classmethod
    def from_bytes(cls, stored: Mapping[str, bytes]) -> "Batch":
        """What `to_bytes` gave.

        Raises
        ------
        ValueError, KeyError
            If it is something else.
        """
        arrays = {
            name: np.frombuffer(stored[name], kind)
            for name, kind in TYPES.items()
            if name != "zoom" or "zoom" in stored
        }
        count = int((arrays["state"] == CellState.CLASSIFIED).sum())
        arrays.setdefault("zoom", np.full(count, UNKNOWN_ZOOM, np.uint8))
        for name in WIDE:
            width, rest = divmod(arrays[name].size, count or 1)
            if rest:
                raise ValueError(f"a batch whose {name} is cut short")
            arrays[name] = arrays[name].reshape(count, width)
        sizes = {len(arrays["familiarity"]), len(arrays["zoom"]), count}
        if len(arrays["numbers"]) != len(arrays["state"]) or len(sizes) > 1:
            raise ValueError("a batch whose parts do not fit each other")
        return cls(**arrays)

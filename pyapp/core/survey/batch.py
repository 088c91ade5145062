"""The results for some cells of a survey, as they are stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.state import CellState

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
DIGEST_BYTES = 32
# Stands for the zoom of chips that an earlier version cut without noting it.
UNKNOWN_ZOOM = 0


@dataclass(frozen=True)
class Batch:
    """The results for n cells, of which m are classified.

    Attributes
    ----------
    numbers : ndarray of int32, shape (n,)
        Numbers of the cells, in the grid's order of work.
    state : ndarray of uint8, shape (n,)
        See `CellState`.
    zoom : ndarray of uint8, shape (m,)
        Zoom of the tiles from which the chips of the classified cells were cut, in the order of
        ``numbers``, as in all further parts; `UNKNOWN_ZOOM` if an earlier version did not note it.
    probability : ndarray of float16, shape (m, C)
        In half precision, as it is stored, so that a survey looks the same before and after the
        page is reloaded; so is the embedding.
    embedding : ndarray of float16, shape (m, D)
        D is 0 for a survey that came from a file.
    familiarity : ndarray of float32, shape (m,)
    digest : ndarray of uint8, shape (m, 32)
        SHA-256 of the chips.
    """

    numbers: NDArray[np.int32]
    state: NDArray[np.uint8]
    zoom: NDArray[np.uint8]
    probability: NDArray[np.float16]
    embedding: NDArray[np.float16]
    familiarity: NDArray[np.float32]
    digest: NDArray[np.uint8]

    @classmethod
    def without_imagery(cls, numbers: Iterable[int], state: CellState) -> Batch:
        """Cells that the model does not see, all with the same state."""
        cells = np.asarray(list(numbers), np.int32)
        parts: dict[str, Any] = {
            name: np.empty((0, 0) if name in WIDE else 0, kind) for name, kind in TYPES.items()
        }
        parts |= {"numbers": cells, "state": np.full(len(cells), state, np.uint8)}
        return cls(**parts)

    @classmethod
    def joined(cls, batches: list[Batch]) -> Batch:
        """Several batches as one; there is at least one."""
        parts = {}
        for name in TYPES:
            arrays = [getattr(each, name) for each in batches]
            filled = [each for each in arrays if len(each)]
            parts[name] = np.concatenate(filled) if filled else arrays[0]
        return cls(**parts)

    @property
    def classified(self) -> NDArray[np.int32]:
        """Numbers of the classified cells, shape (m,)."""
        return np.asarray(self.numbers[self.state == CellState.CLASSIFIED])

    def check(self, cells: int, classes: int, width: int | None) -> None:
        """Check that the batch fits a survey.

        Parameters
        ----------
        cells, classes : int
            How many the survey has.
        width : int or None
            Length of the survey's embeddings; ``None`` if it has none yet.

        Raises
        ------
        ValueError
            If the batch does not fit, or its parts do not fit each other.
        """
        if self.numbers.shape != self.state.shape:
            raise ValueError(f"{len(self.state)} states for {len(self.numbers)} cells")
        if len(self.numbers) and not 0 <= self.numbers.min() <= self.numbers.max() < cells:
            strange = self.numbers[(self.numbers < 0) | (self.numbers >= cells)]
            raise ValueError(f"there is no cell {strange[0]}")
        if len(self.state) and self.state.max() >= len(CellState):
            raise ValueError(f"there is no state {self.state.max()}")
        count = len(self.classified)
        if self.zoom.shape != (count,) or self.familiarity.shape != (count,):
            raise ValueError(f"zooms or familiarities do not fit {count} classified cells")
        if not count:
            return
        if self.probability.shape != (count, classes):
            raise ValueError(
                f"probabilities of shape {self.probability.shape} "
                f"for {count} classified cells and {classes} classes"
            )
        if self.digest.shape != (count, DIGEST_BYTES):
            raise ValueError(f"digests of shape {self.digest.shape} for {count} classified cells")
        fits = self.embedding.ndim == 2 and len(self.embedding) == count
        if not fits or (width is not None and self.embedding.shape[1] not in (0, width)):
            raise ValueError(
                f"embeddings of shape {self.embedding.shape} for {count} classified cells"
                + (f" and a length of {width}" if width else "")
            )

    def to_bytes(self) -> dict[str, bytes]:
        """The bytes that are stored, by name of the part."""
        return {name: getattr(self, name).tobytes() for name in TYPES}

    @classmethod
    def from_bytes(cls, stored: Mapping[str, bytes]) -> Batch:
        """The batch that `to_bytes` of this version or an earlier one stored.

        Raises
        ------
        ValueError, KeyError
            If it is something else.
        """
        arrays: dict[str, NDArray[Any]] = {
            name: np.frombuffer(stored[name], kind)
            for name, kind in TYPES.items()
            if name != "zoom" or "zoom" in stored
        }
        count = int((arrays["state"] == CellState.CLASSIFIED).sum())
        arrays.setdefault("zoom", np.full(count, UNKNOWN_ZOOM, np.uint8))
        for name in WIDE:
            width, rest = divmod(arrays[name].size, count or 1)
            if rest:
                raise ValueError(f"the {name} of a batch is incomplete")
            arrays[name] = arrays[name].reshape(count, width)
        sizes = {len(arrays["familiarity"]), len(arrays["zoom"]), count}
        if len(arrays["numbers"]) != len(arrays["state"]) or len(sizes) > 1:
            raise ValueError("the parts of a batch do not fit each other")
        return cls(**arrays)

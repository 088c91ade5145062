"""What became of a cell of a survey, or of a tile under it."""

import enum


class CellState(enum.IntEnum):
    """The states of a cell; the numbers are stored with surveys, so they never change."""

    WAITING = 0
    CLASSIFIED = 1
    MISSING = 2
    FAILED = 3
    BLANK = 4
    BLURRED = 5
    LEFT_OUT = 6

    @property
    def label(self) -> str:
        """The state as exported files name it."""
        return LABELS[self]

    @classmethod
    def from_label(cls, label: str) -> "CellState":
        """The state with this label, in files of this and of earlier versions.

        Raises
        ------
        ValueError
            If no state has that label.
        """
        return cls(LABELS.index(FORMER_LABELS.get(label, label)))


LABELS = (
    "waiting",
    "classified",
    "no imagery",
    "imagery failed",
    "placeholder",
    "blurred imagery",
    "left out",
)
FORMER_LABELS = {"named": "classified"}

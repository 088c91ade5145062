"""The state of a survey's cell, or of a tile under it."""

import enum


class CellState(enum.IntEnum):
    """The states of a cell. Their numbers are stored with surveys, so they never change."""

    WAITING = 0
    CLASSIFIED = 1
    MISSING = 2
    FAILED = 3
    BLANK = 4
    BLURRED = 5
    LEFT_OUT = 6

    @property
    def label(self) -> str:
        """Name of the state in exported files.

        >>> CellState.MISSING.label
        'no imagery'
        """
        return LABELS[self]

    @classmethod
    def from_label(cls, label: str) -> "CellState":
        """The state with this label, in files of this version or an earlier one.

        Raises
        ------
        ValueError
            If no state has that label.
        """
        current = FORMER_LABELS.get(label, label)
        if current not in LABELS:
            raise ValueError(f"there is no state {label!r}")
        return cls(LABELS.index(current))


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

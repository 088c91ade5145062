"""What can be wrong with a large result, each with the person's sentence."""

from __future__ import annotations

from pyapp.core.errors import LookdownError


class PyramidError(LookdownError):
    """A large result can't be shown."""


class DamagedPyramidError(PyramidError):
    """What it says about itself contradicts itself, or is of a later version."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is the map of a survey, but what it says about its squares can't be read: it "
            "is damaged, or made by a later version. Make it again with lookdown survey --tiles."
        )


class NoPartsError(PyramidError):
    """Its squares are not where its map is."""

    def __init__(self, part: str) -> None:
        super().__init__(
            f"What is known about this square is in {part}, which is not beside the map. Open the "
            "map by its address, or drop it together with the files of its folder."
        )


class DamagedPartError(PyramidError):
    """A file of squares can't be read, or lacks one."""

    def __init__(self, part: str) -> None:
        super().__init__(
            f"The file {part} of this survey can't be read: it is out of reach, damaged, or from "
            "another survey. Check the connection, or copy the folder again."
        )

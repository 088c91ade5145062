"""What can be wrong with a file of tiles (PMTiles, MBTiles), each with the person's sentence."""

from __future__ import annotations

from pyapp.core.errors import RasterError


class ArchiveError(RasterError):
    """A file of tiles can't be shown."""


class NotAnArchiveError(ArchiveError):
    """The file is no PMTiles or MBTiles, though it may be named like one."""

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(
            f"The file {name} is no {kind}: there are no tiles of a map in it. "
            "Check that it is the right file, and that it was downloaded completely."
        )


class UnsupportedArchiveError(ArchiveError):
    """It is one of a kind that can't be read here."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"The file {name} can't be read here: {reason}. Save it as a PMTiles of version 3 or "
            "an MBTiles with PNG, JPEG, WebP or AVIF tiles and try again."
        )


class UnfinishedArchiveError(ArchiveError):
    """A database whose tiles are still in a file beside it (SQLite's write-ahead log)."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There are no tiles in {name} yet: what was written last is still in the file "
            f"{name}-wal beside it. Close the program that writes it, and choose it again."
        )


class VectorArchiveError(ArchiveError):
    """Its tiles are drawings rather than pictures."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The tiles of {name} hold vectors (lines and areas), not pictures, so there is "
            "nothing to classify in it. Choose a file of aerial imagery."
        )


class DamagedArchiveError(ArchiveError):
    """What says where its tiles lie can't be read."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The file {name} is damaged or cut short: the part that says where its tiles lie "
            "can't be read. Copy or download it again."
        )


class EmptyArchiveError(ArchiveError):
    """There is no tile in it."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no tile in {name}. Make it again, with the area and the zooms you need."
        )


class ArchiveAddressError(ArchiveError):
    """A file of tiles at an address can't be read in parts."""

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"{origin} doesn't let this page read parts of the file: it is out of reach, or it "
            "sends no ranges or allows no other site (CORS). Download the file and open it here."
        )

"""What can go wrong with areas that are kept on the device, and with packs."""

from __future__ import annotations

from pyapp.core.errors import LookdownError


class KeepError(LookdownError):
    """An area can't be kept."""


class ForbiddenKeepError(KeepError):
    """The terms of the imagery do not allow it."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The terms of {name} do not allow keeping its pictures on a device. "
            "Choose imagery that may be kept."
        )


class HereAlreadyError(KeepError):
    """The imagery does not come from a server."""

    def __init__(self, name: str, is_file: bool) -> None:
        kept = "is a file of your own" if is_file else "is part of this page"
        super().__init__(
            f"{name} {kept}, so it works without a network already. "
            "Choose imagery of a provider to keep an area of it."
        )


class LargeKeepError(KeepError):
    """There are too many tiles."""

    def __init__(self, count: int, most: int) -> None:
        super().__init__(
            f"That is {count:,} tiles, and {most:,} can be kept at once. "
            "Zoom in, or choose a coarser finest zoom."
        )


class NothingToKeepError(KeepError):
    """No tile can be had."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"No tile of {name} can be kept here: {reason}. "
            "Check the connection, or choose another place or imagery."
        )


class NoRoomError(KeepError):
    """The estimate says that the device is too full."""

    def __init__(self, wanted_mb: float, free_mb: float) -> None:
        super().__init__(
            f"That takes about {wanted_mb:,.0f} MB, and the browser has {free_mb:,.0f} MB left. "
            "Choose a smaller area or a coarser finest zoom, or free an area kept before."
        )


class KeepingStoppedError(KeepError):
    """Keeping an area ended before it was done; `reason` says why, as a part of a sentence."""

    def __init__(self, name: str, reason: str, done: int, total: int) -> None:
        self.reason = reason
        super().__init__(
            f"Keeping {name} stopped after {done:,} of {total:,} tiles: {reason}. "
            "What is stored stays and can be used; press Resume to go on."
        )


class KeepingBusyError(KeepError):
    """Another area is being kept."""

    def __init__(self) -> None:
        super().__init__("Another area is being kept. Pause it before you start with this one.")


class KeptStoreError(KeepError):
    """The database refuses."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The area can't be kept on this device: {reason}. "
            "Free some room, or open the page in a window that is not private."
        )


class PackError(LookdownError):
    """A pack can't be written or opened."""


class NotAPackError(PackError):
    """It is damaged beyond its parts, or something else."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} can't be opened as a pack: {reason}. "
            "Copy the file again from the device that made it."
        )


class ChangedPackError(PackError):
    """One of its parts is not as it was written."""

    def __init__(self, name: str, part: str, reason: str = "was changed or damaged") -> None:
        super().__init__(
            f"{name} was not opened: its part {part} {reason}. "
            "Copy the file again from the device that made it."
        )


class NewerPackError(PackError):
    """It was written by a later version."""

    def __init__(self, name: str, version: int) -> None:
        super().__init__(
            f"{name} was made by a newer Lookdown (packs of version {version}). "
            "Update this page with a network, then open the pack again."
        )


class LargePackError(PackError):
    """It is more than one zip file takes."""

    def __init__(self) -> None:
        super().__init__(
            "The pack would be larger than 4 GB, which is more than one zip file takes. "
            "Keep a smaller area, or one at coarser zooms."
        )

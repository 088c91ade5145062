"""What can go wrong with files of one's own that lie beside others, or were opened before."""

from __future__ import annotations

from pyapp.core.errors import RasterError


class WorldFileError(RasterError):
    """A world file, or what lies beside it, can't be used."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"The file {name} doesn't place a picture: {reason}. Export the picture and its world "
            "file again, or save it as a GeoTIFF."
        )


class LonelyWorldFileError(RasterError):
    """A world file was given without its picture."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The file {name} says where a picture lies, but the picture is not with it. "
            "Choose or drop both together; their names must begin alike."
        )


class GoneFileError(RasterError):
    """A file that was opened before is no longer there."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The file {name} is no longer where it was, or was changed while it was read. "
            "Choose it again from where it is now."
        )


class KeptBackFileError(RasterError):
    """The person, or their browser, does not let the page read a file again."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The browser was not allowed to read {name} again. "
            "Click it once more and allow it, or choose the file anew."
        )


class CoordinatesError(RasterError):
    """What a person wrote is no code of a coordinate system."""

    def __init__(self) -> None:
        super().__init__(
            "That is no code of a coordinate system. Write the number of the EPSG registry, such "
            "as 3857 for Web Mercator or 4326 for degrees."
        )

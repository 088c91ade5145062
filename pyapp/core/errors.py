"""Everything that can go wrong for a person, each with the message that they read.

A message says what happened, why, and what to do next. ``ui`` shows it unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyapp.core.ground.geo import Tile
    from pyapp.core.model.backend import Backend


class LookdownError(Exception):
    """Base of all errors whose message is written for the person using the page."""


class UnexpectedError(LookdownError):
    """Something that nobody expected; a developer finds its traceback on the console."""

    def __init__(self, error: BaseException):
        super().__init__(
            f"Something went wrong that Lookdown did not expect ({type(error).__name__}: {error}). "
            "What you did so far is still here; if it happens again, reload the page."
        )


class BusyError(LookdownError):
    """Something else is under way that this would disturb."""

    def __init__(self, what_to_do: str):
        super().__init__(f"The model is at work. Wait until it is done before you {what_to_do}.")


class SurveyRunningError(LookdownError):
    """A survey is under way that this would disturb."""

    def __init__(self, what_to_do: str):
        super().__init__(f"A survey is running. Pause it before you {what_to_do}.")


class TileError(LookdownError):
    """The imagery under the square could not be fetched or read."""


class MissingTileError(TileError):
    """The source has no tile there."""

    def __init__(self, tile: Tile) -> None:
        super().__init__(
            f"There is no imagery here (tile {tile.z}/{tile.x}/{tile.y} is missing). "
            "Move the square, or choose other imagery."
        )


class SlowTileError(TileError):
    """A tile did not arrive within the time limit."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(
            f"The imagery did not arrive within {limit_s:g} seconds. "
            "Check the connection and press Classify again, or choose other imagery."
        )


class UnreachableTileError(TileError):
    """The request failed: no network, or a server that does not allow reading (no CORS)."""

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"{origin} can't be read: it is out of reach, or it shows its pictures without "
            "letting a page read them (no CORS). Check the connection, or choose other imagery."
        )


class RefusedTileError(TileError):
    """The server answered with an error other than "not found"."""

    def __init__(self, origin: str, status: int) -> None:
        self.status = status
        super().__init__(
            f"{origin} refused the request (HTTP {status}). "
            "Wait a moment and press Classify again, or choose other imagery."
        )


class ForbiddenReadingError(TileError):
    """The provider of the imagery allows looking at it only."""

    def __init__(self, name: str, allowed: list[str]) -> None:
        super().__init__(
            f"The terms of {name} allow looking at it, but not classifying it. {_instead(allowed)}"
        )


def _instead(allowed: list[str]) -> str:
    """What to do about imagery that may not be read, with the names of what may be."""
    if not allowed:
        return "No other imagery of this list covers this place: choose imagery of your own."
    return f"Choose {' or '.join(allowed)} instead, which covers this place."


class NotAnImageError(TileError):
    """The bytes of a tile can't be decoded as a picture."""

    def __init__(self, tile: Tile) -> None:
        super().__init__(
            f"What the server sent for tile {tile.z}/{tile.x}/{tile.y} is not a picture. "
            "Check the address of the imagery, or choose other imagery."
        )


class ComplainingTileError(TileError):
    """A map service reports what is wrong, in place of a picture."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f'The map service sent an error instead of a picture: "{reason}". '
            "Choose another layer of it, or move to a place that it covers."
        )


class NotAPictureError(LookdownError):
    """A file that a person gave to the page can't be decoded as a picture."""

    def __init__(self) -> None:
        super().__init__(
            "This picture can't be read: it may be damaged, too large, or in an unsupported "
            "format. Save it as JPEG or PNG and try again."
        )


class OutsideImageryError(TileError):
    """The square extends beyond the latitudes of a web map."""

    def __init__(self) -> None:
        super().__init__(
            "The square reaches past the edge of the map: web maps end at 85.05 degrees of "
            "latitude. Move it towards the equator."
        )


class DamagedRasterError(TileError):
    """A part of a file of one's own can't be read: it is damaged, cut short, or gone."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A part of {name} can't be read: the file is cut short, damaged, or no longer there. "
            "Open it again, or move the square to another part of it."
        )


class RasterError(LookdownError):
    """A file can't be shown as imagery."""


class UnreadableRasterError(RasterError):
    """The file is no TIFF, or one of a kind that can't be shown."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"The file {name} can't be read as imagery: {reason}. "
            "Save it as a GeoTIFF of 8 or 16 bits and try again."
        )


class NoGeoreferenceError(RasterError):
    """The file doesn't say where it lies."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The file {name} doesn't say where on the earth it lies, so it can't be laid on the "
            "map. Choose it together with its world file, or open it as a picture."
        )


class UnknownProjectionError(RasterError):
    """The file lies in a projection whose formulas the page doesn't have."""

    def __init__(self, name: str, epsg: int) -> None:
        code = "one of its own" if epsg == 32767 else f"EPSG:{epsg}"
        super().__init__(
            f"The coordinates of {name} are {code}, which Lookdown doesn't know. "
            "Save it in UTM, Web Mercator (EPSG:3857) or degrees (EPSG:4326) and try again."
        )


class RasterAddressError(RasterError):
    """A GeoTIFF at an address can't be read in parts."""

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"{origin} doesn't let this page read parts of the file: it is out of reach, or it "
            "sends no ranges or allows no other site (CORS). Download the file and open it here."
        )


class MissingPartError(LookdownError):
    """A part of the page that is fetched when it is first used did not arrive."""

    def __init__(self) -> None:
        super().__init__(
            "The part of the page that does this could not be fetched. Check the connection "
            "and try again; once it is on the device, no network is needed."
        )


class AddressError(LookdownError):
    """The address of the person's own imagery is not a usable XYZ template."""


class PlaceError(LookdownError):
    """What a person wrote names no place that can be found."""


class ModelError(LookdownError):
    """The model can't be used.

    Parameters
    ----------
    what : str
        What happened, and why.
    remedy : str
        What to do about it on the page; other surfaces have their own.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what} {remedy}".rstrip())
        self.what = what


class MissingModelError(ModelError):
    """A model's file or card, or the list of models, did not arrive."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} could not be loaded: the file did not arrive.",
            "Check the connection and reload the page; the map works without it.",
        )


class NotFetchedModelError(MissingModelError):
    """A model that is not kept on the device could not be fetched, but there is another one.

    Parameters
    ----------
    title : str
        Of that model.
    used : str
        Title of the model that is used.
    """

    def __init__(self, title: str, used: str) -> None:
        ModelError.__init__(
            self,
            f"{title} is not kept on this device and could not be fetched, so {used} is used. "
            "Check the connection and choose it again.",
        )


class ModelListError(ModelError):
    """The list of models arrived, but is not JSON or lacks a default."""

    def __init__(self) -> None:
        super().__init__(
            "The list of models can't be read.",
            "Reload the page to fetch it again; the map works without it.",
        )


class DamagedModelError(ModelError):
    """The model's file differs from the sha256 of its card, or does not parse."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The model {name} is damaged or incomplete, so it was not used.",
            "Reload the page to fetch it again; the map works without it.",
        )


class NoMemoryError(ModelError):
    """The runtime could not allocate memory for the model."""

    def __init__(self) -> None:
        super().__init__(
            "This device has too little memory for the model.",
            "Close other tabs and applications, then reload the page; the map works without it.",
        )


class WrongModelError(ModelError):
    """The model's inputs or outputs differ from the contract in docs/design.md."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"The model {name} does not fit Lookdown: {reason}. "
            "Export it again with python -m training export."
        )
        self.reason = reason


class CardError(ModelError):
    """The model's card lacks a fact that the page needs, or has a wrong one."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"The card of the model {name} can't be used: {reason}. "
            "Export the model again with python -m training export."
        )


class NoSimdError(ModelError):
    """The browser can't run onnxruntime-web."""

    def __init__(self) -> None:
        super().__init__(
            "This browser can't run the model: it lacks WebAssembly SIMD. Open the page in a "
            "current Chrome, Edge, Firefox or Safari; the map works here too."
        )


class InferenceError(ModelError):
    """The runtime failed during an inference."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The model stopped before it had an answer ({reason}).",
            "Press Classify again; if that does not help, reload the page.",
        )


class LostDeviceError(InferenceError):
    """The graphics card became unavailable."""

    def __init__(self) -> None:
        super().__init__("the graphics card is no longer available")


class BackendError(ModelError):
    """The backend does not start, or can't run the model."""

    def __init__(self, backend: Backend, reason: str) -> None:
        super().__init__(
            f"This backend can't run the model here: {backend} ({reason}). "
            "Choose another backend under This device."
        )


class AreaError(LookdownError):
    """The area can't be surveyed."""


class FlatAreaError(AreaError):
    """Too few corners, or all of them in one line."""

    def __init__(self) -> None:
        super().__init__(
            "The outline encloses no area. Mark at least three corners that are not in one line."
        )


class PastMapError(AreaError):
    """The area extends beyond the latitudes of a web map."""

    def __init__(self) -> None:
        super().__init__(
            "The area reaches past the edge of the map: web maps end at 85.05 degrees of "
            "latitude. Mark an area closer to the equator."
        )


class CrossedAreaError(AreaError):
    """The outline crosses itself."""

    def __init__(self) -> None:
        super().__init__(
            "The outline crosses itself, so it is unclear what lies inside. "
            "Draw it again, corner by corner around the area."
        )


class SmallAreaError(AreaError):
    """The area is smaller than one footprint."""

    def __init__(self, side_m: float) -> None:
        super().__init__(
            f"The area is smaller than one square ({side_m:.0f} m). "
            "Mark a larger area, or classify a single square."
        )


class LargeAreaError(AreaError):
    """The area needs more squares than there is room for.

    Parameters
    ----------
    count : int
        Number of squares that the area needs.
    most : int
        Number of squares that there is room for.
    fitting : float or None
        The finest step with which they would fit, as a share of a footprint's side; ``None`` if no
        step is coarse enough. Also an attribute.
    """

    def __init__(self, count: int, most: int, fitting: float | None) -> None:
        what_to_do = (
            "Mark a smaller area."
            if fitting is None
            else f"Mark a smaller area, or choose a step of {fitting:g} squares."
        )
        super().__init__(
            f"The area needs {count:,} squares, and there is room for {most:,}. {what_to_do}"
        )
        self.fitting = fitting


class ForbiddenSurveyError(AreaError):
    """The provider of the imagery does not allow reading it in bulk."""

    def __init__(self, name: str, allowed: list[str]) -> None:
        super().__init__(
            f"The terms of {name} do not allow analysing it in bulk. {_instead(allowed)}"
        )


class AreaFileError(AreaError):
    """A file doesn't hold an area that can be surveyed."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This file gives no area to survey: {reason}. "
            "Save polygons as GeoJSON, in degrees (WGS 84), and try again."
        )


class UnknownCoordinatesError(AreaFileError):
    """The coordinates of a file are of a system that is none of ours; `name` is what it says."""

    def __init__(self, name: str) -> None:
        self.name = name[:60]
        super().__init__(f"Lookdown doesn't know its coordinates ({self.name})")


class StoreError(LookdownError):
    """Surveys can't be kept on this device."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This survey is not kept: {reason}. It continues and can be saved as a file, "
            "but is lost when the page is reloaded."
        )


class NotASurveyError(LookdownError):
    """A dropped file is not a survey that was saved here."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This file is not a survey saved by Lookdown ({reason}). "
            "Drop a GeoJSON file that was saved here, or a picture."
        )


class TeachError(LookdownError):
    """Something about a taught project can't be done."""


class ClassNameError(TeachError):
    """The name of a class or a project can't be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"This name can't be used: {reason}. Choose another one.")


class FullProjectError(TeachError):
    """A project has as much as there is room for."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"A project has room for {what}. Begin another project, or remove some first."
        )


class TwoClassesError(TeachError):
    """The same square was given two classes.

    Attributes
    ----------
    before, after : str
        Its class, and the other one that it was given.
    sha256 : str
        Of its picture.
    """

    sha256 = ""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(
            f"This square is an example of “{before}” already, so it can't be one of “{after}” "
            "as well. Say which it is."
        )
        self.before, self.after = before, after


class NotAProjectError(TeachError):
    """A file is not a project that was saved here.

    Attributes
    ----------
    reason : str
        Why; it can follow a colon.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"This file is not a project saved by Lookdown ({reason}). "
            "Nothing was changed. Choose a zip file that was saved here."
        )


class ProjectStoreError(TeachError):
    """A project can't be kept on this device."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This project is not kept: {reason}. It works until the page is closed; "
            "save it as a file to keep it."
        )


class ForeignGraphError(TeachError):
    """The model's graph does not end in a layer that can be replaced."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"A model can't be made of this one: {reason}. What you taught still works on the page."
        )


class CheckError(LookdownError):
    """A survey can't be checked."""


class NothingToCheckError(CheckError):
    """No square of a survey has an answer."""

    def __init__(self) -> None:
        super().__init__(
            "No square of this survey has an answer yet, so there is nothing to check. "
            "Resume the survey, or choose another one."
        )


class DamagedCheckError(CheckError):
    """What is stored of a check can't be read, or belongs to another survey."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The judgements stored with this survey can't be read ({reason}). "
            "They are left as they are until you draw a new sample."
        )

"""Everything that can go wrong for a person, each with the one sentence they read.

A message says what happened and what to do next. ``ui`` shows it as it is.
"""


class LookdownError(Exception):
    """Base of every error whose message is written for the person at the page."""


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
        super().__init__(f"A survey is under way. Pause it before you {what_to_do}.")


class TileError(LookdownError):
    """The imagery under the square could not be had or read."""


class MissingTileError(TileError):
    """The source has no tile there."""

    def __init__(self, tile):
        super().__init__(
            f"There is no imagery here (tile {tile.z}/{tile.x}/{tile.y} is missing). "
            "Move the square, or choose another imagery."
        )


class SlowTileError(TileError):
    """A tile did not arrive within the time limit."""

    def __init__(self, limit_s: float):
        super().__init__(
            f"The imagery did not arrive within {limit_s:g} seconds. "
            "Check the connection and press Classify again, or choose another imagery."
        )


class UnreachableTileError(TileError):
    """The request failed: no network, or a server that does not allow reading (no CORS)."""

    def __init__(self, origin: str):
        super().__init__(
            f"{origin} cannot be read: it is out of reach, or it shows its pictures but does "
            "not let a page read them (no CORS). Check the connection, or choose another imagery."
        )


class RefusedTileError(TileError):
    """The server answered with an error other than "not found"."""

    def __init__(self, origin: str, status: int):
        super().__init__(
            f"{origin} refused the imagery (HTTP {status}). "
            "Wait a moment and press Classify again, or choose another imagery."
        )


class NotAnImageError(TileError):
    """The bytes of a tile are not a picture that can be decoded."""

    def __init__(self, tile):
        super().__init__(
            f"What arrived for tile {tile.z}/{tile.x}/{tile.y} is not a picture. "
            "Check the address of the imagery, or choose another."
        )


class NotAPictureError(LookdownError):
    """What the person gave the page cannot be decoded."""

    def __init__(self):
        super().__init__(
            "That is not a picture that can be read here, or it is cut short or too large. "
            "Try it as JPEG or PNG."
        )


class OutsideImageryError(TileError):
    """The square lies where the map projection has no ground."""

    def __init__(self):
        super().__init__(
            "The square reaches past the edge of the map, where web maps end (85.05 degrees). "
            "Move it towards the equator."
        )


class AddressError(LookdownError):
    """The address of the person's own imagery is not a usable XYZ template."""


class ModelError(LookdownError):
    """The model cannot be used."""


class MissingModelError(ModelError):
    """A model's file or card, or the list of models, did not arrive."""

    def __init__(self, what: str):
        super().__init__(
            f"{what} could not be loaded: the file did not arrive. "
            "Check the connection and reload the page; the map works without it."
        )


class ModelListError(ModelError):
    """The list of models arrived, but does not name one."""

    def __init__(self):
        super().__init__(
            "The list of models cannot be read. Reload the page to fetch it again; "
            "the map works without it."
        )


class DamagedModelError(ModelError):
    """The model's file is not what its card says (sha256 differs) or does not parse."""

    def __init__(self, name: str):
        super().__init__(
            f"The model {name} is damaged or cut short, so it was not used. "
            "Reload the page to fetch it again; the map works without it."
        )


class NoMemoryError(ModelError):
    """The runtime got no memory for the model."""

    def __init__(self):
        super().__init__(
            "There is too little memory for the model on this device. "
            "Close other tabs and applications, then reload the page; the map works without it."
        )


class WrongModelError(ModelError):
    """The model's inputs or outputs are not those of the contract in docs/design.md."""

    def __init__(self, name: str, reason: str):
        super().__init__(
            f"The model {name} does not fit this page: {reason}. "
            "Export it again with python -m training export."
        )


class CardError(ModelError):
    """The model's card lacks a fact that the page needs, or has a wrong one."""

    def __init__(self, name: str, reason: str):
        super().__init__(
            f"The card of the model {name} cannot be used: {reason}. "
            "Export the model again with python -m training export."
        )


class NoSimdError(ModelError):
    """The browser cannot run onnxruntime-web."""

    def __init__(self):
        super().__init__(
            "This browser cannot run the model: it lacks WebAssembly SIMD. Open the page in a "
            "current Chrome, Edge, Firefox or Safari; the map works here too."
        )


class InferenceError(ModelError):
    """The runtime gave up in the middle of an inference."""

    def __init__(self, reason: str):
        super().__init__(
            f"The model stopped before it had an answer ({reason}). "
            "Press Classify again; if that does not help, reload the page."
        )


class LostDeviceError(InferenceError):
    """The graphics card went away."""

    def __init__(self):
        super().__init__("the graphics card is gone")


class BackendError(ModelError):
    """The model does not run in the way that was asked for."""

    def __init__(self, way, reason: str):
        super().__init__(
            f"The model does not run this way here: {way} ({reason}). "
            "Choose another way under This device."
        )


class AreaError(LookdownError):
    """The area cannot be surveyed."""


class FlatAreaError(AreaError):
    """Too few corners, or all on one line."""

    def __init__(self):
        super().__init__("The area has nothing inside. Mark at least three corners around some.")


class PastMapError(AreaError):
    """The area reaches past the latitudes of a web map."""

    def __init__(self):
        super().__init__(
            "The area reaches past the edge of the map, where web maps end (85.05 degrees). "
            "Mark one nearer to the equator."
        )


class CrossedAreaError(AreaError):
    """The outline crosses itself."""

    def __init__(self):
        super().__init__(
            "The outline crosses itself, so what is inside is not clear. "
            "Draw it again, corner by corner around the area."
        )


class SmallAreaError(AreaError):
    """The area is smaller than one footprint."""

    def __init__(self, side_m: float):
        super().__init__(
            f"The area is smaller than one square ({side_m:.0f} m). "
            "Mark a larger one, or classify the single square."
        )


class LargeAreaError(AreaError):
    """The area takes more squares than fit.

    Attributes
    ----------
    fitting : float or None
        The finest step with which they would, as a share of a footprint's side.
    """

    def __init__(self, count: int, most: int, fitting: float | None):
        what_to_do = (
            "Mark a smaller one."
            if fitting is None
            else f"Mark a smaller one, or take a step of {fitting:g} squares."
        )
        super().__init__(
            f"The area takes {count:,} squares, and there is room for {most:,}. {what_to_do}"
        )
        self.fitting = fitting


class ForbiddenSurveyError(AreaError):
    """The provider of the imagery does not allow reading it in bulk."""

    def __init__(self, name: str, allowed: list[str]):
        others = " or ".join(allowed)
        super().__init__(
            f"The terms of {name} do not allow analysing it in bulk. "
            f"Choose {others} for a survey; single squares are fine."
        )


class StoreError(LookdownError):
    """Surveys cannot be kept on this device."""

    def __init__(self, reason: str):
        super().__init__(
            f"This survey is not kept: {reason}. It goes on, and can be saved as a file; "
            "a reload loses it."
        )


class NotASurveyError(LookdownError):
    """A dropped file is not a survey of ours."""

    def __init__(self, reason: str):
        super().__init__(
            f"That file is not a survey saved by Lookdown ({reason}). "
            "Drop a GeoJSON that was saved here, or a picture."
        )

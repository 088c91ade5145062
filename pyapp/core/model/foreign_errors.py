"""What can be wrong with a model from elsewhere, each with the message that a person reads."""

from pyapp.core.errors import ModelError


class ForeignModelError(ModelError):
    """A model from elsewhere can't be used.

    Parameters
    ----------
    name : str
        Of its file.
    reason : str
    what_to_do : str
    """

    def __init__(
        self,
        name: str,
        reason: str,
        what_to_do: str = "Export it as a classifier of square RGB pictures and try again.",
    ) -> None:
        super().__init__(f"The model {name} can't be used here: {reason}. {what_to_do}")


class NotOnnxError(ForeignModelError):
    """The file is none of ONNX, or cut short."""

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            "the file is none of ONNX, or is cut short",
            "Choose an ONNX file, or fetch it again.",
        )


class LargeModelError(ForeignModelError):
    """The file is larger than what a page can hold."""

    def __init__(self, name: str, most_bytes: int) -> None:
        super().__init__(
            name,
            f"its file is larger than the {most_bytes / 1e6:,.0f} MB that a page can hold",
            "Choose a smaller model, or store its weights as int8.",
        )


class ExternalDataError(ForeignModelError):
    """The weights are in a file beside the model."""

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            "its weights are in another file",
            "Save it with all weights inside (onnx.save without external data) and try again.",
        )


class RefusedModelError(ForeignModelError):
    """The runtime of the browser does not take the model."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            name,
            f"the runtime of this browser refuses it ({reason})",
            "Export it with the usual operators of ONNX and try again.",
        )


class UnreachableModelError(ForeignModelError):
    """A model at an address did not arrive."""

    def __init__(self, name: str, origin: str) -> None:
        super().__init__(
            name,
            f"{origin} is out of reach, or allows no other site to read it (no CORS)",
            "Download the file and open it here.",
        )


class AboutModelError(ModelError):
    """What a person said about a model does not fit it."""

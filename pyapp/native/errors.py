"""What can go wrong for one who runs the command, each with an exit status."""

from pathlib import Path

from pyapp.core.errors import (
    AreaError,
    DamagedModelError,
    ForbiddenReadingError,
    ForbiddenSurveyError,
    InferenceError,
    LookdownError,
    MissingModelError,
    ModelError,
    ModelListError,
    NoMemoryError,
    NotASurveyError,
    TileError,
)
from pyapp.core.pack.errors import ForbiddenKeepError, LargePackError, NothingToKeepError

# Exit statuses; argparse takes 2, and 130 is the shell's for Ctrl-C.
DONE, UNEXPECTED, WRONG_INPUT, FORBIDDEN, NO_IMAGERY, NO_MODEL, NO_OUTPUT = 0, 1, 3, 4, 5, 6, 7
DIFFERENT, NO_CLUSTER, PAUSED = 8, 9, 130

# What to do where there is no page to reload.
ANEW = "Install Lookdown again, or name a built site with --site."
REMEDIES: list[tuple[type[ModelError] | tuple[type[ModelError], ...], str]] = [
    ((MissingModelError, ModelListError, DamagedModelError), ANEW),
    (NoMemoryError, "Close other programs, or use fewer workers."),
    (InferenceError, "Run the command again; if memory is short, close other programs."),
]


class HomeError(LookdownError):
    """The models and the list of imagery are not where they should be."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The models and the list of imagery can't be found: {reason}. {ANEW}")


class ClusterError(LookdownError):
    """There are no workers."""


class NoDaskError(ClusterError):
    """Dask is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "Workers are run by Dask, which is not installed. Install it with "
            "pip install 'lookdown[cluster]', or survey without --workers."
        )


class NoSchedulerError(ClusterError):
    """The scheduler of a cluster can't be reached, or is another version."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"The Dask scheduler {address} can't be used: {reason}. Check the address, and that "
            "scheduler and workers run the same versions of distributed and lookdown."
        )


class LostSchedulerError(ClusterError):
    """The scheduler ended while it was at work."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"The Dask scheduler {address} is gone. What was done is kept: start it again, and go "
            "on with --resume."
        )


class LostWorkersError(ClusterError):
    """Every worker that was given a block died over it."""

    def __init__(self, times: int) -> None:
        super().__init__(
            f"{times} workers died one after another over the same squares, as happens if there is "
            "too little memory. What was done is kept: use fewer workers or larger ones, and go on "
            "with --resume."
        )


class NoArrowError(ClusterError):
    """What reads the files of a data set is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "The map of a data set is drawn from its files, which pyarrow reads; that is not "
            "installed. Install it with pip install 'lookdown[cluster]', and run the same command "
            "again with --resume."
        )


class WorkerError(ClusterError):
    """A worker can't do its part; with the exit status that its error has."""

    def __init__(self, sentence: str, status: int) -> None:
        self.status = status
        super().__init__(sentence)


class NoGeoError(LookdownError):
    """GDAL is not installed."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is read by GDAL, which is not installed. Install it with "
            "pip install 'lookdown[geo]'."
        )


class NoPlaceError(LookdownError):
    """A picture does not say where it lies."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} doesn't say where on the earth it lies, or in which coordinate system. Put "
            "its world file and a .prj beside it, or write both into it (gdal_edit.py -a_srs)."
        )


class LayerError(LookdownError):
    """A file has several layers, or not the one that was named."""

    def __init__(self, path: Path, layers: list[str]) -> None:
        listed = ", ".join(layers) or "none with shapes"
        super().__init__(f"Name one of the layers of {path} with --layer: {listed}.")


class PackStoppedError(LookdownError):
    """Imagery for a pack stopped arriving."""

    def __init__(self, reason: str, done: int, total: int) -> None:
        super().__init__(
            f"The pack stopped after {done:,} of {total:,} tiles: {reason}. Go on with --resume."
        )


class OutputError(LookdownError):
    """A file can't be written."""


class ThereAlreadyError(OutputError):
    """The file to write exists."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists. Choose another name, or replace it with --overwrite.")


class BegunAlreadyError(OutputError):
    """An earlier run began the same file and did not end."""

    def __init__(self, path: Path, part: Path) -> None:
        super().__init__(
            f"{path} was begun, and what came out is kept in {part}. Go on with --resume, or "
            "begin again with --overwrite."
        )


class OtherOrderError(OutputError):
    """What was begun is a survey of something else."""

    def __init__(self, part: Path, what: str) -> None:
        super().__init__(
            f"What was begun in {part} has another {what} than was asked for now. Ask for the "
            "same, or begin again with --overwrite."
        )


class NotWrittenError(OutputError):
    """The disk refuses."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} can't be written: {reason}. Make room or choose another folder, and go on "
            "with --resume."
        )


class DamagedDataError(OutputError):
    """A file of a data set can't be read."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} can't be read, or is from another survey. Remove it and run the same command "
            "again with --resume: its squares are then surveyed anew."
        )


class UnknownFormatError(OutputError):
    """The ending of a file names no format that surveys are written in."""

    def __init__(self, path: Path, known: list[str], what: str = "survey") -> None:
        super().__init__(
            f"The ending of {path} names no format for a {what}. Use one of {', '.join(known)}."
        )


class NoSuchFileError(LookdownError):
    """A file that was named is not there, or can't be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} can't be read: {reason}. Check the name.")


class UnknownImageryError(LookdownError):
    """No imagery has such a name."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(
            f"There is no imagery named {name}. Use an address with {{z}}, {{x}} and {{y}}, a "
            f"file (PMTiles, MBTiles, GeoTIFF, a pack), or one of {', '.join(known)}."
        )


class UnknownModelError(ModelError):
    """No model has such a name."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no model named {name}. Use one of {', '.join(known)}.")


class OtherModelError(ModelError):
    """The model that a survey was made with is not here."""

    def __init__(self, name: str, sha256: str) -> None:
        super().__init__(
            f"The survey was made with the model {name} of digest {sha256[:12]}…, which is not "
            "here, so only its chips could be compared. Install the version of Lookdown that "
            "made it, or name its site with --site."
        )


def sentence_of(error: LookdownError) -> str:
    """The message of an error, with what to do about it in a terminal.

    >>> print(sentence_of(NoMemoryError()))
    This device has too little memory for the model. Close other programs, or use fewer workers.
    """
    if isinstance(error, ModelError):
        for kind, remedy in REMEDIES:
            if isinstance(error, kind):
                return f"{error.what} {remedy}"
    return str(error)


def status_of(error: LookdownError) -> int:
    """The exit status for an error.

    >>> status_of(ForbiddenSurveyError("Esri", [])), status_of(UnknownModelError("a", ["world"]))
    (4, 6)
    """
    if isinstance(error, WorkerError):
        return error.status
    kinds: list[tuple[type[LookdownError] | tuple[type[LookdownError], ...], int]] = [
        ((ForbiddenSurveyError, ForbiddenReadingError, ForbiddenKeepError), FORBIDDEN),
        ((TileError, NothingToKeepError, PackStoppedError), NO_IMAGERY),
        ((ModelError, HomeError), NO_MODEL),
        ((OutputError, LargePackError), NO_OUTPUT),
        (ClusterError, NO_CLUSTER),
        ((AreaError, NotASurveyError), WRONG_INPUT),
    ]
    return next((status for kind, status in kinds if isinstance(error, kind)), WRONG_INPUT)

"""Files read whole, and surveys written to files, each at once or not at all."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from pyapp.core.survey.geojson import to_csv, to_geojson
from pyapp.core.survey.geoparquet import to_geoparquet
from pyapp.core.survey.paint import Look
from pyapp.core.survey.pam import to_pam, to_qml
from pyapp.core.survey.rasters import to_geotiff, to_png
from pyapp.core.survey.survey import Survey
from pyapp.native.errors import NoSuchFileError, NotWrittenError, UnknownFormatError

# Ending of the file to what makes its bytes.
FORMATS: dict[str, Callable[[Survey, str], bytes]] = {
    ".geojson": lambda survey, _: to_geojson(survey).encode(),
    ".csv": lambda survey, _: to_csv(survey).encode(),
    ".tif": lambda survey, _: to_geotiff(survey, _look(survey)),
    ".parquet": lambda survey, _: to_geoparquet(survey),
    ".zip": lambda survey, name: to_png(survey, _look(survey), name),
}


def read_whole(path: Path) -> bytes:
    """All of a file.

    Raises
    ------
    NoSuchFileError
        If it is not there, or can't be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise NoSuchFileError(path, error.strerror or str(error)) from error


def check_format(path: Path) -> None:
    """Raise `UnknownFormatError` unless a survey can be written to such a file."""
    if path.suffix.lower() not in FORMATS:
        raise UnknownFormatError(path, list(FORMATS))


def write_survey(survey: Survey, path: Path) -> None:
    """Write a survey in the format that the ending of a file names.

    Raises
    ------
    NotWrittenError
        If the disk refuses; then an earlier file is as it was.
    """
    write_whole(path, FORMATS[path.suffix.lower()](survey, path.stem))
    if path.suffix.lower() == ".tif":
        # Where GDAL and QGIS look for the names of the classes.
        look = _look(survey)
        write_whole(path.with_name(f"{path.name}.aux.xml"), to_pam(survey, look).encode())
        write_whole(path.with_suffix(".qml"), to_qml(survey, look).encode())


def write_whole(path: Path, *pieces: bytes) -> None:
    """Write a file; who looks at it never sees a part of it.

    Raises
    ------
    NotWrittenError
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            with beside.open("wb") as file:
                file.writelines(pieces)
            beside.replace(path)
        finally:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
    except OSError as error:
        raise NotWrittenError(path, error.strerror or str(error)) from error


def _look(survey: Survey) -> Look:
    return Look(survey.model.threshold, set())

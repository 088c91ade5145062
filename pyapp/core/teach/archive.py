"""A project as one file: a zip with its facts as JSON and its pictures as PNG."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pyapp.core.errors import NotAProjectError
from pyapp.core.imagery.mosaic import UndecodableError, decode
from pyapp.core.teach.project import MOST_EXAMPLES, Project, digest_of
from pyapp.core.teach.steps import Steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACTS, PICTURES = "project.json", "pictures"
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
# Of one picture, and of the facts, unpacked.
MOST_BYTES = 16 << 20
README = """This is a project made with Lookdown: classes, and examples of each.

project.json   the classes; of each example its class, its place (lng, lat in degrees; side in
               metres), the credit of its imagery, and the sha256 of its picture; if it was
               judged in the check of a survey, of which one, the hectares that it stands for, and
               whether it is kept aside: such squares judge a model and must not be learned from
pictures/      the examples as PNG, each named by its sha256
"""


def to_png(chip: NDArray[np.uint8]) -> bytes:
    """A chip, uint8 of shape (S, S, 3), as PNG; the same bytes for the same pixels."""
    out = io.BytesIO()
    Image.fromarray(chip).save(out, "PNG")
    return out.getvalue()


def from_png(png: bytes) -> NDArray[np.uint8]:
    """The pixels of a PNG.

    Raises
    ------
    UndecodableError
    """
    return decode(png)


def to_archive(project: Project, pictures: Mapping[str, bytes]) -> bytes:
    """The file of a project.

    Parameters
    ----------
    project : Project
    pictures : mapping of str to bytes
        PNG files by their sha256.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        files = {"README.txt": README.encode(), FACTS: project.to_json().encode()}
        files |= {f"{PICTURES}/{each.sha256}.png": pictures[each.sha256]
                  for each in project.examples}  # fmt: skip
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, FIXED_TIME), data)
    return out.getvalue()


def from_archive(data: bytes) -> Steps[tuple[Project, dict[str, bytes]]]:
    """The project in a file, and its pictures by their sha256.

    Raises
    ------
    NotAProjectError
        If it is something else, cut short, or any part of it is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(archive.infolist()) > MOST_EXAMPLES + 8:
                raise NotAProjectError("it holds too many files")
            project = Project.from_json(_read(archive, FACTS).decode())
            pictures = {}
            for each in project.examples:
                pictures[each.sha256] = _picture(archive, each.sha256, each.chip_px)
                yield
    except KeyError as error:
        raise NotAProjectError(f"it lacks {error.args[0]}") from error
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise NotAProjectError("it is no zip file, or it is cut short") from error
    except json.JSONDecodeError as error:
        raise NotAProjectError(f"{FACTS} can't be read") from error
    except (ValueError, TypeError, AttributeError, RecursionError, RuntimeError) as error:
        raise NotAProjectError(f"it is damaged: {error}") from error
    return project, pictures


def _picture(archive: zipfile.ZipFile, sha256: str, chip_px: int) -> bytes:
    png = _read(archive, f"{PICTURES}/{sha256}.png")
    if digest_of(png) != sha256:
        raise NotAProjectError("a picture in it was changed")
    try:
        shape = from_png(png).shape
    except UndecodableError as error:
        raise NotAProjectError("a picture in it can't be read") from error
    if shape != (chip_px, chip_px, 3):
        raise NotAProjectError("a picture in it has another size than noted")
    return png


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file of the archive, unless it unpacks to too much."""
    if archive.getinfo(name).file_size > MOST_BYTES:
        raise NotAProjectError(f"{name} is too large")
    with archive.open(name) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise NotAProjectError(f"{name} is too large")
    return data

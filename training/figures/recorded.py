"""What a model says of every picture of a source, recorded so that fitting needs no network."""

import datetime
import hashlib
import json
import zipfile
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pyapp.core.ground.geo import Box
from pyapp.core.imagery.chip import middle, resample
from pyapp.core.imagery.mosaic import UndecodableError, decode
from pyapp.core.model.prediction import ACTIVATION, INPUT, PROBABILITY, familiarity
from training.errors import TrainingError
from training.figures import measure
from training.files import write_atomically
from training.pictures import data
from training.pictures.sources import Source
from training.pictures.twins import difference_hash


@dataclass(frozen=True)
class Recorded:
    """The N readable pictures of a source, and what the model says of them.

    Attributes
    ----------
    about : str
        The model, the share of the pictures used, and their files; for any other it is void.
    side : float
        Share of a picture's side that was used.
    date : str
        Day of the recording, ISO 8601 in UTC.
    files : ndarray of str, shape (N,)
        Class folder and name of each file.
    labels : ndarray of int64, shape (N,)
        Index into the source's labels.
    sha256 : ndarray of str, shape (N,)
        Of the files.
    hashes : ndarray of uint64, shape (N,)
        Difference hashes.
    probability : ndarray of float32, shape (N, C)
    familiar : ndarray of float32, shape (N,)
        The largest logit.
    """

    about: str
    side: float
    date: str
    files: NDArray[np.str_]
    labels: NDArray[np.int64]
    sha256: NDArray[np.str_]
    hashes: NDArray[np.uint64]
    probability: NDArray[np.float32]
    familiar: NDArray[np.float32]


def record(
    source: Source,
    model: Path,
    footprint_m: float,
    place: Path,
    only: Container[str] | None = None,
) -> Recorded:
    """Run a model over a source, or take what was recorded before of the same.

    The pictures are decoded and resampled as on the page: the square in the middle, of it the
    share that `Description.share_for` gives, to the pixels of a chip.

    Parameters
    ----------
    source : Source
    model : Path
        An ONNX file.
    footprint_m : float
        Side of the square of ground that one chip should show.
    place : Path
        Folder of recordings.
    only : container of str, optional
        Class folder and name of the files to use; by default all.

    Raises
    ------
    TrainingError
        If a label has no readable picture, or the recording can't be written.
    """
    listed = [
        _Picture(number, file, _sha256(file))
        for number, label in enumerate(source.labels)
        for file in data.picture_files(source.folder / label)
        if only is None or f"{label}/{file.name}" in only
    ]
    share = source.meaning.share_for(footprint_m)
    pictures = "".join(f"{each.name} {each.sha256}\n" for each in listed)
    facts = (_sha256(model), round(share, 6), hashlib.sha256(pictures.encode()).hexdigest())
    about = json.dumps(facts)
    file = place / f"{source.name}.npz"
    if (found := _read(file, about)) is not None:
        return found
    made = _run(listed, source, model, share, about, only)
    # One array per field; numpy's types take the names of arrays for its own arguments.
    contents: dict[str, Any] = {name: np.asarray(value) for name, value in vars(made).items()}

    def save(path: Path) -> None:
        with path.open("wb") as stream:
            np.savez_compressed(stream, **contents)

    write_atomically(file, save)
    return made


class _Picture(NamedTuple):
    """A file of a source, and the number of its label."""

    label: int
    file: Path
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.file.parent.name}/{self.file.name}"


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _read(file: Path, about: str) -> Recorded | None:
    """The recording in a file; ``None`` if there is none, or it is of something else."""
    try:
        with np.load(file) as stored:
            facts = dict(stored)
        plain = {name: facts[name].item() for name in ("about", "side", "date")}
        found = Recorded(**facts | plain)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
    return found if found.about == about else None


def _run(
    listed: list[_Picture],
    source: Source,
    model: Path,
    share: float,
    about: str,
    only: Container[str] | None,
) -> Recorded:
    running = measure.session(model)
    side_px = int(running.get_inputs()[0].shape[1])
    readable: list[_Picture] = []
    hashes: list[int] = []
    said: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    bar = tqdm(total=len(listed), desc=f"record {source.name}", unit="img", leave=False)
    for start in range(0, len(listed), measure.RUN_BATCH):
        chips = []
        for each in listed[start : start + measure.RUN_BATCH]:
            try:
                pixels = decode(each.file.read_bytes())
            except UndecodableError as error:
                tqdm.write(f"skipped {each.name}: {error}")
                continue
            chips.append(resample(pixels, side_px, inner(pixels, share)))
            hashes.append(difference_hash(pixels))
            readable.append(each)
        if chips:
            probability, activation = running.run(
                [PROBABILITY, ACTIVATION], {INPUT: np.stack(chips)}
            )
            said.append((probability, familiarity(activation)))
        bar.update(min(measure.RUN_BATCH, len(listed) - start))
    bar.close()
    labels = np.array([each.label for each in readable], np.int64)
    for label, count in zip(
        source.labels, np.bincount(labels, minlength=len(source.labels)), strict=True
    ):
        # Of labels that nothing was learned from, none of the wanted files is.
        if count == 0 and only is None:
            raise TrainingError(f"{source.folder / label} has no picture that can be read.")
    return Recorded(
        about,
        share,
        datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        np.array([each.name for each in readable]),
        labels,
        np.array([each.sha256 for each in readable]),
        np.array(hashes, np.uint64),
        np.concatenate([each for each, _ in said]),
        np.concatenate([each for _, each in said]),
    )


def inner(pixels: NDArray[np.uint8], share: float) -> Box:
    """The middle of the square in the middle of a picture, ``share`` of its side.

    >>> inner(np.zeros((100, 300, 3), np.uint8), 0.5)
    Box(left=125.0, top=25.0, right=175.0, bottom=75.0)
    """
    square = middle(pixels)
    margin = (square.right - square.left) * (1 - share) / 2
    return Box(
        square.left + margin, square.top + margin, square.right - margin, square.bottom - margin
    )

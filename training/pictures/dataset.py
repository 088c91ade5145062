"""What a network learns from and is chosen by: a folder of class folders, sources, or a project."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.pictures import data, project, sources
from training.pictures.data import Label, Pictures
from training.pictures.sources import Source
from training.pictures.twins import difference_hash, have_twin
from training.settings import Settings

# Has the folders ``sources`` and ``trees``.
DESCRIBED = Path(__file__).resolve().parents[1]


def home_sources(folder: Path, settings: Settings, described: Path = DESCRIBED) -> list[Source]:
    """The sources that a network learns from; none if ``folder`` itself holds the classes.

    Parameters
    ----------
    folder : Path
        Of sources, or of the class folders of the only one.
    settings : Settings
    described : Path
        Has the folders ``sources`` and ``trees``.

    Raises
    ------
    TrainingError
        As `sources.read_all` does.
    """
    how = settings.sources
    if len(how.home) < 2 and not any((folder / each).is_dir() for each in how.home):
        return []
    tree = sources.read_tree(how.tree, None, described / "trees")
    return sources.read_all(how.home, folder, tree, described / "sources", how.tree)


def training_part(folder: Path, settings: Settings, described: Path = DESCRIBED) -> Pictures:
    """Everything that may be learned from or chosen by: never a test picture.

    Parameters
    ----------
    folder, settings, described
        As for `home_sources`.

    Raises
    ------
    TrainingError
        If the data can't be read or divided.
    """
    found = home_sources(folder, settings, described)
    if not found:
        return data.training_part(folder, settings.split)
    first = _labelled(found[0], data.training_part(found[0].whole, settings.split), settings)
    others = (_labelled(each, data.outside_test(each.whole), settings) for each in found[1:])
    return _gathered([first, *others])


def learning_and_validation(folder: Path, settings: Settings) -> tuple[Pictures, Pictures]:
    """Pictures to learn from, and pictures to choose and calibrate by.

    Of several sources, a picture to choose by is in none of the others: twins are counted and not
    learned from.

    A file is a project of the Teach room, which is divided by place.

    Raises
    ------
    TrainingError
        As `training_part` and `project.read` do.
    """
    if folder.is_file():
        return project.learning_and_validation(folder)
    pictures = training_part(folder, settings)
    for each in pictures.skipped:
        tqdm.write(f"skipped {each}")
    learning, validation = data.split(pictures, settings.split.validation, settings.split.seed)
    if len({each.source for each in pictures.labels}) > 1:
        twins = _twins(learning, validation)
        if twins.any():
            tqdm.write(f"not learned from, as they are to choose by: {twins.sum()} twins")
            learning = learning.take(np.flatnonzero(~twins))
    return learning, validation


def _twins(learning: Pictures, validation: Pictures) -> NDArray[np.bool_]:
    """Which pictures to learn from are among those to choose by, shape (N,)."""

    def told_by(pictures: Pictures) -> tuple[NDArray[np.str_], NDArray[np.uint64]]:
        pixels = pictures.pixels
        digests = [hashlib.sha256(each.tobytes()).hexdigest() for each in pixels]
        return np.array(digests), np.array([difference_hash(each) for each in pixels], np.uint64)

    return have_twin(*told_by(learning), *told_by(validation))


def as_classes(pictures: Pictures, folder: Path, settings: Settings) -> Pictures:
    """Pictures of the first source by the classes of the tree; as they are if it is the only one.

    Parameters
    ----------
    pictures : Pictures
        By the labels of the source.
    folder : Path
        As for `home_sources`.
    settings : Settings
    """
    found = home_sources(folder, settings)
    return _single(_labelled(found[0], pictures, settings)) if found else pictures


def first_folder(folder: Path, settings: Settings) -> Path:
    """The folder of the source whose test pictures the report is about."""
    found = home_sources(folder, settings)
    return found[0].whole if found else folder


def _labelled(source: Source, pictures: Pictures, settings: Settings) -> Pictures:
    """The pictures of a source that something can be learned from, by the classes of the tree."""
    crop = source.meaning.crop_for(settings.ground.footprint_m)
    allowed = [source.classes_for(each) for each in pictures.names]
    kept = [number for number, each in enumerate(allowed) if each]
    labels = tuple(
        Label(f"{source.name}/{pictures.names[number]}", allowed[number], crop, source.name)
        for number in kept
    )
    chosen = np.flatnonzero(np.isin(pictures.numbers, kept))
    return Pictures(
        pictures.pixels[chosen],
        np.searchsorted(kept, pictures.numbers[chosen]),
        labels,
        source.classes,
        tuple(f"{source.name}/{pictures.files[each]}" for each in chosen),
        pictures.skipped,
    )


def _gathered(parts: list[Pictures]) -> Pictures:
    """The pictures of several sources as one."""
    before = np.cumsum([0, *(len(each.labels) for each in parts)])
    return Pictures(
        np.concatenate([each.pixels for each in parts]),
        np.concatenate(
            [each.numbers + first for each, first in zip(parts, before[:-1], strict=True)]
        ),
        tuple(label for each in parts for label in each.labels),
        parts[0].names,
        tuple(file for each in parts for file in each.files),
        tuple(file for each in parts for file in each.skipped),
    )


def _single(pictures: Pictures) -> Pictures:
    """Those whose class is known."""
    return pictures.take(np.flatnonzero(pictures.classes != data.SEVERAL))

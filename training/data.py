"""A folder of class folders, as arrays of the pictures that the page would see.

What may be learned from is read here; the test pictures only by `training.held_out`.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pyapp.core.imagery.chip import resample
from pyapp.core.imagery.mosaic import UndecodableError, decode
from training.errors import TrainingError
from training.settings import Settings, SplitSettings

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif"}
# Side at which pictures are kept for augmentation: that of UC Merced.
SOURCE_PX = 256
FEWEST = 4
# Side of what augmentation samples from, relative to the side of a chip.
MARGIN = 8 / 7
TRAIN_FOLDER, TEST_FOLDER = "train", "test"


@dataclass(frozen=True)
class Pictures:
    """Decoded pictures of one part of the data.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (N, P, P, 3)
        RGB.
    classes : ndarray of int64, shape (N,)
        Index into ``names``.
    names : tuple of str
        Names of the class folders, sorted.
    files : tuple of str
        Class folder and name of each picture's file.
    skipped : tuple of str
        Files that could not be read, each with the reason.
    """

    pixels: NDArray[np.uint8]
    classes: NDArray[np.int64]
    names: tuple[str, ...]
    files: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    def joined(self, others: "Pictures") -> "Pictures":
        """These pictures, then others of the same classes."""
        return Pictures(
            np.concatenate([self.pixels, others.pixels]),
            np.concatenate([self.classes, others.classes]),
            self.names,
            self.files + others.files,
        )

    def take(self, chosen: NDArray[np.intp]) -> "Pictures":
        """The pictures at some positions, shape (M,)."""
        files = tuple(self.files[each] for each in chosen)
        return Pictures(self.pixels[chosen], self.classes[chosen], self.names, files)


def shrink(pictures: Pictures, chip_px: int) -> Pictures:
    """The pictures a little larger than a chip, for augmentation to sample without aliasing."""
    side_px = round(chip_px * MARGIN)
    pixels = np.stack([resample(each, side_px) for each in pictures.pixels])
    return dataclasses.replace(pictures, pixels=pixels)


def has_own_test(folder: Path) -> bool:
    """Whether a data folder keeps its test pictures apart."""
    return (folder / TRAIN_FOLDER).is_dir() and (folder / TEST_FOLDER).is_dir()


def class_folders(folder: Path) -> list[Path]:
    """The class folders of a part of the data, sorted by name.

    Raises
    ------
    TrainingError
        If there are fewer than two, or two whose names differ only in case.
    """
    if not folder.is_dir():
        raise TrainingError(
            f"There is no folder {folder}. Name one with --data: it should hold one folder of "
            "pictures per class."
        )
    found = sorted(each for each in folder.iterdir() if each.is_dir() and each.name[0] != ".")
    if len(found) < 2:
        raise TrainingError(
            f"{folder} has {len(found)} class folders; at least two are needed, each with the "
            "pictures of one class."
        )
    by_name: dict[str, Path] = {}
    for each in found:
        twin = by_name.setdefault(each.name.casefold(), each)
        if twin is not each:
            raise TrainingError(
                f"{twin} and {each} differ only in case. Put their pictures into one folder."
            )
    return found


def picture_files(folder: Path) -> list[Path]:
    """The pictures in a class folder, sorted by name."""
    return sorted(each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES)


def read(folder: Path, names: tuple[str, ...] | None = None) -> Pictures:
    """Decode every picture in a folder of class folders and resample it to `SOURCE_PX`.

    Parameters
    ----------
    folder : Path
    names : tuple of str, optional
        The classes there should be.

    Raises
    ------
    TrainingError
        If a class has no readable picture, or if the classes are not those of ``names``.
    """
    folders = class_folders(folder)
    found = tuple(each.name for each in folders)
    if names is not None and found != names:
        odd = sorted(set(found) ^ set(names))
        raise TrainingError(
            f"{folder} does not have the classes that were trained: look at {', '.join(odd)}."
        )
    pixels, numbers, readable, skipped = [], [], [], []
    listed = [(number, file) for number, each in enumerate(folders) for file in picture_files(each)]
    for number, file in tqdm(listed, desc=f"read {folder.name}", unit="img", leave=False):
        try:
            pixels.append(resample(decode(file.read_bytes()), SOURCE_PX))
            numbers.append(number)
            readable.append(_name_of(file))
        except UndecodableError as error:
            skipped.append(f"{_name_of(file)}: {error}")
    classes = np.array(numbers, np.int64)
    for name, count in zip(found, np.bincount(classes, minlength=len(found)), strict=True):
        if count == 0:
            raise TrainingError(f"{folder / name} has no picture that can be read.")
    return Pictures(np.stack(pixels), classes, found, tuple(readable), tuple(skipped))


def _name_of(file: Path) -> str:
    """A file by its class folder and its own name."""
    return f"{file.parent.name}/{file.name}"


def split(pictures: Pictures, share: float, seed: int) -> tuple[Pictures, Pictures]:
    """Divide every class at random.

    Parameters
    ----------
    pictures : Pictures
    share : float
        Of each class, for ``part``.
    seed : int

    Returns
    -------
    (rest, part) : Pictures, Pictures
        ``part`` has ``share`` of each class, rounded, and at least one picture.

    Raises
    ------
    TrainingError
        If a class has too few pictures to be divided.
    """
    random = np.random.default_rng(seed)
    rest, part = [], []
    for number, name in enumerate(pictures.names):
        members = random.permutation(np.flatnonzero(pictures.classes == number))
        if len(members) < FEWEST:
            raise TrainingError(
                f"The class {name} has {len(members)} pictures that can be read; "
                f"at least {FEWEST} are needed to train and to measure."
            )
        count = max(1, round(share * len(members)))
        part.append(members[:count])
        rest.append(members[count:])
    first, second = (pictures.take(np.sort(np.concatenate(each))) for each in (rest, part))
    return first, second


def training_part(folder: Path, how: SplitSettings) -> Pictures:
    """Everything that may be learned from or chosen by: never a test picture.

    Raises
    ------
    TrainingError
        As `read` and `split` do.
    """
    if has_own_test(folder):
        return read(folder / TRAIN_FOLDER)
    return split(read(folder), how.test, how.seed)[0]


def learning_and_validation(folder: Path, settings: Settings) -> tuple[Pictures, Pictures]:
    """Pictures to learn from, and pictures to choose and calibrate by.

    Raises
    ------
    TrainingError
        As `read` and `split` do.
    """
    pictures = training_part(folder, settings.split)
    for each in pictures.skipped:
        tqdm.write(f"skipped {each}")
    return split(pictures, settings.split.validation, settings.split.seed)


def file_stems(folder: Path) -> set[str]:
    """Names without suffix of all picture files, those of the test too; none is opened.

    Raises
    ------
    TrainingError
        As `class_folders` does.
    """
    own_test = has_own_test(folder)
    places = [folder / TRAIN_FOLDER, folder / TEST_FOLDER] if own_test else [folder]
    folders = [each for place in places for each in class_folders(place)]
    return {file.stem for each in folders for file in picture_files(each)}

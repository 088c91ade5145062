"""A folder of class folders, as arrays of the pictures that the page would see.

What may be learned from is read here; the test pictures only by `training.pictures.held_out`.
"""

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pyapp.core.imagery.chip import resample
from pyapp.core.imagery.mosaic import UndecodableError, decode
from training.errors import TrainingError
from training.settings import SplitSettings

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif"}
# Side at which pictures are kept for augmentation: that of UC Merced.
SOURCE_PX = 256
FEWEST = 4
# Side of what augmentation samples from, relative to the side of a chip.
MARGIN = 8 / 7
TRAIN_FOLDER, TEST_FOLDER = "train", "test"
# Stands for the class of a picture whose label allows several.
SEVERAL = -1


@dataclass(frozen=True)
class Label:
    """What the pictures of one class folder may show, and how much of each a chip shows.

    Attributes
    ----------
    name : str
        Of the folder; of a source among others, after the name of the source.
    allowed : tuple of int
        The classes that its pictures may be of, as indices.
    crop : tuple of float
        Least and most of a picture's side that a chip shows.
    source : str
        The source that the folder belongs to; empty if there is only one.
    """

    name: str
    allowed: tuple[int, ...]
    crop: tuple[float, float] = (1.0, 1.0)
    source: str = ""


@dataclass(frozen=True)
class Pictures:
    """Decoded pictures of one part of the data.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (N, P, P, 3)
        RGB.
    numbers : ndarray of int64, shape (N,)
        Index into ``labels``.
    labels : tuple of Label
    names : tuple of str
        Names of the C classes, sorted.
    files : tuple of str
        Label and name of each picture's file.
    skipped : tuple of str
        Files that could not be read, each with the reason.
    places : ndarray of int64, shape (N,), optional
        Which place each picture is of, if that is known.
    """

    pixels: NDArray[np.uint8]
    numbers: NDArray[np.int64]
    labels: tuple[Label, ...]
    names: tuple[str, ...]
    files: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    places: NDArray[np.int64] | None = None

    @classmethod
    def of_classes(
        cls,
        pixels: NDArray[np.uint8],
        classes: NDArray[np.int64],
        names: tuple[str, ...],
        files: tuple[str, ...],
        skipped: tuple[str, ...] = (),
        places: NDArray[np.int64] | None = None,
    ) -> "Pictures":
        """Pictures whose labels are the classes themselves, in the order of ``names``."""
        labels = tuple(Label(name, (number,)) for number, name in enumerate(names))
        return cls(pixels, classes, labels, names, files, skipped, places)

    @cached_property
    def classes(self) -> NDArray[np.int64]:
        """The class of each picture, int64, shape (N,); `SEVERAL` if its label allows several."""
        single = [each.allowed[0] if len(each.allowed) == 1 else SEVERAL for each in self.labels]
        return np.array(single, np.int64)[self.numbers]

    @cached_property
    def allowed(self) -> NDArray[np.float32]:
        """1 for the classes that each picture may be of, else 0; float32, shape (N, C)."""
        table = np.zeros((len(self.labels), len(self.names)), np.float32)
        for number, each in enumerate(self.labels):
            table[number, list(each.allowed)] = 1
        return table[self.numbers]

    @cached_property
    def crops(self) -> NDArray[np.float32]:
        """Least and most of each picture's side that a chip shows; float32, shape (N, 2)."""
        return np.array([each.crop for each in self.labels], np.float32)[self.numbers]

    def joined(self, others: "Pictures") -> "Pictures":
        """These pictures, then others of the same labels."""
        return dataclasses.replace(
            self,
            pixels=np.concatenate([self.pixels, others.pixels]),
            numbers=np.concatenate([self.numbers, others.numbers]),
            files=self.files + others.files,
            skipped=(),
            places=None
            if self.places is None or others.places is None
            else np.concatenate([self.places, others.places]),
        )

    def take(self, chosen: NDArray[np.intp]) -> "Pictures":
        """The pictures at some positions, shape (M,)."""
        files = tuple(self.files[each] for each in chosen)
        return dataclasses.replace(
            self,
            pixels=self.pixels[chosen],
            numbers=self.numbers[chosen],
            files=files,
            skipped=(),
            places=None if self.places is None else self.places[chosen],
        )


def shrink(pictures: Pictures, chip_px: int) -> Pictures:
    """The pictures a little larger than a chip, for augmentation to sample without aliasing."""
    side_px = round(chip_px * MARGIN)
    if (pictures.crops < 1).any():
        # A part of a picture has to have the pixels of a chip.
        return pictures
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
    check_names(folder, found, names or found)
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
    return Pictures.of_classes(np.stack(pixels), classes, found, tuple(readable), tuple(skipped))


def check_names(folder: Path, found: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Refuse other classes than those that were trained.

    Raises
    ------
    TrainingError
        If there are any, or some are missing.
    """
    if found != names:
        odd = sorted(set(found) ^ set(names))
        raise TrainingError(
            f"{folder} does not have the classes that were trained: look at {', '.join(odd)}."
        )


def _name_of(file: Path) -> str:
    """A file by its class folder and its own name."""
    return f"{file.parent.name}/{file.name}"


def split(pictures: Pictures, share: float, seed: int) -> tuple[Pictures, Pictures]:
    """Divide every label at random.

    Parameters
    ----------
    pictures : Pictures
    share : float
        Of each label that allows one class only, for ``part``. Nothing can be chosen or fitted by
        pictures whose class is not known.
    seed : int

    Returns
    -------
    (rest, part) : Pictures, Pictures
        ``part`` has ``share`` of each label, rounded, and at least one picture.

    Raises
    ------
    TrainingError
        If a label has too few pictures to be divided.
    """
    random = np.random.default_rng(seed)
    rest, part = [], []
    for number, label in enumerate(pictures.labels):
        members = random.permutation(np.flatnonzero(pictures.numbers == number))
        if len(members) < FEWEST:
            raise TrainingError(
                f"The class {label.name} has {len(members)} pictures that can be read; "
                f"at least {FEWEST} are needed to train and to measure."
            )
        count = max(1, round(share * len(members))) if len(label.allowed) == 1 else 0
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
        return outside_test(folder)
    return split(outside_test(folder), how.test, how.seed)[0]


def outside_test(folder: Path) -> Pictures:
    """All pictures that are not in a test folder.

    Raises
    ------
    TrainingError
        As `read` does.
    """
    return read(folder / TRAIN_FOLDER if has_own_test(folder) else folder)


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

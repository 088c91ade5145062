"""A folder of class folders, as arrays of the pictures that the page would see."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pyapp.core.imagery.chip import resample
from pyapp.core.imagery.mosaic import UndecodableError, decode
from training.errors import TrainingError

PICTURES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif"}
# Side that pictures are kept at, for augmentation; that of UC Merced.
SOURCE_PX = 256
FEWEST = 4
# Side of what augmentation samples from, against that of a chip.
MARGIN = 8 / 7
TRAIN, TEST = "train", "test"


@dataclass(frozen=True)
class Pictures:
    """Decoded pictures of one part of the data.

    Attributes
    ----------
    pixels : uint8 [N, P, P, 3]
        RGB.
    classes : int64 [N]
        Index into ``names``.
    names : tuple of str
        Names of the class folders, sorted.
    files : tuple of str
        Where each is from: class folder and name.
    skipped : tuple of str
        Files that could not be read.
    """

    pixels: np.ndarray
    classes: np.ndarray
    names: tuple[str, ...]
    files: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    def with_(self, others: "Pictures") -> "Pictures":
        """These pictures, then others of the same classes."""
        return Pictures(
            np.concatenate([self.pixels, others.pixels]),
            np.concatenate([self.classes, others.classes]),
            self.names,
            self.files + others.files,
        )

    def take(self, chosen: np.ndarray) -> "Pictures":
        """The pictures at some positions, int [M]."""
        files = tuple(self.files[each] for each in chosen)
        return Pictures(self.pixels[chosen], self.classes[chosen], self.names, files)


def shrink(pictures: Pictures, chip_px: int) -> Pictures:
    """The pictures a little larger than a chip, for augmentation to sample without aliasing."""
    side_px = round(chip_px * MARGIN)
    pixels = np.stack([resample(each, side_px) for each in pictures.pixels])
    return dataclasses.replace(pictures, pixels=pixels)


def has_own_test(folder: Path) -> bool:
    """Whether a data folder keeps its test images apart."""
    return (folder / TRAIN).is_dir() and (folder / TEST).is_dir()


def class_folders(folder: Path) -> list[Path]:
    """The class folders of a part of the data, sorted by name.

    Raises
    ------
    TrainingError
        Where there are fewer than two, or two whose names differ only in case.
    """
    if not folder.is_dir():
        raise TrainingError(
            f"There is no folder {folder}. Name one with --data: a folder with a folder of "
            "pictures for each class."
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


def read(folder: Path, side_px: int, names: tuple[str, ...] | None = None) -> Pictures:
    """Decode every picture of a folder of class folders and bring it to one size.

    Parameters
    ----------
    folder : Path
    side_px : int
        Side of the pictures wanted.
    names : tuple of str, optional
        The classes there should be.

    Raises
    ------
    TrainingError
        Where a class is empty, or the classes are not those of ``names``.
    """
    folders = class_folders(folder)
    found = tuple(each.name for each in folders)
    if names is not None and found != names:
        odd = sorted(set(found) ^ set(names))
        raise TrainingError(
            f"{folder} does not have the classes that were trained: look at {', '.join(odd)}."
        )
    pixels, classes, kept, skipped = [], [], [], []
    files = [(number, file) for number, each in enumerate(folders) for file in _pictures(each)]
    for number, file in tqdm(files, desc=f"read {folder.name}", unit="img", leave=False):
        try:
            pixels.append(resample(decode(file.read_bytes()), side_px))
            classes.append(number)
            kept.append(_name_of(file))
        except UndecodableError as error:
            skipped.append(f"{_name_of(file)}: {error}")
    counts = np.bincount(np.array(classes, dtype=np.int64), minlength=len(found))
    for name, count in zip(found, counts, strict=True):
        if count == 0:
            raise TrainingError(f"{folder / name} has no picture that can be read.")
    numbers = np.array(classes, np.int64)
    return Pictures(np.stack(pixels), numbers, found, tuple(kept), tuple(skipped))


def _name_of(file: Path) -> str:
    """A file by its class folder and its own name."""
    return f"{file.parent.name}/{file.name}"


def _pictures(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.suffix.lower() in PICTURES)


def split(pictures: Pictures, share: float, seed: int) -> tuple[Pictures, Pictures]:
    """Divide every class by chance.

    Returns
    -------
    (rest, part) : Pictures
        ``part`` has ``share`` of each class, rounded, and at least one picture.

    Raises
    ------
    TrainingError
        Where a class has too few pictures to divide.
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
    return tuple(pictures.take(np.sort(np.concatenate(each))) for each in (rest, part))


def training_part(folder: Path, side_px: int, settings) -> Pictures:
    """All that may be learnt from or chosen by: never a test picture."""
    if has_own_test(folder):
        return read(folder / TRAIN, side_px)
    pictures = read(folder, side_px)
    return split(pictures, settings.split.test, settings.split.seed)[0]

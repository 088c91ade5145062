"""A project of the Teach room as pictures to learn from, to choose by and to test by.

Squares that touch are one place, and all pictures of a place are in one part (`core.teach.folds`).
"""

import hashlib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyapp.core.errors import NotAProjectError
from pyapp.core.imagery.chip import resample
from pyapp.core.teach.archive import from_archive, from_png
from pyapp.core.teach.folds import folds_of, places_of
from pyapp.core.teach.project import Project
from pyapp.core.teach.steps import finished
from training.errors import TrainingError
from training.pictures.data import Pictures

# The folds that are kept apart; what is learned from are the others.
TEST_FOLD, VALIDATION_FOLD = 0, 1
FEWEST_EXAMPLES = 10
# Places of each class: one of them may be in the test, one among what is chosen by.
FEWEST_PLACES = 3


class Taught(NamedTuple):
    """What the file of a project holds.

    Attributes
    ----------
    project : Project
        Its classes without examples are left out.
    pictures : Pictures
        Of all examples.
    fold : ndarray of int64, shape (N,)
    sha256 : str
        Of the file, in hexadecimal.
    """

    project: Project
    pictures: Pictures
    fold: NDArray[np.int64]
    sha256: str

    def part(self, fold: int) -> Pictures:
        """The pictures of a fold."""
        return self.pictures.take(np.flatnonzero(self.fold == fold))


def read(file: Path) -> Taught:
    """The project in a file that the Teach room saved.

    Raises
    ------
    TrainingError
        If it can't be read or is no project, or its examples are too few to learn from and to be
        honest about.
    """
    try:
        contents = file.read_bytes()
        project, stored = finished(from_archive(contents))
    except OSError as error:
        raise TrainingError(
            f"The project {file} can't be read ({error.strerror}). Name a file that the Teach room "
            "saved."
        ) from error
    except NotAProjectError as error:
        raise TrainingError(
            f"{file} is no project to train from: {error.reason}. Save it again in the Teach room."
        ) from error
    # What is kept aside judges what the page taught; it stays unseen here too.
    given = project.fitted
    chips = [from_png(stored[each.sha256]) for each in given]
    names = project.taught
    if len(names) < 2:
        raise TrainingError(
            f"{file} has examples of {len(names)} classes, and it takes two to tell them apart. "
            "Give examples of one more in the Teach room."
        )
    if len(chips) < FEWEST_EXAMPLES:
        raise TrainingError(
            f"{file} has {len(chips)} examples, and below {FEWEST_EXAMPLES} nothing can be learned "
            "and tested honestly. Give more in the Teach room."
        )
    side_px = max(each.shape[0] for each in chips)
    classes = np.array([names.index(each.label) for each in given], np.int64)
    places = places_of([each.place for each in given])
    _check_places(file, names, classes, places)
    fold = finished(folds_of(places, classes))
    pictures = Pictures.of_classes(
        np.stack([resample(each, side_px) for each in chips]),
        classes,
        names,
        tuple(f"{each.label}/{each.sha256}.png" for each in given),
        places=places,
    )
    _check_parts(file, names, classes, fold)
    return Taught(project, pictures, fold, hashlib.sha256(contents).hexdigest())


def learning_and_validation(file: Path) -> tuple[Pictures, Pictures]:
    """Pictures to learn from, and pictures to choose and calibrate by.

    Raises
    ------
    TrainingError
        As `read` does.
    """
    taught = read(file)
    kept_apart = np.isin(taught.fold, (TEST_FOLD, VALIDATION_FOLD))
    return taught.pictures.take(np.flatnonzero(~kept_apart)), taught.part(VALIDATION_FOLD)


def _check_places(
    file: Path, names: tuple[str, ...], classes: NDArray[np.int64], places: NDArray[np.int64]
) -> None:
    for number, name in enumerate(names):
        count = len(np.unique(places[classes == number]))
        if count < FEWEST_PLACES:
            raise TrainingError(
                f"In {file} the examples of “{name}” are at {count} "
                f"{'place' if count == 1 else 'places'} (squares that touch are one), and it takes "
                f"{FEWEST_PLACES} to learn, to choose and to test by. Give some elsewhere."
            )


def _check_parts(
    file: Path, names: tuple[str, ...], classes: NDArray[np.int64], fold: NDArray[np.int64]
) -> None:
    learned = Counter(classes[(fold != TEST_FOLD) & (fold != VALIDATION_FOLD)].tolist())
    missing = [name for number, name in enumerate(names) if not learned[number]]
    if missing:
        raise TrainingError(
            f"{file} can't be divided by place so that “{missing[0]}” is learned from. Give more "
            "examples of it elsewhere."
        )

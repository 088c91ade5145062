"""From a folder of class folders to trained networks, one a seed.

With a teacher (Hinton et al., Distilling the Knowledge in a Neural Network, 2015), a network is
first taught at a finer resolution than the page can afford. It labels many views of each picture,
and the fast network, cut out of it, learns from those: Beyer et al., Knowledge distillation: A
good teacher is patient and consistent (CVPR 2022).
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from training import data, learn
from training.data import Pictures
from training.errors import TrainingError
from training.lessons import label_views
from training.settings import changed
from training.surgery import narrow_blocks

TEACHER, FINAL = "teacher", "final"
# What the teacher says of the learning pictures, and of the validation pictures.
VIEWS = ("views.npy", "views-validation.npy")
# Pictures that show which activations a filter meets.
SHOWN = 128


class Trained(NamedTuple):
    """The files with the weights, one a seed.

    Attributes
    ----------
    development : list of Path
        Of networks that never saw the validation pictures: to choose and to calibrate by.
    final : list of Path
        The same recipe on those pictures too: one of these is shipped.
    """

    development: list[Path]
    final: list[Path]


def files(run: Path, settings) -> Trained:
    """Where a run keeps its networks."""
    final = run / FINAL if settings.split.use_all else run
    places = [[place / f"seed-{seed}" for seed in settings.seeds] for place in (run, final)]
    return Trained(*([each / learn.RESULT for each in kind] for kind in places))


def train(folder: Path, run: Path, settings, resume: bool = False) -> Trained:
    """Train on a folder of class folders, once for each seed.

    Parameters
    ----------
    folder : Path
        The data; its test part is not opened.
    run : Path
        Where checkpoints and results go, a folder for each network.
    settings : namespace
    resume : bool
        Go on from the checkpoints of a run that was stopped.

    Raises
    ------
    TrainingError
        Where there is nothing to go on from.
    """
    if resume and not any(run.rglob("*.pt")):
        raise TrainingError(f"There is nothing in {run} to go on from; train without --resume.")
    learning, validation = parts(folder, settings)
    everything = learning.with_(validation)
    lessons = all_lessons = start = None
    pupils = settings
    if settings.pupil.views:
        place = run / TEACHER
        if not resume:
            for kept in VIEWS:
                (place / kept).unlink(missing_ok=True)
        teacher = taught(learning, validation, place, settings, resume)
        start = cut_out(teacher, learning, settings)
        lessons = label_views(teacher, learning, place / VIEWS[0], settings)
        if settings.split.use_all:
            new = label_views(teacher, validation, place / VIEWS[1], settings)
            all_lessons = lessons.with_(new)
        how = settings.pupil
        pupils = changed(
            settings,
            train={"epochs": how.epochs, "learning_rate": how.learning_rate, "frozen": how.frozen},
        )
    trained = files(run, settings)
    for seed, file in zip(settings.seeds, trained.development, strict=True):
        learn.fit(learning, validation, file.parent, pupils, seed, resume, lessons, start)
    if settings.split.use_all:
        for seed, file in zip(settings.seeds, trained.final, strict=True):
            learn.fit(everything, None, file.parent, pupils, seed, resume, all_lessons, start)
    return trained


def parts(folder: Path, settings) -> tuple[Pictures, Pictures]:
    """Pictures to learn from, and pictures to choose and to calibrate by."""
    pictures = data.training_part(folder, data.SOURCE_PX, settings)
    for each in pictures.skipped:
        tqdm.write(f"skipped {each}")
    return data.split(pictures, settings.split.validation, settings.split.seed)


def taught(learning: Pictures, validation: Pictures, place: Path, settings, resume: bool):
    """A teacher; where ``resume`` says so, one that is finished is taken as it is."""
    own = changed(settings, ground={"chip_px": settings.pupil.teacher_px})
    seed = settings.seeds[0]
    return learn.load(learn.fit(learning, validation, place, own, seed, resume)).network


def cut_out(teacher, learning: Pictures, settings):
    """The fast network that the pupils start from."""
    random = np.random.default_rng(settings.split.seed)
    count = min(SHOWN, len(learning.classes))
    shown = learning.take(np.sort(random.choice(len(learning.classes), count, replace=False)))
    chips = learn.chips_of(shown, settings.ground.chip_px)
    return narrow_blocks(teacher, chips, settings.pupil.narrow)

"""From a folder of class folders to trained networks, one per seed.

First a teacher is trained at a finer resolution than the page can afford. It labels many views of
each picture (Hinton et al., Distilling the Knowledge in a Neural Network, 2015), and the fast
network, its student, is cut out of it and learns from those labels: Beyer et al., Knowledge
distillation: A good teacher is patient and consistent (CVPR 2022). A project of the Teach room goes
on from a trained network instead.
"""

import copy
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from training.errors import TrainingError
from training.networks import learn, predict, stored
from training.networks.distillation import label_views
from training.networks.network import Network, pretrained
from training.networks.surgery import narrow_blocks
from training.pictures import dataset
from training.pictures.data import Pictures
from training.run import FINAL_FOLDER, LABEL_FILES, NETWORK_FILE, START_FILE, TEACHER_FOLDER
from training.settings import Settings

# Number of pictures that show the activations of a network.
SHOWN = 128


class Trained(NamedTuple):
    """The files with the weights, one per seed.

    Attributes
    ----------
    development : list of Path
        Networks that never saw the validation pictures: to choose and calibrate by.
    final : list of Path
        The same recipe with those pictures too: one of these is shipped.
    """

    development: list[Path]
    final: list[Path]


def network_files(run: Path, settings: Settings) -> Trained:
    """Where a run stores its networks."""

    def below(folder: Path) -> list[Path]:
        return [folder / f"seed-{seed}" / NETWORK_FILE for seed in settings.seeds]

    return Trained(below(run), below(run / FINAL_FOLDER if settings.split.use_all else run))


def train(folder: Path, run: Path, settings: Settings, resume: bool = False) -> Trained:
    """Train on a folder of class folders, once for each seed.

    Parameters
    ----------
    folder : Path
        The data; its test part is left alone.
    run : Path
        Where checkpoints and results go, one folder per network.
    settings : Settings
    resume : bool
        Continue from the checkpoints of a run that was stopped.

    Raises
    ------
    TrainingError
        If there is nothing to resume, the data can't be read, or `learn.fit` fails.
    """
    if resume and not any(run.rglob("*.pt")):
        raise TrainingError(f"There is nothing in {run} to resume; train without --resume.")
    learning, validation = dataset.learning_and_validation(folder, settings)
    views = all_views = start = None
    how = settings
    if (run / START_FILE).exists():
        start = gone_on(stored.load(run / START_FILE).network, learning, settings)
    elif settings.student.views:
        place = run / TEACHER_FOLDER
        if not resume:
            for name in LABEL_FILES:
                (place / name).unlink(missing_ok=True)
        teacher = train_teacher(learning, validation, place, settings, resume)
        start = cut_student(teacher, learning, settings)
        views = label_views(teacher, learning, place / LABEL_FILES[0], settings)
        if settings.split.use_all:
            more = label_views(teacher, validation, place / LABEL_FILES[1], settings)
            all_views = views.joined(more)
        how = student_settings(settings)
    elif settings.student.narrow:
        start = narrowed(learning, settings)
    trained = network_files(run, settings)
    for seed, file in zip(settings.seeds, trained.development, strict=True):
        learn.fit(learning, validation, file.parent, how, seed, resume, views, start)
    if settings.split.use_all:
        both = learning.joined(validation)
        for seed, file in zip(settings.seeds, trained.final, strict=True):
            learn.fit(both, None, file.parent, how, seed, resume, all_views, start)
    return trained


def train_teacher(
    learning: Pictures, validation: Pictures, place: Path, settings: Settings, resume: bool
) -> Network:
    """Train a teacher in the folder ``place``; ``resume`` takes a finished one as it is.

    Raises
    ------
    TrainingError
        As `training.networks.learn.fit` does.
    """
    finer = settings.with_chip_px(settings.student.teacher_px)
    file = learn.fit(learning, validation, place, finer, settings.seeds[0], resume)
    return stored.load(file).network


def cut_student(teacher: Network, learning: Pictures, settings: Settings) -> Network:
    """The fast network that the students of all seeds start from."""
    random = np.random.default_rng(settings.split.seed)
    count = min(SHOWN, len(learning.classes))
    shown = learning.take(np.sort(random.choice(len(learning.classes), count, replace=False)))
    chips = predict.chips_of(shown, settings.ground.chip_px)
    return narrow_blocks(teacher, chips, settings.student.narrow)


def narrowed(learning: Pictures, settings: Settings) -> Network:
    """A fast network that no teacher stands behind: narrowed pretrained features, a fitted head."""
    plain = pretrained(settings.backbone, len(learning.names))
    start = cut_student(plain, learning, settings)
    chips = predict.chips_of(learning, settings.ground.chip_px)
    learn.fit_head(start.head, predict.embeddings_of(start, chips), learning.allowed)
    return start


def gone_on(network: Network, learning: Pictures, settings: Settings) -> Network:
    """A trained network with a last layer for other classes, fitted to its features as they are."""
    start = copy.deepcopy(network)
    start.head = torch.nn.Linear(start.head.in_features, len(learning.names))
    chips = predict.chips_of(learning, settings.ground.chip_px)
    learn.fit_head(start.head, predict.embeddings_of(start, chips), learning.allowed)
    return start


def student_settings(settings: Settings) -> Settings:
    """The settings with what table ``student`` says instead of table ``train``."""
    how = settings.student
    return replace(
        settings,
        train=replace(
            settings.train, epochs=how.epochs, learning_rate=how.learning_rate, frozen=how.frozen
        ),
    )

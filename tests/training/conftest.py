"""A tiny data set, made here, and one whole run on it: seconds, not the real model."""

import numpy as np
import pytest
from PIL import Image

from training import settings
from training.compress import SHIPPED, compress
from training.evaluate import evaluate
from training.export import export
from training.final import finish
from training.publish import publish
from training.report import report
from training.train import files, train

CLASSES = ("Stripes", "blobs", "plain")
IMAGES = 10
SIDE = 256
CHIP_PX = 64


def texture(name: str, seed: int) -> np.ndarray:
    """A picture of a class, uint8 [256, 256, 3]."""
    random = np.random.default_rng(seed)
    if name == "plain":
        pixels = np.full((SIDE, SIDE, 3), random.integers(60, 200, 3))
    elif name == "Stripes":
        wave = np.sin(np.arange(SIDE) / random.uniform(3, 6)) * 90 + 120
        pixels = np.tile(wave[:, None, None], (1, SIDE, 3))
    else:
        coarse = random.integers(0, 255, (12, 12, 3), np.uint8)
        pixels = np.asarray(Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    noisy = pixels + random.normal(0, 4, (SIDE, SIDE, 3))
    return noisy.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """A folder of class folders."""
    folder = tmp_path_factory.mktemp("images")
    for number, name in enumerate(CLASSES):
        (folder / name).mkdir()
        for each in range(IMAGES):
            pixels = texture(name, 100 * number + each)
            Image.fromarray(pixels).save(folder / name / f"{each:02}.png")
    return folder


def quick():
    """Settings for a run of seconds."""
    chosen = settings.read()
    chosen.name, chosen.title, chosen.seeds = "tiny", "Three textures", [1, 2]
    chosen.ground.chip_px = CHIP_PX
    chosen.train.epochs, chosen.train.batch = 2, 8
    chosen.split.validation = chosen.split.test = 0.2
    chosen.pupil.views, chosen.pupil.epochs, chosen.pupil.teacher_px = 2, 1, 96
    chosen.compress.epochs, chosen.compress.calibration_images = 1, 8
    return chosen


@pytest.fixture(scope="session")
def run(tmp_path_factory, images):
    """The folder of a run that is trained."""
    folder = tmp_path_factory.mktemp("run") / "tiny"
    train(images, folder, quick())
    return folder


def finish_run(images, run, how):
    """Every step after training, up to the report."""
    trained = files(run, how)
    settings.write(how, run)
    chosen = evaluate(trained, images, run, how)
    fp32 = export(chosen, run)
    shipped = compress(chosen, fp32, images, run, how)
    finish(shipped, fp32, trained, images, run, how)
    report(images, run, how)
    return run


@pytest.fixture(scope="session")
def finished(images, run):
    """The folder of a run with every step done, up to its report."""
    return finish_run(images, run, quick())


@pytest.fixture(scope="session")
def published(tmp_path_factory, finished):
    """The folder of the model that the run gave."""
    return publish(finished / SHIPPED, finished, tmp_path_factory.mktemp("models"), quick())

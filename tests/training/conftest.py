"""A tiny data set, made here, and one complete run on it: seconds, not the real model."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from training import settings
from training.run import SHIPPED_FILE
from training.steps.compress import compress
from training.steps.evaluate import evaluate
from training.steps.export import export
from training.steps.final import finish
from training.steps.publish import publish
from training.steps.report import report
from training.steps.train import network_files, train

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
    full = settings.read().with_chip_px(CHIP_PX)
    return replace(
        full,
        name="tiny",
        title="Three textures",
        seeds=(1, 2),
        train=replace(full.train, epochs=2, batch=8),
        split=replace(full.split, validation=0.2, test=0.2),
        student=replace(full.student, views=2, epochs=1, teacher_px=96),
        compress=replace(full.compress, epochs=1, calibration_images=8),
    )


@pytest.fixture(scope="session")
def run(tmp_path_factory, images):
    """The folder of a run that is trained."""
    folder = tmp_path_factory.mktemp("run") / "tiny"
    train(images, folder, quick())
    return folder


def finish_run(data, folder, how):
    """Every step after training, up to the report."""
    trained = network_files(folder, how)
    settings.write(how, folder)
    chosen = evaluate(trained, data, folder, how)
    fp32 = export(chosen, folder)
    shipped = compress(chosen, fp32, data, folder, how)
    finish(shipped, fp32, trained, data, folder, how)
    report(data, folder, how)
    return folder


@pytest.fixture(scope="session")
def finished(images, run):
    """The folder of a run with every step done, up to its report."""
    return finish_run(images, run, quick())


@pytest.fixture(scope="session")
def published(tmp_path_factory, finished):
    """The folder of the model that the run gave."""
    return publish(finished / SHIPPED_FILE, finished, tmp_path_factory.mktemp("models"), quick())

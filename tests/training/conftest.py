"""A tiny data set, made here, and one whole run on it: seconds, not the real model."""

import numpy as np
import pytest
from PIL import Image

from training import settings
from training.publish import publish
from training.train import train

CLASSES = ("Stripes", "blobs", "plain")
IMAGES = 10
SIDE = 256


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
    chosen.name, chosen.title = "tiny", "Three textures"
    chosen.train.epochs, chosen.train.batch = 2, 8
    chosen.split.validation = chosen.split.test = 0.2
    return chosen


@pytest.fixture(scope="session")
def run(tmp_path_factory, images):
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("run")
    train(images, folder, quick())
    return folder


@pytest.fixture(scope="session")
def published(tmp_path_factory, images, run):
    """The folder of the model that the run gave."""
    return publish(run, images, tmp_path_factory.mktemp("models"), quick())

"""Measure the finished file on the test pictures, which nothing was chosen by."""

import hashlib
import json
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from pyapp.core.imagery.chip import resample
from pyapp.core.model.prediction import ACTIVATION, PROBABILITY, familiarity
from pyapp.core.teach.judge import effective_number
from training.errors import TrainingError
from training.figures import calibrate, measure
from training.files import write_atomically, write_text
from training.networks import predict, stored
from training.pictures.data import Pictures
from training.pictures.held_out import SHIPPED, Door, was_measured
from training.pictures.looks import at_sharpness
from training.run import CHOSEN_FILE, FINAL_FILE, OUTPUTS_FILE
from training.settings import Settings
from training.steps import compress, evaluate
from training.steps.train import Trained

# Resolutions at which the same pictures are measured, relative to their own.
SHARPNESS_FACTORS = {"native": 1.0, "half": 0.5, "one and a half": 1.5}


class Score(TypedDict):
    """Figures on one set of pictures, rounded to four digits.

    ``interval`` is the 95 % confidence interval of the accuracy, ``answered`` the share of pictures
    whose probability reaches the threshold; ``right_of_answered`` is ``None`` if there is none.
    """

    images: int
    accuracy: float
    interval: list[float]
    calibration_error: float
    answered: float
    right_of_answered: float | None


class SetFigures(TypedDict):
    """How often label sets hold the right class, and their mean number of classes."""

    covered: float
    mean_size: float


class BrowserFigures(TypedDict):
    """How onnxruntime-web agrees with onnxruntime."""

    largest_difference: float
    same_answers: int
    images: int


class FinalInBrowser(TypedDict, total=False):
    """What needs a browser."""

    onnxruntime_against_browser: BrowserFigures


class Final(FinalInBrowser):
    """What ``final.json`` holds; scores by sharpness, networks by seed, sets by coverage."""

    shipped: dict[str, Score]
    fp32: Score
    seeds: dict[str, float]
    seeds_mean: float
    development_seeds: dict[str, float]
    sets: dict[str, SetFigures]
    familiar: float
    reliability: list[calibrate.Bin]
    torch_against_onnxruntime: float
    int8_against_fp32: float


def score(
    probability: NDArray[np.float32],
    classes: NDArray[np.int64],
    threshold: float,
    places: NDArray[np.int64] | None = None,
) -> Score:
    """Figures of answers.

    Parameters
    ----------
    probability : ndarray of float32, shape (N, C)
    classes : ndarray of int64, shape (N,)
        The right classes.
    threshold : float
        Probability below which the page says "not sure".
    places : ndarray of int64, shape (N,), optional
        The place of each, if several are of one: then they count as fewer in the interval.
    """
    correct = probability.argmax(1) == classes
    answered = probability.max(1) >= threshold
    right_of_answered = round(float(correct[answered].mean()), 4) if answered.any() else None
    count = len(classes) if places is None else effective_number(correct, places)
    interval = calibrate.wilson(float(correct.mean()) * count, count)
    return Score(
        images=len(classes),
        accuracy=round(float(correct.mean()), 4),
        interval=[round(each, 4) for each in interval],
        calibration_error=round(calibrate.calibration_error(probability, classes), 4),
        answered=round(float(answered.mean()), 4),
        right_of_answered=right_of_answered,
    )


def scores(file: Path, pictures: Pictures, threshold: float) -> dict[str, Score]:
    """Measure a model's file on pictures at each of `SHARPNESS_FACTORS`.

    Parameters
    ----------
    file : Path
    pictures : Pictures
    threshold : float
        As for `score`.
    """
    side = measure.chip_px_of(file)
    said = {
        name: measure.probabilities(file, _chips(pictures, factor, side))
        for name, factor in SHARPNESS_FACTORS.items()
    }
    return {
        name: score(each, pictures.classes, threshold, pictures.places)
        for name, each in said.items()
    }


def finish(
    shipped: Path,
    fp32: Path,
    trained: Trained,
    folder: Path,
    run: Path,
    settings: Settings,
    again: bool = False,
) -> Path:
    """Open the test pictures, once, and measure everything that the report says of them.

    Parameters
    ----------
    shipped, fp32 : Path
        The file for the page, and the graph it was made from.
    trained : Trained
        The networks of all seeds.
    folder, run : Path
        The data; where the figures go.
    settings : Settings
    again : bool
        Open them even if another file of this run was measured before.

    Returns
    -------
    Path
        ``final.json``; beside it the shipped file's outputs, for the pictures in the report.

    Raises
    ------
    TrainingError
        If the test pictures were opened before for another file of this run, or a file can't be
        read or written.
    """
    sha256 = hashlib.sha256(shipped.read_bytes()).hexdigest()
    if was_measured(run, sha256, again) and (run / FINAL_FILE).exists():
        return run / FINAL_FILE
    chosen = stored.load(run / CHOSEN_FILE)
    pictures = Door(run, SHIPPED, sha256).test_pictures(folder, chosen.names, settings)
    classes, chips = pictures.classes, _chips(pictures, 1.0, chosen.chip_px)
    answer, temperature = compress.read(run)["answer"], evaluate.read(run)["temperature"]
    said, plain = measure.outputs(shipped, chips), measure.probabilities(fp32, chips)
    probability, activation = said[PROBABILITY], said[ACTIVATION]
    development, seeds = (_of_seeds(networks, chips, classes) for networks in trained)
    logits = predict.logits_of(chosen.network, chips)
    of_torch = torch.softmax(logits / temperature, 1).numpy()
    familiar = familiarity(activation) >= answer["familiar"]
    facts = Final(
        shipped=scores(shipped, pictures, answer["threshold"]),
        fp32=score(plain, classes, answer["threshold"], pictures.places),
        seeds=seeds,
        seeds_mean=round(float(np.mean(list(seeds.values()))), 4),
        development_seeds=development,
        sets={
            coverage: _set_figures(probability, classes, level)
            for coverage, level in answer["sets"].items()
        },
        familiar=round(float(familiar.mean()), 4),
        reliability=calibrate.reliability(probability, classes),
        torch_against_onnxruntime=float(np.abs(of_torch - plain).max()),
        int8_against_fp32=float(np.abs(probability - plain).max()),
    )
    try:
        facts["onnxruntime_against_browser"] = _in_browser(shipped, chips, probability)
    except TrainingError as error:
        tqdm.write(str(error))

    def save(path: Path) -> None:
        with path.open("wb") as file:
            np.savez_compressed(
                file, probability=probability, activation=activation, classes=classes, chips=chips
            )

    write_atomically(run / OUTPUTS_FILE, save)
    write_text(run / FINAL_FILE, json.dumps(facts, indent=1))
    return run / FINAL_FILE


def read(run: Path) -> Final:
    """What `finish` measured in a run."""
    facts: Final = json.loads((run / FINAL_FILE).read_text())
    return facts


def _of_seeds(
    files: list[Path], chips: NDArray[np.uint8], classes: NDArray[np.int64]
) -> dict[str, float]:
    """Accuracy of each seed's network."""
    networks = [stored.load(file) for file in files]
    return {
        f"{each.seed}": predict.accuracy(predict.logits_of(each.network, chips), classes)
        for each in networks
    }


def _set_figures(
    probability: NDArray[np.float32], classes: NDArray[np.int64], level: float
) -> SetFigures:
    share, size = calibrate.covered(probability, classes, level)
    return SetFigures(covered=round(share, 4), mean_size=round(size, 4))


def _in_browser(
    file: Path, chips: NDArray[np.uint8], native: NDArray[np.float32]
) -> BrowserFigures:
    probability = measure.browser_probabilities(file, chips)
    return BrowserFigures(
        largest_difference=float(np.abs(probability - native).max()),
        same_answers=int((probability.argmax(1) == native.argmax(1)).sum()),
        images=len(chips),
    )


def _chips(pictures: Pictures, factor: float, chip_px: int) -> NDArray[np.uint8]:
    """The chips of some pictures at a sharpness, shape (N, S, S, 3)."""
    if factor == 1.0:
        return predict.chips_of(pictures, chip_px)
    sharp = [at_sharpness(each, factor) for each in pictures.pixels]
    return np.stack([resample(each, chip_px) for each in sharp])

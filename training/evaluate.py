"""What the finished file does on pictures it never saw. The only place that opens the test part."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from pyapp.core.chip import resample
from pyapp.core.model import INPUT, PROBABILITY
from training import data
from training.calibrate import calibration_error, wilson

BATCH = 32
# Ground resolutions of the same pictures, against their own.
NATIVE = {"native": 1.0}
SHARPNESS = {**NATIVE, "half": 0.5, "one and a half": 1.5}


@dataclass(frozen=True)
class Score:
    """Figures on one set of pictures.

    Attributes
    ----------
    images : int
    accuracy : float
    interval : tuple of float
        95 %, by Wilson.
    calibration_error : float
    answered : float
        Share whose probability reaches the threshold.
    right_of_answered : float
    """

    images: int
    accuracy: float
    interval: tuple[float, float]
    calibration_error: float
    answered: float
    right_of_answered: float


def session(file: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """Native onnxruntime on a model's file; 0 threads: as many as there are cores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def probabilities(file: Path, chips: np.ndarray) -> np.ndarray:
    """Probabilities, float32 [N, C], that a model's file gives chips, uint8 [N, S, S, 3]."""
    running = session(file)
    batches = [chips[start : start + BATCH] for start in range(0, len(chips), BATCH)]
    return np.concatenate([running.run([PROBABILITY], {INPUT: each})[0] for each in batches])


def score(probability: np.ndarray, classes: np.ndarray, threshold: float) -> Score:
    """Figures of probabilities, float [N, C], against the right classes, int64 [N]."""
    correct = probability.argmax(1) == classes
    answered = probability.max(1) >= threshold
    return Score(
        images=len(classes),
        accuracy=float(correct.mean()),
        interval=wilson(int(correct.sum()), len(classes)),
        calibration_error=calibration_error(probability, classes),
        answered=float(answered.mean()),
        right_of_answered=float(correct[answered].mean()) if answered.any() else float("nan"),
    )


def at_sharpness(pixels: np.ndarray, factor: float) -> np.ndarray:
    """The same ground in imagery ``factor`` times as fine, uint8 [P, P, 3] to [fP, fP, 3]."""
    return resample(pixels, round(pixels.shape[0] * factor))


def test(
    file: Path,
    folder: Path,
    names: tuple[str, ...],
    settings,
    threshold: float,
    sharpness=SHARPNESS,
) -> dict[str, Score]:
    """Measure a model's file on the test pictures: once, at the end.

    Returns
    -------
    dict
        ``Score`` by the name of each sharpness of the imagery.
    """
    pictures = _test_part(folder, names, settings)
    chip_px = settings.ground.chip_px
    scores = {}
    for name, factor in sharpness.items():
        sharp = pictures.pixels if factor == 1.0 else [
            at_sharpness(each, factor) for each in pictures.pixels
        ]  # fmt: skip
        chips = np.stack([resample(each, chip_px) for each in sharp])
        scores[name] = score(probabilities(file, chips), pictures.classes, threshold)
    return scores


def _test_part(folder: Path, names: tuple[str, ...], settings) -> data.Pictures:
    if data.has_own_test(folder):
        return data.read(folder / data.TEST, data.SOURCE_PX, names)
    return data.split(data.read(folder, data.SOURCE_PX, names), settings.split.test, settings.seed)[
        1
    ]

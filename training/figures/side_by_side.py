"""Variants of one network measured side by side, and the choice among them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

import numpy as np
from tqdm import tqdm

from pyapp.core.model.prediction import PROBABILITY
from training.errors import TrainingError
from training.figures import calibrate, measure
from training.networks import predict
from training.networks.variants import FP32
from training.pictures.data import Pictures

# The teacher at its own size, to compare the variants with.
REFERENCE = "teacher, fp32"
# A file that takes longer than fp32 by more than this is no candidate; times scatter as much.
SCATTER = 1.1


class TimeFigures(TypedDict):
    """Milliseconds per chip, the least and the median of many runs."""

    least_ms: float
    median_ms: float


class MeasuredInBrowser(TypedDict, total=False):
    """Figures of a variant that need a browser; ``operators_ms`` is of fp32 only."""

    browser_ms: TimeFigures
    operators_ms: dict[str, float]


class Variant(MeasuredInBrowser):
    """Figures of one variant on validation pictures; differences are from fp32."""

    bytes: int
    brotli_bytes: int
    accuracy: float
    cross_entropy: float
    largest_difference: float
    same_answers: float
    native_ms: TimeFigures


def measured(candidates: Mapping[str, Path], validation: Pictures) -> dict[str, Variant]:
    """Figures of each file: sizes, accuracy on validation chips, times here and in the browser.

    Parameters
    ----------
    candidates : mapping of str to Path
        The variants' files by their names, `FP32` among them.
    validation : Pictures
    """
    classes = validation.classes
    said = {
        name: measure.outputs(file, predict.chips_of(validation, measure.chip_px_of(file)))
        for name, file in tqdm(candidates.items(), desc="measure", leave=False)
    }
    native, plain = measure.native_times(candidates), said[FP32][PROBABILITY]
    figures: dict[str, Variant] = {}
    for name, file in candidates.items():
        probability = said[name][PROBABILITY]
        figures[name] = {
            "bytes": file.stat().st_size,
            "brotli_bytes": measure.compressed_size(file),
            "accuracy": float((probability.argmax(1) == classes).mean()),
            "cross_entropy": calibrate.cross_entropy(probability, classes),
            "largest_difference": float(np.abs(probability - plain).max()),
            "same_answers": float((probability.argmax(1) == plain.argmax(1)).mean()),
            "native_ms": _facts_of(native[name]),
        }
    try:
        for name, times in measure.browser_times(candidates).items():
            figures[name]["browser_ms"] = _facts_of(times)
        figures[FP32]["operators_ms"] = measure.browser_operators(candidates[FP32])
    except TrainingError as error:
        tqdm.write(str(error))
    return figures


def _facts_of(times: measure.Times) -> TimeFigures:
    return TimeFigures(least_ms=times.least_ms, median_ms=times.median_ms)


def pick(figures: Mapping[str, Variant], largest_loss: float) -> str:
    """The smallest download among the variants that lose little and aren't slower than fp32.

    Parameters
    ----------
    figures : mapping of str to Variant
    largest_loss : float
        Of accuracy, compared with fp32.
    """
    fp32 = figures[FP32]
    candidates = [
        name
        for name, each in figures.items()
        if name != REFERENCE
        and each["accuracy"] >= fp32["accuracy"] - largest_loss
        and not _slower(each, fp32)
    ]
    return min(candidates, key=lambda name: figures[name]["brotli_bytes"])


def _slower(variant: Variant, fp32: Variant) -> bool:
    """By the least time and by the median: on a busy machine either may be off on its own."""
    if "browser_ms" in fp32:
        ours, theirs = variant["browser_ms"], fp32["browser_ms"]
    else:
        ours, theirs = variant["native_ms"], fp32["native_ms"]
    return (
        ours["least_ms"] > SCATTER * theirs["least_ms"]
        and ours["median_ms"] > SCATTER * theirs["median_ms"]
    )

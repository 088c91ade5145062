"""Smaller files of one network, measured side by side; the best of them goes to the page."""

import json
from pathlib import Path
from typing import TypedDict

from training.figures import measure, side_by_side
from training.figures.side_by_side import REFERENCE, Variant
from training.files import write_atomically, write_text
from training.networks import onnx_file, predict, stored
from training.networks.variants import Maker
from training.pictures import dataset
from training.run import (
    COMPRESSION_FILE,
    DEVELOPMENT_FILE,
    FINAL_FOLDER,
    NETWORK_FILE,
    SHIPPED_FILE,
    TEACHER_FOLDER,
    VARIANTS_FOLDER,
)
from training.settings import Settings
from training.steps import evaluate
from training.steps.evaluate import Answer, fit_answer


class Compression(TypedDict):
    """What ``compression.json`` holds."""

    shipped: str
    variants: dict[str, Variant]
    answer: Answer


def compress(chosen: Path, fp32: Path, folder: Path, run: Path, settings: Settings) -> Path:
    """Make the variants, measure them on validation chips, and pick the one to ship.

    The variants measured are of the network that never saw those chips; the one shipped is made in
    the same way from the chosen network.

    Parameters
    ----------
    chosen : Path
        The weights that `evaluate` chose.
    fp32 : Path
        The graph that `export` made from them.
    folder : Path
        The data.
    run : Path
        Where variants and figures go.
    settings : Settings

    Returns
    -------
    Path
        The file to ship; beside it ``compression.json``.

    Raises
    ------
    TrainingError
        If a network or the data can't be read, or a file can't be written.
    """
    learning, validation = dataset.learning_and_validation(folder, settings)
    place, development = run / VARIANTS_FOLDER, run / DEVELOPMENT_FILE
    temperature = evaluate.read(run)["temperature"]
    unseen = stored.load(development)
    plain = onnx_file.to_onnx(unseen.network, temperature, unseen.chip_px, place / "fp32.onnx")
    trial = Maker(development, plain, learning, place, temperature, settings)
    candidates = {name: trial.make(name) for name in trial.names()}
    if settings.student.views:
        teacher = stored.load(run / TEACHER_FOLDER / NETWORK_FILE)
        candidates[REFERENCE] = onnx_file.to_onnx(
            teacher.network, temperature, teacher.chip_px, place / "teacher.onnx"
        )
    figures = side_by_side.measured(candidates, validation)
    best = side_by_side.pick(figures, settings.compress.largest_loss)
    made = candidates[best]
    if settings.split.use_all:
        both, final_place = learning.joined(validation), run / FINAL_FOLDER / VARIANTS_FOLDER
        made = Maker(chosen, fp32, both, final_place, temperature, settings).make(best)
    shipped = run / SHIPPED_FILE
    write_atomically(shipped, lambda path: path.write_bytes(made.read_bytes()))
    said = measure.outputs(candidates[best], predict.chips_of(validation, unseen.chip_px))
    facts = Compression(
        shipped=best,
        variants=figures,
        answer=fit_answer(said, validation.classes, settings.answer),
    )
    write_text(run / COMPRESSION_FILE, json.dumps(facts, indent=1))
    return shipped


def read(run: Path) -> Compression:
    """What `compress` found in a run."""
    facts: Compression = json.loads((run / COMPRESSION_FILE).read_text())
    return facts

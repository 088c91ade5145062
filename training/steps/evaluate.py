"""Choose the best network and calibrate it, on validation pictures and never on test pictures."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor

from pyapp.core.model.prediction import ACTIVATION, PROBABILITY, familiarity
from training.figures import calibrate, probe
from training.figures.probe import Probe
from training.files import write_text
from training.networks import predict, stored
from training.networks.stored import TrainedNetwork
from training.pictures import dataset
from training.run import CHOSEN_FILE, DEVELOPMENT_FILE, EVALUATION_FILE
from training.settings import AnswerSettings, Settings
from training.steps.train import Trained

AVERAGE = "average of all seeds"


class Candidate(TypedDict):
    """Figures of one network on validation pictures; cross-entropy is after scaling."""

    accuracy: float
    cross_entropy: float
    temperature: float
    calibration_error_before: float
    calibration_error: float


class Evaluation(TypedDict):
    """What ``evaluation.json`` holds."""

    chosen: str
    temperature: float
    candidates: dict[str, Candidate]
    validation_images: int
    source_probe: Probe | None


class Answer(TypedDict):
    """What the page goes by; see the table of doubts in docs/design.md."""

    threshold: float
    sets: dict[str, float]
    familiar: float


def evaluate(trained: Trained, folder: Path, run: Path, settings: Settings) -> Path:
    """Choose among the networks of all seeds and their average; fit the temperature.

    The average of the weights (Wortsman et al., Model Soups, ICML 2022) is a candidate if the
    seeds started from the same network. The choice is made among the networks that never saw the
    validation pictures; what goes on is its counterpart, made in the same way from all pictures.

    Parameters
    ----------
    trained : Trained
        What `train` gave.
    folder : Path
        The data.
    run : Path
        Where the result goes.
    settings : Settings

    Returns
    -------
    Path
        The chosen weights; beside them their counterpart that never saw the validation pictures
        (``development.pt``), and ``evaluation.json``.

    Raises
    ------
    TrainingError
        If a network or the data can't be read, or a file can't be written.
    """
    _, validation = dataset.learning_and_validation(folder, settings)
    candidates = _candidates(trained.development, settings)
    figures: dict[str, Candidate] = {}
    for name, each in candidates.items():
        chips = predict.chips_of(validation, each.chip_px)
        figures[name] = _figures(predict.logits_of(each.network, chips), validation.classes)
    best = min(
        figures, key=lambda name: (-figures[name]["accuracy"], figures[name]["cross_entropy"])
    )
    stored.save(run / DEVELOPMENT_FILE, candidates[best])
    stored.save(run / CHOSEN_FILE, _candidates(trained.final, settings)[best])
    facts = Evaluation(
        chosen=best,
        temperature=figures[best]["temperature"],
        candidates=figures,
        validation_images=len(validation.classes),
        source_probe=probe.measure(candidates[best], validation),
    )
    write_text(run / EVALUATION_FILE, json.dumps(facts, indent=1))
    return run / CHOSEN_FILE


def read(run: Path) -> Evaluation:
    """What `evaluate` found in a run."""
    facts: Evaluation = json.loads((run / EVALUATION_FILE).read_text())
    return facts


def _figures(logits: Tensor, classes: NDArray[np.int64]) -> Candidate:
    temperature = calibrate.fit_temperature(logits, classes)
    scaled = logits / temperature
    return Candidate(
        accuracy=predict.accuracy(logits, classes),
        cross_entropy=nnf.cross_entropy(scaled, torch.from_numpy(classes)).item(),
        temperature=temperature,
        calibration_error_before=_error(logits, classes),
        calibration_error=_error(scaled, classes),
    )


def _candidates(files: list[Path], settings: Settings) -> dict[str, TrainedNetwork]:
    """Trained networks by what the report calls them."""
    networks = [stored.load(file) for file in files]
    found = {f"seed {each.seed}": each for each in networks}
    if len(found) > 1 and (settings.student.views or settings.student.narrow):
        found[AVERAGE] = _averaged(networks)
    return found


def _averaged(trained: list[TrainedNetwork]) -> TrainedNetwork:
    """A network whose weights are the mean of the others'."""
    states = [each.network.state_dict() for each in trained]
    network = copy.deepcopy(trained[0].network)
    network.load_state_dict(
        {name: torch.stack([each[name] for each in states]).mean(0) for name in states[0]}
    )
    seeds = [each.seed for each in trained if isinstance(each.seed, int)]
    return replace(trained[0], network=network, seed=seeds)


def _error(logits: Tensor, classes: NDArray[np.int64]) -> float:
    return calibrate.calibration_error(torch.softmax(logits, 1).numpy(), classes)


def fit_answer(
    said: dict[str, NDArray[np.float32]], classes: NDArray[np.int64], how: AnswerSettings
) -> Answer:
    """What the page goes by, fitted to what the shipped file says of validation chips.

    Parameters
    ----------
    said : dict of str to ndarray
        The file's outputs, as the contract in docs/design.md names them.
    classes : ndarray of int64, shape (N,)
        The right classes.
    how : AnswerSettings
    """
    probability = said[PROBABILITY]
    scores = familiarity(said[ACTIVATION])
    return Answer(
        threshold=calibrate.fit_threshold(probability, classes, how.right),
        sets={
            f"{coverage:g}": round(calibrate.fit_sets(probability, classes, coverage), 6)
            for coverage in how.coverage
        },
        familiar=round(calibrate.fit_familiarity(scores, how.familiar), 4),
    )

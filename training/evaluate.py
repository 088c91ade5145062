"""Which network is best, and how sure it may be: all on validation pictures, none on the test's."""

import copy
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from pyapp.core.model.prediction import familiarity
from training import calibrate, learn
from training.files import write_text
from training.train import Trained, parts

CHOSEN, DEVELOPMENT, EVALUATION = "chosen.pt", "development.pt", "evaluation.json"
AVERAGE = "average of all seeds"


def evaluate(trained: Trained, folder: Path, run: Path, settings) -> Path:
    """Choose among the networks of all seeds and their average; fit the temperature.

    The average of the weights (Wortsman et al., Model Soups, ICML 2022) is a candidate where the
    seeds went on from the same network. All is chosen among the networks that never saw the
    validation pictures; what goes on is the one made in the same way of all pictures.

    Parameters
    ----------
    trained : Trained
        What `train` gave.
    folder : Path
        The data.
    run : Path
        Where the result goes.
    settings : namespace

    Returns
    -------
    Path
        The chosen weights; beside them its twin that never saw the validation pictures
        (``development.pt``), and ``evaluation.json``.
    """
    _, validation = parts(folder, settings)
    wanted = torch.from_numpy(validation.classes)
    candidates = _candidates(trained.development, settings)
    figures = {}
    for name, each in candidates.items():
        chips = learn.chips_of(validation, each.chip_px)
        logits = learn.logits_of(each.network, chips)
        temperature = calibrate.fit_temperature(logits, validation.classes)
        figures[name] = {
            "accuracy": learn.accuracy(logits, validation.classes),
            "cross_entropy": nnf.cross_entropy(logits / temperature, wanted).item(),
            "temperature": temperature,
            "calibration_error_before": _error(logits, validation.classes),
            "calibration_error": _error(logits / temperature, validation.classes),
        }
    best = min(
        figures, key=lambda name: (-figures[name]["accuracy"], figures[name]["cross_entropy"])
    )
    learn.save(run / DEVELOPMENT, candidates[best])
    learn.save(run / CHOSEN, _candidates(trained.final, settings)[best])
    facts = {
        "chosen": best,
        "temperature": figures[best]["temperature"],
        "candidates": figures,
        "validation_images": len(wanted),
    }
    write_text(run / EVALUATION, json.dumps(facts, indent=1))
    return run / CHOSEN


def _candidates(files: list[Path], settings) -> dict:
    """Trained networks by what the report calls them."""
    found = {f"seed {each.seed}": each for each in map(learn.load, files)}
    if len(found) > 1 and settings.pupil.views:
        found[AVERAGE] = _averaged(list(found.values()))
    return found


def _averaged(trained: list):
    """A network whose weights are the mean of others'."""
    whole = copy.copy(trained[0])
    states = [each.network.state_dict() for each in trained]
    whole.network = copy.deepcopy(whole.network)
    whole.network.load_state_dict(
        {name: torch.stack([each[name] for each in states]).mean(0) for name in states[0]}
    )
    whole.seed = [each.seed for each in trained]
    return whole


def _error(logits: Tensor, classes: np.ndarray) -> float:
    return calibrate.calibration_error(torch.softmax(logits, 1).numpy(), classes)


def fitted(said: dict[str, np.ndarray], classes: np.ndarray, how) -> dict:
    """What the page goes by, fitted to what the shipped file says of validation chips.

    Parameters
    ----------
    said : dict of str to array
        The file's outputs.
    classes : int64 [N]
    how : namespace
        The table ``answer`` of the settings.
    """
    probability = said["probability"]
    scores = familiarity(said["activation"])
    return {
        "threshold": calibrate.fit_threshold(probability, classes, how.right),
        "sets": {
            f"{coverage:g}": round(calibrate.fit_sets(probability, classes, coverage), 6)
            for coverage in how.coverage
        },
        "familiar": round(calibrate.fit_familiarity(scores, how.familiar), 4),
    }

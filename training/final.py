"""The test: what the finished file does on pictures that nothing was chosen by.

The only module that opens the test part, and it does so once for a run: whoever looks, changes the
run and looks again has begun to choose by the test. Every opening is written down, and told in the
report.
"""

import dataclasses
import datetime
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from pyapp.core.imagery.chip import resample
from pyapp.core.model.prediction import familiarity
from training import calibrate, data, learn, measure
from training.compress import COMPRESSION
from training.errors import TrainingError
from training.evaluate import CHOSEN, EVALUATION
from training.files import write_text, write_whole
from training.train import Trained

OPENED, FINAL, SAID = "test-opened.json", "final.json", "final.npz"
# Ground resolutions of the same pictures, against their own.
SHARPNESS = {"native": 1.0, "half": 0.5, "one and a half": 1.5}


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


def score(probability: np.ndarray, classes: np.ndarray, threshold: float) -> Score:
    """Figures of probabilities, float [N, C], against the right classes, int64 [N]."""
    correct = probability.argmax(1) == classes
    answered = probability.max(1) >= threshold
    return Score(
        images=len(classes),
        accuracy=float(correct.mean()),
        interval=calibrate.wilson(int(correct.sum()), len(classes)),
        calibration_error=calibrate.calibration_error(probability, classes),
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
) -> dict[str, Score]:
    """Measure a model's file on the test pictures.

    Returns
    -------
    dict
        ``Score`` by the name of each sharpness of the imagery.
    """
    return _scores(file, test_part(folder, names, settings), threshold)


def _scores(file: Path, pictures: data.Pictures, threshold: float) -> dict[str, Score]:
    side = measure.chip_px_of(file)
    said = {
        name: measure.probabilities(file, _chips(pictures, factor, side))
        for name, factor in SHARPNESS.items()
    }
    return {name: score(each, pictures.classes, threshold) for name, each in said.items()}


def finish(shipped: Path, fp32: Path, trained: Trained, folder: Path, run: Path, settings,
           again: bool = False) -> Path:  # fmt: skip
    """Open the test pictures, once, and measure everything that the report tells of them.

    Parameters
    ----------
    shipped, fp32 : Path
        The file for the page, and the graph it was made from.
    trained : Trained
        The weights of every seed.
    folder, run : Path
        The data; where the figures go.
    settings : namespace
    again : bool
        Open them although another file of this run was measured before.

    Returns
    -------
    Path
        ``final.json``; beside it what the shipped file said, for the pictures of the report.

    Raises
    ------
    TrainingError
        Where the test was opened before, for another file.
    """
    if not _note_opening(shipped, run, again):
        return run / FINAL
    answer = json.loads((run / COMPRESSION).read_text())["answer"]
    temperature = json.loads((run / EVALUATION).read_text())["temperature"]
    chosen = learn.load(run / CHOSEN)
    names = chosen.names
    pictures = test_part(folder, names, settings)
    classes, side = pictures.classes, chosen.chip_px
    chips = _chips(pictures, 1.0, side)
    said = measure.outputs(shipped, chips)
    plain = measure.probabilities(fp32, chips)
    development, seeds = (_of_seeds(files, chips, classes) for files in trained)
    of_torch = torch.softmax(learn.logits_of(chosen.network, chips) / temperature, 1).numpy()
    sharp = _scores(shipped, pictures, answer["threshold"])
    facts = {
        "shipped": {name: rounded(each) for name, each in sharp.items()},
        "fp32": rounded(score(plain, classes, answer["threshold"])),
        "seeds": seeds,
        "seeds_mean": round(float(np.mean(list(seeds.values()))), 4),
        "development_seeds": development,
        "sets": {
            coverage: _set_figures(said["probability"], classes, level)
            for coverage, level in answer["sets"].items()
        },
        "familiar": round(float((familiarity(said["activation"]) >= answer["familiar"]).mean()), 4),
        "reliability": [list(each) for each in calibrate.reliability(said["probability"], classes)],
        "torch_against_onnxruntime": float(np.abs(of_torch - plain).max()),
        "int8_against_fp32": float(np.abs(said["probability"] - plain).max()),
    }
    try:
        browser = measure.browser_probabilities(shipped, chips)
        facts["onnxruntime_against_browser"] = {
            "largest_difference": float(np.abs(browser - said["probability"]).max()),
            "same_answers": int((browser.argmax(1) == said["probability"].argmax(1)).sum()),
            "images": len(classes),
        }
    except TrainingError as error:
        tqdm.write(str(error))
    contents = {"probability": said["probability"], "activation": said["activation"],
                "classes": classes, "chips": chips}  # fmt: skip
    write_whole(run / SAID, lambda path: _save(path, contents))
    write_text(run / FINAL, json.dumps(facts, indent=1))
    return run / FINAL


def _of_seeds(files: list[Path], chips: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """Accuracy of each seed's network."""
    networks = [learn.load(file) for file in files]
    return {
        f"{each.seed}": learn.accuracy(learn.logits_of(each.network, chips), classes)
        for each in networks
    }


def _set_figures(probability: np.ndarray, classes: np.ndarray, level: float) -> dict[str, float]:
    covered, size = calibrate.covered(probability, classes, level)
    return {"covered": round(covered, 4), "mean_size": round(size, 4)}


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _note_opening(shipped: Path, run: Path, again: bool) -> bool:
    """Write down that the test is opened; not where its figures for this very file are there."""
    note = run / OPENED
    openings = json.loads(note.read_text()) if note.exists() else []
    sha256 = hashlib.sha256(shipped.read_bytes()).hexdigest()
    others = [each for each in openings if each["sha256"] != sha256]
    if openings and not others and (run / FINAL).exists():
        return False
    if others and not again:
        raise TrainingError(
            f"The test pictures were opened on {others[-1]['date']} for another file of this run. "
            "To measure a changed one on them is to choose by the test. Train under a new --name, "
            "or say --again; the report will tell."
        )
    now = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    write_text(note, json.dumps([*openings, {"date": now, "sha256": sha256}], indent=1))
    return True


def rounded(figures: Score) -> dict:
    """Figures as a report shows them."""
    return {
        name: _rounded_all(value) if isinstance(value, tuple) else
        round(value, 4) if isinstance(value, float) else value
        for name, value in dataclasses.asdict(figures).items()
    }  # fmt: skip


def _rounded_all(values) -> list[float]:
    return [round(each, 4) for each in values]


def _chips(pictures: data.Pictures, factor: float, chip_px: int) -> np.ndarray:
    sharp = pictures.pixels
    if factor != 1.0:
        sharp = [at_sharpness(each, factor) for each in sharp]
    return np.stack([resample(each, chip_px) for each in sharp])


def everything(folder: Path, settings) -> data.Pictures:
    """All pictures, those of the test too: for other splits, with networks of their own."""
    if not data.has_own_test(folder):
        return data.read(folder, data.SOURCE_PX)
    own = data.read(folder / data.TRAIN, data.SOURCE_PX)
    test = data.read(folder / data.TEST, data.SOURCE_PX, own.names)
    return own.with_(test)


def test_part(folder: Path, names: tuple[str, ...], settings) -> data.Pictures:
    """The pictures that nothing may be chosen by."""
    if data.has_own_test(folder):
        return data.read(folder / data.TEST, data.SOURCE_PX, names)
    everything = data.read(folder, data.SOURCE_PX, names)
    return data.split(everything, settings.split.test, settings.split.seed)[1]

"""From trained weights to ``models/<name>``: calibrated, exported, measured, with its card."""

import dataclasses
import datetime
import hashlib
import json
import platform
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from pyapp.core.model import Card
from training import calibrate, data, evaluate, export, train
from training.files import write_whole
from training.network import MEAN, SPREAD

# Readable names where the folders of UC Merced are not.
READABLE = {
    "agricultural": "farmland",
    "baseballdiamond": "baseball diamond",
    "denseresidential": "dense residential area",
    "golfcourse": "golf course",
    "harbor": "harbour",
    "mediumresidential": "medium residential area",
    "mobilehomepark": "mobile home park",
    "parkinglot": "parking lot",
    "sparseresidential": "sparse residential area",
    "storagetanks": "storage tanks",
    "tenniscourt": "tennis court",
}
UC_MERCED = (
    "UC Merced Land Use (Yang and Newsam, ACM SIGSPATIAL GIS 2010), cut from USGS National Map "
    "Urban Area Imagery (public domain)"
)
WEIGHTS = "EfficientNet-Lite0 pretrained on ImageNet (Apache 2.0)"
FP32, MODEL, CARD, INDEX = "model-fp32.onnx", "model.onnx", "card.json", "index.json"


def publish(run: Path, folder: Path, models: Path, settings) -> Path:
    """Calibrate, export, shrink and measure a trained network, and put it where the page looks.

    Parameters
    ----------
    run : Path
        The folder of the run, with the trained weights.
    folder : Path
        The data.
    models : Path
        The folder of models.
    settings : namespace

    Returns
    -------
    Path
        ``models/<name>``.
    """
    network, names, history = train.load(run / train.RESULT)
    chip_px = settings.ground.chip_px
    pictures = data.training_part(folder, data.SOURCE_PX, settings)
    _, validation = data.split(pictures, settings.split.validation, settings.seed)
    chips = train.chips_of(validation, chip_px)

    logits = train.logits_of(network, chips)
    temperature = calibrate.fit_temperature(logits, validation.classes)
    fp32 = export.to_onnx(network, temperature, chip_px, run / FP32)
    small = export.store_as_int8(fp32, run / "model-int8.onnx")
    # The threshold is set on what the shipped file says, not on what it was made from.
    said = evaluate.probabilities(small, chips)
    threshold = calibrate.fit_threshold(said, validation.classes, settings.answer.right)
    measured = {
        "validation": _figures(evaluate.score(said, validation.classes, threshold)),
        "validation_error_unscaled": round(
            calibrate.calibration_error(torch.softmax(logits, 1).numpy(), validation.classes), 4
        ),
        "test": {
            name: _figures(each)
            for name, each in evaluate.test(small, folder, names, settings, threshold).items()
        },
        "test_fp32": _figures(
            evaluate.test(fp32, folder, names, settings, threshold, evaluate.NATIVE)["native"]
        ),
        "torch_against_onnxruntime": parity(network, temperature, fp32, chips[:64]),
    }
    card = _card(settings, names, temperature, threshold, measured, history)
    place = models / settings.name
    export.write_facts(small, place / MODEL, card)
    _write_card(place, card)
    _write_index(models)
    return place


def parity(network, temperature: float, file: Path, chips: np.ndarray) -> float:
    """Largest difference of a probability between torch and onnxruntime."""
    logits = train.logits_of(network, chips)
    wanted = torch.softmax(logits / temperature, 1).numpy()
    return float(np.abs(evaluate.probabilities(file, chips) - wanted).max())


def label_of(name: str) -> str:
    """A class folder's name as a person reads it."""
    return READABLE.get(name, name.replace("_", " ").replace("-", " ").lower())


def _figures(score: evaluate.Score) -> dict:
    figures = dataclasses.asdict(score)
    figures["interval"] = [round(each, 4) for each in score.interval]
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in figures.items()
    }


def _card(settings, names, temperature, threshold, measured, history) -> dict:
    ground = settings.ground
    merced = set(READABLE) <= set(names)
    return {
        "name": settings.name,
        "title": settings.title,
        "model_type": "Recognition",
        "class_names": {str(number): name for number, name in enumerate(names)},
        "labels": [label_of(name) for name in names],
        "resolution": round(100 * ground.footprint_m / ground.chip_px, 4),
        "footprint_m": ground.footprint_m,
        "tile_size": ground.chip_px,
        "tiles_size": ground.chip_px,
        "tiles_overlap": 0,
        "standardization_mean": [MEAN / 255] * 3,
        "standardization_std": [SPREAD / 255] * 3,
        "temperature": round(temperature, 6),
        "threshold": threshold,
        "training_data": UC_MERCED if merced else "a folder of class folders",
        "weights": WEIGHTS,
        "licence": "MIT for this model; " + WEIGHTS,
        "storage": "weights int8 with one scale an output channel, computed in fp32",
        "measured": measured,
        "epochs": len(history),
        "seed": settings.seed,
        "made_with": {
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "onnxruntime": onnxruntime.__version__,
            "hardware": f"{platform.machine()}, {torch.get_num_threads()} threads",
        },
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }


def _write_card(place: Path, facts: dict) -> None:
    contents = (place / MODEL).read_bytes()
    facts = facts | {
        "sha256": hashlib.sha256(contents).hexdigest(),
        "size_bytes": len(contents),
    }
    text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
    Card.from_json(facts["name"], text)
    write_whole(place / CARD, lambda path: path.write_text(text, encoding="utf-8"))


def _write_index(models: Path) -> None:
    """List the models; the first made stays the page's default."""
    index = models / INDEX
    listed = json.loads(index.read_text()) if index.exists() else {}
    cards = [json.loads(each.read_text()) for each in sorted(models.glob(f"*/{CARD}"))]
    names = [each["name"] for each in cards]
    default = listed.get("default")
    facts = {
        "default": default if default in names else names[0],
        "models": [{"name": each["name"], "title": each["title"]} for each in cards],
    }
    text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
    write_whole(index, lambda path: path.write_text(text, encoding="utf-8"))

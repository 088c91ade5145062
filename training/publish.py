"""Put the finished model, with its card, where the page looks: ``models/<name>``."""

import datetime
import hashlib
import json
import platform
import re
import shutil
from pathlib import Path

import onnxruntime
import torch

from pyapp.core.model.card import Card
from training import export, learn, lite
from training.compress import COMPRESSION, FP32, REFERENCE
from training.evaluate import CHOSEN, EVALUATION
from training.files import write_text
from training.final import FINAL
from training.golden import write_golden

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
MODEL, CARD, INDEX = "model.onnx", "card.json", "index.json"
# The figures of a report stay with the run: they show training pictures.
PICTURE = re.compile(r"^!\[.*\n+", re.MULTILINE)


def publish(shipped: Path, run: Path, models: Path, settings) -> Path:
    """Write the facts into the model and its card, and list it.

    Parameters
    ----------
    shipped : Path
        The file that `compress` picked.
    run : Path
        The folder of the run, with the figures of every step.
    models : Path
        The folder of models.
    settings : namespace

    Returns
    -------
    Path
        ``models/<name>``.
    """
    place = models / settings.name
    facts = card(run, settings)
    export.write_facts(shipped, place / MODEL, facts)
    _write_card(place, facts)
    shutil.copyfile(run / "report.json", place / "report.json")
    report = (run / "report.md").read_text(encoding="utf-8")
    write_text(place / "report.md", PICTURE.sub("", report))
    _write_index(models)
    return place


def label_of(name: str) -> str:
    """A class folder's name as a person reads it."""
    return READABLE.get(name, name.replace("_", " ").replace("-", " ").lower())


def card(run: Path, settings) -> dict:
    """Everything that a model says of itself, but for its file's size and hash."""
    evaluation, compression, final = (
        json.loads((run / name).read_text()) for name in (EVALUATION, COMPRESSION, FINAL)
    )
    chosen = learn.load(run / CHOSEN)
    ground, answer, names = settings.ground, compression["answer"], chosen.names
    merced = set(READABLE) <= set(names)
    weights = weights_of(chosen.network.backbone)
    return {
        "name": settings.name,
        "title": settings.title,
        "model_type": "Recognition",
        "class_names": {str(number): name for number, name in enumerate(names)},
        "labels": [label_of(name) for name in names],
        "resolution": round(100 * ground.footprint_m / chosen.chip_px, 4),
        "footprint_m": ground.footprint_m,
        "tile_size": chosen.chip_px,
        "tiles_size": chosen.chip_px,
        "tiles_overlap": 0,
        "standardization_mean": [round(each / 255, 6) for each in chosen.network.mean],
        "standardization_std": [round(each / 255, 6) for each in chosen.network.spread],
        "temperature": round(evaluation["temperature"], 6),
        "threshold": answer["threshold"],
        "sets": answer["sets"],
        "familiar": answer["familiar"],
        "training_data": UC_MERCED if merced else "a folder of class folders",
        "weights": weights,
        "licence": "MIT for this model; " + weights,
        "storage": compression["shipped"],
        "why_this_one": why(compression),
        "measured": {
            "validation": evaluation["candidates"][evaluation["chosen"]]
            | {"images": evaluation["validation_images"], "chosen": evaluation["chosen"]},
            "test": final["shipped"],
            "test_fp32": final["fp32"],
            "test_seeds": final["seeds"],
            "test_sets": final["sets"],
            "torch_against_onnxruntime": final["torch_against_onnxruntime"],
            "onnxruntime_against_browser": final.get("onnxruntime_against_browser"),
        },
        "epochs": len(chosen.history),
        "seed": chosen.seed,
        "made_with": made_with(),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }


def why(compression: dict) -> str:
    """Why the shipped file is the one, in a sentence."""
    figures, name = compression["variants"], compression["shipped"]
    own, whole = figures[name], figures[FP32]
    size = own["brotli_bytes"] / 1e6
    return (
        f"Of {len(figures) - (REFERENCE in figures)} variants, {name} is the smallest download "
        f"({size:.2f} MB with brotli, fp32 {whole['brotli_bytes'] / 1e6:.2f} MB) among those that "
        f"lose little on validation pictures ({100 * own['accuracy']:.1f} %, fp32 "
        f"{100 * whole['accuracy']:.1f} %) and are no slower than fp32 in the browser."
    )


def weights_of(backbone: str) -> str:
    """Where a backbone's first weights are from."""
    if backbone in lite.SCALES:
        return f"{backbone} pretrained on ImageNet (Apache 2.0)"
    return f"{backbone} pretrained on ImageNet by torchvision (BSD 3-Clause)"


def made_with() -> dict[str, str]:
    """Versions and hardware."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "onnxruntime": onnxruntime.__version__,
        "hardware": f"{platform.machine()}, {torch.get_num_threads()} threads",
    }


def _write_card(place: Path, facts: dict) -> None:
    contents = (place / MODEL).read_bytes()
    facts = facts | {
        "sha256": hashlib.sha256(contents).hexdigest(),
        "size_bytes": len(contents),
    }
    text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
    write_text(place / CARD, text)
    write_golden(place, Card.from_json(facts["name"], text))


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
    write_text(index, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")

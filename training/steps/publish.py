"""Put the finished model, with its card, where the page looks: ``models/<name>``."""

import datetime
import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from pyapp.core.model.card import Card
from pyapp.core.model.listing import ListedModel, models_to_json
from training.figures.golden import write_golden
from training.files import write_text
from training.networks import onnx_file, stored
from training.pictures.dataset import DESCRIBED
from training.run import CHOSEN_FILE, JSON_FILE, MARKDOWN_FILE
from training.settings import Settings
from training.steps import begin, compress, evaluate, final, model_readme
from training.steps.begin import CARD_FILE, INDEX_FILE, MODEL_FILE
from training.steps.describe import (
    Learned,
    labels_of,
    learned_from,
    learned_from_project,
    made_with,
    weights_before,
    weights_of,
    why,
)

# The figures of a report stay with the run, because they show training pictures.
FIGURE = re.compile(r"^!\[.*\n+", re.MULTILINE)

Facts = dict[str, object]


def publish(shipped: Path, run: Path, models: Path, settings: Settings) -> Path:
    """Write the facts into the model and its card, and add it to the list of models.

    Parameters
    ----------
    shipped : Path
        The file that `compress` picked.
    run : Path
        The folder of the run, with the figures of every step.
    models : Path
        The folder of models.
    settings : Settings

    Returns
    -------
    Path
        ``models/<name>``.

    Raises
    ------
    TrainingError
        If a file can't be written.
    """
    place = models / settings.name
    facts = card_facts(run, settings)
    onnx_file.write_facts(shipped, place / MODEL_FILE, facts)
    _write_card(place, settings.name, facts)
    model_readme.write(place / CARD_FILE, place / MODEL_FILE)
    shutil.copyfile(run / JSON_FILE, place / JSON_FILE)
    markdown = (run / MARKDOWN_FILE).read_text(encoding="utf-8")
    write_text(place / MARKDOWN_FILE, FIGURE.sub("", markdown))
    _write_index(models)
    return place


def write_readmes(models: Path) -> None:
    """Write again what lies beside each model for people and catalogues, from its card."""
    for card in sorted(models.glob(f"*/{CARD_FILE}")):
        model_readme.write(card, card.with_name(MODEL_FILE))


def write_goldens(models: Path) -> None:
    """Write again what each model answers on the built-in imagery, which the page is judged by."""
    for file in sorted(models.glob(f"*/{CARD_FILE}")):
        card = Card.from_json(file.parent.name, file.read_text(encoding="utf-8"))
        write_golden(file.parent, file.with_name(MODEL_FILE), card)


def card_facts(run: Path, settings: Settings) -> Facts:
    """Everything that a model says about itself, except the size and hash of its file."""
    evaluation, compression, figures = evaluate.read(run), compress.read(run), final.read(run)
    chosen = stored.load(run / CHOSEN_FILE)
    ground, answer, names = settings.ground, compression["answer"], chosen.names
    begun = begin.read(run)
    if begun:
        learned, weights = learned_from_project(begun), weights_before(begun)
    else:
        learned = learned_from(names, settings, DESCRIBED)
        weights = weights_of(chosen.network.backbone)
    return {
        "name": settings.name,
        "title": settings.title,
        "model_type": "Recognition",
        "class_names": {str(number): name for number, name in enumerate(names)},
        "labels": labels_of(names, begun),
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
        "training_data": learned.data,
        "weights": weights,
        **({"project": begun} if begun else {}),
        **licence_facts(learned, weights),
        "storage": compression["shipped"],
        "why_this_one": why(compression),
        "measured": {
            "validation": {
                **evaluation["candidates"][evaluation["chosen"]],
                "images": evaluation["validation_images"],
                "chosen": evaluation["chosen"],
            },
            "test": figures["shipped"],
            "test_fp32": figures["fp32"],
            "test_seeds": figures["seeds"],
            "test_sets": figures["sets"],
            "torch_against_onnxruntime": figures["torch_against_onnxruntime"],
            "onnxruntime_against_browser": figures.get("onnxruntime_against_browser"),
        },
        "epochs": len(chosen.history),
        "seed": chosen.seed,
        "made_with": made_with(),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }


def licence_facts(learned: Learned, weights: str) -> Facts:
    """What a card says about the use of a model; ``use`` only if it is limited."""
    if learned.restriction is None:
        return {"licence": "MIT for this model; " + weights}
    return {"licence": f"research use: {learned.restriction}; {weights}", "use": "research"}


def _write_card(place: Path, name: str, facts: Mapping[str, object]) -> None:
    contents = (place / MODEL_FILE).read_bytes()
    facts = {
        **facts,
        "sha256": hashlib.sha256(contents).hexdigest(),
        "size_bytes": len(contents),
    }
    text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
    write_text(place / CARD_FILE, text)
    write_golden(place, place / MODEL_FILE, Card.from_json(name, text))


def _write_index(models: Path) -> None:
    """List the models; the first one made stays the page's default."""
    index = models / INDEX_FILE
    listed = json.loads(index.read_text()) if index.exists() else {}
    cards = sorted(models.glob(f"*/{CARD_FILE}"))
    found = [ListedModel.of_card(json.loads(each.read_text())) for each in cards]
    names, default = [each.name for each in found], listed.get("default")
    write_text(index, models_to_json(default if default in names else names[0], found))

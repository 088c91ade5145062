"""Begin with a project of the Teach room: find the network that it goes on from, and note whose."""

import json
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np

from pyapp.core.errors import CardError
from pyapp.core.model.card import Card
from pyapp.core.model.listing import TOO_COARSE
from training.errors import TrainingError
from training.files import write_text
from training.networks import from_onnx, stored
from training.networks.stored import TrainedNetwork
from training.pictures import project
from training.pictures.project import TEST_FOLD, VALIDATION_FOLD, Taught
from training.run import CHOSEN_FILE, PROJECT_FILE, START_FILE
from training.settings import Settings

CARD_FILE, MODEL_FILE, INDEX_FILE = "card.json", "model.onnx", "index.json"
# How far the ground of an example may be from that of the model, as a share of it.
SAME_GROUND = 0.05
UNNAMED = "project"


class StartedFrom(TypedDict):
    """The model that was trained on; ``weights`` says where its weights were read."""

    model: str
    sha256: str
    weights: str
    licence: str
    research_only: bool
    pretrained: str


class Places(TypedDict):
    """Number of places, and of examples in each part."""

    places: int
    learning: int
    validation: int
    test: int


class ProjectFacts(TypedDict):
    """What ``project.json`` and a card say of a project; ``classes`` has examples of each."""

    name: str
    sha256: str
    examples: int
    classes: dict[str, int]
    credits: list[str]
    split: Places
    started_from: StartedFrom


class _Base(NamedTuple):
    """A model to go on from: the facts of its card, and the same as the page reads them."""

    facts: dict[str, Any]
    card: Card


def begin(
    file: Path, wanted: str | None, settings: Settings, named: bool, runs: Path, models: Path
) -> Settings:
    """Write what a project's run begins with, and give the settings of the run.

    Parameters
    ----------
    file : Path
        The project.
    wanted : str or None
        The model to go on from; by default the one that looks at the ground of the examples.
    settings : Settings
        Those of the recipe.
    named : bool
        Whether a person named the run; otherwise the project does.
    runs, models : Path
        The folders of runs and of models.

    Raises
    ------
    TrainingError
        If the project or the model can't be used, they don't fit each other, or another model has
        the name of the run.
    """
    taught = project.read(file)
    base = _choose(taught, file, wanted, models)
    if not named:
        settings = replace(settings, name=slug(taught.project.name), title=taught.project.name)
    _check_name(settings.name, models)
    trained, weights = _network(base, runs, models)
    run = runs / settings.name
    stored.save(run / START_FILE, trained)
    write_text(
        run / PROJECT_FILE,
        json.dumps(_facts(taught, base, weights), indent=1, ensure_ascii=False) + "\n",
    )
    return replace(
        settings,
        backbone=trained.network.backbone,
        ground=replace(
            settings.ground, footprint_m=base.card.footprint_m, chip_px=base.card.chip_px
        ),
        augment=replace(settings.augment, coarsest_m=TOO_COARSE * base.card.resolution_m),
    )


def read(run: Path) -> ProjectFacts | None:
    """The project of a run; ``None`` if it has none."""
    file = run / PROJECT_FILE
    if not file.exists():
        return None
    facts: ProjectFacts = json.loads(file.read_text(encoding="utf-8"))
    return facts


def slug(name: str) -> str:
    """The name of a folder for a project.

    >>> slug("Bänepa: tin roofs / 2")
    'banepa-tin-roofs-2'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or UNNAMED


def _choose(taught: Taught, file: Path, wanted: str | None, models: Path) -> _Base:
    """The model that looks at the ground of the examples, the page's default first."""
    listed = sorted(each.parent.name for each in models.glob(f"*/{CARD_FILE}"))
    if wanted is not None and wanted not in listed:
        raise TrainingError(
            f"There is no model {wanted} in {models}; choose {', '.join(listed) or 'another'}."
        )
    sides_m = [each.place.side_m for each in taught.project.fitted if each.place]
    index = models / INDEX_FILE
    default = json.loads(index.read_text()).get("default") if index.exists() else None
    names = [wanted] if wanted else sorted(listed, key=lambda name: name != default)
    found = [_base(models / name) for name in names]
    off = [_off(sides_m, each.card.footprint_m) for each in found]
    if off and min(off) <= SAME_GROUND:
        return found[off.index(min(off))]
    if not found:
        raise TrainingError(f"There is no model in {models} to go on from.")
    shown = f"{min(sides_m):.0f} m"
    if max(sides_m) / min(sides_m) > 1 + SAME_GROUND:
        shown = f"{shown} to {max(sides_m):.0f} m"
    looked = " and ".join(f"{each.card.name} at {each.card.footprint_m:.0f} m" for each in found)
    raise TrainingError(
        f"The squares of {file} show {shown} of ground, but {looked}: they were given for another "
        "model. Name one that fits with --from, or give the examples again with it."
    )


def _off(sides_m: list[float], footprint_m: float) -> float:
    """How far squares are from the ground of a model, as a share of it, at most."""
    return max((abs(each / footprint_m - 1) for each in sides_m), default=0.0)


def _base(place: Path) -> _Base:
    try:
        text = (place / CARD_FILE).read_text(encoding="utf-8")
        return _Base(json.loads(text), Card.from_json(place.name, text))
    except (OSError, CardError, ValueError) as error:
        raise TrainingError(f"The model in {place} can't be read: {error}.") from error


def _network(base: _Base, runs: Path, models: Path) -> tuple[TrainedNetwork, str]:
    """The network of a model, and where it was read: its run has it as it was trained."""
    name = base.card.name
    weights = runs / name / CHOSEN_FILE
    if weights.exists():
        return stored.load(weights), "the weights of its run"
    file = models / name / MODEL_FILE
    return from_onnx.read(file, base.facts), f"the {base.facts.get('storage', 'weights')} file"


def _check_name(name: str, models: Path) -> None:
    card = models / name / CARD_FILE
    if card.exists() and "project" not in _base(card.parent).facts:
        raise TrainingError(
            f"{card.parent} is a model of no project, and would be replaced. Name the run with "
            "--name."
        )


def _facts(taught: Taught, base: _Base, weights: str) -> ProjectFacts:
    examples = taught.project.fitted
    counts = Counter(each.label for each in examples)
    places = taught.pictures.places
    parts = np.bincount(taught.fold, minlength=2)
    test, validation = int(parts[TEST_FOLD]), int(parts[VALIDATION_FOLD])
    return ProjectFacts(
        name=taught.project.name,
        sha256=taught.sha256,
        examples=len(examples),
        classes={name: counts[name] for name in taught.pictures.names},
        credits=sorted({each.credit for each in examples if each.credit}),
        split=Places(
            places=0 if places is None else int(places.max()) + 1,
            learning=len(examples) - test - validation,
            validation=validation,
            test=test,
        ),
        started_from=StartedFrom(
            model=base.card.name,
            sha256=base.card.sha256,
            weights=weights,
            licence=str(base.facts["licence"]),
            research_only=base.facts.get("use") == "research",
            pretrained=str(base.facts["weights"]),
        ),
    )

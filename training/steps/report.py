"""The report of a run: one HTML file that holds everything, the same as Markdown, and as JSON."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import jinja2
import numpy as np
from numpy.typing import NDArray

from pyapp.core.imagery.chip import resample
from training.figures import charts
from training.figures.metrics import ClassFigures, confusion_counts, per_class
from training.files import write_atomically, write_text
from training.networks import predict, stored
from training.networks.stored import Epoch
from training.pictures import dataset, held_out
from training.pictures.data import Pictures
from training.pictures.held_out import Opening
from training.run import (
    CHOSEN_FILE,
    COPY_FILE,
    DEVELOPMENT_FILE,
    FIGURES_FOLDER,
    HTML_FILE,
    JSON_FILE,
    MARKDOWN_FILE,
    NETWORK_FILE,
    OUTPUTS_FILE,
    TEACHER_FOLDER,
)
from training.settings import Settings
from training.steps import begin, compress, evaluate, final, study
from training.steps.compress import Compression
from training.steps.describe import labels_of, made_with, why
from training.steps.evaluate import Evaluation
from training.steps.final import Final
from training.steps.study import StudyReport
from training.steps.train import network_files

HERE = Path(__file__).resolve().parent
SAMPLES, SAMPLE_PX = 6, 72
SHARPNESS_WORDS = {
    "native": "its own resolution",
    "half": "half the resolution",
    "one and a half": "1.5 times the resolution",
}
MOST_MISTAKES, MISTAKE_PX = 12, 160
VALIDATION_COLUMNS = 21


# ``is`` is a keyword of Python, so this one can't be written as a class.
Mistake = TypedDict(
    "Mistake",
    {"said": str, "is": str, "probability": float, "probability_of_right": float},
)


class Report(TypedDict):
    """What ``report.json`` holds; histories by network, ``confusion`` of shape (C, C)."""

    name: str
    labels: list[str]
    backbone: str
    chip_px: int
    parameters: int
    training_images: int
    evaluation: Evaluation
    compression: Compression
    why: str
    final: Final
    openings: list[Opening]
    per_class: list[ClassFigures]
    confusion: list[list[int]]
    mistakes: list[Mistake]
    study: StudyReport | None
    histories: dict[str, list[Epoch]]
    made_with: dict[str, str]


@dataclass(frozen=True)
class Outputs:
    """What the shipped file said of the test pictures, as `training.steps.final` stored it.

    Attributes
    ----------
    probability : ndarray of float32, shape (N, C)
    activation : ndarray of float32, shape (N, C, h, w)
    classes : ndarray of int64, shape (N,)
        The right classes.
    chips : ndarray of uint8, shape (N, S, S, 3)
    """

    probability: NDArray[np.float32]
    activation: NDArray[np.float32]
    classes: NDArray[np.int64]
    chips: NDArray[np.uint8]

    @classmethod
    def of(cls, run: Path) -> "Outputs":
        """Those of a run."""
        with np.load(run / OUTPUTS_FILE) as stored_arrays:
            return cls(**stored_arrays)

    @property
    def worst(self) -> NDArray[np.intp]:
        """Positions of the wrong answers, the most confident first."""
        wrong = np.flatnonzero(self.probability.argmax(1) != self.classes)
        return wrong[np.argsort(-self.probability[wrong].max(1))][:MOST_MISTAKES]


def report(folder: Path, run: Path, settings: Settings) -> Path:
    """Write the report of a run whose steps are done.

    Parameters
    ----------
    folder : Path
        The data, for pictures to show.
    run : Path
        Has the figures of every step; the report is written beside them.
    settings : Settings

    Returns
    -------
    Path
        ``report.html``; beside it ``report.md`` with the folder ``report``, and ``report.json``.

    Raises
    ------
    TrainingError
        If a network or the data can't be read, or a file can't be written.
    """
    said = Outputs.of(run)
    facts = gather(run, settings, said)
    figures = drawn(folder, run, settings, facts, said)
    text = (run / COPY_FILE).read_text(encoding="utf-8")
    for file, embed in ((HTML_FILE, True), (MARKDOWN_FILE, False)):
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE), autoescape=embed, trim_blocks=True
        )
        environment.filters |= {"percent": percent, "mb": lambda size: f"{size / 1e6:.2f}"}
        shown = {name: _placed(run, name, each, embed) for name, each in figures.items()}
        template = environment.get_template(f"{file}.j2")
        page = template.render(
            facts,
            figures=shown,
            toml=text,
            sharpness=SHARPNESS_WORDS,
            opened=[each for each in facts["openings"] if each["subject"] == held_out.SHIPPED],
            studied=[each for each in facts["openings"] if each["subject"] != held_out.SHIPPED],
        )
        write_text(run / file, page)
    write_text(run / JSON_FILE, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    return run / HTML_FILE


def gather(run: Path, settings: Settings, said: Outputs) -> Report:
    """Everything measured, as ``report.json`` holds it.

    Raises
    ------
    TrainingError
        If a network can't be read.
    """
    compression = compress.read(run)
    chosen = stored.load(run / CHOSEN_FILE)
    labels = labels_of(chosen.names, begin.read(run))
    trained = network_files(run, settings)
    histories = {}
    for file in (run / TEACHER_FOLDER / NETWORK_FILE, *trained.development, *trained.final):
        if file.exists():
            name = file.parent.relative_to(run).as_posix().replace("/", ", ")
            histories[name] = stored.load(file).history
    return Report(
        name=run.name,
        labels=labels,
        backbone=chosen.network.backbone,
        chip_px=chosen.chip_px,
        parameters=sum(each.numel() for each in chosen.network.parameters()),
        training_images=histories[next(reversed(histories))][0]["images"],
        evaluation=evaluate.read(run),
        compression=compression,
        why=why(compression),
        final=final.read(run),
        openings=held_out.openings(run),
        per_class=per_class(said.probability, said.classes, labels),
        confusion=confusion_counts(said.probability, said.classes).tolist(),
        mistakes=[_mistake(said, each, labels) for each in said.worst],
        study=study.read(run),
        histories=histories,
        made_with=made_with(),
    )


def percent(share: float | None, digits: int = 1) -> str:
    """A share in per cent, as text; a dash if there is none."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def _mistake(said: Outputs, position: int, labels: list[str]) -> Mistake:
    probability, right = said.probability[position], said.classes[position]
    best = int(probability.argmax())
    return {
        "said": labels[best],
        "is": labels[right],
        "probability": round(float(probability[best]), 4),
        "probability_of_right": round(float(probability[right]), 4),
    }


def drawn(
    folder: Path, run: Path, settings: Settings, facts: Report, said: Outputs
) -> dict[str, str | bytes]:
    """Every figure by its name: SVG as text, pictures as JPEG.

    Raises
    ------
    TrainingError
        If a network or the data can't be read.
    """
    learning, validation = dataset.learning_and_validation(folder, settings)
    compression = facts["compression"]
    figures: dict[str, str | bytes] = {
        "samples": charts.jpeg(_samples(learning)),
        "learning": charts.learning_curves(facts["histories"]),
        "confusion": charts.confusion_matrix(np.array(facts["confusion"]), facts["labels"]),
        "reliability": charts.reliability_diagram(facts["final"]["reliability"]),
        "pareto": charts.pareto(compression["variants"], compression["shipped"]),
        "validation": charts.jpeg(_validation(run, validation)),
    }
    for number, position in enumerate(said.worst, 1):
        chip, maps = said.chips[position], said.activation[position]
        best, right = said.probability[position].argmax(), said.classes[position]
        shown = [chip, *(charts.heat_map(chip, maps[each]) for each in (best, right))]
        sized = [resample(each, MISTAKE_PX) for each in shown]
        figures[f"mistake-{number}"] = charts.jpeg(charts.grid(sized, 3))
    return figures


def _samples(pictures: Pictures) -> NDArray[np.uint8]:
    """The first pictures of each class, one column per class."""
    shown = []
    for row in range(SAMPLES):
        for number in range(len(pictures.names)):
            members = np.flatnonzero(pictures.classes == number)
            shown.append(resample(pictures.pixels[members[row % len(members)]], SAMPLE_PX))
    return charts.grid(shown, len(pictures.names))


def _validation(run: Path, validation: Pictures) -> NDArray[np.uint8]:
    """Every validation picture, framed by whether the network that never saw it is right."""
    unseen = stored.load(run / DEVELOPMENT_FILE)
    chips = predict.chips_of(validation, unseen.chip_px)
    right = predict.logits_of(unseen.network, chips).argmax(1).numpy() == validation.classes
    order = np.argsort(validation.classes, kind="stable")
    framed = [charts.framed(chips[each], bool(right[each]), SAMPLE_PX) for each in order]
    return charts.grid(framed, VALIDATION_COLUMNS)


def _placed(run: Path, name: str, figure: str | bytes, embed: bool) -> str:
    """What a template shows: the figure itself, or the path of its file."""
    if embed:
        if isinstance(figure, str):
            return figure
        return "data:image/jpeg;base64," + base64.b64encode(figure).decode()
    file = run / FIGURES_FOLDER / f"{name}.{'svg' if isinstance(figure, str) else 'jpg'}"
    contents = figure.encode() if isinstance(figure, str) else figure
    write_atomically(file, lambda path: path.write_bytes(contents))
    return f"{FIGURES_FOLDER}/{file.name}"

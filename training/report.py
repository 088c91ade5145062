"""The report of a run: one HTML file that holds everything, the same as Markdown, and as JSON."""

import base64
import json
from pathlib import Path

import jinja2
import numpy as np

from pyapp.core.imagery.chip import resample
from training import charts, data, learn
from training.compress import COMPRESSION
from training.evaluate import CHOSEN, DEVELOPMENT, EVALUATION
from training.files import write_text
from training.final import FINAL, OPENED, SAID
from training.publish import label_of, made_with, why
from training.settings import COPY
from training.study import STUDY
from training.train import TEACHER, files, parts

HERE = Path(__file__).resolve().parent
HTML, MARKDOWN, JSON, FIGURES = "report.html", "report.md", "report.json", "report"
SAMPLES, SAMPLE_PX = 6, 72
SHARPNESS = {
    "native": "its own resolution",
    "half": "half the resolution",
    "one and a half": "1.5 times the resolution",
}
MOST_MISTAKES, MISTAKE_PX = 12, 160


def report(folder: Path, run: Path, settings) -> Path:
    """Write the report of a run whose steps are done.

    Parameters
    ----------
    folder : Path
        The data, for pictures to show.
    run : Path
        The figures of every step; the report is written beside them.
    settings : namespace

    Returns
    -------
    Path
        ``report.html``; beside it ``report.md`` with the folder ``report``, and ``report.json``.
    """
    facts = gather(run, settings)
    figures = drawn(folder, run, settings, facts)
    text = (run / COPY).read_text(encoding="utf-8")
    for file, embed in ((HTML, True), (MARKDOWN, False)):
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE), autoescape=embed, trim_blocks=True
        )
        environment.filters |= {"percent": percent, "mb": lambda size: f"{size / 1e6:.2f}"}
        shown = {name: _placed(run, name, each, embed) for name, each in figures.items()}
        template = environment.get_template(f"{file}.j2")
        page = template.render(facts | {"figures": shown, "toml": text, "sharpness": SHARPNESS})
        write_text(run / file, page)
    write_text(run / JSON, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    return run / HTML


def gather(run: Path, settings) -> dict:
    """Everything measured, as ``report.json`` holds it."""
    evaluation, compression, final, openings = (
        json.loads((run / name).read_text()) for name in (EVALUATION, COMPRESSION, FINAL, OPENED)
    )
    study = run / STUDY
    chosen = learn.load(run / CHOSEN)
    trained = files(run, settings)
    histories = {}
    for file in (run / TEACHER / learn.RESULT, *trained.development, *trained.final):
        if file.exists():
            name = file.parent.relative_to(run).as_posix().replace("/", ", ")
            histories[name] = learn.load(file).history
    with np.load(run / SAID) as said:
        probability, classes = said["probability"], said["classes"]
    return {
        "name": run.name,
        "labels": [label_of(each) for each in chosen.names],
        "backbone": chosen.network.backbone,
        "chip_px": chosen.chip_px,
        "parameters": sum(each.numel() for each in chosen.network.parameters()),
        "training_images": histories[next(reversed(histories))][0]["images"],
        "evaluation": evaluation,
        "compression": compression,
        "why": why(compression),
        "final": final,
        "openings": openings,
        "per_class": per_class(probability, classes, chosen.names),
        "confusion": confusion(probability, classes).tolist(),
        "study": _sorted_study(json.loads(study.read_text())) if study.exists() else None,
        "histories": histories,
        "made_with": made_with(),
    }


def percent(share: float, digits: int = 1) -> str:
    """A share as a person reads it."""
    return f"{100 * share:.{digits}f} %"


def confusion(probability: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Counts, int [C, C]: rows are the right classes, columns what was said."""
    matrix = np.zeros((probability.shape[1],) * 2, int)
    np.add.at(matrix, (classes, probability.argmax(1)), 1)
    return matrix


def per_class(probability: np.ndarray, classes: np.ndarray, names) -> list[dict]:
    """Precision, recall and F1 of each class."""
    matrix = confusion(probability, classes)
    rows = []
    for number, name in enumerate(names):
        hit, said, there = matrix[number, number], matrix[:, number].sum(), matrix[number].sum()
        rows.append(
            {
                "label": label_of(name),
                "images": int(there),
                "precision": float(hit / said) if said else float("nan"),
                "recall": float(hit / there) if there else float("nan"),
                "f1": float(2 * hit / (said + there)) if said + there else float("nan"),
            }
        )
    return rows


def _sorted_study(answers: dict) -> dict:
    """The study's answers by question."""
    augmentation = {
        name.removeprefix("augmentation: "): each
        for name, each in answers.items()
        if name.startswith("augmentation")
    }
    left = {
        name.removeprefix("left out: "): each
        for name, each in answers.items()
        if name.startswith("left out")
    }
    means = {
        score: float(np.mean([each[score] for each in left.values()]))
        for score in next(iter(left.values()), {})
    }
    splits = {name: each for name, each in answers.items() if "split" in name}
    return {
        "augmentation": augmentation,
        "left_out": left,
        "left_out_mean": means,
        "splits": splits,
    }


def drawn(folder: Path, run: Path, settings, facts: dict) -> dict[str, str | bytes]:
    """Every figure by its name: SVG as text, pictures as JPEG."""
    with np.load(run / SAID) as said:
        probability, activation = said["probability"], said["activation"]
        classes, chips = said["classes"], said["chips"]
    learning, validation = parts(folder, settings)
    figures = {
        "samples": charts.jpeg(_samples(learning)),
        "learning": charts.learning_curves(facts["histories"]),
        "confusion": charts.confusion(np.array(facts["confusion"]), facts["labels"]),
        "reliability": charts.reliability(facts["final"]["reliability"]),
        "pareto": charts.pareto(facts["compression"]["variants"], facts["compression"]["shipped"]),
        "validation": charts.jpeg(_validation(run, validation)),
    }
    said_class = probability.argmax(1)
    wrong = np.flatnonzero(said_class != classes)
    worst = wrong[np.argsort(-probability[wrong].max(1))][:MOST_MISTAKES]
    facts["mistakes"] = []
    for number, each in enumerate(worst):
        best, right = int(said_class[each]), int(classes[each])
        shown = [chips[each]] + [
            charts.heat_map(chips[each], activation[each, which]) for which in (best, right)
        ]
        sized = [resample(picture, MISTAKE_PX) for picture in shown]
        figures[f"mistake-{number + 1}"] = charts.jpeg(charts.grid(sized, 3))
        facts["mistakes"].append(
            {
                "said": facts["labels"][best],
                "is": facts["labels"][right],
                "probability": round(float(probability[each, best]), 4),
                "probability_of_right": round(float(probability[each, right]), 4),
            }
        )
    return figures


def _samples(pictures: data.Pictures) -> np.ndarray:
    """The first pictures of each class, a class a column of pairs."""
    shown = []
    for row in range(SAMPLES):
        for number in range(len(pictures.names)):
            members = np.flatnonzero(pictures.classes == number)
            shown.append(resample(pictures.pixels[members[row % len(members)]], SAMPLE_PX))
    return charts.grid(shown, len(pictures.names))


def _validation(run: Path, validation: data.Pictures) -> np.ndarray:
    """Every validation picture, green where the network that never saw it is right, else red."""
    chosen = learn.load(run / DEVELOPMENT)
    chips = learn.chips_of(validation, chosen.chip_px)
    right = learn.logits_of(chosen.network, chips).argmax(1).numpy() == validation.classes
    order = np.argsort(validation.classes, kind="stable")
    framed = [charts.framed(chips[each], bool(right[each]), SAMPLE_PX) for each in order]
    return charts.grid(framed, 21)


def _placed(run: Path, name: str, figure: str | bytes, embed: bool) -> str:
    """What a template shows: the figure itself, or the path of its file."""
    if embed:
        if isinstance(figure, str):
            return figure
        return "data:image/jpeg;base64," + base64.b64encode(figure).decode()
    place = run / FIGURES
    place.mkdir(exist_ok=True)
    file = place / f"{name}.{'svg' if isinstance(figure, str) else 'jpg'}"
    file.write_bytes(figure.encode() if isinstance(figure, str) else figure)
    return f"{FIGURES}/{file.name}"

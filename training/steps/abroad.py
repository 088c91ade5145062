"""Judge a model by sources that it never learned from, and fit the levels of its answers on them.

A source that it did learn from is judged by a network of the same recipe that left it out, if there
is one: ``python -m training compress --without SOURCE``.

Each source is judged with thresholds that were fitted on the others. The thresholds for the page
are fitted on all of them together, each counting the same.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np
from numpy.typing import NDArray

from pyapp.core.errors import CardError
from pyapp.core.model.card import Card
from pyapp.core.model.tree import Tree
from training.errors import TrainingError
from training.figures import judging
from training.figures.judging import Abroad, ModelFacts, Visited
from training.figures.levels import Judged, equal_weights, pooled
from training.figures.recorded import Recorded, record
from training.files import write_text
from training.pictures import data, dataset, sources
from training.pictures.dataset import DESCRIBED
from training.pictures.sources import Source
from training.pictures.twins import have_twin
from training.run import ABROAD_FILE, ABROAD_MARKDOWN_FILE, RECORDINGS, SHIPPED_FILE, WITHOUT
from training.settings import Settings, name_without
from training.steps import model_readme
from training.steps.begin import CARD_FILE, MODEL_FILE
from training.steps.report import percent

HERE = Path(__file__).resolve().parent


def abroad(
    folder: Path,
    run: Path,
    models: Path,
    settings: Settings,
    write: bool = False,
    described: Path = DESCRIBED,
) -> Path:
    """Judge the model in ``models/<name>`` by every source of the settings.

    Parameters
    ----------
    folder : Path
        Has one folder per source.
    run : Path
        For what is measured; the model's answers are kept there too, so that fitting again needs
        no network.
    models : Path
        The folder of models.
    settings : Settings
    write : bool
        Put the tree, the levels and the figures into the model's card, and the text beside it.
    described : Path
        Has the folders ``sources`` and ``trees``.

    Returns
    -------
    Path
        ``abroad.md`` in the run; beside it ``abroad.json``.

    Raises
    ------
    TrainingError
        If there is no such model, a source can't be used, or a file can't be written.
    """
    place, how = models / settings.name, settings.sources
    facts = _read_card(place)
    tree = sources.read_tree(how.tree, tuple(facts["labels"]), described / "trees")
    found = sources.read_all(
        (*how.home, *how.abroad), folder, tree, described / "sources", how.tree
    )
    learned = _learned(folder, settings, described)
    model, footprint_m, kept = place / MODEL_FILE, facts["footprint_m"], run / RECORDINGS
    at_home, away = found[: len(how.home)], found[len(how.home) :]
    home = [record(each, model, footprint_m, kept, learned[each.name].files) for each in at_home]
    others = [(each, record(each, model, footprint_m, kept)) for each in away]
    left_out = [
        (each, record(each, unseen, footprint_m, kept / WITHOUT, learned[each.name].files))
        for each in at_home
        if (unseen := run.with_name(name_without(settings.name, each.name)) / SHIPPED_FILE).exists()
    ]
    measured = judging.measure(
        visited(home, others) + judged_by_others(left_out, home, others, found),
        pooled(
            _at_home(source, recorded, learned[source.name].validation)
            for source, recorded in zip(at_home, home, strict=True)
        ),
        tree,
        how.right,
        ModelFacts(facts["sha256"], facts["threshold"], facts["familiar"]),
    )
    write_text(run / ABROAD_FILE, json.dumps(measured, indent=1, ensure_ascii=False) + "\n")
    text = _markdown(measured, tree, settings.name)
    write_text(run / ABROAD_MARKDOWN_FILE, text)
    if write:
        write_text(place / CARD_FILE, card_text(facts, tree, measured))
        write_text(place / ABROAD_MARKDOWN_FILE, text)
        if (place / model_readme.README_FILE).exists():
            model_readme.write(place / CARD_FILE, place / MODEL_FILE)
    return run / ABROAD_MARKDOWN_FILE


class _Learned(NamedTuple):
    """Files of a source: those to learn from or choose by, and among them those to choose by."""

    files: frozenset[str]
    validation: frozenset[str]


def _learned(folder: Path, settings: Settings, described: Path) -> dict[str, _Learned]:
    """The files of each source that a network learned from."""
    pictures = dataset.training_part(folder, settings, described)
    chosen_by = data.split(pictures, settings.split.validation, settings.split.seed)[1]
    return {
        name: _Learned(_below(name, pictures.files), _below(name, chosen_by.files))
        for name in settings.sources.home
    }


def _below(name: str, files: tuple[str, ...]) -> frozenset[str]:
    """The files of a source, without its name."""
    before = f"{name}/"
    return frozenset(each.removeprefix(before) for each in files if each.startswith(before))


def visited(home: list[Recorded], others: list[tuple[Source, Recorded]]) -> list[Visited]:
    """Sources, and which of their pictures the network learned from or an earlier source has."""
    found, before = [], list(home)
    for source, recorded in others:
        found.append(Visited(source, recorded, _twins(recorded, before)))
        before.append(recorded)
    return found


def judged_by_others(
    left_out: list[tuple[Source, Recorded]],
    home: list[Recorded],
    others: list[tuple[Source, Recorded]],
    sources_of_all: list[Source],
) -> list[Visited]:
    """Sources that the network for the page learned from, as networks see them that did not.

    Parameters
    ----------
    left_out : list of (Source, Recorded)
        Each by the network of `Settings.without`.
    home : list of Recorded
        The sources that the network for the page learned from.
    others : list of (Source, Recorded)
        Those that it did not; the networks of ``left_out`` learned from them too.
    sources_of_all : list of Source
        All of these. Of a label whose classes no other of them shows, such a network can't know.
    """
    return [
        Visited(
            source,
            recorded,
            _twins(
                recorded,
                [
                    each
                    for each in (*home, *(there for _, there in others))
                    if not np.array_equal(each.sha256, recorded.sha256)
                ],
            ),
            unshared(source, [each for each in sources_of_all if each.name != source.name]),
        )
        for source, recorded in left_out
    ]


def unshared(source: Source, others: list[Source]) -> frozenset[str]:
    """Labels of a source that allow classes, but none that a label of another source allows."""
    known = {
        number for each in others for label in each.labels for number in each.classes_for(label)
    }
    return frozenset(
        label
        for label in source.labels
        if (classes := set(source.classes_for(label))) and not classes & known
    )


def _twins(recorded: Recorded, others: list[Recorded]) -> NDArray[np.bool_]:
    """Which pictures others have too, shape (N,)."""
    if not others:
        return np.zeros(len(recorded.files), bool)
    sha256, hashes = (
        np.concatenate([getattr(each, name) for each in others]) for name in ("sha256", "hashes")
    )
    return have_twin(recorded.sha256, recorded.hashes, sha256, hashes)


def _at_home(source: Source, recorded: Recorded, files: frozenset[str]) -> Judged:
    """Some pictures of the source that the network learned from, every label the same."""
    chosen = np.isin(recorded.files, list(files))
    labels = recorded.labels[chosen]
    return Judged(recorded.probability[chosen], source.right[labels], equal_weights(labels))


def _read_card(place: Path) -> dict[str, Any]:
    """The facts of a model's card."""
    try:
        text = (place / CARD_FILE).read_text(encoding="utf-8")
        Card.from_json(place.name, text)
    except OSError as error:
        raise TrainingError(f"There is no model in {place}; name one with --name.") from error
    except CardError as error:
        raise TrainingError(str(error)) from error
    facts: dict[str, Any] = json.loads(text)
    return facts


def card_text(facts: dict[str, Any], tree: Tree, measured: Abroad) -> str:
    """A card with the tree, the levels and the figures; nothing else of it changes."""
    figures = {
        "date": measured["date"],
        "wanted": measured["wanted"],
        "fitted_on": measured["fitted_on"],
        "fitted": measured["fitted"],
        "judged": measured["directions"],
        "without_tree": {name: each["without_tree"] for name, each in measured["sources"].items()},
        "validation": measured["home"],
    }
    added = {"tree": tree.to_json(), "levels": measured["levels"], "abroad": figures}
    return json.dumps(facts | added, indent=1, ensure_ascii=False) + "\n"


def _markdown(measured: Abroad, tree: Tree, name: str) -> str:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE), trim_blocks=True)
    environment.filters["percent"] = percent
    template = environment.get_template(f"{ABROAD_MARKDOWN_FILE}.j2")
    return template.render(measured, name=name, tree=tree.to_json()).strip() + "\n"

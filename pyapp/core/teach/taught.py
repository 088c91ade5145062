"""A taught model: a network of another model, with a last layer of a person's own."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.ground.geo import Footprint
from pyapp.core.model.card import Card
from pyapp.core.model.prediction import ACTIVATION, EMBEDDING, PROBABILITY
from pyapp.core.model.tree import Levels
from pyapp.core.survey.refit import softmax
from pyapp.core.survey.survey import Survey
from pyapp.core.teach.fit import Head
from pyapp.core.teach.grouping import levels_of, taught_tree
from pyapp.core.teach.judge import LOWEST_THRESHOLD, Verdict
from pyapp.core.teach.project import Project

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Taught:
    """A last layer in place of a model's own.

    Attributes
    ----------
    card : Card
        With the taught classes.
    head : Head
    temperature : float
        By what its logits were divided.
    ground : tuple of Footprint or None
        The squares that it learned from, as far as they have a place; ``None`` if it is not known.
    """

    card: Card
    head: Head
    temperature: float = 1.0
    ground: tuple[Footprint, ...] | None = None

    @classmethod
    def of(cls, project: Project, base: Card, head: Head, verdict: Verdict | None) -> Taught:
        """A taught model.

        Parameters
        ----------
        project : Project
        base : Card
            Of the model whose network gives the embeddings.
        head : Head
            Of the project's classes that have examples.
        verdict : Verdict or None
            Without one, a class is the answer if it is more probable than all others together.
        """
        threshold = LOWEST_THRESHOLD if verdict is None else verdict.threshold
        labels = project.taught
        tree = taught_tree(labels, project.groups, base.tree)
        levels = Levels(threshold, threshold, threshold)
        if verdict is not None and not tree.is_flat:
            ids = {label: number for number, label in enumerate(labels)}
            classes = np.array([ids[each.label] for each in project.fitted])
            levels = levels_of(tree, verdict.probability, classes, threshold)
        card = replace(
            base,
            title=f"{project.name}, taught on {base.title}",
            labels=labels,
            tree=tree,
            levels=levels,
            sets={},
            familiar=float("-inf"),
            sha256=identity(project, base),
            training_data=_learned_from(project, base),
            network=base.sha256,
        )
        ground = tuple(each.place for each in project.fitted if each.place is not None)
        return cls(card, head, ground=ground)

    def outputs(self, found: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """What the taught model says of N chips, from what its network said.

        The class-activation maps need the features before they are pooled, which the network does
        not give, so each map has one place: the logit.

        Parameters
        ----------
        found : mapping of str to ndarray of float32
            The outputs of docs/design.md.
        """
        logits = self.head.logits(found[EMBEDDING])
        return {
            PROBABILITY: softmax(logits),
            EMBEDDING: found[EMBEDDING],
            ACTIVATION: logits[:, :, np.newaxis, np.newaxis],
        }

    def can_show(self, survey: Survey) -> bool:
        """Whether a survey holds what its answers take: embeddings of the same network."""
        return survey.embedding is not None and survey.model.network == self.card.network


def identity(project: Project, base: Card) -> str:
    """The digest of what a taught model follows from: the network, the classes, the examples."""
    facts = [
        base.sha256,
        project.taught,
        sorted((each.sha256, each.label) for each in project.fitted),
    ]
    groups = {each: project.groups[each] for each in project.taught if each in project.groups}
    if groups:
        facts.append(sorted(groups.items()))
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _learned_from(project: Project, base: Card) -> str:
    """What a taught model and its network learned from, in words."""
    given = Counter(each.label for each in project.fitted)
    counts = ", ".join(f"{given[each]} of {each}" for each in project.taught)
    said = f"{len(project.fitted)} examples of the project {project.name} ({counts})"
    return f"{said}; its network: {base.training_data}" if base.training_data else said


def metadata(project: Project, taught: Taught, verdict: Verdict | None) -> dict[str, Any]:
    """The facts for the file of a taught model, as docs/design.md has them; leave out ``None``."""
    labels, threshold = taught.card.labels, taught.card.threshold
    places = [each.place.centre for each in project.fitted if each.place is not None]
    facts: dict[str, Any] = {
        "name": "taught",
        "title": taught.card.title,
        "class_names": {str(number): label for number, label in enumerate(labels)},
        "labels": list(labels),
        "temperature": 1.0,
        "threshold": threshold,
        "sets": {},
        "familiar": None,
        "tree": taught.card.tree.to_json(),
        "levels": None if taught.card.tree.is_flat else taught.card.levels.to_json(),
        "training_data": taught.card.training_data,
        "credit": sorted({each.credit for each in project.fitted if each.credit}),
        "network": taught.card.network,
        "taught": taught.card.sha256,
        "measured": None,
    }
    if places:
        facts["place"] = {
            "west": min(each.lng for each in places),
            "south": min(each.lat for each in places),
            "east": max(each.lng for each in places),
            "north": max(each.lat for each in places),
        }
    if verdict is not None:
        share, low, high = verdict.accuracy
        facts["measured"] = {
            "cross_validated_accuracy": share,
            "interval_95": [low, high],
            "places": verdict.places,
        }
    return facts

"""What a model says about a chip: ranked classes, calibrated probabilities, and its doubts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.model.card import Card
from pyapp.core.model.nodes import Level, Node
from pyapp.core.model.tree import NOT_SURE, Tree

if TYPE_CHECKING:
    from numpy.typing import NDArray

INPUT = "image"
PROBABILITY = "probability"
EMBEDDING = "embedding"
ACTIVATION = "activation"
OUTPUTS = (PROBABILITY, EMBEDDING, ACTIVATION)


class Ranked(NamedTuple):
    """A class, and the calibrated probability that the chip shows it."""

    class_id: int
    label: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """What the model says about one chip.

    Attributes
    ----------
    ranked : tuple of Ranked
        All classes, the most probable first.
    answer : Node or None
        The finest class or group that reaches its level's threshold; ``None`` for "not sure".
    path : tuple of str
        Names from the top of the tree down to the answer; empty without one.
    answer_probability : float
        Of the answer; of a group, the sum of what is inside it. 0 without an answer.
    inside : tuple of Ranked
        The classes inside an answer that is a group, the most probable first; else empty.
    familiar : bool
        Whether the chip resembles what the model was trained on.
    likely : tuple of Ranked
        The label set for the largest coverage that the card has; contains at least the best class.
    coverage : float
        How often such a set contains the correct class; 0 if the card has no sets.
    embedding : ndarray of float32, shape (D,)
        Pooled features.
    activation : ndarray of float32, shape (C, h, w)
        Class-activation maps: the linear head applied to the features before pooling.
    """

    ranked: tuple[Ranked, ...]
    answer: Node | None
    path: tuple[str, ...]
    answer_probability: float
    inside: tuple[Ranked, ...]
    familiar: bool
    likely: tuple[Ranked, ...]
    coverage: float
    embedding: NDArray[np.float32]
    activation: NDArray[np.float32]

    @property
    def best(self) -> Ranked:
        """The most probable class."""
        return self.ranked[0]

    @property
    def sure(self) -> bool:
        """Whether the answer is a class; then it is the best one."""
        return self.answer is not None and self.answer.level == Level.CLASS

    @property
    def coarse(self) -> bool:
        """Whether the answer is a group of classes."""
        return self.answer is not None and self.answer.level != Level.CLASS


def familiarity(activation: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much chips resemble what the network was trained on.

    This is the largest logit (Hendrycks et al., Scaling Out-of-Distribution Detection, ICML 2022).
    The logits are the class-activation maps averaged over their places.

    Parameters
    ----------
    activation : ndarray of float32, shape (..., C, h, w)

    Returns
    -------
    ndarray of float32, shape (...)
    """
    logits: NDArray[np.float32] = activation.mean((-2, -1))
    return np.asarray(logits.max(-1))


def predictions(card: Card, outputs: Mapping[str, NDArray[np.float32]]) -> list[Prediction]:
    """Rank the network's answers for a batch of N chips.

    Parameters
    ----------
    card : Card
    outputs : mapping of str to ndarray of float32
        ``probability``, shape (N, C); ``embedding``, shape (N, D); and ``activation``,
        shape (N, C, h, w), named as in the contract in docs/design.md.

    Returns
    -------
    list of Prediction
        One for each chip.
    """
    answers = card.tree.answers(outputs[PROBABILITY], card.levels).tolist()
    rows = zip(answers, outputs[PROBABILITY], outputs[EMBEDDING], outputs[ACTIVATION], strict=True)
    return [_prediction(card, *row) for row in rows]


def _prediction(
    card: Card,
    node_id: int,
    probability: NDArray[np.float32],
    embedding: NDArray[np.float32],
    activation: NDArray[np.float32],
) -> Prediction:
    order = np.argsort(-probability, kind="stable")
    ranked = tuple(
        Ranked(int(class_id), card.labels[class_id], float(probability[class_id]))
        for class_id in order
    )
    coverage, level = max(card.sets.items(), default=(0.0, 1.0))
    likely = ranked[:1] + tuple(each for each in ranked[1:] if each.probability >= level)
    answer = None if node_id == NOT_SURE else card.tree.nodes[node_id]
    members = () if answer is None else answer.classes
    coarse = answer is not None and answer.level != Level.CLASS
    return Prediction(
        ranked=ranked,
        answer=answer,
        path=() if answer is None else card.tree.path(node_id),
        answer_probability=float(probability[list(members)].sum()),
        inside=tuple(each for each in ranked if coarse and each.class_id in members),
        familiar=bool(familiarity(activation) >= card.familiar),
        likely=likely,
        coverage=coverage,
        embedding=embedding,
        activation=activation,
    )


def common(found: Sequence[Prediction], tree: Tree) -> Node | None:
    """The finest node that the best classes of several chips are in; ``None`` if there is none."""
    best = {each.best.class_id for each in found}
    around = [each for each in tree.nodes if best <= set(each.classes)]
    return min(around, key=lambda each: len(each.classes), default=None)

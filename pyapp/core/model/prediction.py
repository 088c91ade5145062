"""What a model says about a chip: ranked classes, calibrated probabilities, and its doubts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.model.card import Card

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
    sure : bool
        Whether the best class reaches the card's threshold.
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
    sure: bool
    familiar: bool
    likely: tuple[Ranked, ...]
    coverage: float
    embedding: NDArray[np.float32]
    activation: NDArray[np.float32]

    @property
    def best(self) -> Ranked:
        """The most probable class."""
        return self.ranked[0]


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
    return [
        _prediction(card, *row)
        for row in zip(outputs[PROBABILITY], outputs[EMBEDDING], outputs[ACTIVATION], strict=True)
    ]


def _prediction(
    card: Card,
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
    return Prediction(
        ranked=ranked,
        sure=ranked[0].probability >= card.threshold,
        familiar=bool(familiarity(activation) >= card.familiar),
        likely=likely,
        coverage=coverage,
        embedding=embedding,
        activation=activation,
    )

"""What a model says about a chip: ranked classes, calibrated probabilities, and doubts."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pyapp.core.model.card import Card

INPUT = "image"
PROBABILITY = "probability"
EMBEDDING = "embedding"
ACTIVATION = "activation"
OUTPUTS = (PROBABILITY, EMBEDDING, ACTIVATION)


class Ranked(NamedTuple):
    """One class and the calibrated probability that the chip shows it."""

    class_id: int
    label: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """What the model says of one chip.

    Attributes
    ----------
    ranked : tuple of Ranked
        All classes, the most probable first.
    sure : bool
        Whether the best reaches the card's threshold.
    familiar : bool
        Whether the chip is like what the model was trained on.
    likely : tuple of Ranked
        The label set of the largest coverage that the card has; at least the best.
    coverage : float
        How often such a set holds the right class; 0 where the card has none.
    embedding : float32 [D]
        Pooled features.
    activation : float32 [C, h, w]
        Class-activation map: the linear head on the features before pooling.
    """

    ranked: tuple[Ranked, ...]
    sure: bool
    familiar: bool
    likely: tuple[Ranked, ...]
    coverage: float
    embedding: np.ndarray
    activation: np.ndarray

    @property
    def best(self) -> Ranked:
        """The most probable class."""
        return self.ranked[0]


def familiarity(activation: np.ndarray) -> np.ndarray:
    """How much chips are like what the network was trained on, float [...].

    The largest logit: Hendrycks et al., Scaling Out-of-Distribution Detection (ICML 2022). Taken as
    the mean over places of the class-activation maps, float [..., C, h, w], which the page has.
    """
    return activation.mean((-2, -1)).max(-1)


def predictions(card: Card, outputs: dict[str, np.ndarray]) -> list[Prediction]:
    """Rank what the network gave for a batch of chips.

    Parameters
    ----------
    card : Card
    outputs : dict
        ``probability`` float32 [N, C], ``embedding`` float32 [N, D] and ``activation``
        float32 [N, C, h, w], as the contract in docs/design.md names them.

    Returns
    -------
    list of Prediction, one a chip
    """
    return [
        _prediction(card, *row)
        for row in zip(outputs[PROBABILITY], outputs[EMBEDDING], outputs[ACTIVATION], strict=True)
    ]


def _prediction(card, probability, embedding, activation) -> Prediction:
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

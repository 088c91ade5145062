"""What a model says of itself (its card) and what it says of a chip (a prediction)."""

import json
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pyapp.core.errors import CardError, ModelListError

INPUT = "image"
PROBABILITY = "probability"
EMBEDDING = "embedding"
ACTIVATION = "activation"
OUTPUTS = (PROBABILITY, EMBEDDING, ACTIVATION)


@dataclass(frozen=True)
class Card:
    """The facts of a model that the page goes by.

    Attributes
    ----------
    name : str
        Name of its folder.
    title : str
        As a person reads it.
    labels : tuple of str
        One readable label a class, in the order of the model's outputs.
    chip_px : int
        Side of the chip, in pixels.
    footprint_m : float
        Side of the square of ground that one chip shows, in metres.
    threshold : float
        Probability under which the page says "not sure".
    sets : dict of float to float
        For each coverage, the probability from which on a class belongs to the label set of a chip:
        split conformal prediction, fitted when the model was made. May be empty.
    familiar : float
        Largest logit under which a chip is unlike what the model was trained on.
    sha256 : str
        Hexadecimal digest of the model's file.
    size_bytes : int
        Length of the model's file.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    chip_px: int
    footprint_m: float
    threshold: float
    sets: dict[float, float]
    familiar: float
    sha256: str
    size_bytes: int

    @property
    def resolution_m(self) -> float:
        """Ground sample distance of the chip, in metres per pixel."""
        return self.footprint_m / self.chip_px

    @classmethod
    def from_json(cls, name: str, text: str) -> "Card":
        """Read ``card.json``.

        Raises
        ------
        CardError
            When it is not JSON, or lacks or contradicts a fact that the page needs.
        """
        try:
            facts = json.loads(text)
            labels = tuple(facts["labels"])
            card = cls(
                name=name,
                title=str(facts["title"]),
                labels=labels,
                chip_px=int(facts["tile_size"]),
                footprint_m=float(facts["footprint_m"]),
                threshold=float(facts["threshold"]),
                sets={float(cover): float(level) for cover, level in facts.get("sets", {}).items()},
                familiar=float(facts.get("familiar", "-inf")),
                sha256=str(facts["sha256"]),
                size_bytes=int(facts["size_bytes"]),
            )
        except KeyError as error:
            raise CardError(name, f"it does not say {error.args[0]}") from error
        except (TypeError, ValueError, AttributeError) as error:
            raise CardError(name, f"it cannot be read ({error})") from error
        if len(labels) < 2 or not all(isinstance(label, str) and label for label in labels):
            raise CardError(name, "it names fewer than two classes")
        if not (card.chip_px > 0 and card.footprint_m > 0 and 0 <= card.threshold <= 1):
            raise CardError(name, "its sizes or its threshold are out of range")
        return card


class ModelName(NamedTuple):
    """A model to choose: the name of its folder, and its title as a person reads it."""

    name: str
    title: str


def models_from_json(text: str) -> list[ModelName]:
    """The models that ``index.json`` lists, the default first.

    Raises
    ------
    ModelListError
        When it is not JSON or names no default.
    """
    try:
        facts = json.loads(text)
        listed = [ModelName(each["name"], each["title"]) for each in facts["models"]]
        return sorted(listed, key=lambda each: each.name != facts["default"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelListError from error


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

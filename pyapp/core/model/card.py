"""What a model says about itself: its card, and the list of models."""

import json
from dataclasses import dataclass
from typing import NamedTuple

from pyapp.core.errors import CardError, ModelListError


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

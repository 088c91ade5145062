"""What a survey notes about its model and its imagery."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pyapp.core.imagery.source import FINEST_ZOOM, Source
from pyapp.core.model.card import Card


@dataclass(frozen=True)
class ModelFacts:
    """The facts of the model that a survey is stored with."""

    name: str
    title: str
    sha256: str
    labels: tuple[str, ...]
    threshold: float
    chip_px: int

    @classmethod
    def of(cls, card: Card) -> "ModelFacts":
        """Those of a card."""
        return cls(card.name, card.title, card.sha256, card.labels, card.threshold, card.chip_px)

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> "ModelFacts":
        """What ``vars`` gave, checked.

        Raises
        ------
        ValueError, KeyError, TypeError
            If a fact is missing, of another type or out of range.
        """
        labels = tuple(stored["labels"])
        facts = cls(
            name=_text(stored["name"]),
            title=_text(stored["title"]),
            sha256=_text(stored["sha256"]),
            labels=labels,
            threshold=_number(stored["threshold"]),
            chip_px=_whole(stored["chip_px"]),
        )
        if len(labels) < 2 or not all(isinstance(each, str) and each for each in labels):
            raise ValueError("it names fewer than two classes")
        if not 0 <= facts.threshold <= 1:
            raise ValueError(f"a threshold of {facts.threshold}")
        if not 0 < facts.chip_px <= 4096:
            raise ValueError(f"chips of {facts.chip_px} pixels")
        return facts


@dataclass(frozen=True)
class ImageryFacts:
    """The facts of the imagery that a survey is stored with."""

    id: str
    name: str
    url: str
    min_zoom: int
    max_zoom: int
    credit: str

    @classmethod
    def of(cls, source: Source) -> "ImageryFacts":
        """Those of a source."""
        return cls(**{each.name: getattr(source, each.name) for each in fields(cls)})

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> "ImageryFacts":
        """What ``vars`` gave, checked.

        Raises
        ------
        ValueError, KeyError, TypeError
            If a fact is missing, of another type or out of range.
        """
        facts = cls(
            id=_text(stored["id"]),
            name=_text(stored["name"]),
            url=_text(stored["url"]),
            min_zoom=_whole(stored["min_zoom"]),
            max_zoom=_whole(stored["max_zoom"]),
            credit=_text(stored["credit"]),
        )
        if not 0 <= facts.min_zoom <= facts.max_zoom <= FINEST_ZOOM:
            raise ValueError(f"zooms {facts.min_zoom} to {facts.max_zoom}")
        return facts


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    return value

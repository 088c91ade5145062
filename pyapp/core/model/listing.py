"""The list of models: what a person needs to choose one before its card is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyapp.core.errors import ModelListError
from pyapp.core.ground.geo import resolution_m
from pyapp.core.imagery.source import Source

# Imagery that is coarser than the chip by more than this is too coarse for a model. The recipes of
# training imitate imagery about twice as coarse as the chip, or more (`coarsest_m`), so that much
# a model has learned to read; beyond it, more than three quarters of the chip are interpolated.
TOO_COARSE = 2.0


@dataclass(frozen=True)
class ListedModel:
    """A model that can be chosen.

    All but name and title may be unknown: earlier versions listed no more.

    Attributes
    ----------
    name : str
        Name of its folder.
    title : str
        As a person reads it.
    description : str
        What it is for, in one sentence; may be empty.
    footprint_m : float or None
        Side of the square of ground that one chip shows, in metres.
    resolution_m : float or None
        Ground sample distance of the chip, in metres per pixel.
    classes : int or None
        Number of classes.
    size_bytes : int or None
        Size of its file.
    licence : str
        Empty if it is not stated.
    use : str
        The use that the pictures it learned from were published for; empty if any.
    """

    name: str
    title: str
    description: str = ""
    footprint_m: float | None = None
    resolution_m: float | None = None
    classes: int | None = None
    size_bytes: int | None = None
    licence: str = ""
    use: str = ""

    @classmethod
    def of_card(cls, facts: Mapping[str, Any]) -> ListedModel:
        """What is listed of a model, from the facts in its ``card.json``."""
        labels = list(facts["labels"])
        return cls(
            name=facts["name"],
            title=facts["title"],
            description=facts.get("description")
            or f"Tells {len(labels)} kinds of ground apart, from {labels[0]} to {labels[-1]}.",
            footprint_m=facts["footprint_m"],
            resolution_m=facts["footprint_m"] / facts["tile_size"],
            classes=len(labels),
            size_bytes=facts["size_bytes"],
            licence=facts["licence"],
            use=facts.get("use", ""),
        )

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> ListedModel:
        """Read an entry of ``index.json``.

        Raises
        ------
        ValueError, KeyError, TypeError
            If name or title is missing, or a fact is of another kind or out of range.
        """
        resolution_cm = _positive(facts.get("resolution"))
        classes, size_bytes = _positive(facts.get("classes")), _positive(facts.get("size_bytes"))
        return cls(
            name=_text(facts["name"]),
            title=_text(facts["title"]),
            description=_text(facts.get("description", "")),
            footprint_m=_positive(facts.get("footprint_m")),
            resolution_m=None if resolution_cm is None else resolution_cm / 100,
            classes=None if classes is None else int(classes),
            size_bytes=None if size_bytes is None else int(size_bytes),
            licence=_text(facts.get("licence", "")),
            use=_text(facts.get("use", "")),
        )

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads, without what is not known; ``resolution`` in cm per pixel."""
        resolution_cm = None if self.resolution_m is None else round(100 * self.resolution_m, 4)
        facts = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "footprint_m": self.footprint_m,
            "resolution": resolution_cm,
            "classes": self.classes,
            "size_bytes": self.size_bytes,
            "licence": self.licence,
            "use": self.use,
        }
        return {name: value for name, value in facts.items() if value not in (None, "")}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _positive(value: object) -> float | None:
    """A number above zero, or ``None`` if there is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is not a number")
    if not 0 < value < float("inf"):
        raise ValueError(f"{value!r} is not above zero")
    return float(value)


def models_from_json(text: str) -> list[ListedModel]:
    """The models that ``index.json`` lists, the default first.

    Raises
    ------
    ModelListError
        If it is not JSON, names no default, or a fact about a model is damaged.
    """
    try:
        facts = json.loads(text)
        listed = [ListedModel.from_json(each) for each in facts["models"]]
        return sorted(listed, key=lambda each: each.name != facts["default"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelListError from error


def models_to_json(default: str, models: Sequence[ListedModel]) -> str:
    """What `models_from_json` reads."""
    facts = {"default": default, "models": [each.to_json() for each in models]}
    return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"


def better_suited(
    models: Sequence[ListedModel], used_m: float, source: Source, lat: float
) -> ListedModel | None:
    """The model to offer because the imagery is too coarse for the one in use.

    Finer imagery than a model needs is no reason to offer another: it is averaged.

    Parameters
    ----------
    models : sequence of ListedModel
        Those to choose from.
    used_m : float
        Ground sample distance of the chips of the model in use, in metres per pixel.
    source : Source
        The imagery.
    lat : float
        Latitude of the square, in degrees.

    Returns
    -------
    ListedModel or None
        Of those for which the imagery is fine enough, the one that sees most detail; ``None`` if
        there is none, or the imagery does for the model in use.
    """
    imagery_m = resolution_m(source.max_zoom, lat)
    if imagery_m <= TOO_COARSE * used_m:
        return None
    suited = [
        (each.resolution_m, each)
        for each in models
        if each.resolution_m is not None
        and each.footprint_m is not None
        and imagery_m <= TOO_COARSE * each.resolution_m
    ]
    return min(suited, key=lambda each: each[0])[1] if suited else None

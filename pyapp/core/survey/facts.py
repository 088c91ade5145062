"""The facts about its model and its imagery that a survey is stored with, checked when read."""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pyapp.core.imagery.date import in_words
from pyapp.core.imagery.source import FINEST_ZOOM, Source
from pyapp.core.model.card import MOST_CLASSES, Card
from pyapp.core.model.tree import Levels, Tree

MOST_CHIP_PX = 4096
# The built-in imagery is WebP of one zoom; in earlier versions it was JPEG of five.
BUILT_IN, BUILT_IN_ZOOM = "imagery/sample/{z}/{x}/{y}.webp", 18
FORMER_BUILT_IN = "imagery/sample/{z}/{x}/{y}.jpg"
# Texts about a model that are empty if its card doesn't have them.
ABOUT = ("licence", "training_data", "use")


@dataclass(frozen=True)
class ModelFacts:
    """The facts about its model that a survey is stored with; see `Card`.

    Earlier versions stored nothing from ``licence`` on.
    """

    name: str
    title: str
    sha256: str
    labels: tuple[str, ...]
    chip_px: int
    tree: Tree
    levels: Levels
    licence: str = ""
    training_data: str = ""
    use: str = ""
    judges_familiarity: bool = True
    network: str = ""

    def __post_init__(self) -> None:
        if not self.network:
            object.__setattr__(self, "network", self.sha256)

    @classmethod
    def of(cls, card: Card) -> "ModelFacts":
        """The facts in a card."""
        return cls(**{each.name: getattr(card, each.name) for each in fields(cls)})

    @property
    def threshold(self) -> float:
        """Probability below which a class is not the answer."""
        return self.levels.cls

    def to_stored(self) -> dict[str, Any]:
        """What `from_stored` reads; without a tree, an earlier version reads it too."""
        stored = {
            "name": self.name,
            "title": self.title,
            "sha256": self.sha256,
            "labels": self.labels,
            "threshold": self.threshold,
            "chip_px": self.chip_px,
        }
        if not self.tree.is_flat:
            stored |= {"tree": self.tree.to_json(), "levels": self.levels.to_json()}
        stored |= {name: getattr(self, name) for name in ABOUT if getattr(self, name)}
        if not self.judges_familiarity:
            stored["judges_familiarity"] = False
        if self.network != self.sha256:
            stored |= {"network": self.network}
        return stored

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> "ModelFacts":
        """Check and take what `to_stored` of this version or an earlier one gave.

        Raises
        ------
        ValueError, KeyError, TypeError
            If a fact is missing, has another type or is out of range.
        """
        labels = tuple(as_text(each) for each in stored["labels"])
        if not 2 <= len(labels) <= MOST_CLASSES or not all(labels):
            raise ValueError(f"its model has {len(labels)} classes, or one without a name")
        if stored.get("tree") is None:
            tree = Tree.flat(labels)
            levels = Levels(*[as_number(stored["threshold"], 0, 1)] * 3)
        else:
            tree = Tree.from_json(labels, stored["tree"])
            levels = Levels.from_json(stored["levels"])
        return cls(
            name=as_text(stored["name"]),
            title=as_text(stored["title"]),
            sha256=as_text(stored["sha256"]),
            labels=labels,
            chip_px=as_whole(stored["chip_px"], 1, MOST_CHIP_PX),
            tree=tree,
            levels=levels,
            judges_familiarity=as_switch(stored.get("judges_familiarity", True)),
            **{name: as_text(stored.get(name, "")) for name in ABOUT},
            network=as_text(stored.get("network", "")),
        )


@dataclass(frozen=True)
class ImageryFacts:
    """The facts about its imagery that a survey is stored with; see `Source`."""

    id: str
    name: str
    url: str
    min_zoom: int
    max_zoom: int
    credit: str
    date: str = ""

    @classmethod
    def of(cls, source: Source) -> "ImageryFacts":
        """The facts about a source."""
        return cls(**{each.name: getattr(source, each.name) for each in fields(cls)})

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> "ImageryFacts":
        """Check and take what ``vars`` gave.

        The built-in imagery of an earlier version shows the same ground as today's, so a survey
        of it goes on with that.

        Raises
        ------
        ValueError, KeyError, TypeError
            If a fact is missing, has another type or is out of range.
        """
        if stored["url"] == FORMER_BUILT_IN:
            zooms = {"min_zoom": BUILT_IN_ZOOM, "max_zoom": BUILT_IN_ZOOM}
            stored = {**stored, "url": BUILT_IN, **zooms}
        min_zoom = as_whole(stored["min_zoom"], 0, FINEST_ZOOM)
        return cls(
            id=as_text(stored["id"]),
            name=as_text(stored["name"]),
            url=as_text(stored["url"]),
            min_zoom=min_zoom,
            max_zoom=as_whole(stored["max_zoom"], min_zoom, FINEST_ZOOM),
            credit=as_text(stored["credit"]),
            # Surveys of earlier versions have none.
            date=as_text(stored.get("date", "")),
        )


def made_of(imagery: ImageryFacts) -> str:
    """Which imagery it was, whose, and of when, as far as is known.

    >>> made_of(ImageryFacts("ign", "IGN France", "", 0, 19, "© IGN", "2012"))
    'IGN France, © IGN, taken 2012'
    """
    parts = [imagery.name, imagery.credit]
    if imagery.date:
        parts.append(f"taken {in_words(imagery.date)}")
    return ", ".join(dict.fromkeys(parts))


def as_text(value: object) -> str:
    """A stored text.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If it can't be written to a file: it has half of a surrogate pair.
    """
    if not isinstance(value, str):
        raise TypeError(f"{reprlib.repr(value)} is not text")
    value.encode()
    return value


def as_switch(value: object) -> bool:
    """A stored true or false.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{reprlib.repr(value)} is neither true nor false")
    return value


def as_number(value: object, least: float, most: float) -> float:
    """A stored number from ``least`` to ``most``.

    Raises
    ------
    TypeError
        If it is something else, true and false included.
    ValueError
        If it is not in that range, infinite or not a number.

    Examples
    --------
    >>> as_number(1, 0, 2)
    1.0
    >>> as_number(float("nan"), 0, 2)
    Traceback (most recent call last):
    ValueError: nan is not between 0 and 2
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{reprlib.repr(value)} is not a number")
    if not least <= value <= most:
        raise ValueError(f"{reprlib.repr(value)} is not between {least} and {most}")
    return float(value)


def as_whole(value: object, least: int, most: int) -> int:
    """A stored whole number from ``least`` to ``most``; raises as `as_number` does."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{reprlib.repr(value)} is not a whole number")
    return int(as_number(value, least, most))

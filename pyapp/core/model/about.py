"""What a person says about a plain classifier: labels, scale of its input, ground, softmax."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pyapp.core.model.card import MOST_CLASSES
from pyapp.core.model.foreign import MOST_GROUND_M, MOST_SIDE_PX, OnnxFile, Plain
from pyapp.core.model.foreign_errors import AboutModelError

Three = tuple[float, float, float]
# What is subtracted from and divides values of 0 to 1 (torchvision.transforms).
IMAGENET: tuple[Three, Three] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
BYTES, UNIT, IMAGENET_SCALE, OWN = "bytes", "unit", "imagenet", "own"
SCALES = (BYTES, UNIT, IMAGENET_SCALE, OWN)
LONGEST_LABEL = 80


@dataclass(frozen=True)
class About:
    """What a person says about a plain classifier.

    Attributes
    ----------
    title : str
    labels : tuple of str
    scale : str
        One of `SCALES`: 0 to 255, 0 to 1, ImageNet's mean and deviation, or their own.
    mean, std : tuple of float
        Their own, for values of 0 to 1.
    footprint_m : float
        Side of the square of ground that one picture shows, in metres.
    softmax : bool
        Whether the output is logits.
    side_px : int
    """

    title: str
    labels: tuple[str, ...]
    scale: str
    footprint_m: float
    softmax: bool
    side_px: int
    mean: Three = (0.0, 0.0, 0.0)
    std: Three = (1.0, 1.0, 1.0)

    def check(self, plain: Plain) -> None:
        """Check it against the model.

        Raises
        ------
        AboutModelError
        """
        if plain.classes is not None and len(self.labels) != plain.classes:
            raise AboutModelError(
                f"The model tells {plain.classes} classes apart, and you gave {len(self.labels)} "
                "labels. Give one for each, in the order of its outputs."
            )
        if not 2 <= len(self.labels) <= MOST_CLASSES:
            raise AboutModelError(f"Give 2 to {MOST_CLASSES} labels, one for each class.")
        if self.scale not in SCALES or (plain.takes_bytes and self.scale != BYTES):
            raise AboutModelError("The model takes bytes, so its input can't be scaled.")
        finite = all(math.isfinite(each) for each in (*self.mean, *self.std))
        if not finite or min(self.std) <= 0:
            raise AboutModelError("Give three numbers each, and deviations above zero.")
        if not 0 < self.footprint_m <= MOST_GROUND_M:
            raise AboutModelError("Say how many metres of ground one picture shows, such as 80.")
        if plain.side_px not in (None, self.side_px) or not 8 <= self.side_px <= MOST_SIDE_PX:
            raise AboutModelError(
                "The model takes pictures of any size. Say which side it was trained on, in "
                f"pixels, from 8 to {MOST_SIDE_PX}."
            )

    def to_json(self) -> str:
        """What `from_json` reads."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> About:
        """Read what was kept.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is damaged.
        """
        facts = json.loads(text)
        return cls(
            str(facts["title"]), tuple(map(str, facts["labels"])), str(facts["scale"]),
            float(facts["footprint_m"]), bool(facts["softmax"]), int(facts["side_px"]),
            three(facts["mean"]), three(facts["std"]),
        )  # fmt: skip

    @property
    def offsets(self) -> tuple[Three, Three] | None:
        """Mean and deviation for values of 0 to 1; ``None`` for bytes as they are."""
        if self.scale == BYTES:
            return None
        if self.scale == UNIT:
            return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        return IMAGENET if self.scale == IMAGENET_SCALE else (self.mean, self.std)


def three(values: Any) -> Three:
    """Three numbers, from a list or from a text with commas or blanks.

    >>> three("0.5, 0.5 0.25"), three([1, 2, 3])
    ((0.5, 0.5, 0.25), (1.0, 2.0, 3.0))
    """
    given = values.replace(",", " ").split() if isinstance(values, str) else list(values)
    if len(given) != 3:
        raise ValueError("these are not three numbers")
    return float(given[0]), float(given[1]), float(given[2])


def labels_from(text: str) -> tuple[str, ...]:
    """Labels as they are pasted: one per line, or a list or an object as JSON has it.

    Raises
    ------
    AboutModelError
        If one is missing or too long, or the JSON is of another kind.

    Examples
    --------
    >>> labels_from("field\\n forest \\n")
    ('field', 'forest')
    >>> labels_from('["field", "forest"]') == labels_from('{"1": "forest", "0": "field"}')
    True
    """
    text = text.strip().removeprefix("\ufeff")
    if text[:1] in ("[", "{"):
        try:
            labels = _listed(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise AboutModelError(
                "The labels look like JSON, but are no list of texts. Give one label per line."
            ) from error
    else:
        labels = [line.strip() for line in text.splitlines()]
    for number, label in enumerate(labels):
        if not label:
            raise AboutModelError(f"Label {number + 1} is empty. Give one label per line.")
        if len(label) > LONGEST_LABEL:
            raise AboutModelError(
                f"Label {number + 1} is longer than {LONGEST_LABEL} letters. Shorten it."
            )
    return tuple(labels)


def _listed(facts: Any) -> list[str]:
    """Labels in the order of the classes: of a list, by number, or with the number after each."""
    if isinstance(facts, Mapping):
        if all(isinstance(each, int) for each in facts.values()):
            facts = {str(number): label for label, number in facts.items()}
        facts = [facts[str(number)] for number in range(len(facts))]
    if not isinstance(facts, list) or not all(isinstance(each, str) for each in facts):
        raise TypeError("no list of texts")
    return [each.strip() for each in facts]


def guessed(file: OnnxFile, plain: Plain) -> dict[str, Any]:
    """What a file says of what the person is asked for, as far as it can be used.

    Returns
    -------
    dict
        Any of ``labels``, ``footprint_m``, ``side_px``, ``mean`` and ``std``; ``softmax`` always.
    """
    told = file.metadata
    found: dict[str, Any] = {"softmax": not plain.gives_probabilities}
    for key in ("labels", "class_names", "names"):
        try:
            given = told[key]
            if isinstance(given, Mapping):
                given = {str(number): label for number, label in given.items()}
            found["labels"] = _listed(given)
            break
        except (KeyError, TypeError, AttributeError):
            continue
    for key in ("tile_size", "imgsz"):
        side = told.get(key)
        side = side[0] if isinstance(side, list) and side else side
        if isinstance(side, int) and 8 <= side <= MOST_SIDE_PX:
            found.setdefault("side_px", side)
    ground = told.get("footprint_m")
    side_px, centimetres = plain.side_px or found.get("side_px"), told.get("resolution")
    if ground is None and side_px and isinstance(centimetres, int | float):
        ground = round(side_px * centimetres / 100, 2)
    if isinstance(ground, int | float) and 0 < ground <= MOST_GROUND_M:
        found["footprint_m"] = float(ground)
    try:
        found["mean"] = three(told["standardization_mean"])
        found["std"] = three(told["standardization_std"])
    except (KeyError, TypeError, ValueError):
        found.pop("mean", None)
    return found

"""The facts about a model: its card."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyapp.core.errors import CardError
from pyapp.core.model.nodes import MOST_NODES
from pyapp.core.model.tree import Levels, Tree

MOST_CLASSES = MOST_NODES


@dataclass(frozen=True)
class Card:
    """The facts about a model that the page relies on.

    Attributes
    ----------
    name : str
        Name of its folder.
    title : str
        As a person reads it.
    labels : tuple of str
        A readable label for each class, in the order of the model's outputs.
    chip_px : int
        Side of the chip, in pixels.
    footprint_m : float
        Side of the square of ground that one chip shows, in metres.
    tree : Tree
        What the classes are grouped into; flat for a card that has no tree.
    levels : Levels
        For each level of the tree, the probability from which a node may be the answer. In a card
        without a tree, all are its one threshold.
    sets : dict of float to float
        For each coverage, the least probability of a class in the label set of a chip: split
        conformal prediction, fitted when the model was made. May be empty.
    familiar : float
        If a chip's largest logit is below this, the chip is unlike what the model was trained on.
        Minus infinity if the card doesn't say: then no chip counts as unlike.
    sha256 : str
        Hexadecimal digest of the model's file; of a taught model, of what it was taught.
    size_bytes : int
        Size of that file; 0 if the card doesn't say.
    licence : str
        Empty if the card doesn't say.
    training_data : str
        What it was trained on; empty if the card doesn't say.
    use : str
        The use that those pictures were published for, such as "research"; empty if any.
    network : str
        Digest of the file that gives the embeddings: the same, except for a taught model.
    embeds : bool
        Whether it gives embeddings; without them nothing can be taught, searched or recoloured.
    judged : bool
        Whether how often it is right was ever measured, and its thresholds fitted.
    one_at_a_time : bool
        Whether its network takes just one chip.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    chip_px: int
    footprint_m: float
    tree: Tree
    levels: Levels
    sets: dict[float, float]
    familiar: float
    sha256: str
    size_bytes: int = 0
    licence: str = ""
    training_data: str = ""
    use: str = ""
    network: str = ""
    embeds: bool = True
    judged: bool = True
    one_at_a_time: bool = False

    def __post_init__(self) -> None:
        if not self.network:
            object.__setattr__(self, "network", self.sha256)

    @property
    def is_taught(self) -> bool:
        """Whether its classes are a person's, on the network of another model."""
        return self.network != self.sha256

    @property
    def resolution_m(self) -> float:
        """Ground sample distance of the chip, in metres per pixel."""
        return self.footprint_m / self.chip_px

    @property
    def threshold(self) -> float:
        """Probability below which a class is not the answer."""
        return self.levels.cls

    @property
    def judges_familiarity(self) -> bool:
        """Whether it can tell a chip that is unlike what the model was trained on."""
        return self.familiar > -math.inf

    @classmethod
    def from_json(cls, name: str, text: str) -> "Card":
        """Read ``card.json``.

        Parameters
        ----------
        name : str
            Name of the model's folder.
        text : str
            Contents of the file.

        Raises
        ------
        CardError
            If it is not JSON, a fact that the page needs is missing or out of range, or the tree
            is broken.
        """
        try:
            facts = json.loads(text)
            labels = tuple(facts["labels"])
            _check_labels(name, labels)
            tree, levels = _tree_and_levels(name, labels, facts)
            card = cls(
                name=name,
                title=str(facts["title"]),
                labels=labels,
                chip_px=int(facts["tile_size"]),
                footprint_m=float(facts["footprint_m"]),
                tree=tree,
                levels=levels,
                sets={float(cover): float(level) for cover, level in facts.get("sets", {}).items()},
                familiar=float(facts.get("familiar", "-inf")),
                sha256=str(facts["sha256"]),
                size_bytes=int(facts.get("size_bytes", 0)),
                licence=str(facts.get("licence", "")),
                training_data=str(facts.get("training_data", "")),
                use=str(facts.get("use", "")),
                embeds=bool(facts.get("embeds", True)),
                judged=bool(facts.get("judged", True)),
                one_at_a_time=bool(facts.get("one_at_a_time", False)),
            )
        except KeyError as error:
            raise CardError(name, f"it lacks {error.args[0]}") from error
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CardError(name, f"it cannot be read ({error})") from error
        sizes = card.chip_px > 0 and card.footprint_m > 0 and card.size_bytes >= 0
        if not (sizes and 0 <= card.threshold <= 1):
            raise CardError(name, "its sizes or its threshold are out of range")
        return card

    def to_json(self) -> str:
        """What `from_json` reads."""
        facts: dict[str, Any] = {
            "name": self.name, "title": self.title, "labels": self.labels,
            "tile_size": self.chip_px, "footprint_m": self.footprint_m,
            "tree": self.tree.to_json(), "levels": self.levels.to_json(),
            "threshold": self.threshold, "sets": self.sets, "sha256": self.sha256,
            "size_bytes": self.size_bytes, "licence": self.licence,
            "training_data": self.training_data, "use": self.use, "embeds": self.embeds,
            "judged": self.judged, "one_at_a_time": self.one_at_a_time,
        }  # fmt: skip
        if self.judges_familiarity:
            facts["familiar"] = self.familiar
        return json.dumps(facts, ensure_ascii=False)


def _check_labels(name: str, labels: tuple[object, ...]) -> None:
    if len(labels) < 2 or not all(isinstance(label, str) and label for label in labels):
        raise CardError(name, "it names fewer than two classes")
    if len(labels) > MOST_CLASSES:
        raise CardError(name, f"it names more than {MOST_CLASSES} classes")


def _tree_and_levels(
    name: str, labels: tuple[str, ...], facts: Mapping[str, Any]
) -> tuple[Tree, Levels]:
    """The tree and its levels; of a card from before there were trees, flat ones."""
    if facts.get("tree") is None:
        return Tree.flat(labels), Levels(*[float(facts["threshold"])] * 3)
    try:
        return Tree.from_json(labels, facts["tree"]), Levels.from_json(facts.get("levels"))
    except ValueError as error:
        raise CardError(name, str(error)) from error

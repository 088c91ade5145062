"""What a pack says about itself: its parts with their hashes, whose they are, and the area."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyapp.core.imagery.stored import text_of
from pyapp.core.pack.archive import FORMAT
from pyapp.core.pack.area import KeptArea
from pyapp.core.pack.errors import NewerPackError, NotAPackError
from pyapp.core.pack.tiles import tile_of

VERSION = 1
IMAGERY, MODEL, CARD, SURVEY, PROJECT, README = (
    "imagery", "model", "card", "survey", "project", "readme",
)  # fmt: skip
KINDS = (IMAGERY, MODEL, CARD, SURVEY, PROJECT, README)
MOST_MISSING = 1_000_000
ABOUT = """This is a pack made with Lookdown: imagery of an area, and what is needed to name what is
on the ground there without a network. Drop it on the page to open it.

manifest.json      what each part is, its size and sha256, credits, licences and terms
imagery.pmtiles    the imagery (PMTiles version 3), for any program that reads that
model/             the network (ONNX) and its card
surveys/           surveys of the area (GeoJSON)
project.zip        classes that were taught, with their examples
"""


@dataclass(frozen=True)
class PackPart:
    """One file of a pack.

    Attributes
    ----------
    name : str
        In the zip.
    kind : str
        One of `KINDS`.
    title : str
        As a person reads it; may be empty.
    size : int
        In bytes.
    sha256 : str
    """

    name: str
    kind: str
    title: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Credit:
    """Whose something in the pack is, and what its terms are."""

    of: str
    credit: str
    licence: str
    terms: str


@dataclass(frozen=True)
class Manifest:
    """The contents of a pack.

    Attributes
    ----------
    made : str
        When it was written, as ISO 8601.
    area : KeptArea
    missing : tuple of str
        Tiles of the area that its provider hasn't, as ``zoom/column/row``.
    parts : tuple of PackPart
    credits : tuple of Credit
    """

    made: str
    area: KeptArea
    missing: tuple[str, ...]
    parts: tuple[PackPart, ...]
    credits: tuple[Credit, ...]

    def of_kind(self, kind: str) -> list[PackPart]:
        """Its parts of one kind."""
        return [each for each in self.parts if each.kind == kind]

    def to_json(self) -> str:
        """What `from_json` reads; it begins with the format, by which a pack is recognised."""
        return json.dumps(
            {
                "format": FORMAT,
                "version": VERSION,
                "made": self.made,
                "area": json.loads(self.area.to_json()),
                "missing": list(self.missing),
                "credits": [vars(each) for each in self.credits],
                "parts": [vars(each) for each in self.parts],
            },
            ensure_ascii=False,
        )

    @staticmethod
    def from_json(data: bytes, name: str) -> Manifest:
        """Read a manifest.

        Raises
        ------
        NewerPackError
            If a later version wrote it.
        NotAPackError
            If it is damaged.
        """
        try:
            facts = json.loads(data)
            if facts["format"] != FORMAT:
                raise NotAPackError(name, "it is a file of something else")
            version = facts["version"]
            if not isinstance(version, int) or version < 1:
                raise ValueError("version")
            if version > VERSION:
                raise NewerPackError(name, version)
            return _manifest(facts)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise NotAPackError(name, "its manifest.json is damaged") from error


def part_of(name: str, kind: str, title: str, pieces: Iterable[bytes]) -> PackPart:
    """The facts of a part.

    >>> part_of("a.txt", README, "", [b"a", b"b"]).size
    2
    """
    digest, size = hashlib.sha256(), 0
    for each in pieces:
        digest.update(each)
        size += len(each)
    return PackPart(name, kind, title, size, digest.hexdigest())


def _manifest(facts: dict[str, Any]) -> Manifest:
    parts = tuple(
        PackPart(
            text_of(each["name"]), text_of(each["kind"]), text_of(each["title"]), int(each["size"]),
            text_of(each["sha256"]),
        )
        for each in facts["parts"]
    )  # fmt: skip
    credits = tuple(
        Credit(*(text_of(each[name]) for name in ("of", "credit", "licence", "terms")))
        for each in facts["credits"]
    )
    missing = tuple(text_of(each) for each in facts["missing"])
    kinds = [each.kind for each in parts]
    once = all(kinds.count(each) == 1 for each in (IMAGERY,)) and all(
        kinds.count(each) <= 1 for each in (MODEL, CARD, PROJECT)
    )
    if not once or len(missing) > MOST_MISSING or (MODEL in kinds) != (CARD in kinds):
        raise ValueError("its parts are not those of a pack")
    for each in missing:
        tile_of(each)
    area = KeptArea.from_facts(facts["area"])
    return Manifest(text_of(facts["made"]), area, missing, parts, credits)

"""Packs: an area with all that is needed there, written as one file and opened from it."""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from pyapp.core.errors import LookdownError
from pyapp.core.ground.geo import Bounds
from pyapp.core.imagery.pmtiles import Kind, tile_id
from pyapp.core.imagery.pmtiles_reader import Pmtiles
from pyapp.core.imagery.pmtiles_writer import PmtilesWriter
from pyapp.core.model.card import Card
from pyapp.core.pack.archive import MANIFEST, Stored, parts_of, zipped
from pyapp.core.pack.errors import (
    ChangedPackError,
    ForbiddenKeepError,
    KeptStoreError,
    NotAPackError,
)
from pyapp.core.pack.manifest import (
    ABOUT,
    CARD,
    IMAGERY,
    MODEL,
    README,
    Credit,
    Manifest,
    PackPart,
    part_of,
)
from pyapp.core.pack.tiles import key_of, kind_of
from pyapp.work.kept import HeldArea, KeptAreas
from pyapp.work.loading import ModelFiles

# Of a manifest, and of a part that is needed in one piece.
MOST_MANIFEST_BYTES = 64 << 20
MOST_PART_BYTES = 1 << 30
# Tiles that are stored at a time.
AT_ONCE = 4
KINDS = {"png": Kind.PNG, "jpeg": Kind.JPEG, "webp": Kind.WEBP, "avif": Kind.AVIF}
IMAGERY_NAME, README_NAME = "imagery.pmtiles", "README.txt"

Progress = Callable[[int, int], None]


class PackFile(Protocol):
    """A file that is read in pieces."""

    @property
    def name(self) -> str:
        """As the person knows it."""

    @property
    def size(self) -> int:
        """In bytes."""

    async def read(self, offset: int, length: int) -> bytes:
        """Some of its bytes; fewer where it ends."""

    async def sha256(self, offset: int, length: int) -> str:
        """The digest of some of its bytes, in hexadecimal."""


@dataclass(frozen=True)
class Given:
    """Something that goes along with the imagery."""

    name: str
    kind: str
    title: str
    data: bytes


async def model_of(files: ModelFiles, card: Card) -> tuple[list[Given], Credit]:
    """A model as it goes along with imagery, and whose it is.

    Raises
    ------
    ModelError
        If its file does not arrive.
    """
    given = [
        Given("model/model.onnx", MODEL, card.title, await files.file(card)),
        Given("model/card.json", CARD, card.title, card.to_json().encode()),
    ]
    whose = f"learned from {card.training_data}" if card.training_data else ""
    return given, Credit(f"model {card.title}", whose, card.licence, card.use)


async def written(
    areas: KeptAreas,
    held: HeldArea,
    given: Sequence[Given],
    credits: Sequence[Credit],
    made: str,
    progress: Progress,
) -> list[bytes]:
    """The file of a pack, in pieces.

    Parameters
    ----------
    areas : KeptAreas
    held : HeldArea
        What of it is stored goes along.
    given : sequence of Given
    credits : sequence of Credit
        Besides that of the imagery.
    made : str
        Now, as ISO 8601.
    progress : callable
        Called with the number of tiles that were read, and of all.

    Raises
    ------
    LargePackError
    """
    source = held.area.source
    imagery = await _pmtiles(areas, held, progress)
    parts: dict[str, Sequence[bytes]] = {IMAGERY_NAME: imagery, README_NAME: [ABOUT.encode()]}
    facts = [
        part_of(IMAGERY_NAME, IMAGERY, held.area.name, imagery),
        part_of(README_NAME, README, "", parts[README_NAME]),
    ]
    for each in given:
        parts[each.name] = [each.data]
        facts.append(part_of(each.name, each.kind, each.title, [each.data]))
    whose = Credit("imagery", source.credit, source.licence, source.terms)
    manifest = Manifest(
        made, held.area, tuple(sorted(held.missing)), tuple(facts), (whose, *credits)
    )
    return zipped({MANIFEST: [manifest.to_json().encode()], **parts})


async def _pmtiles(areas: KeptAreas, held: HeldArea, progress: Progress) -> list[bytes]:
    """The stored tiles of an area as PMTiles, in pieces."""
    kinds: Counter[str] = Counter()
    tiles = sorted(await areas.all_tiles(held), key=tile_id)
    writer = PmtilesWriter(Kind.UNKNOWN)
    pieces = []
    zooms = set()
    for number, tile in enumerate(tiles):
        data = await areas.read(held, tile)
        if data is None:
            continue
        kinds[kind_of(data) or ""] += 1
        zooms.add(tile.z)
        pieces.append(writer.add(tile, data))
        progress(number + 1, len(tiles))
    if not kinds:
        raise KeptStoreError("nothing of it is stored")
    # A provider may send photographs as JPEG and empty tiles as PNG; readers look at each.
    writer.kind = KINDS.get(kinds.most_common(1)[0][0], Kind.UNKNOWN)
    source = held.area.source
    said = {
        "name": held.area.name, "attribution": source.attribution, "type": "baselayer",
        "description": f"{source.licence} {source.terms}".strip(), "format": writer.kind.name,
    }  # fmt: skip
    west, south, east, north = held.area.bounds
    bounds = Bounds(max(west, -180.0), south, min(east, 180.0), north)
    return [writer.head(bounds, said), *pieces]


class OpenPack:
    """A pack whose parts are all as they were written.

    Attributes
    ----------
    manifest : Manifest
    """

    def __init__(self, file: PackFile, manifest: Manifest, places: dict[str, Stored]):
        self._file = file
        self._places = places
        self.manifest = manifest

    async def data(self, part: PackPart) -> bytes:
        """All of a part.

        Raises
        ------
        ChangedPackError
            If it is no longer there.
        """
        place = self._places[part.name]
        data = await self._file.read(place.offset, place.size)
        if len(data) != place.size or place.size > MOST_PART_BYTES:
            raise ChangedPackError(self._file.name, part.name, "can't be read")
        return data

    async def imagery(self) -> Pmtiles:
        """Its imagery.

        Raises
        ------
        RasterError
            If it is no PMTiles.
        """
        (part,) = self.manifest.of_kind(IMAGERY)
        place = self._places[part.name]

        async def read(offset: int, length: int) -> bytes:
            length = min(length, place.size - offset)
            return await self._file.read(place.offset + offset, length) if length > 0 else b""

        return await Pmtiles.open(read, part.name)


async def opened(file: PackFile, progress: Progress) -> OpenPack:
    """Open a pack, and check each of its parts.

    Parameters
    ----------
    file : PackFile
    progress : callable
        Called with the number of bytes that were checked, and of all.

    Raises
    ------
    NotAPackError, NewerPackError
    ChangedPackError
        With the name of the part that is not as it was written.
    """
    places = await parts_of(file.read, file.size, file.name)
    place = places.get(MANIFEST)
    if place is None or place.size > MOST_MANIFEST_BYTES:
        raise NotAPackError(file.name, f"it has no {MANIFEST}")
    data = await file.read(place.offset, place.size)
    if zlib.crc32(data) != place.crc:
        raise ChangedPackError(file.name, MANIFEST)
    manifest = Manifest.from_json(data, file.name)
    total = sum(each.size for each in manifest.parts)
    checked = 0
    for part in manifest.parts:
        place = places.get(part.name)
        if place is None:
            raise ChangedPackError(file.name, part.name, "is missing")
        digest = await file.sha256(place.offset, place.size)
        if place.size != part.size or digest != part.sha256:
            raise ChangedPackError(file.name, part.name)
        checked += part.size
        progress(checked, total)
    return OpenPack(file, manifest, places)


class Unpacker:
    """Puts the imagery of packs among the areas that are kept.

    Parameters
    ----------
    areas : KeptAreas
    """

    def __init__(self, areas: KeptAreas):
        self._areas = areas

    async def lend(self, pack: OpenPack) -> HeldArea:
        """Have the imagery of a pack used from its file at once; `store` makes that last.

        Raises
        ------
        ForbiddenKeepError, KeptStoreError, RasterError
        """
        (part,) = pack.manifest.of_kind(IMAGERY)
        area = self._areas.known(pack.manifest.area)
        if not (area.source.allows.keep and area.source.allows.read):
            raise ForbiddenKeepError(area.source.name)
        held = self._areas.held.get(area.id)
        if held is not None and not _same(held, pack):
            # Another area has this name, by chance or on purpose.
            area = replace(area, id=part.sha256[:32])
            held = self._areas.held.get(area.id)
        imagery = await pack.imagery()
        if held is None:
            held = await self._areas.add(area)
        self._areas.lend(area.id, imagery.tile)
        self._areas.tell()
        return held

    async def store(self, pack: OpenPack, held: HeldArea) -> None:
        """Store the tiles of a pack that are not stored yet.

        Raises
        ------
        KeptStoreError
            If there is no room; what is stored stays.
        """
        held.arriving = True
        missing = set(pack.manifest.missing)
        left = iter(held.todo())

        async def take() -> None:
            for tile in left:
                if self._areas.held.get(held.area.id) is not held:
                    # It was freed meanwhile.
                    return
                data = await imagery.tile(tile)
                if data is not None or key_of(tile) in missing:
                    await self._areas.store(held, tile, data)

        try:
            imagery = await pack.imagery()
            await asyncio.gather(*(take() for _ in range(AT_ONCE)))
            self._areas.lend(held.area.id, None)
        finally:
            held.arriving = False
            with suppress(LookdownError):
                if held.area.id in self._areas.held:
                    await self._areas.note(held)


def _same(held: HeldArea, pack: OpenPack) -> bool:
    """Whether an area is that of a pack."""
    one, other = held.area, pack.manifest.area
    return (one.source.url, one.bounds, one.zooms) == (other.source.url, other.bounds, other.zooms)

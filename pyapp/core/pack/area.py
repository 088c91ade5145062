"""An area that is kept on the device: which tiles of which imagery."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pyapp.core.ground.geo import Bounds, LngLat, Tile
from pyapp.core.imagery.source import FINEST_ZOOM, OWN_ID, Source
from pyapp.core.imagery.stored import is_ground, source_facts, source_from, text_of
from pyapp.core.pack.tiles import Zooms, count_of, tiles_of

# Larger ones were not made here.
MOST_TILES = 1_000_000


@dataclass(frozen=True)
class KeptArea:
    """A rectangle of imagery.

    Attributes
    ----------
    id, name : str
    made : str
        When it was begun, as ISO 8601.
    source : Source
    bounds : Bounds
    zooms : Zooms
    total : int
        Tiles that there are in it, as far as is known.
    """

    id: str
    name: str
    made: str
    source: Source
    bounds: Bounds
    zooms: Zooms
    total: int

    @property
    def centre(self) -> LngLat:
        """Its middle."""
        west, south, east, north = self.bounds
        return LngLat((west + east) / 2, (south + north) / 2)

    def tiles(self) -> list[Tile]:
        """All its tiles, the coarsest first."""
        return tiles_of(self.bounds, self.zooms, self.source)

    def to_json(self) -> str:
        """What `from_json` reads."""
        return json.dumps(
            {
                "id": self.id, "name": self.name, "made": self.made,
                "source": source_facts(self.source),
                "bounds": list(self.bounds), "zooms": list(self.zooms), "total": self.total,
            }
        )  # fmt: skip

    @staticmethod
    def from_json(text: str) -> KeptArea:
        """An area as it was stored.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is damaged.
        """
        return KeptArea.from_facts(json.loads(text))

    @staticmethod
    def from_facts(facts: Mapping[str, Any]) -> KeptArea:
        """The same, of what JSON holds."""
        bounds = Bounds(*map(float, facts["bounds"]))
        zooms = Zooms(*map(int, facts["zooms"]))
        total = int(facts["total"])
        if not is_ground(bounds) or not 0 <= zooms.coarsest <= zooms.finest <= FINEST_ZOOM:
            raise ValueError("bounds or zooms are no ground")
        if not 0 <= total <= min(count_of(bounds, zooms), MOST_TILES):
            raise ValueError("the number of tiles doesn't fit the area")
        id_, name, made = (text_of(facts[each]) for each in ("id", "name", "made"))
        return KeptArea(id_, name, made, source_from(facts["source"]), bounds, zooms, total)

    def of(self, source: Source) -> KeptArea:
        """The same area of the same imagery as the page describes it."""
        return replace(self, source=source)


def told_apart(source: Source) -> Source:
    """A source that others of its kind, by an address of one's own, do not replace in a list."""
    if source.id != OWN_ID:
        return source
    digest = hashlib.sha256(source.url.encode()).hexdigest()[:8]
    return replace(source, id=f"{OWN_ID}-{digest}")

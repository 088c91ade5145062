"""Imagery of a person's own as JSON: what is remembered between visits, and what files carry."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pyapp.core.ground.geo import MAX_LATITUDE, Bounds
from pyapp.core.imagery.source import FINEST_ZOOM, OWN_ID, Allows, Source
from pyapp.core.imagery.template import missing_in, unknown_in

TEXTS = ("id", "name", "url", "credit", "licence", "terms", "date", "renewed", "conditions")
LONGEST = 4000


def source_facts(source: Source) -> dict[str, Any]:
    """A source as JSON can hold it."""
    facts: dict[str, Any] = {name: getattr(source, name) for name in TEXTS}
    return facts | {
        "zooms": [source.min_zoom, source.max_zoom],
        "bounds": [list(each) for each in source.bounds],
        "ground_m": source.ground_m,
        "allows": source.allows._asdict(),
    }


def source_from(facts: Mapping[str, Any]) -> Source:
    """A source of a file or of the database; nothing in it is taken for markup.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is damaged.
    """
    texts: dict[str, Any] = {name: text_of(facts[name]) for name in TEXTS}
    coarsest, finest = (int(each) for each in facts["zooms"])
    parts = urlsplit(texts["url"])
    wrong = missing_in(texts["url"]) or unknown_in(texts["url"])
    if wrong or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the address is not one of tiles")
    if urlsplit(texts["terms"]).scheme not in ("", "https"):
        # A link is followed by a click, so it must not be anything else.
        raise ValueError("the terms are no address")
    bounds = tuple(Bounds(*map(float, each)) for each in facts["bounds"])
    if not 0 <= coarsest <= finest <= FINEST_ZOOM or not all(map(is_ground, bounds)):
        raise ValueError("bounds or zooms are no ground")
    ground_m = None if facts["ground_m"] is None else float(facts["ground_m"])
    allows = Allows(**{name: bool(facts["allows"][name]) for name in Allows._fields})
    if not texts["id"].startswith(f"{OWN_ID}-"):
        # Ids without this beginning belong to the sources of the page.
        texts["id"] = f"{OWN_ID}-{texts['id']}"
    return Source(
        **texts,
        min_zoom=coarsest,
        max_zoom=finest,
        attribution=html.escape(texts["credit"]),
        origin=f"{parts.scheme}://{parts.netloc}",
        bounds=bounds,
        ground_m=ground_m,
        allows=allows,
    )


def text_of(value: object) -> str:
    """A text that has to be one.

    Raises
    ------
    ValueError
    """
    if not isinstance(value, str) or len(value) > LONGEST:
        raise ValueError("a text is missing or too long")
    return value


def is_ground(bounds: Bounds) -> bool:
    """Whether a rectangle can be one of the map, once around it at most either way."""
    west, south, east, north = bounds
    finite = all(map(math.isfinite, bounds))
    edge = MAX_LATITUDE + 1
    return finite and -720 <= west <= east <= 720 and -edge <= south <= north <= edge

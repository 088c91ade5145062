"""Sources that a person used before, as a text that is remembered between visits."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pyapp.core.imagery.source import Allows, Source
from pyapp.core.imagery.stored import source_facts, source_from

MOST_KNOWN = 12


def known_to_json(sources: Iterable[Source]) -> str:
    """What `known_from_json` reads: the last ones, as far as there is room."""
    return json.dumps([source_facts(each) for each in list(sources)[-MOST_KNOWN:]])


def known_from_json(text: str | None) -> list[Source]:
    """Sources that were remembered; what is damaged is left out.

    Parameters
    ----------
    text : str or None
        ``None`` if nothing was.
    """
    try:
        rows = json.loads(text or "[]")
        return [found for each in rows if (found := _own(each)) is not None]
    except (ValueError, TypeError, RecursionError):
        return []


def _own(facts: Mapping[str, Any]) -> Source | None:
    try:
        # What was written before sources had these.
        found = source_from({"renewed": "", "allows": Allows()._asdict()} | dict(facts))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return found if found.id == facts["id"] else None

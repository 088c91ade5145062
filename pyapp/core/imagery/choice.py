"""Which imagery to offer for a place, and what one may do with it."""

from collections.abc import Iterable

from pyapp.core.ground.geo import LngLat, resolution_m
from pyapp.core.imagery.date import in_words
from pyapp.core.imagery.source import OWN_ID, Source

MOST_NAMED = 3


def by_place(sources: Iterable[Source], place: LngLat) -> tuple[list[Source], list[Source]]:
    """Sources that cover a place, and the others.

    Those that cover it come in the order of their use there: what may be classified before what
    may be looked at only, then the finest, then as listed. The others stay as listed.

    Parameters
    ----------
    sources : iterable of Source
    place : LngLat
    """
    listed = list(sources)
    here = [each for each in listed if each.covers(place)]
    here.sort(key=lambda each: (not each.allows.read, -each.max_zoom))
    return here, [each for each in listed if not each.covers(place)]


def readable(sources: Iterable[Source], place: LngLat, bulk: bool = False) -> list[str]:
    """Names of a few sources that cover a place and may be classified there.

    Parameters
    ----------
    sources : iterable of Source
    place : LngLat
    bulk : bool
        Whether they are to be surveyed.
    """
    here, _ = by_place((each for each in sources if not each.series), place)
    allowed = [each.name for each in here if (each.allows.bulk if bulk else each.allows.read)]
    return allowed[:MOST_NAMED]


def facts_at(source: Source, place: LngLat) -> str:
    """What is known about the pictures of a source at a place.

    >>> swiss = Source("s", "Swiss", "{z}/{x}/{y}", 0, 19, "", "", None, date="2024")
    >>> facts_at(swiss, LngLat(7.4, 46.9))
    '0.20 m per pixel, 2024'
    """
    ground_m = source.ground_m or resolution_m(source.max_zoom, place.lat)
    fine = f"{ground_m:.2f} m per pixel"
    when = in_words(source.date) or source.renewed
    return f"{fine}, {when}" if when else fine


def permission(source: Source) -> str:
    """What one may do with a source, as a sentence.

    >>> permission(Source("s", "Swiss", "{z}/{x}/{y}", 0, 19, "", "", None))
    'You may look at it, classify it, survey it and keep it.'
    """
    if source.id.startswith(OWN_ID) and not source.licence:
        return "Its terms are not known here: what you do with it is up to you."
    deeds = {"look at it": source.allows.show, "classify it": source.allows.read,
             "survey it": source.allows.bulk, "keep it": source.allows.keep}  # fmt: skip
    may = [deed for deed, allowed in deeds.items() if allowed]
    may_not = [deed for deed, allowed in deeds.items() if not allowed]
    sentence = f"You may {_listed(may, 'and')}"
    return f"{sentence}, but not {_listed(may_not, 'or')}." if may_not else f"{sentence}."


def _listed(words: list[str], last: str) -> str:
    return f" {last} ".join([", ".join(words[:-1])] * (len(words) > 1) + words[-1:])

"""``lookdown classify``: pictures, or a place."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from pyapp.core.errors import LookdownError, PlaceError
from pyapp.core.ground.geo import MAX_LATITUDE, Footprint, LngLat
from pyapp.core.imagery.part import middle_part
from pyapp.core.imagery.source import Source
from pyapp.native.disk import read_whole
from pyapp.native.errors import sentence_of
from pyapp.native.setup import Native
from pyapp.native.wording import answer_line
from pyapp.work.classifier import Answer

BEST = 5


async def photos(
    native: Native, paths: Sequence[Path], as_json: bool
) -> AsyncIterator[tuple[str, LookdownError | None]]:
    """A line for each picture: what is in its middle square; or why that can't be said.

    Yields
    ------
    line : str
    error : LookdownError or None
    """
    for path in paths:
        try:
            answer = await _photo(native, path)
        except LookdownError as error:
            said = sentence_of(error)
            yield (said if str(path) in said else f"{path}: {said}"), error
            continue
        yield _line(str(path), answer, as_json), None


async def _photo(native: Native, path: Path) -> Answer:
    photo = await native.ground.photo(read_whole(path))
    middle = middle_part(photo.facts.width, photo.facts.height)
    return await native.classifier.part(photo, middle)


async def place(native: Native, lat: float, lng: float, source: Source, as_json: bool) -> str:
    """What is in the square around a place.

    Raises
    ------
    PlaceError, TileError, InferenceError
    """
    if not (abs(lat) <= MAX_LATITUDE and abs(lng) <= 180):
        raise PlaceError(
            f"{lat:g}, {lng:g} is not on the map: write the latitude first, from -85 to 85, then "
            "the longitude, from -180 to 180."
        )
    card = native.models.card
    assert card is not None, "a model is loaded"
    footprint = Footprint(LngLat(lng, lat), card.footprint_m)
    answer = await native.classifier.square(footprint, source)
    return _line(f"{lat:g}, {lng:g}", answer, as_json)


def _line(about: str, answer: Answer, as_json: bool) -> str:
    if not as_json:
        return f"{about}: {answer_line(answer.prediction)}"
    return json.dumps({"of": about} | _facts(answer), ensure_ascii=False)


def _facts(answer: Answer) -> dict[str, Any]:
    found = answer.prediction
    return {
        "answer": found.answer.name if found.answer else None,
        "level": found.answer.level.label if found.answer else None,
        "path": list(found.path),
        "probability": round(found.answer_probability, 4) if found.answer else None,
        "familiar": found.familiar,
        "best": [
            {"class": each.label, "probability": round(each.probability, 4)}
            for each in found.ranked[:BEST]
        ],
        "label_set": [each.label for each in found.likely],
        "coverage": found.coverage,
        "zoom": answer.chip.zoom,
        "model": answer.card.name,
        "model_sha256": answer.card.sha256,
        "credit": answer.credit,
        "imagery_date": answer.date or None,
    }

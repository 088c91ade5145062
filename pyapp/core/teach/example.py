"""An example: a chip that a person gave a class; perhaps judged in the check of a survey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pyapp.core.ground.geo import Footprint, LngLat
from pyapp.core.survey.facts import MOST_CHIP_PX, as_number, as_switch, as_text, as_whole

MOST_LNG, MOST_LAT = 3600, 90
SIDES_M = (0.1, 100_000)
MOST_HECTARES = 1e12
HEX_DIGEST = 64


class Judged(NamedTuple):
    """That an example is a square of a survey's random sample, judged by a person.

    Attributes
    ----------
    check : str
        Which sample of which survey; the same for all its squares.
    survey : str
        The survey's name.
    hectares : float
        Ground that the square stands for: that of its stratum, shared among its judged squares.
    aside : bool
        Whether it is kept aside: never learned from, so that it can judge what is taught.
    """

    check: str
    survey: str
    hectares: float
    aside: bool

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Judged:
        """Check and take what ``_asdict`` gave.

        Raises
        ------
        ValueError, KeyError, TypeError
        """
        return cls(
            check=as_text(facts["check"]),
            survey=as_text(facts["survey"]),
            hectares=as_number(facts["hectares"], 0, MOST_HECTARES),
            aside=as_switch(facts["aside"]),
        )


class Example(NamedTuple):
    """A chip that a person gave a class.

    Attributes
    ----------
    sha256 : str
        Of its PNG file, by which it is known.
    label : str
        The class.
    chip_px : int
        Side of the chip, in pixels.
    place : Footprint or None
        The ground; ``None`` for a picture without a position.
    credit : str
        Whose imagery it is.
    judged : Judged or None
        ``None`` unless it is from the check of a survey.
    """

    sha256: str
    label: str
    chip_px: int
    place: Footprint | None
    credit: str
    judged: Judged | None = None

    @property
    def aside(self) -> bool:
        """Whether it is kept aside: never learned from."""
        return self.judged is not None and self.judged.aside

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        place = None
        if self.place is not None:
            (lng, lat), side_m = self.place
            place = {"lng": lng, "lat": lat, "side_m": side_m}
        facts = self._asdict() | {"place": place}
        judged = facts.pop("judged")
        return facts if judged is None else facts | {"judged": judged._asdict()}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Example:
        """Check and take what `to_json` gave.

        Raises
        ------
        ValueError, KeyError, TypeError
        """
        place, judged = facts["place"], facts.get("judged")
        if place is not None:
            centre = LngLat(
                as_number(place["lng"], -MOST_LNG, MOST_LNG),
                as_number(place["lat"], -MOST_LAT, MOST_LAT),
            )
            place = Footprint(centre, as_number(place["side_m"], *SIDES_M))
        return cls(
            sha256=as_digest(facts["sha256"]),
            label=as_text(facts["label"]),
            chip_px=as_whole(facts["chip_px"], 1, MOST_CHIP_PX),
            place=place,
            credit=as_text(facts["credit"]),
            judged=None if judged is None else Judged.from_json(judged),
        )


def as_digest(value: object) -> str:
    """A sha256 in hexadecimal.

    Raises
    ------
    ValueError, TypeError
    """
    text = as_text(value)
    if len(text) != HEX_DIGEST or set(text) - set("0123456789abcdef"):
        raise ValueError("a sha256 has other than 64 hexadecimal digits")
    return text

"""Places that a person writes: coordinates, a plus code, or the link of another map.

Nothing is asked of anyone: names of places would need a geocoder. Plus codes follow the Open
Location Code specification.
"""

import math
import re
from typing import NamedTuple
from urllib.parse import unquote

from pyapp.core.errors import PlaceError
from pyapp.core.ground.geo import MAX_LATITUDE, LngLat, wrap_lng

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_PAIR = rf"({_NUMBER})\s*(?:,|;|~|%2C|\s)\s*({_NUMBER})"
# Of OpenStreetMap and pages like it; Google; geo: (RFC 5870); Google, Apple and Bing by a query.
_LINKS = (
    re.compile(rf"#map=(?P<zoom>\d+(?:\.\d+)?)/(?P<lat>{_NUMBER})/(?P<lng>{_NUMBER})"),
    re.compile(rf"@(?P<lat>{_NUMBER}),(?P<lng>{_NUMBER}),(?P<zoom>\d+(?:\.\d+)?)z"),
    re.compile(rf"@(?P<lat>{_NUMBER}),(?P<lng>{_NUMBER})"),
    re.compile(rf"^geo:(?P<lat>{_NUMBER}),(?P<lng>{_NUMBER})(?:[^?]*\?z=(?P<zoom>\d+))?"),
    re.compile(rf"[?&](?:q|ll|query|center|cp)=(?P<lat>{_NUMBER})[,~](?P<lng>{_NUMBER})"),
    re.compile(rf"[?&]mlat=(?P<lat>{_NUMBER})&mlon=(?P<lng>{_NUMBER})"),
)
_SIGNED = re.compile(rf"^\s*{_PAIR}\s*$")
_MINUTE, _SECOND = "['′’]", "(?:\"|″|”|'')"
_ANGLE = (
    r"(\d+(?:\.\d+)?)\s*[°º]?\s*"
    rf"(?:(\d+(?:\.\d+)?)\s*{_MINUTE}\s*)?(?:(\d+(?:\.\d+)?)\s*{_SECOND}\s*)?"
)
_LETTERED = re.compile(rf"^\s*{_ANGLE}([NS])\s*[,;]?\s*{_ANGLE}([EWO])\s*$", re.IGNORECASE)
_COMMAS = re.compile(r"(?<=\d),(?=\d)")

# Open Location Code: digits, the first pair's size in degrees, and rows and columns of finer grids.
_DIGITS = "23456789CFGHJMPQRVWX"
_PAIRS, _ROWS, _COLUMNS = 5, 5, 4
_SEPARATED = 8
_PLUS_CODE = re.compile(rf"^([{_DIGITS}]{{2,8}}0*)\+([{_DIGITS}]*)(?:\s.*)?$", re.IGNORECASE)


class Found(NamedTuple):
    """A place, and the zoom of the map that it was copied from, if any."""

    place: LngLat
    zoom: int | None = None


def find(text: str, near: LngLat) -> Found:
    """The place that a text names.

    Parameters
    ----------
    text : str
    near : LngLat
        Short plus codes mean the place nearest to this one.

    Raises
    ------
    PlaceError
        If it names none, or one that is off the map.

    Examples
    --------
    >>> find("46.948, 7.4474", LngLat(0, 0))
    Found(place=LngLat(lng=7.4474, lat=46.948), zoom=None)
    >>> find("https://www.openstreetmap.org/#map=18/46.948/7.4474", LngLat(0, 0)).zoom
    18
    """
    text = unquote(text.strip()) if "://" in text else text.strip()
    for link in _LINKS:
        match = link.search(text)
        if match is not None:
            zoom = match.groupdict().get("zoom")
            place = _checked(float(match["lat"]), float(match["lng"]))
            return Found(place, None if zoom is None else round(float(zoom)))
    # 46,948; 7,447 has decimal commas; 46,7 is a pair.
    plain = _COMMAS.sub(".", text) if re.search(r"[;\s]", text.strip()) else text
    for written in (text, plain):
        match = _SIGNED.match(written)
        if match is not None:
            return Found(_checked(float(match[1]), float(match[2])))
        match = _LETTERED.match(written)
        if match is not None:
            lat = _degrees(match[1], match[2], match[3]) * (-1 if match[4] in "Ss" else 1)
            lng = _degrees(match[5], match[6], match[7]) * (-1 if match[8] in "Ww" else 1)
            return Found(_checked(lat, lng))
    match = _PLUS_CODE.match(text)
    if match is not None:
        return Found(_of_plus_code(match[1].upper(), match[2].upper(), near))
    raise PlaceError(
        "That is no place that can be found without asking a server. Write coordinates (46.948, "
        "7.447), a plus code (8FR9WCXW+6X) or the link of another map."
    )


def _degrees(degrees: str, minutes: str | None, seconds: str | None) -> float:
    return float(degrees) + float(minutes or 0) / 60 + float(seconds or 0) / 3600


def _checked(lat: float, lng: float) -> LngLat:
    """A place on the map.

    Raises
    ------
    PlaceError
        If it is not on it.
    """
    if 90 < abs(lat) <= 180 and abs(lng) <= 90:
        raise PlaceError("Latitude comes first, then longitude: swap the two numbers.")
    if abs(lat) > MAX_LATITUDE or abs(lng) > 360 or not math.isfinite(lat + lng):
        raise PlaceError(
            "That is off the map: latitudes go to 85.05 degrees, longitudes to 180. Check the "
            "numbers; projected coordinates (metres) can't be read here."
        )
    return LngLat(wrap_lng(lng), lat)


def _of_plus_code(before: str, after: str, near: LngLat) -> LngLat:
    """The middle of a plus code, given what stands before and after its plus."""
    if "0" in before and after:
        raise PlaceError("A plus code that ends in zeros has nothing after its plus.")
    digits = before.rstrip("0")
    missing = 0 if "0" in before else _SEPARATED - len(before)
    if missing % 2 or len(digits) % 2 or len(after) == 1:
        raise PlaceError("This plus code is not complete: a digit is missing or too many.")
    if missing:
        digits = _code_of(near, missing) + digits
    lat, lng = _middle(digits + after)
    if missing:
        # The nearest of those that end so.
        step = 20.0 ** (2 - missing / 2)
        lat += round((near.lat - lat) / step) * step
        lng += round((near.lng - lng) / step) * step
    return _checked(lat, lng)


def _code_of(place: LngLat, count: int) -> str:
    """The first digits of the plus code of a place."""
    lat, lng, size, code = place.lat + 90, wrap_lng(place.lng) + 180, 20.0, ""
    for _ in range(count // 2):
        row, column = int(lat // size), int(lng // size)
        code += _DIGITS[row] + _DIGITS[column]
        lat, lng, size = lat - row * size, lng - column * size, size / 20
    return code


def _middle(digits: str) -> tuple[float, float]:
    """Latitude and longitude of the middle of a complete code's box."""
    lat, lng, height, width = -90.0, -180.0, 400.0, 400.0
    pairs, fine = digits[: 2 * _PAIRS], digits[2 * _PAIRS :]
    for place in range(0, len(pairs), 2):
        height, width = height / 20, width / 20
        lat += _DIGITS.index(pairs[place]) * height
        lng += _DIGITS.index(pairs[place + 1]) * width
    for digit in fine:
        height, width = height / _ROWS, width / _COLUMNS
        row, column = divmod(_DIGITS.index(digit), _COLUMNS)
        lat, lng = lat + row * height, lng + column * width
    return lat + height / 2, lng + width / 2

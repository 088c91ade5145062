"""The page's address.

``?imagery=...&maxzoom=...&model=...&project=...&survey=...#map=zoom/lat/lng&square=lat/lng``
"""

import math
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from pyapp.core.ground.geo import MAX_LATITUDE, LngLat, wrap_lng


class View(NamedTuple):
    """What the map shows: the place in its centre, and its zoom."""

    centre: LngLat
    zoom: int


def view_from(fragment: str) -> View | None:
    """The view in a fragment; ``None`` if it has none, or one that is off the map.

    >>> view_from("#map=19/27.6333/85.5217")
    View(centre=LngLat(lng=85.5217, lat=27.6333), zoom=19)
    """
    text = dict(parse_qsl(fragment.removeprefix("#"))).get("map", "")
    try:
        zoom, lat, lng = (float(part) for part in text.split("/"))
    except ValueError:
        return None
    if not all(map(math.isfinite, (zoom, lat, lng))):
        return None
    if not (0 <= zoom <= 24 and abs(lat) <= MAX_LATITUDE):
        return None
    return View(LngLat(wrap_lng(lng), lat), round(zoom))


def fragment_of(view: View, square: LngLat | None = None) -> str:
    """The fragment that `view_from` and `square_from` read.

    Parameters
    ----------
    view : View
        Its centre is written with as many digits as can be seen at its zoom.
    square : LngLat, optional
        Centre of the square; left out if it is the centre of the map, to those digits.

    Examples
    --------
    >>> fragment_of(View(LngLat(85.5217, 27.6333), 19))
    '#map=19/27.633300/85.521700'
    >>> fragment_of(View(LngLat(85.5217, 27.6333), 10), LngLat(85.6, 27.5))
    '#map=10/27.6333/85.5217&square=27.500000/85.600000'
    """
    digits = max(0, math.ceil(view.zoom * math.log10(2)))
    lng, lat = wrap_lng(view.centre.lng), view.centre.lat
    fragment = f"#map={view.zoom}/{lat:.{digits}f}/{lng:.{digits}f}"
    near = 2 * 10**-digits
    if square is None or (abs(square.lat - lat) < near and abs(wrap_lng(square.lng - lng)) < near):
        return fragment
    return f"{fragment}&square={square.lat:.6f}/{wrap_lng(square.lng):.6f}"


def square_from(fragment: str) -> LngLat | None:
    """The square's centre in a fragment; ``None`` if it has none, or one that is off the map.

    >>> square_from("#map=19/27.6333/85.5217&square=27.6301/85.52")
    LngLat(lng=85.52, lat=27.6301)
    """
    text = dict(parse_qsl(fragment.removeprefix("#"))).get("square", "")
    try:
        lat, lng = (float(part) for part in text.split("/"))
    except ValueError:
        return None
    if not (math.isfinite(lng) and abs(lat) <= MAX_LATITUDE):
        return None
    return LngLat(wrap_lng(lng), lat)


class ImageryRef(NamedTuple):
    """The imagery that the page's address asks for.

    Attributes
    ----------
    name : str
        The id of a source, or an XYZ address.
    max_zoom : int or None
        The finest zoom of an XYZ address; ``None`` if it is not given.
    """

    name: str
    max_zoom: int | None = None


def imagery_from(query: str) -> ImageryRef | None:
    """The imagery that a query asks for; ``None`` if it asks for none.

    >>> imagery_from("?imagery=esri")
    ImageryRef(name='esri', max_zoom=None)
    """
    parts = dict(parse_qsl(query.removeprefix("?")))
    if "imagery" not in parts:
        return None
    max_zoom = parts.get("maxzoom", "")
    # Python refuses to read numbers of thousands of digits.
    readable = max_zoom.isdecimal() and len(max_zoom) < 10
    return ImageryRef(parts["imagery"], int(max_zoom) if readable else None)


def query_with_imagery(query: str, imagery: ImageryRef | None) -> str:
    """A query with ``imagery`` in place of the former, or without any; other parts are kept.

    >>> query_with_imagery("?model=ucmerced&imagery=esri", ImageryRef("sample"))
    '?model=ucmerced&imagery=sample'
    >>> query_with_imagery("?imagery=esri", None)
    ''
    """
    name, max_zoom = imagery or (None, None)
    return _query_with(query, imagery=name, maxzoom=max_zoom)


def model_from(query: str) -> str | None:
    """The name of the model that a query asks for; ``None`` if it asks for none.

    >>> model_from("?model=ucmerced")
    'ucmerced'
    """
    return dict(parse_qsl(query.removeprefix("?"))).get("model")


def query_with_model(query: str, name: str | None) -> str:
    """A query with the model ``name`` in place of the former, or without any; the rest is kept.

    >>> query_with_model("?imagery=esri", "ucmerced")
    '?imagery=esri&model=ucmerced'
    """
    return _query_with(query, model=name)


def project_from(query: str) -> str | None:
    """The id of the project that a query asks for; ``None`` if it asks for none.

    >>> project_from("?project=ab12")
    'ab12'
    """
    return dict(parse_qsl(query.removeprefix("?"))).get("project")


def query_with_project(query: str, project_id: str | None) -> str:
    """A query with the project in place of the former, or without any; the rest is kept.

    >>> query_with_project("?model=ucmerced", "ab12")
    '?model=ucmerced&project=ab12'
    """
    return _query_with(query, project=project_id)


def survey_from(query: str) -> str | None:
    """The address of a large survey's map that a query asks for; ``None`` if it asks for none.

    >>> survey_from("?survey=country/map.pmtiles")
    'country/map.pmtiles'
    """
    return dict(parse_qsl(query.removeprefix("?"))).get("survey")


def _query_with(query: str, **values: str | int | None) -> str:
    """A query with other values, and without those that are ``None``."""
    parts = [pair for pair in parse_qsl(query.removeprefix("?")) if pair[0] not in values]
    parts += [(name, str(value)) for name, value in values.items() if value is not None]
    return "?" + urlencode(parts, safe="/:{}-") if parts else ""

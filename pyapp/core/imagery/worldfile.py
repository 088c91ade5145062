"""Pictures with a world file (ESRI), and what else may lie beside a picture to say where it is."""

import math
from typing import NamedTuple

from pyapp.core.ground.geo import LngLat, resolution_m, wrap_lng
from pyapp.core.ground.wkt import epsg_of
from pyapp.core.imagery.file_errors import WorldFileError
from pyapp.core.imagery.markup import MarkupError, read
from pyapp.core.imagery.raster import Affine

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
TIFFS = (".tif", ".tiff")
WORLDS = (".pgw", ".pngw", ".jgw", ".jpgw", ".jpegw", ".wbw", ".webpw", ".tfw", ".tifw", ".tiffw",
          ".wld")  # fmt: skip
SYSTEMS = (".prj", ".aux.xml")
DEGREES, WEB_MERCATOR = 4326, 3857
HALF_M = 20_037_508.35
# West of this there are no eastings of national grids.
WEST_OF_GRIDS_M = -4_500_000.0
# How far the zoom that pixels are as large as may be from a whole number.
WEB_PIXEL = 1e-5
# No picture from the air has pixels this large, in degrees.
COARSE_DEG = 0.1


class Placing(NamedTuple):
    """Where a picture lies.

    Attributes
    ----------
    affine : Affine or None
        From its pixels to coordinates; ``None`` if nothing says it.
    epsg : int or None
        Of those coordinates; ``None`` if nothing says it.
    """

    affine: Affine | None
    epsg: int | None


def stem(name: str) -> str:
    """What the names of files that belong together have in common.

    >>> stem("Town.PNG"), stem("town.png.aux.xml"), stem("town.pgw"), stem("town.2.jpg")
    ('town', 'town', 'town', 'town.2')
    """
    name = name.lower()
    for endings in (SYSTEMS, WORLDS, (*PICTURES, *TIFFS)):
        for ending in endings:
            if name.endswith(ending):
                name = name.removesuffix(ending)
                break
    return name


def is_companion(name: str) -> bool:
    """Whether a file says where another lies."""
    return name.lower().endswith((*WORLDS, *SYSTEMS))


def placing_of(companions: dict[str, bytes]) -> Placing:
    """What lies beside a picture, read.

    Parameters
    ----------
    companions : dict of str to bytes
        Name to contents, of what `is_companion`.

    Raises
    ------
    WorldFileError
        If one of them is damaged.
    """
    affine, epsg = None, None
    for name, data in sorted(companions.items()):
        lower = name.lower()
        if lower.endswith(".aux.xml"):
            found = _of_pam(name, data)
            affine, epsg = affine or found.affine, found.epsg or epsg
        elif lower.endswith(".prj"):
            epsg = epsg or epsg_of(data.decode("utf-8", "replace"))
        else:
            affine = affine_of(name, data)
    return Placing(affine, epsg)


def affine_of(name: str, data: bytes) -> Affine:
    """Where the pixels of a picture lie, by its world file: six lines with a number each, the last
    two for the middle of the first pixel.

    Raises
    ------
    WorldFileError

    Examples
    --------
    >>> affine_of("town.pgw", b"2\\n0\\n0\\n-2\\n101\\n199\\n")
    Affine(a=2.0, b=0.0, c=100.0, d=0.0, e=-2.0, f=200.0)
    """
    words = data[:4096].decode("utf-8", "replace").split()
    try:
        a, d, b, e, x, y = (float(each.replace(",", ".")) for each in words[:6])
    except ValueError as error:
        raise WorldFileError(name, "it needs six lines with a number each") from error
    return _checked(name, Affine(a, b, x - (a + b) / 2, d, e, y - (d + e) / 2))


def _of_pam(name: str, data: bytes) -> Placing:
    """What GDAL writes beside a picture (PAM): ``SRS`` and ``GeoTransform``."""
    try:
        root = read(data)
    except MarkupError as error:
        raise WorldFileError(name, str(error)) from error
    system = root.first("SRS")
    epsg = None if system is None else epsg_of(system.text)
    transform = root.said("GeoTransform").replace(",", " ").split()
    if not transform:
        return Placing(None, epsg)
    try:
        c, a, b, f, d, e = map(float, transform)
    except ValueError as error:
        raise WorldFileError(name, "its GeoTransform is not six numbers") from error
    return Placing(_checked(name, Affine(a, b, c, d, e, f)), epsg)


def _checked(name: str, affine: Affine) -> Affine:
    if not all(map(math.isfinite, affine)) or affine.determinant == 0:
        raise WorldFileError(name, "its numbers give pixels without a size")
    return affine


def plain_epsg(affine: Affine, width: int, height: int) -> int | None:
    """The coordinate system that coordinates can only be of; ``None`` if they may be of several.

    Degrees are small. For most places the numbers of Web Mercator could be those of a national grid
    as well, unless they are far in the west, or pixels are those of a web map's zoom.

    >>> plain_epsg(Affine(1e-5, 0, 85.5, 0, -1e-5, 27.6), 1000, 1000)
    4326
    >>> plain_epsg(Affine(0.5971642834779395, 0, 9519000, 0, -0.5971642834779395, 3202000), 10, 10)
    3857
    >>> plain_epsg(Affine(0.5, 0, 349000, 0, -0.5, 3057000), 1000, 1000)
    """
    corners = _corners(affine, width, height)
    furthest_x = max(abs(x) for x, _ in corners)
    furthest_y = max(abs(y) for _, y in corners)
    pixel = math.sqrt(abs(affine.determinant))
    if furthest_x <= 180 and furthest_y <= 90:
        return DEGREES if pixel < COARSE_DEG else None
    if max(furthest_x, furthest_y) > HALF_M:
        return None
    zoom = math.log2(resolution_m(0, 0.0) / pixel)
    plain = abs(zoom - round(zoom)) < WEB_PIXEL and affine.b == affine.d == 0.0
    return WEB_MERCATOR if plain or max(x for x, _ in corners) < WEST_OF_GRIDS_M else None


def likely_epsg(affine: Affine, width: int, height: int, place: LngLat) -> int:
    """The coordinate system to suggest when a person has to say it.

    Parameters
    ----------
    affine : Affine
    width, height : int
        Of the picture.
    place : LngLat
        Where the picture is looked for.

    Examples
    --------
    >>> likely_epsg(Affine(0.5, 0, 349000, 0, -0.5, 3057000), 9, 9, LngLat(85.5, 27.6))
    32645
    """
    x, y = _corners(affine, width, height)[0]
    if 100_000 <= x <= 900_000 and 0 <= y <= 10_000_000:
        zone = int((wrap_lng(place.lng) + 180) // 6) + 1
        return (32600 if place.lat >= 0 else 32700) + zone
    return WEB_MERCATOR


def _corners(affine: Affine, width: int, height: int) -> list[tuple[float, float]]:
    a, b, c, d, e, f = affine
    return [
        (a * column + b * row + c, d * column + e * row + f)
        for column in (0, width)
        for row in (0, height)
    ]

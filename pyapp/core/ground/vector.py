"""Points and outlines in files of several formats, as GeoJSON (RFC 7946) has them."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any, NamedTuple

from pyapp.core.errors import AreaFileError
from pyapp.core.ground.markup import from_markup
from pyapp.core.ground.shapefile import from_shapefile

MOST_MB = 64
ZIPPED = (".shp", ".kml")


class Features(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    found : dict
        A GeoJSON object: a geometry, a feature, or a collection.
    note : str
        What had to be assumed about it, as a sentence; empty if nothing had to be.
    """

    found: dict[str, Any]
    note: str = ""


def holds_features(data: bytes) -> bool:
    """Whether a file looks like KML, GPX, or a zip of KML or a Shapefile; damaged or not.

    >>> holds_features(b'<?xml version="1.0"?><kml/>'), holds_features(b"<html>")
    (True, False)
    """
    if data[:2] == b"PK":
        return bool(_zipped(data))
    begin = data[:2000].decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1",
                               errors="replace")  # fmt: skip
    return begin.lstrip("\ufeffï»¿ \t\r\n").startswith("<") and ("<kml" in begin or "<gpx" in begin)


def read_features(data: bytes) -> Features:
    """What a file of one of the known formats holds.

    Parameters
    ----------
    data : bytes
        GeoJSON, KML, GPX, or a zip of a KML file (KMZ) or of a Shapefile.

    Raises
    ------
    AreaFileError
        If it can't be read.

    Examples
    --------
    >>> read_features(b'{"type": "Point", "coordinates": [8, 47]}').found["type"]
    'Point'
    """
    if len(data) > MOST_MB << 20:
        raise AreaFileError(f"it is larger than {MOST_MB} MB")
    if data[:2] == b"PK":
        return _from_zip(data)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        try:
            found = json.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise AreaFileError("it is damaged") from error
        return Features(found)
    return Features(from_markup(data))


def _from_zip(data: bytes) -> Features:
    names = _zipped(data)
    if not names:
        raise AreaFileError("the zip holds neither a Shapefile nor KML, or is damaged")
    shapes = [each for each in names if each.lower().endswith(".shp")]
    if len(shapes) > 1:
        raise AreaFileError(f"the zip holds {len(shapes):,} Shapefiles, and one can be read")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if not shapes:
            named = [each for each in names if each.lower() == "doc.kml"] or names
            return Features(from_markup(_member(archive, named[0])))
        beside = {each.lower(): each for each in archive.namelist()}
        prj = beside.get(shapes[0][:-4].lower() + ".prj")
        wkt = None if prj is None else _member(archive, prj).decode(errors="replace")
        return features_of_shapefile(_member(archive, shapes[0]), wkt)


def features_of_shapefile(shp: bytes, wkt: str | None) -> Features:
    """What a Shapefile holds, by the text of its .prj; raises as `from_shapefile` does."""
    found, assumed = from_shapefile(shp, wkt)
    note = (
        "The Shapefile has no .prj file that says what its coordinates are. They look like "
        "degrees, and are taken as WGS 84."
    )
    return Features(found, note if assumed else "")


def _zipped(data: bytes) -> list[str]:
    """Names of the files of known kinds in a zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeError):
        return []
    return [
        each for each in names
        if each.lower().endswith(ZIPPED) and not each.startswith("__MACOSX/")
    ]  # fmt: skip


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file in a zip; not more of it than fits, whatever its header says."""
    try:
        with archive.open(name) as file:
            data = file.read((MOST_MB << 20) + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise AreaFileError(f"{name} in the zip is damaged or encrypted") from error
    except Exception as error:
        # zlib.error, which has no other base.
        raise AreaFileError(f"{name} in the zip is damaged") from error
    if len(data) > MOST_MB << 20:
        raise AreaFileError(f"{name} in the zip is larger than {MOST_MB} MB")
    return data

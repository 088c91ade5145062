"""Codes of the EPSG registry in descriptions of coordinate systems (WKT of OGC and of ESRI)."""

import re

_AUTHORITY = re.compile(
    r'(?:AUTHORITY|ID)\s*\[\s*"EPSG"\s*,\s*"?(\d{4,6})"?\s*[\],]', re.IGNORECASE
)
_CODE = re.compile(r"\s*(?:EPSG:|urn:ogc:def:crs:EPSG:[^:]*:)(\d{4,6})\s*", re.IGNORECASE)
_NAME = re.compile(r'\s*\w+\s*\[\s*"([^"]*)"')
_UTM = re.compile(r"utm_zone_?(\d{1,2})_?([ns])")
# Australia's grid of the same kind, and its first codes.
_MGA = re.compile(r"(gda_1994|gda94|gda2020)_mga_zone_(\d{2})")
_AUSTRALIAN = {"gda_1994": 28300, "gda94": 28300, "gda2020": 7800}
# First code of UTM zone 1 in the north and in the south, by what the name has of its datum.
_DATUMS = (
    (("wgs_1984", "wgs_84"), 32600, 32700),
    (("etrs_1989", "etrs89"), 25800, None),
    (("nad_1983", "nad83"), 26900, None),
)
# Names that ESRI writes without a code, in lower case.
_NAMES = {
    "wgs_1984_web_mercator_auxiliary_sphere": 3857, "wgs_84_pseudo_mercator": 3857,
    "gcs_wgs_1984": 4326, "wgs_84": 4326, "gcs_etrs_1989": 4258, "gcs_north_american_1983": 4269,
    "rgf_1993_lambert_93": 2154, "rgf93_lambert_93": 2154, "sweref99_tm": 3006,
    "etrf2000_pl_cs92": 2180, "nzgd_2000_new_zealand_transverse_mercator": 2193,
}  # fmt: skip


def epsg_of(text: str) -> int | None:
    """The code of a coordinate system; ``None`` if it can't be told.

    Parameters
    ----------
    text : str
        WKT, or a code as GDAL writes it.

    Examples
    --------
    >>> epsg_of('PROJCS["ETRS_1989_UTM_Zone_32N",GEOGCS["GCS_ETRS_1989"]]')
    25832
    >>> epsg_of('PROJCRS["x",BASEGEOGCRS["y",ID["EPSG",4326]],ID["EPSG",32645]]')
    32645
    >>> epsg_of("EPSG:3857")
    3857
    """
    written = _CODE.fullmatch(text)
    if written:
        return int(written[1])
    text = text.strip()
    # The code of all of it stands last, just before the closing bracket.
    codes = list(_AUTHORITY.finditer(text))
    if codes and set(text[codes[-1].end() - 1 :].strip()) <= set("] ,\n\r\t"):
        return int(codes[-1][1])
    named = _NAME.match(text)
    return _by_name(named[1]) if named else None


def _by_name(name: str) -> int | None:
    plain = re.sub(r"[ /\-]+", "_", name.strip().lower())
    if plain in _NAMES:
        return _NAMES[plain]
    grid = _MGA.fullmatch(plain)
    if grid:
        return _AUSTRALIAN[grid[1]] + int(grid[2])
    zone = _UTM.search(plain)
    if zone is None or not 1 <= int(zone[1]) <= 60:
        return None
    for names, north, south in _DATUMS:
        if plain.startswith(names):
            first = north if zone[2] == "n" else south
            return None if first is None else first + int(zone[1])
    return None

"""Plots in GeoJSON, or in a file that was read as such."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyapp.core.plots.errors import ManyPlotsError, PlotFileError
from pyapp.core.plots.outlines import middle_of
from pyapp.core.plots.plots import MOST_PLOTS, Plots

MOST_DEPTH = 20
POLYGONS = ("Polygon", "MultiPolygon")


def holds_plots(found: dict[str, Any]) -> bool:
    """Whether GeoJSON has points only, or polygons in several features: no area of a survey.

    >>> holds_plots({"type": "Point", "coordinates": [8, 47]})
    True
    >>> holds_plots({"type": "Polygon", "coordinates": []})
    False
    """
    try:
        kinds = [each["type"] for feature in _features(found, 0)
                 for each in _geometries(feature.get("geometry"), 0)]  # fmt: skip
    except (KeyError, TypeError, AttributeError, PlotFileError):
        return False
    polygons = sum(each in POLYGONS for each in kinds)
    points = sum(each in ("Point", "MultiPoint") for each in kinds)
    return polygons > 1 or (polygons == 0 and points > 0)


def plots_from_features(found: dict[str, Any], name: str) -> Plots:
    """The plots of a GeoJSON object: a row for each feature.

    Parameters
    ----------
    found : dict
    name : str
        Of the file.

    Raises
    ------
    PlotFileError, ManyPlotsError

    Examples
    --------
    >>> tree = {"type": "Point", "coordinates": [8, 47]}
    >>> oak = {"type": "Feature", "properties": {"kind": "oak"}, "geometry": tree}
    >>> plots = plots_from_features({"type": "FeatureCollection", "features": [oak]}, "trees")
    >>> plots.columns, plots.rows, plots.lng.tolist()
    (('kind',), (('oak',),), [8.0])
    """
    try:
        features = list(_features(found, 0))
        if len(features) > MOST_PLOTS:
            raise ManyPlotsError(len(features), MOST_PLOTS)
        properties = [each.get("properties") or {} for each in features]
        columns = tuple(dict.fromkeys(str(key) for each in properties for key in each))
        rows = tuple(tuple(each.get(column) for column in columns) for each in properties)
        geometries = tuple(_geometry(each.get("geometry")) for each in features)
        ids = tuple(each.get("id") for each in features)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise PlotFileError("it is damaged") from error
    middles = np.array([middle_of(each) for each in geometries], np.float64).reshape(-1, 2)
    return Plots(
        name=name,
        columns=columns,
        rows=rows,
        lng=middles[:, 0],
        lat=middles[:, 1],
        geometries=geometries,
        ids=ids if any(each is not None for each in ids) else (),
    ).check()


def _features(found: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    if depth > MOST_DEPTH:
        raise PlotFileError("its collections are nested too deep")
    kind = found["type"]
    if kind == "FeatureCollection":
        for each in found["features"]:
            yield from _features(each, depth + 1)
    elif kind == "Feature":
        yield found
    elif kind == "GeometryCollection":
        for each in found["geometries"]:
            yield from _features(each, depth + 1)
    elif kind == "MultiPoint":
        for each in found["coordinates"]:
            yield {"geometry": {"type": "Point", "coordinates": each}}
    else:
        yield {"geometry": found}


def _geometries(geometry: dict[str, Any] | None, depth: int) -> Iterator[dict[str, Any]]:
    if geometry is None or depth > MOST_DEPTH:
        return
    if geometry["type"] == "GeometryCollection":
        for each in geometry["geometries"]:
            yield from _geometries(each, depth + 1)
    else:
        yield geometry


def _geometry(geometry: dict[str, Any] | None) -> dict[str, Any] | None:
    """The polygon of a feature, or its point; other geometries have no place."""
    there = list(_geometries(geometry, 0))
    polygons = [each for each in there if each["type"] in POLYGONS]
    return next(iter(polygons or there), None)

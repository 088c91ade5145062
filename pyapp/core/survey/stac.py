"""A survey as an item of a STAC catalogue (SpatioTemporal Asset Catalog 1.1)."""

from __future__ import annotations

import json
from typing import Any

from pyapp.core.imagery.date import in_words
from pyapp.core.model.tree import PATH_SIGN
from pyapp.core.survey.colours import node_colours
from pyapp.core.survey.geojson import DIGITS, box_within_the_world, ring, within_the_world
from pyapp.core.survey.survey import Survey

VERSION = "1.1.0"
CLASSIFICATION = "https://stac-extensions.github.io/classification/v2.0.0/schema.json"
# What is saved under the survey's name: ending, media type, title, roles.
ASSETS = {
    "geojson": (".geojson", "application/geo+json", "Polygons with every detail", ["data"]),
    "geoparquet": (".parquet", "application/vnd.apache.parquet", "Table with embeddings", ["data"]),
    "csv": (".csv", "text/csv", "Table", ["data"]),
    "geotiff": (".tif", "image/tiff; application=geotiff", "Ids of classes and groups", ["data"]),
    "report": ("-report.html", "text/html", "Report", ["overview"]),
}


def to_stac(survey: Survey, name: str) -> str:
    """The item.

    Parameters
    ----------
    survey : Survey
    name : str
        Of the files beside it, without an ending; those that were not saved may be taken out.
    """
    rings = [ring(each) for each in within_the_world(survey.grid.bounds)]
    one = len(rings) == 1
    model, imagery = survey.model, survey.imagery
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [CLASSIFICATION],
        "id": survey.id,
        "geometry": {
            "type": "Polygon" if one else "MultiPolygon",
            "coordinates": rings if one else [[each] for each in rings],
        },
        "bbox": [round(each, DIGITS) for each in box_within_the_world(survey.grid.bounds)],
        "properties": {
            "title": survey.name,
            "description": "What a model says of each square of an area. Taken: "
            f"{in_words(imagery.date) if imagery.date else 'at a date that is not known'}; "
            "datetime is when it was surveyed.",
            "datetime": f"{survey.made[:19]}Z",
            "lookdown:squares": len(survey.grid),
            "lookdown:side_m": survey.grid.side_m,
            "lookdown:model": model.name,
            "lookdown:model_sha256": model.sha256,
            "lookdown:imagery": imagery.name,
            "lookdown:imagery_date": imagery.date or None,
            "lookdown:credit": imagery.credit,
        },
        "links": [],
        "assets": {
            key: {"href": f"./{name}{ending}", "type": media, "title": title, "roles": roles}
            for key, (ending, media, title, roles) in ASSETS.items()
        },
    }
    item["assets"]["geotiff"]["classification:classes"] = _classes(survey)
    return json.dumps(item, indent=1)


def _classes(survey: Survey) -> list[dict[str, Any]]:
    """What the values of the GeoTIFF mean."""
    tree = survey.model.tree
    return [
        {
            "value": node.id,
            "name": "".join(each if each.isalnum() else "_" for each in node.name),
            "description": PATH_SIGN.join(tree.path(node.id)),
            "color_hint": "".join(f"{part:02X}" for part in colour),
        }
        for node, colour in zip(tree.nodes, node_colours(tree), strict=True)
    ]

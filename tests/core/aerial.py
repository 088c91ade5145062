"""Items of OpenAerialMap in the shape of its documentation, for native tests and the browser."""

import json


def item(name="683060c4025981aa411253c8", date="2025-05-20T08:00:00Z", **changed) -> dict:
    """An item as the service lists it; ``properties`` are merged."""
    properties = {
        "title": "Banepa <img src=x onerror=alert(1)>",
        "start_datetime": date,
        "end_datetime": date,
        "datetime": None,
        "created": "2025-06-01T00:00:00Z",
        "gsd": 0.35,
        "license": "CC-BY-4.0",
        "oam:platform_type": "uav",
        "oam:producer_name": "Mappers & Co",
    } | changed.pop("properties", {})
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": name,
        "collection": "openaerialmap",
        "bbox": [85.50, 27.62, 85.53, 27.65],
        "geometry": None,
        "properties": properties,
        "assets": {"visual": {"href": "https://files.example/a.tif"}, "thumbnail": {}},
        "providers": [{"name": "Mappers & Co", "description": "someone@example.org"}],
    } | changed


def answer(*items) -> bytes:
    """An answer of the search."""
    return json.dumps(
        {"type": "FeatureCollection", "features": list(items), "links": [], "numberReturned": 1}
    ).encode()

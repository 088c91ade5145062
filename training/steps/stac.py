"""A model as a STAC item of the Machine Learning Model extension, for catalogues of models."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from pyapp.core.model.card import Card
from pyapp.core.model.prediction import INPUT
from pyapp.core.model.tree import PATH_SIGN

EXTENSIONS = (
    "https://stac-extensions.github.io/mlm/v1.5.1/schema.json",
    "https://stac-extensions.github.io/version/v1.2.0/schema.json",
    "https://stac-extensions.github.io/classification/v2.0.0/schema.json",
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
)
BANDS = ("red", "green", "blue")
# What the classification extension doesn't have in the name of a class.
NOT_IN_NAMES = re.compile(r"[^0-9A-Za-z_-]")
# A multihash says first which hash it is (sha2-256), then how long (32 bytes).
SHA256_PREFIX = "1220"
# For each output: what it serves, the names of its dimensions, and what it means.
OUTPUTS = {
    "probability": (
        ["scene-classification", "classification"],
        ["batch", "class"],
        "Calibrated probability of each class; a group's is the sum of those of its classes.",
    ),
    "embedding": (["similarity-search"], ["batch", "embedding"], "Pooled features of the chip."),
    "activation": (
        ["scene-classification"],
        ["batch", "class", "height", "width"],
        "Class-activation map: the linear head on the features before pooling.",
    ),
}

Facts = Mapping[str, Any]


def item(facts: Facts, card: Card, model: Path) -> dict[str, Any]:
    """The STAC item of a model.

    It has no geometry: the card doesn't say where on the ground the training pictures lie, and the
    specification asks for null, without a box, where a place is unknown.

    Parameters
    ----------
    facts : mapping
        What ``card.json`` holds.
    card : Card
        The same, as the page reads it.
    model : Path
        The model's file; the shapes of its outputs are read from it.
    """
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(EXTENSIONS),
        "id": card.name,
        "geometry": None,
        "properties": _properties(facts, card, model),
        "links": [],
        "assets": _assets(facts, card, model),
    }


def _properties(facts: Facts, card: Card, model: Path) -> dict[str, Any]:
    return {
        "title": card.title,
        "description": (
            f"Names what is on a square of {card.footprint_m:g} m of ground in aerial imagery: "
            f"one of {len(card.labels)} classes. Learned from {facts['training_data']}. "
            f"Licence: {facts['licence']}."
        ),
        "datetime": f"{facts['date']}T00:00:00Z",
        "version": facts["date"],
        "license": "MIT" if facts["licence"].startswith("MIT") else "other",
        "keywords": ["aerial imagery", "land use", "scene-classification"],
        "lookdown:footprint_m": card.footprint_m,
        "mlm:name": card.name,
        "mlm:architecture": facts["weights"].split()[0],
        "mlm:tasks": ["scene-classification", "classification", "similarity-search"],
        "mlm:framework": "ONNX",
        "mlm:framework_version": facts["made_with"]["onnxruntime"],
        "mlm:pretrained": True,
        "mlm:pretrained_source": facts["weights"],
        "mlm:accelerator": None,
        "mlm:accelerator_constrained": False,
        "mlm:accelerator_summary": "None needed: a CPU, in a browser or by onnxruntime.",
        "mlm:input": [_input(facts, card)],
        "mlm:output": _outputs(facts, card, model),
    }


def _input(facts: Facts, card: Card) -> dict[str, Any]:
    """The one input; nothing is left to do to its pixels, because the graph does it."""
    mean, spread = facts["standardization_mean"], facts["standardization_std"]
    return {
        "name": INPUT,
        "description": (
            f"RGB, {card.chip_px} px for {card.footprint_m:g} m of ground, resampled by a triangle "
            "that widens with the scale (Pillow's BILINEAR). Pass plain pixels: the graph itself "
            f"scales them to 0..1 and normalises them (mean {mean}, deviation {spread})."
        ),
        # If bands are named, the extension's schema wants a dimension of this name.
        "bands": list(BANDS),
        "input": {
            "shape": [-1, card.chip_px, card.chip_px, len(BANDS)],
            "dim_order": ["batch", "height", "width", "bands"],
            "data_type": "uint8",
        },
        "value_scaling": None,
        "resize_type": "interpolation-linear",
        "pre_processing_function": None,
    }


def _outputs(facts: Facts, card: Card, model: Path) -> list[dict[str, Any]]:
    shapes = output_shapes(model)
    found = []
    for name, (tasks, dimensions, meaning) in OUTPUTS.items():
        result = {"shape": shapes[name], "dim_order": dimensions, "data_type": "float32"}
        output: dict[str, Any] = {
            "name": name,
            "description": meaning,
            "tasks": tasks,
            "result": result,
        }
        if "class" in dimensions:
            output["classification:classes"] = _classes(facts, card)
        found.append(output | {"post_processing_function": None})
    return found


def _classes(facts: Facts, card: Card) -> list[dict[str, Any]]:
    """The classes; ``name`` is plain letters, and ``description`` is the way down the tree."""
    names = facts["class_names"]
    return [
        {
            "value": number,
            "name": NOT_IN_NAMES.sub("_", names[str(number)]),
            "description": PATH_SIGN.join(card.tree.path(number)),
        }
        for number in range(len(card.labels))
    ]


def output_shapes(model: Path) -> dict[str, list[int]]:
    """The shape of each output of an ONNX file; -1 for a dimension that varies."""
    graph = onnx.load(model).graph
    return {
        each.name: [dim.dim_value or -1 for dim in each.type.tensor_type.shape.dim]
        for each in graph.output
    }


def _assets(facts: Facts, card: Card, model: Path) -> dict[str, Any]:
    bands = [
        {"name": name, "data_type": "uint8", "spatial_resolution": round(card.resolution_m, 6)}
        for name in BANDS
    ]
    return {
        "model": {
            "href": f"./{model.name}",
            "type": "application/octet-stream; framework=onnx",
            "title": f"{card.title}, {facts['storage']}",
            "roles": ["mlm:model", "data"],
            "mlm:artifact_type": "onnx",
            "file:size": facts["size_bytes"],
            "file:checksum": SHA256_PREFIX + card.sha256,
            "raster:bands": bands,
        },
        "card": {
            "href": "./card.json",
            "type": "application/json",
            "title": "All facts and figures",
            "roles": ["metadata"],
        },
        "readme": {
            "href": "./README.md",
            "type": "text/markdown",
            "title": "Model card",
            "roles": ["metadata"],
        },
    }

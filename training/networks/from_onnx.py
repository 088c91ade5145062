"""The network in a published ONNX file, to train on from: its weights are all that is read.

What was stored as int8 or float16 comes back as the page computes with it: rounded once, by at most
half a step of its channel, which the first steps of training make up for.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from training.errors import TrainingError
from training.networks import network
from training.networks.stored import TrainedNetwork

# What the exporter puts before the name of each weight, and what it calls the last layer.
BEFORE, HEAD = "network.", "at_places."


def read(file: Path, facts: Mapping[str, Any]) -> TrainedNetwork:
    """The network in a file that training published.

    Parameters
    ----------
    file : Path
    facts : mapping
        What its ``card.json`` holds.

    Raises
    ------
    TrainingError
        If it is another kind of file.
    """
    labels = tuple(facts["labels"])
    try:
        weights = _weights(onnx.load(file))
        model = network.empty(str(facts["weights"]).split()[0], len(labels))
        network.take_shapes(model, weights)
        model.load_state_dict(weights)
    except (OSError, KeyError, ValueError, RuntimeError, TrainingError) as error:
        raise TrainingError(
            f"The network in {file} can't be trained on: its weights are not those of a backbone "
            "that is known here. Name another model with --from."
        ) from error
    model.to(memory_format=torch.channels_last)
    return TrainedNetwork(model.eval(), labels, 0, int(facts["tile_size"]), [])


def _weights(model: onnx.ModelProto) -> dict[str, torch.Tensor]:
    """The weights of a graph, float32, by their names in a `Network`."""
    stored = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    found: dict[str, torch.Tensor] = {}
    for name, values in stored.items():
        plain = name.removesuffix(".int8").removesuffix(".float16")
        if plain.startswith((BEFORE, HEAD)) and not name.endswith(".scale"):
            scale = stored[f"{plain}.scale"] if name.endswith(".int8") else np.float32(1)
            found[_name_of(plain)] = _tensor(plain, values.astype(np.float32) * scale)
    return found


def _name_of(name: str) -> str:
    """The last layer is a convolution in the file and linear in the network."""
    return f"head.{name.removeprefix(HEAD)}" if name.startswith(HEAD) else name.removeprefix(BEFORE)


def _tensor(name: str, values: NDArray[np.float32]) -> torch.Tensor:
    flat = name.startswith(HEAD) and values.ndim == 4
    return torch.from_numpy(np.ascontiguousarray(values[:, :, 0, 0] if flat else values))

"""A trained network as one ONNX file that includes pre- and post-processing.

The contract is in docs/design.md: uint8 chips in; probability, embedding and class-activation map
out.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from pyapp.core.model.prediction import INPUT, OUTPUTS
from training.files import write_atomically
from training.networks.network import Network

OPSET = 18


class Exported(nn.Module):
    """A network from uint8 chips to calibrated probabilities.

    Parameters
    ----------
    network : Network
    temperature : float
        What the logits are divided by.
    """

    def __init__(self, network: Network, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature
        # A class-activation map is the head applied to each place alone.
        self.at_places: nn.Conv2d | None = None
        if isinstance(network.neck, nn.Flatten):
            classes, width = network.head.weight.shape
            self.at_places = nn.Conv2d(width, classes, 1)
            self.at_places.load_state_dict(
                {"weight": network.head.weight[:, :, None, None], "bias": network.head.bias}
            )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Probability, embedding and activation of chips.

        Parameters
        ----------
        image : Tensor of uint8, shape (N, S, S, 3)

        Returns
        -------
        (probability, embedding, activation) : Tensor of float32
            Shapes (N, C), (N, D) and (N, C, h, w).
        """
        chips = self.network.normalise(image.permute(0, 3, 1, 2).float())
        features: Tensor = self.network.features(chips)
        pooled = features.mean((2, 3), keepdim=True)
        if self.at_places is not None:
            embedding, activation = pooled.flatten(1), self.at_places(features)
            logits = self.at_places(pooled).flatten(1)
        else:
            embedding = self.network.neck(pooled)
            logits, activation = self.network.head(embedding), self._each_place(features)
        return torch.softmax(logits / self.temperature, 1), embedding, activation

    def _each_place(self, features: Tensor) -> Tensor:
        """The neck and the head at each place, if the backbone has a neck."""
        width, high, wide = features.shape[1:]
        places = features.permute(0, 2, 3, 1).reshape(-1, width, 1, 1)
        said: Tensor = self.network.head(self.network.neck(places))
        return said.reshape(-1, high, wide, said.shape[1]).permute(0, 3, 1, 2)


def to_onnx(network: Network, temperature: float, chip_px: int, file: Path) -> Path:
    """Write the fp32 graph.

    Parameters
    ----------
    network : Network
    temperature : float
    chip_px : int
        Side of a chip.
    file : Path

    Returns
    -------
    Path
        ``file``.

    Raises
    ------
    TrainingError
        If it can't be written.
    """
    module = Exported(network, temperature).eval().to(memory_format=torch.contiguous_format)
    example = torch.zeros((2, chip_px, chip_px, 3), dtype=torch.uint8)
    program = torch.onnx.export(
        module,
        (example,),
        input_names=[INPUT],
        output_names=list(OUTPUTS),
        opset_version=OPSET,
        dynamic_shapes=({0: torch.export.Dim("n")},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    _forget_source(model)
    return write_model(model, file)


def write_model(model: onnx.ModelProto, file: Path) -> Path:
    """Write a graph, and return its path.

    Raises
    ------
    TrainingError
        If it can't be written.
    """
    write_atomically(file, lambda path: path.write_bytes(model.SerializeToString()))
    return file


def _forget_source(model: onnx.ModelProto) -> None:
    """Leave out what the exporter notes about the code and the files of this machine."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for each in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del each.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]


def write_facts(source: Path, file: Path, facts: Mapping[str, object]) -> Path:
    """Copy a model with facts in its ``metadata_props``, each as JSON, as QGIS Deepness reads them.

    Raises
    ------
    TrainingError
        If it can't be written.
    """
    model = onnx.load(source)
    del model.metadata_props[:]
    for name, value in facts.items():
        model.metadata_props.add(key=name, value=json.dumps(value))
    model.producer_name, model.producer_version = "lookdown", ""
    return write_model(model, file)

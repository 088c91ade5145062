"""The trained network as one ONNX file with its pre- and post-processing inside.

The contract is that of docs/design.md: uint8 chips in; probability, embedding and class-activation
map out.
"""

import json
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from pyapp.core.model.prediction import INPUT, OUTPUTS
from training import learn
from training.evaluate import EVALUATION
from training.files import write_whole
from training.network import Network

OPSET = 18
FP32 = "model-fp32.onnx"


class Exported(nn.Module):
    """A network from uint8 chips to calibrated probabilities.

    Parameters
    ----------
    network : Network
    temperature : float
    """

    def __init__(self, network: Network, temperature: float):
        super().__init__()
        self.network = network
        self.temperature = temperature
        # A class-activation map is what the head says of each place alone.
        self.at_places = None
        if isinstance(network.neck, nn.Flatten):
            classes, width = network.head.weight.shape
            self.at_places = nn.Conv2d(width, classes, 1)
            self.at_places.weight.data = network.head.weight.data[:, :, None, None].clone()
            self.at_places.bias.data = network.head.bias.data.clone()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Take uint8 [N, S, S, 3]; give [N, C], [N, D] and [N, C, h, w]."""
        chips = self.network.normalise(image.permute(0, 3, 1, 2).float())
        features = self.network.features(chips)
        pooled = features.mean((2, 3), keepdim=True)
        if self.at_places is not None:
            embedding, activation = pooled.flatten(1), self.at_places(features)
            logits = self.at_places(pooled).flatten(1)
        else:
            embedding = self.network.neck(pooled)
            logits, activation = self.network.head(embedding), self._each_place(features)
        return torch.softmax(logits / self.temperature, 1), embedding, activation

    def _each_place(self, features: Tensor) -> Tensor:
        """Where layers come between pooling and head: those and the head, place by place."""
        width, high, wide = features.shape[1:]
        places = features.permute(0, 2, 3, 1).reshape(-1, width, 1, 1)
        said = self.network.head(self.network.neck(places))
        return said.reshape(-1, high, wide, said.shape[1]).permute(0, 3, 1, 2)


def export(chosen: Path, run: Path) -> Path:
    """The weights that `evaluate` chose, as the fp32 graph with its temperature inside.

    Parameters
    ----------
    chosen : Path
        The weights.
    run : Path
        Where ``evaluation.json`` is, and where the graph goes.

    Returns
    -------
    Path
        The graph.
    """
    trained = learn.load(chosen)
    temperature = json.loads((run / EVALUATION).read_text())["temperature"]
    return to_onnx(trained.network, temperature, trained.chip_px, run / FP32)


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
    model = program.model_proto
    _forget_where(model)
    write_whole(file, lambda path: path.write_bytes(model.SerializeToString()))
    return file


def _forget_where(model: onnx.ModelProto) -> None:
    """Leave out what the exporter notes of this machine's files and of the code."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for each in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del each.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]


def write_facts(source: Path, file: Path, facts: dict) -> Path:
    """Copy a model with facts in its ``metadata_props``, each as JSON: QGIS Deepness's way."""
    model = onnx.load(source)
    del model.metadata_props[:]
    for name, value in facts.items():
        model.metadata_props.add(key=name, value=json.dumps(value))
    model.producer_name, model.producer_version = "lookdown", ""
    write_whole(file, lambda path: path.write_bytes(model.SerializeToString()))
    return file

"""The trained network as one ONNX file with its pre- and post-processing inside.

The contract is that of docs/design.md: uint8 chips in; probability, embedding and class-activation
map out.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from pyapp.core.model import INPUT, OUTPUTS
from training.files import write_whole
from training.network import MEAN, SPREAD, Network

OPSET = 18
SMALLEST_STORED = 1024


class Exported(nn.Module):
    """A network from uint8 chips to calibrated probabilities.

    Parameters
    ----------
    network : Network
    temperature : float
    """

    def __init__(self, network: Network, temperature: float):
        super().__init__()
        self.features = network.features
        classes, width = network.head.weight.shape
        self.head = nn.Conv2d(width, classes, 1)
        self.head.weight.data = network.head.weight.data[:, :, None, None].clone()
        self.head.bias.data = network.head.bias.data.clone()
        self.temperature = temperature

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Take uint8 [N, S, S, 3]; give [N, C], [N, D] and [N, C, h, w]."""
        chips = (image.permute(0, 3, 1, 2).float() - MEAN) / SPREAD
        features = self.features(chips)
        pooled = features.mean((2, 3), keepdim=True)
        logits = self.head(pooled).flatten(1)
        probability = torch.softmax(logits / self.temperature, 1)
        return probability, pooled.flatten(1), self.head(features)


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


def store_as_int8(fp32: Path, file: Path) -> Path:
    """Write the same graph with its large weights stored as int8, one scale an output channel.

    ``Cast`` and ``Mul`` restore them. Their inputs are constant, so that onnxruntime works both
    out when it loads the file and then runs the very graph of the fp32 file, at its speed.
    (DequantizeLinear would not be folded: natively it made an inference twice as long.)

    Parameters
    ----------
    fp32, file : Path

    Returns
    -------
    Path
        ``file``.
    """
    model = onnx.load(fp32)
    restored, initializers = [], []
    for tensor in model.graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype != np.float32 or weights.ndim < 2 or weights.size < SMALLEST_STORED:
            initializers.append(tensor)
            continue
        scale = np.abs(weights).max(tuple(range(1, weights.ndim)), keepdims=True) / 127
        scale = np.where(scale == 0, 1, scale).astype(np.float32)
        name = tensor.name
        stored = np.rint(weights / scale).astype(np.int8)
        initializers.append(numpy_helper.from_array(stored, name + ".int8"))
        initializers.append(numpy_helper.from_array(scale, name + ".scale"))
        restored += [
            helper.make_node("Cast", [name + ".int8"], [name + ".cast"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [name + ".cast", name + ".scale"], [name]),
        ]
    nodes = [*restored, *model.graph.node]
    del model.graph.initializer[:]
    del model.graph.node[:]
    model.graph.initializer.extend(initializers)
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    write_whole(file, lambda path: path.write_bytes(model.SerializeToString()))
    return file


def write_facts(source: Path, file: Path, facts: dict) -> Path:
    """Copy a model with facts in its ``metadata_props``, each as JSON: QGIS Deepness's way."""
    model = onnx.load(source)
    del model.metadata_props[:]
    for name, value in facts.items():
        model.metadata_props.add(key=name, value=json.dumps(value))
    model.producer_name, model.producer_version = "lookdown", ""
    write_whole(file, lambda path: path.write_bytes(model.SerializeToString()))
    return file

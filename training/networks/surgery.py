"""Make a trained network smaller or faster while changing its outputs as little as possible.

Profiled by operator, onnxruntime-web spends nine tenths of its time in the wide inner layers of
inverted residuals (see docs/design.md); `narrow_blocks` makes those narrower. The remaining
channels are refitted by least squares on real activations, as in He et al., Channel Pruning
(ICCV 2017); further training recovers the rest.
"""

import copy
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.networks.lite import InvertedResidual
from training.networks.network import Network, batches

LOOK_BATCH = 32
RIDGE = 1e-4
# With fewer places per channel than this, many solutions fit: prefer a small one.
FEW, RIDGE_OF_FEW = 2, 0.1
# torch.quantile takes no more values than this.
QUANTILE_LIMIT = 2**24


class _Moments(NamedTuple):
    """Moments of the inputs of a layer.

    Attributes
    ----------
    squares : Tensor of float64, shape (F, F)
        Means of the products of two channels.
    means : Tensor of float64, shape (F,)
    places : int
        Number of places that they are the means of.
    """

    squares: Tensor
    means: Tensor
    places: int


class _Sums:
    """Sums over batches, for means at the end."""

    def __init__(self) -> None:
        self._squares = torch.zeros((), dtype=torch.float64)
        self._values = torch.zeros((), dtype=torch.float64)
        self._count = 0

    def add(self, squares: Tensor, values: Tensor, count: int) -> None:
        self._squares = self._squares + squares
        self._values = self._values + values
        self._count += count

    def mean(self) -> _Moments:
        return _Moments(self._squares / self._count, self._values / self._count, self._count)


def _look(
    network: Network, layer: nn.Conv2d, chips: NDArray[np.uint8], watch: Callable[[Tensor], None]
) -> None:
    """Let ``watch`` see the inputs of a layer while the network looks at chips."""
    hook = layer.register_forward_pre_hook(lambda _, inputs: watch(inputs[0]))
    with torch.inference_mode():
        for batch in batches(chips, LOOK_BATCH):
            network.features(network.normalise(batch))
    hook.remove()


def narrow_blocks(network: Network, chips: NDArray[np.uint8], share: float) -> Network:
    """A copy of a network without ``share`` of the inner channels of its inverted residuals.

    Structured pruning: the result is dense, and faster. The channels that contribute least to the
    output of their block are removed, judged by their mean square times the squared weights that
    project them; the projection of the others is refitted.

    Parameters
    ----------
    network : Network
        Folded, with `InvertedResidual` blocks.
    chips : ndarray of uint8, shape (N, S, S, 3)
        What the activations are measured on.
    share : float
        Rounded so that a multiple of eight channels remains.
    """
    slim = copy.deepcopy(network).eval()
    for block in slim.features.modules():
        if isinstance(block, InvertedResidual) and len(block.layers) == 3:
            widen, filters, project = (
                each for each in block.layers.modules() if isinstance(each, nn.Conv2d)
            )
            moments = _moments(slim, project, chips)
            weight = project.weight.data.double()[:, :, 0, 0]
            worth = moments.squares.diagonal() * weight.square().sum(0)
            count = max(8, round((1 - share) * len(worth) / 8) * 8)
            remaining = torch.sort(torch.topk(worth, count).indices).values
            _refit(project, weight, moments, remaining)
            for layer in (widen, filters):
                layer.weight = nn.Parameter(layer.weight.data[remaining].clone())
                layer.bias = nn.Parameter(_bias_of(layer)[remaining].clone())
                layer.out_channels = count
            filters.in_channels = filters.groups = count
    return slim


def _bias_of(layer: nn.Conv2d) -> Tensor:
    """The bias that folding gave every convolution."""
    return layer.get_parameter("bias").data


def _moments(network: Network, layer: nn.Conv2d, chips: NDArray[np.uint8]) -> _Moments:
    """Moments of the inputs of a 1x1 convolution."""
    found = _Sums()

    def watch(values: Tensor) -> None:
        rows = values.permute(1, 0, 2, 3).flatten(1)
        found.add((rows @ rows.T).double(), rows.sum(1).double(), rows.shape[1])

    _look(network, layer, chips, watch)
    return found.mean()


def _refit(project: nn.Conv2d, weight: Tensor, moments: _Moments, remaining: Tensor) -> None:
    """Project the remaining channels so that the output of the block changes least."""
    means = moments.means
    covariance = moments.squares - means[:, None] * means[None, :]
    inner = covariance[remaining][:, remaining]
    ridge = RIDGE if moments.places >= FEW * len(means) else RIDGE_OF_FEW
    inner += ridge * inner.diagonal().mean() * torch.eye(len(remaining), dtype=inner.dtype)
    new = torch.linalg.solve(inner, covariance[remaining] @ weight.T).T
    shift = weight @ means - new @ means[remaining]
    project.weight = nn.Parameter(new[:, :, None, None].float())
    project.bias = nn.Parameter(_bias_of(project) + shift.float())
    project.in_channels = len(remaining)


def thin_out(network: Network, share: float) -> Callable[[Network], None]:
    """Set the ``share`` of weights with the least magnitude to zero in each 1x1 convolution.

    Unstructured pruning: no faster, but a smaller download.

    Parameters
    ----------
    network : Network
        It is changed.
    share : float

    Returns
    -------
    function
        Sets them to zero again, to be called after each step of training.
    """
    masks = {}
    for name, weight in network.features.named_parameters():
        if weight.ndim == 4 and weight.shape[1] > 1 and weight.shape[2] == 1:
            size = weight.detach().abs()
            masks[name] = size > torch.quantile(size.flatten()[:QUANTILE_LIMIT], share)

    @torch.no_grad()
    def restore(changed: Network) -> None:
        for name, weight in changed.features.named_parameters():
            if name in masks:
                weight.mul_(masks[name].to(weight.device))

    restore(network)
    return restore

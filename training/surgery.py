"""Make a trained network smaller or faster, losing as little as can be of what it computes.

Profiled by operator, onnxruntime-web spends nine tenths of its time in the wide inner layers of
inverted residuals (see docs/design.md): `narrow_blocks` makes those narrower. What is left is
refitted by least squares on real activations, as He et al., Channel Pruning (ICCV 2017) do;
training on brings back the rest.
"""

import copy
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from training.lite import InvertedResidual
from training.network import Network

BATCH = 32
RIDGE = 1e-4
# With fewer places seen than this many a channel, many solutions fit: the smaller is the better.
FEW, RIDGE_OF_FEW = 2, 0.1
# torch.quantile takes no more values than this.
QUANTILE_LIMIT = 2**24


class _Moments(NamedTuple):
    """What goes into a layer: second moments, float64 [F, F], means, [F], number of places."""

    squares: Tensor
    means: Tensor
    places: int


class _Sums:
    """Sums over batches, for a mean at the end."""

    def __init__(self):
        self._squares = self._values = 0.0
        self._count = 0

    def add(self, squares: Tensor, values: Tensor, count: int) -> None:
        self._squares = self._squares + squares
        self._values = self._values + values
        self._count += count

    def mean(self) -> _Moments:
        return _Moments(self._squares / self._count, self._values / self._count, self._count)


def _look(network: Network, layer: nn.Conv2d, chips: np.ndarray, watch) -> None:
    """Let ``watch`` see what goes into a layer while the network looks at chips."""
    hook = layer.register_forward_pre_hook(watch)
    with torch.inference_mode():
        for start in range(0, len(chips), BATCH):
            batch = torch.from_numpy(chips[start : start + BATCH]).permute(0, 3, 1, 2).float()
            batch = batch.contiguous(memory_format=torch.channels_last)
            network.features(network.normalise(batch))
    hook.remove()


def narrow_blocks(network: Network, chips: np.ndarray, share: float) -> Network:
    """A copy of a network without ``share`` of the inner channels of its inverted residuals.

    Structured pruning: what is left is dense, and faster. Those channels go that add least to what
    the block gives, by their mean square times the weight that projects them; the projection of
    the others is refitted.

    Parameters
    ----------
    network : Network
        Folded, with `InvertedResidual` blocks.
    chips : uint8 [N, S, S, 3]
    share : float
    """
    slim = copy.deepcopy(network).eval()
    for block in slim.features.modules():
        if isinstance(block, InvertedResidual) and len(block.layers) == 3:
            widen, filters, project = (part[0] for part in block.layers)
            moments = _moments(slim, project, chips)
            weight = project.weight.data.double()[:, :, 0, 0]
            worth = moments.squares.diagonal() * weight.square().sum(0)
            count = max(8, round((1 - share) * len(worth) / 8) * 8)
            kept = torch.sort(torch.topk(worth, count).indices).values
            _refit(project, weight, moments, kept)
            for layer in (widen, filters):
                layer.weight = nn.Parameter(layer.weight.data[kept].clone())
                layer.bias = nn.Parameter(layer.bias.data[kept].clone())
                layer.out_channels = count
            filters.in_channels = filters.groups = count
    return slim


def _moments(network, layer: nn.Conv2d, chips) -> _Moments:
    """Of what goes into a 1x1 convolution."""
    found = _Sums()

    def watch(_, inputs):
        rows = inputs[0].permute(1, 0, 2, 3).flatten(1)
        found.add((rows @ rows.T).double(), rows.sum(1).double(), rows.shape[1])

    _look(network, layer, chips, watch)
    return found.mean()


def _refit(project: nn.Conv2d, weight: Tensor, moments: _Moments, kept: Tensor):
    """Project the kept channels so that the block gives what it gave."""
    means = moments.means
    covariance = moments.squares - means[:, None] * means[None, :]
    inner = covariance[kept][:, kept]
    ridge = RIDGE if moments.places >= FEW * len(means) else RIDGE_OF_FEW
    inner += ridge * inner.diagonal().mean() * torch.eye(len(kept), dtype=inner.dtype)
    new = torch.linalg.solve(inner, covariance[kept] @ weight.T).T
    shift = weight @ means - new @ means[kept]
    project.weight = nn.Parameter(new[:, :, None, None].float())
    project.bias = nn.Parameter(project.bias.data + shift.float())
    project.in_channels = len(kept)


def thin_out(network: Network, share: float) -> Callable[[Network], None]:
    """Set ``share`` of the weights of each large layer to zero, those of least magnitude.

    Unstructured pruning: no faster, but a smaller download. Changes ``network``.

    Returns
    -------
    function
        Sets them to zero again, for after a step of training.
    """
    masks = {}
    for name, weight in network.features.named_parameters():
        if weight.ndim == 4 and weight.shape[1] > 1 and weight.shape[2] == 1:
            size = weight.detach().abs()
            masks[name] = size > torch.quantile(size.flatten()[:QUANTILE_LIMIT], share)

    @torch.no_grad()
    def keep(changed: Network) -> None:
        for name, weight in changed.features.named_parameters():
            if name in masks:
                weight.mul_(masks[name])

    keep(network)
    return keep

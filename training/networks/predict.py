"""What a network in torch says of pictures."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from pyapp.core.imagery.chip import resample
from training.networks.network import Network, batches
from training.pictures.data import Pictures

PREDICT_BATCH = 64


def chips_of(pictures: Pictures, chip_px: int) -> NDArray[np.uint8]:
    """The chips of some pictures, shape (N, S, S, 3), resampled as on the page."""
    return np.stack([resample(each, chip_px) for each in pictures.pixels])


def logits_of(model: Network, chips: NDArray[np.uint8]) -> Tensor:
    """Logits, Tensor of float32, shape (N, C), of chips, shape (N, S, S, 3)."""
    logits: Tensor = model.head(embeddings_of(model, chips).to(model.device))
    return logits.detach().cpu()


def embeddings_of(model: Network, chips: NDArray[np.uint8]) -> Tensor:
    """Pooled features, Tensor of float32, shape (N, D), of chips, shape (N, S, S, 3)."""
    model.eval()
    parts = []
    bar = tqdm(total=len(chips), desc="embed", unit="img", leave=False)
    with torch.inference_mode(), bar:
        for batch in batches(chips, PREDICT_BATCH):
            parts.append(model.embed(batch.to(model.device)).cpu())
            bar.update(len(batch))
    return torch.cat(parts).clone()


def accuracy(logits: Tensor, classes: NDArray[np.int64]) -> float:
    """Share of pictures whose best class is the right one.

    Parameters
    ----------
    logits : Tensor of float32, shape (N, C)
    classes : ndarray of int64, shape (N,)
    """
    return float((logits.argmax(1).numpy() == classes).mean())

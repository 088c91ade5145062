"""What a network learns from, one batch at a time: chips, and how much of each class they show."""

from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from training import data
from training.augment import augment
from training.data import Pictures
from training.settings import Settings


class Examples(Protocol):
    """Anything that gives batches to learn from."""

    @property
    def smoothing(self) -> float:
        """Label smoothing for the loss."""

    def __len__(self) -> int:
        """Number of examples in an epoch."""

    def batch(self, chosen: Tensor, epoch: int, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        """Some of the examples.

        Parameters
        ----------
        chosen : Tensor of int64, shape (B,)
            Their numbers.
        epoch : int
            Counted from 0.
        chance : torch.Generator
            The source of every choice.

        Returns
        -------
        (chips, wanted) : Tensor of float32, shapes (B, 3, S, S) and (B, C)
            Chips from 0 to 255; the share of each class in their labels.
        """


class AugmentedPictures:
    """Pictures varied anew each time, labelled by their class folders."""

    def __init__(self, pictures: Pictures, settings: Settings) -> None:
        small = data.shrink(pictures, settings.ground.chip_px)
        self._pixels = torch.from_numpy(small.pixels)
        self._wanted = one_hot(pictures)
        self._settings = settings
        self.smoothing = settings.train.label_smoothing

    def __len__(self) -> int:
        return len(self._wanted)

    def batch(self, chosen: Tensor, epoch: int, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        """As `Examples.batch`."""
        return augment(self._pixels[chosen], self._settings, chance), self._wanted[chosen]


def one_hot(pictures: Pictures) -> Tensor:
    """Labels of pictures by their class folders, Tensor of float32, shape (N, C)."""
    classes = torch.from_numpy(pictures.classes)
    return nnf.one_hot(classes, len(pictures.names)).float()


def mix(
    chips: Tensor, wanted: Tensor, alpha: float, chance: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Blend each picture and its label with another: Zhang et al., mixup (ICLR 2018).

    Parameters
    ----------
    chips, wanted : Tensor of float32, shapes (B, 3, S, S) and (B, C)
    alpha : float
        Of the beta distribution that the shares come from; 0 blends nothing.
    chance : torch.Generator

    Returns
    -------
    (chips, wanted) : as given, the chips channels last
    """
    if alpha:
        seed = int(torch.randint(0, 2**31, (1,), generator=chance))
        share = float(np.random.default_rng(seed).beta(alpha, alpha))
        other = torch.randperm(len(chips), generator=chance)
        chips = share * chips + (1 - share) * chips[other]
        wanted = share * wanted + (1 - share) * wanted[other]
    return chips.contiguous(memory_format=torch.channels_last), wanted

"""What a network learns from, one batch at a time, and the loss for it."""

from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from training.pictures import data
from training.pictures.augment import augment
from training.pictures.data import Pictures
from training.settings import Settings


class Examples(Protocol):
    """Anything that gives batches to learn from."""

    def order(self, chance: torch.Generator) -> Tensor:
        """The numbers of the examples of one epoch, in the order of use; int64, shape (E,)."""

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
            Chips from 0 to 255; what `loss` takes.
        """

    def loss(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """The loss of each example, shape (B,), for logits of shape (B, C)."""


class AugmentedPictures:
    """Pictures varied anew each time, labelled by their folders.

    A label that allows several classes trains by the summed probability of what it allows.

    Parameters
    ----------
    pictures : Pictures
    settings : Settings
    """

    def __init__(self, pictures: Pictures, settings: Settings) -> None:
        small = data.shrink(pictures, settings.ground.chip_px)
        self._pixels = torch.from_numpy(small.pixels)
        self._wanted = torch.from_numpy(pictures.allowed)
        self._crops = torch.from_numpy(pictures.crops)
        self._numbers = torch.from_numpy(pictures.numbers)
        self._settings = settings

    def order(self, chance: torch.Generator) -> Tensor:
        """As `Examples.order`: of each label at most ``per_label`` pictures, drawn anew."""
        return some_of_each(self._numbers, self._settings.sources.per_label, chance)

    def batch(self, chosen: Tensor, epoch: int, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        """As `Examples.batch`; ``wanted`` is 1 for what the label allows."""
        chips = augment(self._pixels[chosen], self._crops[chosen], self._settings, chance)
        return chips, self._wanted[chosen]

    def loss(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """As `Examples.loss`, with label smoothing."""
        return partial_label_loss(logits, wanted, self._settings.train.label_smoothing)


def some_of_each(numbers: Tensor, most: int, chance: torch.Generator) -> Tensor:
    """Positions of at most ``most`` examples of each label, in random order; all if it is 0.

    Parameters
    ----------
    numbers : Tensor of int64, shape (N,)
        The label of each example.
    most : int
    chance : torch.Generator
    """
    order = torch.randperm(len(numbers), generator=chance)
    if not most:
        return order
    seen = torch.zeros(int(numbers.max()) + 1, dtype=torch.int64)
    kept = []
    for each in order.tolist():
        label = numbers[each]
        seen[label] += 1
        if seen[label] <= most:
            kept.append(each)
    return torch.tensor(kept)


def partial_label_loss(logits: Tensor, allowed: Tensor, smoothing: float = 0.0) -> Tensor:
    """Minus the logarithm of the summed probability of the classes that a label allows.

    With one class allowed, it is cross-entropy, smoothed as in Szegedy et al. (CVPR 2016). See Jin
    and Ghahramani, Learning with Multiple Labels (NIPS 2002), equation 3 with its best posterior.

    Parameters
    ----------
    logits, allowed : Tensor of float32, shape (B, C)
        ``allowed`` is 1 for what is allowed, else 0.
    smoothing : float
        Weight of the mean over all classes.

    Returns
    -------
    Tensor of float32, shape (B,)
    """
    log_probability = logits.log_softmax(1)
    forbidden = torch.where(allowed > 0, 0.0, -torch.inf)
    partial = -(log_probability + forbidden).logsumexp(1)
    return (1 - smoothing) * partial - smoothing * log_probability.mean(1)


class Mixed:
    """A batch in which each picture is blended with another; see `mix`.

    Parameters
    ----------
    chips : Tensor of float32, shape (B, 3, S, S)
    wanted, other : Tensor of float32, shape (B, C)
        Of the picture, and of what it is blended with.
    share : float
        Of the picture.
    """

    def __init__(self, chips: Tensor, wanted: Tensor, other: Tensor, share: float) -> None:
        self.chips, self._wanted, self._other, self._share = chips, wanted, other, share

    def loss(self, logits: Tensor, examples: Examples) -> Tensor:
        """The mean loss, a scalar: that of both pictures, by their shares."""
        loss = examples.loss(logits, self._wanted).mean()
        if self._share == 1:
            return loss
        return self._share * loss + (1 - self._share) * examples.loss(logits, self._other).mean()

    def right(self, logits: Tensor) -> int:
        """How often the best class is among the most wanted ones of the larger picture."""
        wanted = self._wanted if self._share >= 0.5 else self._other
        best = wanted.gather(1, logits.argmax(1, keepdim=True))[:, 0]
        return int((best == wanted.max(1).values).sum())


def mix(chips: Tensor, wanted: Tensor, alpha: float, chance: torch.Generator) -> Mixed:
    """Blend each picture with another: Zhang et al., mixup (ICLR 2018).

    Parameters
    ----------
    chips, wanted : Tensor of float32, shapes (B, 3, S, S) and (B, C)
    alpha : float
        Of the beta distribution that the shares come from; 0 blends nothing.
    chance : torch.Generator
    """
    other, share = wanted, 1.0
    if alpha:
        seed = int(torch.randint(0, 2**31, (1,), generator=chance))
        share = float(np.random.default_rng(seed).beta(alpha, alpha))
        partner = torch.randperm(len(chips), generator=chance)
        chips, other = share * chips + (1 - share) * chips[partner], wanted[partner]
    return Mixed(chips.contiguous(memory_format=torch.channels_last), wanted, other, share)


def cross_entropy(logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy of each example, shape (B,), with shares of classes, shape (B, C)."""
    return nnf.cross_entropy(logits, wanted, reduction="none")

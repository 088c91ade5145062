"""What a network learns from, a batch at a time: chips, and how much of each class they show."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor
from tqdm import tqdm

from training import data
from training.augment import augment
from training.data import Pictures
from training.files import write_whole
from training.settings import changed

BATCH = 32


class Augmented:
    """Pictures, varied anew each time; the labels are those of the folders."""

    def __init__(self, pictures: Pictures, settings):
        small = data.shrink(pictures, settings.ground.chip_px)
        self._pixels = torch.from_numpy(small.pixels)
        self._wanted = _one_hot(pictures)
        self._settings = settings
        self.smoothing = settings.train.label_smoothing

    def __len__(self) -> int:
        return len(self._wanted)

    def batch(self, chosen: Tensor, epoch: int, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        """Chips, float32 [B, 3, S, S] from 0 to 255, and class shares, float32 [B, C]."""
        return augment(self._pixels[chosen], self._settings, chance), self._wanted[chosen]


class Labelled:
    """Views of pictures, with what a teacher says of each.

    Parameters
    ----------
    chips : uint8 [V, N, 3, S, S]
        V views of N pictures.
    wanted : float32 [V, N, C]
    """

    smoothing = 0.0

    def __init__(self, chips: Tensor, wanted: Tensor):
        self._chips, self._wanted = chips, wanted

    def with_(self, others: "Labelled") -> "Labelled":
        """These views, then those of other pictures."""
        return Labelled(
            torch.cat([self._chips, others._chips], 1), torch.cat([self._wanted, others._wanted], 1)
        )

    def __len__(self) -> int:
        return self._chips.shape[1]

    def batch(self, chosen: Tensor, epoch: int, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        """As `Augmented.batch`: one view of each picture, in one of its eight symmetries."""
        views = (epoch + chosen) % len(self._chips)
        chips = self._chips[views, chosen].float()
        symmetry = torch.randint(0, 8, (len(chosen),), generator=chance)
        turned = torch.stack([
            torch.rot90(chip if each < 4 else chip.flip(2), int(each) % 4, (1, 2))
            for chip, each in zip(chips, symmetry, strict=True)
        ])  # fmt: skip
        return turned, self._wanted[views, chosen]


def label_views(teacher, pictures: Pictures, kept: Path, settings) -> Labelled:
    """Make views of the pictures and let a teacher label them.

    The teacher sees a view at its own, finer resolution; the pupil gets the same view as a chip of
    its size. What the teacher says is kept: a run that goes on needn't ask again.

    Parameters
    ----------
    teacher : Network
    pictures : Pictures
    kept : Path
        The file to keep it in.
    settings : namespace
    """
    how = settings.pupil
    own = changed(settings, ground={"chip_px": how.teacher_px})
    pixels = torch.from_numpy(data.shrink(pictures, how.teacher_px).pixels)
    count, side = len(pixels), settings.ground.chip_px
    said = torch.from_numpy(np.load(kept)) if kept.exists() else None
    chips = torch.empty((how.views, count, 3, side, side), dtype=torch.uint8)
    wanted = torch.empty((how.views, count, len(pictures.names)))
    teacher.eval()
    for view in tqdm(range(how.views), desc="views", leave=False):
        chance = torch.Generator().manual_seed(7_000_003 * settings.seeds[0] + view)
        for batch in torch.arange(count).split(BATCH):
            fine = augment(pixels[batch], own, chance)
            small = nnf.interpolate(fine, size=side, mode="bilinear", antialias=True)
            chips[view, batch] = small.round().clamp(0, 255).to(torch.uint8)
            if said is None:
                with torch.inference_mode():
                    wanted[view, batch] = torch.softmax(teacher(fine), 1).clone()
    if said is None:
        said = wanted
        write_whole(kept, lambda path: _save(path, said.numpy()))
    shares = how.trust * said + (1 - how.trust) * _one_hot(pictures)
    return Labelled(chips, shares)


def _save(path: Path, array: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, array)


def mix(chips: Tensor, wanted: Tensor, alpha: float, chance: torch.Generator):
    """Blend each picture and its label with another: Zhang et al., mixup (ICLR 2018)."""
    if alpha:
        seed = int(torch.randint(0, 2**31, (1,), generator=chance))
        share = float(np.random.default_rng(seed).beta(alpha, alpha))
        other = torch.randperm(len(chips), generator=chance)
        chips = share * chips + (1 - share) * chips[other]
        wanted = share * wanted + (1 - share) * wanted[other]
    return chips.contiguous(memory_format=torch.channels_last), wanted


def _one_hot(pictures: Pictures) -> Tensor:
    classes = torch.from_numpy(pictures.classes)
    return nnf.one_hot(classes, len(pictures.names)).float()

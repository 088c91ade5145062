"""A student learns from what its teacher says of many views of each picture."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from training.files import write_atomically
from training.networks.network import Network, device_named
from training.pictures import data
from training.pictures.augment import augment
from training.pictures.data import Pictures
from training.pictures.examples import cross_entropy, some_of_each
from training.settings import Settings

LABEL_BATCH = 32
# Added to what a teacher says of a class, so that what a label allows never adds up to nothing.
LEAST_SHARE = 1e-6


class TeacherViews:
    """Views of pictures with the labels of a teacher; `training.pictures.examples.Examples`.

    Parameters
    ----------
    chips : Tensor of uint8, shape (V, N, 3, S, S)
        V views of each of N pictures.
    wanted : Tensor of float32, shape (V, N, C)
        Their labels: shares of classes.
    numbers : Tensor of int64, shape (N,)
        The labels of the pictures themselves.
    per_label : int
        Most pictures of a label in an epoch; 0: all.
    """

    def __init__(self, chips: Tensor, wanted: Tensor, numbers: Tensor, per_label: int) -> None:
        self._chips, self._wanted = chips, wanted
        self._numbers, self._per_label = numbers, per_label

    def joined(self, others: "TeacherViews") -> "TeacherViews":
        """These views, then those of other pictures of the same labels."""
        return TeacherViews(
            torch.cat([self._chips, others._chips], 1),
            torch.cat([self._wanted, others._wanted], 1),
            torch.cat([self._numbers, others._numbers]),
            self._per_label,
        )

    def order(self, chance: torch.Generator) -> Tensor:
        """As `Examples.order`: of each label at most ``per_label`` pictures, drawn anew."""
        return some_of_each(self._numbers, self._per_label, chance)

    def batch(self, chosen: Tensor, epoch: int, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        """As `Examples.batch`: one view of each picture, in one of its eight symmetries."""
        views = (epoch + chosen) % len(self._chips)
        chips = self._chips[views, chosen].float()
        symmetry = torch.randint(0, 8, (len(chosen),), generator=chance)
        turned = torch.stack([
            torch.rot90(chip if each < 4 else chip.flip(2), int(each) % 4, (1, 2))
            for chip, each in zip(chips, symmetry, strict=True)
        ])  # fmt: skip
        return turned, self._wanted[views, chosen]

    def loss(self, logits: Tensor, wanted: Tensor) -> Tensor:
        """As `Examples.loss`: cross-entropy with the teacher's shares."""
        return cross_entropy(logits, wanted)


def label_views(
    teacher: Network, pictures: Pictures, labels: Path, settings: Settings
) -> TeacherViews:
    """Make views of the pictures and let a teacher label them.

    The teacher sees a view at its own, finer resolution; the student gets the same view as a chip
    of its size. The labels are stored, so that a resumed run needn't compute them again.

    Parameters
    ----------
    teacher : Network
    pictures : Pictures
    labels : Path
        The file to store them in.
    settings : Settings

    Raises
    ------
    TrainingError
        If the file can't be written.
    """
    how = settings.student
    finer = settings.with_chip_px(how.teacher_px)
    pixels = torch.from_numpy(data.shrink(pictures, how.teacher_px).pixels)
    crops = torch.from_numpy(pictures.crops)
    count, side = len(pixels), settings.ground.chip_px
    said = torch.from_numpy(np.load(labels)) if labels.exists() else None
    chips = torch.empty((how.views, count, 3, side, side), dtype=torch.uint8)
    wanted = torch.empty((how.views, count, len(pictures.names)))
    teacher.to(device_named(settings.train.device)).eval()
    for view in tqdm(range(how.views), desc="views", leave=False):
        chance = torch.Generator().manual_seed(7_000_003 * settings.seeds[0] + view)
        for batch in torch.arange(count).split(LABEL_BATCH):
            fine = augment(pixels[batch], crops[batch], finer, chance)
            small = nnf.interpolate(fine, size=side, mode="bilinear", antialias=True)
            chips[view, batch] = small.round().clamp(0, 255).to(torch.uint8)
            if said is None:
                with torch.inference_mode():
                    said_here = teacher(fine.to(teacher.device)).cpu()
                    wanted[view, batch] = torch.softmax(said_here, 1).clone()
    teacher.cpu()
    if said is None:
        said = wanted
        array = said.numpy()
        write_atomically(labels, lambda path: _save(path, array))
    shares = how.trust * said + (1 - how.trust) * _within(said, torch.from_numpy(pictures.allowed))
    numbers = torch.from_numpy(pictures.numbers)
    return TeacherViews(chips, shares, numbers, settings.sources.per_label)


def _within(said: Tensor, allowed: Tensor) -> Tensor:
    """The teacher's shares among the classes that labels allow; float32, shape (V, N, C)."""
    inside = (said + LEAST_SHARE) * allowed
    return inside / inside.sum(2, keepdim=True)


def _save(path: Path, array: NDArray[np.float32]) -> None:
    # Given a path, numpy would add .npy to its name.
    with path.open("wb") as file:
        np.save(file, array)

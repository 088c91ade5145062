"""A trained network and its file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import torch

from training.errors import TrainingError
from training.files import write_atomically
from training.networks import network


class Epoch(TypedDict):
    """The figures of one epoch, as files and the report hold them."""

    number: int
    loss: float
    training_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float
    images: int


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network.

    Attributes
    ----------
    network : Network
    names : tuple of str
        Of the class folders.
    seed : int or list of int
        A list for the average of several networks.
    chip_px : int
        Side of the chips it was trained on.
    history : list of Epoch
    """

    network: network.Network
    names: tuple[str, ...]
    seed: int | list[int]
    chip_px: int
    history: list[Epoch]


def save(file: Path, trained: TrainedNetwork) -> Path:
    """Write a trained network to a file, and return its path.

    Raises
    ------
    TrainingError
        If it can't be written.
    """
    contents = {
        "backbone": trained.network.backbone,
        "weights": trained.network.state_dict(),
        "names": trained.names,
        "seed": trained.seed,
        "chip_px": trained.chip_px,
        "history": trained.history,
    }
    write_atomically(file, lambda path: torch.save(contents, path))
    return file


def load(file: Path) -> TrainedNetwork:
    """Read a trained network from its file.

    Raises
    ------
    TrainingError
        If there is no such file, or its weights fit no network of this version.
    """
    if not file.exists():
        raise TrainingError(f"There is no {file}; run python -m training train first.")
    contents = torch.load(file, map_location="cpu")
    names = tuple(contents["names"])
    model = network.empty(contents["backbone"], len(names))
    network.take_shapes(model, contents["weights"])
    try:
        model.load_state_dict(contents["weights"])
    except RuntimeError as error:
        raise TrainingError(f"{file} holds the weights of another network: train again.") from error
    return TrainedNetwork(
        model.eval(), names, contents["seed"], contents["chip_px"], contents["history"]
    )

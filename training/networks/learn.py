"""Train one network: first its head on frozen features, then both together."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from training.errors import TrainingError
from training.files import write_atomically
from training.networks import network
from training.networks.predict import accuracy, chips_of, embeddings_of, logits_of
from training.networks.stored import Epoch, TrainedNetwork, save
from training.pictures.data import Pictures
from training.pictures.examples import AugmentedPictures, Examples, mix, partial_label_loss
from training.run import CHECKPOINT_FILE, NETWORK_FILE
from training.settings import Settings, TrainSettings

HEAD_DECAY = 1e-4

# Restores, after a step of training, what must not change.
Restore = Callable[[network.Network], None]


@dataclass
class State:
    """Everything that a run needs to continue as if it had not been stopped."""

    model: network.Network
    average: network.Network
    optimizer: torch.optim.Optimizer
    names: tuple[str, ...]
    history: list[Epoch] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Number of finished epochs."""
        return len(self.history)


def fit_head(head: nn.Linear, embeddings: Tensor, allowed: NDArray[np.float32]) -> None:
    """Fit a linear head to fixed features by L-BFGS, with weight decay.

    Parameters
    ----------
    head : Linear
        It is changed.
    embeddings : Tensor of float32, shape (N, D)
    allowed : ndarray of float32, shape (N, C)
        1 for the classes that a picture may be of.
    """
    wanted = torch.from_numpy(allowed)
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = partial_label_loss(head(embeddings), wanted).mean()
        value = value + HEAD_DECAY * head.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)


def fit(
    learning: Pictures,
    validation: Pictures | None,
    run: Path,
    settings: Settings,
    seed: int,
    resume: bool = False,
    examples: Examples | None = None,
    start: network.Network | None = None,
    restore: Restore | None = None,
) -> Path:
    """Train one network.

    Parameters
    ----------
    learning : Pictures
    validation : Pictures or None
        To watch the progress by.
    run : Path
        Where checkpoint and result go.
    settings : Settings
    seed : int
        The source of order, augmentation and mixing.
    resume : bool
        Continue from the checkpoint, if there is one; a finished network is left as it is.
    examples : Examples, optional
        To learn from instead of from the augmented pictures.
    start : Network, optional
        To begin with instead of pretrained features and a head fitted to them.
    restore : function, optional
        Called after each step, to restore what must not change (pruned weights).

    Returns
    -------
    Path
        The file with the trained weights.

    Raises
    ------
    TrainingError
        If the pretrained weights can't be loaded, the checkpoint is of another network, or a file
        can't be written.
    """
    torch.manual_seed(seed)
    result, checkpoint = run / NETWORK_FILE, run / CHECKPOINT_FILE
    if resume and result.exists():
        return result
    run.mkdir(parents=True, exist_ok=True)
    chip_px = settings.ground.chip_px
    watched = validation and (validation.classes, chips_of(validation, chip_px))
    model = copy.deepcopy(start) or network.pretrained(settings.backbone, len(learning.names))
    goes_on = resume and checkpoint.exists()
    if not (start or goes_on):
        embeddings = embeddings_of(model, chips_of(learning, chip_px))
        fit_head(model.head, embeddings, learning.allowed)
    model.to(network.device_named(settings.train.device))
    state = _begin(model, learning.names, settings.train)
    if goes_on:
        _restore(state, checkpoint)
    if examples is None:
        examples = AugmentedPictures(learning, settings)
    for number in range(state.done, settings.train.epochs):
        epoch = _epoch(state, number, examples, settings.train, seed, restore)
        if watched:
            classes, chips = watched
            logits = logits_of(state.average, chips)
            loss = nnf.cross_entropy(logits, torch.from_numpy(classes))
            epoch["validation_loss"] = loss.item()
            epoch["validation_accuracy"] = accuracy(logits, classes)
        tqdm.write(_line(epoch, run.name))
        state.history.append(epoch)
        _save(state, checkpoint)
    state.average.cpu()
    return save(result, TrainedNetwork(state.average, learning.names, seed, chip_px, state.history))


def _begin(model: network.Network, names: tuple[str, ...], how: TrainSettings) -> State:
    average = copy.deepcopy(model)
    model.freeze(how.frozen)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, how.learning_rate, weight_decay=how.weight_decay)
    return State(model, average, optimizer, names)


def _epoch(
    state: State,
    number: int,
    examples: Examples,
    how: TrainSettings,
    seed: int,
    restore: Restore | None = None,
) -> Epoch:
    """One pass over the examples; every choice comes from the seed and the epoch's number."""
    chance = torch.Generator().manual_seed(1_000_003 * seed + number)
    order = examples.order(chance)
    batches = order.split(how.batch)
    state.model.train()
    start, losses, right = time.monotonic(), [], 0
    bar = tqdm(total=len(order), desc=f"epoch {number + 1}/{how.epochs}", unit="img", leave=False)
    for index, batch in enumerate(batches):
        progress = (number + index / len(batches)) / how.epochs
        for group in state.optimizer.param_groups:
            group["lr"] = how.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
        mixed = mix(*examples.batch(batch, number, chance), how.mixup, chance)
        # The loss is small work, and the labels stay where they are.
        logits = state.model(mixed.chips.to(state.model.device)).cpu()
        loss = mixed.loss(logits, examples)
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        if restore:
            restore(state.model)
        _average(state, how.ema)
        losses.append(loss.item())
        right += mixed.right(logits)
        bar.update(len(batch))
        bar.set_postfix(
            loss=f"{np.mean(losses):.3f}",
            accuracy=f"{right / bar.n:.0%}",
            left=_left(start, number + bar.n / len(order), number, how.epochs),
        )
    bar.close()
    return Epoch(
        number=number,
        loss=float(np.mean(losses)),
        training_accuracy=right / len(order),
        validation_loss=None,
        validation_accuracy=None,
        seconds=time.monotonic() - start,
        images=len(order),
    )


def _left(start: float, done: float, before: int, epochs: int) -> str:
    """The time that the remaining epochs will take, at the pace of this one."""
    minutes = (time.monotonic() - start) / (done - before) * (epochs - done) / 60
    return f"{minutes:.0f} min"


@torch.no_grad()
def _average(state: State, ema: float) -> None:
    """Update the exponential moving average of the weights, which is what is saved."""
    average: list[Tensor] = list(state.average.parameters())
    torch._foreach_lerp_(average, list[Tensor](state.model.parameters()), 1 - ema)


def _save(state: State, file: Path) -> None:
    contents = {
        "backbone": state.model.backbone,
        "names": state.names,
        "model": state.model.state_dict(),
        "average": state.average.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "history": state.history,
    }
    write_atomically(file, lambda path: torch.save(contents, path))


def _restore(state: State, file: Path) -> None:
    contents = torch.load(file, map_location="cpu")
    if contents.get("backbone") != state.model.backbone:
        raise TrainingError(
            f"{file} is of the backbone {contents.get('backbone')}, not of "
            f"{state.model.backbone}; train without --resume, or under another --name."
        )
    if tuple(contents["names"]) != state.names:
        raise TrainingError(f"{file} was trained on other classes; train without --resume.")
    state.model.load_state_dict(contents["model"])
    state.average.load_state_dict(contents["average"])
    state.optimizer.load_state_dict(contents["optimizer"])
    state.history = contents["history"]


def _line(epoch: Epoch, name: str) -> str:
    number, seconds = epoch["number"] + 1, epoch["seconds"]
    said = f"{name}, epoch {number}: loss {epoch['loss']:.3f}, {seconds:.0f} s"
    if epoch["validation_accuracy"] is None:
        return said
    return f"{said}, validation {epoch['validation_accuracy']:.2%}"

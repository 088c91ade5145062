"""Transfer learning: a head on frozen features first, then the features with it."""

import copy
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn
from tqdm import tqdm

from pyapp.core.chip import resample
from training import data, network
from training.augment import augment
from training.data import Pictures
from training.errors import TrainingError
from training.files import write_whole

CHECKPOINT, RESULT = "checkpoint.pt", "network.pt"
EVAL_BATCH = 64


@dataclass
class Epoch:
    """What one epoch gave, for the report."""

    number: int
    loss: float
    validation_accuracy: float
    seconds: float


@dataclass
class State:
    """Everything that a run needs to go on as if it had not been stopped."""

    model: nn.Module
    average: nn.Module
    optimizer: torch.optim.Optimizer
    history: list[Epoch] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Number of finished epochs."""
        return len(self.history)


def chips_of(pictures: Pictures, chip_px: int) -> np.ndarray:
    """The chips of some pictures, uint8 [N, S, S, 3], by the page's own resampling."""
    return np.stack([resample(each, chip_px) for each in pictures.pixels])


def logits_of(model: network.Network, chips: np.ndarray) -> Tensor:
    """Logits, float32 [N, C], of chips, uint8 [N, S, S, 3]."""
    return model.head(embeddings_of(model, chips)).detach()


def embeddings_of(model: network.Network, chips: np.ndarray) -> Tensor:
    """Pooled features, float32 [N, D], of chips, uint8 [N, S, S, 3]."""
    model.eval()
    parts = []
    with torch.inference_mode():
        for start in tqdm(range(0, len(chips), EVAL_BATCH), desc="embed", leave=False):
            batch = torch.from_numpy(chips[start : start + EVAL_BATCH]).permute(0, 3, 1, 2).float()
            parts.append(model.embed(batch.contiguous(memory_format=torch.channels_last)))
    return torch.cat(parts).clone()


def accuracy(logits: Tensor, classes: np.ndarray) -> float:
    """Share of pictures whose best class is the right one."""
    return (logits.argmax(1).numpy() == classes).mean().item()


def fit_head(head: nn.Linear, embeddings: Tensor, classes: np.ndarray, decay: float = 1e-4) -> None:
    """Fit a linear head to fixed features by L-BFGS, with cross-entropy and weight decay."""
    wanted = torch.from_numpy(classes)
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = nnf.cross_entropy(head(embeddings), wanted) + decay * head.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)


def train(folder: Path, run: Path, settings, resume: bool = False) -> Path:
    """Train on a folder of class folders.

    Parameters
    ----------
    folder : Path
        The data; its test part is not opened.
    run : Path
        Where checkpoint and result go.
    settings : namespace
    resume : bool
        Go on from the checkpoint of a run that was stopped.

    Returns
    -------
    Path
        The file with the trained weights.
    """
    torch.manual_seed(settings.seed)
    pictures = data.training_part(folder, data.SOURCE_PX, settings)
    for each in pictures.skipped:
        tqdm.write(f"skipped {each}")
    learning, validation = data.split(pictures, settings.split.validation, settings.seed)
    validation_chips = chips_of(validation, settings.ground.chip_px)
    model = network.pretrained(len(learning.names))
    if not resume:
        chips = chips_of(learning, settings.ground.chip_px)
        fit_head(model.head, embeddings_of(model, chips), learning.classes)
    state = _begin(model, settings.train)
    if resume:
        _restore(state, run / CHECKPOINT, pictures.names)
    for number in range(state.done, settings.train.epochs):
        epoch = _epoch(state, number, learning, settings)
        logits = logits_of(state.average, validation_chips)
        epoch.validation_accuracy = accuracy(logits, validation.classes)
        tqdm.write(_line(epoch))
        state.history.append(epoch)
        _save(state, run / CHECKPOINT, pictures.names)
    result = run / RESULT
    contents = {
        "weights": state.average.state_dict(),
        "names": pictures.names,
        "history": [vars(each) for each in state.history],
        "skipped": pictures.skipped,
    }
    write_whole(result, lambda file: torch.save(contents, file))
    return result


def _begin(model: network.Network, how) -> State:
    for module in model.features[: how.frozen_modules]:
        module.requires_grad_(False)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, how.learning_rate, weight_decay=how.weight_decay)
    return State(model, copy.deepcopy(model), optimizer)


def _epoch(state: State, number: int, learning: Pictures, settings) -> Epoch:
    """One pass over the training images; every choice comes from the seed and its number."""
    how = settings.train
    chance = torch.Generator().manual_seed(1_000_003 * settings.seed + number)
    order = torch.randperm(len(learning.classes), generator=chance)
    batches = order.split(how.batch)
    pixels, classes = torch.from_numpy(learning.pixels), torch.from_numpy(learning.classes)
    one_hot = nnf.one_hot(classes, len(learning.names)).float()
    state.model.train()
    start, losses = time.monotonic(), []
    bar = tqdm(total=len(order), desc=f"epoch {number + 1}/{how.epochs}", unit="img", leave=False)
    for index, batch in enumerate(batches):
        progress = (number + index / len(batches)) / how.epochs
        for group in state.optimizer.param_groups:
            group["lr"] = how.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
        chips = augment(pixels[batch], settings, chance)
        chips, wanted = _mix(chips, one_hot[batch], how.mixup, chance)
        logits = state.model(chips)
        loss = nnf.cross_entropy(logits, wanted, label_smoothing=how.label_smoothing)
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        _average(state, how.ema)
        losses.append(loss.item())
        right = (logits.argmax(1) == wanted.argmax(1)).float().mean().item()
        bar.set_postfix(loss=f"{np.mean(losses):.3f}", accuracy=f"{right:.0%}")
        bar.update(len(batch))
    bar.close()
    return Epoch(number, float(np.mean(losses)), float("nan"), time.monotonic() - start)


def _mix(chips: Tensor, wanted: Tensor, alpha: float, chance: torch.Generator):
    """Blend each picture and its label with another: Zhang et al., mixup (ICLR 2018)."""
    if not alpha:
        return chips, wanted
    seed = int(torch.randint(0, 2**31, (1,), generator=chance))
    share = float(np.random.default_rng(seed).beta(alpha, alpha))
    other = torch.randperm(len(chips), generator=chance)
    mixed = share * chips + (1 - share) * chips[other]
    return mixed.contiguous(memory_format=torch.channels_last), (
        share * wanted + (1 - share) * wanted[other]
    )


@torch.no_grad()
def _average(state: State, ema: float) -> None:
    """Exponential moving average of the weights, which is what is kept."""
    for kept, new in zip(state.average.parameters(), state.model.parameters(), strict=True):
        kept.lerp_(new, 1 - ema)


def _save(state: State, file: Path, names: tuple[str, ...]) -> None:
    contents = {
        "names": names,
        "model": state.model.state_dict(),
        "average": state.average.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "history": [vars(each) for each in state.history],
    }
    write_whole(file, lambda out: torch.save(contents, out))


def _restore(state: State, file: Path, names: tuple[str, ...]) -> None:
    if not file.exists():
        raise TrainingError(f"There is no {file} to go on from; train without --resume.")
    contents = torch.load(file, map_location="cpu")
    if tuple(contents["names"]) != names:
        raise TrainingError(f"{file} was trained on other classes; train without --resume.")
    state.model.load_state_dict(contents["model"])
    state.average.load_state_dict(contents["average"])
    state.optimizer.load_state_dict(contents["optimizer"])
    state.history = [Epoch(**each) for each in contents["history"]]


def load(file: Path) -> tuple[network.Network, tuple[str, ...], list[dict]]:
    """The trained network, its class names, and the history of its training."""
    if not file.exists():
        raise TrainingError(f"There is no {file}; run python -m training train first.")
    contents = torch.load(file, map_location="cpu")
    names = tuple(contents["names"])
    model = network.empty(len(names))
    try:
        model.load_state_dict(contents["weights"])
    except RuntimeError as error:
        raise TrainingError(f"{file} holds the weights of another network: train again.") from error
    return model.eval(), names, contents["history"]


def _line(epoch: Epoch) -> str:
    return (
        f"epoch {epoch.number + 1}: loss {epoch.loss:.3f}, "
        f"validation {epoch.validation_accuracy:.2%}, {epoch.seconds:.0f} s"
    )

"""One network learns: a head on frozen features first, then the features with it."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn
from tqdm import tqdm

from pyapp.core.imagery.chip import resample
from training import network
from training.data import Pictures
from training.errors import TrainingError
from training.files import write_whole
from training.lessons import Augmented, Labelled, mix

CHECKPOINT, RESULT = "checkpoint.pt", "network.pt"
EVAL_BATCH = 64


@dataclass
class Epoch:
    """What one epoch gave, for the report."""

    number: int
    loss: float
    training_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float
    images: int


@dataclass
class Learnt:
    """A trained network.

    Attributes
    ----------
    network : Network
    names : tuple of str
        Of the class folders.
    seed : int, or list of int where it is an average
    chip_px : int
        Side of the chips it was trained on.
    history : list of dict
        An `Epoch` each.
    """

    network: network.Network
    names: tuple[str, ...]
    seed: int | list[int]
    chip_px: int
    history: list[dict]


@dataclass
class State:
    """Everything that a run needs to go on as if it had not been stopped."""

    model: network.Network
    average: network.Network
    optimizer: torch.optim.Optimizer
    names: tuple[str, ...]
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


def fit(
    learning: Pictures,
    validation: Pictures | None,
    run: Path,
    settings,
    seed: int,
    resume: bool = False,
    lessons: Labelled | None = None,
    start: network.Network | None = None,
    keep: Callable[[network.Network], None] | None = None,
) -> Path:
    """Train one network.

    Parameters
    ----------
    learning : Pictures
    validation : Pictures, optional
        To watch the progress by.
    run : Path
        Where checkpoint and result go.
    settings : namespace
    seed : int
        What order, augmentation and mixing come from.
    resume : bool
        Go on from the checkpoint, where there is one; what is finished is left as it is.
    lessons : Labelled, optional
        Views that a teacher labelled, to learn from instead of the pictures.
    start : Network, optional
        Goes on from here instead of from pretrained features and a head fitted to them.
    keep : function, optional
        Called after each step, to restore what must not change (weights that are pruned).

    Returns
    -------
    Path
        The file with the trained weights.
    """
    torch.manual_seed(seed)
    result, checkpoint = run / RESULT, run / CHECKPOINT
    if resume and result.exists():
        return result
    run.mkdir(parents=True, exist_ok=True)
    chip_px = settings.ground.chip_px
    validation_chips = validation and chips_of(validation, chip_px)
    model = copy.deepcopy(start) or network.pretrained(settings.backbone, len(learning.names))
    goes_on = resume and checkpoint.exists()
    if not (start or goes_on):
        embeddings = embeddings_of(model, chips_of(learning, chip_px))
        fit_head(model.head, embeddings, learning.classes)
    state = _begin(model, learning.names, settings.train)
    if goes_on:
        _restore(state, checkpoint)
    lessons = lessons or Augmented(learning, settings)
    for number in range(state.done, settings.train.epochs):
        epoch = _epoch(state, number, lessons, settings, seed, keep)
        if validation:
            logits = logits_of(state.average, validation_chips)
            wanted = torch.from_numpy(validation.classes)
            epoch.validation_loss = nnf.cross_entropy(logits, wanted).item()
            epoch.validation_accuracy = accuracy(logits, validation.classes)
        tqdm.write(_line(epoch, run.name))
        state.history.append(epoch)
        _save(state, checkpoint)
    history = [vars(each) for each in state.history]
    return save(result, Learnt(state.average, learning.names, seed, chip_px, history))


def _begin(model: network.Network, names: tuple[str, ...], how) -> State:
    average = copy.deepcopy(model)
    model.freeze(how.frozen)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, how.learning_rate, weight_decay=how.weight_decay)
    return State(model, average, optimizer, names)


def _epoch(state: State, number: int, lessons, settings, seed: int, keep=None) -> Epoch:
    """One pass over the training images; every choice comes from the seed and its number."""
    how = settings.train
    chance = torch.Generator().manual_seed(1_000_003 * seed + number)
    order = torch.randperm(len(lessons), generator=chance)
    batches = order.split(how.batch)
    state.model.train()
    start, losses, right = time.monotonic(), [], 0
    bar = tqdm(total=len(order), desc=f"epoch {number + 1}/{how.epochs}", unit="img", leave=False)
    for index, batch in enumerate(batches):
        progress = (number + index / len(batches)) / how.epochs
        for group in state.optimizer.param_groups:
            group["lr"] = how.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
        chips, wanted = mix(*lessons.batch(batch, number, chance), how.mixup, chance)
        logits = state.model(chips)
        loss = nnf.cross_entropy(logits, wanted, label_smoothing=lessons.smoothing)
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        if keep:
            keep(state.model)
        _average(state, how.ema)
        losses.append(loss.item())
        right += (logits.argmax(1) == wanted.argmax(1)).sum().item()
        bar.update(len(batch))
        bar.set_postfix(
            loss=f"{np.mean(losses):.3f}",
            accuracy=f"{right / bar.n:.0%}",
            left=_left(start, number + bar.n / len(order), number, how.epochs),
        )
    bar.close()
    seconds = time.monotonic() - start
    return Epoch(
        number, float(np.mean(losses)), right / len(order), None, None, seconds, len(order)
    )


def _left(start: float, done: float, before: int, epochs: int) -> str:
    """The time that the epochs still to come will take, at the pace of this one."""
    minutes = (time.monotonic() - start) / (done - before) * (epochs - done) / 60
    return f"{minutes:.0f} min"


@torch.no_grad()
def _average(state: State, ema: float) -> None:
    """Exponential moving average of the weights, which is what is kept."""
    kept, new = list(state.average.parameters()), list(state.model.parameters())
    torch._foreach_lerp_(kept, new, 1 - ema)


def _save(state: State, file: Path) -> None:
    contents = {
        "backbone": state.model.backbone,
        "names": state.names,
        "model": state.model.state_dict(),
        "average": state.average.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "history": [vars(each) for each in state.history],
    }
    write_whole(file, lambda out: torch.save(contents, out))


def _restore(state: State, file: Path) -> None:
    contents = torch.load(file, map_location="cpu")
    if contents.get("backbone") != state.model.backbone:
        raise TrainingError(
            f"{file} is of the backbone {contents.get('backbone', 'of an older version')}, not "
            f"of {state.model.backbone}; train without --resume, or under another --name."
        )
    if tuple(contents["names"]) != state.names:
        raise TrainingError(f"{file} was trained on other classes; train without --resume.")
    state.model.load_state_dict(contents["model"])
    state.average.load_state_dict(contents["average"])
    state.optimizer.load_state_dict(contents["optimizer"])
    state.history = [Epoch(**each) for each in contents["history"]]


def save(file: Path, learnt: Learnt) -> Path:
    """Keep a trained network."""
    contents = {name: value for name, value in vars(learnt).items() if name != "network"}
    contents["backbone"] = learnt.network.backbone
    contents["weights"] = learnt.network.state_dict()
    write_whole(file, lambda path: torch.save(contents, path))
    return file


def load(file: Path) -> Learnt:
    """A trained network from its file.

    Raises
    ------
    TrainingError
        Where there is none, or its weights fit no network of this version.
    """
    if not file.exists():
        raise TrainingError(f"There is no {file}; run python -m training train first.")
    contents = torch.load(file, map_location="cpu")
    names = tuple(contents["names"])
    if "backbone" not in contents:
        raise TrainingError(f"{file} was made by an older version: train again.")
    model = network.empty(contents["backbone"], len(names))
    network.take_shapes(model, contents["weights"])
    try:
        model.load_state_dict(contents["weights"])
    except RuntimeError as error:
        raise TrainingError(f"{file} holds the weights of another network: train again.") from error
    return Learnt(model.eval(), names, contents["seed"], contents["chip_px"], contents["history"])


def _line(epoch: Epoch, name: str) -> str:
    said = f"{name}, epoch {epoch.number + 1}: loss {epoch.loss:.3f}, {epoch.seconds:.0f} s"
    if epoch.validation_accuracy is None:
        return said
    return f"{said}, validation {epoch.validation_accuracy:.2%}"

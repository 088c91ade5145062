"""Questions that need networks of their own.

What does each augmentation bring? How well are scenes of classes that were left out recognised as
unknown? What do other splits of the pictures give? The networks are short runs of the first
training (table ``train`` of the settings), to be compared only with each other. Answers are stored
one by one, so that a study that was stopped goes on.
"""

import hashlib
import json
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypedDict, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from pyapp.core.imagery.chip import resample
from training.figures import calibrate
from training.files import write_text
from training.networks import learn, predict, stored
from training.networks.network import Network
from training.pictures import data, dataset
from training.pictures.data import Pictures
from training.pictures.held_out import Door
from training.pictures.looks import LOOKS
from training.run import STUDY_FILE, STUDY_FOLDER
from training.settings import AugmentSettings, Settings, as_toml

# The settings that leave out one augmentation each.
WITHOUT: Mapping[str, Callable[[AugmentSettings], AugmentSettings]] = {
    "nothing left out": lambda how: how,
    "turns, scales and shifts": lambda how: replace(how, turn_deg=0.0, scale=(1.0, 1.0), shift=0.0),
    "coarser imagery": lambda how: replace(how, coarse_share=0.0),
    "JPEG": lambda how: replace(how, jpeg_share=0.0),
    "light, colour and haze": lambda how: replace(how, light=0.0, haze=0.0),
}
MIXUP = "mixup"
KNOWN_SHARE = 0.95
FLAGGED = f"unknown flagged if {KNOWN_SHARE:.0%} of known pass"
# The split that torchgeo publishes: Neumann et al., In-domain representation learning for remote
# sensing (2019).
SPLIT_LIST = "https://huggingface.co/datasets/torchgeo/ucmerced/resolve/main/uc_merced-{}.txt"
CONNECT_LIMIT_S = 20
PUBLISHED = "published split"

Figures = TypeVar("Figures")


class SplitFigures(TypedDict):
    """How a network does on another split; ``interval`` is the 95 % interval of the accuracy."""

    trained_on: int
    images: int
    accuracy: float
    interval: tuple[float, float]


class Missing(TypedDict):
    """Why a question has no answer."""

    missing: str


class Study(TypedDict):
    """What ``study.json`` holds.

    ``augmentation`` has accuracies by what was left out and by look, ``left_out`` areas under the
    ROC curve by classes and by score.
    """

    augmentation: dict[str, dict[str, float]]
    left_out: dict[str, dict[str, float]]
    splits: dict[str, SplitFigures | Missing]


class StudyReport(Study):
    """A study as the report holds it, with the means over the classes that were left out."""

    left_out_mean: dict[str, float]


def study(folder: Path, run: Path, settings: Settings) -> Path:
    """Answer the questions that aren't answered yet.

    The other splits are of all pictures, so each of them opens the test pictures, through
    `training.pictures.held_out`.

    Parameters
    ----------
    folder, run : Path
        The data; where answers go.
    settings : Settings

    Returns
    -------
    Path
        ``study.json``, which the report reads.

    Raises
    ------
    TrainingError
        If the data can't be read, or a file can't be written.
    """
    file = run / STUDY_FILE
    known: Study = {"augmentation": {}, "left_out": {}, "splits": {}}
    if file.exists():
        known = json.loads(file.read_text())
    bench = _Bench(folder, run, settings)

    def answer(table: dict[str, Figures], name: str, ask: Callable[[], Figures]) -> None:
        if name not in table:
            tqdm.write(f"study: {name}")
            table[name] = ask()
            write_text(file, json.dumps(known, indent=1))

    learning, validation = dataset.learning_and_validation(folder, settings)
    for name, how in bench.without().items():
        answer(known["augmentation"], name, partial(bench.looks, learning, validation, how))
    for name, out in bench.groups(learning.names).items():
        answer(known["left_out"], name, partial(bench.left_out, learning, validation, out))
    for number in range(1, settings.study.splits + 1):
        name = f"random split {number}"
        answer(known["splits"], name, partial(bench.random_split, name, number))
    answer(known["splits"], PUBLISHED, partial(bench.published_split, PUBLISHED))
    return file


def read(run: Path) -> StudyReport | None:
    """The answers of a run's study, or ``None`` if there is none."""
    file = run / STUDY_FILE
    if not file.exists():
        return None
    known: Study = json.loads(file.read_text())
    left_out = list(known["left_out"].values())
    return StudyReport(
        **known,
        left_out_mean={
            name: float(np.mean([each[name] for each in left_out])) for name in left_out[0]
        }
        if left_out
        else {},
    )


@dataclass(frozen=True)
class _Bench:
    """Trains the networks that the questions need, and asks them."""

    folder: Path
    run: Path
    settings: Settings

    def _fit(
        self, learning: Pictures, watched: Pictures, how: Settings, seed: int | None = None
    ) -> Network:
        place = self.run / STUDY_FOLDER
        seed = self.settings.seeds[0] if seed is None else seed
        return stored.load(learn.fit(learning, watched, place, how, seed)).network

    def _for(self, epochs: int) -> Settings:
        """The settings for networks of so many epochs."""
        small = self.settings.with_chip_px(self.settings.study.chip_px)
        return replace(small, train=replace(small.train, epochs=epochs))

    def without(self) -> dict[str, Settings]:
        """The settings that leave out one augmentation each, by its name."""
        short = self._for(self.settings.study.epochs)
        found = {
            name: replace(short, augment=leave_out(short.augment))
            for name, leave_out in WITHOUT.items()
        }
        return found | {MIXUP: replace(short, train=replace(short.train, mixup=0.0))}

    def looks(self, learning: Pictures, validation: Pictures, how: Settings) -> dict[str, float]:
        """Accuracy on validation pictures in each of `LOOKS`."""
        network, side = self._fit(learning, validation, how), how.ground.chip_px
        found = {}
        for name, look in LOOKS.items():
            chips = np.stack([resample(look(each), side) for each in validation.pixels])
            logits = predict.logits_of(network, chips)
            found[name] = predict.accuracy(logits, validation.classes)
        return found

    def groups(self, names: tuple[str, ...]) -> dict[str, list[int]]:
        """The classes to leave out of one network each, so that every class is left out once."""
        count = -(-len(names) // self.settings.study.left_out)
        groups = [list(range(first, len(names), count)) for first in range(count)]
        return {", ".join(names[each] for each in group): group for group in groups}

    def left_out(
        self, learning: Pictures, validation: Pictures, out: list[int]
    ) -> dict[str, float]:
        """How well several scores tell validation pictures of unseen classes from others."""
        how = self._for(self.settings.study.epochs)
        inside = [each for each in range(len(learning.names)) if each not in out]
        seen, familiar = _only(learning, inside), _only(validation, inside)
        network, side = self._fit(seen, familiar, how), how.ground.chip_px
        embeddings = predict.embeddings_of(network, predict.chips_of(seen, side))
        centres = torch.stack(
            [embeddings[seen.classes == each].mean(0) for each in range(len(inside))]
        )
        known, unknown = (
            _scores(network, centres, predict.chips_of(each, side))
            for each in (familiar, _only(validation, out))
        )
        found = {name: calibrate.separation(known[name], unknown[name]) for name in known}
        level = calibrate.fit_familiarity(known["largest logit"], KNOWN_SHARE)
        found[FLAGGED] = float((unknown["largest logit"] < level).mean())
        return found

    def random_split(self, name: str, number: int) -> SplitFigures:
        """A network trained and measured on a random split of all pictures."""
        how = self._for(self.settings.study.split_epochs)
        pictures = self._all_pictures(name, how)
        learning, part = data.split(pictures, self.settings.study.split_test, 100 + number)
        return self._split(learning, part, how, number)

    def published_split(self, name: str) -> SplitFigures | Missing:
        """As `random_split`, on the pictures that torchgeo's lists name."""
        lists = {}
        for kind in ("train", "test"):
            try:
                address = SPLIT_LIST.format(kind)
                with urllib.request.urlopen(address, timeout=CONNECT_LIMIT_S) as response:
                    lists[kind] = {Path(line).stem for line in response.read().decode().split()}
            except OSError as error:
                return Missing(missing=f"its lists could not be fetched: {error}")
        here = data.file_stems(self.folder)
        if not (lists["train"] & here and lists["test"] & here):
            return Missing(missing="the data has none of its pictures")
        how = self._for(self.settings.study.split_epochs)
        pictures = self._all_pictures(name, how)
        stems = [Path(each).stem for each in pictures.files]
        learning, part = (
            pictures.take(np.flatnonzero([stem in lists[each] for stem in stems]))
            for each in ("train", "test")
        )
        return self._split(learning, part, how)

    def _all_pictures(self, name: str, how: Settings) -> Pictures:
        # What will be measured is a network that its settings and its split determine.
        recipe = hashlib.sha256(f"{name}\n{as_toml(how)}".encode()).hexdigest()
        return Door(self.run, f"study, {name}", recipe).all_pictures(self.folder)

    def _split(
        self, learning: Pictures, part: Pictures, how: Settings, seed: int | None = None
    ) -> SplitFigures:
        network = self._fit(learning, part, how, seed)
        logits = predict.logits_of(network, predict.chips_of(part, how.ground.chip_px))
        right = int((logits.argmax(1).numpy() == part.classes).sum())
        return SplitFigures(
            trained_on=len(learning.classes),
            images=len(part.classes),
            accuracy=right / len(part.classes),
            interval=calibrate.wilson(right, len(part.classes)),
        )


def _scores(
    network: Network, centres: Tensor, chips: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    """How familiar chips seem, by several scores, each of shape (N,)."""
    embeddings = predict.embeddings_of(network, chips)
    logits: Tensor = network.head(embeddings).detach()
    unit = torch.nn.functional.normalize
    near = unit(embeddings - centres.mean(0)) @ unit(centres - centres.mean(0)).T
    return {
        "largest probability": torch.softmax(logits, 1).max(1).values.numpy(),
        "largest logit": logits.max(1).values.numpy(),
        "energy": torch.logsumexp(logits, 1).numpy(),
        "nearest class centre": near.max(1).values.numpy(),
    }


def _only(pictures: Pictures, classes: list[int]) -> Pictures:
    """The pictures of some classes, renumbered."""
    chosen = pictures.take(np.flatnonzero(np.isin(pictures.classes, classes)))
    numbers = np.searchsorted(classes, chosen.classes)
    names = tuple(pictures.names[each] for each in classes)
    return Pictures.of_classes(chosen.pixels, numbers, names, chosen.files)

"""Does a network recognise a source by its looks? A linear probe guesses it from the embedding."""

from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.networks import learn, network, predict
from training.networks.stored import TrainedNetwork
from training.pictures.data import SEVERAL, Pictures

FOLDS = 5


class Probe(TypedDict):
    """How often the source of a picture is guessed, by classes that several sources have.

    Each source counts the same, so guessing blindly gives ``chance``. ``pretrained`` is of the same
    backbone before it learned from any of them.
    """

    images: int
    classes: list[str]
    chance: float
    pretrained: float
    trained: float


def measure(trained: TrainedNetwork, pictures: Pictures) -> Probe | None:
    """Guess the sources of pictures that a network never saw; ``None`` if no class has two sources.

    Parameters
    ----------
    trained : TrainedNetwork
    pictures : Pictures
    """
    shared, sources = _shared(pictures)
    if not len(shared.numbers):
        return None
    chips = predict.chips_of(shared, trained.chip_px)
    before = network.pretrained(trained.network.backbone, len(trained.names))
    return Probe(
        images=len(chips),
        classes=sorted({shared.names[each] for each in shared.classes}),
        chance=round(1 / (int(sources.max()) + 1), 4),
        pretrained=guessed(predict.embeddings_of(before, chips), sources),
        trained=guessed(predict.embeddings_of(trained.network, chips), sources),
    )


def _shared(pictures: Pictures) -> tuple[Pictures, NDArray[np.int64]]:
    """Pictures of classes that several sources have, and the number of each one's source."""
    names = np.array([each.source for each in pictures.labels])[pictures.numbers]
    common = {
        each
        for each in set(pictures.classes.tolist()) - {SEVERAL}
        if len(set(names[pictures.classes == each])) > 1
    }
    chosen = np.flatnonzero(np.isin(pictures.classes, list(common)))
    numbers = np.unique(names[chosen], return_inverse=True)[1]
    return pictures.take(chosen), numbers.astype(np.int64)


def guessed(embeddings: Tensor, sources: NDArray[np.int64]) -> float:
    """Share of pictures whose source a linear probe guesses, cross-validated in `FOLDS` parts.

    Parameters
    ----------
    embeddings : Tensor of float32, shape (N, D)
    sources : ndarray of int64, shape (N,)
        Their numbers, from 0.

    Returns
    -------
    float
        Rounded to four digits; each source counts the same.
    """
    count = int(sources.max()) + 1
    scaled = (embeddings - embeddings.mean(0)) / (embeddings.std(0) + 1e-6)
    fold = np.random.default_rng(0).permutation(len(sources)) % FOLDS
    right = np.zeros(len(sources), bool)
    one_hot = np.eye(count, dtype=np.float32)[sources]
    for each in range(FOLDS):
        inside = torch.from_numpy(fold != each)
        torch.manual_seed(0)
        head = nn.Linear(embeddings.shape[1], count)
        learn.fit_head(head, scaled[inside], one_hot[fold != each])
        with torch.inference_mode():
            said = head(scaled[~inside]).argmax(1).numpy()
        right[fold == each] = said == sources[fold == each]
    return round(float(np.mean([right[sources == each].mean() for each in range(count)])), 4)

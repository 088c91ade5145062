"""Measures how well classes are taught, natively, by the page's own fitting code.

``few_shot`` teaches the classes of a folder of pictures with some examples of each, by several
embeddings; ``intervals`` compares what cross-validation promises with what fresh pictures show.
Pictures are cut as the page cuts a picture of one's own: their middle square.
"""

import statistics
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from tqdm import tqdm

from pyapp.core.imagery.chip import middle, resample
from pyapp.core.imagery.mosaic import decode
from pyapp.core.model.prediction import EMBEDDING, INPUT
from pyapp.core.teach.fit import Head, fit, head_of
from pyapp.core.teach.gram import Gram
from pyapp.core.teach.learn import learn, prior_head
from pyapp.core.teach.steps import finished
from training.networks import network, predict

IMAGENET, IMAGENET_PX = "efficientnet_lite0", 224
IMAGENET_NAME = "ImageNet EfficientNet-Lite0, frozen"
SHOTS = (5, 10, 20)
BATCH = 16
# Of the measurement of intervals: classes that are taught in a draw, and pictures to check with.
KINDS, FRESH = 6, 500
SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff"}


class Embedded(NamedTuple):
    """Embeddings of the pictures of a folder.

    Attributes
    ----------
    name : str
        Whose they are.
    values : ndarray of float32, shape (N, D)
    classes : ndarray of int64, shape (N,)
    labels : list of str
    """

    name: str
    values: np.ndarray
    classes: np.ndarray
    labels: list[str]


def few_shot(embedding: Path, data: Path, source: str, draws: int, most: int) -> str:
    """The share of pictures that are right after few examples of each class.

    Each draw takes other examples; all pictures that are no examples are judged by.

    Parameters
    ----------
    embedding : Path
        A model's file by the contract of docs/design.md.
    data : Path
        The folder of sources.
    source : str
        The one whose classes are taught.
    draws : int
    most : int
        Pictures of each class that are looked at.
    """
    files, labels = _files(data, source, most)
    rows = []
    for each in (_by_model(embedding, files, labels), _by_imagenet(files, labels)):
        shares = {shots: [_taught(each, shots, draw) for draw in range(draws)] for shots in SHOTS}
        rows.append([each.name, *(_mean(shares[shots]) for shots in SHOTS)])
    heads = [f"{shots} examples" for shots in SHOTS]
    said = f"{len(labels)} classes of {source}, {len(files)} pictures, {draws} draws, % right:"
    return "\n".join([said, "", table(["embedding", *heads], rows)])


def intervals(embedding: Path, data: Path, source: str, draws: int, most: int) -> str:
    """How often the interval that cross-validation gives holds the accuracy on fresh pictures.

    Each draw teaches `KINDS` classes that were drawn, and checks with up to `FRESH` other
    pictures of them. Parameters are those of `few_shot`.
    """
    files, labels = _files(data, source, most)
    embedded = _by_model(embedding, files, labels)
    rows = []
    for shots in SHOTS:
        found = [_promised(embedded, shots, draw) for draw in range(draws)]
        inside = sum(low <= fresh <= high for _, low, high, fresh in found)
        width = statistics.mean(high - low for _, low, high, _ in found)
        off = statistics.mean(share - fresh for share, _, _, fresh in found)
        rows.append([str(shots), f"{inside} of {draws}", f"{100 * width:.0f}", f"{100 * off:+.1f}"])
    heads = ["examples", "inside", "width, points", "too high by, points"]
    said = f"{KINDS} classes of {source} in each draw, {FRESH} fresh pictures, {embedded.name}:"
    return "\n".join([said, "", table(heads, rows)])


def _taught(embedded: Embedded, shots: int, draw: int) -> float:
    """The share of other pictures that are right after ``shots`` examples of each class."""
    given, others = _drawn(embedded, range(len(embedded.labels)), shots, draw)
    values, classes = embedded.values[given], embedded.classes[given]
    gram = Gram()
    finished(gram.renew(values, np.full(len(given), -1)))
    kernel = gram.kernel()
    prior = Head(
        np.zeros((len(embedded.labels), values.shape[1]), np.float32),
        np.zeros(len(embedded.labels), np.float32),
    )
    start = np.zeros((len(given), len(embedded.labels)))
    fitted = finished(fit(kernel.products, start, classes))
    head = head_of(kernel, gram.embedding, fitted, prior, 1.0)
    return _share(head, embedded.values[others], embedded.classes[others])


def _promised(embedded: Embedded, shots: int, draw: int) -> tuple[float, float, float, float]:
    """Accuracy by cross-validation, its interval, and accuracy on fresh pictures."""
    rng = np.random.default_rng(1000 + draw)
    kinds = np.sort(rng.choice(len(embedded.labels), KINDS, replace=False))
    given, others = _drawn(embedded, kinds.tolist(), shots, draw)
    # Equally many of each class, as there are examples.
    fresh = np.concatenate([
        others[embedded.classes[others] == each][: -(-FRESH // KINDS)] for each in kinds
    ])[:FRESH]  # fmt: skip
    numbers = np.searchsorted(kinds, embedded.classes)
    gram = Gram()
    finished(gram.renew(embedded.values[given], np.full(len(given), -1)))
    prior = prior_head([""] * KINDS, [], None, gram.embedding)
    head, verdict, _ = finished(learn(gram, prior, numbers[given], np.arange(len(given))))
    assert verdict is not None, "there are examples enough"
    return (*verdict.accuracy, _share(head, embedded.values[fresh], numbers[fresh]))


def _drawn(embedded: Embedded, kinds, shots: int, draw: int) -> tuple[np.ndarray, np.ndarray]:
    """Examples of some classes, and all other pictures of these, in an order that is drawn."""
    rng = np.random.default_rng(draw)
    given, others = [], []
    for each in kinds:
        order = rng.permutation(np.flatnonzero(embedded.classes == each))
        given.append(order[:shots])
        others.append(order[shots:])
    return np.concatenate(given), np.concatenate(others)


def _share(head: Head, values: np.ndarray, classes: np.ndarray) -> float:
    return float((head.logits(values).argmax(1) == classes).mean())


def _files(data: Path, source: str, most: int) -> tuple[list[tuple[Path, int]], list[str]]:
    """Pictures and their classes; of a source with a test folder, none of that is read."""
    folder = data / source
    if (folder / "train").is_dir():
        folder /= "train"
    folders = sorted(each for each in folder.iterdir() if each.is_dir())
    files = [
        (file, number)
        for number, each in enumerate(folders)
        for file in sorted(each.iterdir())[:most]
        if file.suffix.lower() in SUFFIXES
    ]
    return files, [each.name for each in folders]


def _chips(files: list[tuple[Path, int]], chip_px: int) -> np.ndarray:
    """The pictures as chips, uint8 [N, S, S, 3]."""
    chips = []
    for path, _ in tqdm(files, desc="read", leave=False):
        pixels = decode(path.read_bytes())
        chips.append(resample(pixels, chip_px, middle(pixels)))
    return np.stack(chips)


def _by_model(path: Path, files: list[tuple[Path, int]], labels: list[str]) -> Embedded:
    session = onnxruntime.InferenceSession(path)
    chips = _chips(files, session.get_inputs()[0].shape[1])
    parts = [
        session.run([EMBEDDING], {INPUT: chips[start : start + BATCH]})[0]
        for start in tqdm(range(0, len(chips), BATCH), desc="embed", leave=False)
    ]
    classes = np.array([number for _, number in files])
    return Embedded(f"{path.parent.name}/{path.name}", np.concatenate(parts), classes, labels)


def _by_imagenet(files: list[tuple[Path, int]], labels: list[str]) -> Embedded:
    frozen = network.pretrained(IMAGENET, 2)
    values = predict.embeddings_of(frozen, _chips(files, IMAGENET_PX)).numpy()
    return Embedded(IMAGENET_NAME, values, np.array([number for _, number in files]), labels)


def _mean(shares: list[float]) -> str:
    return f"{100 * statistics.mean(shares):.1f} ± {100 * statistics.pstdev(shares):.1f}"


def table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines)

"""What is right on the built-in town, before and after a person taught classes of their own.

``town.csv`` has 135 squares of 80 m, drawn at random from a lattice over the built-in imagery and
labelled by eye before any answer was looked at: the class of five to be taught, and every class of
`world` that a person would accept.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pyapp.core.ground.geo import Footprint, LngLat
from pyapp.core.imagery.source import sources_from_json
from pyapp.core.model.card import Card
from pyapp.core.model.prediction import EMBEDDING, Prediction, predictions
from pyapp.core.teach.fit import Head, softmax
from pyapp.core.teach.folds import places_of
from pyapp.core.teach.gram import Gram
from pyapp.core.teach.graph import Graph
from pyapp.core.teach.judge import Verdict
from pyapp.core.teach.learn import learn, prior_head
from pyapp.core.teach.steps import finished
from tests.bench.teaching import table
from training.figures import measure
from training.figures.golden import native_chip
from training.site_tools import imagery

LABELLED = Path(__file__).with_name("town.csv")
EXAMPLES, JUDGED = 30, 100


class Square(NamedTuple):
    """A labelled square.

    Attributes
    ----------
    place : Footprint
    taught : str
        The class of five.
    shows : frozenset of str
        Classes of the model that are right.
    """

    place: Footprint
    taught: str
    shows: frozenset[str]


def town(folder: Path, draws: int) -> str:
    """What a model says of the town as it is, and with five classes of 30 labelled squares.

    Parameters
    ----------
    folder : Path
        Of the model.
    draws : int
        Of the examples; all draws are judged by 100 other squares.
    """
    card = card_of(folder)
    squares = squares_of(card)
    found = outputs(folder, card, squares)
    before = untaught(card, squares, found)
    trained = Graph((folder / "model.onnx").read_bytes()).head
    after = [_taught(card, trained, found[EMBEDDING], squares, draw) for draw in range(draws)]
    rows = [
        [f"its own {len(card.labels)} classes, {len(squares)} squares", *shares(before)],
        [f"five taught classes, {draws} draws", *_mean([each for each, _ in after])],
    ]
    inside = sum(low <= share <= high for _, (share, low, high) in after)
    return "\n".join([
        table([folder.name, "best class right", "answered", "of those right"], rows),
        "",
        f"{EXAMPLES} examples and {JUDGED} other squares in each draw. The 95 % interval of "
        f"cross-validation held what these showed in {inside} of {draws}.",
    ])  # fmt: skip


def card_of(folder: Path) -> Card:
    """The card of a model."""
    return Card.from_json(folder.name, (folder / "card.json").read_text())


def squares_of(card: Card) -> list[Square]:
    """All labelled squares, as large as the model wants them."""
    with LABELLED.open(newline="", encoding="utf-8") as file:
        return [
            Square(
                Footprint(LngLat(float(row["lng"]), float(row["lat"])), card.footprint_m),
                row["taught"],
                frozenset(row["shows"].split("; ")),
            )
            for row in csv.DictReader(file)
        ]


def outputs(folder: Path, card: Card, squares: list[Square]) -> dict[str, np.ndarray]:
    """What a model's network says of the squares."""
    source = sources_from_json(imagery.sources())[0]
    tiles = imagery.sample_tiles()
    chips = np.stack([native_chip(tiles, each.place, card, source) for each in squares])
    return measure.outputs(folder / "model.onnx", chips)


def untaught(
    card: Card, squares: list[Square], found: dict[str, np.ndarray]
) -> list[tuple[bool, bool, bool]]:
    """Of each square: is the best class right, is there an answer, and is that right?"""
    said = predictions(card, found)
    return [_judge(card, each, square) for each, square in zip(said, squares, strict=True)]


def _judge(card: Card, prediction: Prediction, square: Square) -> tuple[bool, bool, bool]:
    best = prediction.best.label in square.shows
    if prediction.answer is None:
        return best, False, False
    accepted = {
        name
        for node in card.tree.nodes
        if node.name in square.shows
        for name in card.tree.path(node.id)
    }
    return best, True, prediction.answer.name in accepted


def _taught(
    card: Card, trained: Head, embedding: np.ndarray, squares: list[Square], draw: int
) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Shares as `shares`, and accuracy with the interval that cross-validation promised."""
    labels = sorted({each.taught for each in squares})
    classes = np.array([labels.index(each.taught) for each in squares])
    order = np.random.default_rng(draw).permutation(len(squares))
    each = EXAMPLES // len(labels)
    given = np.concatenate([order[classes[order] == label][:each] for label in range(len(labels))])
    judged = order[~np.isin(order, given)][:JUDGED]
    gram = Gram()
    finished(gram.renew(embedding[given], np.full(len(given), -1)))
    prior = prior_head(labels, card.labels, trained, gram.embedding)
    places = places_of([squares[number].place for number in given])
    head, verdict, _ = finished(learn(gram, prior, classes[given], places))
    assert verdict is not None, "there are examples enough"
    shares = _judged(head, verdict, embedding[judged], classes[judged])
    return shares, (shares[0], verdict.accuracy.low, verdict.accuracy.high)


def _judged(head: Head, verdict: Verdict, embedding: np.ndarray, classes: np.ndarray) -> np.ndarray:
    probability = softmax(head.logits(embedding))
    right = probability.argmax(1) == classes
    answered = probability.max(1) >= verdict.threshold
    of_those = right[answered].mean() if answered.any() else np.nan
    return np.array([right.mean(), answered.mean(), of_those])


def shares(found: list[tuple[bool, bool, bool]]) -> list[str]:
    best, answered, right = np.array(found).T
    return [_percent(best.mean()), _percent(answered.mean()), _percent(right[answered].mean())]


def _mean(shares: list[np.ndarray]) -> list[str]:
    return [
        f"{_percent(mean)} ± {100 * sd:.1f}"
        for mean, sd in zip(np.nanmean(shares, 0), np.nanstd(shares, 0), strict=True)
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"

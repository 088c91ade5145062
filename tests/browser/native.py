"""The way of one square without a browser: what the page is compared with."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pyapp.core.model.card import Card
from pyapp.core.model.prediction import Prediction, predictions
from pyapp.ui.answer.wording import listed, title
from tests.jpeg_tiles import COARSEST_ZOOM, jpeg_tiles
from training.figures.golden import native_chip

MODELS = Path(__file__).resolve().parents[2] / "models"
# The model that the page begins with.
DEFAULT = json.loads((MODELS / "index.json").read_text())["default"]

__all__ = ["DEFAULT", "Zooms", "class_of", "jpeg_chip", "listed", "native_answer", "native_chip",
           "title"]  # fmt: skip


def class_of(card: Card, answer: Prediction) -> str | None:
    """The class or group that a file names for an answer; ``None`` if it is not sure.

    Of a card without a tree a file always names the best class, with its score.
    """
    if card.tree.is_flat:
        return answer.best.label
    return None if answer.answer is None else answer.answer.name


def jpeg_chip(footprint):
    """The default model's chip of the built-in ground as other sites have it, uint8 [S, S, 3]."""
    card = Card.from_json(DEFAULT, (MODELS / DEFAULT / "card.json").read_text())
    return native_chip(jpeg_tiles(), footprint, card, Zooms(COARSEST_ZOOM, 18))


class Zooms(NamedTuple):
    """The coarsest and the finest zoom of some imagery."""

    min_zoom: int
    max_zoom: int


def native_answer(card, session, chip):
    """What native onnxruntime says of a chip, uint8 [S, S, 3]."""
    names = [output.name for output in session.get_outputs()]
    values = session.run(None, {"image": chip[np.newaxis]})
    return predictions(card, dict(zip(names, values, strict=True)))[0]

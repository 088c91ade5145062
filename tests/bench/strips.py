"""One pass of the network over a picture of several squares, against a pass for each square.

A survey with half steps sees each place four times. The network is convolutional up to its mean
over places, so a larger picture could be seen once and its mean taken square by square. Squares
of one picture lie on the network's own lattice here, and no pixel differs: what differs is what the
network sees beyond a square's edge, where a chip of its own ends in zeros.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnx.shape_inference
import onnx.utils

from pyapp.core.model.prediction import ACTIVATION, EMBEDDING, PROBABILITY, predictions
from tests.bench.imagery import Tiles, chips_at
from tests.bench.teaching import table
from tests.bench.town import card_of, squares_of
from tests.browser.native import DEFAULT, MODELS, Zooms
from tests.jpeg_tiles import COARSEST_ZOOM, jpeg_tiles
from training.figures import measure

if TYPE_CHECKING:
    from pathlib import Path

    import onnxruntime
    from numpy.typing import NDArray

    from pyapp.core.model.card import Card

# Squares to a side of a picture, and steps to a square.
SIDE, STEPS = 2, 2
CLOSE = 1e-3


def likeness() -> str:
    """A table: how far the answers are from those of single squares, and how much quicker.

    The first column is the check that the network was cut in two rightly: pictures of one square.
    """
    card = card_of(MODELS / DEFAULT)
    columns = [_compared(card, side) for side in (1, SIDE)]
    rows = [[name, *(each[name] for each in columns)] for name in columns[0]]
    head = [f"{DEFAULT}, half steps; squares to a pass", "1", f"{SIDE} x {SIDE}"]
    return table(head, rows)


def _compared(card: Card, side: int) -> dict[str, str]:
    """What a pass over pictures of this many squares to a side gives, by the name of its row."""
    path = MODELS / card.name / "model.onnx"
    single = measure.session(path, threads=1)
    over_all, head = _parts(path, side * card.chip_px)
    apart: list[NDArray[np.float32]] = []
    together: list[NDArray[np.float32]] = []
    taken_s = np.zeros(2)
    for picture in _pictures(card, side):
        chips = np.stack(list(_windows(picture, card.chip_px)))
        start = time.perf_counter()
        # One by one, as the fastest way on one thread.
        apart.extend(single.run([PROBABILITY], {"image": each[None]})[0] for each in chips)
        between = time.perf_counter()
        features = over_all.run(None, {"image": picture[None]})[0][0].transpose(1, 2, 0)
        windows = _windows(features, features.shape[0] // side)
        means = np.stack([each.mean((0, 1)) for each in windows])[:, :, None, None]
        together.extend(head.run(None, {head.get_inputs()[0].name: means}))
        taken_s += between - start, time.perf_counter() - between
    before, now = np.concatenate(apart), np.concatenate(together)
    off = np.abs(before - now).max(axis=1)
    pairs = zip(_answers(card, before), _answers(card, now), strict=True)
    return {
        "squares": f"{len(off):,}",
        f"all probabilities within {CLOSE:g} of a single square's": f"{(off <= CLOSE).mean():.1%}",
        "largest difference of a probability: median, most":
            f"{np.median(off):.3f}, {off.max():.3f}",
        "best class differs": f"{(before.argmax(1) != now.argmax(1)).mean():.1%}",
        "answer differs": f"{np.mean([a != b for a, b in pairs]):.1%}",
        "time / that of single squares, native onnxruntime, 1 thread":
            f"{taken_s[1] / taken_s[0]:.2f}",
    }  # fmt: skip


def _answers(card: Card, probabilities: NDArray[np.float32]) -> list[str | None]:
    """The class or group that is answered; ``None`` where the model is not sure."""
    count, classes = probabilities.shape
    beside = {EMBEDDING: np.zeros((count, 1)), ACTIVATION: np.zeros((count, classes, 1, 1))}
    found = predictions(card, {PROBABILITY: probabilities, **beside})
    return [each.answer and each.answer.name for each in found]


def _parts(path: Path, side_px: int) -> list[onnxruntime.InferenceSession]:
    """The network up to its mean over places, for a picture of this size; and what follows."""
    model = onnx.load(path)
    for at in (1, 2):
        model.graph.input[0].type.tensor_type.shape.dim[at].dim_value = side_px
    # Their sizes are found anew: of all that is said of the single square's, only its answer stays.
    del model.graph.value_info[:], model.graph.output[1:]
    model = onnx.shape_inference.infer_shapes(model)
    mean = next(each for each in model.graph.node if each.op_type == "ReduceMean")
    features, probability = mean.input[0], model.graph.output[0].name
    parts = []
    for begin, end in (("image", features), (mean.output[0], probability)):
        part = onnx.utils.Extractor(model).extract_model([begin], [end])
        parts.append(measure.session(part.SerializeToString(), threads=1))
    return parts


def _pictures(card: Card, side: int) -> list[NDArray[np.uint8]]:
    """Pictures of several squares around the labelled ones of the built-in town."""
    larger = dataclasses.replace(
        card, chip_px=side * card.chip_px, footprint_m=side * card.footprint_m
    )
    places = [each.place.centre for each in squares_of(card)]
    return list(chips_at(larger, places, Tiles(jpeg_tiles(), Zooms(COARSEST_ZOOM, 18))).values())


def _windows(picture: NDArray, side: int):
    """Squares of a picture, half a side apart."""
    starts = range(0, picture.shape[0] - side + 1, side // STEPS)
    for top, left in itertools.product(starts, starts):
        yield picture[top : top + side, left : left + side]

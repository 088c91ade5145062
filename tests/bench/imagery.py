"""What making the built-in imagery smaller costs: its look, and what the models answer.

Compared are the tiles of the page with those of the package that they were made of, from which
earlier versions also had coarser zooms.
"""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyapp.core.ground.cut import Zooms
from pyapp.core.ground.geo import TILE_PX, Footprint, LngLat, Pixel, pixel_at, place_at
from pyapp.core.imagery.mosaic import decode
from pyapp.core.imagery.source import sources_from_json
from pyapp.core.model.prediction import Prediction, predictions
from tests.__main__ import ROOT
from tests.bench.teaching import table
from tests.bench.town import card_of, shares, squares_of, untaught
from tests.jpeg_tiles import COARSEST_ZOOM, jpeg_tiles
from training.figures import measure
from training.figures.golden import native_chip
from training.site_tools import imagery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from pyapp.core.model.card import Card

# Of the structural similarity of Wang et al. (2004), for luma of 0 to 255.
SIGMA_PX, RADIUS_PX = 1.5, 5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
LUMA = np.array([0.299, 0.587, 0.114])
# Places lie so far apart: the middles of tiles, of their edges, and their corners.
STEP_PX = TILE_PX // 2
# The model whose classes the labels of the town are.
LABELLED_FOR = "world"


class Tiles(NamedTuple):
    """Tiles in a folder, and the zooms that a chip may be cut from."""

    folder: Path
    zooms: Zooms


def looks_and_answers() -> str:
    """Three tables: bytes and likeness of tiles, answers that differ, answers that are right."""
    now = sources_from_json(imagery.sources())[0]
    former = SimpleNamespace(min_zoom=COARSEST_ZOOM, max_zoom=now.max_zoom)
    both = Tiles(jpeg_tiles(), former), Tiles(imagery.sample_tiles(), now)
    places = list(_lattice(now.max_zoom, now.coverage[now.max_zoom]))
    models = [each.parent for each in sorted((ROOT / "models").glob("*/card.json"))]
    differ = [row for each in models for row in _compared(each, places, both)]
    return "\n\n".join([
        _looks(*(each.folder for each in both)),
        table(["model", "squares", "best class differs", "answer differs",
               "probability of the best class moved by, mean"], differ),
        _right(ROOT / "models" / LABELLED_FOR, both),
    ])  # fmt: skip


def _looks(before: Path, now: Path) -> str:
    made = sorted(now.rglob("*.webp"))
    originals = [before / file.relative_to(now).with_suffix(".jpg") for file in made]
    likeness = [_likeness(*map(_pixels, pair)) for pair in zip(made, originals, strict=True)]
    ssim, psnr = np.transpose(likeness)
    rows = [
        ["JPEG, all zooms", _megabytes(before.rglob("*.jpg")), "", ""],
        ["JPEG, finest zoom", _megabytes(originals), "", ""],
        ["WebP, finest zoom", _megabytes(made), f"{ssim.mean():.3f} / {ssim.min():.3f}",
         f"{psnr.mean():.1f} / {psnr.min():.1f} dB"],
    ]  # fmt: skip
    return table(["built-in imagery", "MB", "SSIM, mean / least", "PSNR, mean / least"], rows)


def _megabytes(files: Iterator[Path] | list[Path]) -> str:
    return f"{sum(each.stat().st_size for each in files) / 1e6:.2f}"


def _pixels(file: Path) -> NDArray[np.uint8]:
    return decode(file.read_bytes())


def _likeness(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> tuple[float, float]:
    """Structural similarity of the luma of two pictures, and their peak signal to noise, in dB."""
    a, b = ours @ LUMA, theirs @ LUMA
    mean_a, mean_b = _blurred(a), _blurred(b)
    variances = _blurred(a * a) - mean_a**2 + _blurred(b * b) - mean_b**2
    covariance = _blurred(a * b) - mean_a * mean_b
    ssim = (2 * mean_a * mean_b + C1) * (2 * covariance + C2)
    ssim /= (mean_a**2 + mean_b**2 + C1) * (variances + C2)
    error = np.mean((ours.astype(float) - theirs) ** 2)
    return float(ssim.mean()), float(10 * np.log10(255**2 / error))


def _blurred(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    at = np.arange(-RADIUS_PX, RADIUS_PX + 1)
    kernel = np.exp(-0.5 * (at / SIGMA_PX) ** 2)
    for axis in (0, 1):
        windows = np.lib.stride_tricks.sliding_window_view(picture, len(at), axis)
        picture = windows @ (kernel / kernel.sum())
    return picture


def _lattice(zoom: int, tiles: frozenset[tuple[int, int]]) -> Iterator[LngLat]:
    """Places all over some tiles."""
    for x, y in sorted(tiles):
        for right in range(0, TILE_PX, STEP_PX):
            for down in range(0, TILE_PX, STEP_PX):
                yield place_at(Pixel(x * TILE_PX + right, y * TILE_PX + down), zoom)


def _compared(folder: Path, places: list[LngLat], both: tuple[Tiles, Tiles]) -> list[list[str]]:
    """How often a model answers differently, of the places whose square both have.

    For scale, the same for squares of the former tiles that are moved by one pixel.
    """
    card = card_of(folder)
    before, now = (chips_at(card, places, tiles) for tiles in both)
    aside = [_aside(each, both[0].zooms.max_zoom) for each in places]
    moved = dict(zip(places, map(chips_at(card, aside, both[0]).get, aside), strict=True))
    shared = [each for each in places if each in before and each in now and moved[each] is not None]
    answers = [
        predictions(card, measure.outputs(folder / "model.onnx", np.stack(list(map(get, shared)))))
        for get in (before.get, now.get, moved.get)
    ]
    return [
        [name, f"{len(shared)}", *_difference(answers[0], each)]
        for name, each in ((card.name, answers[1]), ("the same, moved by a pixel", answers[2]))
    ]


def _aside(place: LngLat, zoom: int) -> LngLat:
    at = pixel_at(place, zoom)
    return place_at(Pixel(at.x + 1, at.y + 1), zoom)


def _difference(some: list[Prediction], others: list[Prediction]) -> list[str]:
    """Shares of other best classes and answers, and how far the probability went."""
    pairs = list(zip(some, others, strict=True))
    best = np.mean([a.best.label != b.best.label for a, b in pairs])
    answer = np.mean([a.answer != b.answer for a, b in pairs])
    moved = np.mean([abs(a.best.probability - _of(b, a.best.label)) for a, b in pairs])
    return [f"{best:.1%}", f"{answer:.1%}", f"{moved:.3f}"]


def _of(prediction: Prediction, label: str) -> float:
    return next(each.probability for each in prediction.ranked if each.label == label)


def chips_at(card: Card, places: list[LngLat], tiles: Tiles) -> dict[LngLat, NDArray[np.uint8]]:
    """Chips of squares around places, where there are all tiles."""
    chips = {}
    for each in places:
        place = Footprint(each, card.footprint_m)
        with suppress(FileNotFoundError):
            chips[each] = native_chip(tiles.folder, place, card, tiles.zooms)
    return chips


def _right(folder: Path, both: tuple[Tiles, Tiles]) -> str:
    """What is right of the labelled squares of the town."""
    card = card_of(folder)
    squares = squares_of(card)
    rows = []
    for name, tiles in zip(("before", "now"), both, strict=True):
        chips = [native_chip(tiles.folder, each.place, card, tiles.zooms) for each in squares]
        judged = untaught(card, squares, measure.outputs(folder / "model.onnx", np.stack(chips)))
        rows.append([name, *shares(judged)])
    return table([f"{len(squares)} labelled squares, {card.name}", "best class right", "answered",
                  "of those right"], rows)  # fmt: skip

"""Questions that take networks of their own: what each augmentation brings, how scenes that were
left out are told apart, and what other splits of the pictures give.

Short runs of the first training (table ``train`` of the settings), to compare among themselves.
What is answered is kept, so that a study that is stopped goes on.
"""

import io
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from pyapp.core.imagery.chip import resample
from training import calibrate, data, final, learn
from training.data import Pictures
from training.files import write_text
from training.settings import changed
from training.train import parts

STUDY = "study.json"
# Each augmentation, and the settings that leave it out.
WITHOUT = {
    "nothing left out": {},
    "turns, scales and shifts": {"turn_deg": 0.0, "scale": [1.0, 1.0], "shift": 0.0},
    "coarser imagery": {"coarse_share": 0.0},
    "JPEG": {"jpeg_share": 0.0},
    "light, colour and haze": {"light": 0.0, "haze": 0.0},
}
MIXUP = "mixup"
# The published split of torchgeo: Neumann et al., In-domain representation learning for remote
# sensing (2019).
SPLIT = "https://huggingface.co/datasets/torchgeo/ucmerced/resolve/main/uc_merced-{}.txt"
CONNECT_LIMIT_S = 20


def study(folder: Path, run: Path, settings) -> Path:
    """Answer the questions that aren't answered yet.

    Parameters
    ----------
    folder, run : Path
        The data; where answers go.
    settings : namespace

    Returns
    -------
    Path
        ``study.json``, which the report reads.
    """
    answers = run / STUDY
    known = json.loads(answers.read_text()) if answers.exists() else {}
    for name, ask in _questions(folder, run / "study", settings).items():
        if name not in known:
            tqdm.write(f"study: {name}")
            known[name] = ask()
            write_text(answers, json.dumps(known, indent=1))
    return answers


def _questions(folder: Path, place: Path, settings) -> dict[str, Callable]:
    how = settings.study
    short = changed(
        settings, ground={"chip_px": how.chip_px}, train={"epochs": how.epochs}, pupil={"views": 0}
    )
    long = changed(short, train={"epochs": how.split_epochs})
    learning, validation = parts(folder, settings)
    seed = settings.seeds[0]

    def fitted(pictures: Pictures, looked_at: Pictures, chosen, seed: int = seed):
        return learn.load(learn.fit(pictures, looked_at, place, chosen, seed)).network

    questions = {}
    for name, changes in WITHOUT.items():
        one = changed(short, augment=changes)
        questions[f"augmentation: {name}"] = lambda one=one: _views(
            fitted(learning, validation, one), validation, how.chip_px
        )
    plain = changed(short, train={"mixup": 0.0})
    questions[f"augmentation: {MIXUP}"] = lambda: _views(
        fitted(learning, validation, plain), validation, how.chip_px
    )
    groups = -(-len(learning.names) // how.left_out)
    for group in range(groups):
        out = list(range(group, len(learning.names), groups))
        names = ", ".join(learning.names[each] for each in out)
        questions[f"left out: {names}"] = lambda out=out: _left_out(
            learning, validation, out, how.chip_px, lambda *given: fitted(*given, short)
        )
    for number in range(1, how.splits + 1):
        questions[f"random split {number}"] = lambda number=number: _split(
            *_by_chance(folder, settings, number), how.chip_px, lambda *g: fitted(*g, long, number)
        )
    questions["published split"] = lambda: _published(
        folder, settings, how.chip_px, lambda *given: fitted(*given, long)
    )
    return questions


def _views(network, validation: Pictures, chip_px: int) -> dict[str, float]:
    """Accuracy on validation pictures as they are, and as other imagery would show them."""
    return {
        name: learn.accuracy(
            learn.logits_of(
                network, np.stack([resample(show(each), chip_px) for each in validation.pixels])
            ),
            validation.classes,
        )
        for name, show in LOOKS.items()
    }


def _coarse(pixels: np.ndarray) -> np.ndarray:
    return final.at_sharpness(pixels, 0.3048 / 0.8)


def _jpeg(pixels: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=30)
    return np.asarray(Image.open(file))


def _hazy(pixels: np.ndarray) -> np.ndarray:
    grey = pixels.mean(2, keepdims=True)
    faded = 0.7 * (grey + 0.6 * (pixels - grey)) + 0.3 * 225
    return faded.round().clip(0, 255).astype(np.uint8)


def _turned(pixels: np.ndarray) -> np.ndarray:
    side = len(pixels)
    edge = side // 2
    wide = np.pad(pixels, ((edge, edge), (edge, edge), (0, 0)), "reflect")
    turned = np.asarray(Image.fromarray(wide).rotate(37, Image.Resampling.BICUBIC))
    return turned[edge : edge + side, edge : edge + side]


def _shifted(pixels: np.ndarray) -> np.ndarray:
    by = len(pixels) // 5
    return np.pad(pixels, ((0, by), (by, 0), (0, 0)), "reflect")[by:, :-by]


LOOKS = {
    "as it is": lambda pixels: pixels,
    "0.8 m per pixel": _coarse,
    "JPEG, quality 30": _jpeg,
    "haze": _hazy,
    "turned by 37°": _turned,
    "shifted by a fifth": _shifted,
}


def _left_out(learning, validation, out: list[int], chip_px: int, fitted) -> dict:
    """How well several scores tell validation scenes of classes never seen from known ones."""
    kept = [each for each in range(len(learning.names)) if each not in out]
    known = _only(learning, kept)
    network = fitted(known, _only(validation, kept))
    inside = learn.chips_of(_only(validation, kept), chip_px)
    outside = learn.chips_of(_only(validation, out), chip_px)
    seen = learn.embeddings_of(network, learn.chips_of(known, chip_px))
    centres = torch.stack([seen[known.classes == each].mean(0) for each in range(len(kept))])
    scores = [_scores(network, centres, chips) for chips in (inside, outside)]
    result = {name: calibrate.separation(scores[0][name], scores[1][name]) for name in scores[0]}
    level = calibrate.fit_familiarity(scores[0]["largest logit"], 0.95)
    result["told at 95 % of known kept"] = float((scores[1]["largest logit"] < level).mean())
    return result


def _scores(network, centres: torch.Tensor, chips: np.ndarray) -> dict[str, np.ndarray]:
    embeddings = learn.embeddings_of(network, chips)
    logits = network.head(embeddings).detach()
    unit = torch.nn.functional.normalize
    near = unit(embeddings - centres.mean(0)) @ unit(centres - centres.mean(0)).T
    return {
        "largest probability": torch.softmax(logits, 1).max(1).values.numpy(),
        "largest logit": logits.max(1).values.numpy(),
        "energy": torch.logsumexp(logits, 1).numpy(),
        "nearest class centre": near.max(1).values.numpy(),
    }


def _only(pictures: Pictures, classes: list[int]) -> Pictures:
    """The pictures of some classes, numbered anew."""
    chosen = pictures.take(np.flatnonzero(np.isin(pictures.classes, classes)))
    numbers = np.searchsorted(classes, chosen.classes)
    names = tuple(pictures.names[each] for each in classes)
    return Pictures(chosen.pixels, numbers, names, chosen.files)


def _by_chance(folder: Path, settings, seed: int) -> tuple[Pictures, Pictures]:
    return data.split(final.everything(folder, settings), settings.study.split_test, 100 + seed)


def _split(learning: Pictures, test: Pictures, chip_px: int, fitted) -> dict:
    logits = learn.logits_of(fitted(learning, test), learn.chips_of(test, chip_px))
    right = int((logits.argmax(1).numpy() == test.classes).sum())
    return {
        "trained_on": len(learning.classes),
        "images": len(test.classes),
        "accuracy": right / len(test.classes),
        "interval": calibrate.wilson(right, len(test.classes)),
    }


def _published(folder: Path, settings, chip_px: int, fitted) -> dict:
    """The split of torchgeo, with those of its pictures that are here."""
    lists = {}
    for part in ("train", "val", "test"):
        try:
            with urllib.request.urlopen(SPLIT.format(part), timeout=CONNECT_LIMIT_S) as answer:
                lists[part] = {Path(line).stem for line in answer.read().decode().split()}
        except OSError as error:
            return {"missing": f"its lists could not be fetched: {error}"}
    pictures = final.everything(folder, settings)
    stems = [Path(each).stem for each in pictures.files]
    chosen = {
        part: pictures.take(np.flatnonzero([stem in names for stem in stems]))
        for part, names in lists.items()
    }
    return _split(chosen["train"], chosen["test"], chip_px, fitted)

"""The charts of the report as SVG, and its pictures as JPEG."""

import io
from collections.abc import Callable, Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from training.figures.calibrate import Bin
from training.figures.side_by_side import Variant
from training.networks.stored import Epoch

mpl.use("svg")
mpl.rcParams.update(
    {
        "svg.hashsalt": "lookdown",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "figure.constrained_layout.use": True,
    }
)
from matplotlib import colormaps  # noqa: E402
from matplotlib import pyplot as plt  # noqa: E402

RIGHT, WRONG = (46, 160, 67), (218, 54, 51)
BLUE, ORANGE, GREY = "#1f6feb", "#d9730d", "#8b949e"
HEAT = colormaps["inferno"]


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    plt.close(figure)
    text = out.getvalue()
    return text[text.index("<svg") :]


def learning_curves(histories: Mapping[str, list[Epoch]]) -> str:
    """Loss and validation accuracy of each network over its epochs, as SVG."""
    figure, (loss, right) = plt.subplots(1, 2, figsize=(8, 2.8))
    for name, history in histories.items():
        epochs = [each["number"] + 1 for each in history]
        loss.plot(epochs, [each["loss"] for each in history], label=name)
        shares = [each["validation_accuracy"] for each in history]
        watched = [100 * share for share in shares if share is not None]
        if watched:
            right.plot(epochs, watched)
    loss.set(xlabel="epoch", ylabel="training loss", ylim=(0, None))
    right.set(xlabel="epoch", ylabel="right on validation pictures, %")
    figure.legend(loc="outside right center", frameon=False)
    return _svg(figure)


def confusion_matrix(matrix: NDArray[np.int64], labels: list[str]) -> str:
    """Counts of test pictures, shape (C, C), with one row for each right class, as SVG."""
    size = 2.2 + 0.27 * len(labels)
    figure, axes = plt.subplots(figsize=(size, size))
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(matrix):
        colour = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, matrix[row, column], ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="answer", ylabel="right class")
    axes.grid(visible=False)
    return _svg(figure)


def reliability_diagram(bins: Sequence[Bin]) -> str:
    """How often answers of each probability are right, as SVG."""
    figure, axes = plt.subplots(figsize=(3.4, 3.2))
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    for sure, right, share in bins:
        axes.plot(sure, right, "o", color=BLUE, markersize=3 + 12 * share**0.5, alpha=0.8)
    axes.set(xlabel="stated probability", ylabel="share right", xlim=(0, 1.03), ylim=(0, 1.03))
    return _svg(figure)


def pareto(variants: Mapping[str, Variant], shipped: str) -> str:
    """Accuracy against download and against time in the browser, as SVG."""
    figure, panels = plt.subplots(1, 2, figsize=(8, 3), sharey=True)
    in_browser = all("browser_ms" in each for each in variants.values())
    where = "browser" if in_browser else "native"
    measures: tuple[tuple[str, Callable[[Variant], float]], ...] = (
        ("download, MB (brotli)", lambda each: each["brotli_bytes"] / 1e6),
        (
            f"ms per picture, {where}, 1 thread",
            lambda each: each["browser_ms" if in_browser else "native_ms"]["least_ms"],
        ),
    )
    for axes, (label, value) in zip(panels, measures, strict=True):
        points = {name: (value(each), 100 * each["accuracy"]) for name, each in variants.items()}
        best = -np.inf
        front = []
        for x, y in sorted(points.values(), key=lambda point: (point[0], -point[1])):
            if y > best:
                front.append((x, y))
                best = y
        axes.step(*zip(*front, strict=True), where="post", color=GREY, linewidth=1)
        for name, (x, y) in points.items():
            axes.plot(x, y, "o", color=ORANGE if name == shipped else BLUE)
            beyond = x > np.mean([min(points.values())[0], max(points.values())[0]])
            axes.annotate(
                name, (x, y), xytext=(-5 if beyond else 5, 5), textcoords="offset points",
                ha="right" if beyond else "left", fontsize=7,
            )  # fmt: skip
        axes.set(xlabel=label)
        axes.margins(0.15)
    panels[0].set(ylabel="right on validation pictures, %")
    return _svg(figure)


def heat_map(chip: NDArray[np.uint8], activation: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Where a class was seen, laid over a chip.

    Parameters
    ----------
    chip : ndarray of uint8, shape (S, S, 3)
    activation : ndarray of float32, shape (h, w)
        Class-activation map of the class.

    Returns
    -------
    ndarray of uint8, shape (S, S, 3)
    """
    side = len(chip)
    spread = np.ptp(activation) or 1.0
    level = ((activation - activation.min()) / spread).astype(np.float32)
    smooth = np.asarray(Image.fromarray(level).resize((side, side), Image.Resampling.BICUBIC))
    heat = 255 * np.asarray(HEAT(smooth.clip(0, 1)))[:, :, :3]
    return (0.5 * chip + 0.5 * heat).astype(np.uint8)


def framed(chip: NDArray[np.uint8], right: bool, side: int) -> NDArray[np.uint8]:
    """A chip in a green frame if it is right, else in a red one, shape (side, side, 3)."""
    out = np.empty((side, side, 3), np.uint8)
    out[:] = RIGHT if right else WRONG
    inner = side - 8
    picture = Image.fromarray(chip).resize((inner, inner), Image.Resampling.BILINEAR)
    out[4:-4, 4:-4] = np.asarray(picture)
    return out


def grid(pictures: Sequence[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    """Pictures of one size laid out in rows, as one picture."""
    blank = np.full_like(pictures[0], 255)
    padded = [*pictures, *[blank] * (-len(pictures) % columns)]
    rows = [np.concatenate(padded[i : i + columns], 1) for i in range(0, len(padded), columns)]
    return np.concatenate(rows, 0)


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """A picture of shape (rows, columns, 3) as JPEG."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=82)
    return out.getvalue()

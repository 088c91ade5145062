"""The charts of the report, as SVG, or as JPEG where they show pictures."""

import io

import matplotlib as mpl
import numpy as np
from PIL import Image

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


def _svg(figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    plt.close(figure)
    text = out.getvalue()
    return text[text.index("<svg") :]


def learning_curves(histories: dict[str, list[dict]]) -> str:
    """Loss and validation accuracy of each network over its epochs."""
    figure, (loss, right) = plt.subplots(1, 2, figsize=(8, 2.8))
    for name, history in histories.items():
        epochs = [each["number"] + 1 for each in history]
        loss.plot(epochs, [each["loss"] for each in history], label=name)
        if history[0]["validation_accuracy"] is not None:
            right.plot(epochs, [100 * each["validation_accuracy"] for each in history])
    loss.set(xlabel="epoch", ylabel="training loss", ylim=(0, None))
    right.set(xlabel="epoch", ylabel="right on validation pictures, %")
    figure.legend(loc="outside right center", frameon=False)
    return _svg(figure)


def confusion(matrix: np.ndarray, labels: list[str]) -> str:
    """Counts of test pictures, int [C, C]: a row for each right class."""
    size = 2.2 + 0.27 * len(labels)
    figure, axes = plt.subplots(figsize=(size, size))
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(matrix):
        colour = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, matrix[row, column], ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="said", ylabel="is")
    axes.grid(visible=False)
    return _svg(figure)


def reliability(bins: list[list[float]]) -> str:
    """How often answers of each probability are right."""
    figure, axes = plt.subplots(figsize=(3.4, 3.2))
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    for sure, right, share in bins:
        axes.plot(sure, right, "o", color=BLUE, markersize=3 + 12 * share**0.5, alpha=0.8)
    axes.set(xlabel="probability said", ylabel="share right", xlim=(0, 1.03), ylim=(0, 1.03))
    return _svg(figure)


def pareto(variants: dict[str, dict], shipped: str) -> str:
    """Accuracy against download and against time in the browser."""
    figure, panels = plt.subplots(1, 2, figsize=(8, 3), sharey=True)
    place = "browser_ms" if all("browser_ms" in each for each in variants.values()) else "native_ms"
    where = "browser" if place == "browser_ms" else "native"
    for axes, (label, value) in zip(
        panels,
        (
            ("download, MB (brotli)", lambda each: each["brotli_bytes"] / 1e6),
            (f"ms a picture, {where}, 1 thread", lambda each: each[place]["least_ms"]),
        ),
        strict=True,
    ):
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


def heat_map(chip: np.ndarray, activation: np.ndarray) -> np.ndarray:
    """Where a class was seen, laid over a chip.

    Parameters
    ----------
    chip : uint8 [S, S, 3]
    activation : float [h, w]
        Of one class.

    Returns
    -------
    uint8 [S, S, 3]
    """
    side = len(chip)
    spread = np.ptp(activation) or 1.0
    level = ((activation - activation.min()) / spread).astype(np.float32)
    smooth = np.asarray(Image.fromarray(level).resize((side, side), Image.Resampling.BICUBIC))
    heat = 255 * HEAT(smooth.clip(0, 1))[:, :, :3]
    return (0.5 * chip + 0.5 * heat).astype(np.uint8)


def framed(chip: np.ndarray, right: bool, side: int) -> np.ndarray:
    """A small chip in a green or a red frame, uint8 [side, side, 3]."""
    out = np.empty((side, side, 3), np.uint8)
    out[:] = RIGHT if right else WRONG
    inner = side - 8
    picture = Image.fromarray(chip).resize((inner, inner), Image.Resampling.BILINEAR)
    out[4:-4, 4:-4] = np.asarray(picture)
    return out


def grid(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    """Pictures of one size in rows, uint8 [..., ..., 3]."""
    blank = np.full_like(pictures[0], 255)
    padded = [*pictures, *[blank] * (-len(pictures) % columns)]
    rows = [np.concatenate(padded[i : i + columns], 1) for i in range(0, len(padded), columns)]
    return np.concatenate(rows, 0)


def jpeg(pixels: np.ndarray) -> bytes:
    """A picture for the report, uint8 [rows, columns, 3] to JPEG."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=82)
    return out.getvalue()

"""Smaller files of one network, measured side by side; the best of them is what the page gets."""

import copy
import dataclasses
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from tqdm import tqdm

from pyapp.core.model.prediction import INPUT
from training import data, export, learn, measure, surgery
from training.errors import TrainingError
from training.evaluate import DEVELOPMENT, EVALUATION, fitted
from training.files import write_text, write_whole
from training.lite import InvertedResidual
from training.settings import changed
from training.train import FINAL, TEACHER, parts

FOLDER, COMPRESSION, SHIPPED = "variants", "compression.json", "shipped.onnx"
FP32, FP16, INT8_WEIGHTS, INT8 = "fp32", "fp16 weights", "int8 weights", "int8, QDQ"
THIN, NARROW = "thinned, int8 weights", "narrowed, int8 weights"
# The network that all this is cut out of, at its own size: what the others are measured against.
REFERENCE = "teacher, fp32"
SMALLEST_STORED = 1024
# Slower than fp32 by more than this, and a file is no candidate: times scatter as much.
SCATTER = 1.1


class _Chips(CalibrationDataReader):
    """Chips one by one, for onnxruntime to see the range of every activation."""

    def __init__(self, chips: np.ndarray):
        self._left = iter(chips)

    def get_next(self):
        chip = next(self._left, None)
        return None if chip is None else {INPUT: chip[np.newaxis]}


def compress(chosen: Path, fp32: Path, folder: Path, run: Path, settings) -> Path:
    """Make the variants, measure them on validation chips, and pick what is shipped.

    What is measured are the variants of the network that never saw those chips; what is shipped is
    the one picked, made in the same way of the chosen network.

    Parameters
    ----------
    chosen : Path
        The weights that `evaluate` chose.
    fp32 : Path
        The graph that `export` made of them.
    folder : Path
        The data.
    run : Path
        Where variants and figures go.
    settings : namespace

    Returns
    -------
    Path
        The file that is shipped; beside it ``compression.json``.
    """
    learning, validation = parts(folder, settings)
    place = run / FOLDER
    temperature = json.loads((run / EVALUATION).read_text())["temperature"]
    twin = learn.load(run / DEVELOPMENT)
    plain = export.to_onnx(twin.network, temperature, twin.chip_px, place / "fp32.onnx")
    trial = _Maker(run / DEVELOPMENT, plain, learning, place, temperature, settings)
    files = {name: trial.make(name) for name in trial.names()}
    if settings.pupil.views:
        finer = learn.load(run / TEACHER / learn.RESULT)
        files[REFERENCE] = export.to_onnx(
            finer.network, temperature, finer.chip_px, place / "teacher.onnx"
        )
    figures = measured(files, validation)
    best = pick(figures, settings.compress.largest_loss)
    if settings.split.use_all:
        everything = learning.with_(validation)
        final = _Maker(chosen, fp32, everything, run / FINAL / FOLDER, temperature, settings)
        made = final.make(best)
    else:
        made = files[best]
    shipped = run / SHIPPED
    write_whole(shipped, lambda path: path.write_bytes(made.read_bytes()))
    chips = learn.chips_of(validation, twin.chip_px)
    facts = {
        "shipped": best,
        "variants": figures,
        "answer": fitted(measure.outputs(files[best], chips), validation.classes, settings.answer),
    }
    write_text(run / COMPRESSION, json.dumps(facts, indent=1))
    return shipped


class _Maker:
    """Makes the variants of one network, into one folder."""

    def __init__(self, weights: Path, fp32: Path, learning, place: Path, temperature, settings):
        self._trained, self._fp32, self._learning = learn.load(weights), fp32, learning
        self._place, self._temperature, self._settings = place, temperature, settings
        place.mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """The variants that this network can have."""
        modules = self._trained.network.modules()
        narrow = any(isinstance(each, InvertedResidual) for each in modules)
        return [FP32, FP16, INT8_WEIGHTS, INT8, THIN, *([NARROW] if narrow else [])]

    def make(self, name: str) -> Path:
        """The file of a variant."""
        if name == FP32:
            return self._fp32
        if name == FP16:
            return store_weights(self._fp32, self._place / "fp16.onnx", np.float16)
        if name == INT8_WEIGHTS:
            return store_weights(self._fp32, self._place / "int8-weights.onnx", np.int8)
        if name == INT8:
            return quantise(self._fp32, self._place / "int8.onnx", self._sample())
        return self._pruned(name.split(",")[0])

    def _sample(self) -> np.ndarray:
        """Some training chips, uint8 [N, S, S, 3]."""
        random = np.random.default_rng(self._settings.split.seed)
        count = len(self._learning.classes)
        wanted = min(count, self._settings.compress.calibration_images)
        some = self._learning.take(np.sort(random.choice(count, wanted, replace=False)))
        return learn.chips_of(some, self._trained.chip_px)

    def _pruned(self, way: str) -> Path:
        """Prune, tune again, and store as int8."""
        how = self._settings.compress
        pruned, keep = copy.deepcopy(self._trained.network), None
        if way == "thinned":
            keep = surgery.thin_out(pruned, how.thin)
        else:
            pruned = surgery.narrow_blocks(pruned, self._sample(), how.narrow)
        tuning = changed(
            self._settings,
            backbone=pruned.backbone,
            ground={"chip_px": self._trained.chip_px},
            train={"epochs": how.epochs, "learning_rate": how.learning_rate, "frozen": 0.0},
        )
        place, seed = self._place / way, self._settings.seeds[0]
        done = learn.fit(self._learning, None, place, tuning, seed, start=pruned, keep=keep)
        network = learn.load(done).network
        plain = export.to_onnx(
            network, self._temperature, self._trained.chip_px, place / "fp32.onnx"
        )
        return store_weights(plain, self._place / f"{way}.onnx", np.int8)


def store_weights(fp32: Path, file: Path, kind: type) -> Path:
    """Write the same graph with its large weights stored as int8 or float16.

    int8 has one scale an output channel. ``Cast`` (and ``Mul``) restore the weights; their inputs
    are constant, so onnxruntime works that out when it loads the file and then runs the very graph
    of the fp32 file, at its speed. (DequantizeLinear would not be folded: natively it made an
    inference twice as long.)

    Parameters
    ----------
    fp32, file : Path
    kind : type
        ``np.int8`` or ``np.float16``.

    Returns
    -------
    Path
        ``file``.
    """
    model = onnx.load(fp32)
    restored, initializers = [], []
    for tensor in model.graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype != np.float32 or weights.ndim < 2 or weights.size < SMALLEST_STORED:
            initializers.append(tensor)
            continue
        name, cast = tensor.name, tensor.name
        if kind is np.int8:
            scale = np.abs(weights).max(tuple(range(1, weights.ndim)), keepdims=True) / 127
            scale = np.where(scale == 0, 1, scale).astype(np.float32)
            weights, cast = np.rint(weights / scale), f"{name}.cast"
            initializers.append(numpy_helper.from_array(scale, f"{name}.scale"))
        stored = f"{name}.{np.dtype(kind).name}"
        initializers.append(numpy_helper.from_array(weights.astype(kind), stored))
        restored.append(helper.make_node("Cast", [stored], [cast], to=TensorProto.FLOAT))
        if kind is np.int8:
            restored.append(helper.make_node("Mul", [cast, f"{name}.scale"], [name]))
    nodes = [*restored, *model.graph.node]
    del model.graph.initializer[:]
    del model.graph.node[:]
    model.graph.initializer.extend(initializers)
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    write_whole(file, lambda path: path.write_bytes(model.SerializeToString()))
    return file


def quantise(fp32: Path, file: Path, chips: np.ndarray) -> Path:
    """Write the graph in static int8 (QDQ): weights a channel, activations uint8 by their range.

    Parameters
    ----------
    fp32, file : Path
    chips : uint8 [N, S, S, 3]
        Of training pictures.
    """
    convolutions = [n.name for n in onnx.load(fp32).graph.node if n.op_type == "Conv"]

    def write(path: Path) -> None:
        quantize_static(
            fp32,
            path,
            _Chips(chips),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=convolutions,
        )

    write_whole(file, write)
    return file


def measured(files: dict[str, Path], validation: data.Pictures) -> dict:
    """Figures of each file: sizes, what validation chips give, times here and in the browser."""
    classes = validation.classes
    figures, reference = {}, None
    for name, file in tqdm(files.items(), desc="measure", leave=False):
        chips = learn.chips_of(validation, measure.chip_px_of(file))
        said = measure.probabilities(file, chips)
        reference = said if name == FP32 else reference
        right = np.take_along_axis(said, classes[:, None], 1)
        figures[name] = {
            "bytes": file.stat().st_size,
            "brotli_bytes": measure.compressed_size(file),
            "accuracy": float((said.argmax(1) == classes).mean()),
            "cross_entropy": float(-np.log(np.maximum(right, 1e-12)).mean()),
            "largest_difference": float(np.abs(said - reference).max()),
            "same_answers": float((said.argmax(1) == reference.argmax(1)).mean()),
        }
    for name, times in measure.native_times(files).items():
        figures[name]["native_ms"] = dataclasses.asdict(times)
    try:
        for name, times in measure.browser_times(files).items():
            figures[name]["browser_ms"] = dataclasses.asdict(times)
        figures[FP32]["operators_ms"] = measure.browser_operators(files[FP32])
    except TrainingError as error:
        tqdm.write(str(error))
    return figures


def pick(figures: dict, largest_loss: float) -> str:
    """The smallest download among those that lose little and aren't slower than fp32."""
    whole = figures[FP32]
    enough = [
        name
        for name, each in figures.items()
        if name != REFERENCE
        and each["accuracy"] >= whole["accuracy"] - largest_loss
        and not _slower(each, whole)
    ]
    return min(enough, key=lambda name: figures[name]["brotli_bytes"])


def _slower(figures: dict, whole: dict) -> bool:
    """By the least time and by the median: on a busy machine either may stray alone."""
    place = "browser_ms" if "browser_ms" in whole else "native_ms"
    return all(figures[place][each] > SCATTER * whole[place][each] for each in whole[place])

"""Smaller files of one network: other ways to store its weights, and pruned networks."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

from pyapp.core.model.prediction import INPUT
from training.files import write_atomically
from training.networks import learn, onnx_file, predict, stored, surgery
from training.networks.lite import InvertedResidual
from training.networks.network import Network
from training.pictures.data import Pictures
from training.settings import Settings

FP32, FP16, INT8_WEIGHTS, INT8 = "fp32", "fp16 weights", "int8 weights", "int8, QDQ"
THIN, NARROW = "thinned, int8 weights", "narrowed, int8 weights"
# Where the thinned and the narrowed network are tuned.
THIN_FOLDER, NARROW_FOLDER = "thinned", "narrowed"
SMALLEST_STORED = 1024

StoredAs = type[np.int8] | type[np.float16]


class Maker:
    """Makes the variants of one network, in one folder.

    Parameters
    ----------
    weights : Path
        The network's.
    fp32 : Path
        The graph that `training.steps.export` made from it.
    learning : Pictures
        To calibrate and to tune with.
    place : Path
        The folder for the variants.
    temperature : float
    settings : Settings

    Raises
    ------
    TrainingError
        If the weights can't be read.
    """

    def __init__(
        self,
        weights: Path,
        fp32: Path,
        learning: Pictures,
        place: Path,
        temperature: float,
        settings: Settings,
    ) -> None:
        self._trained, self._fp32, self._learning = stored.load(weights), fp32, learning
        self._place, self._temperature, self._settings = place, temperature, settings
        place.mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """The variants that this network can have; a share of 0 means none with that share."""
        how, modules = self._settings.compress, self._trained.network.modules()
        narrow = how.narrow and any(isinstance(each, InvertedResidual) for each in modules)
        pruned = [*([THIN] if how.thin else []), *([NARROW] if narrow else [])]
        return [FP32, FP16, INT8_WEIGHTS, INT8, *pruned]

    def make(self, name: str) -> Path:
        """The file of a variant, one of `names`.

        Raises
        ------
        TrainingError
            If it can't be written.
        """
        if name == FP32:
            return self._fp32
        if name == FP16:
            return store_weights(self._fp32, self._place / "fp16.onnx", np.float16)
        if name == INT8_WEIGHTS:
            return store_weights(self._fp32, self._place / "int8-weights.onnx", np.int8)
        if name == INT8:
            return quantise(self._fp32, self._place / "int8.onnx", self._sample())
        return self._thinned() if name == THIN else self._narrowed()

    def _sample(self) -> NDArray[np.uint8]:
        """Some training chips, shape (N, S, S, 3)."""
        random = np.random.default_rng(self._settings.split.seed)
        count = len(self._learning.classes)
        wanted = min(count, self._settings.compress.calibration_images)
        some = self._learning.take(np.sort(random.choice(count, wanted, replace=False)))
        return predict.chips_of(some, self._trained.chip_px)

    def _thinned(self) -> Path:
        pruned = copy.deepcopy(self._trained.network)
        restore = surgery.thin_out(pruned, self._settings.compress.thin)
        return self._tuned(pruned, THIN_FOLDER, restore)

    def _narrowed(self) -> Path:
        share = self._settings.compress.narrow
        pruned = surgery.narrow_blocks(self._trained.network, self._sample(), share)
        return self._tuned(pruned, NARROW_FOLDER)

    def _tuned(self, pruned: Network, name: str, restore: learn.Restore | None = None) -> Path:
        """Tune a pruned network, and store its weights as int8."""
        how, chip_px = self._settings.compress, self._trained.chip_px
        tuning = replace(
            self._settings.with_chip_px(chip_px),
            backbone=pruned.backbone,
            train=replace(
                self._settings.train, epochs=how.epochs, learning_rate=how.learning_rate, frozen=0.0
            ),
        )
        place, seed = self._place / name, self._settings.seeds[0]
        file = learn.fit(self._learning, None, place, tuning, seed, start=pruned, restore=restore)
        tuned = stored.load(file).network
        plain = onnx_file.to_onnx(tuned, self._temperature, chip_px, place / "fp32.onnx")
        return store_weights(plain, self._place / f"{name}.onnx", np.int8)


def store_weights(fp32: Path, file: Path, kind: StoredAs) -> Path:
    """Write the same graph with its large weights stored as int8 or float16.

    int8 has one scale per output channel. ``Cast`` (and ``Mul``) restore the weights. Their inputs
    are constant, so onnxruntime computes them when it loads the file and then runs exactly the
    graph of the fp32 file, at its speed. (It would not do so for DequantizeLinear, which made a
    native inference take twice as long.)

    Parameters
    ----------
    fp32, file : Path
    kind : type
        ``np.int8`` or ``np.float16``.

    Returns
    -------
    Path
        ``file``.

    Raises
    ------
    TrainingError
        If it can't be written.
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
        small = f"{name}.{np.dtype(kind).name}"
        initializers.append(numpy_helper.from_array(weights.astype(kind), small))
        restored.append(helper.make_node("Cast", [small], [cast], to=TensorProto.FLOAT))
        if kind is np.int8:
            restored.append(helper.make_node("Mul", [cast, f"{name}.scale"], [name]))
    nodes = [*restored, *model.graph.node]
    del model.graph.initializer[:]
    del model.graph.node[:]
    model.graph.initializer.extend(initializers)
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return onnx_file.write_model(model, file)


class _OneByOne:
    """Chips one at a time: the ``CalibrationDataReader`` that onnxruntime asks for."""

    def __init__(self, chips: NDArray[np.uint8]) -> None:
        self._left: Iterator[NDArray[np.uint8]] = iter(chips)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """The next input of the model; ``None`` after the last."""
        chip = next(self._left, None)
        return None if chip is None else {INPUT: chip[np.newaxis]}


def quantise(fp32: Path, file: Path, chips: NDArray[np.uint8]) -> Path:
    """Write the graph in static int8 (QDQ): weights per channel, activations as uint8.

    Parameters
    ----------
    fp32, file : Path
    chips : ndarray of uint8, shape (N, S, S, 3)
        Training pictures, which show the range of every activation.

    Returns
    -------
    Path
        ``file``.

    Raises
    ------
    TrainingError
        If it can't be written.
    """
    convolutions = [n.name for n in onnx.load(fp32).graph.node if n.op_type == "Conv"]

    def write(path: Path) -> None:
        quantize_static(
            fp32,
            path,
            _OneByOne(chips),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=convolutions,
        )

    write_atomically(file, write)
    return file

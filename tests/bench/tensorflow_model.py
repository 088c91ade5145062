"""Makes a shipped model's graph anew in TensorFlow, as a file for LiteRT and for TensorFlow.js.

python tests/bench/tensorflow_model.py MODEL.onnx FOLDER

Run by `tests.bench.runtimes` in a virtual environment of its own: Lookdown itself does not have
TensorFlow. Node by node, with the weights as float32 and everything in TensorFlow's order, (1, S,
S, C), for one chip at a time.
"""

import sys
import types
from pathlib import Path

import numpy as np
import onnx
import tensorflow as tf
from onnx import helper, numpy_helper

# The converter for TensorFlow.js imports them, for models that ours is not.
UNUSED = ("tensorflow_decision_forests", "tensorflow_hub", "jax", "jax.experimental",
          "jax.experimental.jax2tf")  # fmt: skip


def convert(model: Path, folder: Path) -> None:
    """Write ``model.tflite`` and ``tfjs/model.json`` with its weights."""
    graph = onnx.load(model).graph
    (image,) = graph.input
    side = image.type.tensor_type.shape.dim[1].dim_value
    chip = tf.TensorSpec([1, side, side, 3], tf.uint8, name=image.name)
    module = tf.Module()
    module.answer = tf.function(lambda image: answers(graph, image), input_signature=[chip])
    saved = folder / "saved"
    tf.saved_model.save(module, str(saved), signatures=module.answer.get_concrete_function())
    lite = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    (folder / "model.tflite").write_bytes(lite.convert())
    for name in UNUSED:
        sys.modules[name] = types.ModuleType(name)
    sys.modules["jax.experimental"].jax2tf = sys.modules["jax.experimental.jax2tf"]
    from tensorflowjs.converters import convert_tf_saved_model

    convert_tf_saved_model(str(saved), str(folder / "tfjs"))


def answers(graph: onnx.GraphProto, image: tf.Tensor) -> dict[str, tf.Tensor]:
    """The graph's outputs for a chip, by their names."""
    fixed = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    known = {graph.input[0].name: image}
    for node in graph.node:
        (name,) = node.output
        if all(each in fixed for each in node.input):
            fixed[name] = _weights(node.op_type, *(fixed[each] for each in node.input))
        else:
            first, *others = (known.get(each, fixed.get(each)) for each in node.input)
            facts = {each.name: helper.get_attribute_value(each) for each in node.attribute}
            known[name] = OPERATORS[node.op_type](first, others, facts)
    said = {each.name: known[each.name] for each in graph.output}
    # Of rank 4, and so the only one whose order is another one here.
    return said | {"activation": tf.transpose(said["activation"], [0, 3, 1, 2])}


def _weights(kind: str, values: np.ndarray, scale: np.ndarray | None = None) -> np.ndarray:
    """Weights as float32, of the int8 that the file holds."""
    if kind == "Cast":
        return values.astype(np.float32)
    assert kind == "Mul", kind
    return values * scale


def _convolution(values: tf.Tensor, given: list[np.ndarray], facts: dict) -> tf.Tensor:
    weights, bias = given
    top, left, bottom, right = facts["pads"]
    padding = [[0, 0], [top, bottom], [left, right], [0, 0]]
    strides = [1, *facts["strides"], 1]
    if facts["group"] == 1:
        found = tf.nn.conv2d(values, weights.transpose(2, 3, 1, 0), strides, padding)
    else:
        found = tf.nn.depthwise_conv2d(values, weights.transpose(2, 3, 0, 1), strides, padding)
    return tf.nn.bias_add(found, bias)


def _clipped(values: tf.Tensor, limits: list[np.ndarray], _) -> tf.Tensor:
    assert [float(each) for each in limits] == [0, 6]
    return tf.nn.relu6(values)


OPERATORS = {
    # To channels first, which is not done here.
    "Transpose": lambda values, _others, _facts: values,
    "Cast": lambda values, _others, _facts: tf.cast(values, tf.float32),
    "Sub": lambda values, others, _facts: values - others[0].reshape(-1),
    "Div": lambda values, others, _facts: values / others[0].reshape(-1),
    "Conv": _convolution,
    "Clip": _clipped,
    "Add": lambda values, others, _facts: values + others[0],
    "ReduceMean": lambda values, _others, _facts: tf.reduce_mean(values, [1, 2], keepdims=True),
    "Reshape": lambda values, others, _facts: tf.reshape(values, others[0]),
    "Softmax": lambda values, _others, _facts: tf.nn.softmax(values),
}

if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))

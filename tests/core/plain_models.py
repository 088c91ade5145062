"""Small plain classifiers, as other tools write them."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LABELS = ("field", "forest", "roofs", "<img src=x>")
SIDE = 32


def plain_model(
    layout,
    kind=TensorProto.FLOAT,
    softmax=False,
    name="input",
    batch="n",
    side=SIDE,
    opset=13,
    keep_dims=False,
) -> bytes:
    """A classifier by the mean of each channel: convolution, average, linear layer.

    Parameters
    ----------
    layout : str
        NCHW or NHWC.
    kind : int
        Of its input (TensorProto.DataType).
    softmax : bool
        Whether it ends in probabilities, rather than logits.
    name : str
        Of its input.
    batch, side : int, str or None
        Of its input; a side of None is not fixed.
    opset : int
    keep_dims : bool
        Whether its output is [N, C, 1, 1].
    """
    rng = np.random.default_rng(1)
    inner = TensorProto.FLOAT16 if kind == TensorProto.FLOAT16 else TensorProto.FLOAT
    dtype = helper.tensor_dtype_to_np_dtype(inner)
    classes = len(LABELS)
    kernel = (rng.normal(size=(6, 3, 3, 3)) / 5).astype(dtype)
    last = rng.normal(size=(classes, 6, 1, 1)).astype(dtype)
    tensors = [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(last, "last"),
               numpy_helper.from_array(np.array([0, classes], np.int64), "row")]  # fmt: skip
    nodes, at = [], name
    if kind == TensorProto.UINT8:
        nodes.append(helper.make_node("Cast", [at], ["cast"], to=TensorProto.FLOAT))
        scale = numpy_helper.from_array(np.array(1 / 255, np.float32), "scale")
        tensors.append(scale)
        nodes.append(helper.make_node("Mul", ["cast", "scale"], ["scaled"]))
        at = "scaled"
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [at], ["turned"], perm=[0, 3, 1, 2]))
        at = "turned"
    nodes += [
        helper.make_node("Conv", [at, "kernel"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["pooled"]),
        helper.make_node("Conv", ["pooled", "last"], ["out4" if not keep_dims else "logits"]),
    ]
    result = "logits"
    if not keep_dims:
        nodes.append(helper.make_node("Reshape", ["out4", "row"], ["logits"]))
    if softmax:
        nodes.append(helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1))
        result = "probabilities"
    size = "size" if side is None else side
    dims = [batch, 3, size, size] if layout == "NCHW" else [batch, size, size, 3]
    row = [batch, classes, 1, 1] if keep_dims else [batch, classes]
    graph = helper.make_graph(
        nodes, "plain", [helper.make_tensor_value_info(name, kind, dims)],
        [helper.make_tensor_value_info(result, inner, row)], tensors,
    )  # fmt: skip
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=4 if opset < 10 else 8
    )
    return onnx.ModelProto.SerializeToString(model)

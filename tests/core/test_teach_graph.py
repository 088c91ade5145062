"""The file of a taught model, against onnx and onnxruntime."""

import contextlib
import json

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from pyapp.core.errors import ForeignGraphError
from pyapp.core.teach.fit import Head
from pyapp.core.teach.graph import Graph
from tests.core.test_imports import ROOT

MODELS = sorted((ROOT / "models").glob("*/model.onnx"))
WIDTH, SIDE = 8, 16


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def head_of(classes, width, seed=0):
    chance = np.random.default_rng(seed)
    return Head(
        (chance.normal(size=(classes, width)) / np.sqrt(width)).astype(np.float32),
        chance.normal(size=classes).astype(np.float32),
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda each: each.parent.name)
def test_a_shipped_model_takes_another_head(model):
    data = model.read_bytes()
    graph = Graph(data)
    side = json.loads((model.parent / "card.json").read_text())["tile_size"]
    chips = np.random.default_rng(0).integers(0, 256, (3, side, side, 3), np.uint8)
    before = answers(data, chips)
    # The head that was read is what the graph computes with.
    read = softmax(graph.head.logits(before["embedding"]))
    assert np.abs(read - before["probability"]).max() < 1e-5
    head = head_of(5, before["embedding"].shape[1])
    labels = ["terrace", "tin roofs", "<b>", "Fluß", "五"]
    made = graph.with_head(head, {"labels": labels, "threshold": 0.6})
    loaded = onnx.load_model_from_string(made)
    onnx.checker.check_model(loaded, full_check=True)
    after = answers(made, chips)
    assert np.array_equal(after["embedding"], before["embedding"])
    logits = head.logits(after["embedding"])
    assert np.abs(after["probability"] - softmax(logits)).max() < 1e-5
    assert np.abs(after["activation"].mean((2, 3)) - logits).max() < 1e-4
    facts = {each.key: each.value for each in loaded.metadata_props}
    assert json.loads(facts["labels"]) == labels and json.loads(facts["threshold"]) == 0.6
    assert len(facts) == len(loaded.metadata_props)
    assert Graph(made).head.weights == pytest.approx(head.weights)


def answers(data, chips):
    session = onnxruntime.InferenceSession(data)
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(None, {"image": chips}), strict=True))


def small(kind="conv", **changes):
    """A small model of the contract whose head is stored in one of several ways."""
    chance = np.random.default_rng(1)
    weights = chance.normal(size=(3, WIDTH)).astype(np.float32)
    bias = np.array([0.1, -0.2, 0.3], np.float32)
    constants = {
        "first": chance.normal(size=(WIDTH, 3, 1, 1)).astype(np.float32),
        "axes": np.array([2, 3], np.int64),
        "flat": np.array([-1, WIDTH], np.int64),
        "classes": np.array([-1, 3], np.int64),
        "temperature": np.array(0.5, np.float32),
        "scale": np.array(0.02, np.float32),
        "weights": weights[:, :, None, None],
        "bias": bias,
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "first"], ["features"]),
        helper.make_node("ReduceMean", ["features", "axes"], ["mean"], keepdims=1),
        helper.make_node("Reshape", ["mean", "flat"], ["embedding"]),
    ]
    used = "weights"
    if kind == "int8":
        constants["weights"] = np.round(weights / 0.02).astype(np.int8)[:, :, None, None]
        nodes += [
            helper.make_node("Cast", ["weights"], ["cast"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["cast", "scale"], ["restored"]),
        ]
        used = "restored"
    nodes.append(helper.make_node("Conv", ["features", used, "bias"], ["activation"]))
    if kind == "gemm":
        constants["flat_weights"] = weights.copy()
        nodes.append(
            helper.make_node("Gemm", ["embedding", "flat_weights", "bias"], ["logits"], transB=1)
        )
    elif kind == "gemm upright":
        constants["flat_weights"] = np.ascontiguousarray(weights.T)
        nodes.append(helper.make_node("Gemm", ["embedding", "flat_weights", "bias"], ["logits"]))
    else:
        nodes += [
            helper.make_node("Conv", ["mean", used, "bias"], ["at_one"]),
            helper.make_node("Reshape", ["at_one", "classes"], ["logits"]),
        ]
    nodes += [
        helper.make_node("Div", ["logits", "temperature"], ["sharper"]),
        helper.make_node("Softmax", ["sharper"], ["probability"], axis=1),
    ]
    nodes = changes.get("nodes", lambda each: each)(nodes)
    constants = changes.get("constants", lambda each: each)(constants)
    outputs = [
        ("probability", ["n", 3]), ("embedding", ["n", WIDTH]), ("activation", ["n", 3, SIDE, SIDE])
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return changes.get("model", lambda each: each)(model).SerializeToString()


@pytest.mark.parametrize("kind", ["conv", "gemm", "gemm upright", "int8"])
def test_heads_stored_in_several_ways(kind):
    data = small(kind)
    chips = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    graph = Graph(data)
    before = answers(data, chips)
    assert np.abs(softmax(graph.head.logits(before["embedding"]))
                  - before["probability"]).max() < 1e-5  # fmt: skip
    head = head_of(6, WIDTH)
    head = Head(head.weights / 50, head.bias)
    made = graph.with_head(head, {})
    onnx.checker.check_model(onnx.load_model_from_string(made), full_check=True)
    after = answers(made, chips)
    logits = head.logits(after["embedding"])
    assert np.abs(after["probability"] - softmax(logits)).max() < 1e-5
    assert after["activation"].shape == (2, 6, SIDE, SIDE)
    names = {each.name for each in onnx.load_model_from_string(made).graph.initializer}
    assert not names & {"weights", "bias", "flat_weights", "scale"}, "the old head is gone"


def external(model):
    (weights,) = (each for each in model.graph.initializer if each.name == "weights")
    weights.data_location = TensorProto.EXTERNAL
    return model


def without_last(nodes):
    return [*nodes[:-1], helper.make_node("Sigmoid", ["sharper"], ["probability"])]


FOREIGN = {
    "nothing": b"",
    "text": b"this is no model",
    "a picture": b"\x89PNG\r\n\x1a\n" + b"\x00" * 64,
    "cut short": small()[:500],
    "another end": small(nodes=without_last),
    "external data": small(model=external),
    "scales of each class": small(
        constants=lambda each: each | {"temperature": np.ones(3, np.float32)}
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_has_no_head_to_replace_is_refused(kind):
    with pytest.raises(ForeignGraphError):
        Graph(FOREIGN[kind])


def test_any_byte_may_be_wrong():
    data = small()
    for at in range(0, len(data), 7):
        broken = bytearray(data)
        broken[at] ^= 0xFF
        with contextlib.suppress(ForeignGraphError):
            Graph(bytes(broken))

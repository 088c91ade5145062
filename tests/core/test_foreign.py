"""Models from elsewhere: what is read of them, and the same answers as without the wrapping."""

import hashlib
import json

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from pyapp.core.errors import CardError, ModelError
from pyapp.core.model.about import (
    BYTES,
    IMAGENET,
    IMAGENET_SCALE,
    OWN,
    UNIT,
    About,
    guessed,
    labels_from,
)
from pyapp.core.model.foreign import card_of, plain_of, read_onnx
from pyapp.core.model.foreign_errors import (
    AboutModelError,
    ExternalDataError,
    ForeignModelError,
    LargeModelError,
    NotOnnxError,
    RefusedModelError,
    UnreachableModelError,
)
from pyapp.core.model.plain import plain_card, wrapped
from tests.core.plain_models import LABELS, SIDE, plain_model

RNG = np.random.default_rng(5)


def about(**changes):
    facts = {"title": "Theirs", "labels": LABELS, "scale": IMAGENET_SCALE, "footprint_m": 60.0,
             "softmax": True, "side_px": SIDE}  # fmt: skip
    return About(**(facts | changes))


def run(data, name, values):
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    outputs = [each.name for each in session.get_outputs()]
    return dict(zip(outputs, session.run(None, {name: values}), strict=True))


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize("scale", [BYTES, UNIT, IMAGENET_SCALE, OWN])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("batch", ["n", 1])
@pytest.mark.parametrize("name", ["input", "image"])
def test_the_answers_are_those_of_the_model_itself(scale, layout, batch, name):
    """Also if one of its names is one of ours."""
    data = plain_model(layout, name=name, batch=batch)
    file = read_onnx("a.onnx", data)
    plain = plain_of("a.onnx", file)
    assert (plain.channels_first, plain.side_px) == (layout == "NCHW", SIDE)
    assert (plain.classes, plain.one_at_a_time) == (len(LABELS), batch == 1)
    said = about(scale=scale, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.5))
    said.check(plain)
    ours = wrapped(file, plain, said)
    onnx.checker.check_model(onnx.load_from_string(ours), full_check=True)
    chips = RNG.integers(0, 256, (1 if batch == 1 else 3, SIDE, SIDE, 3), np.uint8)
    values = chips.astype(np.float64)
    if scale != BYTES:
        mean, std = {UNIT: ((0,) * 3, (1,) * 3), IMAGENET_SCALE: IMAGENET,
                     OWN: (said.mean, said.std)}[scale]  # fmt: skip
        values = (values / 255 - mean) / std
    if layout == "NCHW":
        values = values.transpose(0, 3, 1, 2)
    logits = run(data, name, np.ascontiguousarray(values.astype(np.float32)))["logits"]
    found = run(ours, "image", chips)
    assert set(found) == {"probability", "activation"}
    assert found["probability"] == pytest.approx(softmax(logits), abs=1e-5)
    assert found["activation"][:, :, 0, 0] == pytest.approx(logits, abs=1e-3)


@pytest.mark.parametrize("opset", [7, 12, 18])
def test_bytes_in_and_probabilities_out(opset):
    data = plain_model("NHWC", kind=TensorProto.UINT8, softmax=True, opset=opset)
    file = read_onnx("a.onnx", data)
    plain = plain_of("a.onnx", file)
    assert plain.takes_bytes and plain.gives_probabilities
    assert guessed(file, plain)["softmax"] is False
    chips = RNG.integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    ours = wrapped(file, plain, about(scale=BYTES, softmax=False))
    assert run(ours, "image", chips)["probability"] == pytest.approx(
        run(data, "input", chips)["probabilities"], abs=1e-6
    )
    with pytest.raises(AboutModelError, match="takes bytes"):
        about(scale=UNIT).check(plain)


def test_half_precision_and_two_dimensions_of_one():
    data = plain_model("NCHW", kind=TensorProto.FLOAT16, keep_dims=True)
    file = read_onnx("a.onnx", data)
    ours = wrapped(file, plain_of("a.onnx", file), about(scale=UNIT))
    chips = RNG.integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    found = run(ours, "image", chips)["probability"]
    assert found.shape == (2, len(LABELS)) and found.sum(1) == pytest.approx(1, abs=1e-5)


def test_a_side_that_is_not_fixed_is_asked_for():
    file = read_onnx("a.onnx", plain_model("NCHW", side=None))
    plain = plain_of("a.onnx", file)
    assert plain.side_px is None
    with pytest.raises(AboutModelError, match="pictures of any size"):
        about(side_px=0).check(plain)
    said = about(side_px=40)
    chips = RNG.integers(0, 256, (2, 40, 40, 3), np.uint8)
    assert run(wrapped(file, plain, said), "image", chips)["probability"].shape == (2, 4)


def test_its_card_claims_nothing():
    card = plain_card("own-1", about(), b"file", one_at_a_time=True)
    assert not card.judged and not card.embeds and not card.judges_familiarity
    assert card.threshold == 0 and card.sets == {} and card.tree.is_flat
    assert card.sha256 == hashlib.sha256(b"file").hexdigest()
    assert card.resolution_m == 60 / SIDE


def edited(**changes):
    model = onnx.load_from_string(plain_model("NCHW"))
    for name, dims in changes.items():
        value = (model.graph.input if name == "given" else model.graph.output)[0]
        kind = value.type.tensor_type.elem_type
        value.CopyFrom(helper.make_tensor_value_info(value.name, kind, dims))
    return model.SerializeToString()


def two_inputs():
    model = onnx.load_from_string(plain_model("NCHW"))
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))
    return model.SerializeToString()


def other_kind():
    model = onnx.load_from_string(plain_model("NCHW"))
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (edited(given=["n", 3, 32]), "has 3 dimensions"),
        (edited(given=["n", 5, 32, 32]), "does not have 3 channels"),
        (edited(given=["n", 3, 32, 64]), "of 32 × 64 pixels, which are no squares"),
        (edited(given=["n", 3, 32, "w"]), "of 32 × any pixels"),
        (edited(given=["n", 3, 9999, 9999]), "of 9999 pixels on a side"),
        (edited(given=[8, 3, 32, 32]), "takes just 8 pictures at once"),
        (edited(result=["n", 1000]), "tells 1,000 classes apart, and there is room for 2 to 255"),
        (edited(result=["n", 9, 7, 7]), "none of its outputs is one row"),
        (two_inputs(), "2 inputs instead of one"),
        (other_kind(), "neither floating point nor bytes"),
        (plain_model("NCHW", opset=6), "of set 6, which is too old"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_is_no_plain_classifier_is_said(data, sentence):
    with pytest.raises(ForeignModelError) as found:
        plain_of("theirs.onnx", read_onnx("theirs.onnx", data))
    text = str(found.value)
    assert sentence in text and text.startswith("The model theirs.onnx can't be used here: ")
    assert text.count(". ") == 1 and text.endswith(".")


def test_what_is_no_onnx_is_said():
    whole = plain_model("NCHW")
    cases = [b"", b"{}", b"PK\x03\x04", b"\x08\x0a", bytes(RNG.integers(0, 256, 9999, np.uint8))]
    cases += [whole[:cut] for cut in (1, 9, len(whole) // 3, len(whole) - 1)]
    for data in cases:
        with pytest.raises(NotOnnxError, match="none of ONNX, or is cut short"):
            read_onnx("a.onnx", data)
    for _ in range(300):
        spoilt = bytearray(whole)
        for at in RNG.integers(0, 400, 4):
            spoilt[at] = RNG.integers(0, 256)
        try:
            plain_of("a.onnx", read_onnx("a.onnx", bytes(spoilt)))
        except ModelError:
            continue


def test_weights_elsewhere_are_said():
    model = onnx.load_from_string(plain_model("NCHW"))
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    with pytest.raises(ExternalDataError, match="in another file"):
        read_onnx("a.onnx", model.SerializeToString())


def test_messages_are_two_sentences():
    for error in (LargeModelError("a.onnx", 400 << 20), RefusedModelError("a.onnx", "no operator"),
                  UnreachableModelError("a.onnx", "https://example.org")):  # fmt: skip
        assert str(error).count(". ") == 1 and str(error).endswith(".")


def test_a_model_that_fits_brings_its_card():
    model = onnx.load_from_string(plain_model("NHWC"))
    names = {"image": model.graph.input, "probability": model.graph.output}
    for name, values in names.items():
        values[0].name = name
    for name in ("embedding", "activation"):
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]))
    facts = {"title": "Ours", "labels": list(LABELS), "tile_size": SIDE, "footprint_m": 78.0,
             "threshold": 0.6, "sets": {"0.9": 0.5}, "familiar": 2.5}  # fmt: skip
    helper.set_model_props(model, {key: json.dumps(value) for key, value in facts.items()})
    file = read_onnx("ours.onnx", model.SerializeToString())
    assert file.fits
    card = card_of("own-2", file, "f" * 64, 123, "ours")
    assert (card.title, card.labels, card.threshold) == ("Ours", LABELS, 0.6)
    assert card.judged and card.embeds and card.size_bytes == 123
    for wrong in ({"tile_size": 10**6}, {"footprint_m": float("inf")}, {"labels": ["a"]}):
        spoilt = {key: json.dumps(value) for key, value in (facts | wrong).items()}
        helper.set_model_props(model, spoilt)
        with pytest.raises(CardError):
            card_of("own-2", read_onnx("a", model.SerializeToString()), "f" * 64, 123, "ours")
    del model.metadata_props[:]
    with pytest.raises(CardError, match="lacks labels"):
        card_of("own-2", read_onnx("a", model.SerializeToString()), "f" * 64, 123, "ours")


def test_labels_as_they_are_pasted():
    assert labels_from('{"field": 1, "forest": 0}') == ("forest", "field")
    assert labels_from("\ufefffield\r\nforest") == ("field", "forest")
    for text, sentence in (
        ("field\n\nforest", "Label 2 is empty"),
        ("x" * 81, "longer than 80 letters"),
        ('["a", 1]', "no list of texts"),
        ('{"0": "a", "2": "b"}', "no list of texts"),
        ("[" * 9999, "no list of texts"),
    ):
        with pytest.raises(AboutModelError, match=sentence):
            labels_from(text)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"labels": LABELS[:3]}, "tells 4 classes apart, and you gave 3 labels"),
        ({"footprint_m": 0.0}, "how many metres"),
        ({"footprint_m": float("nan")}, "how many metres"),
        ({"std": (0.1, 0.0, 0.1)}, "deviations above zero"),
        ({"mean": (0.1, float("nan"), 0.1)}, "three numbers each"),
        ({"side_px": 64}, "Say which side"),
    ],
)
def test_what_a_person_says_is_checked(changes, sentence):
    with pytest.raises(AboutModelError, match=sentence):
        about(**changes).check(plain_of("a", read_onnx("a", plain_model("NCHW"))))


def test_what_a_person_says_is_kept():
    said = about(scale=OWN, mean=(0.1, 0.2, 0.3))
    assert About.from_json(said.to_json()) == said


def test_what_a_file_says_is_offered():
    model = onnx.load_from_string(plain_model("NCHW", side=None))
    helper.set_model_props(
        model, {"names": "{0: 'a', 1: 'b', 2: 'c', 3: '<b>d</b>'}", "imgsz": "[224, 224]",
                "resolution": "25", "standardization_mean": "[0.1, 0.2, 0.3]",
                "standardization_std": "[1, 1, 1]"},
    )  # fmt: skip
    file = read_onnx("a", model.SerializeToString())
    assert guessed(file, plain_of("a", file)) == {
        "labels": ["a", "b", "c", "<b>d</b>"], "side_px": 224, "footprint_m": 56.0,
        "softmax": True, "mean": (0.1, 0.2, 0.3), "std": (1.0, 1.0, 1.0),
    }  # fmt: skip
    assert numpy_helper.to_array(model.graph.initializer[0]).dtype == np.float32

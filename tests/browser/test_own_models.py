"""A model from elsewhere: opened, asked about, used, kept, and removed; and what can be wrong."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto

from pyapp.core.model.about import IMAGENET
from tests.browser.test_accessibility import violations
from tests.core.plain_models import LABELS, SIDE, plain_model

TOWN = "#map=18/27.63392/85.51832"


def native(data, values):
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": np.ascontiguousarray(values)})
    return found[0]


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def choose(page, name, data):
    page.tab.set_input_files(
        "#model-file", {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )


def describe(page, name="Theirs", labels=LABELS, ground="60", scale=None, softmax=None):
    page.tab.wait_for_selector("#about-model[open]")
    page.tab.fill("#about-name", name)
    page.tab.fill("#about-labels", "\n".join(labels))
    page.tab.fill("#about-ground", ground)
    if scale:
        page.tab.select_option("#about-scale", scale)
    if softmax:
        page.tab.select_option("#about-softmax", softmax)
    page.tab.click("#about-form .primary")


def wait_used(page, title):
    page.tab.wait_for_function(
        """title => [...document.querySelectorAll("#model-list label")].some(each =>
             each.querySelector("input").checked && each.textContent.includes(title)
             && each.textContent.includes("unknown"))""",
        arg=title,
    )


def agrees(shown, expected):
    said = dict(shown.best)
    for label, value in zip(LABELS, expected, strict=True):
        assert said[label] == pytest.approx(float(value), abs=1e-4)


def test_plain_classifiers_are_opened_used_kept_and_removed(open_page, tile_server):
    page = open_page(TOWN, before=lambda context: None)
    page.wait_whole()
    page.tab.click("#device summary")

    # As torchvision writes them: NCHW, floating point, logits.
    data = plain_model("NCHW")
    choose(page, "resnet.onnx", data)
    describe(page, labels=LABELS[:3])
    page.tab.wait_for_selector("#about-error:has-text('tells 4 classes apart, and you gave 3')")
    assert violations(page) == []
    describe(page, labels=LABELS, ground="")
    page.tab.wait_for_selector("#about-error:has-text('how many metres of ground')")
    describe(page, name="Theirs <b>", scale="imagenet")
    wait_used(page, "Theirs <b>")
    assert violations(page) == []
    assert "own-" in page.tab.evaluate("location.search")
    shown = page.classify()
    assert shown.chip.shape == (SIDE, SIDE, 3) and shown.footprint.side_m == 60
    mean, std = IMAGENET
    values = ((shown.chip / 255 - mean) / std).transpose(2, 0, 1)[np.newaxis]
    agrees(shown, softmax(native(data, values.astype(np.float32))))
    assert shown.facts["Model"] == "Theirs <b>: how often it is right is unknown"

    # What needs an embedding is switched off, and says so.
    assert page.tab.is_disabled("#why")
    page.tab.keyboard.press("m")
    assert "gives no embeddings" in page.wait_notice()
    page.survey_view()
    found = [each["properties"] for each in page.features()]
    # Squares at the edge of the imagery have none.
    assert {each["class"] for each in found if each["state"] == "classified"} <= set(LABELS)
    assert len({each["state"] for each in found}) <= 2

    # It is there at the next visit, and the same file is not asked about again.
    page.open(page.tab.evaluate("location.search + location.hash"))
    page.wait_whole()
    agrees(page.classify(), softmax(native(data, values.astype(np.float32))))
    page.tab.click("#device summary")
    wait_used(page, "Theirs <b>")
    page.tab.click("#model-list label >> nth=0")
    page.tab.wait_for_function("!location.search.includes('own-')")
    choose(page, "other name.onnx", data)
    wait_used(page, "Theirs <b>")
    assert page.tab.get_attribute("#about-model", "open") is None

    # As Keras writes them: NHWC, bytes, probabilities.
    plain = plain_model("NHWC", kind=TensorProto.UINT8, softmax=True)
    page.drop("keras.onnx", plain)
    page.tab.wait_for_selector("#about-model[open]")
    assert page.tab.is_hidden("#about-scale-row")
    describe(page, name="Keras", ground="80")
    wait_used(page, "Keras")
    shown = page.classify()
    agrees(shown, native(plain, shown.chip[np.newaxis]))

    # What is wrong is one sentence, and the model in use stays.
    unheard = onnx.load_from_string(data)
    next(each for each in unheard.graph.node if each.op_type == "Relu").op_type = "Unheard"
    unheard.producer_name = "other"
    two = onnx.load_from_string(data)
    two.graph.input.append(onnx.helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))
    for name, broken, sentence in (
        ("a.onnx", b"no model", "none of ONNX, or is cut short"),
        ("short.onnx", data[:-9], "none of ONNX, or is cut short"),
        ("two.onnx", two.SerializeToString(), "2 inputs instead of one"),
        ("unheard.onnx", unheard.SerializeToString(), "the runtime of this browser refuses it"),
    ):
        page.tab.evaluate("document.querySelector('#notice button').click()")
        choose(page, name, broken)
        if name == "unheard.onnx":
            describe(page)
        page.tab.wait_for_function(
            "said => document.querySelector('#notice p').textContent.includes(said)", arg=sentence
        )
    page.tab.fill("#model-url", f"{tile_server.template.split('{')[0]}none.onnx")
    page.tab.press("#model-url", "Enter")
    page.tab.wait_for_selector("#notice p:has-text('is out of reach, or allows no other site')")
    assert page.classify().facts["Model"].startswith("Keras")

    # Removed while it is in use: the default takes over.
    page.tab.click("#model-list label:has-text('Keras') button")
    page.tab.wait_for_selector("#model-list label:has-text('Keras')", state="detached")
    page.tab.wait_for_function("!location.search.includes('own-')")
    assert "unknown" not in page.classify().facts["Model"]
    page.tab.click("#model-list label:has-text('Theirs') button")
    page.tab.wait_for_selector("#model-list label:has-text('Theirs')", state="detached")

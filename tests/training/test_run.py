"""One tiny run from pictures to a published model."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from pyapp.core.chip import resample
from pyapp.core.model import Card
from pyapp.core.mosaic import decode
from tests.training.conftest import quick, texture
from training import data, evaluate, export, train
from training.train import RESULT


@pytest.fixture(scope="module")
def network(run):
    return train.load(run / RESULT)[0]


@pytest.fixture(scope="module")
def chips():
    names = ("Stripes", "blobs", "plain")
    return np.stack([resample(texture(name, 900 + i), 224) for i, name in enumerate(names)])


def weights_of(folder):
    return torch.load(folder / RESULT)["weights"]


def assert_same_weights(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_broken_off_goes_on_to_the_same_weights(run, images, tmp_path, monkeypatch):
    """Also says that a run is reproducible: this is a second run with the same seed."""
    whole_epoch = train._epoch

    def stop_in_the_second(state, number, *rest):
        if number == 1:
            raise KeyboardInterrupt
        return whole_epoch(state, number, *rest)

    monkeypatch.setattr(train, "_epoch", stop_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        train.train(images, tmp_path, quick())
    assert not (tmp_path / RESULT).exists()
    monkeypatch.undo()
    train.train(images, tmp_path, quick(), resume=True)
    assert_same_weights(weights_of(tmp_path), weights_of(run))


def test_the_card_is_what_the_page_reads(published):
    card = Card.from_json("tiny", (published / "card.json").read_text())
    assert card.labels == ("stripes", "blobs", "plain")
    assert card.chip_px == 224
    index = json.loads((published.parent / "index.json").read_text())
    assert index == {"default": "tiny", "models": [{"name": "tiny", "title": "Three textures"}]}


def test_card_and_metadata_carry_the_same_facts(published):
    card = json.loads((published / "card.json").read_text())
    model = onnx.load(published / "model.onnx")
    facts = {each.key: json.loads(each.value) for each in model.metadata_props}
    assert facts == {name: card[name] for name in facts}
    assert set(card) - set(facts) == {"sha256", "size_bytes"}
    assert facts["resolution"] == pytest.approx(34.834, abs=0.001)
    assert facts["class_names"] == {"0": "Stripes", "1": "blobs", "2": "plain"}


def test_nothing_of_this_machine_is_in_the_published_files(published):
    from pathlib import Path

    home = str(Path(__file__).resolve().parents[2])
    for file in published.iterdir():
        assert home.encode() not in file.read_bytes(), file.name


def test_torch_and_onnxruntime_agree(run, network, chips, tmp_path):
    file = export.to_onnx(network, 1.3, 224, tmp_path / "model.onnx")
    with torch.no_grad():
        wanted = export.Exported(network, 1.3)(torch.from_numpy(chips))
    given = evaluate.session(file).run(None, {"image": chips})
    for ours, theirs in zip(wanted, given, strict=True):
        assert np.abs(ours.numpy() - theirs).max() < 1e-4 * max(1, np.abs(theirs).max())
    assert np.abs(wanted[0].numpy() - given[0]).max() < 1e-5


def test_any_number_of_chips_fits(published, chips):
    session = evaluate.session(published / "model.onnx")
    together = session.run(None, {"image": chips})[0]
    alone = [session.run(None, {"image": chip[np.newaxis]})[0][0] for chip in chips]
    assert np.abs(together - np.stack(alone)).max() < 1e-5
    assert together.sum(1) == pytest.approx(1, abs=1e-5)


def test_the_activation_map_averages_to_the_logits(published, chips):
    session = evaluate.session(published / "model.onnx")
    probability, embedding, activation = session.run(None, {"image": chips})
    temperature = json.loads((published / "card.json").read_text())["temperature"]
    logits = activation.mean((2, 3)) / temperature
    softmax = np.exp(logits - logits.max(1, keepdims=True))
    assert softmax / softmax.sum(1, keepdims=True) == pytest.approx(probability, abs=1e-4)
    assert embedding.shape == (3, 1280)
    assert activation.shape == (3, 3, 7, 7)


def test_int8_weights_are_restored_at_load_not_at_each_run(published, tmp_path):
    stored = onnx.load(published / "model.onnx")
    assert any(tensor.data_type == onnx.TensorProto.INT8 for tensor in stored.graph.initializer)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(published / "model.onnx", options)
    running = onnx.load(tmp_path / "optimised.onnx")
    produced = {name for node in running.graph.node for name in node.output}
    assert not [name for name in produced if name.endswith(".cast")]
    assert not [t for t in running.graph.initializer if t.data_type == onnx.TensorProto.INT8]


def test_int8_weights_are_within_half_a_step(run, published):
    fp32 = {t.name: onnx.numpy_helper.to_array(t) for t in
            onnx.load(run / "model-fp32.onnx").graph.initializer}  # fmt: skip
    small = {t.name: onnx.numpy_helper.to_array(t) for t in
             onnx.load(published / "model.onnx").graph.initializer}  # fmt: skip
    names = [name.removesuffix(".int8") for name in small if name.endswith(".int8")]
    assert len(names) > 30
    for name in names:
        scale = small[name + ".scale"]
        assert (np.abs(small[name + ".int8"] * scale - fp32[name]) <= scale / 2 + 1e-7).all()


def test_training_sees_the_chip_that_the_page_would_cut(images):
    pictures = data.read(images, 256)
    first = sorted((images / "Stripes").iterdir())[0]
    wanted = resample(decode(first.read_bytes()), 224)
    assert np.array_equal(train.chips_of(pictures, 224)[0], wanted)


def test_train_validation_and_test_share_no_picture(images):
    settings = quick()
    everything = data.read(images, 256)
    part = data.training_part(images, 256, settings)
    learning, validation = data.split(part, settings.split.validation, settings.seed)
    test = evaluate._test_part(images, everything.names, settings)
    sets = [{chip.tobytes() for chip in each.pixels} for each in (learning, validation, test)]
    assert sum(map(len, sets)) == len(set.union(*sets)) == len(everything.classes)


def test_augmented_chips_are_what_the_network_takes():
    from training.augment import augment

    pixels = torch.from_numpy(np.stack([texture("blobs", seed) for seed in range(4)]))
    chips = augment(pixels, quick(), torch.Generator().manual_seed(3))
    again = augment(pixels, quick(), torch.Generator().manual_seed(3))
    assert chips.shape == (4, 3, 224, 224)
    assert 0 <= chips.min() <= chips.max() <= 255
    assert torch.equal(chips, again)
    assert not torch.equal(chips[0], chips[1])

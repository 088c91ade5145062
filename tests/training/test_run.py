"""A tiny run from pictures to a published model."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from pyapp.core.imagery.chip import resample
from pyapp.core.imagery.mosaic import decode
from pyapp.core.model.card import Card
from pyapp.core.model.listing import models_from_json
from tests.training.conftest import CHIP_PX, quick, texture
from training.figures import measure, side_by_side
from training.networks import learn, onnx_file, predict, stored, surgery
from training.networks import variants as kinds
from training.pictures import data, dataset
from training.pictures.augment import augment
from training.pictures.held_out import SHIPPED, Door
from training.run import CHOSEN_FILE, NETWORK_FILE, TEACHER_FOLDER, VARIANTS_FOLDER
from training.steps import compress, evaluate, export
from training.steps.train import train


@pytest.fixture(scope="module")
def trained(finished):
    return stored.load(finished / CHOSEN_FILE)


@pytest.fixture(scope="module")
def chips():
    names = ("Stripes", "blobs", "plain")
    return np.stack([resample(texture(name, 900 + i), CHIP_PX) for i, name in enumerate(names)])


def weights_of(folder):
    return torch.load(folder / NETWORK_FILE)["weights"]


def assert_same_weights(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def stop_in(run: str, epoch: int, monkeypatch):
    """Break off as Ctrl-C does, in an epoch of the teacher or of a seed."""
    complete_epoch, seen = learn._epoch, []

    def stopping(state, number, examples, how, seed, restore=None):
        kind = TEACHER_FOLDER if how.epochs == quick().train.epochs else f"seed-{seed}"
        seen.append((kind, number))
        if (kind, number) == (run, epoch):
            raise KeyboardInterrupt
        return complete_epoch(state, number, examples, how, seed, restore)

    monkeypatch.setattr(learn, "_epoch", stopping)
    return seen


@pytest.mark.parametrize("where", [(TEACHER_FOLDER, 1), ("seed-2", 0)])
def test_a_run_broken_off_goes_on_to_the_same_weights(run, images, tmp_path, monkeypatch, where):
    """Also says that a run is reproducible: this is a second run with the same seeds."""
    stop_in(*where, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        train(images, tmp_path, quick())
    assert not (tmp_path / where[0] / NETWORK_FILE).exists()
    monkeypatch.undo()
    seen = stop_in("nowhere", 0, monkeypatch)
    train(images, tmp_path, quick(), resume=True)
    assert seen[0] == where
    for name in (TEACHER_FOLDER, "seed-1", "seed-2", "final/seed-1", "final/seed-2"):
        assert_same_weights(weights_of(tmp_path / name), weights_of(run / name))


def test_the_card_is_what_the_page_reads(published):
    card = Card.from_json("tiny", (published / "card.json").read_text())
    assert card.labels == ("stripes", "blobs", "plain")
    assert card.chip_px == CHIP_PX
    index = json.loads((published.parent / "index.json").read_text())
    assert index["default"] == "tiny"
    facts = json.loads((published / "card.json").read_text())
    assert index["models"] == [
        {
            "name": "tiny",
            "title": "Three textures",
            "description": "Tells 3 kinds of ground apart, from stripes to plain.",
            "footprint_m": card.footprint_m,
            "resolution": facts["resolution"],
            "classes": 3,
            "size_bytes": facts["size_bytes"],
            "licence": facts["licence"],
        }
    ]
    assert models_from_json((published.parent / "index.json").read_text())[0].name == "tiny"


def test_card_and_metadata_carry_the_same_facts(published):
    card = json.loads((published / "card.json").read_text())
    model = onnx.load(published / "model.onnx")
    facts = {each.key: json.loads(each.value) for each in model.metadata_props}
    assert facts == {name: card[name] for name in facts}
    assert set(card) - set(facts) == {"sha256", "size_bytes"}
    assert facts["resolution"] == pytest.approx(100 * 78.0288 / CHIP_PX, abs=0.001)
    assert facts["class_names"] == {"0": "Stripes", "1": "blobs", "2": "plain"}
    assert set(facts["sets"]) == {"0.9", "0.95", "0.99"}


def test_nothing_of_this_machine_is_in_the_published_files(published):
    from pathlib import Path

    home = str(Path(__file__).resolve().parents[2])
    for file in published.iterdir():
        assert home.encode() not in file.read_bytes(), file.name


def test_the_chosen_network_is_the_best_on_validation_pictures(finished):
    facts = evaluate.read(finished)
    assert set(facts["candidates"]) == {"seed 1", "seed 2", "average of all seeds"}
    best = max(each["accuracy"] for each in facts["candidates"].values())
    assert facts["candidates"][facts["chosen"]]["accuracy"] == best


def test_torch_and_onnxruntime_agree(trained, chips, tmp_path):
    file = onnx_file.to_onnx(trained.network, 1.3, CHIP_PX, tmp_path / "model.onnx")
    with torch.no_grad():
        wanted = onnx_file.Exported(trained.network, 1.3)(torch.from_numpy(chips))
    given = measure.outputs(file, chips)
    for ours, theirs in zip(wanted, given.values(), strict=True):
        assert np.abs(ours.numpy() - theirs).max() < 1e-4 * max(1, np.abs(theirs).max())
    assert np.abs(wanted[0].numpy() - given["probability"]).max() < 1e-5


def test_any_number_of_chips_fits(published, chips):
    together = measure.probabilities(published / "model.onnx", chips)
    alone = [measure.probabilities(published / "model.onnx", chip[np.newaxis])[0] for chip in chips]
    assert np.abs(together - np.stack(alone)).max() < 1e-5
    assert together.sum(1) == pytest.approx(1, abs=1e-5)


def test_the_activation_map_averages_to_the_logits(published, chips):
    said = measure.outputs(published / "model.onnx", chips)
    temperature = json.loads((published / "card.json").read_text())["temperature"]
    logits = said["activation"].mean((2, 3)) / temperature
    softmax = np.exp(logits - logits.max(1, keepdims=True))
    probability = softmax / softmax.sum(1, keepdims=True)
    assert probability == pytest.approx(said["probability"], abs=1e-4)
    assert said["embedding"].shape == (3, 1280)
    assert said["activation"].shape == (3, 3, CHIP_PX // 32, CHIP_PX // 32)


@pytest.mark.parametrize(("kind", "stored_as"), [(np.int8, 3), (np.float16, 10)])
def test_small_weights_are_restored_at_load_not_at_each_run(finished, tmp_path, kind, stored_as):
    small = kinds.store_weights(finished / export.FP32_FILE, tmp_path / "small.onnx", kind)
    assert any(each.data_type == stored_as for each in onnx.load(small).graph.initializer)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(small, options)
    running = onnx.load(tmp_path / "optimised.onnx")
    assert not [each for each in running.graph.initializer if each.data_type == stored_as]
    produced = {name for node in running.graph.node for name in node.output}
    convolutions = [node for node in running.graph.node if "Conv" in node.op_type]
    weights = {node.input[1] for node in convolutions}
    assert not weights & produced


def test_int8_weights_are_within_half_a_step(finished, tmp_path):
    file = kinds.store_weights(finished / export.FP32_FILE, tmp_path / "small.onnx", np.int8)
    fp32, small = (
        {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(each).graph.initializer}
        for each in (finished / export.FP32_FILE, file)
    )
    names = [name.removesuffix(".int8") for name in small if name.endswith(".int8")]
    assert len(names) > 30
    for name in names:
        scale = small[name + ".scale"]
        assert (np.abs(small[name + ".int8"] * scale - fp32[name]) <= 0.5001 * scale + 1e-7).all()


def test_every_variant_is_measured_and_one_is_shipped(finished):
    facts = compress.read(finished)
    variants = facts["variants"]
    assert set(variants) == {kinds.FP32, kinds.FP16, kinds.INT8_WEIGHTS, kinds.INT8, kinds.THIN,
                             kinds.NARROW, side_by_side.REFERENCE}  # fmt: skip
    for each in variants.values():
        assert each["brotli_bytes"] <= each["bytes"]
        assert each["native_ms"]["least_ms"] > 0
        assert each["browser_ms"]["least_ms"] > 0
    assert variants[kinds.THIN]["brotli_bytes"] < variants[kinds.INT8_WEIGHTS]["brotli_bytes"]
    assert variants[kinds.NARROW]["bytes"] < variants[kinds.INT8_WEIGHTS]["bytes"]
    assert facts["shipped"] in variants
    assert set(variants[kinds.FP32]["operators_ms"]) >= {"1x1 convolution", "everything else"}


def test_what_is_shipped_is_small_and_loses_little():
    def variant(accuracy, size, ms):
        times = {"least_ms": ms, "median_ms": 1.2 * ms}
        return {"accuracy": accuracy, "brotli_bytes": size, "native_ms": times}

    figures = {
        "fp32": variant(0.98, 10, 5.0),
        "small": variant(0.98, 3, 5.2),
        "smaller, but worse": variant(0.97, 2, 5.0),
        "smaller, but slow": variant(0.98, 1, 8.0),
        side_by_side.REFERENCE: variant(0.99, 1, 5.0),
    }
    assert side_by_side.pick(figures, 0.003) == "small"


def test_thinned_weights_stay_at_zero_through_training(finished):
    thin = stored.load(finished / VARIANTS_FOLDER / kinds.THIN_FOLDER / NETWORK_FILE).network
    weights = [each for each in thin.features.parameters() if each.ndim == 4]
    pointwise = [each for each in weights if each.shape[1] > 1 and each.shape[2] == 1]
    shares = [(each == 0).float().mean().item() for each in pointwise]
    assert min(shares) == pytest.approx(0.5, abs=0.02)


def test_narrowing_leaves_out_channels_and_keeps_the_answers(trained, chips):
    narrow = surgery.narrow_blocks(trained.network, chips, 0.1)
    count = [sum(w.numel() for w in n.parameters()) for n in (trained.network, narrow)]
    assert count[1] < 0.96 * count[0]
    before, after = (predict.logits_of(each, chips) for each in (trained.network, narrow))
    assert torch.equal(before.argmax(1), after.argmax(1))


def test_training_sees_the_chip_that_the_page_would_cut(images):
    pictures = data.read(images)
    first = sorted((images / "Stripes").iterdir())[0]
    wanted = resample(decode(first.read_bytes()), 224)
    assert np.array_equal(predict.chips_of(pictures, 224)[0], wanted)


def test_train_validation_and_test_share_no_picture(images, tmp_path):
    total = data.read(images)
    learning, validation = dataset.learning_and_validation(images, quick())
    held_out = Door(tmp_path, SHIPPED, "0" * 64).test_pictures(images, total.names, quick())
    sets = [{chip.tobytes() for chip in each.pixels} for each in (learning, validation, held_out)]
    assert sum(map(len, sets)) == len(set.union(*sets)) == len(total.classes)
    assert {*learning.files, *validation.files, *held_out.files} == set(total.files)


def test_augmented_chips_are_what_the_network_takes():
    pixels = torch.from_numpy(np.stack([texture("blobs", seed) for seed in range(4)]))
    crops = torch.ones((4, 2))
    chips = augment(pixels, crops, quick(), torch.Generator().manual_seed(3))
    again = augment(pixels, crops, quick(), torch.Generator().manual_seed(3))
    assert chips.shape == (4, 3, CHIP_PX, CHIP_PX)
    assert 0 <= chips.min() <= chips.max() <= 255
    assert torch.equal(chips, again)
    assert not torch.equal(chips[0], chips[1])

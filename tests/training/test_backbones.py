"""Backbones by name: only the last layer is new, and what is left works as it did."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from tests.training.conftest import finish_run, quick
from training.figures import measure
from training.networks import lite, network, onnx_file, predict, stored
from training.networks.stored import TrainedNetwork
from training.networks.variants import NARROW
from training.run import SHIPPED_FILE
from training.steps import compress
from training.steps.compress import REFERENCE
from training.steps.publish import publish
from training.steps.train import train

NAMES = ("resnet18", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5", "convnext_tiny")


@pytest.fixture
def no_download(monkeypatch, tmp_path):
    """Weights of torchvision as if they were downloaded: the cache holds a file of random ones."""

    def lay(name):
        weights = torchvision.models.get_model_weights(name).DEFAULT
        place = tmp_path / "hub" / "checkpoints"
        place.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(5)
        model = torchvision.models.get_model(name, weights=None).eval()
        torch.save(model.state_dict(), place / weights.url.rsplit("/", 1)[1])
        return model

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return lay


@pytest.mark.parametrize("name", NAMES)
def test_features_pooling_and_neck_are_those_of_torchvision(name, no_download):
    theirs = no_download(name)
    ours = network.pretrained(name, 4).eval()
    last = [each for each in theirs.modules() if isinstance(each, nn.Linear)][-1]
    chips = torch.rand(2, 3, 96, 96) * 255
    with torch.no_grad():
        wanted = theirs(ours.normalise(chips))
        assert torch.allclose(last(ours.embed(chips)), wanted, atol=1e-4)
        assert ours(chips).shape == (2, 4)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small"])
def test_it_trains_is_stored_and_exported(name, no_download, tmp_path):
    no_download(name)
    model = network.pretrained(name, 3)
    model.freeze(0.5)
    frozen = [each for each in model.features.parameters() if not each.requires_grad]
    assert 0 < len(frozen) < len(list(model.features.parameters()))
    model(torch.rand(2, 3, 64, 64) * 255).sum().backward()
    trained = TrainedNetwork(model, ("a", "b", "c"), 1, 64, [])
    again = stored.load(stored.save(tmp_path / "network.pt", trained)).network
    chips = np.random.default_rng(2).integers(0, 256, (3, 64, 64, 3), np.uint8)
    graph = onnx_file.to_onnx(again, 1.0, 64, tmp_path / "model.onnx")
    said = measure.outputs(graph, chips)
    wanted = torch.softmax(predict.logits_of(model, chips), 1).numpy()
    assert np.abs(said["probability"] - wanted).max() < 1e-5
    assert said["activation"].shape == (3, 3, 2, 2)


@pytest.mark.parametrize("name", ["efficientnet_lite1", "efficientnet_lite2"])
def test_larger_lite_networks_have_the_reference_number_of_weights(name):
    # Without the head: 5.42 and 6.09 million with it (1,280,000 weights and 1,000 biases).
    with_head = {"efficientnet_lite1": 5_416_680, "efficientnet_lite2": 6_092_072}[name]
    count = sum(each.numel() for each in lite.features(name).parameters())
    assert count == with_head - 1_281_000


def test_a_complete_run_of_another_backbone_without_a_teacher(no_download, images, tmp_path):
    no_download("shufflenet_v2_x0_5")
    tiny = quick()
    how = replace(
        tiny,
        backbone="shufflenet_v2_x0_5",
        seeds=(1,),
        student=replace(tiny.student, views=0),
        split=replace(tiny.split, use_all=False),
    )
    run = tmp_path / "other"
    train(images, run, how)
    finish_run(images, run, how)
    place = publish(run / SHIPPED_FILE, run, tmp_path / "models", how)
    card = json.loads((place / "card.json").read_text())
    assert (
        card["weights"] == "shufflenet_v2_x0_5 pretrained on ImageNet by torchvision (BSD 3-Clause)"
    )
    assert card["standardization_mean"] == pytest.approx([0.485, 0.456, 0.406])
    variants = compress.read(run)["variants"]
    assert NARROW not in variants
    assert REFERENCE not in variants

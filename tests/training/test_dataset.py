"""Several sources as one set of pictures, and learning from labels that allow several classes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.training.conftest import quick, texture
from training.errors import TrainingError
from training.figures import probe
from training.files import write_text
from training.pictures import data, dataset, examples
from training.settings import SourceSettings

TREE = 'rough = { lined = ["stripes"], cloudy = ["blobs"] }\nsmooth = ["plain"]\n'
FIRST = """
title = "The first"
credit = "nobody"
citation = "none"
licence = "CC0"
research_only = false

[trees.textures]
ground_m = [80, 80]

[trees.textures.allows]
Stripes = ["stripes"]
blobs = ["blobs"]
plain = ["plain"]

[trees.textures.coarse]

[trees.textures.left_out]
"""
SECOND = """
title = "The second"
credit = "nobody"
citation = "none"
licence = "for research"
research_only = true

[trees.textures]
ground_m = [100, 160]

[trees.textures.allows]
Stripes = ["rough"]
plain = ["plain"]

[trees.textures.coarse]
mixed = ["rough"]

[trees.textures.left_out]
blobs = "too small"
"""
CLASSES = ("blobs", "plain", "stripes")


def how():
    sources = SourceSettings("textures", ("first", "second"), (), 0, 0.9, 2)
    full = quick()
    return replace(full, sources=sources, ground=replace(full.ground, footprint_m=80.0))


@pytest.fixture
def described(tmp_path, monkeypatch):
    """Two sources of textures with their descriptions; the first keeps test pictures apart."""
    for name, text in (("first", FIRST), ("second", SECOND)):
        write_text(tmp_path / "sources" / f"{name}.toml", text)
    write_text(tmp_path / "trees" / "textures.toml", TREE)
    for number, (folder, names) in enumerate({
        "first/train": ("Stripes", "blobs", "plain"),
        "first/test": ("Stripes", "blobs", "plain"),
        "second": ("Stripes", "blobs", "mixed", "plain"),
    }.items()):  # fmt: skip
        for name in names:
            place = tmp_path / "data" / folder / name
            place.mkdir(parents=True)
            for each in range(10):
                kind = "blobs" if name == "mixed" else name
                pixels = texture(kind, 1000 * number + 100 * len(name) + each)
                Image.fromarray(pixels).save(place / f"{each}.png")
    monkeypatch.setattr(dataset, "DESCRIBED", tmp_path)
    return tmp_path


def test_sources_become_one_set_of_pictures(described):
    pictures = dataset.training_part(described / "data", how(), described)
    assert pictures.names == CLASSES
    labels = {each.name: each for each in pictures.labels}
    assert labels.keys() == {
        "first/Stripes", "first/blobs", "first/plain", "second/Stripes", "second/plain"
    }  # fmt: skip
    assert labels["second/Stripes"].allowed == (0, 2)
    assert labels["first/Stripes"].crop == (1.0, 1.0)
    assert labels["second/plain"].crop == pytest.approx((0.5, 0.8))
    assert labels["second/plain"].source == "second"
    assert len(pictures.numbers) == 50
    several = pictures.classes == data.SEVERAL
    assert several.sum() == 10
    assert (pictures.allowed[several] == [1, 0, 1]).all()
    assert {each.split("/")[0] for each in pictures.files} == {"first", "second"}


def test_only_pictures_whose_class_is_known_are_chosen_by(described):
    pictures = dataset.training_part(described / "data", how(), described)
    learning, validation = data.split(pictures, 0.2, 1)
    assert (validation.classes != data.SEVERAL).all()
    assert len(validation.numbers) == 8
    assert (learning.classes == data.SEVERAL).sum() == 10


def test_twins_across_a_split_are_not_learned_from(described):
    same = texture("blobs", 4711)
    for each in range(10):
        Image.fromarray(same).save(described / "data/first/train/blobs" / f"{each}.png")
    pictures = dataset.training_part(described / "data", how(), described)
    learning, validation = data.split(pictures, 0.2, 1)
    assert dataset._twins(learning, validation).sum() == 8


def test_without_the_folders_of_sources_the_folder_holds_the_classes(described):
    alone = replace(how(), sources=replace(how().sources, home=("first",)))
    assert dataset.home_sources(described / "data" / "first", alone, described) == []
    with pytest.raises(TrainingError, match="There is no folder"):
        dataset.home_sources(described / "data" / "nowhere", how(), described)


def test_leaving_a_source_out():
    left = how().without("second")
    assert (left.name, left.sources.home, left.sources.abroad) == (
        "tiny-without-second", ("first",), ("second",)
    )  # fmt: skip
    with pytest.raises(TrainingError, match="nothing to learn from without third"):
        how().without("third")


def test_a_label_that_allows_several_classes_trains_by_their_sum():
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 4, generator=random)
    allowed = torch.tensor([[1.0, 0, 1, 0]]).repeat(5, 1)
    wanted = -torch.softmax(logits, 1)[:, [0, 2]].sum(1).log()
    assert torch.allclose(examples.partial_label_loss(logits, allowed), wanted, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_one_allowed_class_is_cross_entropy(smoothing):
    random = torch.Generator().manual_seed(1)
    logits = torch.randn(6, 4, generator=random)
    classes = torch.tensor([0, 1, 2, 3, 0, 1])
    loss = torch.nn.functional.cross_entropy(
        logits, classes, label_smoothing=smoothing, reduction="none"
    )
    one_hot = torch.nn.functional.one_hot(classes, 4).float()
    assert torch.allclose(examples.partial_label_loss(logits, one_hot, smoothing), loss, atol=1e-6)


def test_all_classes_allowed_teach_nothing():
    logits = torch.randn(3, 4, requires_grad=True)
    examples.partial_label_loss(logits, torch.ones(3, 4)).sum().backward()
    assert logits.grad.abs().max() < 1e-6


def test_no_label_has_more_than_its_share_of_an_epoch():
    numbers = torch.tensor([0] * 50 + [1] * 5 + [2] * 20)
    first, second = (
        examples.some_of_each(numbers, 10, torch.Generator().manual_seed(seed)) for seed in (0, 1)
    )
    assert torch.bincount(numbers[first]).tolist() == [10, 5, 10]
    assert len(set(first.tolist())) == 25
    assert set(first.tolist()) != set(second.tolist())
    assert len(examples.some_of_each(numbers, 0, torch.Generator())) == 75


def test_a_chip_shows_the_wanted_part_of_a_picture():
    """Of a ramp, a chip of half the side spans half of the values."""
    ramp = np.tile(np.linspace(0, 250, 64)[None, :, None], (64, 1, 3)).astype(np.uint8)
    pixels = torch.from_numpy(np.stack([ramp] * 40))
    still = replace(
        how(),
        augment=replace(
            how().augment, turn_deg=0.0, scale=(1.0, 1.0), shift=0.0, coarse_share=0.0,
            jpeg_share=0.0, light=0.0, haze=0.0,
        ),
    )  # fmt: skip
    crops = torch.full((40, 2), 0.5)
    chips = examples.augment(pixels, crops, still, torch.Generator().manual_seed(2))
    spans = chips.amax((1, 2, 3)) - chips.amin((1, 2, 3))
    assert spans.numpy() == pytest.approx(125, abs=8)
    starts = chips.amin((1, 2, 3))
    assert starts.min() < 30 and starts.max() > 95


def test_a_probe_tells_sources_apart_if_they_can_be_told():
    random = np.random.default_rng(3)
    sources = np.arange(200) % 2
    embeddings = torch.from_numpy(random.normal(size=(200, 8)).astype(np.float32))
    assert 0.3 < probe.guessed(embeddings, sources) < 0.7
    embeddings[:, 0] += torch.from_numpy(6.0 * sources)
    assert probe.guessed(embeddings, sources) > 0.97

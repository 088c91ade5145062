"""The model in models/ is what its card says."""

import hashlib
import json
from pathlib import Path

import onnx
import pytest

from pyapp.core.model.card import Card
from pyapp.core.model.prediction import INPUT, OUTPUTS, familiarity
from training import settings
from training.figures import calibrate, measure
from training.networks import predict
from training.pictures.held_out import SHIPPED, Door
from training.steps import final

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "ucmerced"
MODELS = ROOT / "models"


@pytest.fixture(
    scope="module", params=sorted(each.parent.name for each in MODELS.glob("*/card.json"))
)
def folder(request):
    return MODELS / request.param


@pytest.fixture(scope="module")
def facts(folder):
    return json.loads((folder / "card.json").read_text())


def test_the_card_names_this_very_file(folder, facts):
    contents = (folder / "model.onnx").read_bytes()
    assert hashlib.sha256(contents).hexdigest() == facts["sha256"]
    assert len(contents) == facts["size_bytes"]
    assert Card.from_json(folder.name, json.dumps(facts)).name == facts["name"]


def test_the_file_carries_the_facts_of_its_card(folder, facts):
    model = onnx.load(folder / "model.onnx")
    inside = {each.key: json.loads(each.value) for each in model.metadata_props}
    assert inside == {name: facts[name] for name in inside}


def test_the_contract(folder, facts):
    model = onnx.load(folder / "model.onnx")
    (image,) = model.graph.input
    shape = [dim.dim_value or dim.dim_param for dim in image.type.tensor_type.shape.dim]
    assert image.name == INPUT
    assert image.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert isinstance(shape[0], str)
    assert shape[1:] == [facts["tile_size"], facts["tile_size"], 3]
    assert tuple(output.name for output in model.graph.output) == OUTPUTS
    assert len(facts["labels"]) == len(set(facts["labels"])) == len(facts["class_names"])


def test_it_is_small_over_the_wire(folder):
    assert measure.compressed_size(folder / "model.onnx") <= 3.4e6


@pytest.fixture(scope="module")
def pictures(facts, tmp_path_factory):
    """The test pictures of UC Merced."""
    if not DATA.is_dir():
        pytest.skip("UC Merced is not beside the checkout")
    door = Door(tmp_path_factory.mktemp("run"), SHIPPED, facts["sha256"])
    recipe = settings.read(settings.RECIPES / f"{facts['name']}.toml")
    several = len(recipe.sources.home) > 1
    names = tuple(facts["class_names"].values())
    return door.test_pictures(DATA.parent if several else DATA, names, recipe)


def test_its_label_sets_hold_what_they_promise(folder, facts, pictures):
    chips = predict.chips_of(pictures, facts["tile_size"])
    said = measure.outputs(folder / "model.onnx", chips)
    for coverage, level in facts["sets"].items():
        held, _ = calibrate.covered(said["probability"], pictures.classes, level)
        # Three standard errors of 210 pictures below what is promised.
        spread = (float(coverage) * (1 - float(coverage)) / len(chips)) ** 0.5
        assert held >= float(coverage) - 3 * spread
    familiar = familiarity(said["activation"]) >= facts["familiar"]
    assert familiar.mean() > 0.93


def test_the_figures_of_the_card_come_out_again(folder, facts, pictures):
    scores = final.scores(folder / "model.onnx", pictures, facts["threshold"])
    native = scores["native"]["accuracy"]
    # `wide` learned 30 classes from two sources that call things differently.
    assert native >= {"wide": 0.89}.get(facts["name"], 0.975)
    assert all(each["accuracy"] > native - 0.03 for each in scores.values())
    for name, score in scores.items():
        wanted = facts["measured"]["test"][name]["accuracy"]
        assert score["accuracy"] == pytest.approx(wanted, abs=0.005)

"""Judging abroad, on a few pictures of two colours and a network that goes by their mean."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from pyapp.core.model.card import Card
from pyapp.core.model.prediction import ACTIVATION, EMBEDDING, INPUT, PROBABILITY
from tests.training.conftest import quick, texture
from training.errors import TrainingError
from training.figures import judging, levels, measure, recorded
from training.figures.levels import Judged
from training.files import write_text
from training.pictures import data, sources
from training.pictures.twins import have_twin
from training.run import ABROAD_FILE, RECORDINGS
from training.settings import SourceSettings
from training.steps import abroad as step
from training.steps.abroad import abroad

LABELS = ("red", "orange", "blue")
COLOURS = {"red": (200, 20, 20), "orange": (190, 90, 20), "blue": (20, 20, 200)}
CHIP_PX, PER_CLASS = 8, 60
TREE = 'warm = ["red", "orange"]\ncold = ["blue"]\n'
DESCRIPTION = """
title = "{name}"
credit = "nobody"
citation = "none"
licence = "CC0"
research_only = false

[trees.colours.allows]
red = ["red"]
orange = ["orange"]
blue = ["blue"]

[trees.colours.coarse]

[trees.colours.left_out]
"""


def write_model(file):
    """A network whose probabilities follow from the mean colour of a chip."""
    weights = np.array([COLOURS[each] for each in LABELS], np.float32).T / 255
    bias = -(weights**2).sum(0, keepdims=True) / 2
    constants = {"weights": weights * 40 / 255, "bias": bias * 40}
    nodes = [
        helper.make_node("Cast", [INPUT], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], [EMBEDDING], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", [EMBEDDING, "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], [PROBABILITY], axis=1),
        helper.make_node("Unsqueeze", ["logits", "places"], [ACTIVATION]),
    ]
    shapes = {PROBABILITY: ["n", 3], EMBEDDING: ["n", 3], ACTIVATION: ["n", 3, 1, 1]}
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["n", CHIP_PX, CHIP_PX, 3])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in shapes.items()
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()]
        + [numpy_helper.from_array(np.array([2, 3], np.int64), "places")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, file)


def write_source(folder, seed, spread):
    """Noisy pictures of the three colours; the larger the spread, the more look like another."""
    random = np.random.default_rng(seed)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for number in range(PER_CLASS):
            shade = np.array(colour) + random.normal(0, spread, 3)
            pixels = (shade + random.normal(0, 25, (32, 32, 3))).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number:02}.png")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Sources, descriptions, and a model that was never trained."""
    place = tmp_path_factory.mktemp("abroad")
    for seed, (name, spread) in enumerate({"home": 5, "near": 25, "far": 40}.items()):
        write_source(place / "data" / name, seed, spread)
        write_text(place / "sources" / f"{name}.toml", DESCRIPTION.format(name=name))
    write_text(place / "trees" / "colours.toml", TREE)
    (place / "models" / "tiny").mkdir(parents=True)
    write_model(place / "models" / "tiny" / "model.onnx")
    facts = {"name": "tiny", "title": "Colours", "labels": LABELS, "tile_size": CHIP_PX,
             "footprint_m": 10.0, "threshold": 0.6, "sets": {"0.9": 0.3}, "familiar": 5.0,
             "sha256": "0" * 64, "unheard of": [1, 2.5, "ü"]}  # fmt: skip
    text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
    (place / "models" / "tiny" / "card.json").write_text(text, encoding="utf-8")
    return place


HOW = replace(quick(), sources=SourceSettings("colours", ("home",), ("near", "far"), 0, 0.85, 2))


def do(place, run, how=HOW, write=False):
    abroad(place / "data", run, place / "models", how, write, place)
    return json.loads((run / ABROAD_FILE).read_text())


@pytest.fixture(scope="module")
def measured(place, tmp_path_factory):
    return do(place, tmp_path_factory.mktemp("run"))


def visits(place, run):
    tree = sources.read_tree("colours", LABELS, place / "trees")
    model = place / "models" / "tiny" / "model.onnx"
    found = [
        (each, recorded.record(each, model, 10.0, run / RECORDINGS))
        for each in sources.read_all(
            ("home", "near", "far"), place / "data", tree, place / "sources", "colours"
        )
    ]
    return tree, step.visited([found[0][1]], found[1:])


def test_the_figures_come_out_of_the_recordings(place, measured, tmp_path):
    tree, (near, far) = visits(place, tmp_path)
    for name, fitted, judged in (("near", far, near), ("far", near, far)):
        wanted = levels.fit(tree, levels.pooled([fitted.judged()]), 0.85)
        assert measured["directions"][name]["fitted_on"] == [fitted.source.name]
        assert measured["directions"][name]["levels"] == wanted.to_json()
        figures = levels.judge(tree, judged.judged(), wanted)
        found = measured["directions"][name]["figures"]["any"]
        assert found["share"] == pytest.approx(figures["any"].share, abs=1e-4)
        assert found["right"] == pytest.approx(figures["any"].right, abs=1e-4)
    assert 0.5 < measured["fitted"]["any"]["share"] <= 1
    assert measured["fitted"]["any"]["right"] >= 0.85
    assert measured["home"]["images"] == 30


def test_no_test_picture_of_the_own_source_is_looked_at(place, tmp_path):
    do(place, tmp_path)
    with np.load(tmp_path / RECORDINGS / "home.npz") as kept:
        files = set(kept["files"].tolist())
    learned = data.training_part(place / "data" / "home", HOW.split)
    assert files == set(learned.files)
    assert len(files) == 3 * PER_CLASS * 0.8


def test_a_source_is_never_judged_by_what_was_fitted_on_it(place, tmp_path):
    """Whatever the model says of a source, the thresholds it is judged by stay the same."""
    tree, (near, far) = visits(place, tmp_path)
    judged = {"near": near.judged(), "far": far.judged()}
    before = judging.direction(judged, "far", tree, 0.85)
    spoilt = Judged(judged["far"].probability[:, ::-1], ~judged["far"].right, judged["far"].weight)
    after = judging.direction(judged | {"far": spoilt}, "far", tree, 0.85)
    assert after["levels"] == before["levels"]
    assert after["figures"] != before["figures"]
    assert judging.direction(judged | {"far": spoilt}, "near", tree, 0.85) != before


def test_the_network_runs_once(place, tmp_path, monkeypatch):
    first = do(place, tmp_path)
    monkeypatch.setattr(measure, "session", lambda _: pytest.fail("the network ran again"))
    assert do(place, tmp_path) == first
    kept = tmp_path / RECORDINGS / "far.npz"
    kept.write_bytes(kept.read_bytes()[:1000])
    with pytest.raises(pytest.fail.Exception, match="ran again"):
        do(place, tmp_path)
    monkeypatch.undo()
    assert do(place, tmp_path) == first


def test_a_changed_picture_is_recorded_again(place, tmp_path):
    _, (near, _) = visits(place, tmp_path)
    file = place / "data" / "near" / "red" / "00.png"
    before = file.read_bytes()
    try:
        Image.new("RGB", (32, 32), (20, 20, 200)).save(file)
        changed = visits(place, tmp_path)[1][0].recorded
    finally:
        file.write_bytes(before)
    different = (changed.probability != near.recorded.probability).any(1)
    assert near.recorded.files[different].tolist() == ["red/00.png"]


def test_writing_changes_the_card_once(place, tmp_path):
    card = place / "models" / "tiny" / "card.json"
    before, model = card.read_text(), card.with_name("model.onnx").read_bytes()
    try:
        do(place, tmp_path)
        assert card.read_text() == before
        measured = do(place, tmp_path, write=True)
        once = card.read_text()
        do(place, tmp_path, write=True)
        assert card.read_text() == once
        assert card.with_name("model.onnx").read_bytes() == model
        assert card.with_name("abroad.md").read_text() == (tmp_path / "abroad.md").read_text()
    finally:
        card.write_text(before)
    facts, old = json.loads(once), json.loads(before)
    assert {name: facts[name] for name in old} == old
    assert facts.keys() - old == {"tree", "levels", "abroad"}
    assert facts["levels"] == measured["levels"]
    read = Card.from_json("tiny", once)
    assert read.tree.to_json() == {"warm": ["red", "orange"], "cold": ["blue"]}
    assert facts["abroad"]["judged"] == measured["directions"]


def test_twins_are_counted_and_left_out(place, tmp_path):
    copies = tmp_path / "data"
    for name, seed in (("home", 0), ("near", 1), ("far", 2)):
        write_source(copies / name, seed, 25)
    (copies / "far" / "red" / "00.png").write_bytes(
        (copies / "near" / "red" / "07.png").read_bytes()
    )
    (copies / "far" / "red" / "01.png").write_bytes(
        (copies / "home" / "red" / "09.png").read_bytes()
    )
    drawn = Image.fromarray(texture("blobs", 0))
    drawn.save(copies / "near" / "blue" / "03.png")
    drawn.resize((150, 150)).save(copies / "far" / "blue" / "03.png")
    abroad(copies, tmp_path / "run", place / "models", HOW, described=place)
    found = json.loads((tmp_path / "run" / ABROAD_FILE).read_text())["sources"]
    assert (found["near"]["twins"], found["far"]["twins"]) == (0, 3)
    assert found["far"]["images"] == 3 * PER_CLASS - 3
    assert found["far"]["by_label"]["red"]["images"] == PER_CLASS - 2


def test_pictures_of_one_source_have_no_twins_in_another(place, tmp_path):
    _, (near, far) = visits(place, tmp_path)
    assert not near.twins.any() and not far.twins.any()
    own = near.recorded
    assert have_twin(own.sha256, own.hashes, own.sha256, own.hashes).all()


def test_no_model_of_that_name(place, tmp_path):
    with pytest.raises(TrainingError, match="There is no model in"):
        do(place, tmp_path, replace(HOW, name="nobody"))


def test_a_tree_of_another_model(place, tmp_path):
    write_text(place / "trees" / "short.toml", 'warm = ["red", "orange"]\n')
    how = replace(HOW, sources=replace(HOW.sources, tree="short"))
    with pytest.raises(TrainingError, match="lacks the class 'blue'"):
        do(place, tmp_path, how)

"""README.md and stac-item.json beside each model."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import yaml
from PIL import Image

from pyapp.core.model.card import Card
from training.errors import TrainingError
from training.steps import model_readme, publish
from training.steps.model_readme import ITEM_FILE, README_FILE

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
PLACES = sorted(each.parent for each in MODELS.glob("*/card.json"))
NAMES = [each.name for each in PLACES]
FIGURES = {"answers": 90, "share": 0.9, "right": 0.97, "lower": 0.951}
NONE = {"answers": 0, "share": 0.0, "right": float("nan"), "lower": 0.0}


@pytest.fixture(params=[*NAMES, "with a tree"])
def place(request, tmp_path):
    """Each shipped model, and one with what the shipped ones may lack, with its two files."""
    source = MODELS / ("ucmerced" if request.param == "with a tree" else request.param)
    copy = tmp_path / source.name
    shutil.copytree(source, copy)
    if request.param == "with a tree":
        card = copy / "card.json"
        card.write_text(json.dumps(with_tree(json.loads(card.read_text()))))
    model_readme.write(copy / "card.json", copy / "model.onnx")
    return copy


def with_tree(facts):
    """The facts of a card with a tree, figures abroad and limited use."""
    labels = facts["labels"]
    judged = {
        "aid": {"images": 100, "figures": {"any": FIGURES, "top": NONE}},
        "silent": {"images": 7, "figures": {"any": NONE, "top": NONE}},
    }
    return facts | {
        "tree": {"one": {"inner": labels[:5], "other": labels[5:9]}, "two": labels[9:]},
        "levels": {"top": 0.6, "group": 0.7, "class": 0.9},
        "abroad": {"date": "2026-11-25", "judged": judged},
        "licence": "research use: it learned from AID (research)",
        "use": "research",
        "training_data": "UC Merced (Yang; ACM), from USGS; AID (Xia: 'so'; Google Earth)",
    }


def read(place):
    facts = json.loads((place / "card.json").read_text())
    item = json.loads((place / ITEM_FILE).read_text())
    return facts, item, (place / README_FILE).read_text()


def front_matter(text):
    _, front, _ = text.split("---\n", 2)
    return yaml.safe_load(front)


def test_what_is_committed_is_what_the_command_writes(tmp_path):
    shutil.copytree(MODELS, tmp_path / "models")
    publish.write_readmes(tmp_path / "models")
    for place in PLACES:
        for file in (README_FILE, ITEM_FILE):
            written = (tmp_path / "models" / place.name / file).read_bytes()
            assert (place / file).read_bytes() == written, "run python -m training cards"


def test_the_front_matter_is_in_hugging_face_form(place):
    facts, _, text = read(place)
    front = front_matter(text)
    assert front["pipeline_tag"] == "image-classification"
    assert front["library_name"] == "onnxruntime"
    assert front["license"] == ("other" if "use" in facts else "mit")
    assert all(re.fullmatch(r"[a-z0-9-]+", each) for each in front["datasets"])
    (model,) = front["model-index"]
    (result,) = model["results"]
    measured = {each["type"]: each["value"] for each in result["metrics"]}
    assert measured["accuracy"] == facts["measured"]["test"]["native"]["accuracy"]


def test_the_text_has_every_class_its_licence_and_its_contract(place):
    facts, _, text = read(place)
    for label in facts["labels"]:
        assert re.search(rf"^ *- {label}$", text, re.MULTILINE), label
    assert facts["licence"] in text
    for wanted in ("`image` | input | uint8", "`embedding`", "must not be used for", "95 %"):
        assert wanted in text
    assert "\n\n\n" not in text


def test_the_tree_and_the_figures_abroad_are_told(tmp_path):
    facts = with_tree(json.loads((MODELS / "ucmerced/card.json").read_text()))
    card = Card.from_json("ucmerced", json.dumps(facts))
    shapes = {"probability": [-1, 21], "embedding": [-1, 8], "activation": [-1, 21, 6, 6]}
    text = model_readme.readme(facts, card, shapes)
    assert "- one (top)\n  - inner (group)\n    - farmland\n" in text
    assert "top 0.6, group 0.7, class 0.9" in text
    assert "| aid | 100 | 90.0 % | 97.0 % (at least 95.1 %) | 100.0 % |\n| silent | 7 |" in text
    assert "nan" not in text
    assert front_matter(text)["datasets"] == ["uc-merced", "aid"]


def test_the_lines_that_run_the_model_run(place):
    _, _, text = read(place)
    (lines,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (256, 256, 3), np.uint8)).save(place / "square.png")
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=place, capture_output=True, text=True, check=True
    )
    facts = json.loads((place / "card.json").read_text())
    answers = [each.split(" ", 1) for each in done.stdout.splitlines()]
    assert len(answers) == 3
    assert all(0 <= float(share) <= 1 and label in facts["labels"] for share, label in answers)


def test_the_item_describes_the_file(place):
    _, item, _ = read(place)
    model = place / "model.onnx"
    asset = item["assets"]["model"]
    assert asset["file:checksum"] == "1220" + hashlib.sha256(model.read_bytes()).hexdigest()
    assert asset["file:size"] == model.stat().st_size
    assert all((place / each["href"]).exists() for each in item["assets"].values())
    (image,) = item["properties"]["mlm:input"]
    _, *side = image["input"]["shape"]
    session = onnxruntime.InferenceSession(model)
    (given,) = session.get_inputs()
    assert (given.name, given.type) == (image["name"], "tensor(uint8)")
    outputs = {each["name"]: each["result"] for each in item["properties"]["mlm:output"]}
    found = session.run(list(outputs), {image["name"]: np.zeros((2, *side), np.uint8)})
    for said, each in zip(outputs.values(), found, strict=True):
        assert said["shape"] == [-1, *each.shape[1:]]
        assert said["data_type"] == each.dtype.name
        assert len(said["dim_order"]) == each.ndim


def test_the_item_is_valid_stac(place):
    pystac = pytest.importorskip("pystac", reason="needs Python 3.11")
    from pystac.validation.stac_validator import JsonSchemaSTACValidator

    _, item, _ = read(place)
    check = JsonSchemaSTACValidator().validate_core
    check(item, pystac.STACObjectType.ITEM, item["stac_version"])
    with pytest.raises(pystac.STACValidationError):
        check(item | {"bbox": [0, 0, 1, 1]}, pystac.STACObjectType.ITEM, item["stac_version"])


def test_the_item_is_a_model_to_the_authors_of_the_extension(place):
    schema = pytest.importorskip("stac_model.schema", reason="needs Python 3.11")
    _, item, _ = read(place)
    facts = item["properties"]
    model = schema.MLModelProperties.model_validate(facts)
    assert model.input[0].input.shape == facts["mlm:input"][0]["input"]["shape"]
    assert len(model.output) == 3
    spoilt = facts | {"mlm:tasks": ["guessing"]}
    with pytest.raises(ValueError, match="guessing"):
        schema.MLModelProperties.model_validate(spoilt)


def test_rules_of_the_schema_that_stac_model_does_not_check(place):
    _, item, _ = read(place)
    facts = item["properties"]
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_.\-\s]+[a-zA-Z0-9]", facts["mlm:name"])
    for each in facts["mlm:input"]:
        described = [band["name"] for band in item["assets"]["model"]["raster:bands"]]
        assert each["bands"] == described
        assert "bands" in each["input"]["dim_order"]
    for each in facts["mlm:output"]:
        for known in each.get("classification:classes", []):
            assert re.fullmatch(r"[0-9A-Za-z_-]+", known["name"])
    for asset in item["assets"].values():
        assert ("mlm:model" in asset["roles"]) == ("mlm:artifact_type" in asset)


@pytest.mark.parametrize("lost", ["labels", "licence", "measured", "made_with"])
def test_a_card_that_lacks_a_fact_is_refused_in_one_sentence(tmp_path, lost):
    place = tmp_path / "ucmerced"
    shutil.copytree(MODELS / "ucmerced", place)
    facts = json.loads((place / "card.json").read_text())
    del facts[lost]
    (place / "card.json").write_text(json.dumps(facts))
    with pytest.raises(TrainingError, match=f"lacks {lost}"):
        model_readme.write(place / "card.json", place / "model.onnx")


def test_a_model_that_is_not_there_is_refused_in_one_sentence(tmp_path):
    place = tmp_path / "ucmerced"
    shutil.copytree(MODELS / "ucmerced", place)
    (place / "model.onnx").unlink()
    with pytest.raises(TrainingError, match="can't be read"):
        model_readme.write(place / "card.json", place / "model.onnx")

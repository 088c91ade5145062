"""Pictures and places by the command, with the shipped model."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pyapp.core.ground.geo import Footprint
from pyapp.core.model.backend import WASM, Backend, Golden
from pyapp.core.model.card import Card
from pyapp.native import errors
from pyapp.native.runtime import NativeRuntime
from pyapp.native.setup import opened
from pyapp.work.ports import ModelRefusedError
from tests.native.conftest import ROOT, lookdown
from tests.work.fakes import run


@pytest.mark.parametrize("name", ["world", "ucmerced", "wide"])
def test_golden_places_are_answered_as_the_models_say(name):
    golden = Golden.from_json((ROOT / f"models/{name}/golden.json").read_text())

    async def work():
        async with opened() as native:
            await native.use(name)
            found = []
            for place in golden.places:
                footprint = Footprint(place, native.models.card.footprint_m)
                answer = await native.classifier.square(footprint, native.sources[0])
                found.append({each.label: each.probability for each in answer.prediction.ranked})
            labels = native.models.card.labels
            return np.array([[row[label] for label in labels] for row in found], np.float32)

    assert golden.agrees(run(work()))


def test_a_file_that_is_no_model_is_refused():
    with pytest.raises(ModelRefusedError):
        run(NativeRuntime().open(b"no model", Backend(WASM, 1)))


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda site: (site / "models/world/model.onnx").write_bytes(b"half"), "damaged"),
        (lambda site: (site / "models/world/model.onnx").unlink(), "did not arrive"),
        (lambda site: (site / "models/index.json").write_text("{"), "list of models can't be read"),
    ],
    ids=["damaged", "missing", "list"],
)
def test_a_site_whose_model_is_broken_is_told_with_what_helps_here(tmp_path, break_it, said):
    site = tmp_path / "site"
    shutil.copytree(ROOT / "models", site / "models")
    (site / "imagery").mkdir()
    (site / "imagery/sources.json").write_text("[]")
    break_it(site)
    Image.new("RGB", (300, 300)).save(tmp_path / "field.png")
    done = lookdown("--site", site, "classify", tmp_path / "field.png")
    assert done.returncode == errors.NO_MODEL, done.stderr
    told = done.stdout + done.stderr
    assert said in told and "--site" in told and "page" not in told, told


def test_a_place_is_answered_in_words_and_in_json():
    done = lookdown("classify", "--at", "27.629", "85.52468")
    assert done.returncode == errors.DONE and "built-up > residential area" in done.stdout
    told = json.loads(lookdown("classify", "--at", "27.629", "85.52468", "--json").stdout)
    card = Card.from_json("world", (ROOT / "models/world/card.json").read_text())
    assert told["path"][0] == "built-up" and told["model_sha256"] == card.sha256
    assert told["zoom"] == 18 and told["credit"]


def test_pictures_are_answered_one_by_one(tmp_path):
    Image.new("RGB", (300, 200), (40, 90, 50)).save(tmp_path / "green.png")
    (tmp_path / "text.png").write_text("no picture")
    paths = [tmp_path / name for name in ("green.png", "text.png", "missing.png")]
    done = lookdown("classify", *paths)
    assert done.returncode == errors.WRONG_INPUT
    assert done.stdout.startswith(f"{paths[0]}: ") and len(done.stdout.splitlines()) == 1
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (("classify",), 2),
        (("classify", "a.png", "--at", "1", "2"), 2),
        (("--rate", "0", "models"), 2),
        (("classify", "--at", "100", "2"), errors.WRONG_INPUT),
        (("classify", "--at", "10", "2"), errors.NO_IMAGERY),
        (("classify", "--at", "27.629", "85.52468", "--imagery", "esri"), errors.FORBIDDEN),
    ],
)
def test_what_can_not_be_answered_is_told(asked, status):
    done = lookdown(*asked)
    assert done.returncode == status
    assert done.stderr and "Traceback" not in done.stderr


def test_models_and_imagery_are_listed():
    models = lookdown("models").stdout
    assert models.startswith("world") and "ucmerced" in models and "wide" in models
    imagery = lookdown("imagery").stdout
    assert "swissimage" in imagery and "esri" in imagery and "but not" in imagery


def test_the_wheel_has_all_that_it_needs(tmp_path):
    """Installed apart from the clone, with the packages that are there."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), "."]
    subprocess.run(build, cwd=ROOT, check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    install = [*pip, "install", "--no-deps", "--target", str(tmp_path / "there"), str(wheel)]
    subprocess.run(install, check=True, timeout=300)
    asked = [sys.executable, "-m", "pyapp", "models"]
    done = subprocess.run(
        asked, cwd=tmp_path / "there", capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == errors.DONE and done.stdout.startswith("world"), done.stderr
    assert not (tmp_path / "there/pyapp/ui").exists()

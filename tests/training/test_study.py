"""The study on a tiny data set: every question is answered, once, and the report tells it."""

import json
import shutil
import urllib.request

import pytest

from tests.training.conftest import CHIP_PX, quick
from training import learn, study
from training.report import HTML, report


@pytest.fixture(scope="module")
def how():
    chosen = quick()
    chosen.study.chip_px, chosen.study.epochs, chosen.study.split_epochs = CHIP_PX, 1, 1
    chosen.study.left_out, chosen.study.splits = 1, 1
    return chosen


@pytest.fixture(scope="module")
def answered(finished, images, how, tmp_path_factory):
    run = shutil.copytree(finished, tmp_path_factory.mktemp("study") / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urllib.request, "urlopen", _nothing)
        study.study(images, run, how)
    return run


def _nothing(*_, **__):
    raise OSError("no network")


def test_every_question_is_answered(answered):
    facts = json.loads((answered / study.STUDY).read_text())
    views = facts["augmentation: nothing left out"]
    assert set(views) == set(study.LOOKS)
    assert all(0 <= each <= 1 for each in views.values())
    assert len([name for name in facts if name.startswith("augmentation")]) == 6
    left = [each for name, each in facts.items() if name.startswith("left out")]
    assert len(left) == 3
    assert all(0 <= each["largest logit"] <= 1 for each in left)
    assert facts["random split 1"]["images"] == 6
    assert "no network" in facts["published split"]["missing"]


def test_what_is_answered_is_not_asked_again(answered, images, how, monkeypatch):
    monkeypatch.setattr(learn, "fit", None)
    assert study.study(images, answered, how).exists()


def test_the_report_tells_it(answered, images, how):
    report(images, answered, how)
    text = (answered / HTML).read_text()
    for wanted in ("What each augmentation brings", "Scenes left out", "turned by 37°",
                   "nearest class centre", "random split 1", "could not be fetched"):  # fmt: skip
        assert wanted in text


def test_a_published_split_takes_the_pictures_it_names(images, how, monkeypatch):
    import io

    names = {"train": [f"{n:02}.tif" for n in range(8)], "val": [], "test": ["08.tif", "09.tif"]}

    def lists(address, timeout):
        part = address.rsplit("-", 1)[1].removesuffix(".txt")
        return io.BytesIO("\n".join(names[part]).encode())

    monkeypatch.setattr(urllib.request, "urlopen", lists)
    asked = {}

    def fitted(learning, test):
        asked.update(learning=learning.files, test=test.files)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study._published(images, how, CHIP_PX, fitted)
    assert len(asked["learning"]) == 24
    assert set(asked["test"]) == {f"{c}/{n}.png" for c in ("Stripes", "blobs", "plain")
                                  for n in ("08", "09")}  # fmt: skip
